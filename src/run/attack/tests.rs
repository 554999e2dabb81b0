//! Whole runs: a model that knows its rows by heart is told from one that does not; an attack that fails ends no run.

use super::super::*;
use super::*;
use crate::engine::reference::Reference;
use crate::engine::{Collected, EngineError};
use crate::scan::{Scan, SourceColumn};

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// Reads rows as long as nothing is attacked.
struct Failing;

impl Engine for Failing {
    fn describe(&self, source: &Source) -> Result<Vec<SourceColumn>, EngineError> {
        Reference.describe(source)
    }
    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError> {
        match demands.iter().any(|demand| demand.name.starts_with("attack/")) {
            true => Err(EngineError::Stopped),
            false => Reference.collect(scan, demands, progress),
        }
    }
}

/// So many rows with so many numbers, and a target that depends on the first two.
fn table(rows: u32, features: usize) -> (String, String) {
    let mut state = 9u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let names: Vec<String> = (0..features).map(|j| format!("x{j}")).collect();
    let mut csv = format!("sex,y,{}\n", names.join(","));
    for _ in 0..rows {
        let x: Vec<f64> = names.iter().map(|_| draw()).collect();
        let y = x[0] + x[1] + draw();
        let fields: Vec<String> = x.iter().map(|x| format!("{x}")).collect();
        csv.push_str(&format!("{},{y},{}\n", if draw() < 0.5 { "f" } else { "m" }, fields.join(",")));
    }
    let mut schema = String::from(
        "[schema]\nsex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\ny = { roles = [\"target\"], bounds = [0, 3] }\n",
    );
    names.iter().for_each(|name| schema.push_str(&format!("{name} = {{ roles = [\"feature\"], bounds = [0, 1] }}\n")));
    (csv, schema)
}

fn run(engine: &dyn Engine, (csv, schema): (String, String), more: &str) -> Result<Audited, RunError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), csv).unwrap();
    let text = format!("pipeline.name = \"p\"\ningest.path = \"t.csv\"\n{schema}{more}");
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    let day = jiff::civil::date(2026, 1, 1);
    let mut paying =
        Paying { charge: Box::new(|_, _, _| Ok(Default::default())), entropy: crate::world::Entropy::Fixed(5) };
    audit(&pipeline, engine, day, &mut Meter::start(), &Silent, &mut paying)
}

/// A run of given decisions.
pub(in crate::run::attack) fn run_given(csv: String, more: &str) -> Result<Audited, RunError> {
    run(&Reference, (csv, String::new()), more)
}

const TRAINED: &str = "[train]\nmodel = \"linear\"\npenalty = \"none\"\n[attacks]\non_real_rows = true\n";

#[test]
fn a_model_that_knows_its_rows_by_heart_is_recognised() {
    let found = |rows, features| {
        let audited = run(&Reference, table(rows, features), TRAINED).unwrap();
        let listed = &audited.audit.method.passes;
        assert_eq!(listed.len(), 3);
        assert!(listed[2].starts_with("attack: the trained model is attacked with real rows"), "{listed:?}");
        assert_eq!((audited.passes_planned, audited.passes_run), (3, 3));
        match audited.attacks.unwrap() {
            AttacksOnRows { model: Some(Attempt::Attacked(model)), dataset: None, .. } => model,
            other => panic!("{other:?}"),
        }
    };
    let by_heart = found(100, 40);
    assert!(by_heart.auc.lower > 0.5 && by_heart.auc.value > 0.6, "{:?}", by_heart.auc);
    assert_eq!(by_heart.rows_attacked, by_heart.rows_trained);
    let learned = found(2000, 2);
    assert!(learned.auc.value < 0.51 && learned.auc.upper < 0.51, "{:?}", learned.auc);
    assert!(
        learned.at.iter().all(|at| at.true_positive_rate.lower <= at.false_positives_max * 1.5),
        "{:?}",
        learned.at
    );
    // Two cohorts; a hundredth of about 1,200 rows.
    let exposed: u64 = learned.exposure.iter().map(|of| of.exposed).sum();
    assert_eq!((learned.exposure.len(), exposed), (2, learned.rows_trained.div_ceil(100)));
}

#[test]
fn an_attack_that_fails_is_said_and_ends_no_run() {
    let audited = run(&Failing, table(200, 2), TRAINED).unwrap();
    assert_eq!((audited.passes_planned, audited.passes_run), (3, 3));
    let Some(AttacksOnRows { model: Some(Attempt::NotAttacked { reason }), .. }) = audited.attacks else {
        panic!("{:?}", audited.attacks)
    };
    assert!(reason.starts_with("the rows could not be read again"), "{reason}");
    let plain = run(&Failing, table(200, 2), &TRAINED.replace("true", "false")).unwrap();
    assert_eq!((plain.attacks, plain.passes_planned), (None, 2));
}

/// The audit is the same to the last number: nothing is charged or released for an attack, whether it succeeds or fails.
#[test]
fn under_differential_privacy_an_attack_leaves_no_mark_on_the_audit() {
    let private = "[train]\nmodel = \"linear\"\npenalty = \"ridge\"\nstrength = 0.01\n[privacy]\npopulation = \"people\"\nepsilon = 20.0\n";
    let asked = format!("{private}[attacks]\non_real_rows = true\n");
    let plain = run(&Reference, table(2000, 2), private).unwrap();
    let attacked = run(&Reference, table(2000, 2), &asked).unwrap();
    let failed = run(&Failing, table(2000, 2), &asked).unwrap();
    assert!(plain.attacks.is_none());
    for other in [&attacked, &failed] {
        assert_eq!(plain.audit, other.audit);
        assert_eq!((plain.passes_run + 1, plain.passes_planned + 1), (other.passes_run, other.passes_planned));
    }
    let Some(AttacksOnRows { model: Some(Attempt::Attacked(model)), .. }) = attacked.attacks else {
        panic!("{:?}", attacked.attacks)
    };
    assert!((0.49..0.51).contains(&model.auc.value), "{:?}", model.auc);
    assert!(model.notes[0].contains("with noise") && model.rows_attacked > 1000);
    assert!(matches!(failed.attacks.unwrap().model, Some(Attempt::NotAttacked { .. })));
}
