//! What a run under differential privacy costs, in words: the charge, the same releases by other accountants, what the ledger has left, and the
//! noise of every release with what it does to the interval of a rate.

use crate::budget::accounting::{amount, units_down, written};
use crate::budget::composition::{Release, by_loss, by_renyi};
use crate::budget::{Allocation, Charge, Noise};
use crate::demand::Demand;
use crate::estimate::{self, Sample, Share};
use crate::plan::Plan;
use crate::plan::spec::Privacy;
use crate::privatize::{self, sensitivity::Unit};
use crate::run::Cost;
use crate::statistic::Cell;

/// Rows of a cohort for which the interval of a rate is shown.
const ROWS: [i64; 3] = [100, 1_000, 10_000];

/// Sets of attributes for which it is shown.
const SETS_MAX: usize = 6;

/// The delta at which pure releases are compared: the other accountants have no figure without one.
const DELTA: f64 = 1e-6;

/// The costs of a run; none without differential privacy.
pub fn costs(plan: &Plan, demands: &[Demand]) -> Vec<String> {
    let (Some(privacy), Some(cost)) = (&plan.spec.privacy, crate::run::cost(plan)) else { return Vec::new() };
    let mut lines = vec![format!(
        "a run costs {} of the population {} (epsilon {} at delta {:e})",
        words(&cost.total),
        privacy.population,
        privacy.epsilon,
        privacy.delta
    )];
    if cost.parallel {
        lines.push("training and measuring look at different units: the dearer of the two is charged".into());
    }
    lines.push(compared(privacy, &cost));
    let unit = Unit::of(privacy);
    for part in &cost.allocations {
        let demand = demands.iter().find(|demand| demand.name == part.statistic);
        let noise = match demand.map(|demand| privatize::planned(demand, unit, part.charge)).transpose() {
            Ok(noise) => noise,
            Err(refused) => {
                lines.push(format!("a run will be refused: {refused}"));
                continue;
            }
        };
        lines.push(format!("{}: {}{}", part.statistic, words(&part.charge), scale(part, noise.as_ref())));
        if let ("measure/table", Some(noise)) = (&*part.statistic, noise) {
            lines.extend(rates(plan, privacy, part, &noise));
        }
    }
    lines
}

fn words(charge: &Charge) -> String {
    match charge.epsilon {
        Some(epsilon) => format!("epsilon {}", written(epsilon)),
        None => format!("rho {}", written(charge.rho)),
    }
}

/// The same releases by Renyi divergences and by privacy loss distributions. Of training and measuring the dearer counts.
fn compared(privacy: &Privacy, cost: &Cost) -> String {
    let delta = if privacy.delta > 0.0 { privacy.delta } else { DELTA };
    let without = |stage: &str| releases(cost.allocations.iter().filter(|part| !part.statistic.starts_with(stage)));
    let both = match cost.parallel {
        true => vec![without("train/"), without("measure/")],
        false => vec![without("train/")],
    };
    let renyi = both.iter().map(|releases| by_renyi(releases, delta)).fold(0.0, f64::max);
    let loss = both.iter().map(|releases| by_loss(releases, delta).epsilon).fold(0.0, f64::max);
    let charged = cost.total.epsilon_within(units_down(privacy.delta).unwrap_or(0)).map_or("none".into(), up);
    let pure = if privacy.delta > 0.0 { "" } else { ", which the charge does not need" };
    format!(
        "the same releases composed by RDP: epsilon {renyi:.4}; by PLD: epsilon {loss:.4}; charged: epsilon {charged} (RDP and PLD at delta {delta:e}{pure}; for comparison only)"
    )
}

fn up(units: u64) -> String {
    format!("{:.4}", amount(units))
}

/// Releases of equal cost are one, made several times. Laplace noise is taken for the worst of its epsilon.
fn releases<'a>(parts: impl Iterator<Item = &'a Allocation>) -> Vec<(Release, u32)> {
    let mut charges: Vec<Charge> = parts.map(|part| part.charge).collect();
    charges.sort_by_key(|charge| (charge.epsilon, charge.rho));
    let release = |charge: &Charge| match charge.epsilon {
        Some(epsilon) => Release::Pure { epsilon: amount(epsilon) },
        None => Release::Gaussian { ratio: (2.0 * amount(charge.rho)).sqrt() },
    };
    charges.chunk_by(|a, b| a == b).filter_map(|equal| Some((release(equal.first()?), equal.len() as u32))).collect()
}

