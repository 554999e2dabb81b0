//! The public edition of a run under differential privacy: who pays, what it leaves out, and what an error says.

use std::collections::BTreeMap;
use std::path::Path;

use evenhand::budget::UNITS;
use evenhand::budget::ledger::Grant;
use evenhand::demand::Demand;
use evenhand::engine::reference::Reference;
use evenhand::engine::{Collected, Engine, EngineError};
use evenhand::plan::expression;
use evenhand::plan::spec::Spec;
use evenhand::run::{DeliverError, Delivered, Pipeline, Progress, Request, deliver};
use evenhand::scan::{Scan, Source, SourceColumn};
use evenhand::store::Store;
use evenhand::world::{Clock, Entropy};
use serde_json::Value;
use sha2::{Digest, Sha256};

struct Silent;

impl Progress for Silent {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

const PIPELINE: &str = r#"
    pipeline.name = "p"
    ingest.path = "t.csv"
    ingest.where = "age < 75"
    report.folder = "reports"
    privacy = { population = "people", epsilon = 4.0, rows_per_unit_max = 2 }
    [schema]
    person.roles = ["privacy-unit"]
    name.roles = ["identifier"]
    sex = { roles = ["protected"], levels = ["f", "m"] }
    age = { roles = ["feature"], bounds = [18, 80] }
    repaid = { roles = ["target"], levels = ["no", "yes"], positive = "yes" }
    [train]
    model = "logistic"
    penalty = "ridge"
    strength = 0.01
    steps = 3
    split = { train = 0.6, calibration = 0.0, test = 0.4 }
"#;

/// 1,000 people with 1 to 4 rows each; person and name are texts that are nowhere else.
fn table() -> String {
    let mut csv = String::from("person,name,sex,age,repaid\n");
    for person in 0..1000u32 {
        for row in 0..=person % 4 {
            let (sex, age) = (["f", "m"][(person % 2) as usize], 20 + (person * 7 + row * 13) % 50);
            let repaid = if (person * 31 + row * 17) % 50 < age { "yes" } else { "no" };
            csv.push_str(&format!("Unit{person}Q,Planted{person}Z,{sex},{age},{repaid}\n"));
        }
    }
    csv
}

fn clock() -> Clock {
    Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap())
}

/// A folder with the data and, where runs are given, a grant for so many.
fn world(table: &str, runs: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table).unwrap();
    if runs > 0 {
        std::fs::create_dir(folder.path().join("reports")).unwrap();
        let mut store = Store::open(&folder.path().join("reports/evenhand.db")).unwrap();
        store.grant("people", Grant { epsilon: runs * 4 * UNITS, delta: 0, window: None }, clock()).unwrap();
        store.close().unwrap();
    }
    folder
}

fn run(folder: &Path) -> Result<Delivered, DeliverError> {
    run_by(folder, &Reference, &Silent, "")
}

fn run_with(folder: &Path, progress: &dyn Progress) -> Result<Delivered, DeliverError> {
    run_by(folder, &Reference, progress, "")
}

/// The same by an engine, with more sections.
fn run_by(folder: &Path, engine: &dyn Engine, progress: &dyn Progress, more: &str) -> Result<Delivered, DeliverError> {
    let spec: Spec = toml::from_str(&format!("{PIPELINE}{more}")).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    deliver(&Request {
        pipeline: Pipeline { spec: &spec, spec_sha256: "", folder, parse: &parse },
        engine,
        engine_name: "reference",
        threads: 1,
        clock: clock(),
        entropy: Entropy::Fixed(7),
        progress,
        fail_on_warn: false,
    })
}

fn runs(folder: &Path, name: &str) -> usize {
    let Ok(listed) = std::fs::read_dir(folder.join("reports").join(name)) else { return 0 };
    listed.filter(|entry| entry.as_ref().unwrap().path().join("run.json").exists()).count()
}

/// Every file of a run folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            found.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    found
}

fn json(files: &BTreeMap<String, String>) -> Value {
    serde_json::from_str(&files["run.json"]).unwrap()
}

#[test]
fn a_grant_for_two_runs_pays_for_two() {
    let folder = world(&table(), 2);
    for done in 1..=2 {
        run(folder.path()).unwrap();
        assert_eq!((runs(folder.path(), "p"), runs(folder.path(), "p.internal")), (done, done));
    }
    let refused = run(folder.path()).unwrap_err();
    assert_eq!(refused.exit_code(), 4, "{refused}");
    assert!(refused.to_string().contains("left"), "{refused}");
    assert_eq!((runs(folder.path(), "p"), runs(folder.path(), "p.internal")), (2, 2));
    let poor = world(&table(), 0);
    assert_eq!(run(poor.path()).unwrap_err().exit_code(), 4);
    assert_eq!(runs(poor.path(), "p"), 0);
    let broken = world(&table(), 0);
    std::fs::create_dir(broken.path().join("reports")).unwrap();
    std::fs::write(broken.path().join("reports/evenhand.db"), "this is no ledger ".repeat(100)).unwrap();
    assert_eq!(run(broken.path()).unwrap_err().exit_code(), 3);
    assert_eq!(runs(broken.path(), "p"), 0);
}

