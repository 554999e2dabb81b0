//! The ledger against many spenders, against kill -9, against whoever edits, cuts, rolls back or copies its file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::head::path_of;
use super::*;
use crate::budget::UNITS;
use crate::store::FILE;

const PURE: Grant = Grant { epsilon: 3 * UNITS, delta: 0, window: None };

fn clock(second: i64) -> Clock {
    Clock::Fixed(Timestamp::from_second(1_800_000_000 + second).unwrap())
}

fn path_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join(FILE)
}

fn spend(store: &mut Store, tenths: u64, second: i64) -> Result<Entry, LedgerError> {
    let charge = Charge::pure(tenths * UNITS / 10);
    let what = [Allocation { statistic: "table".into(), charge }];
    store.charge("customers", "lending", charge, &what, clock(second))
}

/// A ledger with a grant and three charges, closed.
fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&path_in(&folder)).unwrap();
    store
        .grant("customers", Grant { window: Some(Window { days: 30, epsilon: 2 * UNITS }), ..PURE }, clock(0))
        .unwrap();
    for second in 1..=3 {
        spend(&mut store, 1, second).unwrap();
    }
    store.close().unwrap();
    folder
}

fn opened(folder: &tempfile::TempDir) -> Store {
    Store::open(&path_in(folder)).unwrap()
}

fn sql(store: &mut Store, text: impl Into<String>) -> Result<u64, String> {
    let query = sqlx::query(sqlx::AssertSqlSafe(text.into()));
    let done = store.runtime.block_on(query.execute(&mut store.connection));
    done.map(|done| done.rows_affected()).map_err(|e| e.to_string())
}

/// Every way in is closed: nothing is charged, granted, shown or confirmed. The error of the charge.
fn refused(store: &mut Store) -> LedgerError {
    assert!(store.verify(&[]).is_err());
    assert!(store.balance("customers", clock(9).now()).is_err());
    assert!(store.populations().is_err());
    assert!(store.grant("customers", PURE, clock(9)).is_err());
    let refused = spend(store, 1, 9).unwrap_err();
    assert_eq!(refused.exit_code(), 3, "{refused}");
    refused
}

#[test]
fn charges_are_kept_over_openings_and_add_up() {
    let folder = written();
    let mut store = opened(&folder);
    let balance = store.balance("customers", clock(4).now()).unwrap();
    assert_eq!((balance.entries, balance.lifetime.cost.epsilon), (3, Some(3 * UNITS / 10)));
    assert_eq!(balance.lifetime.left.epsilon, 27 * UNITS / 10);
    assert_eq!(balance.window.unwrap().left.epsilon, 17 * UNITS / 10);
    assert_eq!(store.populations().unwrap(), ["customers"]);
    let entries = store.entries("customers", 2).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [3, 4]);
    assert_eq!((entries[1].pipeline.as_str(), &*entries[1].what[0].statistic), ("lending", "table"));
    let head = store.verify(&[entries[0].head(), entries[1].head()]).unwrap();
    assert_eq!(head, Some(entries[1].head()));
    let (beside, text) = (path_of(&path_in(&folder)), entries[1].hash.clone());
    assert!(fs::read_to_string(&beside).unwrap().contains(&text));
    // Two ledgers have two ids.
    let second = written();
    let other = opened(&second).entries("customers", 9).unwrap().remove(0);
    assert_ne!(other.previous, store.entries("customers", 9).unwrap()[0].previous);
}

#[test]
fn a_charge_beyond_the_grant_is_refused_and_not_recorded() {
    let folder = written();
    let mut store = opened(&folder);
    let refused = spend(&mut store, 28, 4).unwrap_err();
    assert_eq!(refused.exit_code(), 4);
    let message = refused.to_string();
    assert!(message.contains("of epsilon 3 in all, a single release of epsilon 2.7"), "{message}");
    let window = spend(&mut store, 18, 4).unwrap_err().to_string();
    assert!(window.contains("of epsilon 2 within 30 days, a single release of epsilon 1.7"), "{window}");
    assert!(window.contains(&clock(1 + 30 * 86_400).now().to_string()), "{window}");
    assert_eq!(store.verify(&[]).unwrap().unwrap().sequence, 4);
    spend(&mut store, 17, 4).unwrap();
    let nobody = store.charge("staff", "hiring", Charge::pure(1), &[], clock(5)).unwrap_err();
    assert_eq!(nobody.exit_code(), 4);
    assert!(nobody.to_string().contains("evenhand budget grant --ledger"), "{nobody}");
}

