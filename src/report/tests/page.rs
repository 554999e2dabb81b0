//! The page: what is on it, and what must never be.

use super::sample::{PLAIN, Words, sample};
use crate::report::{files, html, run_json};

fn rendered(words: &Words, suppress_below: u64) -> String {
    let (audit, record) = sample(words, suppress_below);
    let report = files(&audit, None).unwrap().remove(0).1;
    html(&report, &run_json(&record).unwrap()).unwrap()
}

#[test]
fn same_documents_same_bytes() {
    assert_eq!(rendered(&PLAIN, 0), rendered(&PLAIN, 0));
    if let Ok(path) = std::env::var("EVENHAND_LOOK") {
        std::fs::write(&path, rendered(&PLAIN, 0)).unwrap();
        std::fs::write(format!("{path}.s.html"), rendered(&PLAIN, 12)).unwrap();
    }
}
