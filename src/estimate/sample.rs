//! What is known about the value of one cohort, before it is compared.

use rand::Rng;
use rand_distr::{Binomial, Distribution, Exp1, StandardNormal};

use super::noise::{Cut, Spread};
use super::proportion::Proportion;
use super::{
    BUCKETS_MIN, Basis, Combination, Combined, Estimate, Figure, Gaps, Interval, Measured, Method, Noise, NoisyShare,
    Share, Support, Why, within_width,
};
use crate::statistic::Cell;

/// Number of buckets of the unit's hash.
pub const BUCKETS: u32 = 200;

/// The value of one cohort and its error.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// No value.
    None(Why),
    /// A share of independent rows of equal weight.
    Rows { p: f64, n: i64 },
    /// A value with a standard error.
    Error {
        point: f64,
        se: f64,
        n: i64,
        /// Student t with these degrees of freedom; normal without.
        df: Option<f64>,
        lower: f64,
        upper: f64,
        method: Method,
        /// Sorted bootstrap replicates, where the own interval is made of their percentiles.
        replicates: Option<Vec<f64>>,
        /// True for a mean over rows: the value of everyone is the average of the cohorts' values.
        mean: bool,
    },
    /// A value, and the values with one bucket of units left out.
    Buckets {
        point: f64,
        /// One per bucket; a bucket without rows of the cohort leaves the point as it is.
        left_out: Vec<f64>,
        /// Buckets with rows.
        filled: usize,
        n: i64,
        /// Kish's effective number of rows.
        n_effective: f64,
        /// A share: kept within 0 and 1.
        share: bool,
    },
    /// A combination of shares of independent rows.
    Combined(Combined),
    /// A share of counts with noise.
    Noisy(NoisyShare),
    /// Another figure of evidence with noise.
    Figure(Figure),
    /// A sum of absolute gaps with noise: bounds, and nothing to compare.
    Gaps(Gaps),
}

impl Sample {
    /// A share of independent rows.
    pub fn share(share: &Share) -> Sample {
        match share.value() {
            Some(p) => Sample::Rows { p, n: share.denominator.n },
            None => Sample::None(Why::EmptyDenominator),
        }
    }

    /// A combination of shares of independent rows.
    pub fn combined(of: Combination) -> Sample {
        Combined::of(of).map_or_else(Sample::None, Sample::Combined)
    }

    /// A share of counts with noise.
    pub fn noisy_share(share: &Share, noise: &Noise) -> Sample {
        NoisyShare::of(share, noise)
            .map_or_else(|| Sample::None(noise.why_not(share.denominator.n as f64)), Sample::Noisy)
    }

    /// A share from one share per bucket.
    pub fn bucketed_share(buckets: &[Share]) -> Sample {
        let total = buckets.iter().fold(Share::default(), |sum, &share| sum + share);
        let Some(point) = total.value() else {
            let empty = total.denominator.n == 0;
            return Sample::None(if empty { Why::EmptyDenominator } else { Why::NoWeight });
        };
        let mut left_out = Vec::with_capacity(buckets.len());
        for share in buckets {
            match (total - *share).value() {
                Some(value) => left_out.push(value),
                None => return Sample::None(Why::TooFewBuckets),
            }
        }
        let filled = buckets.iter().filter(|share| share.denominator.n != 0).count();
        if filled < BUCKETS_MIN {
            return Sample::None(Why::TooFewBuckets);
        }
        let (w, ww) = (total.denominator.w as f64, total.denominator.ww as f64);
        Sample::Buckets { point, left_out, filled, n: total.denominator.n, n_effective: w * w / ww, share: true }
    }

    /// Any figure from its value and the values with one bucket left out; none where these are all alike, for they tell nothing of its error.
    pub fn buckets(point: Option<f64>, left_out: Vec<Option<f64>>, filled: usize, n: i64) -> Sample {
        let Some(point) = point else { return Sample::None(Why::EmptyDenominator) };
        if filled < BUCKETS_MIN {
            return Sample::None(Why::TooFewBuckets);
        }
        match left_out.into_iter().collect::<Option<Vec<f64>>>() {
            Some(left_out) if !vary(point, &left_out) => Sample::None(Why::BucketsDoNotVary),
            Some(left_out) => Sample::Buckets { point, left_out, filled, n, n_effective: n as f64, share: false },
            None => Sample::None(Why::TooFewBuckets),
        }
    }