#[test]
fn a_clock_that_went_backwards_is_refused() {
    let folder = written();
    let mut store = opened(&folder);
    for refused in [spend(&mut store, 1, 2).unwrap_err(), store.grant("staff", PURE, clock(2)).unwrap_err()] {
        assert!(matches!(refused, LedgerError::Clock { .. }), "{refused}");
        assert!(refused.to_string().contains("the clock went backwards"), "{refused}");
    }
    spend(&mut store, 1, 3).unwrap();
}

#[test]
fn amounts_that_cannot_be_kept_and_names_that_are_none_are_refused() {
    let folder = written();
    let mut store = opened(&folder);
    for charge in [
        Charge { rho: UNITS_MAX + 1, ..Charge::FREE },
        Charge { delta: u64::MAX, ..Charge::FREE },
        Charge { epsilon: Some(u64::MAX), ..Charge::FREE },
    ] {
        let refused = store.charge("customers", "lending", charge, &[], clock(4)).unwrap_err();
        assert!(matches!(refused, LedgerError::Overflow(_)), "{refused}");
    }
    let huge = Charge { rho: UNITS_MAX, delta: UNITS_MAX, epsilon: Some(UNITS_MAX) };
    let refused = store.charge("customers", "lending", huge, &[], clock(4)).unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    for name in ["", " ", "a\nb", &"x".repeat(201)] {
        assert!(matches!(store.grant(name, PURE, clock(4)), Err(LedgerError::Invalid(_))), "{name:?}");
    }
    assert!(matches!(store.grant("customers", Grant { epsilon: 0, ..PURE }, clock(4)), Err(LedgerError::Invalid(_))));
    assert_eq!(store.verify(&[]).unwrap().unwrap().sequence, 4);
}

#[test]
fn a_ledger_that_cannot_be_written_is_named_and_charges_nothing() {
    let folder = written();
    let mut store = opened(&folder);
    sql(&mut store, "PRAGMA query_only = 1").unwrap();
    let refused = spend(&mut store, 1, 4).unwrap_err();
    assert!(matches!(refused, LedgerError::Store(StoreError::ReadOnly { .. })), "{refused}");
    sql(&mut store, "PRAGMA query_only = 0").unwrap();
    // The disk is full: SQLite refuses to grow the file.
    sql(&mut store, "PRAGMA max_page_count = 1").unwrap();
    let what: Vec<Allocation> =
        (0..5000).map(|i| Allocation { statistic: format!("s{i}").into(), charge: Charge::FREE }).collect();
    let full = store.charge("customers", "lending", Charge::pure(1), &what, clock(4)).unwrap_err();
    assert!(matches!(full, LedgerError::Store(StoreError::Full { .. })), "{full}");
    assert_eq!(store.verify(&[]).unwrap().unwrap().sequence, 4);
    // A head file that cannot be read.
    let head = path_of(&path_in(&folder));
    fs::remove_file(&head).unwrap();
    fs::create_dir(&head).unwrap();
    let unreadable = refused_by(&mut store);
    assert!(matches!(unreadable, LedgerError::HeadFile { .. }), "{unreadable}");
}

fn refused_by(store: &mut Store) -> LedgerError {
    spend(store, 1, 9).unwrap_err()
}

#[test]
fn rows_are_only_appended() {
    let folder = written();
    let mut store = opened(&folder);
    for statement in [
        "UPDATE ledger SET epsilon = 0",
        "DELETE FROM ledger",
        "INSERT OR REPLACE INTO ledger SELECT * FROM ledger WHERE sequence = 2",
        "INSERT INTO ledger SELECT 9, population, kind, at, pipeline, what, reason, lost, rho, delta, epsilon, grant_epsilon, grant_delta, \
         window_days, window_epsilon, previous, replace(hash, 'a', 'b') FROM ledger WHERE sequence = 2",
    ] {
        let why = sql(&mut store, statement).unwrap_err();
        assert!(why.contains("append-only"), "{statement}: {why}");
    }
}

