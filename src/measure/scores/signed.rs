//! Quality of scores from bins with noise: counts may be negative, and every bin brings its own noise into the variance.
//!
//! With N negative and P positive rows and w(i, j) = 1, 1/2 or 0 as bin j of a positive is above, equal to or below bin i of a negative, the area
//! is A = sum n(i) p(j) w(i, j) / (N P). By the delta method the noise of variance v adds
//! v sum over i of ((share of positives above i) - A)^2 / N^2 + v sum over j of ((share of negatives below j) - A)^2 / P^2, and of both noises
//! together v^2 sum of (w(i, j) - A)^2 / (N P)^2. Own derivation; the sampling variance is DeLong's.

use std::collections::BTreeMap;

use super::{CALIBRATION_BINS, LOG_LOSS_MAX, Scores, auc};
use crate::estimate::{Figure, Gaps, Method, Noise, NoisyMean, Sample, Spread, Why, is_known};
use crate::measure::Group;
use crate::statistic::{Bins, MomentSums, Spread as Values, Tally};

/// Rows of a cohort by bin and label.
#[derive(Debug, Clone)]
pub struct Signed {
    pub negative: Vec<f64>,
    pub positive: Vec<f64>,
    /// Draws of noise in every bin.
    pub draws: f64,
}

impl Signed {
    fn rows(&self) -> (f64, f64) {
        (self.negative.iter().sum(), self.positive.iter().sum())
    }

    /// Share of pairs in one bin, halved: the exact area is at most this far from that of the bins, the noise apart.
    fn tie_bound(&self) -> f64 {
        let (negative, positive) = self.rows();
        let ties: f64 = self.negative.iter().zip(&self.positive).map(|(n, p)| n.max(0.0) * p.max(0.0)).sum();
        (0.5 * ties / (negative * positive).max(1.0)).min(0.5)
    }

    /// The area under the ROC curve.
    pub fn auc(&self, noise: &Noise, confidence: f64) -> Sample {
        let (negative, positive) = self.rows();
        let draws = self.draws * self.negative.len() as f64;
        if !is_known(negative, draws, noise, confidence) || !is_known(positive, draws, noise, confidence) {
            return Sample::None(match noise.is_any() {
                true => Why::NoiseExceedsCohort,
                false if negative + positive < 1.0 => Why::EmptyDenominator,
                false if negative < 1.0 || positive < 1.0 => Why::OneClass,
                false => Why::TooFewRows,
            });
        }
        let points = |counts: &[f64]| counts.iter().enumerate().map(|(bin, &n)| (bin as f64, n)).collect::<Vec<_>>();
        let Some((area, se)) = auc(&points(&self.negative), &points(&self.positive)) else {
            return Sample::None(Why::OneClass);
        };
        let inside = area.clamp(0.0, 1.0);
        // No variance of an area is greater (Birnbaum and Klose 1957); that of noisy placements may be.
        let sampling = (se * se).min(inside * (1.0 - inside) / negative.min(positive));
        let mut noisy = Spread::default();
        let (mut below, mut above) = (0.0, positive);
        for (n, p) in self.negative.iter().zip(&self.positive) {
            above -= p;
            noisy = noisy + noise.part(self.draws, ((above + p / 2.0) / positive - area) / negative);
            noisy = noisy + noise.part(self.draws, ((below + n / 2.0) / negative - area) / positive);
            below += n;
        }
        let spread = Spread::normal(sampling * noise.design_effect) + noisy + self.both(area, noise);
        Sample::Figure(Figure {
            point: inside,
            spread,
            n: (negative + positive).round() as i64,
            df: None,
            lower: 0.0,
            upper: 1.0,
            method: Method::NoisyDeLong,
            replicates: None,
            mean: None,
        })
    }

    /// What the noises of negative and positive rows bring together. Pairs of bins i < j are as many as those i > j.
    fn both(&self, area: f64, noise: &Noise) -> Spread {
        let (bins, (negative, positive)) = (self.negative.len() as f64, self.rows());
        let apart = bins * (bins - 1.0) / 2.0;
        let squares = apart * ((1.0 - area).powi(2) + area * area) + bins * (0.5 - area).powi(2);
        Spread::normal((noise.variance * self.draws / (negative * positive)).powi(2) * squares)
    }

    /// The calibration error over bins that are sums of whole bins of the histogram.
    pub fn calibration(&self, noise: &Noise, confidence: f64) -> Sample {
        let (negative, positive) = self.rows();
        let bins = self.negative.len();
        let rows = negative + positive;
        if !is_known(rows, 2.0 * self.draws * bins as f64, noise, confidence) {
            return Sample::None(noise.why_not(rows));
        }
        let each = bins / calibration_bins(bins);
        let middle = |bin: usize| (bin as f64 + 0.5) / bins as f64;
        let gap = |first: usize| {
            let (mut gap, mut squares, mut n, mut noisy) = (0.0, 0.0, 0.0, Spread::default());
            for bin in first..first + each {
                let (score, zero, one) = (middle(bin), self.negative[bin], self.positive[bin]);
                gap += score * zero + (score - 1.0) * one;
                squares += score * score * zero + (1.0 - score).powi(2) * one;
                n += zero + one;
                noisy = noisy + noise.part(self.draws, score) + noise.part(self.draws, 1.0 - score);
            }
            let sampling = if n > 0.0 { (squares - gap * gap / rows).max(0.0) } else { 0.0 };
            (gap, Spread::normal(sampling * noise.design_effect) + noisy)
        };
        let gaps: Vec<(f64, Spread)> = (0..bins).step_by(each).map(gap).collect();
        if !noise.is_any() {
            return counted(&gaps, rows);
        }
        let rows = (rows, noise.part(2.0 * self.draws * bins as f64, 1.0));
        Sample::Gaps(Gaps { gaps, rows, rounding: 0.5 / bins as f64 })
    }
}

