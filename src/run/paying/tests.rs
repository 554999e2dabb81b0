//! How the cost of a run is divided: never more than declared, in parallel where units are apart.

use super::*;
use crate::plan::spec::{Format, Spec};
use crate::plan::{Learned, Plan};
use crate::scan::Source;

fn plan(more: &str) -> Plan {
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"t.csv\"\n[schema]\nperson.roles = [\"privacy-unit\"]\n\
         sex = {{ roles = [\"protected\"], levels = [\"f\", \"m\"], null_share_max = 0.1 }}\n\
         age = {{ roles = [\"feature\"], bounds = [18, 80] }}\n{more}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let source = Source {
        paths: vec!["t.csv".into()],
        format: Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    };
    Plan::of(&spec, "", source, &|_| Err("none".into()), &Learned::default()).unwrap()
}

const GIVEN: &str = "paid = { roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";
const TRAINED: &str = "paid = { roles = [\"target\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n[train]\nmodel = \"logistic\"\npenalty = \"ridge\"\nstrength = 0.1\nsteps = 4\n";

fn privacy(epsilon: f64, delta: f64) -> String {
    format!("[privacy]\npopulation = \"people\"\nepsilon = {epsilon}\ndelta = {delta:e}\nrows_at_least = 1000\n")
}

fn names(cost: &Cost) -> Vec<&str> {
    cost.allocations.iter().map(|part| &*part.statistic).collect()
}

#[test]
fn without_privacy_a_run_costs_nothing() {
    assert_eq!(cost(&plan(GIVEN)), None);
}

#[test]
fn the_contract_and_the_table_share_the_cost_of_given_decisions() {
    let cost = cost(&plan(&format!("{GIVEN}{}", privacy(1.0, 0.0)))).unwrap();
    assert_eq!(names(&cost), ["contract/rows", "contract/column/sex", "measure/table"]);
    assert!(!cost.parallel);
    // Shares 1 and 4: a fifth for the two tables of the contract, four fifths for the cohorts.
    let epsilons: Vec<u64> = cost.allocations.iter().map(|part| part.charge.epsilon.unwrap()).collect();
    let near = |found: u64, expected: f64| (found as f64 / UNITS as f64 - expected).abs() < 1e-11;
    assert!(near(epsilons[0], 0.1) && near(epsilons[1], 0.1) && near(epsilons[2], 0.8), "{epsilons:?}");
    assert!(cost.total.epsilon.unwrap() <= UNITS);
}

#[test]
fn training_and_measuring_cost_the_dearer_of_the_two() {
    let cost = cost(&plan(&format!("{TRAINED}{}", privacy(2.0, 0.0)))).unwrap();
    assert!(cost.parallel);
    let sum = |prefix: &str| -> u64 {
        let of = cost.allocations.iter().filter(|part| part.statistic.starts_with(prefix));
        of.map(|part| part.charge.epsilon.unwrap()).sum()
    };
    let (contract, train, measure) = (sum("contract/"), sum("train/"), sum("measure/"));
    assert!(train.abs_diff(measure) < 20, "each may cost what is left: {train} {measure}");
    assert_eq!(cost.total.epsilon, Some(contract + train.max(measure)));
    assert!(cost.total.epsilon.unwrap() <= 2 * UNITS && cost.total.epsilon.unwrap() > 2 * UNITS - 40);
    assert_eq!(names(&cost).iter().filter(|name| name.starts_with("train/step/")).count(), 4);
}

#[test]
fn gaussian_costs_stay_within_the_declared_epsilon_at_its_delta() {
    for epsilon in [0.01, 0.5, 1.0, 8.0, 20.0] {
        let cost = cost(&plan(&format!("{TRAINED}{}", privacy(epsilon, 1e-9)))).unwrap();
        assert_eq!(cost.total.epsilon, None);
        let spent = accounting::epsilon_of(cost.total.rho as f64 / UNITS as f64, 1e-9);
        assert!(spent <= epsilon && spent > 0.999 * epsilon, "{spent} of {epsilon}");
    }
}
