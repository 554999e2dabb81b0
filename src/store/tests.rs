//! What is recorded stays: with many writers at once, across openings, against changes, on a full disk.

use std::fs;
use std::sync::Arc;

use super::*;
use crate::audit::Seen;
use crate::budget::Mechanism;
use crate::finding::Verdict;
use crate::plan::spec::Level;

const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn run(pipeline: &str, id: &str) -> RunRow {
    RunRow {
        run_id: id.into(),
        pipeline: pipeline.into(),
        started_at: "2026-01-31T12:00:00Z".into(),
        finished_at: "2026-01-31T12:00:01.5Z".into(),
        outcome: Outcome::Inconclusive,
        exit_code: 4,
        report_sha256: SHA.into(),
        spec_sha256: SHA.into(),
        folder: format!("{pipeline}/{id}"),
        rows_read: 10,
        rows_kept: 9,
        rows_measured: 8,
    }
}

fn cohort(pairs: &[(&str, &str)]) -> Cohort {
    Cohort { pairs: pairs.iter().map(|(name, level)| (Arc::from(*name), Arc::from(*level))).collect() }
}

fn finding(code: &str, cohort: Cohort, verdict: Verdict) -> Finding {
    Finding {
        code: code.into(),
        gate: None,
        cohort,
        measured: None,
        judged_interval: None,
        verdict,
        level: Level::Deny,
        reason: "".into(),
        waiver: None,
    }
}

fn receipt(name: &str) -> Receipt {
    Receipt { statistic: name.into(), shape: "tally".into(), mechanism: Mechanism::Exact, noise: None }
}

fn opened() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
    (folder, store)
}

fn execute(store: &mut Store, sql: &'static str) -> Result<u64, String> {
    let done = store.runtime.block_on(sqlx::query(sql).execute(&mut store.connection));
    done.map(|done| done.rows_affected()).map_err(|e| e.to_string())
}

fn number(store: &mut Store, sql: &'static str) -> i64 {
    store.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&mut store.connection)).unwrap()
}

fn text(store: &mut Store, sql: &'static str) -> String {
    store.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&mut store.connection)).unwrap()
}

