//! What the public edition tells of a person: the editions of two worlds that differ in one, place by place, and exact numbers, byte by byte.
//!
//! Both worlds have the same path, the same ledger, the same clock and the same noise, one after the other. Three comparisons:
//! two worlds whose released numbers differ may differ in the places of [`RELEASED`] and no other; a world that is told the evidence of another,
//! and keeps all else of its own, may not differ in a byte but for the commitment; and no exact number of the rows stands in a public file.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use evenhand::budget::UNITS;
use evenhand::budget::ledger::Grant;
use evenhand::cli::summary;
use evenhand::demand::Demand;
use evenhand::engine::reference::Reference;
use evenhand::engine::{Collected, Engine, EngineError};
use evenhand::plan::expression;
use evenhand::plan::spec::Spec;
use evenhand::run::{DeliverError, Delivered, Pipeline, Progress, Request, deliver};
use evenhand::scan::{Scan, Source, SourceColumn};
use evenhand::store::{Store, head_path};
use evenhand::world::{Clock, Entropy};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use sqlx::Row;

/// Trained here, Laplace noise, one unit more or less.
const TRAINED: &str = r#"
    pipeline.name = "p"
    ingest.path = "t.csv"
    ingest.where = "age < 75"
    report.folder = "reports"
    privacy = { population = "people", epsilon = 4.0, rows_per_unit_max = 2 }
    measure.across = [["sex"]]
    contract.rows_min = 1000
    [schema]
    person.roles = ["privacy-unit"]
    name.roles = ["identifier"]
    sex = { roles = ["protected"], levels = ["f", "m"] }
    age = { roles = ["feature"], bounds = [18, 80] }
    repaid = { roles = ["target"], levels = ["no", "yes"], positive = "yes", null_share_max = 0.0 }
    [train]
    model = "logistic"
    penalty = "ridge"
    strength = 0.01
    steps = 3
    split = { train = 0.6, calibration = 0.0, test = 0.4 }
    [[judge]]
    metric = "selection-rate"
    compare = "ratio"
    against = "highest"
    across = ["sex"]
    at_least = 0.8
"#;

/// Decisions and scores as they are, Gaussian noise, the rows of one unit replaced.
const GIVEN: &str = r#"
    pipeline.name = "p"
    ingest.path = "t.csv"
    ingest.where = "age < 75"
    report.folder = "reports"
    privacy = { population = "people", epsilon = 4.0, delta = 1e-6, rows_at_least = 1000, rows_per_unit_max = 2, neighbours = "change-one" }
    measure.across = [["sex"]]
    contract.rows_min = 1000
    [schema]
    person.roles = ["privacy-unit"]
    name.roles = ["identifier"]
    sex = { roles = ["protected"], levels = ["f", "m"] }
    age.bounds = [18, 80]
    score = { roles = ["score"], bounds = [0, 1] }
    granted = { roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }
    repaid = { roles = ["target"], levels = ["no", "yes"], positive = "yes", null_share_max = 0.0 }
    [[judge]]
    metric = "selection-rate"
    compare = "difference"
    against = "highest"
    across = ["sex"]
    at_most = 0.1
"#;

/// Things that are for the internal edition.
const MORE: &str = r#"
    [deidentify]
    output = "out.csv"
    columns = { sex = { do = "keep" }, age = { do = "keep" } }
    [attacks]
    on_real_rows = true
"#;

const HEADER: &str = "person,name,sex,age,score,granted,repaid\n";

fn row(person: u32, age: u32, granted: bool, repaid: bool) -> String {
    let word = |yes| if yes { "yes" } else { "no" };
    let (sex, score) = (["f", "m"][(person % 2) as usize], f64::from(age) / 100.0);
    format!("Unit{person}Q,Planted{person}Z,{sex},{age},{score},{},{}\n", word(granted), word(repaid))
}

/// So many people with 1 to 4 rows each.
fn table(people: u32) -> String {
    let rows = (0..people).flat_map(|person| (0..=person % 4).map(move |nth| (person, nth)));
    let mut csv = HEADER.to_string();
    for (person, nth) in rows {
        let age = 20 + (person * 7 + nth * 13) % 50;
        csv.push_str(&row(person, age, (person * 11 + nth) % 100 < age, (person * 31 + nth * 17) % 50 < age));
    }
    csv
}

/// The table with the rows of a person, or without.
fn with(table: &str, person: u32, rows: &[(u32, bool, bool)]) -> String {
    let own = format!("Unit{person}Q,");
    let mut others: String = table.split_inclusive('\n').filter(|line| !line.starts_with(&own)).collect();
    rows.iter().for_each(|(age, granted, repaid)| others.push_str(&row(person, *age, *granted, *repaid)));
    others
}

fn clock() -> Clock {
    Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap())
}

/// A place with one ledger, for one world after another: each finds the same path and the same ledger, and is moved away when it is over.
struct House {
    folder: tempfile::TempDir,
    ledger: Vec<u8>,
    head: Option<Value>,
    worlds: Cell<u32>,
}

impl House {
    /// With so much granted.
    fn new(epsilon: u64) -> House {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evenhand.db");
        let mut store = Store::open(&path).unwrap();
        let grant = Grant { epsilon: epsilon * UNITS, delta: UNITS / 1000, window: None };
        store.grant("people", grant, clock()).unwrap();
        store.close().unwrap();
        let head = std::fs::read(head_path(&path)).ok().map(|head| serde_json::from_slice(&head).unwrap());
        House { ledger: std::fs::read(&path).unwrap(), head, folder, worlds: Cell::new(0) }
    }

    /// Where the world of the day lives.
    fn path(&self) -> PathBuf {
        self.folder.path().join("world")
    }