#[test]
fn the_public_edition_leaves_out_what_the_claim_does_not_cover() {
    let folder = world(&table(), 1);
    let delivered = run(folder.path()).unwrap();
    let id = &delivered.record.run_id;
    let [public, internal] = ["p", "p.internal"].map(|of| files(&folder.path().join("reports").join(of).join(id)));
    let (open, inner) = (json(&public), json(&internal));
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    for key in ["inputs", "usage", "commitment_salt", "price"] {
        assert!(empty(&open[key]), "{key}");
        assert!(!empty(&inner[key]), "{key}");
    }
    assert_eq!(open["finished_at"], open["started_at"]);
    assert_eq!(open["passes_run"], open["passes_planned"]);
    assert_eq!(open["commitment_sha256"], inner["commitment_sha256"]);
    let salt = inner["commitment_salt"].as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&salt[at..at + 2], 16).unwrap();
    let mut committed: Vec<u8> = (0..salt.len()).step_by(2).map(byte).collect();
    committed.extend(inner["inputs"][0]["sha256"].as_str().unwrap().bytes());
    let hex: String = Sha256::digest(&committed).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(open["commitment_sha256"], hex);
    for (name, text) in public.iter().chain(&internal) {
        assert!(!(0..1000).any(|of| text.contains(&format!("Unit{of}Q"))), "{name}");
        assert!(!text.contains("Planted"), "{name}");
    }
}

#[test]
fn a_person_who_changes_no_released_number_changes_no_byte() {
    let more = format!("{}Unit9999Q,Planted9999Z,f,77,yes\n", table());
    let editions = [table(), more].map(|table| {
        let folder = world(&table, 1);
        let delivered = run(folder.path()).unwrap();
        let mut files = files(&delivered.folder);
        let record = json(&files);
        let commitment = record["commitment_sha256"].as_str().unwrap().to_owned();
        // Two ledgers have two random identities, and so two heads; neither follows from the rows.
        let head = record["ledger"]["head"].as_str().unwrap().to_owned();
        files.values_mut().for_each(|text| *text = text.replace(&commitment, "").replace(&head, ""));
        (commitment, delivered.exit_code(), files)
    });
    let [(first, code, one), (second, other_code, other)] = &editions;
    assert_ne!(first, second);
    assert_eq!(code, other_code);
    assert!(one.keys().eq(other.keys()));
    for (name, text) in one {
        assert!(*text == other[name], "{name} differs");
    }
}

#[test]
fn an_error_in_the_data_says_neither_line_nor_value() {
    let folder = world(&format!("{}Unit5Q,PlantedZ,f\n", table()), 1);
    let error = run(folder.path()).unwrap_err();
    assert_eq!(error.exit_code(), 3, "{error}");
    let text = error.to_string().replace(&folder.path().display().to_string(), "");
    for secret in ["Unit", "Planted", "2502", "2501", ", line "] {
        assert!(!text.contains(secret), "{secret:?} in {text}");
    }
    assert_eq!((runs(folder.path(), "p"), runs(folder.path(), "p.internal")), (0, 0));
}

#[test]
fn an_error_that_is_known_from_the_header_is_told_and_costs_nothing() {
    let folder = world(&table().replacen("repaid", "paid", 1), 1);
    let error = run(folder.path()).unwrap_err();
    assert!(error.to_string().contains("the column \"repaid\" is not there"), "{error}");
    std::fs::write(folder.path().join("t.csv"), table()).unwrap();
    run(folder.path()).unwrap();
}