/// Opens the table to edits, with a copy of it to go back to.
fn unlocked(store: &mut Store) {
    for trigger in ["update", "delete", "order"] {
        sql(store, format!("DROP TRIGGER ledger_keep_{trigger}")).unwrap();
    }
    sql(store, "PRAGMA ignore_check_constraints = 1").unwrap();
    sql(store, "CREATE TABLE kept AS SELECT * FROM ledger").unwrap();
}

fn mended(store: &mut Store) {
    sql(store, "DELETE FROM ledger").unwrap();
    sql(store, "INSERT INTO ledger SELECT * FROM kept").unwrap();
    store.verify(&[]).unwrap();
}

/// Every column of every entry, each to several other values.
#[test]
fn an_edited_entry_is_refused() {
    let folder = written();
    let mut store = opened(&folder);
    let marked = store.restore(&[], Missing::Cost(Charge::pure(1)), "lost", None, clock(4)).unwrap();
    assert_eq!(marked.len(), 1);
    unlocked(&mut store);
    let texts: &[&str] =
        &["''", "'x'", "COLUMN || ' '", "'[]'", "'grant'", "'charge'", "'2027-01-15T08:00:09Z'", "NULL"];
    let numbers: &[&str] = &["0", "1", "COLUMN + 1", "COLUMN - 1", "-1", "NULL", "100000000000"];
    let hashes: &[&str] = &["replace(COLUMN, 'a', 'b')", "upper(COLUMN)", "'x'", "COLUMN || 'a'"];
    let columns: [(&str, &[&str]); 17] = [
        ("sequence", &["COLUMN + 10", "COLUMN - 10", "0"]),
        ("population", texts),
        ("kind", texts),
        ("at", texts),
        ("at", &["replace(COLUMN, 'Z', '+00:00')", "replace(COLUMN, 'T', ' ')"]),
        ("pipeline", texts),
        ("what", texts),
        ("reason", texts),
        ("lost", &["'x'", "'3:' || previous", "''"]),
        ("rho", numbers),
        ("delta", numbers),
        ("epsilon", numbers),
        ("grant_epsilon", numbers),
        ("grant_delta", numbers),
        ("window_days", numbers),
        ("previous", hashes),
        ("hash", hashes),
    ];
    let mut edits = 0;
    for (column, values) in columns.iter().chain(&[("window_epsilon", numbers)]) {
        for (sequence, value) in (1..=5).flat_map(|sequence| values.iter().map(move |value| (sequence, value))) {
            let value = value.replace("COLUMN", column);
            let edit =
                format!("UPDATE ledger SET {column} = {value} WHERE sequence = {sequence} AND {column} IS NOT {value}");
            // What the table itself does not hold is no edit.
            if sql(&mut store, edit.clone()) != Ok(1) {
                continue;
            }
            edits += 1;
            let why = refused(&mut store);
            // The id of the ledger has no entry before it: its head file knows it.
            let of_id = *column == "previous" && sequence == 1;
            assert!(matches!(why, LedgerError::Broken { .. }) || of_id, "{edit}: {why}");
            mended(&mut store);
        }
    }
    assert!(edits > 300, "{edits}");
}

/// Whoever edits can compute hashes too: then the head file tells.
#[test]
fn an_entry_that_was_edited_with_all_hashes_after_it_is_refused() {
    let folder = written();
    let mut store = opened(&folder);
    let mut entries = store.entries("customers", 9).unwrap();
    unlocked(&mut store);
    entries[1].charge = Charge::FREE;
    for i in 1..entries.len() {
        entries[i].previous = entries[i - 1].hash.clone();
        entries[i].hash = entries[i].digest();
    }
    let (first, rest) = entries.split_at(1);
    sql(&mut store, "DELETE FROM ledger WHERE sequence > 1").unwrap();
    let mut book = Book { entries: first.to_vec(), beside: Beside::Nothing };
    for entry in rest {
        store.append(&mut book, entry.clone()).unwrap();
    }
    let why = refused(&mut store);
    assert!(matches!(why, LedgerError::RolledBack { .. }), "{why}");
}

