//! Where the reference data are, and how near a number is to the one expected.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// The folder with `data/` and `golden/`; none when the environment does not name it.
fn folder() -> Option<PathBuf> {
    std::env::var_os("EVENHAND_REFERENCE_DATA").map(PathBuf::from)
}

/// Tests that need the reference data.
pub const TESTS: usize = 36;

/// The path of a data file, and the tasks of its golden file by name; none without the reference data.
pub fn reference(data: &str, golden: &str) -> Option<(PathBuf, BTreeMap<String, Value>)> {
    let folder = folder()?;
    let text = std::fs::read_to_string(folder.join("golden").join(format!("fairness-{golden}.json")))
        .expect("the golden file is there");
    let golden: Value = serde_json::from_str(&text).expect("the golden file is JSON");
    let tasks = golden["tasks"].as_array().expect("tasks").iter();
    let tasks = tasks.map(|task| (task["id"].as_str().expect("id").to_string(), task.clone())).collect();
    Some((folder.join("data").join(data), tasks))
}

/// The path of a data file, and the golden values about models; none without the reference data.
pub fn values(data: &str) -> Option<(PathBuf, Value)> {
    let folder = folder()?;
    let text = std::fs::read_to_string(folder.join("golden/reliability.json")).expect("the golden file is there");
    let mut golden: Value = serde_json::from_str(&text).expect("the golden file is JSON");
    Some((folder.join("data").join(data), golden["values"].take()))
}

#[test]
fn tests_without_their_data_are_counted() {
    if folder().is_none() {
        // Not through the captured output of a test that passes: the line is for whoever runs the tests.
        use std::io::Write;
        let line = format!(
            "EVENHAND_REFERENCE_DATA is not set: {TESTS} tests against reference data were not run, nor those of the library\n"
        );
        std::io::stderr().write_all(line.as_bytes()).expect("standard error");
    }
    let source = [
        include_str!("golden.rs"),
        include_str!("leaves.rs"),
        include_str!("individual.rs"),
        include_str!("peers.rs"),
        include_str!("chain.rs"),
        include_str!("syntactic.rs"),
        include_str!("attacks.rs"),
        include_str!("regulation.rs"),
        include_str!("equality.rs"),
        include_str!("strata.rs"),
        include_str!("distances.rs"),
    ]
    .concat();
    let uses = ["= reference(", "= values(", "in golden("];
    assert_eq!(uses.iter().map(|text| source.matches(text).count()).sum::<usize>(), TESTS);
}

/// Comparisons with one task: how many, and the greatest relative deviation.
pub struct Task {
    name: String,
    compared: usize,
    deviation: f64,
}

impl Task {
    pub fn new(name: &str) -> Task {
        Task { name: name.into(), compared: 0, deviation: 0.0 }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Equal counts.
    pub fn count(&mut self, ours: i64, golden: &Value, what: &str) {
        let golden = golden.as_f64().unwrap_or_else(|| panic!("{}: {what} has no golden", self.name));
        assert!(ours as f64 == golden, "{}: {what} is {ours}, not {golden}", self.name);
        self.compared += 1;
    }

    /// Equal within a tolerance relative to the golden, or to 0.001 where the golden is smaller.
    pub fn near(&mut self, ours: Option<f64>, golden: f64, tolerance: f64, what: &str) {
        let ours = ours.unwrap_or_else(|| panic!("{}: {what} is undefined, not {golden}", self.name));
        let deviation = (ours - golden).abs() / golden.abs().max(1e-3);
        assert!(deviation <= tolerance, "{}: {what} is {ours}, not {golden}", self.name);
        self.compared += 1;
        self.deviation = self.deviation.max(deviation);
    }

    /// Equal within an absolute bound.
    pub fn within(&mut self, ours: Option<f64>, golden: f64, bound: f64, what: &str) {
        let ours = ours.unwrap_or_else(|| panic!("{}: {what} is undefined, not {golden}", self.name));
        assert!((ours - golden).abs() <= bound, "{}: {what} is {ours}, not {golden}", self.name);
        self.compared += 1;
        self.deviation = self.deviation.max((ours - golden).abs() / golden.abs().max(1e-3));
    }

    /// No value, whatever the peer returns.
    pub fn undefined(&mut self, ours: Option<f64>, what: &str) {
        assert_eq!(ours, None, "{}: {what} must be undefined", self.name);
        self.compared += 1;
    }
}

impl Drop for Task {
    /// One line per task, seen with `--nocapture`.
    fn drop(&mut self) {
        println!("{}: {} values, greatest relative deviation {:.1e}", self.name, self.compared, self.deviation);
    }
}
