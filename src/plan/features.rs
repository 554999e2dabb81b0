//! The inputs of a trained model: numbers on their bounds, and one indicator per level of a text but the reference.
//!
//! An indicator is 0 or 1. On [0, 1] fixed point makes -1 and 1 of it. Under differential privacy its interval is [-1, 1], so that z is 0 or
//! 1: a row has at most one 1 per block of levels and changes the sums by that much less.

use std::collections::BTreeSet;
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
    /// Position of the block this is an indicator of: a row has at most one 1 in a block. None for a number.
    pub block: Option<u32>,
}

/// The inputs that follow from the columns of role `feature`, in the order of their names.
///
/// A missing value leaves the row out (policy `drop`, `refuse`) or is replaced and marked by an indicator of its own (`impute`). A level
/// outside the declared ones is treated as missing. Protected columns are inputs only where the pipeline file says so.
pub(super) fn of(plan: &Plan, learned: &Learned) -> Result<Vec<Feature>, PlanError> {
    let mut features = Vec::new();
    let indicator = if plan.spec.privacy.is_some() { (-1.0, 1.0) } else { (0.0, 1.0) };
    let mut blocks = 0;
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
                features.push(feature(column.name.to_string(), &column.name, of, (*lower, *upper), None));
            }
            (Domain::Levels(levels), _) => {
                let reference = written.reference.as_deref().unwrap_or(levels.first().map_or("", |level| level));
                let inside =
                    Expr::In(Box::new(name.clone()), levels.iter().map(|level| Value::Text(level.clone())).collect());
                known = Expr::Case(vec![(inside, name.clone())], None);
                for level in levels.iter().filter(|level| ***level != *reference) {
                    let of = filled(known.clone(), &fill);
                    let is = Expr::Compare(Order::Equal, Box::new(of), Box::new(Scalar::text(level)));
                    features.push(feature(
                        format!("{} = {level}", column.name),
                        &column.name,
                        is,
                        indicator,
                        Some(blocks),
                    ));
                }
                blocks += 1;
            }
            (Domain::Open, ReadAs::Truth) => {
                let of = filled(name.clone(), &fill);
                features.push(feature(column.name.to_string(), &column.name, of, indicator, Some(blocks)));
                blocks += 1;
            }
            (Domain::Open, ReadAs::Number) => {
                return Err(error(path, "a numeric feature needs bounds = [least, greatest]"));
            }
            (Domain::Open, ReadAs::Text) => return Err(error(path, "a text feature needs levels = [...]")),
        }
        if fill.is_some() {
            let of = Expr::IsNull(Box::new(known));
            features.push(feature(format!("{} is missing", column.name), &column.name, of, indicator, Some(blocks)));
            blocks += 1;
        }
    }
    match features.is_empty() {
        true => Err(error("train", "no column has the role \"feature\"")),
        false => Ok(features),
    }
}

/// Greatest squared Euclidean norm of (1, z), or of (1, z, y), over all rows: 1, and 1 per number, per block of indicators, and
/// for the target.
pub fn norm_squared_max(features: &[Feature], target: bool) -> u32 {
    let blocks: BTreeSet<u32> = features.iter().filter_map(|feature| feature.block).collect();
    let single = features.iter().filter(|feature| feature.block.is_none()).count();
    let all = 1 + single + blocks.len() + usize::from(target);
    u32::try_from(all).unwrap_or(u32::MAX)
}

fn filled(of: Scalar, fill: &Option<Value>) -> Scalar {
    match fill {
        Some(value) => Expr::Coalesce(vec![of, Expr::Literal(value.clone())]),
        None => of,
    }
}

fn feature(label: String, column: &Arc<str>, of: Scalar, bounds: (f64, f64), block: Option<u32>) -> Feature {
    Feature { label, column: column.clone(), fixed: Fixed { of, lower: bounds.0, upper: bounds.1 }, block }
}