#[test]
fn a_ledger_without_an_entry_is_refused() {
    let folder = written();
    let mut store = opened(&folder);
    unlocked(&mut store);
    for sequence in 1..=4 {
        sql(&mut store, format!("DELETE FROM ledger WHERE sequence = {sequence}")).unwrap();
        let why = refused(&mut store);
        match sequence {
            4 => assert!(matches!(why, LedgerError::RolledBack { found: 3, .. }), "{why}"),
            _ => assert!(matches!(why, LedgerError::Broken { .. }), "{why}"),
        }
        mended(&mut store);
    }
    sql(&mut store, "DELETE FROM ledger").unwrap();
    let why = refused(&mut store);
    assert!(matches!(why, LedgerError::RolledBack { found: 0, .. }), "{why}");
}

#[test]
fn an_old_copy_put_back_is_refused_until_the_gap_is_marked_as_spent() {
    let folder = written();
    let (path, old) = (path_in(&folder), folder.path().join("old"));
    fs::copy(&path, &old).unwrap();
    let mut store = opened(&folder);
    store.grant("staff", PURE, clock(4)).unwrap();
    let heads: Vec<Head> = (5..8).map(|second| spend(&mut store, 1, second).unwrap().head()).collect();
    store.close().unwrap();
    fs::write(&path, fs::read(&old).unwrap()).unwrap();

    let mut store = opened(&folder);
    let why = refused(&mut store);
    assert!(matches!(&why, LedgerError::RolledBack { found: 4, known, .. } if *known == heads[2]), "{why}");
    assert!(why.to_string().contains("evenhand budget restore"), "{why}");
    let nothing = store.restore(&[], Missing::Nothing, "r", Some(&heads[2]), clock(9)).unwrap_err();
    assert_eq!(nothing.exit_code(), 2);
    assert!(store.restore(&["staff".into()], Missing::Cost(Charge::pure(1)), "r", None, clock(9)).is_err());
    assert!(store.restore(&[], Missing::Grant, " ", None, clock(9)).is_err());
    let marked = store.restore(&[], Missing::Grant, "a backup was put back", None, clock(9)).unwrap();
    assert_eq!((marked.len(), marked[0].sequence, marked[0].lost.as_ref()), (1, 5, Some(&heads[2])));

    // Nothing is left; a later grant counts from there. Reports of the lost entries are known.
    assert_eq!(spend(&mut store, 1, 10).unwrap_err().exit_code(), 4);
    store.grant("customers", Grant { epsilon: 4 * UNITS, ..PURE }, clock(10)).unwrap();
    assert_eq!(spend(&mut store, 8, 11).unwrap_err().exit_code(), 4);
    spend(&mut store, 7, 11).unwrap();
    store.verify(&heads).unwrap();
    assert!(store.verify(&[Head { sequence: 9, hash: heads[0].hash.clone() }]).is_err());
}

/// The store and its head file put back together: only a head known from elsewhere tells.
#[test]
fn a_ledger_older_than_a_known_head_is_refused() {
    let folder = written();
    let path = path_in(&folder);
    let old = [path.clone(), path_of(&path)].map(|file| (file.clone(), fs::read(file).unwrap()));
    let mut store = opened(&folder);
    let head = spend(&mut store, 1, 5).unwrap().head();
    store.close().unwrap();
    old.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let mut store = opened(&folder);
    let why = store.verify(std::slice::from_ref(&head)).unwrap_err();
    assert!(matches!(&why, LedgerError::RolledBack { found: 4, known, .. } if *known == head), "{why}");
    store.grant("staff", PURE, clock(6)).unwrap();
    // All populations may lack entries, so all must be marked.
    let one = store.restore(&["staff".into()], Missing::Cost(Charge::pure(1)), "r", Some(&head), clock(7));
    assert!(matches!(one, Err(LedgerError::Invalid(_))));
    store.restore(&[], Missing::Cost(Charge::pure(UNITS / 10)), "r", Some(&head), clock(7)).unwrap();
    store.verify(&[head]).unwrap();
}

