//! Outcomes of more than two classes, each class against the rest.
//!
//! Target and prediction are texts of the same levels and none of them is said to be positive. With rows by cohort, true and decided class:
//! selection rate P(decided c), recall P(decided c | is c), precision P(is c | decided c), each of the rows where both that it reads are known (a
//! value outside the levels is another class); ratios of selection rates to the reference, else to the highest (categorical AIR); the mean
//! of recalls, its error that of independent shares, (x + 1) / (n + 2) for each (Agresti and Caffo 2000).

use std::sync::Arc;

use super::Context;
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::classes::{Class, ClassCohort, ClassSet, Classes};
use crate::demand::{Axis, Demand, Shape};
use crate::estimate::{BUCKETS, Measured, Method, Sample, Share, Why, contrast};
use crate::evidence::Missing;
use crate::measure::index::Index;
use crate::measure::suppression::Layer;
use crate::measure::tables::{Group, Groups};
use crate::measure::{Subject, noise};
use crate::metric::{Against, Comparison};
use crate::plan::Plan;
use crate::scalar::Scalar;
use crate::schema::{Column, Domain, Role};
use crate::statistic::{Cell, Tally};

const NAME: &str = "measure/classes";

type Levels = Arc<[Arc<str>]>;

/// Columns of the true and of the decided class, and the classes; none where an outcome has two values or is a number.
fn outcome(plan: &Plan) -> Option<(&Column, &Column, Levels)> {
    let text = |role| plan.schema.with(role).next();
    let (target, prediction) = (text(Role::Target)?, text(Role::Prediction)?);
    let levels = |column: &Column| match &column.domain {
        Domain::Levels(levels) if levels.len() > 2 => Some(levels.clone()),
        _ => None,
    };
    let (own, decided) = (levels(target)?, levels(prediction)?);
    let same = own.len() == decided.len() && own.iter().all(|level| decided.contains(level));
    let open = plan.label.is_none() && plan.decision.is_none() && plan.spec.privacy.is_none();
    (same && open).then_some((target, prediction, own))
}

pub fn demands(plan: &Plan, _subject: &Subject) -> Vec<Demand> {
    let Some((target, prediction, levels)) = outcome(plan) else { return Vec::new() };
    let axis =
        |name: &Arc<str>, levels: &Arc<[Arc<str>]>| Axis::Levels { of: Scalar::column(name), levels: levels.clone() };
    let mut axes: Vec<Axis> =
        plan.attributes.iter().map(|attribute| axis(&attribute.name, &attribute.levels)).collect();
    axes.extend([axis(&target.name, &levels), axis(&prediction.name, &levels)]);
    axes.extend(noise::buckets(plan).then(|| Axis::buckets(plan.key.clone(), plan.salt("bucket"), BUCKETS)));
    let shape = Shape::Tally { axes, weight: plan.weight.clone() };
    vec![Demand { name: NAME.into(), rows: plan.part(Plan::TEST), shape }]
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Classes>, Missing> {
    let plan = context.plan;
    let Some((target, prediction, levels)) = outcome(plan) else { return Ok(None) };
    let tally = context.released.tally(NAME)?;
    let counts = Counts {
        tally,
        index: Index::of(plan, &tally.sizes, tally.cells.keys()),
        attributes: plan.attributes.len(),
        classes: levels.len() as u32,
        dependent: noise::buckets(plan),
        shown: shown(context, tally),
    };
    let sets = context.cohorts.sets.iter().map(|groups| of_set(context, &counts, groups, &levels));
    Ok(Some(Classes { target: target.name.clone(), prediction: prediction.name.clone(), sets: sets.collect() }))
}

/// With a publication limit all or nothing: every count of cohort by classes is 0 or at least the limit, and cohorts are counted in the open.
fn shown(context: &Context, tally: &Tally) -> bool {
    let limit = context.plan.spec.measure.suppress_below as i64;
    let attributes = context.plan.attributes.len();
    let clean = |set: &[usize]| {
        let axes: Vec<usize> = set.iter().copied().chain([attributes, attributes + 1]).collect();
        tally.marginal(&axes).cells.values().all(|cell| cell.n == 0 || cell.n >= limit)
    };
    limit <= 1
        || (clean(&[])
            && context.plan.across.iter().all(|across| clean(&across.attributes))
            && (0..context.cohorts.sets.len()).all(|set| context.protection.shows(Some(set), &[], Layer::Rows)))
}

/// Rows by cohort, true class and decided class.
struct Counts<'a> {
    tally: &'a Tally,
    index: Index,
    attributes: usize,
    classes: u32,
    dependent: bool,
    shown: bool,
}

