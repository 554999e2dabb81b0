//! Features changed by cohort: without what is linear in the cohorts, or with their quantiles moved together.

use super::rows::Seen;
use crate::demand::Fixed;
use crate::plan::features::Feature;
use crate::plan::mitigated::Mitigated;
use crate::plan::spec::Train;
use crate::scalar::{Arithmetic, Expr, Order, Scalar};
use crate::train::design::Design;
use crate::train::newton::Point;

pub const DECORRELATED: &str = "Fitted to what is left of the features when the mean of the row's cohort is taken off: the residuals of a regression on the indicators of the cohorts (Fairlearn names it CorrelationRemover). Correlation is gone, other dependence is not.";

/// The design of features and indicators of cohorts, and the point at which it predicts what the model of the residuals does.
///
/// sum of b_k (x_k - mean of the cohort) is sum of b_k x_k, less sum of b_k mean for the row's cohort. An indicator has the scale on which it
/// is 0 or 1.
pub fn widened<'f>(
    features: &'f [Feature],
    train: &Train,
    design: &Design,
    point: Point,
    means: &[Vec<f64>],
) -> (Design<'f>, Point) {
    let own = features.len() - means.len();
    let position = |j: usize| design.active.iter().position(|&active| active == j);
    let mean = (0..features.len()).map(|j| if j < own { position(j).map_or(0.0, |k| design.mean(k)) } else { -1.0 });
    let scale = |j: usize| if j < own { position(j).map_or(1.0, |k| design.scale(k)) } else { 2.0 };
    let active = design.active.iter().copied().chain(own..features.len()).collect();
    let wide = Design::noisy(features, train, active, mean.collect(), scale, Vec::new());
    let shift = |means: &Vec<f64>| -point.b.iter().zip(means).map(|(b, mean)| b * mean).sum::<f64>();
    let b = point.b.iter().copied().chain(means.iter().map(shift)).collect();
    (wide, Point { b, b0: point.b0 })
}

/// Quantiles of the grid.
pub const KNOTS: usize = 21;

/// Features with expressions that move their values, and the values so moved.
pub struct Repaired {
    pub features: Vec<Feature>,
    pub values: Vec<Vec<f64>>,
}

/// A map of numbers: straight between knots, a shift beyond the ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    pieces: Vec<Piece>,
}

/// A line: its upper end, slope and intercept; the last has no end.
type Piece = (Option<f64>, f64, f64);

impl Map {
    /// Between the quantiles of a cohort and a share of the way to the goals. Equal quantiles become one knot, at the mean of their goals.
    fn of(own: &[f64], goals: &[f64], share: f64) -> Map {
        let mut knots: Vec<(f64, f64)> = Vec::new();
        let mut i = 0;
        while i < own.len() {
            let same = own[i..].iter().take_while(|value| **value == own[i]).count().max(1);
            let goal = goals[i..i + same].iter().sum::<f64>() / same as f64;
            knots.push((own[i], own[i] + share * (goal - own[i])));
            i += same;
        }
        Map { pieces: Map::between(&knots) }
    }

    /// The pieces between knots of value and what it becomes, ascending.
    fn between(knots: &[(f64, f64)]) -> Vec<Piece> {
        let (Some(first), Some(last)) = (knots.first(), knots.last()) else { return Vec::new() };
        let mut pieces = vec![(Some(first.0), 1.0, first.1 - first.0)];
        pieces.extend(knots.windows(2).map(|pair| {
            let slope = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
            (Some(pair[1].0), slope, pair[0].1 - slope * pair[0].0)
        }));
        pieces.push((None, 1.0, last.1 - last.0));
        pieces
    }

    pub fn value(&self, x: f64) -> f64 {
        let piece = self.pieces.iter().find(|(end, ..)| end.is_none_or(|end| x < end));
        piece.map_or(x, |(_, slope, intercept)| x * slope + intercept)
    }

    fn expression(&self, of: &Scalar) -> Scalar {
        let line = |slope: f64, intercept: f64| {
            let product = Expr::Arithmetic(Arithmetic::Multiply, Box::new(of.clone()), Box::new(Scalar::number(slope)));
            Expr::Arithmetic(Arithmetic::Add, Box::new(product), Box::new(Scalar::number(intercept)))
        };
        let mut branches = Vec::new();
        let mut otherwise = None;
        for &(end, slope, intercept) in &self.pieces {
            match end {
                Some(end) => {
                    let below = Expr::Compare(Order::Less, Box::new(of.clone()), Box::new(Scalar::number(end)));
                    branches.push((below, line(slope, intercept)));
                }
                None => otherwise = Some(Box::new(line(slope, intercept))),
            }
        }
        Expr::Case(branches, otherwise)
    }
}

/// The quantiles of a sorted list on the grid (type 7 of Hyndman and Fan 1996).
fn grid(sorted: &[f64]) -> Vec<f64> {
    let at = |k: usize| {
        let place = k as f64 / (KNOTS - 1) as f64 * (sorted.len() - 1) as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        sorted[low] + part * (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low])
    };
    (0..KNOTS).map(at).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// One map for each cohort with rows; none for the others.
pub fn maps(by_cohort: &[Vec<f64>], share: f64) -> Vec<Option<Map>> {
    let quantiles: Vec<Option<Vec<f64>>> = by_cohort
        .iter()
        .map(|values| {
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            (!sorted.is_empty()).then(|| grid(&sorted))
        })
        .collect();
    if quantiles.iter().flatten().next().is_none() {
        return vec![None; by_cohort.len()];
    }
    let goals: Vec<f64> = (0..KNOTS).map(|k| median(quantiles.iter().flatten().map(|of| of[k]).collect())).collect();
    quantiles.iter().map(|own| own.as_ref().map(|own| Map::of(own, &goals, share))).collect()
}

/// Moves every numeric feature, within its bounds: the model sees no value beyond them.
pub fn quantiles(features: &[Feature], mitigated: &Mitigated, rows: &[Seen], share: f64) -> Result<Repaired, String> {
    let numbers: Vec<usize> = (0..features.len()).filter(|&j| features[j].block.is_none()).collect();
    if numbers.is_empty() {
        return Err("no feature is a number".into());
    }
    let mut changed = features.to_vec();
    let mut values: Vec<Vec<f64>> = rows.iter().map(|row| row.values.clone()).collect();
    for j in numbers {
        let Fixed { lower, upper, .. } = features[j].fixed;
        let within = |x: f64| x.max(lower).min(upper);
        let mut by_cohort = vec![Vec::new(); mitigated.cohorts.len()];
        for row in rows {
            if let Some(of) = row.cohort.and_then(|at| by_cohort.get_mut(at)) {
                of.push(within(row.values[j]));
            }
        }
        let maps = maps(&by_cohort, share);
        for (row, values) in rows.iter().zip(&mut values) {
            if let Some(map) = row.cohort.and_then(|at| maps.get(at)).and_then(Option::as_ref) {
                values[j] = map.value(within(row.values[j]));
            }
        }
        let of = &features[j].fixed.of;
        let branch =
            |(condition, map): (&Scalar, &Option<Map>)| Some((condition.clone(), map.as_ref()?.expression(of)));
        let branches = mitigated.conditions.iter().zip(&maps).filter_map(branch).collect();
        let of = Expr::Case(branches, Some(Box::new(of.clone())));
        changed[j].fixed = Fixed { of, ..features[j].fixed };
    }
    Ok(Repaired { features: changed, values })
}