#[test]
fn a_copy_is_refused_and_a_ledger_that_was_moved_is_not() {
    let folder = written();
    let (path, other) = (path_in(&folder), tempfile::tempdir().unwrap());
    let copy = path_in(&other);
    fs::copy(&path, &copy).unwrap();
    let alone = refused(&mut opened(&other));
    assert!(matches!(alone, LedgerError::Copied { why: "its head file is not beside it", .. }), "{alone}");
    fs::copy(path_of(&path), path_of(&copy)).unwrap();
    let both = refused(&mut opened(&other));
    assert!(
        matches!(both, LedgerError::Copied { why: "the file is not the one the ledger was written to", .. }),
        "{both}"
    );
    let second = written();
    fs::copy(path_of(&path_in(&second)), path_of(&copy)).unwrap();
    let strange = refused(&mut opened(&other));
    assert!(
        matches!(strange, LedgerError::Copied { why: "the head file beside it is that of another ledger", .. }),
        "{strange}"
    );
    fs::write(path_of(&copy), "{").unwrap();
    let damaged = refused(&mut opened(&other));
    assert!(matches!(damaged, LedgerError::Copied { why: "its head file is damaged", .. }), "{damaged}");

    // Whoever knows the last head can say that nothing is missing.
    let head = opened(&folder).verify(&[]).unwrap().unwrap();
    let mut store = opened(&other);
    let wrong = Head { sequence: 3, ..head.clone() };
    assert!(store.restore(&[], Missing::Nothing, "moved", Some(&wrong), clock(5)).is_err());
    assert!(store.restore(&[], Missing::Nothing, "moved", None, clock(5)).is_err());
    store.restore(&[], Missing::Nothing, "moved", Some(&head), clock(5)).unwrap();
    spend(&mut store, 27, 6).unwrap_err();
    spend(&mut store, 17, 6).unwrap();

    // The original is where it was and goes on; renamed with its head file it is the same file.
    let mut store = opened(&folder);
    spend(&mut store, 1, 6).unwrap();
    store.close().unwrap();
    let place = folder.path().join("moved");
    fs::create_dir(&place).unwrap();
    fs::rename(&path, place.join(FILE)).unwrap();
    fs::rename(path_of(&path), path_of(&place.join(FILE))).unwrap();
    spend(&mut Store::open(&place.join(FILE)).unwrap(), 1, 7).unwrap();
}

#[test]
fn a_ledger_of_which_only_the_head_file_is_left_is_refused() {
    let folder = written();
    fs::remove_file(path_in(&folder)).unwrap();
    let mut store = opened(&folder);
    let why = refused(&mut store);
    assert!(matches!(why, LedgerError::RolledBack { found: 0, .. }), "{why}");
    // What was granted is not known any more.
    assert!(store.restore(&[], Missing::Grant, "r", None, clock(9)).is_err());
    assert!(store.restore(&["customers".into()], Missing::Grant, "r", None, clock(9)).is_err());
    let cost = Missing::Cost(Charge::pure(3 * UNITS));
    store.restore(&["customers".into()], cost, "the disk failed", None, clock(9)).unwrap();
    store.grant("customers", PURE, clock(9)).unwrap();
    assert_eq!(spend(&mut store, 1, 9).unwrap_err().exit_code(), 4);
}

/// Killed between the head file of a new ledger and its first entry, or between a commit and its head.
#[test]
fn a_head_file_that_is_behind_is_brought_up_to_date() {
    let folder = written();
    let path = path_in(&folder);
    let behind = fs::read(path_of(&path)).unwrap();
    let head = spend(&mut opened(&folder), 1, 4).unwrap().head();
    fs::write(path_of(&path), &behind).unwrap();
    fs::write(folder.path().join(".partial-evenhand.db.head"), "half").unwrap();
    let mut store = opened(&folder);
    assert_eq!(store.verify(std::slice::from_ref(&head)).unwrap(), Some(head.clone()));
    assert!(fs::read_to_string(path_of(&path)).unwrap().contains(&head.hash));

    let new = tempfile::tempdir().unwrap();
    let mut store = opened(&new);
    let id = "ab".repeat(32);
    head::write(&path_in(&new), &id, Head { sequence: 0, hash: id.clone() }).unwrap();
    assert_eq!(store.verify(&[]).unwrap(), None);
    assert_eq!(store.grant("customers", PURE, clock(0)).unwrap().previous, id);
    fs::write(path_of(&path_in(&new)), "{}").unwrap();
    refused(&mut store);
}

const CHILD: &str = "EVENHAND_LEDGER_OF_CHILD";

