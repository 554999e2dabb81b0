//! Exit codes of every verb, and what a person reads.

use std::fs;

use super::*;
use crate::budget::UNITS;
use crate::cli;

/// A folder, and a command line about the ledger in it.
struct House(tempfile::TempDir);

impl House {
    fn new() -> House {
        House(tempfile::tempdir().unwrap())
    }

    fn ledger(&self) -> PathBuf {
        self.0.path().join("l.db")
    }

    fn budget(&self, words: &str) -> u8 {
        let ledger = self.ledger().display().to_string();
        let all = format!("evenhand --quiet budget {words}").replace("LEDGER", &format!("--ledger {ledger}"));
        cli::run(all.split_whitespace())
    }
}

#[test]
fn a_grant_is_made_shown_verified_and_restored() {
    let house = House::new();
    assert_eq!(house.budget("show LEDGER"), 2);
    assert!(!house.ledger().exists());
    assert_eq!(
        house.budget("grant LEDGER --population p --epsilon 3 --delta 1e-6 --window-days 30 --window-epsilon 1"),
        0
    );
    let mut store = Store::open(&house.ledger()).unwrap();
    let entry = store.entries("p", 9).unwrap().remove(0);
    let window = Some(Window { days: 30, epsilon: UNITS });
    assert_eq!(entry.grant, Some(Grant { epsilon: 3 * UNITS, delta: 1_000_000, window }));
    for words in ["show LEDGER", "show LEDGER --population p", "show LEDGER --format json", "verify LEDGER"] {
        assert_eq!(house.budget(words), 0, "{words}");
    }
    assert_eq!(house.budget(&format!("verify LEDGER --head {}", entry.head())), 0);
    assert_eq!(house.budget(&format!("verify LEDGER --head 1:{}", "0".repeat(64))), 3);
    assert_eq!(house.budget("show LEDGER --population q"), 4);
    assert_eq!(house.budget("restore LEDGER --all --reason test --population p"), 0);
    assert!(matches!(store.charge("p", "x", Charge::pure(1), &[], Clock::System), Err(LedgerError::Refused { .. })));
    assert_eq!(house.budget("restore LEDGER --rho 0.1 --reason test"), 0);
    assert_eq!(house.budget("restore LEDGER --epsilon 0.1 --delta 1e-6 --reason test"), 0);
    assert_eq!(house.budget("restore LEDGER --epsilon 0.1 --reason test --population q"), 0);
    let costs: Vec<Charge> = store.entries("p", 9).unwrap().iter().map(|entry| entry.charge).collect();
    assert_eq!((costs.len(), costs[2]), (4, Charge::concentrated(UNITS / 10)));
    // epsilon 0.1 at 1e-6 is rho 0.000314...
    assert!(costs[3].epsilon.is_none() && (300_000_000..330_000_000).contains(&costs[3].rho), "{:?}", costs[3]);
    fs::remove_file(store::head_path(&house.ledger())).unwrap();
    assert_eq!(house.budget("show LEDGER"), 3);
    assert_eq!(house.budget("verify LEDGER"), 3);
}

#[test]
fn what_is_asked_wrongly_is_usage() {
    let house = House::new();
    for words in [
        "",
        "show",
        "grant LEDGER --epsilon 1",
        "grant LEDGER --population p",
        "grant LEDGER --population p --epsilon 0",
        "grant LEDGER --population p --epsilon -1",
        "grant LEDGER --population p --epsilon x",
        "grant LEDGER --population p --epsilon NaN",
        "grant LEDGER --population p --epsilon 1 --delta 1",
        "grant LEDGER --population p --epsilon 1 --window-days 3",
        "grant LEDGER --population p --epsilon 1 --window-epsilon 3",
        "grant LEDGER --population p --epsilon 1 --window-epsilon 3 --window-days 0",
        "show x.toml LEDGER",
        "show /nowhere/x.toml",
        "verify LEDGER --head 1:x",
        "restore LEDGER --reason test",
        "restore LEDGER --all --rho 1 --reason test",
        "restore LEDGER --nothing --reason test",
        "restore LEDGER --rho 1 --delta 1e-6 --reason test",
        "restore LEDGER --all",
    ] {
        assert_eq!(house.budget(words), 2, "{words}");
    }
    assert!(!house.ledger().exists());
}

#[test]
fn a_pipeline_names_its_ledger_and_its_population() {
    let house = House::new();
    let base = "[pipeline]\nname = \"x\"\n[ingest]\npath = \"x.csv\"\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n\
                [schema.hired]\nroles = [\"prediction\"]\nlevels = [\"0\", \"1\"]\npositive = \"1\"\n";
    let write = |name: &str, privacy: &str| {
        fs::create_dir_all(house.0.path().join("pipelines")).unwrap();
        let path = house.0.path().join("pipelines").join(name);
        fs::write(&path, format!("{base}{privacy}")).unwrap();
        path.display().to_string()
    };
    let without = write("a.toml", "");
    assert_eq!(house.budget(&format!("show {without}")), 2);
    let own = write("b.toml", "[privacy]\npopulation = \"staff\"\nepsilon = 1.0\nledger = \"../l.db\"\n");
    assert_eq!(house.budget(&format!("grant {own} --epsilon 2")), 0);
    assert_eq!(house.budget(&format!("show {own}")), 0);
    assert_eq!(Store::open(&house.ledger()).unwrap().populations().unwrap(), ["staff"]);
    let beside = write("c.toml", "[privacy]\npopulation = \"staff\"\nepsilon = 1.0\n");
    assert_eq!(house.budget(&format!("grant {beside} --epsilon 2")), 0);
    assert!(house.0.path().join("reports").join(store::FILE).exists());
}

#[test]
fn a_person_reads_what_is_granted_spent_and_left() {
    let house = House::new();
    let mut store = Store::open(&house.ledger()).unwrap();
    let clock = |second| Clock::Fixed(jiff::Timestamp::from_second(second).unwrap());
    let window = Some(Window { days: 30, epsilon: UNITS });
    store.grant("staff", Grant { epsilon: 3 * UNITS, delta: 0, window }, clock(0)).unwrap();
    let charge = Charge::pure(UNITS / 4);
    store.charge("staff", "hiring", charge, &[], clock(86_400)).unwrap();
    let balance = store.balance("staff", clock(172_800).now()).unwrap();
    let entries = store.entries("staff", SHOWN).unwrap();
    let text = human(Some(&entries[1].head()), &vec![(balance, entries.clone())]);
    for line in [
        "population staff",
        "  granted  epsilon 3, delta 0; epsilon 1 within 30 days",
        "  spent    epsilon 0.25 of 3 (epsilon 0.25); entries: 1",
        "  left     one release of epsilon 2.75 or of rho 0",
        "    spent  epsilon 0.25 of 1 (epsilon 0.25); the oldest leaves at 1970-02-01T00:00:00Z",
        "    left   one release of epsilon 0.75 or of rho 0",
        "    2  1970-01-02T00:00:00Z  charge  epsilon 0.25  hiring, 0 statistics",
        &format!("head 2:{}", entries[1].hash),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(human(None, &Vec::new()).contains("the ledger is empty"));
}
