//! A pipeline file's text and a data file, all the way to what was measured.

use std::path::Path;

use evenhand::audit::{CohortRow, Reading};
use evenhand::engine::{Engine, reference::Reference};
use evenhand::estimate::{Interval, Measured};
use evenhand::measure::{Measurement, Subject, demands, measure};
use evenhand::metric::{Against, Comparison};
use evenhand::plan::spec::Spec;
use evenhand::plan::{self, Learned, Plan, learn};
use evenhand::privatize::release;

use crate::expressions::tree;

/// Counts and readings of one audit.
pub struct Audited {
    pub measurement: Measurement,
}

/// Runs an audit: the pass that learns levels, the pass that counts, the metrics.
pub fn audit(pipeline: &str, data: &Path) -> Audited {
    let spec: Spec = toml::from_str(pipeline).unwrap_or_else(|e| panic!("{e}\n{pipeline}"));
    let source = || plan::source(&spec, Path::new("/"), &|_| Ok(vec![data.to_path_buf()])).unwrap();
    // A plan without cohorts describes the same rows; it serves the pass that learns the levels.
    let mut open = spec.clone();
    open.measure.across.clear();
    open.measure.given.clear();
    open.schema.values_mut().for_each(|column| column.roles.clear());
    for (name, column) in &mut open.schema {
        column.read_as = Some(plan::read_as(&spec.schema[name]));
    }
    let first = Plan::of(&open, "", source(), &tree, &Learned::default()).unwrap();
    let wanted = learn::demands(&spec);
    let learned = match wanted.is_empty() {
        true => Learned::default(),
        false => {
            let collected = Reference.collect(&first.scan, &wanted, &|_| {}).unwrap();
            learn::learned(&spec, &release(collected.evidence)).unwrap()
        }
    };
    let plan = Plan::of(&spec, "", source(), &tree, &learned).unwrap();
    let subject = Subject::given(&plan);
    let collected = Reference.collect(&plan.scan, &demands(&plan, &subject), &|_| {}).unwrap();
    let measurement = measure(&plan, &subject, &release(collected.evidence)).unwrap();
    Audited { measurement }
}

impl Audited {
    /// The counts of a cohort; its levels are joined by `|`.
    pub fn cells(&self, across: &[&str], cohort: &str) -> &CohortRow {
        let table = self
            .measurement
            .cohorts
            .iter()
            .find(|table| table.across.iter().map(|name| &**name).eq(across.iter().copied()));
        let row =
            table.and_then(|table| table.rows.iter().find(|row| row.cohort.levels().replace(" x ", "|") == cohort));
        row.unwrap_or_else(|| panic!("no cohort {cohort} across {across:?}"))
    }

    /// What was measured of a metric across a set, where a condition holds.
    fn readings(&self, metric: &str, across: &[&str], wanted: impl Fn(&Reading) -> bool) -> Vec<&Measured> {
        let of = |reading: &&Reading| {
            *reading.metric == *metric && reading.across.iter().map(|name| &**name).eq(across.iter().copied())
        };
        self.measurement
            .readings
            .iter()
            .filter(of)
            .filter(|reading| wanted(reading))
            .map(|reading| &reading.measured)
            .collect()
    }

    /// The value of a cohort.
    pub fn value(&self, metric: &str, across: &[&str], cohort: &str) -> &Measured {
        let of =
            self.readings(metric, across, |r| r.contrast.is_none() && r.cohort.levels().replace(" x ", "|") == cohort);
        of.first().unwrap_or_else(|| panic!("no {metric} of {cohort} across {across:?}"))
    }

    /// The value of everyone.
    pub fn everyone(&self, metric: &str) -> &Measured {
        self.value(metric, &[], "everyone")
    }

    /// A comparison of a cohort; of the worst pair when no cohort is named.
    pub fn contrast(
        &self,
        metric: &str,
        across: &[&str],
        compare: Comparison,
        against: Against,
        cohort: Option<&str>,
    ) -> &Measured {
        let wanted = |reading: &Reading| {
            let contrast = reading.contrast.as_ref().is_some_and(|c| c.compare == compare && c.against == against);
            contrast && cohort.is_none_or(|cohort| reading.cohort.levels().replace(" x ", "|") == cohort)
        };
        let of = self.readings(metric, across, wanted);
        of.first().unwrap_or_else(|| panic!("no {compare} of {metric} against {against} of {cohort:?}"))
    }

    /// All comparisons of a kind.
    pub fn contrasts(&self, metric: &str, across: &[&str], compare: Comparison, against: Against) -> Vec<&Measured> {
        self.readings(metric, across, |r| {
            r.contrast.as_ref().is_some_and(|c| c.compare == compare && c.against == against)
        })
    }
}

/// The point of a measured value; none when it is undefined.
pub fn point(measured: &Measured) -> Option<f64> {
    measured.estimate().map(|estimate| estimate.point)
}

/// The ends of the interval of a measured value.
pub fn ends(measured: &Measured) -> Interval {
    measured.estimate().map_or(Interval { lower: None, upper: None }, |estimate| estimate.interval)
}