/// This test binary again, with one test, as a spender of a ledger.
fn spender(test: &str, ledger: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", &format!("store::ledger::tests::{test}")]).env(CHILD, ledger);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn tenth() -> Charge {
    Charge::pure(UNITS / 10)
}

/// 64 processes ask for a tenth at once where 37 tenths are granted.
#[test]
fn spenders_at_once_get_exactly_what_is_affordable() {
    if let Some(path) = std::env::var_os(CHILD) {
        let path = Path::new(&path);
        while !path.with_file_name("go").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let charged = Store::open(path).unwrap().charge("customers", "lending", tenth(), &[], Clock::System);
        std::process::exit(charged.map_or_else(|e| e.exit_code().into(), |_| 0));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = path_in(&folder);
    let mut store = opened(&folder);
    store.grant("customers", Grant { epsilon: 37 * UNITS / 10, ..PURE }, Clock::System).unwrap();
    let test = "spenders_at_once_get_exactly_what_is_affordable";
    let children: Vec<Child> = (0..64).map(|_| spender(test, &path)).collect();
    fs::write(folder.path().join("go"), "").unwrap();
    let codes: Vec<i32> = children.into_iter().map(|mut child| child.wait().unwrap().code().unwrap()).collect();
    let with = |code| codes.iter().filter(|found| **found == code).count();
    assert_eq!((with(0), with(4)), (37, 27), "{codes:?}");
    let balance = store.balance("customers", Clock::System.now()).unwrap();
    assert_eq!((balance.entries, balance.lifetime.left.epsilon), (37, 0));
    assert_eq!(store.verify(&[]).unwrap().unwrap().sequence, 38);
}

/// Processes that charge and then release are killed at 1,000 random moments: nothing is released that was not charged, nothing is charged
/// beyond the grant, and the ledger goes on.
#[test]
fn whoever_is_killed_releases_nothing_that_was_not_charged() {
    if let Some(path) = std::env::var_os(CHILD) {
        let mut store = Store::open(Path::new(&path)).unwrap();
        loop {
            if let Ok(entry) = store.charge("customers", "lending", tenth(), &[], Clock::System) {
                fs::write(Path::new(&path).with_file_name(format!("released-{}", entry.head().hash)), "").unwrap();
            }
        }
    }
    const LEDGERS: u64 = 10;
    const KILLS: u64 = 100;
    let (mut charged, mut unreleased, mut full) = (0, 0, 0);
    for ledger in 0..LEDGERS {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let affordable = 40 * (ledger + 1) * (ledger + 1);
        let grant = Grant { epsilon: affordable * UNITS / 10, ..PURE };
        opened(&folder).grant("customers", grant, Clock::System).unwrap();
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut random = ChaCha20Rng::seed_from_u64(100 * ledger + worker);
                    for _ in 0..KILLS / 4 {
                        let mut child = spender("whoever_is_killed_releases_nothing_that_was_not_charged", path);
                        std::thread::sleep(Duration::from_micros(random.random_range(0..150_000)));
                        child.kill().unwrap();
                        child.wait().unwrap();
                    }
                });
            }
        });
        let mut store = opened(&folder);
        let balance = store.balance("customers", Clock::System.now()).unwrap();
        assert!(balance.lifetime.cost.epsilon.unwrap() <= grant.epsilon);
        let committed: Vec<String> =
            store.entries("customers", 100_000).unwrap().into_iter().skip(1).map(|entry| entry.hash).collect();
        let names = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let released: Vec<String> =
            names.filter_map(|name| Some(name.strip_prefix("released-")?.to_string())).collect();
        assert!(released.iter().all(|hash| committed.contains(hash)));
        assert_eq!(committed.len() as u64, balance.entries);
        charged += committed.len();
        unreleased += committed.len() - released.len();
        full += u64::from(balance.lifetime.left.epsilon == 0);
        // It is not bricked.
        store.grant("customers", Grant { epsilon: grant.epsilon + UNITS, ..grant }, Clock::System).unwrap();
        store.charge("customers", "lending", tenth(), &[], Clock::System).unwrap();
    }
    println!("{charged} charges, {unreleased} of them not released, {full} of {LEDGERS} ledgers used up");
    // The moments were of all kinds: before and after charges, in ledgers with room and without.
    assert!(charged > 100 && full < LEDGERS, "{charged} {full}");
}
