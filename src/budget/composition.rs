//! What many releases cost together, for comparison in print: by Renyi divergences and by their privacy loss distribution. The ledger charges
//! by `accounting`; nothing is charged by what is computed here.
//!
//! A release is compared on two worlds P and Q that one unit tells apart; its noise is symmetric, so which of the two is P does not matter.
//!
//! - Renyi divergence of order a > 1: Gaussian a m^2 / 2, m being sensitivity over deviation, discrete noise no more than that (Canonne, Kamath
//!   and Steinke 2020, proposition 5); Laplace with e sensitivity over scale: ln(a / (2a - 1) e^((a - 1) e) + (a - 1) / (2a - 1) e^(-a e)) / (a - 1)
//!   (Mironov 2017, table II). They add up, and with the sum r and a share delta epsilon is r + ln(1 - 1/a) - ln(a delta) / (a - 1) at the best
//!   order (Canonne, Kamath and Steinke 2020, proposition 12).
//! - Privacy loss: delta(t) = sup over events of P - e^t Q, a convex function of e^t. Between the points of a grid of t it is replaced by its
//!   chord in e^t, which lies above it; the chords are the curve of losses on the grid (Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022,
//!   Connect the dots). Losses of several releases add up: their distributions are convolved. All masses are positive and summed without
//!   transforms, so small ones keep their digits. What is cut off at the top counts as an infinite loss. The result is an upper bound. The `error`
//!   beside it is what doubling the step adds, and by how much greatest losses were raised to a point of the grid: an estimate, no bound.

use super::accounting::gaussian_delta;

/// One release: its noise against what one unit changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Release {
    /// Sensitivity (root of the sum of squares) over deviation.
    Gaussian { ratio: f64 },
    /// Sensitivity over scale, in one number.
    Laplace { ratio: f64 },
    /// One integer that changes by `sensitivity`.
    DiscreteGaussian { sigma: f64, sensitivity: u32 },
    /// One integer that changes by `sensitivity`.
    DiscreteLaplace { scale: f64, sensitivity: u32 },
    /// The worst of all pure releases: randomised response (Kairouz, Oh and Viswanath 2015).
    Pure { epsilon: f64 },
}

/// An upper bound on epsilon, and how much of it may be owed to the grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    pub epsilon: f64,
    pub error: f64,
}

/// Epsilon at `delta` of releases, each made so many times, by Renyi divergences. Any order gives a valid epsilon: a search that stops early costs
/// tightness only. Infinite without a delta.
pub fn by_renyi(releases: &[(Release, u32)], delta: f64) -> f64 {
    let at = |order: f64| renyi_epsilon(releases, delta, order);
    let order = |step: f64| 1.0 + libm::exp(step);
    let coarse = (-40..=80).map(|step| 0.25 * f64::from(step)).min_by(|a, b| at(order(*a)).total_cmp(&at(order(*b))));
    let (mut low, mut high) = coarse.map_or((0.0, 0.0), |best| (best - 0.25, best + 0.25));
    for _ in 0..60 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if at(order(left)) <= at(order(right)) { high = right } else { low = left }
    }
    at(order(0.5 * (low + high))).max(0.0)
}

/// The same at one order.
fn renyi_epsilon(releases: &[(Release, u32)], delta: f64, order: f64) -> f64 {
    let sum: f64 = releases.iter().map(|(release, times)| f64::from(*times) * release.renyi(order)).sum();
    let epsilon = sum + libm::log1p(-1.0 / order) - libm::log(delta * order) / (order - 1.0);
    if epsilon.is_nan() { f64::INFINITY } else { epsilon }
}

/// Points of the grid between 0 and the greatest loss, at least and at most.
const POINTS: (f64, f64) = (4096.0, 16384.0);

/// Steps of the grid in the ratio of the release with the most noise, as far as [`POINTS`] allow.
const STEPS: f64 = 80.0;

/// Share of delta that is given up to what is cut off.
const CUT: f64 = 1e-6;

