//! What the report says of privacy: the claim, its cost, and a checklist after NIST SP 800-226, Guidelines for Evaluating Differential
//! Privacy Guarantees (March 2025), in own words. Every line passes, warns or is unknown, with the value it was judged by.

use super::Paid;
use super::paying::{Charged, Cost};
use crate::audit::{ChecklistLine, PrivacyStatement, Rehearsal, Standing};
use crate::plan::Plan;
use crate::plan::spec::{Neighbours, Privacy};
use crate::schema::Role;
use crate::world::Entropy;

use Standing::{Pass, Unknown, Warn};

/// The statement of a plan that was paid for.
pub(super) fn statement(plan: &Plan, paid: &Paid, entropy: Entropy) -> Option<PrivacyStatement> {
    let privacy = plan.spec.privacy.as_ref()?;
    let Paid { cost, charged, rehearsals } = paid;
    let unit = plan.schema.with(Role::PrivacyUnit).next().map(|column| column.name.clone());
    let checklist = Checklist { plan, privacy, cost, charged, rehearsals, unit: unit.as_deref(), entropy }.lines();
    Some(PrivacyStatement {
        population: privacy.population.clone(),
        unit,
        rows_per_unit_max: privacy.rows_per_unit_max,
        neighbours: privacy.neighbours,
        epsilon: privacy.epsilon,
        delta: privacy.delta,
        charge: cost.total,
        parallel: cost.parallel,
        guess_right_max: guess_right_max(privacy),
        rehearsals: rehearsals.clone(),
        checklist,
    })
}

/// (e^epsilon + delta) / (1 + e^epsilon), without overflow.
fn guess_right_max(privacy: &Privacy) -> f64 {
    let odds = libm::exp(-privacy.epsilon);
    ((1.0 + privacy.delta * odds) / (1.0 + odds)).min(1.0)
}

struct Checklist<'a> {
    plan: &'a Plan,
    privacy: &'a Privacy,
    cost: &'a Cost,
    charged: &'a Charged,
    rehearsals: &'a [Rehearsal],
    unit: Option<&'a str>,
    entropy: Entropy,
}

