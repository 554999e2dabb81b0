//! Whole runs on planted data: what candidates do on held-out rows, and what is audited when one is put into effect.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::audit::bias::mitigation::{Mitigation, Tried};
use crate::engine::reference::Reference;
use crate::plan::spec::Spec;
use crate::run::*;

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// People of two sexes, f with lower values of x at the same chance of repaying: scores from x alone find fewer of them.
fn people(n: u32) -> String {
    let mut rng = StdRng::seed_from_u64(8);
    let mut csv = String::from("id,sex,x,z,repaid,score,amount\n");
    for id in 0..n {
        let f = rng.random_bool(0.45);
        let repaid = rng.random_bool(0.5);
        let x: f64 = rng.random_range(-2.0..2.0) + if repaid { 1.0 } else { -1.0 } - if f { 1.2 } else { 0.0 };
        let z: f64 = rng.random_range(-1.0..1.0);
        let score = 1.0 / (1.0 + libm::exp(-x - 0.4));
        let amount = 10.0 + 2.0 * x + z + rng.random_range(-1.0..1.0);
        let (sex, repaid) = (if f { "f" } else { "m" }, if repaid { "yes" } else { "no" });
        csv.push_str(&format!("{id},{sex},{x:.4},{z:.4},{repaid},{score:.5},{amount:.4}\n"));
    }
    csv
}

fn run(more: &str) -> Audited {
    try_run(more).unwrap()
}

fn try_run(more: &str) -> Result<Audited, RunError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), people(6000)).unwrap();
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"t.csv\"\ningest.key = [\"id\"]\n[schema]\nid = {{}}\n\
         sex = {{ roles = [\"protected\"], levels = [\"f\", \"m\"] }}\n{more}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    let mut paying = Paying::nobody();
    audit(&pipeline, &Reference, jiff::civil::date(2026, 1, 1), &mut Meter::start(), &Silent, &mut paying)
}

const LABEL: &str = "repaid = { roles = [\"target\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";
const FEATURES: &str =
    "x = { roles = [\"feature\"], bounds = [-5, 5] }\nz = { roles = [\"feature\"], bounds = [-1, 1] }\n";
const LOGISTIC: &str = "[train]\nmodel = \"logistic\"\npenalty = \"ridge\"\nstrength = 0.001\nsplit = { train = 0.5, calibration = 0.2, test = 0.3 }\n";
const LINEAR: &str =
    "[train]\nmodel = \"linear\"\npenalty = \"none\"\nsplit = { train = 0.5, calibration = 0.0, test = 0.5 }\n";

fn mitigation(audited: &Audited) -> &Mitigation {
    audited.audit.bias.mitigation.as_ref().unwrap()
}

fn tried<'m>(found: &'m Mitigation, id: &str) -> &'m Tried {
    found.candidates.iter().find(|tried| tried.id == id).unwrap_or_else(|| panic!("{id} in {:?}", found.not_tried))
}

fn gap(tried: &Tried, at: usize) -> f64 {
    tried.outcome.gaps[at].point().unwrap()
}

#[test]
fn candidates_close_a_planted_gap_on_held_out_rows() {
    let audited = run(&format!("{LABEL}{FEATURES}{LOGISTIC}[mitigate]\n"));
    let found = mitigation(&audited);
    // No pass more than training and measuring take.
    assert_eq!((audited.passes_planned, audited.passes_run), (4, 4), "{:?}", audited.audit.method.passes);
    assert_eq!(found.candidates.len() + found.not_tried.len(), 12, "{:?}", found.not_tried);
    let before: Vec<f64> = found.before.gaps.iter().map(|gap| gap.point().unwrap()).collect();
    assert!(before.iter().all(|gap| *gap > 0.2), "{before:?}");
    // Equal by choice on other rows; the standard error of a difference of about 400 rows of label 1 in each cohort is 0.035.
    assert!(gap(tried(found, "demographic-parity-thresholds"), 0) < 0.12);
    assert!(gap(tried(found, "equal-opportunity-thresholds"), 1) < 0.15);
    assert!(gap(tried(found, "equalized-odds"), 2) < 0.15);
    assert!(gap(tried(found, "reject-option"), 0) < 0.12);
    for id in ["correlation-remover", "disparate-impact-remover"] {
        assert!(gap(tried(found, id), 1) < 0.6 * before[1], "{id}: {}", gap(tried(found, id), 1));
    }
    let path: Vec<f64> =
        found.candidates.iter().filter(|tried| tried.id.starts_with("covariance")).map(|tried| gap(tried, 0)).collect();
    assert!(path.len() == 4 && path.windows(2).all(|pair| pair[1] <= pair[0] + 0.02), "{path:?}");
    assert!(path[3] < 0.1, "{path:?}");
    // Gains and losses are counted: the change of everyone's decisions is that of the cohorts.
    let one = tried(found, "equal-opportunity-thresholds");
    for effect in &one.cohorts {
        let change = (effect.gain.unwrap() - effect.lose.unwrap()) as f64 / effect.rows.unwrap() as f64;
        assert!((effect.level.point().unwrap() - change).abs() < 1e-12);
    }
    assert!(one.cohorts[0].true_positive.point().unwrap() > 0.0 || !one.levelling_down.is_empty());
    assert!(!found.summary.is_empty() && !found.warnings.is_empty() && found.used.is_none());
}