/// Epsilon at `delta` of releases, each made so many times, by their privacy loss distribution. Without a delta the sum of the greatest losses.
pub fn by_loss(releases: &[(Release, u32)], delta: f64) -> Bound {
    let most = |(release, times): &(Release, u32)| f64::from(*times) * release.loss_max();
    let greatest: f64 = releases.iter().map(most).sum();
    let times: f64 = releases.iter().map(|(_, times)| f64::from(*times)).sum();
    if delta <= 0.0 || delta.is_nan() || greatest == 0.0 {
        return Bound { epsilon: greatest, error: 0.0 };
    }
    let cut = CUT * delta / (4.0 * times);
    let reach = greatest.min(by_renyi(releases, cut));
    let least = releases.iter().map(|(release, _)| release.ratio()).filter(|ratio| *ratio > 0.0).fold(reach, f64::min);
    let points = (STEPS * reach / least).clamp(POINTS.0, POINTS.1).ceil();
    if !(reach > 0.0 && reach.is_finite()) {
        return Bound { epsilon: reach.max(0.0), error: 0.0 };
    }
    // An even number of steps in the least ratio, if there are so many: where a curve ends there, it ends on a point of both grids.
    let steps = 0.5 * least * points / reach;
    let step = if steps > 1.0 { least / (2.0 * steps.ceil()) } else { reach / points };
    let at = |step: f64| composed(releases, step, cut).epsilon(delta);
    let (fine, coarse) = (at(step), at(2.0 * step));
    // Where a greatest loss lies between two points it counts as the upper one.
    let raised = |(release, times): &(Release, u32)| {
        let most = release.loss_max() / step;
        if most.is_finite() { f64::from(*times) * (most.ceil() - most) * step } else { 0.0 }
    };
    let error = (coarse - fine).max(0.0) + releases.iter().map(raised).sum::<f64>();
    Bound { epsilon: fine.min(greatest).min(by_renyi(releases, delta)), error }
}

impl Release {
    /// Sensitivity over deviation or scale: the size of a usual loss.
    fn ratio(self) -> f64 {
        match self {
            Release::Gaussian { ratio } | Release::Laplace { ratio } => ratio,
            Release::DiscreteGaussian { sigma, sensitivity } => f64::from(sensitivity) / sigma,
            Release::DiscreteLaplace { scale, sensitivity } => f64::from(sensitivity) / scale,
            Release::Pure { epsilon } => epsilon,
        }
    }

    /// The greatest loss there can be.
    fn loss_max(self) -> f64 {
        match self {
            Release::Gaussian { ratio: 0.0 } => 0.0,
            Release::DiscreteGaussian { sensitivity: 0, .. } => 0.0,
            Release::Gaussian { .. } | Release::DiscreteGaussian { .. } => f64::INFINITY,
            Release::Laplace { .. } | Release::DiscreteLaplace { .. } | Release::Pure { .. } => self.ratio(),
        }
    }

    /// Renyi divergence of an order above 1.
    fn renyi(self, order: f64) -> f64 {
        let (a, e) = (order, self.ratio());
        // ln(weight e^(grown) + rest) / (a - 1), without overflow.
        let scaled =
            |weight: f64, grown: f64, rest: f64| (grown + libm::log(weight + rest * libm::exp(-grown))) / (a - 1.0);
        match self {
            Release::Gaussian { .. } | Release::DiscreteGaussian { .. } => 0.5 * a * e * e,
            Release::Laplace { .. } => {
                scaled(a / (2.0 * a - 1.0), (a - 1.0) * e, (a - 1.0) / (2.0 * a - 1.0) * libm::exp(-a * e))
            }
            Release::Pure { .. } => {
                let odds = libm::exp(-e);
                scaled(1.0 / (1.0 + odds), (a - 1.0) * e, odds / (1.0 + odds) * libm::exp(-(a - 1.0) * e))
            }
            Release::DiscreteLaplace { scale, sensitivity } => {
                // Below both centres, between them (a geometric sum), above both.
                let q = libm::exp(-1.0 / scale);
                let r = libm::exp(-(2.0 * a - 1.0) / scale);
                let between = f64::from(sensitivity.saturating_sub(1));
                let sum = if r < 1.0 { r * (1.0 - r.powf(between)) / (1.0 - r) } else { between };
                let above = libm::exp(-(a - 1.0) * e - e) / (1.0 + q);
                scaled((1.0 + (1.0 - q) * sum) / (1.0 + q), (a - 1.0) * e, above)
            }
        }
    }