    /// A new world with the ledger as it was granted. The head file knows the ledger by the number of its file.
    fn begin(&self, table: &[u8]) {
        let reports = self.path().join("reports");
        std::fs::create_dir_all(&reports).unwrap();
        let ledger = reports.join("evenhand.db");
        std::fs::write(&ledger, &self.ledger).unwrap();
        if let Some(mut head) = self.head.clone() {
            #[cfg(unix)]
            {
                head["file"] = json!(std::os::unix::fs::MetadataExt::ino(&ledger.metadata().unwrap()));
            }
            std::fs::write(head_path(&ledger), head.to_string()).unwrap();
        }
        std::fs::write(self.path().join("t.csv"), table).unwrap();
    }

    /// Moves the world away: whatever still holds its files holds none of the next one's.
    fn end(&self) -> PathBuf {
        self.worlds.set(self.worlds.get() + 1);
        let place = self.folder.path().join(format!("world-{}", self.worlds.get()));
        std::fs::rename(self.path(), &place).unwrap();
        place
    }

    /// Everything a reader of the public edition can see of a world.
    fn edition(&self, table: &[u8], pipeline: &str, engine: &dyn Engine) -> Edition {
        self.drawn(table, pipeline, engine, 7)
    }

    /// The same with other noise.
    fn drawn(&self, table: &[u8], pipeline: &str, engine: &dyn Engine, seed: u64) -> Edition {
        self.begin(table);
        let seen = Seen::default();
        let delivered = run(&self.path(), pipeline, engine, &seen, seed);
        let (code, said, id) = match &delivered {
            Ok(delivered) => (delivered.exit_code(), summary(delivered), delivered.record.run_id.clone()),
            Err(e) => (e.exit_code(), e.to_string(), String::new()),
        };
        let shown = seen.calls.into_inner().unwrap();
        let reports = self.path().join("reports");
        let (files, history) = (files(&reports.join("p")), history(&reports));
        // The lock is taken before a row is looked at; when it was says nothing of them.
        let begun = seen.begun.into_inner().unwrap_or_else(SystemTime::now);
        assert!(files[".lock"].modified <= begun);
        let internal = self.end().join("reports/p.internal").join(&id);
        Edition { code, said, id, shown, files, history, internal }
    }

    /// An engine that tells of another table than the one of the world.
    fn told(&self, table: &str, looks: bool) -> Told {
        let of = self.folder.path().join("of.csv");
        std::fs::write(&of, table).unwrap();
        Told { own: self.path().join("t.csv"), of, looks }
    }
}

fn run(
    folder: &Path,
    pipeline: &str,
    engine: &dyn Engine,
    progress: &dyn Progress,
    seed: u64,
) -> Result<Delivered, DeliverError> {
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    deliver(&Request {
        pipeline: Pipeline { spec: &spec, spec_sha256: "", folder, parse: &parse },
        engine,
        engine_name: "reference",
        threads: 1,
        clock: clock(),
        entropy: Entropy::Fixed(seed),
        progress,
        fail_on_warn: false,
    })
}

/// Remembers all calls, and when the first pass over the rows began.
#[derive(Default)]
struct Seen {
    calls: Mutex<Vec<String>>,
    begun: OnceLock<SystemTime>,
}

impl Progress for Seen {
    fn pass(&self, name: &str, number: u32, of: u32) {
        self.begun.get_or_init(SystemTime::now);
        self.calls.lock().unwrap().push(format!("pass {name} {number} {of}"));
    }
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        // Asked for, it would be told how many rows there are.
        self.calls.lock().unwrap().push("rows".into());
        &|_| {}
    }
    fn done(&self, rows: Option<u64>) {
        self.calls.lock().unwrap().push(format!("done {rows:?}"));
    }
}

/// A file or folder of the public edition.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    mode: u32,
    modified: SystemTime,
    /// None for a folder.
    content: Option<Vec<u8>>,
}

impl Entry {
    fn text(&self) -> &str {
        std::str::from_utf8(self.content.as_deref().unwrap()).unwrap()
    }
}

/// What can be seen of a world without the rows and the internal edition.
#[derive(Clone)]
struct Edition {
    code: u8,
    /// What the program prints at the end: the summary or the error.
    said: String,
    /// Id of the run; empty when there is none.
    id: String,
    shown: Vec<String>,
    /// Everything in the pipeline's folder and the folder itself.
    files: BTreeMap<String, Entry>,
    /// Every table of the store.
    history: Value,
    /// Where the internal edition is.
    internal: PathBuf,
}

/// Every entry below a folder and the folder; none when it is not there.
fn files(folder: &Path) -> BTreeMap<String, Entry> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(path) = waiting.pop() {
        let Ok(of) = std::fs::symlink_metadata(&path) else { continue };
        if of.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        #[cfg(unix)]
        let mode = std::os::unix::fs::MetadataExt::mode(&of);
        #[cfg(not(unix))]
        let mode = 0;
        let content = of.is_file().then(|| std::fs::read(&path).unwrap());
        let name = match path.strip_prefix(folder).unwrap().to_str().unwrap() {
            "" => ".".to_owned(),
            name => name.to_owned(),
        };
        found.insert(name, Entry { mode, modified: of.modified().unwrap(), content });
    }
    found
}

/// All rows of all tables of the store but those of its schema, by name of the column.
fn history(reports: &Path) -> Value {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(reports.join("evenhand.db")).read_only(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let mut store = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let tables = "SELECT m.name, group_concat('''' || c.name || ''', ' || c.name) \
                      FROM sqlite_master m, pragma_table_info(m.name) c \
                      WHERE m.type = 'table' AND m.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%' GROUP BY m.name";
        let mut history = Map::new();
        for table in sqlx::query(tables).fetch_all(&mut store).await.unwrap() {
            let (name, columns): (String, String) = (table.get(0), table.get(1));
            let rows = sqlx::AssertSqlSafe(format!("SELECT json_object({columns}) FROM {name} ORDER BY 1"));
            let rows = sqlx::query(rows).fetch_all(&mut store).await.unwrap();
            let rows = rows.iter().map(|row| serde_json::from_str(row.get::<&str, _>(0)).unwrap()).collect();
            history.insert(name, Value::Array(rows));
        }
        store.close().await.unwrap();
        Value::Object(history)
    })
}