#[test]
fn what_is_put_into_effect_is_audited_and_what_was_stays_beside_it() {
    let off = run(&format!("{LABEL}{FEATURES}{LOGISTIC}[mitigate]\nmethods = [\"equal-opportunity-thresholds\"]\n"));
    let on = run(&format!(
        "{LABEL}{FEATURES}{LOGISTIC}[mitigate]\nmethods = [\"equal-opportunity-thresholds\"]\nuse = \"equal-opportunity-thresholds\"\n"
    ));
    let refitted = run(&format!(
        "{LABEL}{FEATURES}{LOGISTIC}[mitigate]\nmethods = [\"reweighing\"]\nuse = \"covariance-penalty\"\nstrength = 1000000.0\n"
    ));
    let rates = |audited: &Audited| -> Vec<f64> {
        let of = |reading: &&Reading| {
            &*reading.metric == "true-positive-rate" && reading.contrast.is_none() && !reading.across.is_empty()
        };
        audited
            .audit
            .readings
            .iter()
            .filter(of)
            .filter_map(|reading| Some(reading.measured.estimate()?.point))
            .collect()
    };
    let apart = |rates: &[f64]| (rates[0] - rates[1]).abs();
    let found = mitigation(&on);
    assert_eq!(mitigation(&off).before, found.before, "what was stays what it was");
    assert!((apart(&rates(&off)) - found.before.gaps[1].point().unwrap()).abs() < 1e-12);
    assert!((apart(&rates(&on)) - gap(tried(found, "equal-opportunity-thresholds"), 1)).abs() < 1e-12);
    assert!(apart(&rates(&on)) < apart(&rates(&off)));
    assert_eq!(found.used.as_deref(), Some("equal-opportunity-thresholds"));
    assert!(on.audit.method.notes.iter().any(|note| note.contains("under the remedy")));
    let used = mitigation(&refitted).used.clone().unwrap();
    assert!((apart(&rates(&refitted)) - gap(tried(mitigation(&refitted), &used), 1)).abs() < 1e-12);
    let card = |audited: &Audited| {
        audited.model.as_ref().unwrap().card.coefficients.iter().map(|c| c.value).collect::<Vec<_>>()
    };
    assert_ne!(card(&off), card(&refitted));
}

#[test]
fn given_scores_are_chosen_on_one_half_and_measured_on_the_other_in_two_passes() {
    let audited = run(&format!("{LABEL}score = {{ roles = [\"score\"] }}\n[mitigate]\n"));
    let found = mitigation(&audited);
    assert_eq!((audited.passes_planned, audited.passes_run), (2, 2), "{:?}", audited.audit.method.passes);
    assert_eq!(found.rows_chosen_on + found.rows_held_out, 6000);
    assert_eq!(found.candidates.len(), 4, "{:?}", found.not_tried);
    assert!(gap(tried(found, "equal-opportunity-thresholds"), 1) < 0.12);
    assert!(gap(tried(found, "equalized-odds"), 2) < 0.12);
    assert!(found.before.gaps[1].point().unwrap() > 0.2);
    // Counts below the limit hide all of it.
    let hidden =
        run(&format!("{LABEL}score = {{ roles = [\"score\"] }}\n[measure]\nsuppress_below = 500\n[mitigate]\n"));
    let all = serde_json::to_string(&mitigation(&hidden).candidates).unwrap();
    assert!(!all.contains("estimated") && all.contains("suppressed"), "{all}");
    assert!(all.contains("withheld") && !all.contains("from a score of"), "{all}");
    let shown = run(&format!(
        "{LABEL}score = {{ roles = [\"score\"] }}\n[measure]\nsuppress_below = 5\n[mitigate]\nmethods = [\"demographic-parity-thresholds\"]\n"
    ));
    let all = serde_json::to_string(&mitigation(&shown).candidates).unwrap();
    assert!(all.contains("estimated") && !all.contains("from a score of"), "{all}");
}

#[test]
fn a_linear_model_is_penalised_exactly_from_moments() {
    let amount = "amount = { roles = [\"target\"], bounds = [-10, 30] }\n";
    let audited = run(&format!("{amount}{FEATURES}{LINEAR}[mitigate]\n"));
    let found = mitigation(&audited);
    assert_eq!((audited.passes_planned, audited.passes_run), (2, 2));
    let path: Vec<&Tried> = found.candidates.iter().filter(|tried| tried.id.starts_with("covariance")).collect();
    assert_eq!(path.len(), 4, "{:?}", found.not_tried);
    let gaps: Vec<f64> = path.iter().map(|tried| gap(tried, 0)).collect();
    assert!(gaps.windows(2).all(|pair| pair[1] < pair[0]) && gaps[3] < 0.2, "{gaps:?}");
    assert!(found.before.gaps[0].point().unwrap() > 2.0);
    let prices: Vec<f64> = path.iter().map(|tried| tried.price.point().unwrap()).collect();
    assert!(prices.windows(2).all(|pair| pair[1] > pair[0]), "{prices:?}");
    // Equal in the training rows; the standard error on other rows is 0.16, from a standard deviation of 3 in each half.
    assert!(gap(tried(found, "correlation-remover"), 0) < 0.8);
    assert!(tried(found, "correlation-remover").price.point().unwrap() > 0.0);
    assert_eq!(found.quality, "root-mean-squared-error");
}

#[test]
fn rows_that_share_units_have_jackknife_intervals() {
    let more = format!(
        "{LABEL}score = {{ roles = [\"score\"] }}\nx = {{ roles = [\"privacy-unit\"] }}\n[mitigate]\nmethods = [\"equalized-odds\", \"reject-option\"]\n"
    );
    let audited = run(&more);
    for tried in &mitigation(&audited).candidates {
        for figure in tried.outcome.gaps.iter().chain([&tried.price, &tried.cohorts[0].level]) {
            let crate::audit::bias::Figure::Estimated { lower, upper, point, .. } = figure else {
                panic!("{figure:?}")
            };
            assert!(lower.unwrap() <= *point && *point <= upper.unwrap() && lower < upper, "{figure:?}");
        }
    }
}
