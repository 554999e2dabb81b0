//! The de-identified dataset under attack: singling out, linking and inferring, with control rows.
//!
//! All rows of the source are behind the file, so none would be left as a control. The rows of smallest hash are divided into two halves, rows of
//! one unit together: the rules are applied to the one as if it were the file, the other is held back. What is coarsened is known to attackers as
//! coarse as the file has it. Columns behind a key, or emptied, are not attacked: nobody without the key knows what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::audit::{DatasetAttacked, RiskFound, Share};
use crate::deidentify::dataset::{Deidentifier, length};
use crate::deidentify::model::Decision;
use crate::demand::{Demand, Rows, Shape};
use crate::engine::rows;
use crate::evidence::Released;
use crate::measure::privacy::anonymeter::{
    Attack, AttackError, Effort, Files, MISSING, inference, linkability, singling_out, singling_out_by_one_column,
};
use crate::plan::Plan;
use crate::plan::spec::{Attacks, Deidentify, Do};
use crate::scalar::{Scalar, Value, Vector};
use crate::schema::Role;
use crate::statistic::{Panel, PanelValue};

const PANEL: &str = "attack/dataset";
/// Most rows of both halves: the work of a guess is their number.
const ROWS_MAX: u32 = 10_000;
const GUESSES: usize = 500;
/// Columns singled out by together.
const TOGETHER: usize = 3;
/// Sensitive columns that are inferred at most.
const SECRETS_MAX: usize = 10;
/// The greatest code of a number, and how far a guess of one may be off: a twentieth of the range.
const SCALE: f64 = (1u64 << 31) as f64;
const TOLERANCE: u32 = (1u32 << 31) / 20;

/// The rules of the columns that are attacked.
pub(super) fn rules(
    plan: &Plan,
    of: &Deidentify,
    folder: &Path,
    decision: Option<&Decision>,
) -> Result<Deidentifier, String> {
    let open = [Do::Keep, Do::Mask, Do::Generalise, Do::TopCode, Do::BottomCode, Do::Round, Do::Model];
    let columns: BTreeMap<_, _> = of
        .columns
        .iter()
        .filter(|(_, rule)| open.contains(&rule.by))
        .map(|(name, rule)| (name.clone(), rule.clone()))
        .collect();
    if columns.is_empty() {
        return Err("no column of the file shows what an attacker may know".into());
    }
    let kinds = rows::kinds(&plan.scan).map_err(|e| e.to_string())?;
    let kind = |name: &str| kinds.iter().rfind(|(column, _)| **column == *name).map(|(_, kind)| *kind);
    let without_secrets = &mut || Err(std::io::Error::other("no rule of these has a secret"));
    let of = Deidentify { columns, ..of.clone() };
    let mut rules = Deidentifier::open(&of, &kind, folder, without_secrets, &|_, _| Err("it is not attacked".into()))
        .map_err(|e| e.to_string())?;
    if let Some(decision) = decision {
        rules.decide(decision.decided.clone()).map_err(|e| e.to_string())?;
    }
    Ok(rules)
}

/// The rows that are attacked and their control.
pub(super) fn demand(plan: &Plan, attacks: &Attacks, rules: &Deidentifier) -> Demand {
    let of = rules.reads().iter().map(|name| Scalar::column(name)).collect();
    let limit = attacks.rows_max.min(ROWS_MAX) as usize;
    let shape = Shape::Panel { of, key: plan.key.clone(), salt: plan.salt("attack"), limit, distinct: false };
    Demand { name: PANEL.into(), rows: Rows::Kept, shape }
}