impl Edition {
    /// A file of the run folder.
    fn file(&self, name: &str) -> &Entry {
        &self.files[&format!("{}/{name}", self.id)]
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.file(name).text()).unwrap()
    }

    /// A file of the internal edition.
    fn inner(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.internal.join(name)).unwrap()).unwrap()
    }

    /// All of it as one value. The id of the run stands for itself in no name.
    fn value(&self) -> Value {
        let mut files = Map::new();
        for (name, entry) in &self.files {
            let modified = entry.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos().to_string();
            let modified = Some(modified).filter(|_| name != ".lock");
            // The page is a function of two other files: `explained` holds it to that.
            let content = match (&entry.content, name.rsplit('.').next()) {
                (None, _) | (_, Some("html")) => Value::Null,
                (Some(_), Some("json")) => serde_json::from_str(entry.text()).unwrap(),
                (Some(bytes), Some("csv")) => table_of(bytes),
                (Some(bytes), _) => json!(bytes),
            };
            let bytes = entry.content.as_ref().map(Vec::len);
            let name = if self.id.is_empty() { name.clone() } else { name.replace(&self.id, "RUN") };
            files.insert(name, json!({ "mode": entry.mode, "modified": modified, "bytes": bytes, "content": content }));
        }
        let said: Vec<&str> = self.said.lines().collect();
        json!({ "code": self.code, "said": said, "shown": self.shown, "files": files, "history": self.history })
    }

    /// Holds everything that is a function of other places of the edition to be that function. What is on the list of [`RELEASED`] because
    /// it follows from released numbers follows from nothing else.
    fn explained(&self) {
        let (report, record) = (self.json("report.json"), self.json("run.json"));
        crate::schemas::holds_report(&report);
        crate::schemas::holds_run(&record);
        let bytes = |name: &str| self.file(name).content.as_deref().unwrap();
        let page = evenhand::report::html(bytes("report.json"), bytes("run.json")).unwrap();
        assert!(page.as_bytes() == bytes("report.html"), "the page is no function of report.json and run.json");
        let digest = |name: &str| Sha256::digest(bytes(name)).iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(self.id, format!("20260101T000000Z-{}", &digest("report.json")[..8]));
        assert_eq!(record["run_id"], json!(self.id));
        for file in record["files"].as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            assert_eq!((&file["bytes"], &file["sha256"]), (&json!(bytes(name).len()), &json!(digest(name))), "{name}");
        }
        let kept = &self.history["runs"][0];
        for key in ["rows_read", "rows_kept", "rows_measured"] {
            assert_eq!(kept[key], report["data"][key], "{key}");
        }
        assert_eq!(kept["report_sha256"], json!(digest("report.json")));
        assert_eq!(kept["folder"], json!(format!("p/{}", self.id)));
        assert_eq!((&kept["outcome"], &record["outcome"]), (&report["outcome"], &report["outcome"]));
        for (finding, row) in
            report["findings"].as_array().unwrap().iter().zip(self.history["findings"].as_array().unwrap())
        {
            assert_eq!(row["verdict"], finding["verdict"]);
        }
        self.kept_is_explained(&report, &record);
        let code = record["exits"][0]["code"].as_u64().unwrap_or(0);
        assert_eq!((u64::from(self.code), &kept["exit_code"]), (code, &json!(code)));
        self.said_is_explained(&report, &record);
    }

    /// Values, counts and first runs in the store, and since when findings are open, follow from the findings: there is no run before.
    fn kept_is_explained(&self, report: &Value, record: &Value) {
        let findings = report["findings"].as_array().unwrap();
        let judged: Vec<&Value> = findings.iter().filter(|finding| finding["gate"].is_object()).collect();
        let open = |finding: &Value| finding["verdict"] != "met" && finding["waiver"].is_null();
        for row in self.history["finding_values"].as_array().unwrap() {
            let finding = &findings[row["position"].as_u64().unwrap() as usize];
            let measured = &finding["measured"];
            let known = [&measured["point"], &measured["interval"]["lower"], &measured["interval"]["upper"]];
            // SQLite writes 15 digits into JSON.
            for (key, known) in ["point", "lower", "upper"].into_iter().zip(known) {
                match (row[key].as_f64(), known.as_f64()) {
                    (Some(kept), Some(known)) => assert!((kept - known).abs() <= 1e-12 * known.abs().max(1.0), "{key}"),
                    (kept, known) => assert_eq!(kept, known, "{key}"),
                }
            }
            let since = if open(finding) { json!(self.id) } else { Value::Null };
            assert_eq!((&row["run_id"], &row["since_run"]), (&json!(self.id), &since));
        }
        let counts = &self.history["run_counts"][0];
        for (key, verdict) in [("met", "met"), ("breached", "breached"), ("undetermined", "undetermined")] {
            let n =
                judged.iter().filter(|finding| finding["verdict"] == verdict && finding["waiver"].is_null()).count();
            assert_eq!(counts[key], json!(n), "{key}");
        }
        let opened: Vec<&Value> =
            findings.iter().filter(|finding| open(finding)).map(|finding| &finding["code"]).collect();
        let since = record["since"].as_array().cloned().unwrap_or_default();
        assert_eq!(since.iter().map(|of| &of["code"]).collect::<Vec<_>>(), opened);
        for of in since {
            assert_eq!((&of["first_seen"]["run_id"], &of["open_since"]["run_id"]), (&json!(self.id), &json!(self.id)));
        }
        let mut first: Vec<&Value> =
            self.history["finding_first"].as_array().unwrap().iter().map(|of| &of["code"]).collect();
        let mut opened = opened;
        first.sort_by_key(|code| code.to_string());
        opened.sort_by_key(|code| code.to_string());
        assert_eq!(first, opened);
        assert!(record["changes"].is_null() && record["history"].is_null());
    }

    /// Every line of the summary is made of the outcome, findings, exits, or the place of the report.
    fn said_is_explained(&self, report: &Value, record: &Value) {
        let mut lines = self.said.lines();
        let first = lines.next().unwrap();
        assert!(first.starts_with(report["outcome"].as_str().unwrap()), "{first}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for line in lines {
            let of_finding = |finding: &Value| {
                let [verdict, reason] = ["verdict", "reason"].map(|key| text(&finding[key]));
                line.starts_with(&format!("  {}", verdict.replace('-', " "))) && line.ends_with(&reason)
            };
            let of_exit = |exit: &Value| line == format!("  exit {}: {}", exit["code"], text(&exit["why"]));
            let known = report["findings"].as_array().unwrap().iter().any(of_finding)
                || record["exits"].as_array().unwrap().iter().any(of_exit)
                || line.ends_with(&format!("reports/p/{}/report.html", self.id));
            assert!(known, "{line}");
        }
    }
}