    /// delta(t) at losses t >= 0, ascending.
    fn deltas(self, at: &[f64]) -> Vec<f64> {
        let each = |of: &dyn Fn(f64) -> f64| at.iter().map(|&t| of(t).max(0.0)).collect();
        let e = self.ratio();
        if e == 0.0 {
            return vec![0.0; at.len()];
        }
        match self {
            Release::Gaussian { ratio } => each(&|t| gaussian_delta(t, ratio)),
            Release::Laplace { .. } => each(&|t| if t < e { -libm::expm1(0.5 * (t - e)) } else { 0.0 }),
            Release::Pure { .. } => each(&|t| if t < e { -libm::expm1(t - e) / (1.0 + libm::exp(-e)) } else { 0.0 }),
            Release::DiscreteLaplace { scale, sensitivity } => {
                let q = libm::exp(-1.0 / scale);
                let tail = |k: f64| match k >= 0.0 {
                    true => libm::exp(-k / scale) / (1.0 + q),
                    false => 1.0 - libm::exp((k - 1.0) / scale) / (1.0 + q),
                };
                let d = f64::from(sensitivity);
                each(&|t| {
                    let first = (0.5 * (d + scale * t)).floor() + 1.0;
                    if t < e { tail(first - d) - libm::exp(t) * tail(first) } else { 0.0 }
                })
            }
            Release::DiscreteGaussian { sigma, .. } if sigma > SIGMA_MAX => each(&|t| gaussian_delta(t, e)),
            Release::DiscreteGaussian { sigma, sensitivity } => {
                let tails = tails(sigma);
                let tail = |k: f64| match k >= 1.0 {
                    true => tails.get(k as usize).copied().unwrap_or(0.0),
                    false => 1.0 - tails.get((1.0 - k) as usize).copied().unwrap_or(0.0),
                };
                let d = f64::from(sensitivity);
                each(&|t| {
                    let first = (0.5 * d + t * sigma * sigma / d).floor() + 1.0;
                    tail(first - d) - libm::exp(t) * tail(first)
                })
            }
        }
    }
}

/// Above this deviation integer noise is taken for continuous: the curves differ by less than one part in 24 sigma^2.
const SIGMA_MAX: f64 = 1e5;

/// P(X >= k) of the discrete Gaussian, by k from 0, as far as it is above 0.
fn tails(sigma: f64) -> Vec<f64> {
    let weight = |k: usize| libm::exp(-0.5 * (k as f64 / sigma) * (k as f64 / sigma));
    let last = (40.0 * sigma).ceil() as usize;
    let mut tails = vec![0.0; last + 1];
    let mut sum = 0.0;
    for k in (0..=last).rev() {
        sum += weight(k);
        tails[k] = sum;
    }
    let whole = 2.0 * tails.get(1).copied().unwrap_or(0.0) + 1.0;
    tails.iter_mut().for_each(|tail| *tail /= whole);
    tails
}

/// Losses on the multiples of a step: their masses under P from the multiple `first` on, and the mass of an infinite loss.
#[derive(Debug, Clone)]
struct Losses {
    step: f64,
    first: i64,
    mass: Vec<f64>,
    infinite: f64,
}

fn composed(releases: &[(Release, u32)], step: f64, cut: f64) -> Losses {
    let mut all = Losses { step, first: 0, mass: vec![1.0], infinite: 0.0 };
    for &(release, times) in releases {
        let (mut power, mut left) = (Losses::of(release, step, cut), times);
        while left > 0 {
            if left % 2 == 1 {
                all = all.and(&power, cut);
            }
            left /= 2;
            if left > 0 {
                power = power.and(&power, cut);
            }
        }
    }
    all
}

