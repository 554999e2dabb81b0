//! How far attacks on the real rows got: every value with its interval, and what it means in a sentence.

use serde::Serialize;

use super::words::{self, Shown};
use super::{Caps, Fact, fact};
use crate::audit::{Attempt, AttributeGuessed, DatasetAttacked, Exposed, Guessed, ModelAttacked, RiskFound, Share};
use crate::estimate::Interval;
use crate::report::document::Run;

#[derive(Debug, Clone, Serialize)]
pub struct Attacks {
    pub intervals: String,
    pub parts: Vec<Part>,
}

/// What was attacked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Part {
    pub id: &'static str,
    pub name: &'static str,
    /// Why it was not; empty where it was.
    pub not_attacked: String,
    pub facts: Vec<Fact>,
    pub lines: Vec<Line>,
    pub exposure: Vec<Cohort>,
    pub exposure_more: String,
    pub notes: Vec<String>,
}

/// One attack.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub attack: String,
    pub value: Shown,
    pub meaning: String,
}

/// One cohort among the most exposed rows.
#[derive(Debug, Clone, Serialize)]
pub struct Cohort {
    pub name: String,
    pub rows: String,
    pub exposed: String,
    pub value: Shown,
}

/// None where no attack was asked for, and in the public edition.
pub fn attacks(run: &Run, caps: &Caps) -> Option<Attacks> {
    let found = run.attacks.as_ref()?;
    let model =
        found.model.as_ref().map(|model| part("attacked-model", "The trained model", model, &|m| of_model(m, caps)));
    let dataset = found.dataset.as_ref();
    let dataset = dataset.map(|dataset| part("attacked-dataset", "The de-identified dataset", dataset, &of_dataset));
    Some(Attacks {
        intervals: format!("Intervals have a confidence of {}.", words::confidence(found.confidence)),
        parts: model.into_iter().chain(dataset).collect(),
    })
}

fn part<T>(id: &'static str, name: &'static str, attempt: &Attempt<T>, of: &dyn Fn(&T) -> Part) -> Part {
    match attempt {
        Attempt::Attacked(attacked) => Part { id, name, ..of(attacked) },
        Attempt::NotAttacked { reason } => Part { not_attacked: words::sentence(reason), ..Part::default() },
    }
}

fn many(n: u64) -> String {
    words::count(i64::try_from(n).unwrap_or(i64::MAX))
}

fn shown(share: &Share, n: u64) -> Shown {
    Shown {
        point: words::figure(share.value),
        interval: words::interval(&Interval::new(share.lower, share.upper)),
        n: many(n),
        estimated: true,
        why: String::new(),
    }
}

fn of_model(model: &ModelAttacked, caps: &Caps) -> Part {
    let mut lines = vec![Line {
        attack: "Membership by loss, area under the curve".into(),
        value: shown(&model.auc, model.rows_attacked),
        meaning: "Shown a row that was trained on and one that was not, the attack takes the right one for the member with this chance; a coin has 0.5.".into(),
    }];
    lines.extend(model.at.iter().map(|at| Line {
        attack: format!("Membership by loss, at most {} false alarms", words::confidence(at.false_positives_max)),
        value: shown(&at.true_positive_rate, model.rows_attacked),
        meaning: format!(
            "This share of the rows that were trained on is recognised where {} of as many others are taken for members.",
            many(at.false_positives)
        ),
    }));
    let mut notes: Vec<String> = model.notes.iter().take(caps.texts).map(|note| words::sentence(note)).collect();
    match &model.attribute {
        Some(Attempt::Attacked(guessed)) => lines.extend(attribute(guessed)),
        Some(Attempt::NotAttacked { reason }) => {
            notes.push(format!("The sensitive column was not attacked: {}.", words::sentence(reason)))
        }
        None => {}
    }
    let left = model.exposure.len().saturating_sub(caps.cohorts);
    Part {
        facts: vec![
            fact("Rows trained on", many(model.rows_trained)),
            fact("Rows attacked", many(model.rows_attacked)),
            fact("Rows the model cannot do without", many(model.undetermined)),
        ],
        lines,
        exposure: model.exposure.iter().take(caps.cohorts).map(cohort).collect(),
        exposure_more: match left {
            0 => String::new(),
            left => format!("{} more in run.json.", words::many(left, "cohort", "cohorts")),
        },
        notes,
        ..Part::default()
    }
}

fn attribute(guessed: &AttributeGuessed) -> Vec<Line> {
    let column = words::name(&guessed.column);
    let line = |who: &str, of: &Guessed| Line {
        attack: format!("Guess of {column}, {who}"),
        value: shown(&of.gain, of.rows),
        meaning: format!(
            "Who knows the other features and the outcome guesses {} of {} right with the model and {} without it; this is the difference as a share.",
            many(of.right_with),
            many(of.rows),
            many(of.right_without)
        ),
    };
    let members = line("rows trained on", &guessed.members);
    std::iter::once(members).chain(guessed.others.as_ref().map(|others| line("other rows", others))).collect()
}

fn cohort(exposed: &Exposed) -> Cohort {
    Cohort {
        name: words::name(&format!("{} = {}", exposed.attribute, exposed.level)),
        rows: many(exposed.rows),
        exposed: format!("{} ({})", many(exposed.exposed), words::confidence(exposed.share_of_exposed)),
        value: shown(&exposed.share_of_cohort, exposed.rows),
    }
}

fn of_dataset(dataset: &DatasetAttacked) -> Part {
    let line = |found: &RiskFound| Line {
        attack: words::sentence(&found.attack),
        value: match &found.risk {
            Some(risk) => shown(risk, found.guesses),
            None => Shown::words("undefined", "the file allowed no guess"),
        },
        meaning: format!(
            "{} of {} guesses about rows behind the file were right, and {} of {} about rows that are not; the value is what the file adds to the latter, of what they leave.{}",
            many(found.right),
            many(found.guesses),
            many(found.right_control),
            many(found.control_guesses),
            found.warnings.iter().map(|warning| format!(" {}", words::sentence(warning))).collect::<String>()
        ),
    };
    Part {
        facts: vec![
            fact("Rows attacked", many(dataset.rows_original)),
            fact("Control rows", many(dataset.rows_control)),
        ],
        lines: dataset.risks.iter().map(line).collect(),
        notes: dataset.notes.iter().map(|note| words::sentence(note)).collect(),
        ..Part::default()
    }
}