/// A table as a list of rows by column.
fn table_of(bytes: &[u8]) -> Value {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| -> Value {
        header
            .iter()
            .zip(record.iter())
            .map(|(name, field)| (name.to_owned(), json!(field)))
            .collect::<Map<_, _>>()
            .into()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// Places in which two values differ; `[]` stands for any place in a list, `#` for its length.
fn differ(one: &Value, other: &Value, at: &str, places: &mut BTreeSet<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let at = if at.is_empty() { key.clone() } else { format!("{at}/{key}") };
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differ(a, b, &at, places),
                    _ => drop(places.insert(at)),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                places.insert(format!("{at}#"));
            }
            a.iter().zip(b).for_each(|(a, b)| differ(a, b, &format!("{at}[]"), places));
        }
        _ if one != other => drop(places.insert(at.into())),
        _ => {}
    }
}

/// Every place that is a function of released numbers: where, and the places in it. What ends in `*` stands for all that begin so.
const RELEASED: [(&str, &[&str]); 13] = [
    // The exit code and the summary follow from outcome and findings.
    ("", &["code", "said[]", "said#"]),
    // Sizes: how many digits such numbers have.
    (
        "files/RUN/",
        &[
            "report.json/bytes",
            "run.json/bytes",
            "model.json/bytes",
            "report.html/bytes",
            "evidence/readings.csv/bytes",
            "evidence/findings.csv/bytes",
            "evidence/cohorts.csv/bytes",
        ],
    ),
    // Noisy counts, and the promises that quote them.
    (
        "files/RUN/report.json/content/",
        &["outcome", "data/rows_read", "data/rows_kept", "data/rows_measured", "data/promises[]/text"],
    ),
    ("files/RUN/report.json/content/data/columns[]/", &["missing", "outside", "malformed"]),
    ("files/RUN/report.json/content/cohorts[]/rows[]/", &["n", "labels*", "decisions*", "joint*"]),
    // Coefficients from noisy sums.
    ("files/RUN/report.json/content/model/", &["rows_train", "intercept", "integer_gap_max", "coefficients[]/value"]),
    (
        "files/RUN/model.json/content/",
        &[
            "intercept",
            "terms[]/coefficient",
            "card/rows_train",
            "card/intercept",
            "card/integer_gap_max",
            "card/coefficients[]/value",
        ],
    ),
    // What is estimated from noisy counts, and judged by that.
    (
        "files/RUN/report.json/content/readings[]/measured/",
        &["point", "interval/lower", "interval/upper", "support/n", "support/n_effective"],
    ),
    (
        "files/RUN/report.json/content/findings[]/",
        &[
            "verdict",
            "reason",
            "judged_interval/lower",
            "judged_interval/upper",
            "measured/point",
            "measured/interval/lower",
            "measured/interval/upper",
            "measured/support/n",
            "measured/support/n_effective",
        ],
    ),
    // The same as tables.
    ("files/RUN/evidence/readings.csv/content[]/", &["point", "lower", "upper", "n", "n_effective"]),
    (
        "files/RUN/evidence/findings.csv/content[]/",
        &["verdict", "reason", "point", "lower", "upper", "n", "judged_lower", "judged_upper"],
    ),
    ("files/RUN/evidence/cohorts.csv/content[]/", &["n", "label_*", "decision_*"]),
    // `explained` holds each of these to be what follows from report.json; the commitment is a digest under a secret salt.
    (
        "files/RUN/run.json/content/",
        &["run_id", "outcome", "exits#", "files[]/bytes", "files[]/sha256", "commitment_sha256", "since*"],
    ),
];

/// The same in the store, which `explained` holds to report.json and run.json too.
const KEPT: (&str, &[&str]) = (
    "history/",
    &[
        "runs[]/run_id",
        "runs[]/report_sha256",
        "runs[]/folder",
        "runs[]/rows_read",
        "runs[]/rows_kept",
        "runs[]/rows_measured",
        "runs[]/outcome",
        "runs[]/exit_code",
        "findings[]/run_id",
        "findings[]/verdict",
        "receipts[]/run_id",
        "finding_values[]/run_id",
        "finding_values[]/point",
        "finding_values[]/lower",
        "finding_values[]/upper",
        "finding_values[]/since_run",
        "finding_values[]/since_at",
        "finding_first*",
        "run_counts[]/*",
    ],
);

/// Places in which two editions differ.
fn places(one: &Edition, other: &Edition) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    differ(&one.value(), &other.value(), "", &mut places);
    places
}

