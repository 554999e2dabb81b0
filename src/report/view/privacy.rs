//! The claim, what it cost, how far attacks got, the checklist; and, in the internal edition, every value without its noise.

use std::collections::HashMap;

use serde::Serialize;

use super::words::{self, Badge, Shown};
use super::{Caps, Fact, Names, fact};
use crate::audit::{Edition, PrivacyStatement, Standing};
use crate::budget::Mechanism;
use crate::budget::accounting::written;
use crate::metric::{Against, Comparison};
use crate::plan::spec::Neighbours;
use crate::report::document::{Cohort, Reading, Report, Run};

#[derive(Debug, Clone, Serialize)]
pub struct Privacy {
    pub facts: Vec<Fact>,
    pub releases: Vec<Release>,
    pub attacks: Vec<Attack>,
    pub checklist: Vec<Line>,
    pub price: Vec<Price>,
    pub price_more: String,
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
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub number: u32,
    pub topic: String,
    pub badge: Badge,
    pub value: String,
}

/// A value as published, and without noise.
#[derive(Debug, Clone, Serialize)]
pub struct Price {
    pub metric: String,
    pub cohort: String,
    pub with: Shown,
    pub without: Shown,
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
    let (price, price_more) = price(report, run, names, caps);
    Some(Privacy {
        facts: facts(statement, run),
        releases: releases(report),
        attacks: attacks(statement),
        checklist: checklist(statement),
        price,
        price_more,
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
    // Costs are written out: a rounded one could look smaller than it is.
    let units = written;
    let delta = if statement.delta > 0.0 { format!("{:e}", statement.delta) } else { "0".into() };
    let charged = match statement.charge.epsilon {
        Some(epsilon) => format!("epsilon {} (pure)", units(epsilon)),
        None => format!("rho {} (zero-concentrated)", units(statement.charge.rho)),
    };
    let mut facts = vec![
        fact("Population", words::name(&statement.population)),
        fact("Unit of privacy", unit),
        fact("Datasets made alike", neighbours),
        fact("Claim of this run", format!("epsilon {}, delta {delta}", statement.epsilon)),
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
        let spent = |spent: f64, granted: f64| format!("epsilon {spent} of {granted}");
        let all = spent(ledger.epsilon_spent, ledger.epsilon_granted);
        facts.push(fact("Spent by the population in all", format!("{all}, at delta {:e}", ledger.delta_granted)));
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

fn releases(report: &Report) -> Vec<Release> {
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
            deviation: words::figure(noise.variance.sqrt()),
            numbers: words::count(i64::try_from(noise.numbers).unwrap_or(i64::MAX)),
            cost: match noise.charge.epsilon {
                Some(epsilon) => format!("epsilon {}", units(epsilon)),
                None => format!("rho {}", units(noise.charge.rho)),
            },
        })
    };
    report.receipts.iter().filter_map(release).take(200).collect()
}

/// The next thousandth: a claim never looks smaller than it is.
fn up(epsilon: f64) -> f64 {
    (epsilon * 1e3).ceil() / 1e3
}

fn attacks(statement: &PrivacyStatement) -> Vec<Attack> {
    let attack = |rehearsal: &crate::audit::Rehearsal| Attack {
        statistic: words::name(&rehearsal.statistic),
        draws: words::count(rehearsal.draws.into()),
        claimed: match rehearsal.delta > 0.0 {
            true => format!("{} at delta {:e}", words::figure(up(rehearsal.epsilon)), rehearsal.delta),
            false => words::figure(up(rehearsal.epsilon)),
        },
        shown: words::figure((rehearsal.epsilon_lower * 1e3).floor() / 1e3),
        ceiling: words::figure(rehearsal.epsilon_ceiling),
        badge: match rehearsal.falsified {
            true => Badge { kind: "breached", word: "Claim falsified" },
            false => Badge { kind: "undetermined", word: "Not falsified" },
        },
    };
    statement.rehearsals.iter().take(200).map(attack).collect()
}

fn checklist(statement: &PrivacyStatement) -> Vec<Line> {
    let line = |line: &crate::audit::ChecklistLine| Line {
        number: line.number,
        topic: words::name(&line.topic),
        badge: match line.standing {
            Standing::Pass => Badge { kind: "met", word: "Pass" },
            Standing::Warn => Badge { kind: "warn", word: "Warn" },
            Standing::Unknown => Badge { kind: "not-measured", word: "Unknown" },
        },
        value: words::sentence(&line.value),
    };
    statement.checklist.iter().map(line).collect()
}

/// What tells one reading from another.
type Key<'a> = (&'a str, &'a [String], &'a Cohort, Option<(Comparison, Against)>);

fn key(reading: &Reading) -> Key<'_> {
    let contrast = reading.contrast.as_ref().map(|contrast| (contrast.compare, contrast.against));
    (&reading.metric, &reading.across, &reading.cohort, contrast)
}

/// Values by themselves first; comparisons are in run.json.
fn price(report: &Report, run: &Run, names: &Names, caps: &Caps) -> (Vec<Price>, String) {
    let published: HashMap<Key, &Reading> = report.readings.iter().map(|reading| (key(reading), reading)).collect();
    let alone = run.price.iter().filter(|reading| reading.contrast.is_none());
    let of = |exact: &Reading| {
        Some(Price {
            metric: names.metric(&exact.metric),
            cohort: words::name(&exact.cohort.to_string()),
            with: Shown::of(&published.get(&key(exact))?.measured),
            without: Shown::of(&exact.measured),
        })
    };
    let shown: Vec<Price> = alone.filter_map(of).take(caps.values / 5).collect();
    let left = run.price.len().saturating_sub(shown.len());
    let more = match left {
        0 => String::new(),
        left => format!("{} more, comparisons among them, in run.json.", words::many(left, "value", "values")),
    };
    (shown, more)
}
