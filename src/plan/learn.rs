//! What is not declared and has to be read off the data first: levels, bounds, replacements of missing values.

use std::sync::Arc;

use super::spec::{ColumnSpec, Do, Missing, ReadAs, Spec};
use super::{Learned, PlanError, error, missing, read_as};
use crate::demand::{Demand, Rows, Shape};
use crate::evidence::Released;
use crate::scalar::{Scalar, Value};
use crate::schema::{Domain, Role};
use crate::statistic::{Bins, Spread};

/// Most levels a learned domain may have.
pub const LEVELS_MAX: usize = 100;

/// Bins of a numeric column; the mean of binned values is within half a bin of the mean.
const BINS: u32 = 1 << 16;

/// One histogram for every column with something to learn.
pub fn demands(spec: &Spec) -> Vec<Demand> {
    columns(spec)
        .map(|(name, bounds)| Demand {
            name: demand_name(name),
            rows: Rows::Kept,
            shape: Shape::Histogram { by: Vec::new(), of: Scalar::column(name), bins: bounds },
        })
        .collect()
}

/// Columns with something to learn, with the reason in the words of the plan.
pub fn reasons(spec: &Spec) -> Vec<String> {
    columns(spec).map(|(name, _)| format!("domain or replacement value of {name} is not declared")).collect()
}

fn demand_name(name: &str) -> Arc<str> {
    format!("learn/{name}").into()
}

fn columns(spec: &Spec) -> impl Iterator<Item = (&String, Option<Bins>)> {
    spec.schema.iter().filter_map(|(name, column)| {
        let has = |role| column.roles.contains(&role);
        let given = spec.measure.given.contains(name);
        let used =
            given || coarsened(spec, name) || has(Role::Protected) || (spec.train.is_some() && has(Role::Feature));
        let open = column.levels.is_none() && column.bounds.is_none() && read_as(column) != ReadAs::Truth;
        let numeric_target = (has(Role::Target) || has(Role::Prediction))
            && read_as(column) == ReadAs::Number
            && column.positive.is_none();
        let fill = spec.train.is_some() && has(Role::Feature) && missing(column) == Missing::Impute;
        let bins = column.bounds.map(|[lower, upper]| Bins { lower, upper, count: BINS });
        (((used || numeric_target) && open) || fill).then_some((name, bins))
    })
}

/// A model of the de-identified dataset counts classes by it.
fn coarsened(spec: &Spec, name: &str) -> bool {
    let Some((section, model)) = spec.deidentify.as_ref().and_then(|of| Some((of, of.model.as_ref()?))) else {
        return false;
    };
    section.columns.get(name).is_some_and(|rule| rule.by == Do::Model) || model.sensitive.as_deref() == Some(name)
}

/// Reads the domains and replacement values off the released histograms.
pub fn learned(spec: &Spec, released: &Released) -> Result<Learned, PlanError> {
    let mut learned = Learned::default();
    for (name, _) in columns(spec) {
        let path = format!("schema.{name}");
        let histogram = released.histogram(&demand_name(name)).map_err(|e| error(&path, e.to_string()))?;
        let counts = histogram.total_where(|_| true);
        let column = &spec.schema[name];
        if column.levels.is_none() && column.bounds.is_none() {
            let domain = match (counts.spread(), counts.range) {
                (Spread::Texts { counts }, _) if counts.len() <= LEVELS_MAX || !compared(spec, name, column) => {
                    Domain::Levels(counts.into_iter().map(|(text, _)| text).collect())
                }
                (Spread::Texts { counts }, _) => {
                    return Err(error(
                        path,
                        format!(
                            "has {} levels; at most {LEVELS_MAX} can be learned: declare levels or derive a coarser column",
                            counts.len()
                        ),
                    ));
                }
                (Spread::TooManyTexts { .. }, _) => {
                    return Err(error(path, "has more than 4,096 levels: declare levels or derive a coarser column"));
                }
                (_, Some((lower, upper))) if lower < upper => {
                    Domain::Bounds { lower: lower.number(), upper: upper.number() }
                }
                (_, Some(_)) => return Err(error(path, "has one value in all rows; it tells nothing: leave it out")),
                (_, None) => return Err(error(path, "has no value in any row: leave it out")),
            };
            learned.domains.insert(name.clone(), domain);
        }
        if missing(column) == Missing::Impute && column.roles.contains(&Role::Feature) {
            let none = match counts.spread() {
                Spread::TooManyTexts { .. } => {
                    "has more than 4,096 different texts, so its mode is not known: derive a coarser column, or write missing = \"drop\""
                }
                _ => "has no value in any row to replace missing ones by: leave it out",
            };
            learned.fill.insert(name.clone(), fill(counts.spread(), column).ok_or_else(|| error(&path, none))?);
        }
    }
    Ok(learned)
}