/// The calibration error of rows as they were counted: no noise biases it, so it has a value to compare. Its variance is that of the gaps by
/// the delta method, their signs taken as known.
fn counted(gaps: &[(f64, Spread)], rows: f64) -> Sample {
    let point = gaps.iter().map(|(gap, _)| gap.abs()).sum::<f64>() / rows;
    let spread = gaps.iter().map(|(_, spread)| *spread).sum::<Spread>().times(1.0 / rows);
    Sample::Figure(Figure {
        point: point.min(1.0),
        spread,
        n: rows.round() as i64,
        df: None,
        lower: 0.0,
        upper: 1.0,
        method: Method::NoisyStudent,
        replicates: None,
        mean: None,
    })
}

/// The greatest number of bins of a calibration error, at most 10, of which none cuts a bin of the histogram.
fn calibration_bins(bins: usize) -> usize {
    (1..=CALIBRATION_BINS).rev().find(|count| bins.is_multiple_of(*count)).unwrap_or(1)
}

impl Scores<'_> {
    pub(super) fn noisy(&self, id: &str, group: &Group, confidence: f64, counts: &Noise, losses: &Noise) -> Sample {
        match id {
            "roc-auc" => self.signed(group).auc(counts, confidence),
            "calibration-error" => self.signed(group).calibration(counts, confidence),
            "brier-score" => self.noisy_loss(group, 1, 1.0, losses, confidence),
            _ => self.noisy_loss(group, 2, LOG_LOSS_MAX, losses, confidence),
        }
    }

    pub(super) fn noisy_notes<'g>(&self, id: &str, shown: impl Iterator<Item = &'g Group>) -> Vec<String> {
        let bins = self.bins().count;
        match id {
            "roc-auc" => {
                let bound = shown.map(|group| self.signed(group).tie_bound()).fold(0.0, f64::max);
                vec![format!(
                    "Scores are counted in {bins} bins, and those of one bin are taken for equal. Apart from noise no printed area under the ROC curve is further than about {bound:.2} from that of the scores."
                )]
            }
            "calibration-error" => vec![format!(
                "The calibration error is over {} score bins, each score known to {:.3}. Noise biases it upwards; its interval is a bound that holds, and it is compared with no other.",
                calibration_bins(bins as usize),
                0.5 / f64::from(bins)
            )],
            _ => Vec::new(),
        }
    }

    fn bins(&self) -> Bins {
        self.histogram.bins.unwrap_or(super::BINS)
    }

    fn signed(&self, group: &Group) -> Signed {
        let (table, bins) = (Tally::new(self.histogram.sizes.clone()), self.bins());
        let empty = vec![0.0; bins.count as usize];
        let mut labels = [empty.clone(), empty];
        let mut draws = 0.0;
        for code in self.index.groups(group) {
            let label = table.codes(*code)[self.attributes] as usize;
            let (Some(sums), Some(counts)) = (labels.get_mut(label), self.histogram.groups.get(code)) else { continue };
            draws += 0.5;
            match counts.spread() {
                Values::Binned { counts } => counts.into_iter().for_each(|(bin, n)| add(sums, bin, n)),
                Values::Numbers { counts } => {
                    counts.into_iter().for_each(|(value, n)| add(sums, bins.code(value.number()), n))
                }
                Values::Texts { .. } | Values::TooManyTexts { .. } => {}
            }
        }
        let [negative, positive] = labels;
        Signed { negative, positive, draws }
    }

    fn noisy_loss(&self, group: &Group, column: usize, scale: f64, noise: &Noise, confidence: f64) -> Sample {
        let unit = (2.0f64).powi(-2 * self.losses.scale_bits as i32);
        let groups: BTreeMap<u64, &MomentSums> = self
            .losses_index
            .groups(group)
            .iter()
            .filter_map(|code| Some((*code, self.losses.groups.get(code)?)))
            .collect();
        let at = |i: usize, j: usize| {
            let entry = |sums: &&MomentSums| {
                let width = if sums.gram.len() == 6 { 3 } else { 2 };
                sums.gram.get(i * width - i * (i + 1) / 2 + j).map_or(0.0, |&sum| sum as f64)
            };
            groups.values().map(entry).sum::<f64>() * unit
        };
        let (n, sum, squares) = (at(0, 0), at(0, column), at(column, column));
        NoisyMean { n, sum, squares, draws: groups.len() as f64, noise: *noise, scale }.sample(confidence)
    }
}

fn add(sums: &mut [f64], bin: u32, n: i64) {
    if let Some(sum) = sums.get_mut(bin as usize) {
        *sum += n as f64;
    }
}

#[cfg(test)]
mod tests;