#[test]
fn the_internal_edition_is_for_this_account_and_swept_and_the_public_one_tells_no_time() {
    let folder = world(&table(), 1);
    let internal = folder.path().join("reports/p.internal");
    std::fs::create_dir_all(internal.join(".partial-dead")).unwrap();
    std::fs::write(internal.join(".partial-dead/run.json"), "price").unwrap();
    let delivered = run(folder.path()).unwrap();
    assert!(!internal.join(".partial-dead").exists());
    let started: std::time::SystemTime = match clock() {
        Clock::Fixed(at) => at.into(),
        Clock::System => unreachable!(),
    };
    let mut waiting = vec![delivered.folder];
    while let Some(path) = waiting.pop() {
        assert_eq!(path.metadata().unwrap().modified().unwrap(), started, "{}", path.display());
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    let fresh = world(&table(), 1);
    run(fresh.path()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fresh.path().join("reports/p.internal").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn a_source_under_two_names_is_told() {
    let folder = world(&table(), 2);
    let line = |delivered: &Delivered| delivered.audit.privacy.as_ref().unwrap().checklist[2].clone();
    assert!(!line(&run(folder.path()).unwrap()).value.contains("other population"));
    let mut store = Store::open(&folder.path().join("reports/evenhand.db")).unwrap();
    let identity = evenhand::world::identity(&folder.path().join("t.csv"));
    store.note_sources("Planted9Z", &[identity]).unwrap();
    store.close().unwrap();
    let line = line(&run(folder.path()).unwrap());
    assert_eq!(line.standing, evenhand::audit::Standing::Warn);
    assert!(
        line.value.contains("under 1 other population names") && !line.value.contains("Planted9Z"),
        "{}",
        line.value
    );
}

/// Writes to the source when a pass ends.
struct Writer<'a>(&'a Path);

impl Progress for Writer<'_> {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {
        std::fs::write(self.0, table().replace("m,", "f,")).unwrap();
    }
}

#[test]
fn a_source_that_is_rewritten_between_passes_ends_the_run() {
    let folder = world(&table(), 1);
    let path = folder.path().join("t.csv");
    let error = run_with(folder.path(), &Writer(&path)).unwrap_err();
    assert!(error.to_string().contains("the source changed while it was read"), "{error}");
    assert_eq!((runs(folder.path(), "p"), runs(folder.path(), "p.internal")), (0, 0));
}

/// Remembers what a person at the terminal sees.
#[derive(Default)]
struct Seen(std::sync::Mutex<Vec<(u32, u32)>>);

impl Progress for Seen {
    fn pass(&self, _: &str, number: u32, of: u32) {
        self.0.lock().unwrap().push((number, of));
    }
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, rows: Option<u64>) {
        assert_eq!(rows, None);
    }
}

#[test]
fn passes_are_numbered_as_they_are_listed() {
    let (folder, seen) = (world(&table(), 1), Seen::default());
    run_with(folder.path(), &seen).unwrap();
    // The cap has no line of its own: it is part of the first pass that needs it.
    assert_eq!(*seen.0.lock().unwrap(), [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]);
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

/// The ledger of every world has an identity of its own, and the salt of the commitment is random: nothing else may differ, whether rows are attacked,
/// or not, or the attack fails.
#[test]
fn attacks_on_real_rows_change_no_byte_of_the_public_edition() {
    let file = "[deidentify]\noutput = \"out.csv\"\ncolumns = { sex = { do = \"keep\" }, age = { do = \"keep\" } }\n";
    let asked = &format!("{file}[attacks]\non_real_rows = true\n");
    let cases: [(&dyn Engine, &str); 3] = [(&Reference, file), (&Reference, asked), (&Failing, asked)];
    let found = cases.map(|(engine, more)| {
        let folder = world(&table(), 1);
        let delivered = run_by(folder.path(), engine, &Silent, more).unwrap();
        let mut public = files(&delivered.folder);
        let internal = files(&folder.path().join("reports/p.internal").join(&delivered.record.run_id));
        let head = json(&public)["ledger"]["head"].as_str().unwrap().to_owned();
        public.values_mut().for_each(|text| *text = text.replace(&head, ""));
        (delivered.exit_code(), public, internal)
    });
    let [(code, plain, without), (same, attacked, with), (still, failed, broken)] = &found;
    assert_eq!((code, code), (same, still));
    for other in [attacked, failed] {
        assert!(plain.keys().eq(other.keys()));
        for (name, text) in plain {
            assert!(*text == other[name], "{name} differs");
        }
    }
    for text in plain.values() {
        assert!(!text.contains("Attacks on real rows") && !text.contains("\"auc\""));
    }
    assert_eq!(without["report.json"], with["report.json"]);
    assert!(json(without)["attacks"].is_null());
    let model = &json(with)["attacks"]["model"];
    assert_eq!(model["status"], "attacked");
    let auc = model["auc"]["value"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&auc), "{auc}");
    assert!(
        with["report.html"].contains("Attacks on real rows") && with["report.html"].contains("an attack got this far")
    );
    let (passes, more) = (json(without)["passes_run"].as_u64(), json(with)["passes_run"].as_u64());
    assert_eq!(passes.map(|passes| passes + 1), more);
    assert_eq!(json(with)["attacks"]["dataset"]["status"], "attacked");
    for of in ["model", "dataset"] {
        assert_eq!(json(broken)["attacks"][of]["status"], "not-attacked");
    }
    assert!(broken["report.html"].contains("Not attacked: the rows could not be read again"));
}
