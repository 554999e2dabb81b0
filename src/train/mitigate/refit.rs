//! Logistic models fitted again on the panel of training rows, under constraints or to changed rows.

use super::fit::{self, Covariance, Rows};
use super::repair::{self, Repaired};
use super::rows::{Seen, probability};
use crate::demand::{Fixed, Limbs};
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::features::Feature;
use crate::plan::mitigated::Mitigated;
use crate::plan::spec::Train;
use crate::train::card::{self, Fit};
use crate::train::design::Design;
use crate::train::newton::Point;
use crate::train::path::Choice;

/// What a model is fitted again to.
pub struct Panel<'a> {
    pub plan: &'a Plan,
    pub train: &'a Train,
    pub mitigated: &'a Mitigated,
    /// The model as it was trained; its penalty is kept.
    pub model: &'a Model,
    pub rows: &'a [Seen],
}

/// Rows on the scale of the penalty.
struct Scaled<'a> {
    design: Design<'a>,
    x: Vec<f64>,
}

/// A model and how it was made, or why there is none.
pub type Fitted = Result<(Model, Vec<String>), String>;

impl Panel<'_> {
    fn choice(&self) -> Choice {
        Choice { strength: self.model.card.strength, l1_ratio: self.model.card.l1_ratio }
    }

    fn scaled<'f>(&self, features: &'f [Feature]) -> Result<Scaled<'f>, String> {
        let (n, size) = (self.rows.len(), features.len());
        let mut z = Vec::with_capacity(n * size);
        for row in self.rows {
            z.extend(features.iter().zip(&row.values).map(|(feature, value)| on_bounds(&feature.fixed, *value)));
        }
        let column = |j: usize| z.iter().skip(j).step_by(size.max(1));
        let mean: Vec<f64> = (0..size).map(|j| column(j).sum::<f64>() / n.max(1) as f64).collect();
        let spread = |j: usize| column(j).map(|z| (z - mean[j]).powi(2)).sum::<f64>() / n.max(1) as f64;
        let deviation: Vec<f64> = (0..size).map(|j| spread(j).sqrt()).collect();
        let active: Vec<usize> = (0..size).filter(|&j| deviation[j] > 1e-6).collect();
        if active.is_empty() {
            return Err("no feature varies over the training rows".into());
        }
        let design = Design::noisy(features, self.train, active, mean, |j| deviation[j], Vec::new());
        let at = |i: usize, k: usize| (z[i * size + design.active[k]] - design.mean(k)) / design.scale(k);
        let x = (0..n).flat_map(|i| (0..design.size()).map(move |k| (i, k))).map(|(i, k)| at(i, k)).collect();
        Ok(Scaled { x, design })
    }

    fn labels(&self) -> Vec<bool> {
        self.rows.iter().map(|row| row.label).collect()
    }

    fn model(&self, design: &Design, point: Point, note: String) -> Fitted {
        let notes = vec![note, format!("Fitted on {} training rows.", self.rows.len())];
        let rows = self.rows.len() as i64;
        let (choice, errors) = (self.choice(), None);
        let made = notes.clone();
        let fit = Fit { choice, b: point.b, b0: point.b0, errors, path: Vec::new(), rows, skipped: 0, notes };
        let model = card::model(self.plan, self.train, design, fit).map_err(|e| e.to_string())?;
        Ok((model, made))
    }

    fn fitted(&self, features: &[Feature], y: Vec<bool>, w: Vec<f64>, note: String) -> Fitted {
        let Scaled { design, x } = self.scaled(features)?;
        let rows = Rows { size: design.size(), x, y, w };
        let point = rows.fit(self.choice().weights(), &Covariance::default())?;
        self.model(&design, point, note)
    }

    /// Weights that make label and cohort independent in the rows.
    pub fn reweighed(&self) -> (Fitted, Vec<(String, String)>) {
        let table = self.table();
        let weights = weights(&table);
        let of = |row: &Seen| row.cohort.and_then(|at| weights.get(at)).map_or(1.0, |w| w[usize::from(row.label)]);
        let w = self.rows.iter().map(of).collect();
        let note = "Rows of a cohort and a label have the weight (rows of the cohort x rows of the label) / (rows x rows of both) (Kamiran and Calders 2012, Knowledge and Information Systems 33).";
        let said = |(cohort, [no, yes]): (&crate::cohort::Cohort, &[f64; 2])| {
            (cohort.levels(), format!("weight {yes:.3} for label 1, {no:.3} for label 0"))
        };
        let settings = self.mitigated.cohorts.iter().zip(&weights).map(said).collect();
        (self.fitted(&self.plan.features, self.labels(), w, note.into()), settings)
    }

    /// Rows by cohort and label.
    fn table(&self) -> Vec<[u64; 2]> {
        let mut table = vec![[0; 2]; self.mitigated.cohorts.len()];
        for row in self.rows {
            if let Some(cells) = row.cohort.and_then(|at| table.get_mut(at)) {
                cells[usize::from(row.label)] += 1;
            }
        }
        table
    }

    /// Labels nearest the decision changed until every cohort has the label rate of all.
    pub fn massaged(&self) -> (Fitted, Vec<(String, String)>) {
        let scores: Vec<f64> = self.rows.iter().map(|row| probability(self.model, &row.values)).collect();
        let table = self.table();
        let changes = massaging(&table);
        let mut y = self.labels();
        for (cohort, change) in changes.iter().enumerate() {
            let promotes = *change > 0;
            let mut of: Vec<usize> = (0..y.len())
                .filter(|&i| self.rows[i].cohort == Some(cohort) && self.rows[i].label != promotes)
                .collect();
            of.sort_by(|&a, &b| match promotes {
                true => scores[b].total_cmp(&scores[a]).then(a.cmp(&b)),
                false => scores[a].total_cmp(&scores[b]).then(a.cmp(&b)),
            });
            of.iter().take(change.unsigned_abs() as usize).for_each(|&i| y[i] = promotes);
        }
        let note = "Labels were changed in the rows it was fitted to, those of the highest score first from 0 to 1 and those of the lowest first from 1 to 0, until every cohort had the label rate of all (Kamiran and Calders 2012).";
        let said = |(cohort, change): (&crate::cohort::Cohort, &i64)| {
            let to = if *change > 0 { "from 0 to 1" } else { "from 1 to 0" };
            (cohort.levels(), format!("{} labels changed {to}", change.unsigned_abs()))
        };
        let settings = self.mitigated.cohorts.iter().zip(&changes).map(said).collect();
        (self.fitted(&self.plan.features, y, vec![1.0; self.rows.len()], note.into()), settings)
    }

    /// Models along the strengths of a penalty on covariances; the default strengths where none are given.
    pub fn penalised(&self, strengths: &[f64]) -> Result<Vec<(f64, f64, Fitted)>, String> {
        let Scaled { design, x } = self.scaled(&self.plan.features)?;
        let rows = Rows { size: design.size(), x, y: self.labels(), w: vec![1.0; self.rows.len()] };
        let with = self.covariances(&rows);
        let weights = self.choice().weights();
        let chosen = match strengths.is_empty() {
            false => strengths.to_vec(),
            true => {
                let start = rows.fit(weights, &Covariance::default())?;
                fit::strengths(&rows.local(&start).profiled(), weights.square, &with)
            }
        };
        let one = |strength: f64| {
            let covariance = Covariance { strength, with: with.clone() };
            let point = match rows.fit(weights, &covariance) {
                Ok(point) => point,
                Err(why) => return (strength, f64::NAN, Err(why)),
            };
            let left = with.iter().map(|v| crate::train::factor::dot(v, &point.b).abs()).fold(0.0, f64::max);
            let note = format!(
                "A penalty of strength {} on the squared covariances of predictor and cohort leaves a covariance of at most {left:.1e} in the rows it was fitted to (Zafar et al. 2017; Calders et al. 2013).",
                super::rounded(strength)
            );
            (strength, left, self.model(&design, point, note))
        };
        Ok(chosen.into_iter().map(one).collect())
    }

    /// Covariance of every column with the indicator of every cohort.
    fn covariances(&self, rows: &Rows) -> Vec<Vec<f64>> {
        let n = self.rows.len() as f64;
        let of = |cohort: usize| {
            let is = |i: usize| f64::from(u8::from(self.rows[i].cohort == Some(cohort)));
            let share = (0..self.rows.len()).map(is).sum::<f64>() / n;
            let mut sums = vec![0.0; rows.size];
            for i in 0..self.rows.len() {
                let a = is(i) - share;
                sums.iter_mut().zip(&rows.x[i * rows.size..]).for_each(|(sum, x)| *sum += a * x / n);
            }
            sums
        };
        (0..self.mitigated.cohorts.len()).map(of).collect()
    }

    /// A model of what is left of the features when the cohort's mean is taken off.
    pub fn decorrelated(&self) -> Fitted {
        let Scaled { design, mut x } = self.scaled(&self.plan.features)?;
        let size = design.size();
        let cohorts = self.mitigated.cohorts.len();
        let (mut sums, mut n) = (vec![vec![0.0; size]; cohorts], vec![0.0; cohorts]);
        for (row, x) in self.rows.iter().zip(x.chunks(size)) {
            if let Some(at) = row.cohort.filter(|at| *at < cohorts) {
                n[at] += 1.0;
                sums[at].iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            }
        }
        sums.iter_mut()
            .zip(&n)
            .for_each(|(sums, n): (&mut Vec<f64>, &f64)| sums.iter_mut().for_each(|sum| *sum /= n.max(1.0)));
        for (row, x) in self.rows.iter().zip(x.chunks_mut(size)) {
            if let Some(means) = row.cohort.and_then(|at| sums.get(at)) {
                x.iter_mut().zip(means).for_each(|(x, mean)| *x -= mean);
            }
        }
        let rows = Rows { size, x, y: self.labels(), w: vec![1.0; self.rows.len()] };
        let point = rows.fit(self.choice().weights(), &Covariance::default())?;
        let features = with_indicators(&self.plan.features, self.mitigated);
        let (wide, point) = repair::widened(&features, self.train, &design, point, &sums);
        self.model(&wide, point, repair::DECORRELATED.into())
    }

    /// A model of numeric features of which the cohorts' quantiles are moved towards their median.
    pub fn repaired(&self, share: f64) -> Fitted {
        let Repaired { features, values } = repair::quantiles(&self.plan.features, self.mitigated, self.rows, share)?;
        let rows: Vec<Seen> =
            self.rows.iter().zip(values).map(|(row, values)| Seen { values, ..row.clone() }).collect();
        let changed = Panel { rows: &rows, ..*self };
        let note = format!(
            "Quantiles of numeric features moved {share} of the way from the cohort's own to the median of the cohorts (Feldman, Friedler, Moeller, Scheidegger and Venkatasubramanian 2015, KDD), on a grid of {} quantiles.",
            repair::KNOTS
        );
        changed.fitted(&features, changed.labels(), vec![1.0; rows.len()], note)
    }
}

