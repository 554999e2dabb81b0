//! What is not declared and has to be read off the data first: levels, bounds, replacements of missing values.

use std::sync::Arc;

use super::spec::{Missing, ReadAs, Spec};
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
        let used = has(Role::Protected) || (spec.train.is_some() && has(Role::Feature));
        let open = column.levels.is_none() && column.bounds.is_none() && read_as(column) != ReadAs::Truth;
        let numeric_target = (has(Role::Target) || has(Role::Prediction)) && read_as(column) == ReadAs::Number && column.positive.is_none();
        let fill = spec.train.is_some() && has(Role::Feature) && missing(column) == Missing::Impute;
        let bins = column.bounds.map(|[lower, upper]| Bins { lower, upper, count: BINS });
        ((used && open) || (numeric_target && open) || fill).then_some((name, bins))
    })
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
                (Spread::Texts { counts }, _) if counts.len() <= LEVELS_MAX => {
                    Domain::Levels(counts.into_iter().map(|(text, _)| text).collect())
                }
                (Spread::Texts { counts }, _) => {
                    return Err(error(path, format!("has {} levels; at most {LEVELS_MAX} can be learned: declare levels or derive a coarser column", counts.len())));
                }
                (Spread::TooManyTexts { .. }, _) => {
                    return Err(error(path, "has more than 4,096 levels: declare levels or derive a coarser column"));
                }
                (_, Some((lower, upper))) if lower < upper => Domain::Bounds { lower: lower.number(), upper: upper.number() },
                (_, Some(_)) => return Err(error(path, "has one value in all rows; it tells nothing: leave it out")),
                (_, None) => return Err(error(path, "has no value in any row: leave it out")),
            };
            learned.domains.insert(name.clone(), domain);
        }
        if missing(column) == Missing::Impute && column.roles.contains(&Role::Feature) {
            learned.fill.insert(name.clone(), fill(counts.spread(), column.bounds).ok_or_else(|| error(&path, "has no value to replace missing ones by; leave it out, or declare its bounds"))?);
        }
    }
    Ok(learned)
}

/// The mean of numbers, the mode of texts (the first in order of the most frequent).
fn fill(spread: Spread, bounds: Option<[f64; 2]>) -> Option<Value> {
    match spread {
        Spread::Numbers { counts } => {
            let n: i64 = counts.iter().map(|(_, n)| n).sum();
            (n > 0).then(|| Value::Number(counts.iter().map(|(x, k)| x.number() * (*k as f64 / n as f64)).sum()))
        }
        Spread::Texts { counts } => {
            let most = counts.iter().map(|(_, n)| *n).max()?;
            counts.into_iter().find(|(_, n)| *n == most).map(|(text, _)| Value::Text(text))
        }
        Spread::Binned { counts } => {
            let bins = bounds.map(|[lower, upper]| Bins { lower, upper, count: BINS })?;
            let n: i64 = counts.iter().map(|(_, n)| n).sum();
            let middle = |code| (bins.ends(code).0 + bins.ends(code).1) / 2.0;
            (n > 0).then(|| Value::Number(counts.iter().map(|(code, k)| middle(*code) * (*k as f64 / n as f64)).sum()))
        }
        Spread::TooManyTexts { .. } => None,
    }
}