/// What was read off the rows of this column is not told: an outsider may know it of somebody, and no cohort needs it.
pub fn is_withheld(spec: &Spec, name: &str) -> bool {
    coarsened(spec, name) && spec.schema.get(name).is_some_and(|column| !compared(spec, name, column))
}

/// Its levels are cohorts, strata, or features of a model.
fn compared(spec: &Spec, name: &str, column: &ColumnSpec) -> bool {
    let has = |role| column.roles.contains(&role);
    spec.measure.given.iter().any(|given| given == name)
        || has(Role::Protected)
        || (spec.train.is_some() && has(Role::Feature))
}

/// The mean of numbers, the mode of truth values and of texts among the levels (the first in order of the most frequent).
fn fill(spread: Spread, column: &ColumnSpec) -> Option<Value> {
    match spread {
        Spread::Numbers { counts } => {
            let n: i64 = counts.iter().map(|(_, n)| n).sum();
            let mean = || counts.iter().map(|(x, k)| x.number() * (*k as f64 / n as f64)).sum();
            let value: f64 = if n > 0 { mean() } else { return None };
            Some(if read_as(column) == ReadAs::Truth { Value::Truth(value > 0.5) } else { Value::Number(value) })
        }
        Spread::Texts { counts } => {
            let known = |text: &Arc<str>| {
                column.levels.as_ref().is_none_or(|levels| levels.iter().any(|level| **level == **text))
            };
            let counts: Vec<_> = counts.into_iter().filter(|(text, _)| known(text)).collect();
            let most = counts.iter().map(|(_, n)| *n).max()?;
            counts.into_iter().find(|(_, n)| *n == most).map(|(text, _)| Value::Text(text))
        }
        Spread::Binned { counts } => {
            let bins = column.bounds.map(|[lower, upper]| Bins { lower, upper, count: BINS })?;
            let n: i64 = counts.iter().map(|(_, n)| n).sum();
            let middle = |code| (bins.ends(code).0 + bins.ends(code).1) / 2.0;
            (n > 0).then(|| Value::Number(counts.iter().map(|(code, k)| middle(*code) * (*k as f64 / n as f64)).sum()))
        }
        Spread::TooManyTexts { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistic::Ordered;

    #[test]
    fn missing_values_are_replaced_by_a_value_of_the_column() {
        let texts = |counts: &[(&str, i64)]| Spread::Texts {
            counts: counts.iter().map(|(text, n)| (Arc::from(*text), *n)).collect(),
        };
        let levels = ColumnSpec { levels: Some(vec!["a".into(), "b".into()]), ..ColumnSpec::default() };
        assert_eq!(fill(texts(&[("?", 9), ("a", 2), ("b", 2)]), &levels), Some(Value::Text("a".into())));
        assert_eq!(fill(texts(&[("?", 9)]), &levels), None);
        let numbers = || Spread::Numbers { counts: vec![(Ordered::of(0.0), 3), (Ordered::of(1.0), 1)] };
        assert_eq!(fill(numbers(), &ColumnSpec::default()), Some(Value::Number(0.25)));
        let truth = ColumnSpec { read_as: Some(ReadAs::Truth), ..ColumnSpec::default() };
        assert_eq!(fill(numbers(), &truth), Some(Value::Truth(false)));
    }
}