/// Most points of one release. A release that reaches beyond them is cut off there.
const LONGEST: usize = 1 << 16;

impl Losses {
    /// The losses whose curve is the chords of the curve of a release.
    fn of(release: Release, step: f64, cut: f64) -> Losses {
        let mut points = 64;
        let curve = loop {
            let at: Vec<f64> = (0..=points).map(|i| i as f64 * step).collect();
            let mut curve = release.deltas(&at);
            if let Some(end) = curve.iter().position(|delta| *delta <= cut) {
                curve.truncate(end + 1);
                break curve;
            }
            if points >= LONGEST {
                break curve;
            }
            points *= 2;
        };
        // At the point i the chords change their slope in e^t; both sides are multiplied by e^t.
        let (ahead, behind) = (libm::expm1(step), -libm::expm1(-step));
        let last = curve.len() - 1;
        let mass = |i: usize| {
            let next = if i < last { (curve[i + 1] - curve[i]) / ahead } else { 0.0 };
            (next + (curve[i - 1] - curve[i]) / behind).max(0.0)
        };
        let above: Vec<f64> = (1..=last).map(mass).collect();
        let infinite = curve[last];
        // Noise is symmetric: what P gives to a loss, Q gives to its opposite.
        let below: Vec<f64> = (1..).zip(&above).map(|(i, mass)| mass * libm::exp(-f64::from(i) * step)).collect();
        let zero = (1.0 - infinite - above.iter().sum::<f64>() - below.iter().sum::<f64>()).max(0.0);
        let mass: Vec<f64> = below.into_iter().rev().chain([zero]).chain(above).collect();
        Losses { step, first: -(last as i64), mass, infinite }
    }

    /// The losses of both, one after the other.
    fn and(&self, other: &Losses, cut: f64) -> Losses {
        let mut mass = vec![0.0; self.mass.len() + other.mass.len() - 1];
        for (i, a) in self.mass.iter().enumerate() {
            mass[i..i + other.mass.len()].iter_mut().zip(&other.mass).for_each(|(sum, b)| *sum += a * b);
        }
        let infinite = self.infinite + other.infinite - self.infinite * other.infinite;
        Losses { step: self.step, first: self.first + other.first, mass, infinite }.trimmed(cut)
    }

    /// Without ends of a mass of at most `cut`: the upper one counts as infinite, the lower one as the least loss that is left.
    fn trimmed(mut self, cut: f64) -> Losses {
        let mut ended = 0.0;
        while let Some(last) = self.mass.pop_if(|last| ended + *last <= cut) {
            ended += last;
        }
        self.infinite += ended;
        let (mut from, mut moved) = (0, 0.0);
        while from + 1 < self.mass.len() && moved + self.mass[from] <= cut {
            moved += self.mass[from];
            from += 1;
        }
        self.mass.drain(..from);
        self.first += from as i64;
        if let Some(least) = self.mass.first_mut() {
            *least += moved;
        }
        self
    }

    /// The least t >= 0 at which delta(t) = infinite + sum of mass (1 - e^(t - loss)) over greater losses is at most `delta`.
    fn epsilon(&self, delta: f64) -> f64 {
        if self.infinite > delta {
            return f64::INFINITY;
        }
        // Masses above, and the same times e^(loss of the point at hand - loss).
        let (mut all, mut shrunk) = (self.infinite, 0.0);
        let mut i = self.first + self.mass.len() as i64;
        for mass in self.mass.iter().rev() {
            i -= 1;
            all += mass;
            shrunk += mass;
            let below = libm::exp(-self.step);
            if all - below * shrunk > delta {
                return (i as f64 * self.step + libm::log((all - delta) / shrunk)).max(0.0);
            }
            shrunk *= below;
            if i <= 0 {
                break;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests;
