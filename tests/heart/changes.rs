//! What a run says of the runs before it: a finding that is new, fixed, open again; earlier folders that are damaged; editions apart.

use std::path::{Path, PathBuf};

use evenhand::audit::Recurrence;
use evenhand::audit::changes::{Changes, Unread};
use evenhand::budget::UNITS;
use evenhand::budget::ledger::Grant;
use evenhand::engine::reference::Reference;
use evenhand::plan::expression;
use evenhand::plan::spec::Spec;
use evenhand::run::{Delivered, Pipeline, Progress, Request, deliver};
use evenhand::store::Store;
use evenhand::world::{Clock, Entropy};

const PIPELINE: &str = r#"
    pipeline.name = "p"
    ingest.path = "t.csv"
    report.folder = "reports"
    measure.across = [["sex"]]
    [schema]
    sex = { roles = ["protected"], levels = ["f", "m"] }
    granted = { roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }
    [[judge]]
    metric = "selection-rate"
    compare = "difference"
    against = "worst-pair"
    across = ["sex"]
    at_most = 0.2
"#;

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// 2,000 rows; of 100 women this many are granted, of 100 men 50.
fn table(granted: u32) -> String {
    let row = |i: u32| {
        let (woman, nth) = (i.is_multiple_of(2), i / 2 % 100);
        let yes = nth < if woman { granted } else { 50 };
        format!("{},{}\n", if woman { "f" } else { "m" }, if yes { "yes" } else { "no" })
    };
    format!("sex,granted\n{}", (0..2000).map(row).collect::<String>())
}

fn run(folder: &Path, pipeline: &str, granted: u32, day: u32) -> Delivered {
    std::fs::write(folder.join("t.csv"), table(granted)).unwrap();
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let request = Request {
        pipeline: Pipeline { spec: &spec, spec_sha256: "", folder, parse: &parse },
        engine: &Reference,
        engine_name: "reference",
        threads: 1,
        clock: Clock::Fixed(format!("2026-01-0{day}T00:00:00Z").parse().unwrap()),
        entropy: Entropy::Fixed(u64::from(day)),
        progress: &Silent,
        fail_on_warn: false,
    };
    // A program that another test starts holds copies of open files for a moment, the lock of a run that has ended among them.
    let mut result = deliver(&request);
    for _ in 0..40 {
        if matches!(result, Err(evenhand::run::DeliverError::Locked(_))) {
            std::thread::sleep(std::time::Duration::from_millis(50));
            result = deliver(&request);
        }
    }
    result.unwrap()
}

/// The changes as the file has them.
fn written(delivered: &Delivered) -> Changes {
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(delivered.folder.join("run.json")).unwrap()).unwrap();
    serde_json::from_value(run["changes"].clone()).unwrap()
}

fn standing(delivered: &Delivered) -> Vec<(Recurrence, &str, &str)> {
    let of = |since: &'_ evenhand::audit::Since| since.standing;
    let since = &delivered.record.since;
    since.iter().map(|s| (of(s), s.first_seen.run_id.as_str(), s.open_since.run_id.as_str())).collect()
}

