//! The cohorts that `[mitigate]` makes more alike: one condition for each combination of declared levels.

use std::sync::Arc;

use super::Plan;
use super::spec::{Mitigate, ModelKind};
use crate::cohort::Cohort;
use crate::demand::{Axis, Rows};
use crate::scalar::{Expr, Order, Scalar};

/// Most cohorts a rule of its own is made for.
pub const COHORTS_MAX: usize = 50;

/// The cohorts of `[mitigate]`.
#[derive(Debug, Clone)]
pub struct Mitigated {
    /// Position of the set in the plan.
    pub set: usize,
    pub names: Vec<Arc<str>>,
    /// One for each combination of declared levels.
    pub cohorts: Vec<Cohort>,
    /// True for the rows of the cohort; false or missing for others.
    pub conditions: Vec<Scalar>,
}

impl Mitigated {
    /// Position of the row's cohort; missing for rows of unknown or undeclared levels.
    pub fn index(&self) -> Scalar {
        let branch = |(i, condition): (usize, &Scalar)| (condition.clone(), Scalar::number(i as f64));
        Expr::Case(self.conditions.iter().enumerate().map(branch).collect(), None)
    }

    /// 1 for rows of the cohort, 0 for all others; never missing.
    pub fn indicator(&self, cohort: usize) -> Option<Scalar> {
        let condition = self.conditions.get(cohort)?.clone();
        Some(Expr::Case(vec![(condition, Scalar::number(1.0))], Some(Box::new(Scalar::number(0.0)))))
    }
}

impl Plan {
    /// The section, and the cohorts it is about; none where it is absent or has too many cohorts.
    pub fn mitigated(&self) -> Option<(&Mitigate, Mitigated)> {
        let section = self.spec.mitigate.as_ref()?;
        let names = |set: &crate::cohort::Across| -> Vec<Arc<str>> {
            set.attributes.iter().filter_map(|&at| self.attributes.get(at)).map(|of| of.name.clone()).collect()
        };
        let wanted = |set: &crate::cohort::Across| {
            section.across.is_empty()
                || names(set).iter().map(|name| &**name).eq(section.across.iter().map(|name| &**name))
        };
        let set = self.across.iter().position(wanted)?;
        let attributes: Vec<_> = self.across[set].attributes.iter().filter_map(|&at| self.attributes.get(at)).collect();
        let size = attributes.iter().map(|of| of.levels.len()).fold(1usize, usize::saturating_mul);
        if size > COHORTS_MAX {
            return None;
        }
        let mut cohorts: Vec<(Cohort, Option<Scalar>)> = vec![(Cohort::everyone(), None)];
        for attribute in &attributes {
            let mut finer = Vec::new();
            for (cohort, condition) in &cohorts {
                for level in attribute.levels.iter() {
                    let of = Box::new(Scalar::column(&attribute.name));
                    let is = Expr::Compare(Order::Equal, of, Box::new(Scalar::text(level)));
                    let both = match condition {
                        Some(condition) => Expr::And(Box::new(condition.clone()), Box::new(is)),
                        None => is,
                    };
                    let pair = (attribute.name.clone(), level.clone());
                    let pairs = cohort.pairs.iter().cloned().chain([pair]).collect();
                    finer.push((Cohort { pairs }, Some(both)));
                }
            }
            cohorts = finer;
        }
        let (cohorts, conditions) =
            cohorts.into_iter().filter_map(|(cohort, condition)| Some((cohort, condition?))).unzip();
        Some((section, Mitigated { set, names: names(&self.across[set]), cohorts, conditions }))
    }

    /// Rows that thresholds are chosen on: of a trained model the calibration part, or the training part where there is none; of given
    /// scores a half of all rows.
    pub fn mitigation_rows(&self) -> Rows {
        match &self.spec.train {
            Some(train) => self.part(if train.split.calibration > 0.0 { 1 } else { 0 }),
            None => self.half(0),
        }
    }

    /// Rows that effects are measured on: no choice was made on them.
    pub fn held_out(&self) -> Rows {
        match &self.spec.train {
            Some(_) => self.part(Plan::TEST),
            None => self.half(1),
        }
    }

    fn half(&self, half: u32) -> Rows {
        Rows::Within { axis: Axis::buckets(self.key.clone(), self.salt("mitigate"), 2), codes: vec![half] }
    }

    /// What the audited model predicts, or what the given columns hold.
    pub fn mitigates_predictions(&self) -> bool {
        self.spec.train.as_ref().is_some_and(|train| train.model == ModelKind::Linear)
    }
}
