//! The claim, what it cost, how far attacks got, the checklist; and, in the internal edition, every value without its noise.

use serde::Serialize;

use super::price::{Price, price};
use super::words::{self, Badge};
use super::{Caps, Fact, Names, fact};
use crate::audit::{Edition, PrivacyStatement, Standing};
use crate::budget::Mechanism;
use crate::budget::accounting::written;
use crate::plan::spec::Neighbours;
use crate::report::document::{Report, Run};

#[derive(Debug, Clone, Serialize)]
pub struct Privacy {
    pub facts: Vec<Fact>,
    pub releases: Vec<Release>,
    pub releases_more: String,
    pub attacks: Vec<Attack>,
    pub attacks_more: String,
    pub checklist: Vec<Line>,
    pub checklist_more: String,
    pub price: Option<Price>,
}

/// One statistic and its noise.
#[derive(Debug, Clone, Serialize)]
pub struct Release {
    pub statistic: String,
    pub mechanism: &'static str,
    pub parameter: String,
    pub deviation: String,
    pub numbers: String,
    pub cost: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Attack {
    pub statistic: String,
    pub draws: String,
    pub claimed: String,
    pub shown: String,
    pub ceiling: String,
    pub badge: Badge,
    /// Why it was not tested.
    pub why: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub number: u32,
    pub topic: String,
    pub badge: Badge,
    pub value: String,
}

/// The banner of an edition; none without differential privacy.
pub fn banner(run: &Run) -> Option<String> {
    run.edition.map(|edition| match edition {
        Edition::Public => "Public edition: covered by the differential-privacy claim. It tells no durations, no row or byte counts of the source and no digests of source files.".into(),
        Edition::Internal => "Internal edition: not covered by the differential-privacy claim. For those who may see the rows.".into(),
    })
}

/// None without differential privacy.
pub fn privacy(report: &Report, run: &Run, names: &Names, caps: &Caps) -> Option<Privacy> {
    let statement = report.privacy.as_ref()?;
    let (releases, releases_more) = releases(report, caps);
    let (attacks, attacks_more) = attacks(statement, caps);
    let (checklist, checklist_more) = checklist(statement, caps);
    Some(Privacy {
        facts: facts(statement, run),
        releases,
        releases_more,
        attacks,
        attacks_more,
        checklist,
        checklist_more,
        price: price(report, run, names, caps),
    })
}

fn facts(statement: &PrivacyStatement, run: &Run) -> Vec<Fact> {
    let unit = match &statement.unit {
        Some(unit) => format!("{}, of whose rows at most {} are used", words::name(unit), statement.rows_per_unit_max),
        None => "every row is taken for a unit of its own".into(),
    };
    let neighbours = match statement.neighbours {
        Neighbours::AddRemove => "one unit is there, or is not",
        Neighbours::ChangeOne => "the rows of one unit are replaced by others",
    };
    let guess = match statement.neighbours {
        Neighbours::AddRemove => "whether a unit is in the rows",
        Neighbours::ChangeOne => "which of two versions of a unit's rows is there",
    };
    // Costs are written out, or rounded up: a rounded one could look smaller than it is.
    let units = written;
    let charged = match statement.charge.epsilon {
        Some(epsilon) => format!("epsilon {} (pure)", units(epsilon)),
        None => format!("rho {} (zero-concentrated)", units(statement.charge.rho)),
    };
    let mut facts = vec![
        fact("Population", words::name(&statement.population)),
        fact("Unit of privacy", unit),
        fact("Datasets made alike", neighbours),
        fact("Claim of this run", claim(statement)),
        fact("Charged", charged),
        fact(
            "What it means",
            format!(
                "Somebody who must guess at even odds, {guess}, is right with a chance of at most {} after reading this report.",
                words::confidence((statement.guess_right_max * 1e5).ceil() / 1e5)
            ),
        ),
    ];
    if statement.parallel {
        let why = "The split hashes the unit, so a unit is used for training or for measuring, never for both: the dearer of the two is charged.";
        facts.push(fact("Two parts", why));
    }
    if let Some(ledger) = &run.ledger {
        let spent = |spent: f64, granted: f64| format!("epsilon {} of {granted}", words::cost(spent));
        let all = spent(ledger.epsilon_spent, ledger.epsilon_granted);
        let at = words::delta(ledger.delta_granted);
        facts.push(fact("Spent by the population in all, this run with it", format!("{all}, at delta {at}")));
        if let (Some(days), Some(used), Some(granted)) =
            (ledger.window_days, ledger.window_epsilon_spent, ledger.window_epsilon_granted)
        {
            facts.push(fact("Spent in the window", format!("{} in {days} days", spent(used, granted))));
        }
        facts.push(fact("Head of the ledger", words::sentence(&ledger.head)));
    }
    facts.extend(
        run.commitment_sha256.as_ref().map(|hash| fact("Commitment to the source files", words::sentence(hash))),
    );
    facts.extend(run.commitment_salt.as_ref().map(|salt| fact("Salt of the commitment", words::sentence(salt))));
    facts
}

/// `epsilon 1, delta 1e−9`; of a claim without delta that it is pure.
fn claim(statement: &PrivacyStatement) -> String {
    match statement.delta > 0.0 {
        true => format!("epsilon {}, delta {}", statement.epsilon, words::delta(statement.delta)),
        false => format!("epsilon {}, pure (delta 0)", statement.epsilon),
    }
}

fn releases(report: &Report, caps: &Caps) -> (Vec<Release>, String) {
    let release = |receipt: &crate::budget::Receipt| {
        let noise = receipt.noise.as_ref()?;
        let units = written;
        Some(Release {
            statistic: words::name(&receipt.statistic),
            mechanism: match receipt.mechanism {
                Mechanism::Exact => "exact",
                Mechanism::DiscreteLaplace => "discrete Laplace",
                Mechanism::DiscreteGaussian => "discrete Gaussian",
            },
            parameter: words::sentence(&noise.parameter),
            deviation: words::size(noise.variance.sqrt()),
            numbers: words::count(i64::try_from(noise.numbers).unwrap_or(i64::MAX)),
            cost: match noise.charge.epsilon {
                Some(epsilon) => format!("epsilon {}", units(epsilon)),
                None => format!("rho {}", units(noise.charge.rho)),
            },
        })
    };
    let all = report.receipts.iter().filter(|receipt| receipt.noise.is_some()).count();
    let shown = report.receipts.iter().filter_map(release).take(caps.releases).collect();
    (shown, words::more(all, caps.releases, "releases", "report.json"))
}

/// Where there is no figure.
const NONE: &str = "none";

/// The next thousandth: a claim never looks smaller than it is.
fn up(epsilon: f64) -> f64 {
    (epsilon * 1e3).ceil() / 1e3
}

fn attacks(statement: &PrivacyStatement, caps: &Caps) -> (Vec<Attack>, String) {
    let attack = |rehearsal: &crate::audit::Rehearsal| {
        let tried = |figure: String| if rehearsal.not_tested.is_some() { NONE.into() } else { figure };
        Attack {
            statistic: words::name(&rehearsal.statistic),
            draws: words::count(rehearsal.draws.into()),
            claimed: tried(match rehearsal.delta > 0.0 {
                true => format!("{} at delta {}", words::figure(up(rehearsal.epsilon)), words::delta(rehearsal.delta)),
                false => words::figure(up(rehearsal.epsilon)),
            }),
            shown: tried(words::figure((rehearsal.epsilon_lower * 1e3).floor() / 1e3)),
            ceiling: tried(words::figure(rehearsal.epsilon_ceiling)),
            badge: match (&rehearsal.not_tested, rehearsal.falsified) {
                (Some(_), _) => Badge::new("not-measured", "Not tested".into()),
                (None, true) => Badge::new("breached", "Claim falsified".into()),
                (None, false) => Badge::new("undetermined", "Not falsified".into()),
            },
            why: rehearsal.not_tested.as_deref().map(words::sentence).unwrap_or_default(),
        }
    };
    // A claim that was falsified, or not tested, is shown before the others.
    let mut all: Vec<_> = statement.rehearsals.iter().collect();
    all.sort_by_key(|rehearsal| (!rehearsal.falsified, rehearsal.not_tested.is_none()));
    let shown = all.iter().take(caps.releases).copied().map(attack).collect();
    (shown, words::more(all.len(), caps.releases, "tests", "report.json"))
}

fn checklist(statement: &PrivacyStatement, caps: &Caps) -> (Vec<Line>, String) {
    let line = |line: &crate::audit::ChecklistLine| Line {
        number: line.number,
        topic: words::name(&line.topic),
        badge: match line.standing {
            Standing::Pass => Badge::new("met", "Pass".into()),
            Standing::Warn => Badge::new("warn", "Warn".into()),
            Standing::Unknown => Badge::new("not-measured", "Unknown".into()),
        },
        value: words::prose(&line.value),
    };
    let shown = statement.checklist.iter().take(caps.texts).map(line).collect();
    (shown, words::more(statement.checklist.len(), caps.texts, "lines", "report.json"))
}