#[test]
fn a_new_store_is_empty_durable_and_has_every_table() {
    let (folder, mut store) = opened();
    assert!(folder.path().join("reports/evenhand.db").exists());
    assert_eq!(store.latest("lending").unwrap(), None);
    assert_eq!(store.runs("lending", 10).unwrap(), []);
    assert_eq!(text(&mut store, "PRAGMA journal_mode"), "wal");
    assert_eq!(number(&mut store, "PRAGMA synchronous"), 2);
    assert_eq!(number(&mut store, "PRAGMA busy_timeout"), 10_000);
    assert_eq!(number(&mut store, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'"), 34);
}

#[test]
fn what_was_recorded_is_read_again_after_reopening() {
    let (folder, mut store) = opened();
    let (first, second) =
        (run("lending", "r1"), RunRow { outcome: Outcome::Pass, exit_code: 0, ..run("lending", "r2") });
    let pair = [("sex", "f"), ("race", "\"x\", é")];
    let findings = [
        finding("a/b", cohort(&pair), Verdict::Met),
        Finding {
            waiver: Some(crate::finding::Waived {
                cohort: Default::default(),
                reason: "r".into(),
                until: "2026-02-01".into(),
            }),
            ..finding("c", Cohort::everyone(), Verdict::NotMeasured)
        },
    ];
    store.record(&first, &findings, &[receipt("one"), receipt("two")]).unwrap();
    store.record(&run("hiring", "r0"), &[], &[]).unwrap();
    let failed = [finding("a/b", cohort(&pair), Verdict::Breached)];
    store.record(&second, &failed, &[]).unwrap();
    store.close().unwrap();

    let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
    assert_eq!(store.latest("lending").unwrap(), Some(Previous { run_id: "r2".into(), outcome: Outcome::Pass }));
    assert_eq!(store.runs("lending", 10).unwrap(), [second.clone(), first]);
    assert_eq!(store.runs("lending", 1).unwrap(), [second]);
    let kept = text(&mut store, "SELECT cohort FROM findings WHERE code = 'a/b' AND run_id = 'r2'");
    assert_eq!(kept, r#"{"race":"\"x\", é","sex":"f"}"#);
    assert_eq!(number(&mut store, "SELECT count(*) FROM receipts WHERE run_id = 'r1' AND mechanism = 'exact'"), 2);
    assert_eq!(text(&mut store, "SELECT cohort FROM findings WHERE code = 'c'"), "{}");
    assert_eq!(number(&mut store, "SELECT waived FROM findings WHERE code = 'c'"), 1);
    let judged: Vec<(String, String, Verdict)> =
        store.judged("r1").unwrap().into_iter().map(|of| (of.code, of.cohort, of.verdict)).collect();
    assert_eq!(judged.len(), 2);
    assert_eq!((judged[1].0.as_str(), judged[1].1.as_str(), judged[1].2), ("c", "{}", Verdict::NotMeasured));
    assert!(judged[0].1.starts_with("{\"") && judged[0].2 == Verdict::Met);
    assert_eq!(text(&mut store, "PRAGMA integrity_check"), "ok");
}

#[test]
fn a_row_is_never_changed_deleted_or_replaced() {
    let (_folder, mut store) = opened();
    store.record(&run("lending", "r1"), &[finding("a", Cohort::everyone(), Verdict::Met)], &[receipt("one")]).unwrap();
    let refused = [
        "UPDATE runs SET outcome = 'PASS'",
        "DELETE FROM runs",
        "INSERT OR REPLACE INTO runs SELECT * FROM runs",
        "INSERT OR REPLACE INTO runs SELECT 'r9', sequence, pipeline, started_at, finished_at, 'PASS', 0, report_sha256, spec_sha256, folder, \
         0, 0, 0 FROM runs",
        "UPDATE findings SET verdict = 'met'",
        "DELETE FROM findings",
        "INSERT OR REPLACE INTO findings SELECT * FROM findings",
        "UPDATE receipts SET shape = ''",
        "DELETE FROM receipts",
        "INSERT OR REPLACE INTO receipts SELECT * FROM receipts",
    ];
    for sql in refused {
        let why = execute(&mut store, sql).unwrap_err();
        assert!(why.contains("append-only") || why.contains("recorded already"), "{sql}: {why}");
    }
    let again = store.record(&RunRow { exit_code: 0, ..run("lending", "r1") }, &[], &[]).unwrap_err();
    assert!(matches!(&again, StoreError::Recorded { run_id, .. } if run_id == "r1"), "{again}");
    assert_eq!(store.runs("lending", 9).unwrap(), [run("lending", "r1")]);
}

const CHILD: &str = "EVENHAND_STORE_OF_CHILD";

/// Eight threads here and two processes (this test again) write at once, the first runs of a new store among them.
#[test]
fn writers_at_once_lose_nothing() {
    let write = |path: &Path, writer: &str, runs: u32| {
        let mut store = Store::open(path).unwrap();
        for i in 0..runs {
            let findings =
                [finding("a", Cohort::everyone(), Verdict::Met), finding("b", Cohort::everyone(), Verdict::Breached)];
            store.record(&run("lending", &format!("{writer}-{i}")), &findings, &[receipt("one")]).unwrap();
        }
    };
    if let Some(path) = std::env::var_os(CHILD) {
        return write(Path::new(&path), &std::process::id().to_string(), 20);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let child = || {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", "store::tests::writers_at_once_lose_nothing"]).env(CHILD, &path);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let mut children = [child(), child()];
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || write(path, &format!("t{thread}"), 20));
        }
    });
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let mut store = Store::open(&path).unwrap();
    assert_eq!(store.runs("lending", 1000).unwrap().len(), 200);
    assert_eq!(number(&mut store, "SELECT count(*) FROM findings"), 400);
    assert_eq!(number(&mut store, "SELECT count(*) FROM receipts"), 200);
    assert_eq!(number(&mut store, "SELECT max(sequence) FROM runs"), 200);
    assert_eq!(text(&mut store, "PRAGMA integrity_check"), "ok");
}

#[test]
fn a_run_is_recorded_whole_or_not_at_all_when_the_disk_is_full() {
    let (_folder, mut store) = opened();
    store.record(&run("lending", "r1"), &[], &[]).unwrap();
    let pages = number(&mut store, "PRAGMA page_count");
    assert!(pages > 1);
    // SQLite refuses to grow the file, as it does when the disk refuses.
    assert_eq!(number(&mut store, "PRAGMA max_page_count = 1"), pages);
    let findings: Vec<Finding> =
        (0..2000).map(|i| finding(&format!("code-{i}"), Cohort::everyone(), Verdict::Met)).collect();
    let full = store.record(&run("lending", "r2"), &findings, &[]).unwrap_err();
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    assert!(full.to_string().contains("evenhand.db: the disk is full; nothing of this run is recorded"));
    assert_eq!(store.runs("lending", 9).unwrap(), [run("lending", "r1")]);
    assert_eq!(number(&mut store, "SELECT count(*) FROM findings"), 0);
    assert!(number(&mut store, "PRAGMA max_page_count = 100000") > pages);
    store.record(&run("lending", "r2"), &findings, &[]).unwrap();
}

/// Whatever the moment at which a real disk fills up: opening, the first run, a large run.
#[test]
fn a_disk_without_room_is_named_and_loses_nothing() {
    let findings: Vec<Finding> =
        (0..5000).map(|i| finding(&format!("{i:0100}"), Cohort::everyone(), Verdict::Met)).collect();
    let without_room = |e: &StoreError| matches!(e, StoreError::Full { .. } | StoreError::Unreachable { .. });
    for kib in [8, 40, 80, 120, 160, 300, 500] {
        let folder = tempfile::tempdir().unwrap();
        let Some(_disk) = crate::world::tests::SmallDisk::mount(folder.path(), kib) else { return };
        let mut store = match Store::open(&folder.path().join(FILE)) {
            Ok(store) => store,
            Err(e) => {
                assert!(kib < 240 && without_room(&e), "{kib}: {e}");
                continue;
            }
        };
        let first = store.record(&run("lending", "r1"), &[], &[]);
        assert!(first.as_ref().map_or_else(without_room, |()| true), "{kib}: {first:?}");
        for _ in 0..2 {
            let full = store.record(&run("lending", "r2"), &findings, &[]).unwrap_err();
            assert!(without_room(&full), "{kib}: {full}");
            assert_eq!(store.runs("lending", 9).unwrap().len(), usize::from(first.is_ok()), "{kib}");
        }
    }
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let note = "this is a note, not a database. ".repeat(100);
    fs::write(&path, &note).unwrap();
    let message = Store::open(&path).err().unwrap().to_string();
    assert!(message.contains("evenhand.db: is no store, or is damaged"), "{message}");
    assert!(message.contains("move it away"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), note);

    let (folder, mut store) = opened();
    store.record(&run("lending", "r1"), &[], &[]).unwrap();
    store.close().unwrap();
    let path = folder.path().join("reports").join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let damaged = Store::open(&path).err().unwrap();
    assert!(matches!(damaged, StoreError::Damaged { .. }), "{damaged}");

    let place = tempfile::tempdir().unwrap();
    let cannot = Store::open(place.path()).err().unwrap();
    assert!(matches!(cannot, StoreError::CannotOpen { .. }), "{cannot}");
    fs::write(place.path().join("file"), "").unwrap();
    let cannot = Store::open(&place.path().join("file/below.db")).err().unwrap();
    assert!(matches!(cannot, StoreError::Folder { .. }), "{cannot}");
}

#[test]
fn a_read_only_store_is_named_as_such() {
    let (_folder, mut store) = opened();
    execute(&mut store, "PRAGMA query_only = 1").unwrap();
    let refused = store.record(&run("lending", "r1"), &[], &[]).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
}

#[test]
fn a_writer_that_holds_on_is_reported() {
    let (folder, mut holder) = opened();
    let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
    execute(&mut store, "PRAGMA busy_timeout = 20").unwrap();
    execute(&mut holder, "BEGIN IMMEDIATE").unwrap();
    let busy = store.record(&run("lending", "r1"), &[], &[]).unwrap_err();
    assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
    assert_eq!(store.runs("lending", 9).unwrap(), []);
    execute(&mut holder, "COMMIT").unwrap();
    store.record(&run("lending", "r1"), &[], &[]).unwrap();
}

#[test]
fn a_schema_that_is_not_known_is_refused() {
    let reopened = |sql: &'static str| {
        let (folder, mut store) = opened();
        execute(&mut store, sql).unwrap();
        store.close().unwrap();
        Store::open(&folder.path().join("reports").join(FILE)).err().unwrap()
    };
    let newer = reopened(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', 1, x'00', 0)",
    );
    assert!(matches!(newer, StoreError::Newer { version: 99, .. }), "{newer}");
    let other = reopened("UPDATE _sqlx_migrations SET checksum = x'00'");
    assert!(matches!(other, StoreError::OtherSchema { version: 1, .. }), "{other}");
}