impl Counts<'_> {
    /// A share of a cohort's rows: of those with (true, decided) in the denominator, those in the numerator; one per bucket.
    fn shares(&self, group: &Group, of: &dyn Fn(u32, u32) -> (bool, bool)) -> Vec<Share> {
        let mut shares = vec![Share::default(); if self.dependent { BUCKETS as usize } else { 1 }];
        for code in self.index.groups(group) {
            let codes = self.tally.codes(*code);
            let (Some(&is), Some(&decided)) = (codes.get(self.attributes), codes.get(self.attributes + 1)) else {
                continue;
            };
            let bucket = codes.get(self.attributes + 2).copied().unwrap_or(0) as usize;
            let (above, below) = of(is, decided);
            let cell = self.tally.cells.get(code).copied().unwrap_or_default();
            if let (true, Some(share)) = (below, shares.get_mut(bucket)) {
                share.denominator += cell;
                share.numerator += if above { cell } else { Cell::default() };
            }
        }
        shares
    }

    fn sample(&self, group: &Group, of: &dyn Fn(u32, u32) -> (bool, bool)) -> Sample {
        let shares = self.shares(group, of);
        match self.dependent {
            true => Sample::bucketed_share(&shares),
            false => Sample::share(&shares.iter().fold(Share::default(), |sum, &share| sum + share)),
        }
    }

    fn unknown(&self) -> u32 {
        self.classes
    }

    fn selection(&self, group: &Group, class: u32) -> Sample {
        self.sample(group, &|_, decided| (decided == class, decided != self.unknown()))
    }

    fn recall(&self, group: &Group, class: u32) -> Sample {
        self.sample(group, &|is, decided| (decided == class, is == class && decided != self.unknown()))
    }

    fn precision(&self, group: &Group, class: u32) -> Sample {
        self.sample(group, &|is, decided| (is == class, decided == class && is != self.unknown()))
    }

    /// Mean of the recalls; undefined where a class has no row in the cohort.
    fn macro_recall(&self, group: &Group) -> Sample {
        let recalls: Vec<Vec<Share>> = (0..self.classes)
            .map(|class| {
                self.shares(group, &|is, decided| (decided == class, is == class && decided != self.unknown()))
            })
            .collect();
        let totals: Vec<Share> =
            recalls.iter().map(|shares| shares.iter().fold(Share::default(), |sum, &share| sum + share)).collect();
        let size = f64::from(self.classes);
        let mean = |shares: &mut dyn Iterator<Item = Share>| {
            shares.map(|share| share.value()).sum::<Option<f64>>().map(|sum| sum / size)
        };
        let n = totals.iter().map(|share| share.denominator.n).sum();
        let Some(point) = mean(&mut totals.iter().copied()) else { return Sample::None(Why::EmptyDenominator) };
        if self.dependent {
            let rows = |bucket: usize| recalls.iter().any(|shares| shares[bucket].denominator.n != 0);
            let filled = (0..BUCKETS as usize).filter(|bucket| rows(*bucket)).count();
            let without =
                |bucket: usize| mean(&mut totals.iter().zip(&recalls).map(|(total, shares)| *total - shares[bucket]));
            return Sample::buckets(Some(point), (0..BUCKETS as usize).map(without).collect(), filled, n);
        }
        let variance = |share: &Share| {
            let (x, n) = (share.numerator.n as f64 + 1.0, share.denominator.n as f64 + 2.0);
            x / n * (1.0 - x / n) / n
        };
        let se = totals.iter().map(variance).sum::<f64>().sqrt() / size;
        let (lower, upper, method) = (0.0, 1.0, Method::Student);
        Sample::Error { point, se, n, df: None, lower, upper, method, replicates: None, mean: false }
    }
}