/// Those that are on no list.
fn unexplained(places: &BTreeSet<String>) -> Vec<&String> {
    let listed = |place: &str| {
        RELEASED.iter().chain([&KEPT]).any(|(within, names)| {
            let rest = place.strip_prefix(within);
            names.iter().any(|name| match name.strip_suffix('*') {
                None => rest == Some(name),
                Some(all) => rest.is_some_and(|rest| rest.starts_with(all)),
            })
        })
    };
    places.iter().filter(|place| !listed(place)).collect()
}

/// Fails when two editions differ in a place that follows from no released number. Returns where they differ.
fn compare(one: &Edition, other: &Edition) -> BTreeSet<String> {
    [one, other].iter().for_each(|edition| edition.explained());
    let places = places(one, other);
    let found = unexplained(&places);
    assert!(found.is_empty(), "differs, and follows from no released number: {found:#?}");
    places
}

const READINGS: &str = "files/RUN/report.json/content/readings[]/measured/point";

#[test]
fn a_person_in_a_training_table_changes_only_what_is_released() {
    let (house, base) = (House::new(4), table(1000));
    let one = house.edition(base.as_bytes(), TRAINED, &Reference);
    // The hash of the unit puts one person into the test part and the other into the training part.
    let places = [2000, 2002].map(|person| {
        let more = with(&base, person, &[(40, true, true), (41, true, true), (42, true, false)]);
        compare(&one, &house.edition(more.as_bytes(), TRAINED, &Reference))
    });
    let coefficients = "files/RUN/model.json/content/terms[]/coefficient";
    assert!(places.iter().all(|places| places.contains(READINGS)));
    assert_eq!(places.each_ref().map(|places| places.contains(coefficients)), [false, true]);
}

#[test]
fn a_person_in_a_table_of_decisions_changes_only_what_is_released() {
    let (house, base) = (House::new(4), table(1000));
    let changed = with(&base, 3, &[(30, true, true)]);
    let ends = |pipeline: &str| [&base, &changed].map(|of| house.edition(of.as_bytes(), pipeline, &Reference));
    let [one, other] = ends(GIVEN);
    let places = compare(&one, &other);
    assert!(places.contains(READINGS) && places.contains("files/RUN/report.json/content/cohorts[]/rows[]/n"));
    planted(&one);
    // With a limit between what one person makes of two reports, the person decides what the program ends with.
    let upper = |edition: &Edition| edition.json("report.json")["findings"][0]["judged_interval"]["upper"].as_f64();
    let limit = (upper(&one).unwrap() + upper(&other).unwrap()) / 2.0;
    let [one, other] = ends(&GIVEN.replace("at_most = 0.1", &format!("at_most = {limit}")));
    assert_ne!(one.code, other.code);
    let places = compare(&one, &other);
    assert!(places.contains("code") && places.contains("files/RUN/report.json/content/outcome"));
}

/// The comparison sees a difference of each kind.
fn planted(edition: &Edition) {
    let replaced = |name: &str, from: &str, to: &str| {
        let mut other = edition.clone();
        let entry = other.files.get_mut(&format!("{}/{name}", edition.id)).unwrap();
        let text = entry.text().replacen(from, to, 1);
        assert_ne!(text, entry.text(), "{name} has no {from}");
        entry.content = Some(text.into_bytes());
        other
    };
    let mut mode = edition.clone();
    mode.files.get_mut(&format!("{}/evidence", edition.id)).unwrap().mode ^= 0o7;
    let mut moment = edition.clone();
    moment.files.get_mut(".").unwrap().modified += Duration::from_millis(1);
    let mut file = edition.clone();
    file.files.insert(format!("{}/core", edition.id), edition.file("run.json").clone());
    let mut shown = edition.clone();
    shown.shown[1] = "done Some(2500)".into();
    let mut history = edition.clone();
    history.history["ledger_sources"][0]["population"] = json!("others");
    let pairs = [
        (replaced("run.json", "\"threads\": 1", "\"threads\": 2"), "files/RUN/run.json/content/threads"),
        (replaced("run.json", "\"inputs\": []", "\"inputs\": [1]"), "files/RUN/run.json/content/inputs#"),
        (
            replaced("report.json", "\"dependence\": \"", "\"dependence\": \"2"),
            "files/RUN/report.json/content/method/dependence",
        ),
        (
            replaced("report.json", "\"epsilon_lower\": ", "\"epsilon_lower\": 1"),
            "files/RUN/report.json/content/privacy/rehearsals[]/epsilon_lower",
        ),
        (replaced("evidence/columns.csv", "open", "shut"), "files/RUN/evidence/columns.csv/content[]/domain"),
        (mode, "files/RUN/evidence/mode"),
        (moment, "files/./modified"),
        (file, "files/RUN/core"),
        (shown, "shown[]"),
        (history, "history/ledger_sources[]/population"),
    ];
    for (other, place) in pairs {
        let places = places(edition, &other);
        assert!(unexplained(&places).contains(&&place.to_owned()), "{place} is not among {places:?}");
    }
}

/// Reads the rows of a world and brings home the evidence of another: of its own world only what is no evidence is left.
struct Told {
    own: PathBuf,
    /// The table of the other world.
    of: PathBuf,
    /// Reads its own rows as well: it meets their number and their faults, takes longer and more passes.
    looks: bool,
}

