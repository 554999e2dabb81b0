//! Does the default engine hand on the rows the reference does, in their order? Does a Parquet dataset hold what a CSV one does? How fast?

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use evenhand::engine::rows;
use evenhand::plan::spec::{Format, Spec};
use evenhand::plan::{Learned, Plan, expression};
use evenhand::run::artefact::Artefact;
use evenhand::scalar::{Value, Vector};
use evenhand::world::Entropy;

const PIPELINE: &str = r#"
[pipeline]
name = "x"
[ingest]
path = "rows.csv"
where = "age >= 18"
[derive]
old = "age >= 65"
[schema]
id = { roles = ["identifier"] }
age = { bounds = [0, 120] }
zip = {}
visit = {}
income = { as = "number" }
old = {}
[deidentify]
output = "out.csv"
shuffle = false
[deidentify.columns]
id = { do = "pseudonym", key_file = "key" }
age = { do = "top-code", at = 90 }
zip = { do = "generalise", digits = 3 }
visit = { do = "date-shift", days_max = 30, unit = "id", key_file = "key" }
income = { do = "round", to = 1000 }
old = { do = "keep" }
"#;

/// Rows with missing fields, values of another form, quotes and line breaks.
fn folder(n: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("id,age,zip,visit,income\n");
    for i in 0..n {
        let zip =
            if i % 97 == 0 { "\"a \"\"zip\"\"\nof two lines\"".into() } else { format!("{:05}", i * 7919 % 100_000) };
        let age = if i % 31 == 0 { String::new() } else { (i * 13 % 100).to_string() };
        writeln!(
            text,
            "p{},{age},{zip},20{:02}-{:02}-{:02},{}",
            i / 3,
            i % 30,
            i % 12 + 1,
            i % 28 + 1,
            i * 37 % 90_001
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("rows.csv"), text).unwrap();
    std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
    folder
}

fn plan(folder: &Path, pipeline: &str) -> Plan {
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let source = evenhand::plan::source(&spec, folder, &|path| evenhand::ingest::paths::expand(path)).unwrap();
    Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap()
}

fn values(batch: &[Vector], rows: &[u32]) -> Vec<Vec<Value>> {
    rows.iter().map(|row| batch.iter().map(|column| column.get(*row as usize)).collect()).collect()
}

#[test]
fn rows_are_those_of_the_reference_in_their_order() {
    let place = folder(60_000);
    let plan = plan(place.path(), PIPELINE);
    let columns: Vec<Arc<str>> = ["id", "age", "zip", "old"].map(Arc::from).into();
    let mut expected = Vec::new();
    let take = &mut |of: Vec<Vec<Value>>| {
        expected.extend(of);
        true
    };
    let read = rows::plain(&plan.scan, &columns, &values, take, &|_| {}).unwrap();
    assert!(read == 60_000 && expected.len() < 60_000);
    for threads in [1, 2, 5] {
        let mut found = Vec::new();
        let take = &mut |of: Vec<Vec<Value>>| {
            found.extend(of);
            true
        };
        assert_eq!(rows::stream(&plan.scan, &columns, threads, &values, take, &|_| {}).unwrap(), read);
        assert!(found == expected, "{threads} threads");
    }
    let mut batches = 0;
    let take = &mut |_: Vec<Vec<Value>>| {
        batches += 1;
        batches < 2
    };
    rows::stream(&plan.scan, &columns, 2, &values, take, &|_| {}).unwrap();
    assert_eq!(batches, 2, "told to stop");
}

#[test]
fn parquet_holds_what_csv_does() {
    let place = folder(20_000);
    let mut bytes = Vec::new();
    for name in ["out.csv", "out.parquet"] {
        let plan = plan(place.path(), &PIPELINE.replace("out.csv", name));
        let artefact = Artefact::open((&plan.spec, &plan.scan), place.path(), Entropy::Fixed(1)).unwrap().unwrap();
        let codebook = artefact.write(&place.path().join(name), 2, &|_| {}).unwrap();
        bytes.push(serde_json::to_string(&codebook).unwrap().replace(name, ""));
    }
    assert_eq!(bytes[0], bytes[1]);
    let read = |name: &str, format| {
        let schema = "id = {}\nage = { bounds = [0, 120] }\nzip = {}\nvisit = {}\nincome = { as = \"number\" }\nold = { as = \"truth\" }\n";
        let pipeline = format!("[pipeline]\nname = \"y\"\n[ingest]\npath = \"{name}\"\n[schema]\n{schema}");
        let plan = plan(place.path(), &pipeline);
        assert_eq!(plan.scan.source.format, format);
        let columns: Vec<Arc<str>> = ["id", "age", "zip", "visit", "income", "old"].map(Arc::from).into();
        let mut found = Vec::new();
        let take = &mut |of: Vec<Vec<Value>>| {
            found.extend(of);
            true
        };
        rows::stream(&plan.scan, &columns, 2, &values, take, &|_| {}).unwrap();
        found
    };
    let (csv, parquet) = (read("out.csv", Format::Csv), read("out.parquet", Format::Parquet));
    assert!(csv == parquet && csv.len() > 10_000);
}