#[test]
fn a_file_that_was_read_for_another_population_is_known() {
    let (_folder, mut store) = opened();
    let files = |names: &[&str]| names.iter().map(|name| SHA[..62].to_owned() + name).collect::<Vec<_>>();
    assert_eq!(store.note_sources("people", &files(&["aa", "bb"])).unwrap(), [""; 0]);
    assert_eq!(store.note_sources("people", &files(&["aa"])).unwrap(), [""; 0]);
    assert_eq!(store.note_sources("others", &files(&["bb", "cc"])).unwrap(), ["people"]);
    assert_eq!(store.note_sources("third", &files(&["cc"])).unwrap(), ["others"]);
    assert_eq!(store.note_sources("people", &files(&["aa", "bb"])).unwrap(), ["others"]);
}

#[test]
fn what_earlier_runs_left_is_counted_when_the_history_gets_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("old.db")).create_if_missing(true);
    let rows: Vec<(String, i64)> = runtime.block_on(async {
        let mut old = SqliteConnection::connect_with(&options).await.unwrap();
        let one = "INSERT INTO runs VALUES ('r1', 1, 'p', 't1', 't', 'FAIL', 1, 's', 's', 'f', 1, 1, 1), ('r2', 2, 'p', 't2', 't', 'FAIL', 1, 's', 's', 'f', 1, 1, 1);
                   INSERT INTO findings VALUES ('r1', 0, 'judge/a', '{}', 'met', 'deny', 0), ('r1', 1, 'judge/b', '{}', 'breached', 'deny', 1), ('r1', 2, 'note', '{}', 'undetermined', 'warn', 0),
                   ('r2', 0, 'judge/a', '{}', 'breached', 'deny', 0), ('r2', 1, 'note', '{}', 'undetermined', 'warn', 0);";
        for sql in [include_str!("migrations/0001_runs.sql"), one, include_str!("migrations/0005_history.sql")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut old).await.unwrap();
        }
        let counts = "SELECT run_id, met * 1000 + breached * 100 + undetermined * 10 + waived FROM run_counts \
                      UNION ALL SELECT code || ' ' || run_id || ' ' || started_at, 0 FROM finding_first ORDER BY 1";
        let rows = sqlx::query(counts).fetch_all(&mut old).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    });
    let rows: Vec<(&str, i64)> = rows.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(rows, [("judge/a r2 t2", 0), ("note r1 t1", 0), ("r1", 1001), ("r2", 100)]);
}

