//! Tests of subgroups on the half they were not found on.
//!
//! | rows | difference of subgroup and all other rows | test |
//! |---|---|---|
//! | independent, loss 0 or 1 | Newcombe 1998, method 10 | Fisher's exact test, the tail of more loss, doubled |
//! | independent, numbers | Student t | Welch 1947 |
//! | sharing units, or with weights | delete-a-bucket jackknife | Student t of the jackknife |
//!
//! Fisher's tail is doubled, so a p-value below 1 minus the confidence is one of a two-sided test. Given the searched half the subgroups tested are
//! fixed, so Holm's procedure over them holds the chance that any is reported, when none is worse than the other rows, at 1 minus the
//! confidence.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::estimate::{BUCKETS, BUCKETS_MIN, Measured, Sample, Share, contrast};
use crate::metric::{Against, Comparison};
use crate::statistic::Cell;

/// Losses of the tested half: of the rows in a subgroup and outside it.
pub struct Tested {
    /// Loss, whether it is in the subgroup, bucket.
    pub rows: Vec<(f64, bool, u32)>,
    /// Losses are numbers, not 0 or 1.
    pub numeric: bool,
    pub dependent: bool,
}

/// What a test said.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub inside: Measured,
    pub outside: Measured,
    pub difference: Measured,
    /// Two-sided; 1 where there is too little to test.
    pub p: f64,
    /// Rows and total loss inside; rows and total loss of all.
    pub counts: [(usize, f64); 2],
}

impl Tested {
    pub fn test(&self, confidence: f64) -> Outcome {
        let side = |inside: bool| self.rows.iter().filter(move |row| row.1 == inside);
        let [inside, outside] = [true, false].map(|inside| self.sample(inside));
        let sum = |inside: bool| side(inside).map(|row| row.0).sum::<f64>();
        let n = |inside: bool| side(inside).count();
        let ((a, na), (b, nb)) = ((sum(true), n(true)), (sum(false), n(false)));
        let p = match (self.dependent, self.numeric) {
            (true, _) => self.jackknife(),
            (false, false) => (2.0 * fisher(a as u64, na as u64, (a + b) as u64, (na + nb) as u64)).min(1.0),
            (false, true) => welch(moments(side(true)), moments(side(false))),
        };
        let everyone = Sample::share(&Share::default());
        let both = [inside.clone(), outside.clone()];
        let difference = contrast(Comparison::Difference, Against::Reference, &both, &everyone, Some(1), confidence)
            .into_iter()
            .next()
            .map_or(Measured::Undefined { why: crate::estimate::Why::EmptyDenominator }, |first| first.measured);
        Outcome {
            inside: inside.measure(confidence),
            outside: outside.measure(confidence),
            difference,
            p,
            counts: [(na, a), (na + nb, a + b)],
        }
    }

    fn sample(&self, inside: bool) -> Sample {
        let own = || self.rows.iter().filter(move |row| row.1 == inside);
        let n = own().count() as i64;
        if self.dependent {
            let shares = self.by_bucket(inside);
            if !self.numeric {
                let share = |&(loss, n): &(f64, usize)| Share {
                    numerator: Cell::rows(loss as i64),
                    denominator: Cell::rows(n as i64),
                };
                return Sample::bucketed_share(&shares.iter().map(share).collect::<Vec<_>>());
            }
            let filled = shares.iter().filter(|(_, n)| *n > 0).count();
            return Sample::buckets(mean(&shares), left_out(&shares), filled, n);
        }
        if self.numeric {
            let (mean, variance, n) = moments(own());
            return Sample::mean(mean, (variance / n.max(1.0)).sqrt(), n as i64);
        }
        let wrong = own().map(|row| row.0).sum::<f64>() as i64;
        Sample::share(&Share { numerator: Cell::rows(wrong), denominator: Cell::rows(n) })
    }

    /// Total loss and rows of every bucket.
    fn by_bucket(&self, inside: bool) -> Vec<(f64, usize)> {
        let mut buckets = vec![(0.0, 0usize); BUCKETS as usize];
        for (loss, own, bucket) in &self.rows {
            if let Some(slot) = buckets.get_mut(*bucket as usize).filter(|_| *own == inside) {
                slot.0 += loss;
                slot.1 += 1;
            }
        }
        buckets
    }