impl Engine for Told {
    fn describe(&self, source: &Source) -> Result<Vec<SourceColumn>, EngineError> {
        Reference.describe(source)
    }
    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError> {
        let real = scan.source.paths.contains(&self.own);
        // Nothing is released of what an attack asks for: there the world speaks for itself.
        let released = !demands.iter().any(|demand| demand.name.starts_with("attack/"));
        if !real || (self.looks && !released) {
            return Reference.collect(scan, demands, progress);
        }
        let source = Source { paths: vec![self.of.clone()], ..scan.source.clone() };
        let cap = scan.cap.as_ref().map(|cap| cap.again());
        let told = Reference.collect(&Scan { source, cap, ..scan.clone() }, demands, progress)?;
        if !self.looks {
            return Ok(told);
        }
        std::thread::sleep(Duration::from_millis(20));
        let own = Reference.collect(scan, demands, progress)?;
        Ok(Collected { evidence: told.evidence, passes: own.passes + 1, rows: own.rows })
    }
}

/// Fails when anything but the commitment differs.
fn same(one: &Edition, other: &Edition) {
    let bytes = |edition: &Edition| {
        let mut files = edition.files.clone();
        // Dated before a row is looked at: `edition` holds it to that.
        files.get_mut(".lock").unwrap().modified = SystemTime::UNIX_EPOCH;
        if edition.id.is_empty() {
            return files;
        }
        let commitment = edition.json("run.json")["commitment_sha256"].as_str().unwrap().to_owned();
        for content in files.values_mut().filter_map(|entry| entry.content.as_mut()) {
            *content = String::from_utf8(content.clone()).unwrap().replace(&commitment, "commitment").into_bytes();
        }
        files
    };
    let (a, b) = (bytes(one), bytes(other));
    let names = |files: &BTreeMap<String, Entry>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    a.iter().for_each(|(name, entry)| assert!(*entry == b[name], "{name} differs"));
    assert_eq!((one.code, &one.said, &one.shown), (other.code, &other.said, &other.shown));
    assert_eq!(one.history, other.history);
}

/// The second world has other people, more of them, takes longer and more passes; its evidence is that of the first.
fn told(pipeline: &str) {
    let (house, first) = (House::new(4), table(1000));
    let pipeline = format!("{pipeline}{MORE}");
    let one = house.edition(first.as_bytes(), &pipeline, &Reference);
    let inner = one.inner("run.json");
    crate::schemas::holds_run(&inner);
    let second = table(1300).replace(",m,", ",f,");
    let other = house.edition(second.as_bytes(), &pipeline, &house.told(&first, true));
    same(&one, &other);
    let [mine, theirs] = [&one, &other].map(|edition| edition.json("run.json")["commitment_sha256"].clone());
    assert_ne!(mine, theirs);
    // The worlds are apart in all that is left, as the internal edition tells.
    let other = other.inner("run.json");
    let rows = |record: &Value| {
        let usage = record["usage"].as_array().unwrap();
        usage.iter().map(|stage| stage["rows"].as_u64().unwrap()).max()
    };
    assert_ne!(rows(&inner), rows(&other));
    assert_ne!(inner["inputs"], other["inputs"]);
    assert_ne!(inner["attacks"], other["attacks"]);
    assert!(inner["passes_run"].as_u64() < other["passes_run"].as_u64());
}

#[test]
fn of_a_training_table_nothing_is_told_but_its_evidence() {
    told(TRAINED);
}

#[test]
fn of_a_table_of_decisions_nothing_is_told_but_its_evidence() {
    told(GIVEN);
}

#[test]
fn what_stops_a_run_is_told_alike_for_all_rows() {
    let (house, base) = (House::new(4), table(1000));
    let short = |person: u32| base.replacen(&format!("Unit{person}Q,Planted{person}Z,"), "", 1).into_bytes();
    let mut broken = base.clone().into_bytes();
    broken.extend(b"Unit2000Q,\xff,f,40,0.4,yes,yes\n");
    let ends = [short(5), short(990), broken].map(|rows| house.edition(&rows, GIVEN, &Reference));
    assert_eq!(ends[0].code, 3, "{}", ends[0].said);
    assert!(ends[0].said.contains("the reason is not told"), "{}", ends[0].said);
    ends[1..].iter().for_each(|end| same_end(&ends[0], end));
}

/// A run that ends before there is an edition: the folder is as it was when the lock was taken.
fn same_end(one: &Edition, other: &Edition) {
    assert!(one.id.is_empty() && one.files.keys().eq([".", ".lock"]), "{:?}", one.files.keys());
    let timeless = |edition: &Edition| {
        let mut edition = edition.clone();
        edition.files.get_mut(".").unwrap().modified = edition.files[".lock"].modified;
        edition.files.values_mut().for_each(|entry| entry.modified = SystemTime::UNIX_EPOCH);
        edition
    };
    same(&timeless(one), &timeless(other));
}

/// The dataset is written by a pass of its own, which may be the first to meet a fault.
#[test]
fn what_stops_the_dataset_is_told_alike_for_all_rows() {
    let (house, base) = (House::new(4), table(1000));
    let pipeline = format!("{GIVEN}{MORE}");
    let short = |person: u32| base.replacen(&format!("Unit{person}Q,Planted{person}Z,"), "", 1).into_bytes();
    let [one, other] = [5, 990].map(|person| house.edition(&short(person), &pipeline, &house.told(&base, false)));
    assert!(one.said.contains("the reason is not told"), "{}", one.said);
    assert_eq!(one.shown.last().unwrap(), "done None", "the audit itself met no fault");
    same_end(&one, &other);
}

#[test]
fn a_run_that_is_refused_or_breaks_a_promise_ends_alike() {
    let (first, second) = (table(1000), table(1300));
    let poor = House::new(1);
    let [one, other] = [&first, &second].map(|of| poor.edition(of.as_bytes(), GIVEN, &Reference));
    assert_eq!(one.code, 4, "{}", one.said);
    same_end(&one, &other);
    let house = House::new(4);
    let promised = GIVEN.replace("rows_min = 1000", "rows_min = 9000");
    let one = house.edition(first.as_bytes(), &promised, &Reference);
    let other = house.edition(second.as_bytes(), &promised, &house.told(&first, true));
    assert!(one.said.contains("rows are kept; promised: at least 9000"), "{}", one.said);
    same_end(&one, &other);
}

