//! The inputs of a trained model: numbers on their bounds, and one indicator per level of a text but the reference.

use std::sync::Arc;

use super::spec::{Missing, ReadAs};
use super::{Learned, Plan, PlanError, error, missing, read_as};
use crate::demand::Fixed;
use crate::scalar::{Expr, Order, Scalar, Value};
use crate::schema::{Domain, Role};

/// One input.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Column, or column and level: `region = north`.
    pub label: String,
    pub column: Arc<str>,
    /// Missing where the row must be left out.
    pub fixed: Fixed,
}

/// The inputs that follow from the columns of role `feature`, in the order of their names.
///
/// A missing value leaves the row out (policy `drop`, `refuse`) or is replaced and marked by an indicator of its own (`impute`). A level
/// outside the declared ones is treated as missing. Protected columns are inputs only where the pipeline file says so.
pub(super) fn of(plan: &Plan, learned: &Learned) -> Result<Vec<Feature>, PlanError> {
    let mut features = Vec::new();
    for column in plan.schema.with(Role::Feature) {
        let allowed = plan.spec.train.as_ref().is_some_and(|train| train.protected_features);
        if column.is(Role::Protected) && !allowed {
            continue;
        }
        let Some(written) = plan.spec.schema.get(&*column.name) else { continue };
        let fill = (missing(written) == Missing::Impute).then(|| learned.fill.get(&*column.name).cloned()).flatten();
        let path = format!("schema.{}", column.name);
        let name = Scalar::column(&column.name);
        let mut known = name.clone();
        match (&column.domain, read_as(written)) {
            (Domain::Bounds { lower, upper }, _) => {
                let of = filled(name.clone(), &fill);
                features.push(feature(column.name.to_string(), &column.name, of, *lower, *upper));
            }
            (Domain::Levels(levels), _) => {
                let reference = written.reference.as_deref().unwrap_or(levels.first().map_or("", |level| level));
                let inside =
                    Expr::In(Box::new(name.clone()), levels.iter().map(|level| Value::Text(level.clone())).collect());
                known = Expr::Case(vec![(inside, name.clone())], None);
                for level in levels.iter().filter(|level| ***level != *reference) {
                    let of = filled(known.clone(), &fill);
                    let is = Expr::Compare(Order::Equal, Box::new(of), Box::new(Scalar::text(level)));
                    features.push(feature(format!("{} = {level}", column.name), &column.name, is, 0.0, 1.0));
                }
            }
            (Domain::Open, ReadAs::Truth) => {
                features.push(feature(column.name.to_string(), &column.name, filled(name.clone(), &fill), 0.0, 1.0))
            }
            (Domain::Open, ReadAs::Number) => {
                return Err(error(path, "a numeric feature needs bounds = [least, greatest]"));
            }
            (Domain::Open, ReadAs::Text) => return Err(error(path, "a text feature needs levels = [...]")),
        }
        if fill.is_some() {
            let of = Expr::IsNull(Box::new(known));
            features.push(feature(format!("{} is missing", column.name), &column.name, of, 0.0, 1.0));
        }
    }
    match features.is_empty() {
        true => Err(error("train", "no column has the role \"feature\"")),
        false => Ok(features),
    }
}

fn filled(of: Scalar, fill: &Option<Value>) -> Scalar {
    match fill {
        Some(value) => Expr::Coalesce(vec![of, Expr::Literal(value.clone())]),
        None => of,
    }
}

fn feature(label: String, column: &Arc<str>, of: Scalar, lower: f64, upper: f64) -> Feature {
    Feature { label, column: column.clone(), fixed: Fixed { of, lower, upper } }
}