/// The scale of the noise in every number, in the integers of the statistic.
fn scale(part: &Allocation, noise: Option<&Noise>) -> String {
    match (noise, part.charge.epsilon) {
        (Some(noise), epsilon) => {
            let deviation = noise.variance.sqrt();
            let scale = match epsilon {
                Some(_) => {
                    format!("scale b = {:.4e}, standard deviation {deviation:.4e}", laplace_scale(noise.variance))
                }
                None => format!("standard deviation sigma = {deviation:.4e}"),
            };
            format!("; numbers: {}, each with noise of {scale}; sensitivity {}", noise.numbers, noise.sensitivity)
        }
        // What is released depends on the step before; its noise is known by its ratio.
        (None, None) if part.charge.rho > 0 => {
            format!("; sigma is {:.4e} times the sensitivity", 1.0 / (2.0 * amount(part.charge.rho)).sqrt())
        }
        (None, Some(epsilon)) if epsilon > 0 => {
            format!("; b is {:.4e} times the sensitivity", 1.0 / amount(epsilon))
        }
        (None, _) => String::new(),
    }
}

/// The b of discrete Laplace noise of this variance, which is 2 q / (1 - q)^2 with q = e^(-1/b): cosh(1/b) = 1 + 1 / variance.
fn laplace_scale(variance: f64) -> f64 {
    let x = 1.0 / variance;
    1.0 / libm::log1p(x + (x * (x + 2.0)).sqrt())
}

/// What the noise of the table does to the interval of a rate of one half, by set of attributes.
fn rates(plan: &Plan, privacy: &Privacy, part: &Allocation, noise: &Noise) -> Vec<String> {
    let design_effect = f64::from(privacy.rows_per_unit_max.max(1));
    let laplace = part.charge.epsilon.is_some();
    let noise = estimate::Noise { variance: noise.variance.max(0.0), laplace, design_effect };
    let mut sets = vec![("for everyone".to_string(), Vec::new())];
    for across in plan.across.iter().take(SETS_MAX) {
        let names: Vec<&str> =
            across.attributes.iter().filter_map(|&at| Some(&*plan.attributes.get(at)?.name)).collect();
        sets.push((format!("across {}", names.join(" x ")), across.attributes.clone()));
    }
    let line = |(name, set): (String, Vec<usize>)| {
        let others = plan.attributes.iter().enumerate().filter(|(at, _)| !set.contains(at));
        // Of every decision the cells of three labels, in every cell of the other attributes.
        let draws = others.map(|(_, attribute)| attribute.codes()).fold(3u32, u32::saturating_mul);
        let at = |n: i64| format!("n = {n}: {}", half_width(plan, privacy, noise, (n, draws)));
        format!(
            "  half-width of the {} % interval of a rate of one half {name}: {}",
            100.0 * plan.spec.measure.confidence,
            ROWS.map(at).join("; ")
        )
    };
    sets.into_iter().map(line).collect()
}

/// Half of the interval with noise, and what is left of it when the half without is taken away. A cohort has half of its rows in the numerator,
/// as a sum of so many noisy cells, and as many noisy cells in the rest of the denominator.
fn half_width(plan: &Plan, privacy: &Privacy, noise: estimate::Noise, (n, draws): (i64, u32)) -> String {
    let cell = |n: i64, draws: u32| Cell { draws, ..Cell::rows(n) };
    let share = Share { numerator: cell(n / 2, draws), denominator: cell(n, draws.saturating_mul(2)) };
    let confidence = plan.spec.measure.confidence;
    let half = |noise: &estimate::Noise, width_max: f64| {
        let sample = Sample::noisy_share(&share, noise).kept(confidence, width_max);
        let interval = sample.measure(confidence).estimate().map(|estimate| estimate.interval)?;
        Some(0.5 * (interval.upper? - interval.lower?))
    };
    let without = half(&estimate::Noise { variance: 0.0, ..noise }, f64::INFINITY);
    match half(&noise, privacy.interval_width_max).zip(without) {
        Some((with, without)) => format!("{with:.4}, of which noise {:.4}", (with - without).max(0.0)),
        None => "not shown, the noise exceeds the cohort".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_follows_from_the_variance() {
        for scale in [0.3f64, 1.0, 7.5, 1e6] {
            let q = (-1.0 / scale).exp();
            let variance = 2.0 * q / ((1.0 - q) * (1.0 - q));
            assert!((laplace_scale(variance) / scale - 1.0).abs() < 1e-6, "{scale}");
        }
    }

    #[test]
    fn equal_charges_are_one_release_made_several_times() {
        let part = |name: &str, charge| Allocation { statistic: name.into(), charge };
        let parts = [
            part("a", Charge::concentrated(500_000_000_000)),
            part("b", Charge::pure(1)),
            part("c", Charge::concentrated(500_000_000_000)),
        ];
        let found = releases(parts.iter());
        assert_eq!(found, [(Release::Gaussian { ratio: 1.0 }, 2), (Release::Pure { epsilon: 1e-12 }, 1)]);
    }
}