#[test]
fn a_finding_is_new_then_open_still_then_fixed_then_open_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let first = run(at, PIPELINE, 10, 1);
    let id = |run: &Delivered| run.record.run_id.clone();
    assert_eq!(first.record.changes, None);
    assert_eq!(standing(&first), [(Recurrence::New, id(&first).as_str(), id(&first).as_str())]);
    assert!(first.record.history.is_empty());

    let second = run(at, PIPELINE, 11, 2);
    let changes = written(&second);
    assert_eq!((changes.counts.new, changes.counts.fixed, changes.counts.still), (0, 0, 1));
    assert_eq!(changes.counts.within, 1, "moved by 0.01, within the intervals");
    assert!(!changes.is_worse() && !changes.is_empty());
    assert_eq!(changes.data.files.len(), 1);
    assert_eq!(standing(&second), [(Recurrence::Still, id(&first).as_str(), id(&first).as_str())]);

    let third = run(at, PIPELINE, 50, 3);
    let changes = written(&third);
    assert_eq!((changes.counts.new, changes.counts.fixed, changes.counts.still), (0, 1, 0));
    assert_eq!((changes.counts.beyond, changes.before.run_id.clone()), (1, id(&second)));
    assert!(standing(&third).is_empty());

    let fourth = run(at, PIPELINE, 10, 4);
    let changes = written(&fourth);
    assert_eq!((changes.counts.new, changes.counts.fixed, changes.counts.still), (1, 0, 0));
    assert!(changes.is_worse());
    assert_eq!(standing(&fourth), [(Recurrence::Again, id(&first).as_str(), id(&fourth).as_str())]);
    let points = &fourth.record.history[0].points;
    let gaps: Vec<f64> = points.iter().map(|past| (past.point.unwrap() * 100.0).round() / 100.0).collect();
    assert_eq!(gaps, [0.4, 0.39, 0.0, 0.4]);
    assert!(points.iter().all(|past| past.at_most == Some(0.2) && past.lower < past.upper));
    let page = std::fs::read_to_string(fourth.folder.join("report.html")).unwrap();
    assert!(page.contains(&format!("1 new, 0 fixed, 0 still open since the run {}", id(&third))), "{page}");
    assert!(page.contains("id=\"changes\""));
}

#[cfg(feature = "sign")]
#[test]
fn the_last_signed_run_is_compared_with_and_not_the_one_before() {
    use evenhand::attest::{PrivateKey, write_keys};

    let folder = tempfile::tempdir().unwrap();
    write_keys(&folder.path().join("own"), &PrivateKey::generate(Entropy::Fixed(1)).unwrap()).unwrap();
    let signing = format!("{PIPELINE}\n[sign]\nkey_file = \"own.key.pem\"\n");
    let first = run(folder.path(), &signing, 50, 1);
    let second = run(folder.path(), PIPELINE, 10, 2);
    // A file of that name is no signature.
    std::fs::write(second.folder.join("attestation.dsse.json"), "{}").unwrap();
    let third = run(folder.path(), PIPELINE, 10, 3);
    let changes = written(&third);
    assert_eq!((&changes.before.run_id, changes.before.signed), (&first.record.run_id, true));
    assert_eq!((changes.counts.new, changes.counts.still), (1, 0));
    // Nor is one of a folder that was changed since.
    std::fs::write(first.folder.join("report.html"), "x").unwrap();
    let changes = written(&run(folder.path(), PIPELINE, 10, 4));
    assert_eq!((&changes.before.run_id, changes.before.signed), (&third.record.run_id, false));
}

#[test]
fn an_earlier_folder_that_is_gone_or_damaged_is_said_and_ends_no_run() {
    type Damage = fn(&PathBuf);
    let damages: [(Damage, Unread); 6] = [
        (|folder| std::fs::remove_dir_all(folder).unwrap(), Unread::Missing),
        (|folder| std::fs::remove_file(folder.join("run.json")).unwrap(), Unread::Missing),
        (|folder| std::fs::write(folder.join("report.json"), "{\"report_version\":1").unwrap(), Unread::Damaged),
        (|folder| std::fs::write(folder.join("run.json"), "{\"run_version\":99}").unwrap(), Unread::Later),
        // Whole JSON, and not what was recorded.
        (
            |folder| {
                let place = folder.join("report.json");
                let text = std::fs::read_to_string(&place).unwrap();
                std::fs::write(place, text.replacen("breached", "met", 1) + "\n").unwrap();
            },
            Unread::Damaged,
        ),
        (|folder| std::fs::write(folder.join("run.json"), [0xff, 0, 1]).unwrap(), Unread::Damaged),
    ];
    for (damage, why) in damages {
        let folder = tempfile::tempdir().unwrap();
        let first = run(folder.path(), PIPELINE, 10, 1);
        damage(&first.folder);
        let second = run(folder.path(), PIPELINE, 10, 2);
        let changes = written(&second);
        assert_eq!((changes.unread, &changes.before.run_id), (Some(why), &first.record.run_id));
        assert_eq!(changes.before.outcome, first.record.outcome);
        // The store knows all the same.
        assert_eq!(standing(&second)[0].0, Recurrence::Still);
        let page = std::fs::read_to_string(second.folder.join("report.html")).unwrap();
        assert!(page.contains("cannot be compared"), "{why:?}");
    }
}