#[test]
fn a_history_of_2000_runs_is_read_at_once() {
    let (_folder, mut store) = opened();
    store.record(&run("p", "first"), &[], &[]).unwrap();
    for sql in [
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO runs \
         SELECT 'r' || i, i, 'p', '2026', '2026', 'PASS', 0, 's', 's', 'p/r' || i, 1, 1, 1 FROM n",
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19) INSERT INTO findings \
         SELECT run_id, i, 'judge/' || i, '{}', 'breached', 'deny', 0 FROM runs, n",
        "INSERT INTO finding_values SELECT run_id, position, 'm' || position, '[\"sex\"]', 0.1, NULL, 0.2, 0.1, 0.3, 'first', '2026' FROM findings",
        "INSERT INTO run_counts SELECT run_id, 0, 20, 0, 0, 0 FROM runs WHERE run_id <> 'first'",
        "INSERT INTO finding_first SELECT 'p', code, '{}', 'deny', 'first', '2026' FROM findings WHERE run_id = 'first'",
    ] {
        execute(&mut store, sql).unwrap();
    }
    let findings: Vec<Finding> =
        (0..20).map(|i| finding(&format!("judge/{i}"), Cohort::everyone(), Verdict::Breached)).collect();
    let now = Seen { run_id: "now".into(), started_at: "2027".into() };
    let mut best = [std::time::Duration::MAX; 2];
    for _ in 0..5 {
        let start = std::time::Instant::now();
        assert_eq!(store.lines("p", 2000).unwrap().len(), 2000);
        let series = store.series("p", "m7", Some(&["sex".into()]), 2000).unwrap();
        assert_eq!((series.len(), series[0].points.len()), (1, 2000));
        best[0] = best[0].min(start.elapsed());
        let start = std::time::Instant::now();
        let since = store.since("p", &findings, &now).unwrap();
        assert!(since.len() == 20 && since.iter().all(|since| since.open_since.run_id == "first"));
        best[1] = best[1].min(start.elapsed());
    }
    eprintln!("2,000 runs: lines and series {:?}, standing {:?}", best[0], best[1]);
    assert!(best[0].as_millis() < 1000 && best[1].as_millis() < 100, "{best:?}");
}
