//! Hostile cohorts: empty, alone, without any benefit; and rows that share units.

use super::*;
use crate::statistic::Cell;

fn plan(more: &str) -> Plan {
    let text = format!(
        "pipeline = {{ name = \"x\" }}\ningest = {{ path = \"x.csv\" }}\n[schema]\nd = {{ roles = [\"prediction\"], positive = \"1\" }}\n{more}"
    );
    let spec = toml::from_str(&text).unwrap();
    let source = crate::plan::source(&spec, std::path::Path::new(""), &|path| Ok(vec![path.into()])).unwrap();
    Plan::of(&spec, "", source, &|_| Err("none".into()), &crate::plan::Learned::default()).unwrap()
}

/// TP, FP, FN, TN in every bucket.
fn group(level: &str, buckets: usize, of: [i64; 4]) -> Group {
    let mut table = Confusion::default();
    for (n, (label, decision)) in of.into_iter().zip([(1, 1), (0, 1), (1, 0), (0, 0)]) {
        table.add(label, decision, Cell::rows(n));
    }
    Group {
        cohort: Cohort { pairs: vec![("g".into(), level.into())] },
        codes: vec![0],
        attributes: vec![0],
        compared: level != "unknown",
        tables: vec![table; buckets],
    }
}

fn groups(groups: Vec<Group>) -> Groups {
    Groups { names: vec!["g".into()], groups, reference: None }
}

const ALL: [OfSet; 6] = [
    OfSet::BetweenEntropy,
    OfSet::BetweenTheil,
    OfSet::BetweenVariation,
    OfSet::Decisions,
    OfSet::Labels,
    OfSet::Amplification,
];

#[test]
fn fewer_than_two_cohorts_have_no_figure() {
    let plan = plan("");
    let few = Measured::Undefined { why: Why::FewerThanTwoCohorts };
    let unknown = || group("unknown", 1, [3, 3, 3, 3]);
    for set in
        [vec![], vec![group("a", 1, [1, 2, 3, 4]), unknown()], vec![group("a", 1, [0; 4]), group("b", 1, [1; 4])]]
    {
        let set = groups(set);
        assert!(ALL.iter().all(|of| of_set(&plan, *of, &set) == few), "{set:?}");
    }
    let none = groups(vec![group("a", 1, [0, 0, 5, 0]), group("b", 1, [0, 0, 2, 0])]);
    assert_eq!(of_set(&plan, OfSet::BetweenTheil, &none), Measured::Undefined { why: Why::BenefitOfZero });
    assert!(of_set(&plan, OfSet::Decisions, &none).estimate().is_some());
}

#[test]
fn zero_benefits_are_said_where_a_logarithm_is_needed() {
    let plan = plan("");
    for composite in &INEQUALITIES {
        let sample = |of| index(composite, &group("a", 1, of), &plan);
        assert_eq!(sample([0, 0, 4, 0]), Sample::None(Why::BenefitOfZero));
        assert_eq!(sample([0; 4]), Sample::None(Why::EmptyDenominator));
        let denied = sample([3, 3, 4, 5]);
        assert_eq!(denied.point().is_none(), composite.card.id == "mean-log-deviation");
        // Nobody is denied, and yet the interval is no point.
        let granted = sample([3, 3, 0, 5]).measure(0.95);
        let interval = granted.estimate().unwrap().interval;
        assert!(interval.upper.unwrap() > interval.lower.unwrap(), "{}", composite.card.id);
    }
}

#[test]
fn units_have_buckets_drawn_and_too_few_of_them_no_figure() {
    let plan = plan("u = { roles = [\"privacy-unit\"] }");
    assert!(plan.dependent);
    let set = groups(vec![group("a", 200, [1, 0, 1, 2]), group("b", 200, [3, 1, 1, 1])]);
    let rows = groups(vec![group("a", 1, [200, 0, 200, 400]), group("b", 1, [600, 200, 200, 200])]);
    for of in ALL {
        let point = |plan: &Plan, set| of_set(plan, of, set).estimate().unwrap().point;
        let independent = super::tests::plan("");
        assert!((point(&plan, &set) - point(&independent, &rows)).abs() < 1e-12, "{of:?}");
    }
    let mut few = set.clone();
    few.groups.iter_mut().for_each(|group| group.tables[19..].fill(Confusion::default()));
    for of in ALL {
        assert_eq!(of_set(&plan, of, &few), Measured::Undefined { why: Why::TooFewBuckets }, "{of:?}");
    }
}

/// 400 runs of 200 replicates with a fixed seed: a law of 95 % falls below 90 % with a chance of 3e-5.
#[test]
fn indices_of_benefits_are_held_at_the_stated_rate() {
    use rand_distr::{Binomial, Distribution};
    let mut plan = plan("");
    plan.spec.measure.replicates = 200;
    let mut random = StdRng::seed_from_u64(23);
    for (n, shares) in [(100u64, [0.3, 0.1, 0.2, 0.4]), (60, [0.4, 0.15, 0.05, 0.4]), (1000, [0.2, 0.05, 0.15, 0.6])] {
        let mut held = [0; INEQUALITIES.len()];
        for run in 0..400 {
            let (mut left, mut share) = (n, 1.0);
            let cells = shares.map(|of: f64| {
                let drawn = Binomial::new(left, (of / share).min(1.0)).unwrap().sample(&mut random);
                (left, share) = (left - drawn, share - of);
                drawn as i64
            });
            // The name of the cohort is in the seed of its replicates.
            let group = group(&run.to_string(), 1, cells);
            for (slot, composite) in held.iter_mut().zip(&INEQUALITIES) {
                let Some(truth) = (composite.of)(shares) else { continue };
                let measured = index(composite, &group, &plan).measure(0.95);
                *slot += usize::from(measured.estimate().is_some_and(|of| of.interval.contains(truth)));
            }
        }
        println!("{n} {shares:?}: {held:?} of 400");
        for (held, composite) in held.iter().zip(&INEQUALITIES).filter(|(_, of)| (of.of)(shares).is_some()) {
            assert!(*held >= 360, "{} of {n}: {held}", composite.card.id);
        }
    }
}