/// Attacks the file that the rules make of one half.
pub(super) fn attack(plan: &Plan, rules: &Deidentifier, evidence: &Released) -> Result<DatasetAttacked, String> {
    let panel = evidence.panel(PANEL).map_err(|e| e.to_string())?;
    let [original, control] = halves(panel).map(|half| transformed(rules, &half));
    let rows = original.first().map_or(0, length);
    let columns: Vec<Arc<str>> = rules.columns().into_iter().map(|(name, _)| name).collect();
    let coded = Coded::of(&original, &control);
    if rows == 0 || coded.control.is_empty() {
        return Err("fewer than two rows, or than two units: there is no control".into());
    }
    let files = Files {
        original: &coded.original,
        control: &coded.control,
        released: &coded.original,
        ordered: &coded.ordered,
    };
    let effort = Effort { guesses: GUESSES, confidence: plan.spec.measure.confidence, seed: plan.spec.pipeline.seed };
    let (risks, mut notes) = risks(plan, &columns, files, effort).map_err(|e| e.to_string())?;
    notes.insert(
        0,
        format!(
            "The rules were applied to {} rows of smallest hash as if they were the file; {} others were held back as control rows. In a file of more rows fewer combinations are alone.",
            coded.original.len(),
            coded.control.len()
        ),
    );
    notes.push("A rule does the same to equal rows, so whoever is alone in the file is alone among the rows behind it: for singling out, look at how many guesses the file allowed.".into());
    let listed = |name: &String| !columns.iter().any(|column| **column == **name);
    let left: Vec<&str> = plan
        .spec
        .deidentify
        .iter()
        .flat_map(|of| of.columns.iter())
        .filter(|(name, rule)| listed(name) && rule.by != Do::Drop)
        .map(|(name, _)| name.as_str())
        .collect();
    if !left.is_empty() {
        notes.push(format!("Not attacked, being behind a key or empty: {}.", left.join(", ")));
    }
    Ok(DatasetAttacked {
        rows_original: coded.original.len() as u64,
        rows_control: coded.control.len() as u64,
        risks,
        notes,
    })
}

/// Rows by column.
type Columns = Vec<Vec<Value>>;

/// Two halves of as many rows, as nearly as units allow: hashes take turns.
fn halves(panel: &Panel) -> [Columns; 2] {
    let mut halves: [Vec<&[Option<PanelValue>]>; 2] = [Vec::new(), Vec::new()];
    let (mut turn, mut last) = (1, None);
    for (hash, row, n) in panel.rows() {
        if last.replace(hash) != Some(hash) {
            turn = 1 - turn;
        }
        halves[turn].extend((0..n).map(|_| row));
    }
    let rows = halves[0].len().min(halves[1].len());
    halves.map(|half| {
        let mut columns = vec![Vec::with_capacity(rows); half.first().map_or(0, |row| row.len())];
        for row in half.into_iter().take(rows) {
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(plain(value)));
        }
        columns
    })
}

fn plain(value: &Option<PanelValue>) -> Value {
    match value {
        None => Value::Null,
        Some(PanelValue::Truth(truth)) => Value::Truth(*truth),
        Some(PanelValue::Number(number)) => Value::Number(number.number()),
        Some(PanelValue::Text(text)) => Value::Text(text.clone()),
    }
}

/// The columns of the file that the rules make of rows.
fn transformed(rules: &Deidentifier, columns: &Columns) -> Vec<Vector> {
    let rows = columns.first().map_or(0, Vec::len) as u32;
    let batch: Vec<Vector> = columns.iter().map(|column| Vector::of(column.iter().cloned())).collect();
    match batch.is_empty() {
        true => Vec::new(),
        false => rules.apply(&batch, &(0..rows).collect::<Vec<u32>>()).0,
    }
}

/// Both halves in codes: the same code for the same value, numbers on one scale.
struct Coded {
    original: Vec<Vec<u32>>,
    control: Vec<Vec<u32>>,
    ordered: Vec<bool>,
}