#[test]
fn each_edition_is_compared_with_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline =
        PIPELINE.replace("measure.across", "privacy = { population = \"people\", epsilon = 4.0 }\n    measure.across");
    let reports = folder.path().join("reports");
    let mut store = Store::open(&reports.join("evenhand.db")).unwrap();
    let grant = Grant { epsilon: 100 * UNITS, delta: UNITS / 1000, window: None };
    store.grant("people", grant, Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    store.close().unwrap();
    run(folder.path(), &pipeline, 10, 1);
    let second = run(folder.path(), &pipeline, 50, 2);
    let public = written(&second);
    assert!(!public.data.files_told && public.data.files.is_empty());
    let internal = reports.join("p.internal").join(&second.record.run_id).join("run.json");
    let internal: serde_json::Value = serde_json::from_slice(&std::fs::read(internal).unwrap()).unwrap();
    let internal: Changes = serde_json::from_value(internal["changes"].clone()).unwrap();
    assert!(internal.data.files_told && internal.data.files.len() == 1);
    assert_eq!(public.counts, internal.counts);
    let budget = public.budget.unwrap();
    assert_eq!((budget.left.before, budget.left.after), (Some(96.0), Some(92.0)));
}

#[cfg(feature = "cli")]
#[test]
fn the_verbs_find_runs_by_folder_and_by_name_and_say_what_got_worse() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [(50, 1), (10, 2), (12, 3), (12, 4)].map(|(granted, day)| run(folder.path(), PIPELINE, granted, day));
    let path = |run: &Delivered| run.folder.to_str().unwrap().to_string();
    let [good, bad, still, again] = runs.each_ref().map(path);
    let pipeline = folder.path().join("p.toml");
    std::fs::write(&pipeline, PIPELINE).unwrap();
    let pipeline = pipeline.to_str().unwrap();
    let of_runs = folder.path().join("reports/p");
    let of_runs = of_runs.to_str().unwrap();
    let verb = |words: &[&str]| evenhand::cli::run(["evenhand"].iter().chain(words));
    assert_eq!(verb(&["diff", &good, &bad]), 0);
    assert_eq!(verb(&["diff", &good, &bad, "--exit-code"]), 1);
    assert_eq!(verb(&["diff", &bad, &good, "--exit-code", "--readings", "--independent", "--all"]), 0);
    assert_eq!(verb(&["diff", &still, &again, "--exit-code", "--format", "json"]), 0);
    assert_eq!(verb(&["diff", pipeline, "--exit-code"]), 0);
    assert_eq!(verb(&["diff", pipeline, "latest~3", "--exit-code"]), 1);
    assert_eq!(verb(&["diff", of_runs, &runs[0].record.run_id, "latest~2", "--exit-code"]), 1);
    for wrong in [["diff", pipeline, "latest~9"], ["diff", pipeline, "../p"], ["diff", &good, "/nowhere"]] {
        assert_eq!(verb(&wrong), 2, "{wrong:?}");
    }
    assert_eq!(verb(&["history", pipeline]), 0);
    // A report that was changed is not compared where the history knows it.
    let changed = runs[3].folder.join("report.json");
    let text = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, text.clone() + " ").unwrap();
    assert_eq!((verb(&["diff", pipeline]), verb(&["diff", &still, &again])), (2, 2));
    std::fs::write(&changed, text).unwrap();
    assert_eq!((verb(&["diff", pipeline]), verb(&["diff", &still, &again])), (0, 0));
    std::fs::remove_dir_all(&bad).unwrap();
    assert_eq!(verb(&["history", of_runs, "--metric", "selection-rate", "--across", "sex"]), 0);
    assert_eq!(verb(&["history", of_runs, "--metric", "selection-rate", "--limit", "2", "--format", "json"]), 0);
    assert_eq!(verb(&["history", of_runs, "--across", "sex"]), 2);
    let nowhere = tempfile::tempdir().unwrap();
    assert_eq!(verb(&["history", nowhere.path().to_str().unwrap()]), 2);
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0, "nothing is made where nothing is");
}