    /// A mean over n rows with the standard error of a mean.
    pub fn mean(mean: f64, se: f64, n: i64) -> Sample {
        let df = Some((n - 1) as f64);
        let (lower, upper) = (f64::NEG_INFINITY, f64::INFINITY);
        match n {
            0 => Sample::None(Why::EmptyDenominator),
            1 => Sample::None(Why::TooFewRows),
            _ => Sample::Error {
                point: mean,
                se,
                n,
                df,
                lower,
                upper,
                method: Method::Student,
                replicates: None,
                mean: true,
            },
        }
    }

    /// A figure of a confusion table's cells, from their bootstrap.
    pub fn bootstrapped(point: Option<f64>, mut replicates: Vec<f64>, n: i64, lower: f64, upper: f64) -> Sample {
        let Some(point) = point else { return Sample::None(Why::EmptyDenominator) };
        if replicates.len() < 2 {
            return Sample::None(Why::TooFewRows);
        }
        replicates.sort_by(f64::total_cmp);
        let mean = replicates.iter().sum::<f64>() / replicates.len() as f64;
        let variance = replicates.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (replicates.len() - 1) as f64;
        let (se, replicates) = (variance.sqrt(), Some(replicates));
        Sample::Error { point, se, n, df: None, lower, upper, method: Method::Bootstrap, replicates, mean: false }
    }

    /// A figure of a noisy confusion table, from the bootstrap of its cells and their noise. Kept within the ends.
    /// No value when noise leaves more than one in twenty of the wanted replicates without one.
    pub fn noisy_bootstrapped(
        point: Option<f64>,
        mut replicates: Vec<f64>,
        wanted: u32,
        n: i64,
        ends: (f64, f64),
    ) -> Sample {
        let enough = replicates.len() >= 2 && replicates.len() as f64 >= 0.95 * f64::from(wanted);
        let Some(point) = point.filter(|point| enough && point.is_finite()) else {
            return Sample::None(Why::NoiseExceedsCohort);
        };
        let point = point.clamp(ends.0, ends.1);
        replicates.sort_by(f64::total_cmp);
        let mean = replicates.iter().sum::<f64>() / replicates.len() as f64;
        let variance = replicates.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (replicates.len() - 1) as f64;
        let ((lower, upper), method) = (ends, Method::NoisyBootstrap);
        let (spread, replicates) = (Spread::normal(variance), Some(replicates));
        Sample::Figure(Figure { point, spread, n, df: None, lower, upper, method, replicates, mean: None })
    }

    /// The sample without its replicates: its point and error are enough to compare it.
    pub(super) fn without_replicates(&self) -> Sample {
        match self {
            Sample::Error { point, se, n, df, lower, upper, method, replicates: Some(_), mean } => {
                let (point, se, n, df, lower, upper, method, mean) =
                    (*point, *se, *n, *df, *lower, *upper, *method, *mean);
                Sample::Error { point, se, n, df, lower, upper, method, replicates: None, mean }
            }
            Sample::Figure(Figure { point, spread, n, df, lower, upper, method, replicates: Some(_), mean }) => {
                let (point, spread, n, df, lower, upper, method, mean) =
                    (*point, *spread, *n, *df, *lower, *upper, *method, *mean);
                Sample::Figure(Figure { point, spread, n, df, lower, upper, method, replicates: None, mean })
            }
            other => other.clone(),
        }
    }

    /// The value. A noisy share may be below 0 or above 1.
    pub fn point(&self) -> Option<f64> {
        match self {
            Sample::None(_) => None,
            Sample::Rows { p, .. } => Some(*p),
            Sample::Error { point, .. } | Sample::Buckets { point, .. } => Some(*point),
            Sample::Combined(combined) => Some(combined.point),
            Sample::Noisy(share) => Some(share.point()),
            Sample::Figure(figure) => Some(figure.point),
            Sample::Gaps(gaps) => Some(gaps.point()),
        }
    }

    pub(super) fn why(&self) -> Why {
        match self {
            Sample::None(why) => *why,
            Sample::Rows { .. } | Sample::Error { .. } | Sample::Buckets { .. } => Why::EmptyDenominator,
            Sample::Combined(_) | Sample::Noisy(_) | Sample::Figure(_) | Sample::Gaps(_) => Why::EmptyDenominator,
        }
    }