impl Coded {
    fn of(original: &[Vector], control: &[Vector]) -> Coded {
        let rows = |columns: &[Vector]| columns.first().map_or(0, length);
        let mut coded = Coded {
            original: vec![Vec::new(); rows(original)],
            control: vec![Vec::new(); rows(control)],
            ordered: Vec::new(),
        };
        for (column, other) in original.iter().zip(control) {
            let values = || {
                let of = |column: &'_ Vector, rows: usize| (0..rows).map(|row| column.get(row)).collect::<Vec<Value>>();
                of(column, coded.original.len()).into_iter().chain(of(other, coded.control.len()))
            };
            let numbers = |value: Value| if let Value::Number(number) = value { Some(number) } else { None };
            let range = values().filter_map(numbers).fold(None, |range: Option<(f64, f64)>, x| {
                Some(range.map_or((x, x), |(least, most)| (least.min(x), most.max(x))))
            });
            let mut texts = BTreeMap::new();
            let codes: Vec<u32> = values().map(|value| code(value, range, &mut texts)).collect();
            let both = coded.original.iter_mut().chain(&mut coded.control);
            both.zip(codes).for_each(|(row, code)| row.push(code));
            coded.ordered.push(range.is_some());
        }
        coded
    }
}

/// The code of a value; a number by its place in the range.
fn code(value: Value, range: Option<(f64, f64)>, texts: &mut BTreeMap<Arc<str>, u32>) -> u32 {
    match (value, range) {
        (Value::Null, _) | (Value::Number(_), None) => MISSING,
        (Value::Truth(truth), _) => u32::from(truth),
        (Value::Number(number), Some((least, most))) if most > least => {
            // Halves, so that the width of the range is finite.
            ((number / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0) * SCALE) as u32
        }
        (Value::Number(_), Some(_)) => 0,
        (Value::Text(text), _) => {
            let next = texts.len() as u32;
            *texts.entry(text).or_insert(next)
        }
    }
}

/// Every attack that the columns allow, and what was not tried.
fn risks(
    plan: &Plan,
    columns: &[Arc<str>],
    files: Files<'_>,
    effort: Effort,
) -> Result<(Vec<RiskFound>, Vec<String>), AttackError> {
    let with = |role: Role| -> BTreeSet<usize> {
        let has = |name: &Arc<str>| plan.schema.column(name).is_some_and(|column| column.is(role));
        (0..columns.len()).filter(|&at| has(&columns[at])).collect()
    };
    let names = |at: &[usize]| at.iter().map(|&at| &*columns[at]).collect::<Vec<_>>().join(", ");
    let (quasi, secret) = (with(Role::QuasiIdentifier), with(Role::Sensitive));
    let mut known: Vec<usize> = quasi.difference(&secret).copied().collect();
    if known.len() < 2 {
        known = (0..columns.len()).filter(|at| !secret.contains(at)).collect();
    }
    let mut notes = Vec::new();
    let mut found = vec![risk("Singling out by one column".into(), singling_out_by_one_column(files, effort)?)];
    if columns.len() > 1 {
        let together = columns.len().min(TOGETHER);
        found.push(risk(format!("Singling out by {together} columns"), singling_out(files, together, effort)?));
    }
    let (left, right): (Vec<usize>, Vec<usize>) =
        known.iter().partition(|&at| known.iter().position(|other| other == at).is_some_and(|place| place % 2 == 0));
    match right.is_empty() {
        true => notes.push("Linking was not tried: it needs two columns that are not sensitive.".into()),
        false => found.push(risk(
            format!("Linking {} to {}", names(&left), names(&right)),
            linkability(files, &left, &right, 1, effort)?,
        )),
    }
    if secret.is_empty() {
        notes.push("Inference was not tried: no column of the file has the role sensitive.".into());
    }
    for &secret in secret.iter().take(SECRETS_MAX).filter(|_| !known.is_empty()) {
        let near = if files.ordered[secret] { ", within a twentieth of its range," } else { "" };
        let name = format!("Inferring {}{near} from {}", columns[secret], names(&known));
        found.push(risk(name, inference(files, secret, &known, TOLERANCE, effort)?));
    }
    Ok((found, notes))
}

fn risk(attack: String, found: Attack) -> RiskFound {
    RiskFound {
        attack,
        guesses: found.original.made,
        right: found.original.right,
        control_guesses: found.control.made,
        right_control: found.control.right,
        risk: found.risk.map(|risk| Share { value: risk.value, lower: risk.lower, upper: risk.upper }),
        warnings: found.warnings.iter().map(|warning| warning.describe()).collect(),
    }
}

#[cfg(test)]
mod tests;