    /// Student t of the difference of means over its delete-a-bucket jackknife error.
    fn jackknife(&self) -> f64 {
        let [inside, outside] = [true, false].map(|inside| self.by_bucket(inside));
        let filled = |of: &[(f64, usize)]| of.iter().filter(|(_, n)| *n > 0).count();
        let few = filled(&inside).min(filled(&outside));
        let (Some(a), Some(b)) = (mean(&inside), mean(&outside)) else { return 1.0 };
        let deleted = left_out(&inside).into_iter().zip(left_out(&outside));
        let deleted: Option<Vec<f64>> = deleted.map(|(a, b)| Some(a? - b?)).collect();
        let Some(deleted) = deleted.filter(|_| few >= BUCKETS_MIN) else { return 1.0 };
        let m = filled(&inside).max(filled(&outside)) as f64;
        let middle = deleted.iter().sum::<f64>() / deleted.len() as f64;
        let variance = deleted.iter().map(|x| (x - middle) * (x - middle)).sum::<f64>() * (m - 1.0) / m;
        two_sided(a - b, variance, (few - 1) as f64)
    }
}

fn mean(buckets: &[(f64, usize)]) -> Option<f64> {
    let (loss, n) = buckets.iter().fold((0.0, 0), |(loss, rows), (l, n)| (loss + l, rows + n));
    (n > 0).then(|| loss / n as f64)
}

fn left_out(buckets: &[(f64, usize)]) -> Vec<Option<f64>> {
    let (loss, rows) = buckets.iter().fold((0.0, 0), |(loss, rows), (l, n)| (loss + l, rows + n));
    buckets.iter().map(|(l, n)| (rows > *n).then(|| (loss - l) / (rows - n) as f64)).collect()
}

/// Mean, variance, number.
fn moments<'a>(rows: impl Iterator<Item = &'a (f64, bool, u32)>) -> (f64, f64, f64) {
    let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for (loss, ..) in rows {
        n += 1.0;
        let step = loss - mean;
        mean += step / n;
        squares += step * (loss - mean);
    }
    (mean, if n > 1.0 { squares / (n - 1.0) } else { 0.0 }, n)
}

/// Welch's test; 1 where a side has fewer than two rows.
fn welch((a, va, na): (f64, f64, f64), (b, vb, nb): (f64, f64, f64)) -> f64 {
    if na < 2.0 || nb < 2.0 {
        return 1.0;
    }
    let (va, vb) = (va / na, vb / nb);
    let variance = va + vb;
    let df = variance * variance / (va * va / (na - 1.0) + vb * vb / (nb - 1.0));
    two_sided(a - b, variance, df)
}

fn two_sided(difference: f64, variance: f64, df: f64) -> f64 {
    let t = difference / variance.sqrt();
    match StudentsT::new(0.0, 1.0, df.max(1.0)) {
        Ok(law) if t.is_finite() && variance > 0.0 => (2.0 * law.sf(t.abs())).min(1.0),
        _ => 1.0,
    }
}

/// P(X >= a) for a hypergeometric X: of `all` rows with `ones` ones, n are drawn.
pub fn fisher(a: u64, n: u64, ones: u64, all: u64) -> f64 {
    let (least, most) = ((n + ones).saturating_sub(all), n.min(ones));
    if a <= least {
        return 1.0;
    }
    if a > most || n > all || ones > all {
        return 0.0;
    }
    let choose = |n: u64, k: u64| {
        let gamma = |x: u64| libm::lgamma(x as f64 + 1.0);
        gamma(n) - gamma(k) - gamma(n - k)
    };
    let first = choose(ones, a) + choose(all - ones, n - a) - choose(all, n);
    let (mut term, mut sum) = (1.0, 1.0);
    for x in a..most {
        let up = (ones - x) as f64 * (n - x) as f64;
        let down = (x + 1) as f64 * (all + x + 1 - ones - n) as f64;
        term *= up / down;
        sum += term;
        if term < 1e-18 * sum {
            break;
        }
    }
    (libm::exp(first) * sum).min(1.0)
}

/// Log-likelihood ratio of a share of its own in a subgroup against the share of all: n KL(share of the subgroup || share of all); 0 where the
/// subgroup has no more (Kulldorff 1997; Zhang and Neill 2016 with one expectation for all rows).
pub fn likelihood_ratio((n, loss): (usize, f64), (all, total): (usize, f64)) -> f64 {
    let (p, q) = (loss / n as f64, total / all as f64);
    let part = |share: f64, own: f64, of_all: f64| if share > 0.0 { share * libm::log(own / of_all) } else { 0.0 };
    match p > q && q > 0.0 && q < 1.0 {
        true => n as f64 * (part(p, p, q) + part(1.0 - p, 1.0 - p, 1.0 - q)),
        false => 0.0,
    }
}