fn of_set(context: &Context, counts: &Counts, groups: &Groups, levels: &[Arc<str>]) -> ClassSet {
    let confidence = context.plan.spec.measure.confidence;
    let figure = |measured: &Measured| if counts.shown { Figure::of(measured) } else { Figure::Suppressed };
    let compared: Vec<&Group> = groups.groups.iter().filter(|group| group.compared).collect();
    let reference = groups.reference.and_then(|at| {
        let codes = &groups.groups.get(at)?.codes;
        compared.iter().position(|group| group.codes == *codes)
    });
    let least = context.plan.spec.measure.support_min;
    let everyone = Sample::None(Why::NotAMixture);
    let worst = |samples: &[Sample]| {
        let enough = |sample: &&Sample| u64::try_from(sample.n()).is_ok_and(|n| n >= least);
        let samples: Vec<Sample> = samples.iter().filter(enough).cloned().collect();
        let pair = contrast(Comparison::Difference, Against::WorstPair, &samples, &everyone, None, confidence);
        pair.first().map_or(Figure::Suppressed, |pair| figure(&pair.measured))
    };
    let class = |(class, name): (usize, &Arc<str>)| {
        let class = class as u32;
        let each = |of: &dyn Fn(&Group) -> Sample| compared.iter().map(|group| of(group)).collect::<Vec<Sample>>();
        let selection = each(&|group| counts.selection(group, class));
        let recall = each(&|group| counts.recall(group, class));
        let precision = each(&|group| counts.precision(group, class));
        let against = if reference.is_some() { Against::Reference } else { Against::Highest };
        let ratios = contrast(Comparison::Ratio, against, &selection, &everyone, reference, confidence);
        let cohort = |(i, group): (usize, &&Group)| ClassCohort {
            cohort: group.cohort.levels(),
            selection: figure(&selection[i].measure(confidence)),
            ratio: ratios.iter().find(|ratio| ratio.cohort == i).map(|ratio| figure(&ratio.measured)),
            recall: figure(&recall[i].measure(confidence)),
            precision: figure(&precision[i].measure(confidence)),
        };
        Class {
            class: name.clone(),
            cohorts: compared.iter().enumerate().map(cohort).collect(),
            selection_worst: worst(&selection),
            recall_worst: worst(&recall),
            precision_worst: worst(&precision),
        }
    };
    let means: Vec<Sample> = compared.iter().map(|group| counts.macro_recall(group)).collect();
    let named = compared.iter().zip(&means);
    ClassSet {
        across: groups.names.clone(),
        reference: reference.and_then(|at| compared.get(at)).map(|group| group.cohort.levels()),
        classes: levels.iter().enumerate().map(class).collect(),
        macro_recall: named.map(|(group, mean)| (group.cohort.levels(), figure(&mean.measure(confidence)))).collect(),
        macro_recall_worst: worst(&means),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, Released};
    use crate::plan::spec::{Format, Spec};
    use crate::scan::Source;
    use crate::statistic::Statistic;

    fn plan(text: &str) -> Plan {
        let head = r#"
            [pipeline]
            name = "grades"
            [ingest]
            path = "a.csv"
            [schema.group]
            roles = ["protected"]
            levels = ["a", "b"]
            reference = "b"
            [schema.is]
            roles = ["target"]
            levels = ["x", "y", "z"]
            [schema.said]
            roles = ["prediction"]
            levels = ["x", "y", "z"]
        "#;
        let spec: Spec = toml::from_str(&format!("{head}\n{text}")).unwrap();
        let paths = vec!["a.csv".into()];
        let source =
            Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false };
        Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
    }

    fn measured(plan: &Plan, cells: &[([u32; 3], i64)]) -> crate::measure::Measurement {
        let (mut table, mut classes) = (Tally::new(vec![4, 3, 3]), Tally::new(vec![4, 5, 5]));
        for ([group, is, said], n) in cells {
            table.add(&[*group, 2, 2], Cell::rows(*n));
            classes.add(&[*group, *is, *said], Cell::rows(*n));
        }
        let statistics =
            [("measure/table".into(), Statistic::Tally(table)), (NAME.into(), Statistic::Tally(classes))].into();
        let released = Released::new(Evidence { statistics }, Vec::new());
        crate::measure::measure(plan, &Subject::given(plan), &released).unwrap()
    }

    /// Cohort a by true (rows) and decided class: 30 6 4 | 5 20 5 | 0 10 20; b: 20 0 0 | 5 25 0 | 2 3 45. One row of a has no decision.
    const CELLS: [([u32; 3], i64); 16] = [
        ([0, 0, 0], 30),
        ([0, 0, 1], 6),
        ([0, 0, 2], 4),
        ([0, 1, 0], 5),
        ([0, 1, 1], 20),
        ([0, 1, 2], 5),
        ([0, 2, 1], 10),
        ([0, 2, 2], 20),
        ([0, 2, 3], 1),
        ([1, 0, 0], 20),
        ([1, 1, 0], 5),
        ([1, 1, 1], 25),
        ([1, 2, 0], 2),
        ([1, 2, 1], 3),
        ([1, 2, 2], 45),
        ([2, 0, 0], 9),
    ];

    /// Of x: decided 35 of 100 in a and 27 of 100 in b; recall 30 of 40 and 20 of 20; precision 30 of 35 and 20 of 27. Mean recall of a:
    /// (30/40 + 20/30 + 20/30) / 3 = 25/36; of b: (1 + 25/30 + 45/50) / 3 = 41/45.
    #[test]
    fn each_class_against_the_rest() {
        let measurement = measured(&plan("[measure]\nsupport_min = 10"), &CELLS);
        let classes = measurement.bias.classes.unwrap();
        let set = &classes.sets[0];
        let [a, b] = &set.classes[0].cohorts[..] else { panic!() };
        let close = |figure: &Figure, expected: f64| {
            let point = figure.point().unwrap();
            assert!((point - expected).abs() < 1e-12, "{point} {expected}");
        };
        close(&a.selection, 0.35);
        close(&b.selection, 0.27);
        close(a.ratio.as_ref().unwrap(), 35.0 / 27.0);
        assert_eq!((b.ratio.clone(), set.reference.as_deref()), (None, Some("b")));
        close(&a.recall, 0.75);
        close(&b.recall, 1.0);
        close(&a.precision, 30.0 / 35.0);
        close(&b.precision, 20.0 / 27.0);
        close(&set.classes[0].recall_worst, 0.25);
        close(&set.macro_recall[0].1, 25.0 / 36.0);
        close(&set.macro_recall[1].1, 41.0 / 45.0);
        close(&set.macro_recall_worst, 41.0 / 45.0 - 25.0 / 36.0);
        let sum: f64 = set.classes.iter().filter_map(|class| class.cohorts[0].selection.point()).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn below_the_publication_limit_all_is_withheld_and_without_rows_nothing_fails() {
        let measurement = measured(&plan("[measure]\nsuppress_below = 5"), &CELLS);
        let text = serde_json::to_string(&measurement.bias.classes).unwrap();
        assert!(text.contains("suppressed") && !text.contains("estimated"), "{text}");
        let measurement = measured(&plan(""), &[]);
        assert!(measurement.bias.classes.is_some());
    }

    #[test]
    fn two_values_are_no_classes() {
        let text = "[schema.other]\nroles = []";
        let mut plan = plan(text);
        assert_eq!(demands(&plan, &Subject::default()).len(), 1);
        plan.label = Some(Scalar::column("is"));
        assert!(demands(&plan, &Subject::default()).is_empty());
    }
}