    /// A sample with noise as it may be shown: without a value when its interval would be wider than this. Of a share the widest interval
    /// at its denominator counts.
    pub fn kept(self, confidence: f64, width_max: f64) -> Sample {
        let wide = match &self {
            Sample::Noisy(share) => share.width_max(&Cut::of(super::normal(confidence), 1.0)) > width_max,
            Sample::Figure(_) | Sample::Gaps(_) => {
                within_width(self.measure(confidence), width_max).estimate().is_none()
            }
            Sample::None(_)
            | Sample::Rows { .. }
            | Sample::Error { .. }
            | Sample::Buckets { .. }
            | Sample::Combined(_) => false,
        };
        if wide { Sample::None(Why::NoiseExceedsCohort) } else { self }
    }

    /// True for evidence with noise.
    pub fn is_noisy(&self) -> bool {
        matches!(self, Sample::Noisy(_) | Sample::Figure(_) | Sample::Gaps(_))
    }

    /// Rows in the denominator.
    pub fn n(&self) -> i64 {
        match self {
            Sample::None(_) => 0,
            Sample::Rows { n, .. } | Sample::Error { n, .. } | Sample::Buckets { n, .. } => *n,
            Sample::Combined(combined) => combined.n(),
            Sample::Noisy(share) => share.n(),
            Sample::Figure(figure) => figure.n,
            Sample::Gaps(gaps) => gaps.rows.0.round() as i64,
        }
    }

    /// Independent rows of equal weight that would give the same error.
    ///
    /// From the jackknife p(1-p)/se^2. A share of 0 or 1 has no jackknife error; there it is the smaller of Kish's number and the number of
    /// buckets with rows, because units may be as few as those.
    pub(super) fn n_effective(&self) -> f64 {
        match self {
            Sample::None(_) => 0.0,
            Sample::Rows { n, .. } | Sample::Error { n, .. } => *n as f64,
            Sample::Noisy(share) => share.n_effective(),
            Sample::Combined(_) | Sample::Figure(_) | Sample::Gaps(_) => self.n() as f64,
            Sample::Buckets { point, left_out, filled, n, n_effective, share } => {
                let se = jackknife_se(left_out, *filled);
                let variance = point * (1.0 - point);
                match (*share, variance > 0.0 && se > 0.0) {
                    (true, true) => (variance / (se * se)).min(*n as f64),
                    (true, false) => n_effective.min(*filled as f64),
                    (false, _) => *n as f64,
                }
            }
        }
    }

    /// The value with its interval.
    pub fn measure(&self, confidence: f64) -> Measured {
        let (basis, method) = match self {
            Sample::None(why) => return Measured::Undefined { why: *why },
            Sample::Rows { p, n } => {
                let share = Proportion::counted(*p, *n);
                let method = if share.is_few() { Method::ClopperPearson } else { Method::Wilson };
                (Basis::Score { share, df: None }, method)
            }
            Sample::Error { replicates: Some(replicates), method, .. } => {
                (Basis::Replicates(replicates.clone()), *method)
            }
            Sample::Error { se, df, lower, upper, method, .. } => {
                (Basis::Error { se: *se, df: *df, lower: *lower, upper: *upper }, *method)
            }
            Sample::Buckets { point, filled, share: true, .. } => {
                let df = Some((*filled - 1) as f64);
                (Basis::Score { share: Proportion::effective(*point, self.n_effective()), df }, Method::Jackknife)
            }
            Sample::Buckets { left_out, filled, .. } => {
                let (se, df) = (jackknife_se(left_out, *filled), Some((*filled - 1) as f64));
                (Basis::Error { se, df, lower: f64::NEG_INFINITY, upper: f64::INFINITY }, Method::Jackknife)
            }
            Sample::Combined(combined) => (Basis::Combined(*combined), Method::Mover),
            Sample::Noisy(share) if !share.is_bounded(super::normal(confidence)) => {
                return Measured::Undefined { why: Why::NoiseExceedsCohort };
            }
            Sample::Noisy(share) => (Basis::NoisyShare(*share), Method::NoisyScore),
            Sample::Figure(figure) => (Basis::NoisyFigure(Box::new(figure.clone())), figure.method),
            Sample::Gaps(gaps) => (Basis::Gaps(gaps.clone()), Method::NoisyGaps),
        };
        let point = match self {
            Sample::Noisy(share) => share.within().point(),
            _ => self.point().unwrap_or_default(),
        };
        let interval: Interval = basis.interval(confidence, point);
        let support = Support { n: self.n(), n_effective: self.n_effective() };
        Measured::Estimated(Estimate { point, interval, confidence, support, method, basis })
    }
}

/// True when a value with a bucket left out differs from the point by more than its last digits.
fn vary(point: f64, left_out: &[f64]) -> bool {
    left_out.iter().any(|value| (value - point).abs() > 16.0 * f64::EPSILON * point.abs())
}

