//! Runs under differential privacy: passes as listed, nothing released that was not paid for, every release attacked.

use super::*;
use crate::engine::reference::Reference;

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// 400 people with 1 to 4 rows each.
fn table() -> String {
    let mut csv = String::from("person,sex,age,repaid\n");
    for person in 0..400u32 {
        for row in 0..=person % 4 {
            let (sex, age) = (["f", "m"][(person % 2) as usize], 20 + (person * 7 + row * 13) % 50);
            let repaid = if (person * 31 + row * 17) % 50 < age { "yes" } else { "no" };
            csv.push_str(&format!("p{person},{sex},{age},{repaid}\n"));
        }
    }
    csv
}

fn run(more: &str) -> Audited {
    let mut charged = Vec::new();
    let paying = Paying {
        charge: Box::new(|population: &str, cost, parts: &[crate::budget::Allocation]| {
            charged.push((population.to_owned(), cost, parts.to_vec()));
            Ok(Charged::default())
        }),
        entropy: crate::world::Entropy::Fixed(5),
    };
    let audited = try_run(more, paying).unwrap();
    let [(population, cost, parts)] = &charged[..] else { panic!("charged once") };
    assert_eq!(population, "people");
    assert!(cost.epsilon.is_some_and(|epsilon| epsilon <= 20 * crate::budget::UNITS), "{cost:?}");
    let receipts = &audited.audit.receipts;
    assert_eq!(receipts.len(), parts.len(), "all that was set aside was released");
    for receipt in receipts {
        let part = parts.iter().find(|part| part.statistic == receipt.statistic).unwrap();
        assert_eq!(receipt.noise.as_ref().map(|noise| noise.charge), Some(part.charge));
    }
    audited
}

fn try_run(more: &str, mut paying: Paying) -> Result<Audited, RunError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table()).unwrap();
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"t.csv\"\nprivacy.population = \"people\"\nprivacy.epsilon = 20.0\nprivacy.rows_per_unit_max = 2\n\
         [schema]\nperson.roles = [\"privacy-unit\"]\nage = {{ roles = [\"feature\"], bounds = [18, 80] }}\n{more}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    audit(&pipeline, &Reference, jiff::civil::date(2026, 1, 1), &mut Meter::start(), &Silent, &mut paying)
}

const SEX: &str = "sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n";
const DECISION: &str = "repaid = { roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";
const TRAINED: &str = "repaid = { roles = [\"target\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n[train]\nmodel = \"logistic\"\npenalty = \"ridge\"\nstrength = 0.01\nsteps = 3\nsplit = { train = 0.6, calibration = 0.0, test = 0.4 }\n";

#[test]
fn the_pass_of_a_cap_is_listed_and_made_once() {
    for (more, passes) in [(format!("{SEX}{DECISION}"), 2), (format!("{SEX}{TRAINED}"), 6)] {
        let audited = run(&more);
        let listed = &audited.audit.method.passes;
        assert_eq!(listed[0], "cap: rows per unit are capped");
        assert_eq!(listed.len(), passes, "{listed:?}");
        assert_eq!((audited.passes_planned, audited.passes_run), (passes as u32, passes as u32), "{more}");
        // 100 people have one row, 300 have two or more: 700 rows are within the cap. The noise has a scale below 3 rows.
        let data = &audited.audit.data;
        assert!((data.rows_kept - 700).abs() < 60, "{}", data.rows_kept);
        let expected = if more.contains("[train]") { 280 } else { 700 };
        assert!((data.rows_measured - expected).abs() < 100, "{}", data.rows_measured);
    }
}

#[test]
fn every_release_is_attacked_and_the_checklist_has_its_lines() {
    let audited = run(&format!("{SEX}{TRAINED}"));
    let privacy = audited.audit.privacy.unwrap();
    assert_eq!(privacy.checklist.len(), 18);
    // The three steps are one kind.
    let names: Vec<&str> = privacy.rehearsals.iter().map(|rehearsal| &*rehearsal.statistic).collect();
    assert_eq!(
        names,
        ["contract/rows", "train/gram", "train/step/1", "measure/table", "measure/score", "measure/loss"]
    );
    for rehearsal in &privacy.rehearsals {
        assert!(!rehearsal.falsified, "{rehearsal:?}");
        assert!(rehearsal.epsilon_lower > 0.0, "an attack that sees nothing proves nothing: {rehearsal:?}");
    }
    assert!(!audited.price.is_empty());
}

#[test]
fn nothing_is_read_before_it_is_paid_for() {
    let refuse = || Paying {
        charge: Box::new(|_, _, _| Err(PayError::Refused("nothing left".into()))),
        entropy: crate::world::Entropy::Fixed(1),
    };
    let refused = try_run(&format!("{SEX}{DECISION}"), refuse()).err();
    assert!(matches!(refused, Some(RunError::Pay(PayError::Refused(_)))), "{refused:?}");
    let nobody = try_run(&format!("{SEX}{DECISION}"), Paying::nobody()).err();
    assert!(matches!(nobody, Some(RunError::Pay(PayError::Failed(_)))), "{nobody:?}");
    let open = try_run(&format!("sex = {{ roles = [\"protected\"] }}\n{DECISION}"), refuse()).err();
    assert!(matches!(open, Some(RunError::Plan(_))), "levels are not learned: {open:?}");
}
