//! Randomised columns of a dataset: how their codes are drawn, and what somebody needs who wants to undo it.

use std::sync::{Arc, Mutex};

use crate::budget::accounting::units_down;
use crate::deidentify::codebook::Undoing;
use crate::deidentify::transform::randomise::{Domain, Randomiser};
use crate::plan::spec::{ColumnRule, ColumnSpec};
use crate::privatize::response::{Noised, Response};
use crate::world::Entropy;

/// Greatest number of steps of a grid.
const STEPS_MAX: f64 = 1e9;

/// How one column is drawn, with the declared levels or bounds it has.
fn drawn(column: Option<&ColumnSpec>, rule: &ColumnRule) -> Result<(Domain, Law), String> {
    let epsilon = rule.epsilon.filter(|epsilon| *epsilon > 0.0).ok_or("randomise needs an epsilon of more than 0")?;
    let epsilon = units_down(epsilon).ok_or("epsilon is a number of more than 0")?;
    let column = column.ok_or("the column is not in the schema")?;
    match (&column.levels, column.bounds) {
        (Some(levels), _) => {
            let codes = u32::try_from(levels.len() + 1).map_err(|_| "the column has too many levels")?;
            let response = Response::new(codes, epsilon).ok_or("epsilon is at most 40")?;
            let levels = levels.iter().map(|level| Arc::from(level.as_str())).collect();
            Ok((Domain::Levels(levels), Law::Response(response)))
        }
        (None, Some([lower, upper])) => {
            let step = rule.to.filter(|step| *step > 0.0).ok_or("randomise needs to: the step of the grid")?;
            let steps = ((upper - lower) / step).round();
            if !(1.0..=STEPS_MAX).contains(&steps) {
                return Err("between the bounds there are 1 to a thousand million steps".into());
            }
            let steps = steps as i64;
            let noised = Noised::new(0, steps, epsilon).ok_or("the noise is beyond what can be drawn")?;
            Ok((Domain::Grid { lower, step, steps }, Law::Noised(noised)))
        }
        (None, None) => {
            Err("randomise needs levels or bounds that are declared: what is read off the rows would tell of them"
                .into())
        }
    }
}

#[derive(Clone, Copy)]
enum Law {
    Response(Response),
    Noised(Noised),
}

/// What draws a column.
///
/// # Errors
/// In words: nothing declared, no step, an epsilon beyond its range.
pub(super) fn randomiser(
    column: Option<&ColumnSpec>,
    rule: &ColumnRule,
    entropy: Entropy,
) -> Result<Randomiser, String> {
    let (domain, law) = drawn(column, rule)?;
    let random = entropy.generator().map_err(|e| format!("the operating system gives no randomness: {e}"))?;
    let draw: crate::deidentify::transform::randomise::Draw = match law {
        Law::Response(response) => Box::new(move |code, random| {
            // Every code of the domain is declared: there is an answer for each.
            u32::try_from(code).ok().and_then(|code| response.respond(random, code)).map_or(-1, i64::from)
        }),
        Law::Noised(noised) => Box::new(move |code, random| {
            let told = noised.respond(random, code);
            i64::try_from(told).unwrap_or(if told < 0 { i64::MIN } else { i64::MAX })
        }),
    };
    Ok(Randomiser { domain, draw, random: Mutex::new(random) })
}

/// How to undo it.
pub(super) fn undoing(column: Option<&ColumnSpec>, rule: &ColumnRule) -> Option<Undoing> {
    let (domain, law) = drawn(column, rule).ok()?;
    Some(match (domain, law) {
        (Domain::Levels(levels), Law::Response(response)) => {
            let (own, other) = response.chances();
            Undoing::Levels { codes: levels.len() as u32 + 1, own, other }
        }
        (Domain::Grid { step, .. }, Law::Noised(noised)) => {
            Undoing::Number { variance: noised.variance() * step * step }
        }
        _ => return None,
    })
}
