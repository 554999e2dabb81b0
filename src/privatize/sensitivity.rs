//! What one privacy unit can change in a statistic, by a map from its demand: nothing is typed where noise is drawn.
//!
//! All in the statistic's own units (rows; products of fixed points), exact. With m rows per unit at most:
//!
//! | shape | a row adds | sum of absolute changes | sum of squared changes |
//! |---|---|---|---|
//! | tally, histogram | 1 to one cell | m | m^2: all m rows may lie in one cell |
//! | moments, products of K non-zero variables | K (K + 1) / 2 products of at most 2^2s | m K (K + 1) / 2 2^2s | (m 2^2s)^2 K (K + 1) / 2 |
//! | moments, K variables by C cross columns | K C products | m K C 2^2s | (m 2^2s)^2 K C |
//!
//! s are the bits of the fixed point: |q| <= 2^s for every value within or beyond its interval. Of the indicators of one column (equal to one
//! literal each, 0 in fixed point where false) at most one is not zero in a row. Where neighbours differ in the rows of a unit (change-one)
//! m rows leave and m come: the sum of absolute changes doubles, the sum of squares doubles for counts (other cells than before) and is
//! four times as large for products (they may point the other way).

use num_bigint::BigUint;

use crate::demand::{Fixed, Shape};
use crate::plan::spec::{Neighbours, Privacy};
use crate::scalar::{Expr, Order, Scalar};

/// What one unit can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensitivity {
    /// Sum of absolute changes.
    pub l1: BigUint,
    /// Sum of squared changes.
    pub l2_squared: BigUint,
}

/// Who the neighbours are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    pub neighbours: Neighbours,
    /// Most rows of one unit.
    pub rows_max: u32,
}

impl Unit {
    pub fn of(privacy: &Privacy) -> Unit {
        Unit { neighbours: privacy.neighbours, rows_max: privacy.rows_per_unit_max }
    }
}

/// The sensitivity of a shape; none when no private mechanism is known for it.
pub fn of(shape: &Shape, unit: Unit) -> Option<Sensitivity> {
    let rows = BigUint::from(unit.rows_max);
    let changes = unit.neighbours == Neighbours::ChangeOne;
    match shape {
        Shape::Tally { weight: None, .. } | Shape::Histogram { bins: Some(_), .. } => {
            let twice = BigUint::from(if changes { 2u32 } else { 1 });
            Some(Sensitivity { l1: &rows * &twice, l2_squared: &rows * &rows * twice })
        }
        Shape::Moments { of, weights, cross, gram, limbs, .. } if weights.is_empty() => {
            let variables = BigUint::from(nonzero_max(of) + 1);
            let products = match gram {
                true => &variables * (&variables + 1u32) / 2u32,
                false => BigUint::from(0u32),
            };
            let entries = products + variables * BigUint::from(cross.len());
            let most = (rows << (2 * limbs.bits() as usize)) * BigUint::from(if changes { 2u32 } else { 1 });
            Some(Sensitivity { l1: &most * &entries, l2_squared: &most * &most * entries })
        }
        Shape::Tally { .. }
        | Shape::Histogram { .. }
        | Shape::Moments { .. }
        | Shape::ClassSizes { .. }
        | Shape::Panel { .. } => None,
    }
}

/// Most columns that are not zero in one row: of the indicators of one column only one is counted.
pub fn nonzero_max(columns: &[Fixed]) -> usize {
    let mut indicated: Vec<(&Scalar, Vec<&Scalar>)> = Vec::new();
    let mut others = 0;
    for fixed in columns {
        match indicator(fixed) {
            None => others += 1,
            Some((of, literal)) => match indicated.iter_mut().find(|(column, _)| *column == of) {
                // The same indicator twice is not zero twice.
                Some((_, literals)) if literals.contains(&literal) => others += 1,
                Some((_, literals)) => literals.push(literal),
                None => indicated.push((of, vec![literal])),
            },
        }
    }
    others + indicated.len()
}

/// The two sides of `column = literal`, on an interval on which false is 0.
fn indicator(fixed: &Fixed) -> Option<(&Scalar, &Scalar)> {
    let centred = fixed.lower == -fixed.upper && fixed.has_width();
    match &fixed.of {
        Expr::Compare(Order::Equal, of, literal) if centred && matches!(**literal, Expr::Literal(_)) => {
            Some((of, literal))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
