//! The curvature of the log loss at a point, from noisy sums of products: F / n = mean of w (1, s)(1, s)', w = p (1 - p).
//!
//! It is not released. Rows are divided by the levels of one block of indicators, whose shares pi and means u the sums hold; within a level the
//! features are taken for normal with the covariance W left between the features, W = cov - sum of pi u u'. With h = eta less its mean in the
//! level, v = var(h) = b'W b and r = W b / v the part of a level in F is, with u = (1, mean) and r = (0, r),
//!
//! pi (E w u u' + E[w h] (u r' + r u') + E[w h^2] r r' + E w (W - v r r')),
//!
//! expectations by the trapezoid rule. Of several blocks the one that moves the predictor most divides; without one there is a single level. At zero w is
//! 1/4 and F is X'X / 4, the bound of Boehning and Lindsay (1988, Annals of the Institute of Statistical Mathematics 40).

use super::super::design::Design;
use super::super::factor::{Symmetric, dot};
use super::super::newton::{Local, Point};
use super::super::projection;
use super::Noisy;

/// Least share of a level that divides rows.
const SHARE_MIN: f64 = 1e-3;

/// What the sums hold of the features, on the scale of the penalty and centred.
pub struct Curvature {
    /// Covariance, with the floor.
    pub covariance: Symmetric,
    divisions: Vec<Division>,
}

/// Rows divided by the levels of a block.
struct Division {
    levels: Vec<Level>,
    within: Symmetric,
}

struct Level {
    share: f64,
    mean: Vec<f64>,
}

impl Curvature {
    pub fn of(noisy: &Noisy, design: &Design, gram: &Symmetric, floor: f64) -> Curvature {
        let size = design.size();
        let extra = |k: usize| floor / (noisy.n * design.scale(k) * design.scale(k));
        let covariance = Symmetric::of(size, |k, l| {
            let own = if k == l { extra(k) } else { 0.0 };
            gram.get(k, l) / (noisy.n * design.scale(k) * design.scale(l)) + own
        });
        let block = |k: usize| design.features[design.active[k]].block;
        let blocks: std::collections::BTreeSet<u32> = (0..size).filter_map(block).collect();
        let divide = |of: &u32| {
            let inside: Vec<usize> = (0..size).filter(|&k| block(k) == Some(*of)).collect();
            Division::of(noisy, design, &covariance, &inside, &extra)
        };
        let mut divisions: Vec<Division> = blocks.iter().filter_map(divide).collect();
        if divisions.is_empty() {
            let levels = vec![Level { share: 1.0, mean: vec![0.0; size] }];
            divisions.push(Division { levels, within: covariance.clone() });
        }
        Curvature { covariance, divisions }
    }

    /// F / n at a point, without slopes; w counts as at least `least`.
    pub fn at(&self, at: &Point, least: f64) -> Local {
        let size = self.covariance.size;
        let mut sum = vec![0.0; (size + 1) * (size + 1)];
        let division = self.divisions.iter().reduce(|a, b| if b.moves(at) > a.moves(at) { b } else { a });
        if let Some(division) = division {
            let with = division.within.times(&at.b);
            let variance = dot(&at.b, &with).max(0.0);
            let r = |k: usize| if k > 0 && variance > 0.0 { with[k - 1] / variance } else { 0.0 };
            for level in &division.levels {
                let [w, wh, whh] = weights(at.b0 + dot(&at.b, &level.mean), variance.sqrt(), least);
                let u = |k: usize| if k > 0 { level.mean[k - 1] } else { 1.0 };
                for (at, sum) in sum.iter_mut().enumerate() {
                    let (k, l) = (at / (size + 1), at % (size + 1));
                    let within = if k > 0 && l > 0 { division.within.get(k - 1, l - 1) } else { 0.0 };
                    let part = w * u(k) * u(l)
                        + wh * (u(k) * r(l) + r(k) * u(l))
                        + whh * r(k) * r(l)
                        + w * (within - variance * r(k) * r(l));
                    *sum += level.share * part;
                }
            }
        }
        Local {
            slope0: 0.0,
            slope: vec![0.0; size],
            curve00: sum[0],
            curve0: sum[1..=size].to_vec(),
            curve: Symmetric::of(size, |k, l| sum[(k + 1) * (size + 1) + l + 1]),
        }
    }
}

impl Division {
    /// The division by these indicators; none where their rows are too few.
    fn of(
        noisy: &Noisy,
        design: &Design,
        covariance: &Symmetric,
        inside: &[usize],
        extra: &dyn Fn(usize) -> f64,
    ) -> Option<Division> {
        let size = design.size();
        let share = |k: usize| design.mean(k);
        let rest = 1.0 - inside.iter().map(|&k| share(k)).sum::<f64>();
        if rest < SHARE_MIN || inside.iter().any(|&k| share(k) < SHARE_MIN) {
            return None;
        }
        let mean = |level: usize, l: usize| {
            let z = match inside.contains(&l) {
                true => f64::from(u8::from(l == level)),
                false => noisy.sums.get(design.active[level] + 1, design.active[l] + 1) / (noisy.n * share(level)),
            };
            (z.clamp(-1.0, 1.0) - design.mean(l)) / design.scale(l)
        };
        let mut levels: Vec<Level> = inside
            .iter()
            .map(|&level| Level { share: share(level), mean: (0..size).map(|l| mean(level, l)).collect() })
            .collect();
        // The mean of all rows is zero.
        let other = |l: usize| -levels.iter().map(|level| level.share * level.mean[l]).sum::<f64>() / rest;
        levels.push(Level { share: rest, mean: (0..size).map(other).collect() });
        let between = |k: usize, l: usize| levels.iter().map(|a| a.share * a.mean[k] * a.mean[l]).sum::<f64>();
        let within = Symmetric::of(size, |k, l| match inside.contains(&k) || inside.contains(&l) {
            // A level has one value of its indicators.
            true if k == l => extra(k),
            true => 0.0,
            false => covariance.get(k, l) - between(k, l),
        });
        Some(Division { within: projection::positive(&within), levels })
    }

    /// Variance of the predictor between the levels.
    fn moves(&self, at: &Point) -> f64 {
        self.levels.iter().map(|level| level.share * dot(&at.b, &level.mean) * dot(&at.b, &level.mean)).sum()
    }
}

/// E w, E[w h] and E[w h^2] of w = p (1 - p) but at least `least`, p = 1 / (1 + exp(-mean - h)), h normal with mean 0.
fn weights(mean: f64, deviation: f64, least: f64) -> [f64; 3] {
    let mut sums = [0.0; 3];
    let mut total = 0.0;
    for i in -32..=32 {
        let x = f64::from(i) / 4.0;
        let density = libm::exp(-x * x / 2.0);
        let h = deviation * x;
        let p = 1.0 / (1.0 + libm::exp(-mean - h));
        let w = density * (p * (1.0 - p)).max(least);
        total += density;
        sums[0] += w;
        sums[1] += w * h;
        sums[2] += w * h * h;
    }
    sums.map(|sum| sum / total)
}