/// People by how many rows they have: 1, 2, 3, 4.
const PEOPLE: [u32; 4] = [2473, 2609, 2819, 3023];

/// One line of the table of the scan. All rows of a person are alike in what counts are of.
struct Line {
    person: u32,
    age: u32,
    female: bool,
    granted: bool,
    repaid: bool,
}

/// A table whose every count and sum has four digits at least.
fn large() -> Vec<Line> {
    let people = (0..).zip(PEOPLE.into_iter().zip(1..).flat_map(|(n, rows)| std::iter::repeat_n(rows, n as usize)));
    let line = |(person, nth): (u32, u32)| {
        let draw = |salt: u32, of: u32| {
            let digest = Sha256::digest(format!("{person} {salt}"));
            u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % of
        };
        let (female, old) = (person % 2 == 0, draw(1, 100) < 20);
        let age = if old { 75 + draw(2, 5) } else { 20 + (draw(2, 50) + nth) % 50 };
        let granted = draw(3, 100) < if female { 45 } else { 55 };
        Line { person, age, female, granted, repaid: draw(4, 100) < if granted { 60 } else { 45 } }
    };
    people.flat_map(|(person, rows)| (0..rows).map(move |nth| (person, nth))).map(line).collect()
}

/// Numbers of a table that a reader of the public edition must not see, by what they are. Counted by plain loops over the lines.
#[derive(Default)]
struct Exact {
    numbers: BTreeMap<String, u64>,
    shares: BTreeMap<String, f64>,
}

impl Exact {
    fn of(lines: &[Line]) -> Exact {
        let mut exact = Exact::default();
        let mut rows_of: BTreeMap<u32, u64> = BTreeMap::new();
        lines.iter().for_each(|line| *rows_of.entry(line.person).or_default() += 1);
        exact.numbers.insert("units".into(), rows_of.len() as u64);
        for rows in 1..=PEOPLE.len() as u64 {
            let units = rows_of.values().filter(|of| **of == rows).count();
            exact.numbers.insert(format!("units of {rows} rows"), units as u64);
        }
        let all: Vec<&Line> = lines.iter().collect();
        let (kept, left_out): (Vec<&Line>, Vec<&Line>) = all.iter().partition(|line| line.age < 75);
        let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
        let mut within = |line: &&Line| {
            let taken = taken.entry(line.person).or_default();
            *taken += 1;
            *taken <= 2
        };
        // Which rows of a person stay is the same for what is counted here: they are alike.
        let capped: Vec<&Line> = kept.iter().copied().filter(|line| within(line)).collect();
        exact.numbers.insert("rows over the cap".into(), (kept.len() - capped.len()) as u64);
        exact.numbers.insert("sum of ages".into(), all.iter().map(|line| u64::from(line.age)).sum());
        exact.numbers.insert("sum of kept ages".into(), kept.iter().map(|line| u64::from(line.age)).sum());
        exact.numbers.insert("rows left out".into(), left_out.len() as u64);
        for (name, lines) in [("read", &all), ("kept", &kept), ("capped", &capped)] {
            exact.count(name, lines);
        }
        exact
    }

    /// Rows of every cell of the table of sex, decision and label, and of its margins; shares of the decision and the label.
    fn count(&mut self, name: &str, lines: &[&Line]) {
        let chosen = |value: bool, by: usize| [true, value, !value][by];
        let mut cells = BTreeMap::new();
        for (sex, granted, repaid) in (0..27).map(|i| (i / 9, i / 3 % 3, i % 3)) {
            let is = |line: &&&Line| {
                chosen(line.female, sex) && chosen(line.granted, granted) && chosen(line.repaid, repaid)
            };
            let n = lines.iter().filter(is).count() as u64;
            cells.insert((sex, granted, repaid), n);
            self.numbers.insert(format!("rows {name}, sex {sex}, decision {granted}, label {repaid}"), n);
        }
        for sex in 0..3 {
            let share = |part, of| cells[&part] as f64 / cells[&of] as f64;
            self.shares.insert(format!("{name}, selection rate of {sex}"), share((sex, 1, 0), (sex, 0, 0)));
            self.shares.insert(format!("{name}, prevalence of {sex}"), share((sex, 0, 1), (sex, 0, 0)));
            self.shares.insert(format!("{name}, true positive rate of {sex}"), share((sex, 1, 1), (sex, 0, 1)));
        }
    }
}

/// A number as it may be written. No file groups digits by points: a figure of three decimals would look like such a number.
fn written(number: u64) -> Vec<String> {
    let digits = number.to_string();
    let grouped = |separator: &str| {
        let group = |i: usize, digit: char| match i > 0 && (digits.len() - i).is_multiple_of(3) {
            true => format!("{separator}{digit}"),
            false => digit.to_string(),
        };
        digits.chars().enumerate().map(|(i, digit)| group(i, digit)).collect::<String>()
    };
    ["", ",", "'", " ", "_", "\u{a0}", "\u{2009}", "\u{202f}"].map(grouped).into()
}

/// Whether a number stands in a text by itself: not as a piece of a longer one, and not before decimals other than zeros.
fn stands(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + number.len()..]);
        let piece = before.last().is_some_and(|b| b.is_ascii_digit() || *b == b'.');
        let goes_on = after.first().is_some_and(u8::is_ascii_digit);
        let decimals = after.strip_prefix(b".").unwrap_or_default();
        let decimals: Vec<&u8> = decimals.iter().take_while(|b| b.is_ascii_digit()).collect();
        !piece && !goes_on && decimals.iter().all(|digit| **digit == b'0')
    })
}

