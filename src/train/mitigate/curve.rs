//! What a threshold does to the rows of one cohort: for every cut of the score, how many rows are selected and how many of them rightly.
//!
//! Losses: an error of either kind costs what it costs where the threshold t is the best one for a score that is a probability, t for a
//! false positive and 1 - t for a false negative (Elkan 2001, IJCAI). At one half that is the number of errors, halved.

/// A cut: rows of at least this score are selected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    pub at: f64,
    pub selected: u64,
    /// Selected rows of label 1.
    pub right: u64,
}

/// A cut above every score.
pub const NOBODY: f64 = 1e300;

/// The cuts of a cohort, from nobody to everybody.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pub rows: u64,
    pub positives: u64,
    pub cuts: Vec<Cut>,
}

impl Curve {
    /// From scores and labels.
    pub fn of(mut rows: Vec<(f64, bool)>) -> Curve {
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut cuts = vec![Cut { at: NOBODY, selected: 0, right: 0 }];
        let (mut selected, mut right) = (0, 0);
        for (i, (score, label)) in rows.iter().enumerate() {
            selected += 1;
            right += u64::from(*label);
            if rows.get(i + 1).is_none_or(|next| next.0 != *score) {
                cuts.push(Cut { at: *score, selected, right });
            }
        }
        Curve { rows: selected, positives: right, cuts }
    }

    pub fn negatives(&self) -> u64 {
        self.rows - self.positives
    }

    pub fn selection(&self, cut: &Cut) -> f64 {
        cut.selected as f64 / self.rows.max(1) as f64
    }

    pub fn true_positive(&self, cut: &Cut) -> f64 {
        cut.right as f64 / self.positives.max(1) as f64
    }

    pub fn false_positive(&self, cut: &Cut) -> f64 {
        (cut.selected - cut.right) as f64 / self.negatives().max(1) as f64
    }

    /// The cut of a threshold: the last that selects nobody below it.
    pub fn at(&self, threshold: f64) -> Cut {
        let above = self.cuts.partition_point(|cut| cut.at >= threshold);
        Cut { at: threshold, ..self.cuts[above.saturating_sub(1)] }
    }

    /// Cost of the errors of a cut.
    pub fn loss(&self, cut: &Cut, threshold: f64) -> f64 {
        threshold * (cut.selected - cut.right) as f64 + (1.0 - threshold) * (self.positives - cut.right) as f64
    }

    /// The cut whose rate is nearest; among equals the higher cut. Rates grow along the cuts.
    fn nearest(&self, rate: &dyn Fn(&Curve, &Cut) -> f64, goal: f64) -> Cut {
        let from = |goal: f64| self.cuts.partition_point(|cut| rate(self, cut) < goal);
        let (above, last) = (self.cuts.get(from(goal)), self.cuts.get(from(goal).saturating_sub(1)));
        // Of cuts with the same rate the highest: it selects the fewest.
        let below = last.and_then(|last| self.cuts.get(from(rate(self, last))));
        match (below, above) {
            (Some(below), Some(above)) if goal - rate(self, below) <= rate(self, above) - goal => *below,
            (_, Some(above)) => *above,
            (Some(below), None) => *below,
            (None, None) => self.cuts[0],
        }
    }
}

/// Most goals that are tried; more are thinned out evenly.
const GOALS_MAX: usize = 2000;

/// One cut for each cohort, so that a rate is as nearly the same in all as the scores allow, at the goal of least loss over all cohorts.
/// Every rate that some cut of some cohort reaches is a goal. Among equals the one of the smaller gap, then the lower goal.
pub fn alike(curves: &[Curve], rate: &dyn Fn(&Curve, &Cut) -> f64, threshold: f64) -> Vec<Cut> {
    let mut goals: Vec<f64> = curves.iter().flat_map(|curve| curve.cuts.iter().map(|cut| rate(curve, cut))).collect();
    goals.sort_by(f64::total_cmp);
    goals.dedup();
    let every = goals.len().div_ceil(GOALS_MAX).max(1);
    let mut best: Option<((f64, f64), Vec<Cut>)> = None;
    for goal in goals.iter().step_by(every) {
        let cuts: Vec<Cut> = curves.iter().map(|curve| curve.nearest(rate, *goal)).collect();
        let loss: f64 = curves.iter().zip(&cuts).map(|(curve, cut)| curve.loss(cut, threshold)).sum();
        let reached = (loss, gap(curves.iter().zip(&cuts).map(|(curve, cut)| rate(curve, cut))));
        if best.as_ref().is_none_or(|(least, _)| reached < *least) {
            best = Some((reached, cuts));
        }
    }
    best.map(|(_, cuts)| cuts).unwrap_or_default()
}

/// Greatest less least.
pub fn gap(rates: impl Iterator<Item = f64>) -> f64 {
    let (least, most) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), rate| (a.min(rate), b.max(rate)));
    if most >= least { most - least } else { 0.0 }
}

/// Margins of the reject option that are tried.
const MARGINS: u32 = 100;

/// The reject option (Kamiran, Karim and Zhang 2012, ICDM): scores less than a margin away from the threshold are decided 1 in cohorts of
/// which fewer than overall are selected, and 0 in those of which more are. The margin is the least of those tried that leaves the smallest
/// gap between selection rates.
pub fn reject_option(curves: &[Curve], threshold: f64) -> (f64, Vec<Cut>) {
    let before: Vec<Cut> = curves.iter().map(|curve| curve.at(threshold)).collect();
    let (selected, rows) =
        curves.iter().zip(&before).fold((0, 0), |(s, n), (curve, cut)| (s + cut.selected, n + curve.rows));
    let overall = selected as f64 / rows.max(1) as f64;
    let widest = threshold.max(1.0 - threshold);
    let with = |margin: f64| -> Vec<Cut> {
        let moved = |(curve, cut): (&Curve, &Cut)| match curve.selection(cut).total_cmp(&overall) {
            std::cmp::Ordering::Less => curve.at(threshold - margin),
            std::cmp::Ordering::Equal => *cut,
            std::cmp::Ordering::Greater => curve.at(threshold + margin),
        };
        curves.iter().zip(&before).map(moved).collect()
    };
    let mut best = (0.0, before.clone(), f64::INFINITY);
    for step in 0..=MARGINS {
        let margin = widest * f64::from(step) / f64::from(MARGINS);
        let cuts = with(margin);
        let left = gap(curves.iter().zip(&cuts).map(|(curve, cut)| curve.selection(cut)));
        if left < best.2 {
            best = (margin, cuts, left);
        }
    }
    (best.0, best.1)
}