impl Checklist<'_> {
    fn lines(&self) -> Vec<ChecklistLine> {
        let lines: [(&str, (Standing, String)); 18] = [
            ("Unit of privacy", self.unit()),
            ("Neighbouring datasets", self.neighbours()),
            ("Cost over all releases", self.cost()),
            ("Strength of the claim", self.strength()),
            ("Kind of differential privacy", self.kind()),
            ("Bounds declared beforehand", (Pass, "every level and bound is declared; the share of clamped values is published only where it is charged".into())),
            ("Groups", (Pass, "cohorts are declared levels; every cell of the table has noise, empty ones too".into())),
            ("Means and quantiles", (Pass, "means are noisy sums over noisy counts; no least, greatest or median value is published".into())),
            ("Choices that depend on rows", self.choices()),
            ("Noise", self.noise()),
            ("Whatever is left without noise", (Pass, "no file sizes, durations, file times, memory, row counts or data fingerprints in the public edition. Whether a run could read its rows, found its source unchanged and came to its end is not covered by the claim: an error after the charge says which of these, and nothing of the rows. The exit code and outcome of a run that ends follow from published numbers".into())),
            ("Uncertainty", (Pass, "every estimate has an interval for sampling and noise; estimates the noise drowns are undefined".into())),
            ("Effect on small groups", (Warn, "noise is the same for all, so smaller cohorts have wider intervals; compare the widths in the tables".into())),
            ("Who is trusted", (Unknown, "the account that runs evenhand sees the rows; access to them and their deletion are the operator's".into())),
            ("Synthetic data", (Pass, "none is published".into())),
            ("Debugging", (Pass, "the seed of the split is public; the noise has no seed and cannot be drawn again".into())),
            ("De-identification apart", (Pass, "no cost is lowered on account of de-identification".into())),
            ("Attacks on the releases", self.attacks()),
        ];
        let line = |(number, (topic, (standing, value))): (u32, (&str, (Standing, String)))| ChecklistLine {
            number,
            topic: topic.into(),
            standing,
            value,
        };
        (1..).zip(lines).map(line).collect()
    }

    fn unit(&self) -> (Standing, String) {
        match (self.unit, self.privacy.rows_per_unit_max) {
            (Some(unit), 1) => (Pass, format!("{unit}; the one row of smallest hash is used")),
            (Some(unit), most) => (Pass, format!("{unit}; at most {most} rows of smallest hash are used")),
            (None, _) => {
                (Warn, "every row is taken for a unit of its own: a person with several rows is protected less".into())
            }
        }
    }

    fn neighbours(&self) -> (Standing, String) {
        match self.privacy.neighbours {
            Neighbours::AddRemove => {
                (Pass, "one unit added or removed, in every release; the number of rows is not taken as public".into())
            }
            Neighbours::ChangeOne => (Pass, "the rows of one unit replaced, in every release".into()),
        }
    }

    fn cost(&self) -> (Standing, String) {
        let delta = match (self.privacy.delta, self.privacy.rows_at_least) {
            (0.0, _) => "delta 0".to_string(),
            (delta, Some(rows)) => format!("delta {delta:e}, one in {rows} being {:.1e}", 1.0 / rows as f64),
            (delta, None) => format!("delta {delta:e}"),
        };
        let spent = format!(
            "this run: epsilon {}, {delta}; what the population has spent in all is in run.json",
            self.privacy.epsilon
        );
        match (self.charged.other_names.len(), self.privacy.rows_at_least) {
            (0, Some(rows)) if self.privacy.delta > 0.1 / rows as f64 => (Warn, spent),
            (0, _) => (Pass, spent),
            (names, _) => (
                Warn,
                format!(
                    "{spent}. Files of this source were charged under {names} other population names too: if they are the same people, the costs add up, and no ledger holds the sum"
                ),
            ),
        }
    }

    fn strength(&self) -> (Standing, String) {
        let epsilon = self.privacy.epsilon;
        let (standing, words) = match epsilon {
            ..=1.0 => (Pass, "strong"),
            ..=5.0 => (Pass, "moderate"),
            ..=10.0 => (Warn, "weak"),
            _ => (Warn, "mostly formal"),
        };
        // Rounded up: a chance never looks smaller than it is.
        let guess = (1e5 * guess_right_max(self.privacy)).ceil() / 1e3;
        let of = match self.privacy.neighbours {
            Neighbours::AddRemove => "whether a unit is in the rows",
            Neighbours::ChangeOne => "which of two versions of a unit's rows is there",
        };
        (
            standing,
            format!(
                "epsilon {epsilon} is {words}: a guess at even odds, {of}, is right with a chance of at most {guess:.3} %"
            ),
        )
    }

    fn kind(&self) -> (Standing, String) {
        match self.privacy.delta > 0.0 {
            true => (
                Pass,
                format!(
                    "zero-concentrated, rho {:.3e}, converted to (epsilon, delta) by the optimum of Canonne, Kamath and Steinke 2020",
                    self.cost.total.rho as f64 / crate::budget::UNITS as f64
                ),
            ),
            false => (Pass, "pure; discrete Laplace noise".into()),
        }
    }

    fn choices(&self) -> (Standing, String) {
        match self.plan.spec.train.is_some() {
            true => (Pass, "penalty, steps and features are declared; scaling, projection and checks of the model use released sums".into()),
            false => (Pass, "nothing is chosen by looking at the rows".into()),
        }
    }

    fn noise(&self) -> (Standing, String) {
        match self.entropy {
            Entropy::System => (Pass, "integers from an exact sampler (Canonne, Kamath and Steinke 2020) on ChaCha20, seeded by the operating system; sums are checked integers. The time a draw takes may vary: nobody who can time a run should see it run".into()),
            Entropy::Fixed(_) => (Warn, "the generator had a fixed seed, as in a test: this noise protects nobody".into()),
        }
    }

    fn attacks(&self) -> (Standing, String) {
        let count = |is: fn(&Rehearsal) -> bool| self.rehearsals.iter().filter(|rehearsal| is(rehearsal)).count();
        let falsified = count(|rehearsal| rehearsal.falsified);
        let tested = count(|rehearsal| rehearsal.not_tested.is_none());
        let most = self.rehearsals.iter().map(|rehearsal| rehearsal.epsilon_lower).fold(0.0, f64::max);
        // With so few draws nothing beyond the claim could have been seen.
        let blunt = count(|rehearsal| rehearsal.not_tested.is_none() && rehearsal.epsilon_ceiling <= rehearsal.epsilon);
        let left_out: Vec<&str> = self
            .rehearsals
            .iter()
            .filter(|rehearsal| rehearsal.not_tested.is_some())
            .map(|rehearsal| &*rehearsal.statistic)
            .collect();
        let shown = format!(
            "claim not falsified by {tested} two-world tests on made-up rows; greatest lower bound on epsilon {most:.3}; of the steps of a model the first stands for all"
        );
        let blunt_words = match blunt {
            0 => String::new(),
            n => format!("; {n} of these could not have shown more than is claimed, for their ceiling is below it"),
        };
        match (tested, falsified, left_out.len()) {
            (0, _, _) => (Unknown, "no release was attacked".into()),
            (_, 0, 0) if blunt == 0 => (Pass, shown),
            (_, 0, 0) => (Unknown, format!("{shown}{blunt_words}")),
            (_, 0, _) => (Unknown, format!("{shown}{blunt_words}; not tested: {}", left_out.join(", "))),
            (all, bad, _) => (Warn, format!("claim falsified by {bad} of {all} two-world tests on made-up rows")),
        }
    }
}
