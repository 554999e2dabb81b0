//! Passes that a cap on the rows per unit takes: as listed, so made.

use super::*;
use crate::engine::reference::Reference;

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: u64) {}
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
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table()).unwrap();
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"t.csv\"\nprivacy.population = \"people\"\nprivacy.epsilon = 1.0\nprivacy.rows_per_unit_max = 2\n\
         [schema]\nperson.roles = [\"privacy-unit\"]\nage = {{ roles = [\"feature\"], bounds = [18, 80] }}\n{more}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let pipeline = Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse };
    audit(&pipeline, &Reference, jiff::civil::date(2026, 1, 1), &mut Meter::start(), &Silent).unwrap()
}

#[test]
fn the_pass_of_a_cap_is_listed_and_made_once() {
    let sex = "sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n";
    let open = "sex = { roles = [\"protected\"] }\n";
    let target = "repaid = { roles = [\"target\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";
    let decision = "repaid = { roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";
    let train =
        "[train]\nmodel = \"logistic\"\npenalty = \"none\"\nsplit = { train = 0.6, calibration = 0.0, test = 0.4 }\n";
    for (more, passes_min) in [
        (format!("{sex}{decision}"), 2),
        (format!("{open}{decision}"), 3),
        (format!("{sex}{target}{train}"), 4),
        (format!("{open}{target}{train}"), 5),
    ] {
        let audited = run(&more);
        let listed = &audited.audit.method.passes;
        assert_eq!(listed[0], "cap: rows per unit are capped");
        assert!(listed.len() >= passes_min && listed.iter().filter(|pass| pass.starts_with("cap")).count() == 1);
        assert_eq!((audited.passes_planned, audited.passes_run), (listed.len() as u32, listed.len() as u32), "{more}");
        // 100 people have one row, 300 have two or more. All rows are read, and 700 are within the cap.
        let data = &audited.audit.data;
        let measured = if more.contains("[train]") { 1..700 } else { 700..701 };
        assert!(data.rows_read == 1000 && measured.contains(&data.rows_measured), "{}", data.rows_measured);
    }
}