/// The text without digests: any digits may stand in them.
fn without_digests(text: &str) -> String {
    let is_digest = |word: &str| word.len() >= 8 && word.bytes().any(|b| b.is_ascii_alphabetic());
    let mut kept = String::new();
    for piece in text.split_inclusive(|c: char| !matches!(c, '0'..='9' | 'a'..='f')) {
        let word = piece.trim_end_matches(|c: char| !matches!(c, '0'..='9' | 'a'..='f'));
        kept.push_str(if is_digest(word) { &piece[word.len()..] } else { piece });
    }
    kept
}

/// Every exact number and digest of the source that stands in a text, by what it is.
fn scan(text: &str, exact: &Exact, source: &str) -> BTreeSet<String> {
    let plain = without_digests(text);
    let counts = exact.numbers.iter().filter(|(_, n)| written(**n).iter().any(|number| stands(&plain, number)));
    let share = |share: f64| {
        // Six decimals, cut and not rounded: how the shortest text that reads back begins.
        [format!("{:.9}", share), format!("{:.9}", 100.0 * share)].map(|text| text[..text.len() - 3].to_owned())
    };
    let shares = exact.shares.iter().filter(|(_, of)| share(**of).iter().any(|text| plain.contains(text.as_str())));
    let mut found: BTreeSet<String> =
        counts.map(|(name, _)| name).chain(shares.map(|(name, _)| name)).cloned().collect();
    let digest: String = Sha256::digest(source).iter().map(|b| format!("{b:02x}")).collect();
    if [64, 16, 8].iter().any(|digits| text.to_lowercase().contains(&digest[..*digits])) {
        found.insert("digest of the source".into());
    }
    found
}

/// What a reader can see, as texts by where they stand.
fn texts(edition: &Edition) -> Vec<(String, String)> {
    let files = edition.files.iter().filter(|(_, entry)| entry.content.is_some());
    let mut texts: Vec<(String, String)> = files.map(|(name, entry)| (name.clone(), entry.text().into())).collect();
    texts.extend(edition.files.keys().map(|name| ("a name".into(), name.clone())));
    texts.push(("the summary".into(), edition.said.clone()));
    texts.push(("the progress".into(), edition.shown.join("\n")));
    texts.push(("the history".into(), edition.history.to_string()));
    texts
}

/// Counts that were released with noise.
fn evidence(edition: &Edition) -> BTreeSet<u64> {
    let report = edition.json("report.json");
    let (mut numbers, mut waiting) = (BTreeSet::new(), vec![&report["cohorts"], &report["data"]]);
    waiting.extend(
        ["readings", "findings"].iter().flat_map(|of| report[of].as_array().unwrap()).map(|of| &of["measured"]),
    );
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(values) => waiting.extend(values),
            Value::Object(values) => waiting.extend(values.values()),
            number => numbers.extend(number.as_u64()),
        }
    }
    numbers
}

/// The exact numbers that a reader can see, with where they stand. Fails when one is no released number.
fn exact_in(edition: &Edition, exact: &Exact, source: &str) -> BTreeMap<String, Vec<String>> {
    edition.explained();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, text) in texts(edition) {
        scan(&text, exact, source).into_iter().for_each(|name| found.entry(name).or_default().push(place.clone()));
    }
    let evidence = evidence(edition);
    for (name, places) in &found {
        let number = exact.numbers.get(name).unwrap_or_else(|| panic!("{name} stands in {places:?}"));
        assert!(evidence.contains(number), "{name} stands in {places:?} and is no released number");
    }
    found
}

/// No exact number stands anywhere but where a noisy one of the same value does. About 60 noisy counts of four and five digits and 120 exact ones: in one edition some are the same by chance (each with about 1 %). What
/// is told stands there under any noise; that one of the exact ones is met by chance under all three has a chance of about 1e-4. The seeds are
/// fixed: it is so at every run or at none.
#[test]
fn no_exact_number_of_the_rows_stands_in_a_public_file() {
    let lines = large();
    let line = |line: &Line| {
        let sexed = 2 * line.person + u32::from(!line.female);
        row(sexed, line.age, line.granted, line.repaid)
    };
    let csv: String = std::iter::once(HEADER.to_string()).chain(lines.iter().map(line)).collect();
    let mut exact = Exact::of(&lines);
    exact.numbers.insert("bytes of the source".into(), csv.len() as u64);
    for (name, number) in &exact.numbers {
        assert!(*number >= 1000, "{name}: {number}");
    }
    let (house, pipeline) = (House::new(4), GIVEN.replace("epsilon = 4.0", "epsilon = 1.0"));
    let editions = [7, 8, 9].map(|seed| house.drawn(csv.as_bytes(), &pipeline, &Reference, seed));
    let found = editions.each_ref().map(|edition| exact_in(edition, &exact, &csv));
    for (name, places) in &found[0] {
        assert!(!found.iter().all(|found| found.contains_key(name)), "{name} stands in {places:?}");
    }
    exact_in(&house.edition(csv.as_bytes(), TRAINED, &Reference), &exact, &csv);
    // The same scan finds them where they may stand, each kind.
    let inner = files(&editions[2].internal)
        .values()
        .filter(|entry| entry.content.is_some())
        .map(Entry::text)
        .collect::<String>();
    let found = scan(&inner, &exact, &csv);
    for name in ["bytes of the source", "digest of the source", "rows read, sex 0, decision 0, label 0"] {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
    let begins = |with: &str| found.iter().filter(|name| name.starts_with(with)).count();
    assert!(begins("rows capped") >= 5 && begins("capped, ") >= 5, "{found:?}");
    // Written in any of the ways, every number is seen.
    for (name, number) in &exact.numbers {
        for text in written(*number) {
            assert!(scan(&format!("\"n\": {text},"), &exact, &csv).contains(name), "{text}");
        }
    }
}
