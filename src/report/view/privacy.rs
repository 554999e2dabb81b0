//! The claim, what it cost, how far attacks got, the checklist; and, in the internal edition, every value without its noise.

use serde::Serialize;

use super::charts::listed;
use super::price::{Price, price};
use super::said::{self, Said};
use super::words::{self, Badge};
use super::{Caps, Fact, Names, fact};
use crate::audit::{Edition, LedgerState, PrivacyStatement, Standing};
use crate::budget::Mechanism;
use crate::budget::accounting::written;
use crate::plan::spec::Neighbours;
use crate::report::document::{Report, Run};
use crate::report::language::{known, text};
use crate::report::svg::gauge::{self, Account, Gauge};
use crate::report::svg::{Scale, scrolled};

#[derive(Debug, Clone, Serialize)]
pub struct Privacy {
    pub facts: Vec<Fact>,
    /// What is spent of what is granted; empty where no ledger says.
    pub gauge: String,
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
    pub mechanism: String,
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
    pub why: Said,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub number: u32,
    pub topic: String,
    pub badge: Badge,
    pub value: Said,
}

/// The banner of an edition; none without differential privacy.
pub fn banner(run: &Run) -> Option<String> {
    run.edition.map(|edition| match edition {
        Edition::Public => text!("privacy-public"),
        Edition::Internal => text!("privacy-internal"),
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
        gauge: run.ledger.as_ref().map_or_else(String::new, |ledger| budget(ledger, statement)),
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
        Some(unit) => text!("privacy-unit", unit = words::name(unit), n = statement.rows_per_unit_max),
        None => text!("privacy-unit-row"),
    };
    let neighbours = match statement.neighbours {
        Neighbours::AddRemove => text!("privacy-add-remove"),
        Neighbours::ChangeOne => text!("privacy-change-one"),
    };
    let chance = words::confidence((statement.guess_right_max * 1e5).ceil() / 1e5);
    let meaning = match statement.neighbours {
        Neighbours::AddRemove => text!("privacy-guess-add-remove", chance = chance),
        Neighbours::ChangeOne => text!("privacy-guess-change-one", chance = chance),
    };
    // Costs are written out, or rounded up: a rounded one could look smaller than it is.
    let units = written;
    let charged = match statement.charge.epsilon {
        Some(epsilon) => text!("privacy-charged-pure", epsilon = units(epsilon)),
        None => text!("privacy-charged-rho", rho = units(statement.charge.rho)),
    };
    let mut facts = vec![
        fact(&text!("privacy-population"), words::name(&statement.population)),
        fact(&text!("privacy-unit-of"), unit),
        fact(&text!("privacy-alike"), neighbours),
        fact(&text!("privacy-claim-of-run"), claim(statement)),
        fact(&text!("privacy-charged"), charged),
        fact(&text!("privacy-meaning"), meaning),
    ];
    if statement.parallel {
        facts.push(fact(&text!("privacy-two-parts"), text!("privacy-two-parts-why")));
    }
    if let Some(ledger) = &run.ledger {
        let (at, granted) = (words::delta(ledger.delta_granted), ledger.epsilon_granted.to_string());
        let all = text!("privacy-spent-all", spent = words::cost(ledger.epsilon_spent), granted = granted, delta = at);
        facts.push(fact(&text!("privacy-spent"), all));
        if let (Some(days), Some(used), Some(granted)) =
            (ledger.window_days, ledger.window_epsilon_spent, ledger.window_epsilon_granted)
        {
            let window =
                text!("privacy-spent-days", spent = words::cost(used), granted = granted.to_string(), n = days);
            facts.push(fact(&text!("privacy-window"), window));
        }
        facts.push(fact(&text!("privacy-head"), words::sentence(&ledger.head)));
    }
    facts.extend(run.commitment_sha256.as_ref().map(|hash| fact(&text!("privacy-commitment"), words::sentence(hash))));
    facts.extend(run.commitment_salt.as_ref().map(|salt| fact(&text!("privacy-salt"), words::sentence(salt))));
    facts
}

/// `epsilon 1, delta 1e−9`; of a claim without delta that it is pure.
fn claim(statement: &PrivacyStatement) -> String {
    match statement.delta > 0.0 {
        true => {
            let delta = words::delta(statement.delta);
            text!("privacy-claim", epsilon = statement.epsilon.to_string(), delta = delta)
        }
        false => text!("privacy-claim-pure", epsilon = statement.epsilon.to_string()),
    }
}

/// What this run claims, and what the population has spent of what it is granted, in all and in the window: the figures of the facts.
fn budget(ledger: &LedgerState, statement: &PrivacyStatement) -> String {
    let delta = words::delta(ledger.delta_granted);
    let mut accounts = vec![
        Account {
            words: text!("privacy-gauge-run", claim = claim(statement)),
            spent: statement.epsilon,
            granted: None,
        },
        Account {
            words: text!(
                "privacy-gauge-all",
                spent = words::cost(ledger.epsilon_spent),
                granted = ledger.epsilon_granted.to_string(),
                delta = &delta
            ),
            spent: ledger.epsilon_spent,
            granted: Some(ledger.epsilon_granted),
        },
    ];
    if let (Some(days), Some(used), Some(granted)) =
        (ledger.window_days, ledger.window_epsilon_spent, ledger.window_epsilon_granted)
    {
        let (spent, most) = (words::cost(used), granted.to_string());
        let words = text!("privacy-gauge-window", spent = spent, granted = most, n = days, delta = delta);
        accounts.push(Account { words, spent: used, granted: Some(granted) });
    }
    let ends = accounts.iter().flat_map(|account| [Some(account.spent), account.granted]).flatten();
    let title = text!("privacy-gauge");
    let svg = gauge::draw(&Gauge {
        id: "budget".into(),
        title: title.clone(),
        description: text!("measures-description", list = listed(accounts.iter().map(|account| account.words.clone()))),
        scale: Scale::over(ends.chain([0.0]), &words::tick),
        accounts,
    });
    scrolled(&svg, &title)
}

fn releases(report: &Report, caps: &Caps) -> (Vec<Release>, String) {
    let release = |receipt: &crate::budget::Receipt| {
        let noise = receipt.noise.as_ref()?;
        let units = written;
        Some(Release {
            statistic: words::name(&receipt.statistic),
            mechanism: match receipt.mechanism {
                Mechanism::Exact => text!("privacy-exact"),
                Mechanism::DiscreteLaplace => text!("privacy-laplace"),
                Mechanism::DiscreteGaussian => text!("privacy-gaussian"),
            },
            parameter: words::sentence(&noise.parameter),
            deviation: words::size(noise.variance.sqrt()),
            numbers: words::count(i64::try_from(noise.numbers).unwrap_or(i64::MAX)),
            cost: match noise.charge.epsilon {
                Some(epsilon) => text!("privacy-cost-epsilon", epsilon = units(epsilon)),
                None => text!("privacy-cost-rho", rho = units(noise.charge.rho)),
            },
        })
    };
    let all = report.receipts.iter().filter(|receipt| receipt.noise.is_some()).count();
    let shown = report.receipts.iter().filter_map(release).take(caps.releases).collect();
    (shown, words::more(all, caps.releases, "releases", "report.json"))
}

/// The next thousandth: a claim never looks smaller than it is.
fn up(epsilon: f64) -> f64 {
    (epsilon * 1e3).ceil() / 1e3
}

fn attacks(statement: &PrivacyStatement, caps: &Caps) -> (Vec<Attack>, String) {
    let attack = |rehearsal: &crate::audit::Rehearsal| {
        let tried = |figure: String| if rehearsal.not_tested.is_some() { text!("privacy-no-figure") } else { figure };
        Attack {
            statistic: words::name(&rehearsal.statistic),
            draws: words::count(rehearsal.draws.into()),
            claimed: tried(match rehearsal.delta > 0.0 {
                true => {
                    let delta = words::delta(rehearsal.delta);
                    text!("privacy-at-delta", epsilon = words::figure(up(rehearsal.epsilon)), delta = delta)
                }
                false => words::figure(up(rehearsal.epsilon)),
            }),
            shown: tried(words::figure((rehearsal.epsilon_lower * 1e3).floor() / 1e3)),
            ceiling: tried(words::figure(rehearsal.epsilon_ceiling)),
            badge: match (&rehearsal.not_tested, rehearsal.falsified) {
                (Some(_), _) => Badge::new("not-measured", text!("privacy-not-tested")),
                (None, true) => Badge::new("breached", text!("privacy-falsified")),
                (None, false) => Badge::new("undetermined", text!("privacy-not-falsified")),
            },
            why: rehearsal.not_tested.as_deref().map(said::said).unwrap_or_default(),
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
        topic: known(&format!("translated-topic-{}", line.number)).unwrap_or_else(|| words::name(&line.topic)),
        badge: match line.standing {
            Standing::Pass => Badge::new("met", text!("privacy-pass")),
            Standing::Warn => Badge::new("warn", text!("privacy-warn")),
            Standing::Unknown => Badge::new("not-measured", text!("privacy-unknown")),
        },
        value: said::long(&line.value),
    };
    let shown = statement.checklist.iter().take(caps.texts).map(line).collect();
    (shown, words::more(statement.checklist.len(), caps.texts, "lines", "report.json"))
}
