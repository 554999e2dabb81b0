//! `codebook.json`: what was done to each column of the dataset, and what somebody who analyses it must know. It holds parameters and shares,
//! and no key, no token and no value of the source.

use serde::Serialize;

use super::dataset::{Counts, WINDOW_ROWS};
use crate::audit::Coarsening;
use crate::plan::spec::{ColumnRule, Deidentify, Do, Profile};
use crate::scalar::Kind;

/// Version of the file's form.
pub const CODEBOOK_VERSION: u32 = 1;

/// The description of a de-identified dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Codebook {
    pub codebook_version: u32,
    pub generator: String,
    pub file: String,
    pub profile: Option<Profile>,
    pub rows_written: u64,
    pub rows_suppressed: u64,
    pub order: String,
    /// Of the randomised columns together, for one row: a person with several rows spends it for each. Other columns are outside of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon_of_a_row: Option<f64>,
    /// Criteria of the classes, and risks before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Coarsening>,
    pub columns: Vec<CodedColumn>,
    /// Columns of the pipeline file that are not in the dataset.
    pub left_out: Vec<String>,
    pub notes: Vec<&'static str>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CodedColumn {
    pub name: String,
    #[serde(rename = "do")]
    pub by: Do,
    /// Keys of the pipeline file; none that names a secret's place.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Of the values there were; none without values.
    pub changed_share: Option<f64>,
    /// Values that did not have the form the transformation is for: they are missing now.
    pub refused_share: Option<f64>,
    pub meaning: String,
    /// How the randomness of a column is undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoing: Option<Undoing>,
}

/// What undoes the bias of records that were randomised one by one. Its variance is that of the randomness alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Undoing {
    /// Of n rows, w with a level: its rows are about (w - n other) / (own - other) (Warner 1965; Kairouz, Bonawitz and Ramage 2016). A missing
    /// value is a level of its own.
    Levels { codes: u32, own: f64, other: f64 },
    /// The mean is that of the written numbers; their variance is too large by this, in the column's unit squared.
    Number { variance: f64 },
}

/// Parameters that say where a secret is, or a file name.
const HIDDEN: [&str; 6] = ["do", "key_env", "key_file", "table_file", "passphrase_env", "hierarchy"];

impl Codebook {
    /// `columns` are those of the dataset, `schema` the names of the pipeline file, `model` what its model came to.
    pub fn of(
        spec: &Deidentify,
        columns: &[(std::sync::Arc<str>, Kind)],
        schema: &mut dyn Iterator<Item = &String>,
        model: Option<Coarsening>,
        undoing: &dyn Fn(&str) -> Option<Undoing>,
        counts: &Counts,
    ) -> Codebook {
        let coded = |(at, (name, kind)): (usize, &(std::sync::Arc<str>, Kind))| {
            let rule = spec.columns.get(&**name)?;
            let [values, changed, refused] = counts.columns.get(at).copied().unwrap_or_default();
            let share = |part: u64| (values > 0).then(|| part as f64 / values as f64);
            Some(CodedColumn {
                name: name.to_string(),
                by: rule.by,
                parameters: parameters(rule),
                kind: *kind,
                changed_share: share(changed),
                refused_share: share(refused),
                meaning: meaning(rule),
                undoing: undoing(name),
            })
        };
        let is_written = |name: &&String| spec.columns.get(*name).is_some_and(|rule| rule.by != Do::Drop);
        let epsilons = spec.columns.values().filter_map(|rule| rule.epsilon);
        Codebook {
            epsilon_of_a_row: epsilons.clone().next().map(|_| epsilons.sum()),
            codebook_version: CODEBOOK_VERSION,
            generator: concat!("evenhand ", env!("CARGO_PKG_VERSION")).into(),
            file: spec.output.clone(),
            profile: spec.profile,
            rows_written: counts.rows - counts.rows_suppressed,
            rows_suppressed: counts.rows_suppressed,
            order: match spec.shuffle {
                true => format!("random within windows of {WINDOW_ROWS} rows; windows in the order of the source"),
                false => "as in the source".into(),
            },
            model,
            columns: columns.iter().enumerate().filter_map(coded).collect(),
            left_out: schema.filter(|name| !is_written(name)).cloned().collect(),
            notes: vec![
                "Shares are of the values of the source that were there. They are not protected by differential privacy.",
                "De-identified rows can still single out people who are rare in what is left.",
            ],
        }
    }
}

fn parameters(rule: &ColumnRule) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(rule) {
        Ok(serde_json::Value::Object(map)) => {
            map.into_iter().filter(|(key, _)| !HIDDEN.contains(&key.as_str())).collect()
        }
        _ => Default::default(),
    }
}

/// What an analyst must know.
fn meaning(rule: &ColumnRule) -> String {
    let at = |x: Option<f64>| x.map(crate::scalar::format_number).unwrap_or_default();
    match rule.by {
        Do::Keep => "As in the source.".into(),
        Do::Drop => "Not in the dataset.".into(),
        Do::Redact => "Empty in every row; whether there was a value is not shown.".into(),
        Do::Mask => "`*` stands for a covered letter or digit. Different values can look equal.".into(),
        Do::Pseudonym => "Equal codes stand for equal values of the domain. Whoever has the key can test a guess.".into(),
        Do::Token => "Equal codes stand for equal values of the domain. Codes are random; a table kept apart tells whose they are.".into(),
        Do::FormatPreserving => {
            "Equal texts stand for equal values of the domain. Order, check digits and digits themselves mean nothing.".into()
        }
        Do::Generalise if rule.width.is_some() => format!(
            "Intervals [a, b) hold a and not b; they are {} wide, and one begins at {}.",
            at(rule.width),
            at(rule.origin.or(Some(0.0)))
        ),
        Do::Generalise if rule.digits.is_some() => "The leading digits; zeros for a beginning with few inhabitants.".into(),
        Do::Generalise if rule.date.is_some() => "A part of the date.".into(),
        Do::Generalise => "A coarser level of a hierarchy.".into(),
        Do::TopCode => format!("{0} means {0} or more. Means and variances are too small.", at(rule.at)),
        Do::BottomCode => format!("{0} means {0} or less. Means are too large.", at(rule.at)),
        Do::DateShift => format!(
            "All dates of one {} moved by the same 1 to {} days, either way. Intervals within it are true; days of the week, seasons and order between others are not.",
            rule.unit.as_deref().unwrap_or("unit"),
            rule.days_max.unwrap_or(0)
        ),
        Do::Microaggregate => format!(
            "The mean of a group of {} rows or more that are alike in all columns with this word (MDAV, Domingo-Ferrer and Torra 2005). Variances are too small; a row in which one of these columns is missing has none of them.",
            rule.k.unwrap_or(0)
        ),
        Do::Randomise => "Drawn anew for every row: it tells little of any row, and of many rows what `undoing` says. A number can lie beyond its bounds; a missing one was taken as the middle.".into(),
        Do::Model => "A model chose coarser values: intervals [a, b) hold a and not b, [a, b] hold both, * is any value; a missing value and one of no level have words of their own.".into(),
        Do::Round => format!("Rounded to multiples of {}.", at(rule.to)),
    }
}
