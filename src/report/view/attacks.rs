//! How far attacks on the real rows got: every value with its interval, and what it means in a sentence.

use serde::Serialize;

use super::said::{self, HOLE, Said, said};
use super::words::{self, Shown};
use super::{Caps, Fact, fact};
use crate::audit::{Attempt, AttributeGuessed, DatasetAttacked, Exposed, Guessed, ModelAttacked, RiskFound, Share};
use crate::estimate::Interval;
use crate::report::document::Run;
use crate::report::language::text;

#[derive(Debug, Clone, Serialize)]
pub struct Attacks {
    pub intervals: String,
    pub parts: Vec<Part>,
}

/// What was attacked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Part {
    pub id: &'static str,
    pub name: String,
    /// Why it was not; empty where it was.
    pub not_attacked: Said,
    pub facts: Vec<Fact>,
    pub lines: Vec<Line>,
    pub exposure: Vec<Cohort>,
    pub exposure_more: String,
    pub notes: Vec<Said>,
}

/// One attack.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub attack: String,
    pub value: Shown,
    pub meaning: Said,
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
        found.model.as_ref().map(|model| part("attacked-model", text!("attacks-model"), model, &|m| of_model(m, caps)));
    let dataset = found.dataset.as_ref();
    let dataset =
        dataset.map(|dataset| part("attacked-dataset", text!("attacks-dataset"), dataset, &|d| of_dataset(d, caps)));
    Some(Attacks {
        intervals: text!("attacks-intervals", value = words::confidence(found.confidence)),
        parts: model.into_iter().chain(dataset).collect(),
    })
}

fn part<T>(id: &'static str, name: String, attempt: &Attempt<T>, of: &dyn Fn(&T) -> Part) -> Part {
    match attempt {
        Attempt::Attacked(attacked) => Part { id, name, ..of(attacked) },
        Attempt::NotAttacked { reason } => {
            let not_attacked = Said::around(&text!("attacks-not-attacked", why = HOLE), &[said(reason)]);
            Part { id, name, not_attacked, ..Part::default() }
        }
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
        english: false,
    }
}

fn of_model(model: &ModelAttacked, caps: &Caps) -> Part {
    let mut lines = vec![Line {
        attack: text!("attacks-auc"),
        value: shown(&model.auc, model.rows_attacked),
        meaning: Said::own(text!("attacks-auc-meaning")),
    }];
    lines.extend(model.at.iter().map(|at| Line {
        attack: text!("attacks-recognised", value = words::confidence(at.false_positives_max)),
        value: shown(&at.true_positive_rate, model.rows_attacked),
        meaning: Said::own(text!("attacks-recognised-meaning", n = at.false_positives)),
    }));
    let mut notes = said::list(&model.notes, caps.texts, "run.json");
    match &model.attribute {
        Some(Attempt::Attacked(guessed)) => lines.extend(attribute(guessed)),
        Some(Attempt::NotAttacked { reason }) => {
            notes.push(Said::around(&text!("attacks-column-not-attacked", why = HOLE), &[said(reason)]))
        }
        None => {}
    }
    let left = model.exposure.len().saturating_sub(caps.cohorts);
    Part {
        facts: vec![
            fact(&text!("attacks-rows-trained"), many(model.rows_trained)),
            fact(&text!("attacks-rows-attacked"), many(model.rows_attacked)),
            fact(&text!("attacks-undetermined"), many(model.undetermined)),
        ],
        lines,
        exposure: model.exposure.iter().take(caps.cohorts).map(cohort).collect(),
        exposure_more: match left {
            0 => String::new(),
            left => text!("attacks-more-cohorts", n = left),
        },
        notes,
        ..Part::default()
    }
}

fn attribute(guessed: &AttributeGuessed) -> Vec<Line> {
    let column = words::name(&guessed.column);
    let line = |attack: String, of: &Guessed| Line {
        attack,
        value: shown(&of.gain, of.rows),
        meaning: Said::own(text!(
            "attacks-guess-meaning",
            with = of.right_with,
            n = of.rows,
            without = of.right_without
        )),
    };
    let members = line(text!("attacks-guess-members", column = &column), &guessed.members);
    let others = guessed.others.as_ref().map(|of| line(text!("attacks-guess-others", column = &column), of));
    std::iter::once(members).chain(others).collect()
}

fn cohort(exposed: &Exposed) -> Cohort {
    Cohort {
        name: words::name(&format!("{} = {}", exposed.attribute, exposed.level)),
        rows: many(exposed.rows),
        exposed: text!("attacks-exposed", n = exposed.exposed, share = words::confidence(exposed.share_of_exposed)),
        value: shown(&exposed.share_of_cohort, exposed.rows),
    }
}

fn of_dataset(dataset: &DatasetAttacked, caps: &Caps) -> Part {
    let line = |found: &RiskFound| Line {
        attack: attack(&found.attack),
        value: match &found.risk {
            Some(risk) => shown(risk, found.guesses),
            None => Shown::words(&text!("undefined"), &text!("attacks-no-guess")),
        },
        meaning: dataset_meaning(found),
    };
    Part {
        facts: vec![
            fact(&text!("attacks-rows-attacked"), many(dataset.rows_original)),
            fact(&text!("attacks-control-rows"), many(dataset.rows_control)),
        ],
        lines: dataset.risks.iter().map(line).collect(),
        notes: said::list(&dataset.notes, caps.texts, "run.json"),
        ..Part::default()
    }
}

/// What the figure means, and what weakens it.
fn dataset_meaning(found: &RiskFound) -> Said {
    let meaning = text!(
        "attacks-dataset-meaning",
        right = found.right,
        n = found.guesses,
        control = found.right_control,
        of = found.control_guesses
    );
    let sentences: Vec<Said> =
        std::iter::once(Said::own(meaning)).chain(found.warnings.iter().map(|text| warning(text))).collect();
    Said::around(&vec![HOLE; sentences.len()].join(&text!("sentences-between")), &sentences)
}

fn warning(text: &str) -> Said {
    let made = text.strip_prefix("The file allowed ").and_then(|rest| rest.split_once(" guesses of "));
    let asked = made.and_then(|(made, rest)| Some((made, rest.split_once(" asked for;")?.0)));
    match asked.and_then(|(made, asked)| Some((made.parse::<u64>().ok()?, asked.parse::<u64>().ok()?))) {
        Some((made, asked)) => Said::own(text!("attacks-few-guesses", made = made, asked = asked)),
        None => said(text),
    }
}

/// The name of an attack on a file, in one of the forms it has.
fn attack(name: &str) -> String {
    const NEAR: &str = ", within a twentieth of its range,";
    if name == "Singling out by one column" {
        return text!("attacks-singling-out-one");
    }
    let columns = name.strip_prefix("Singling out by ").and_then(|rest| rest.strip_suffix(" columns"));
    if let Some(n) = columns.and_then(|n| n.parse::<u64>().ok()) {
        return text!("attacks-singling-out", n = n);
    }
    if let Some((left, right)) = name.strip_prefix("Linking ").and_then(|rest| rest.split_once(" to ")) {
        return words::sentence(&text!("attacks-linking", left = left, right = right));
    }
    match name.strip_prefix("Inferring ").and_then(|rest| rest.split_once(" from ")) {
        Some((column, known)) => match column.strip_suffix(NEAR) {
            Some(column) => words::sentence(&text!("attacks-inferring-near", column = column, known = known)),
            None => words::sentence(&text!("attacks-inferring", column = column, known = known)),
        },
        None => words::sentence(name),
    }
}