/// The features, then an indicator for each cohort.
pub fn with_indicators(features: &[Feature], mitigated: &Mitigated) -> Vec<Feature> {
    let indicator = |at: usize| {
        let fixed = Fixed { of: mitigated.indicator(at)?, lower: 0.0, upper: 1.0 };
        let (label, column) = (mitigated.cohorts[at].to_string(), mitigated.names.first()?.clone());
        Some(Feature { label, column, fixed, block: Some(u32::MAX) })
    };
    features.iter().cloned().chain((0..mitigated.cohorts.len()).filter_map(indicator)).collect()
}

fn on_bounds(fixed: &Fixed, value: f64) -> f64 {
    fixed.quantise(value, Limbs::Two.bits()) as f64 / (1u64 << Limbs::Two.bits()) as f64
}

/// Weights by cohort and label: (rows of the cohort x rows of the label) / (rows x rows of both); 1 for a cell without rows.
pub fn weights(table: &[[u64; 2]]) -> Vec<[f64; 2]> {
    let labels = [0, 1].map(|y: usize| table.iter().map(|cells| cells[y]).sum::<u64>() as f64);
    let all = labels[0] + labels[1];
    let weight = |cells: &[u64; 2], y: usize| match cells[y] {
        0 => 1.0,
        n => (cells[0] + cells[1]) as f64 * labels[y] / (all * n as f64),
    };
    table.iter().map(|cells| [weight(cells, 0), weight(cells, 1)]).collect()
}

/// Labels to change from 0 to 1 (from 1 to 0 where negative) in every cohort, for the label rate of all.
pub fn massaging(table: &[[u64; 2]]) -> Vec<i64> {
    let (no, yes) = table.iter().fold((0, 0), |(no, yes), cells| (no + cells[0], yes + cells[1]));
    let share = yes as f64 / (no + yes).max(1) as f64;
    table.iter().map(|cells| libm::round((cells[0] + cells[1]) as f64 * share) as i64 - cells[1] as i64).collect()
}