/// sqrt((m - 1) / m sum of (left out - mean)^2) over the m buckets with rows (Shao and Tu 1995, 2.3).
pub(super) fn jackknife_se(left_out: &[f64], filled: usize) -> f64 {
    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let m = filled as f64;
    (left_out.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() * (m - 1.0) / m).sqrt()
}

/// Draws tables of the same number of rows from the multinomial distribution of the cells and computes a figure of each.
/// Replicates in which it is undefined are left out.
pub fn bootstrap<const K: usize>(
    cells: [i64; K],
    random: &mut impl Rng,
    replicates: u32,
    of: impl Fn([f64; K]) -> Option<f64>,
) -> Vec<f64> {
    let shares = cells.map(|cell| cell.max(0) as f64);
    let rows = cells.iter().map(|&cell| cell.max(0) as u64).sum();
    draws(shares, rows, random, replicates, of)
}

/// The same with half a row added to every cell of the distribution drawn from: an empty cell is not an impossible one, and a figure at the
/// end of its range keeps an interval.
pub fn bootstrap_with_halves<const K: usize>(
    cells: [i64; K],
    random: &mut impl Rng,
    replicates: u32,
    of: impl Fn([f64; K]) -> Option<f64>,
) -> Vec<f64> {
    let shares = cells.map(|cell| cell.max(0) as f64 + 0.5);
    let rows = cells.iter().map(|&cell| cell.max(0) as u64).sum();
    draws(shares, rows, random, replicates, of)
}

/// Tables drawn anew from noisy counts: the multinomial bootstrap of the counts kept at 0 or above, half a row added to each, and to every
/// cell fresh noise of the law it was released with. The draws of noise are normal or Laplace numbers: nothing is released by them.
pub fn noisy_bootstrap<const K: usize>(
    cells: [Cell; K],
    noise: &Noise,
    random: &mut impl Rng,
    replicates: u32,
    of: impl Fn([f64; K]) -> Option<f64>,
) -> Vec<f64> {
    let shares = cells.map(|cell| cell.n.max(0) as f64 + 0.5);
    let rows = cells.iter().map(|cell| cell.n.max(0) as u64).sum();
    let spread = noise.design_effect.max(1.0).sqrt();
    let mut values = Vec::with_capacity(replicates as usize);
    let expected = shares.map(|share| share / shares.iter().sum::<f64>() * rows as f64);
    for _ in 0..replicates {
        let mut drawn = drawn(shares, rows, random);
        for ((slot, cell), expected) in drawn.iter_mut().zip(cells).zip(expected) {
            *slot = expected + (*slot - expected) * spread + draw(noise, cell.draws, random);
        }
        values.extend(of(drawn).filter(|value| value.is_finite()));
    }
    values
}

fn draws<const K: usize>(
    shares: [f64; K],
    rows: u64,
    random: &mut impl Rng,
    replicates: u32,
    of: impl Fn([f64; K]) -> Option<f64>,
) -> Vec<f64> {
    let mut values = Vec::with_capacity(replicates as usize);
    for _ in 0..replicates {
        values.extend(of(drawn(shares, rows, random)).filter(|value| value.is_finite()));
    }
    values
}

/// One table from the multinomial distribution.
fn drawn<const K: usize>(shares: [f64; K], mut rows: u64, random: &mut impl Rng) -> [f64; K] {
    let mut left = shares.iter().sum::<f64>();
    let mut drawn = [0.0; K];
    for (slot, &share) in drawn.iter_mut().zip(&shares) {
        if rows == 0 || share <= 0.0 {
            continue;
        }
        let n = match Binomial::new(rows, (share / left).min(1.0)) {
            Ok(binomial) => binomial.sample(random).min(rows),
            Err(_) => 0,
        };
        *slot = n as f64;
        rows -= n;
        left -= share;
    }
    drawn
}

/// A sum of so many draws is normal.
const DRAWS_NORMAL: u32 = 100;

/// A sum of draws of noise.
fn draw(noise: &Noise, draws: u32, random: &mut impl Rng) -> f64 {
    if !noise.laplace || draws > DRAWS_NORMAL {
        let normal: f64 = StandardNormal.sample(random);
        return normal * (noise.variance * f64::from(draws)).sqrt();
    }
    let mut one = || {
        let (up, down): (f64, f64) = (Exp1.sample(random), Exp1.sample(random));
        up - down
    };
    (0..draws).map(|_| one()).sum::<f64>() * (noise.variance / 2.0).sqrt()
}
