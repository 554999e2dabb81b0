//! Documents of real runs are of the published schemas.

use std::path::Path;

use serde_json::Value;

/// What more a pipeline may ask for than those that ship.
const MORE: &str = r#"
[measure.data]
proxies = true
[measure.ranking]
top = [0.1, 100]
[measure.subgroups]
[measure.individual]
rows_max = 300
flip = ["sex"]
[[measure.regulation]]
rule = "us-lending"
[mitigate]
across = ["sex"]
[attacks]
on_real_rows = true
rows_max = 1000
sensitive = "credit_history"
"#;

fn wrong(text: &str, document: &Value) -> Vec<String> {
    let schema = jsonschema::draft202012::new(&serde_json::from_str(text).unwrap()).unwrap();
    schema.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect()
}

/// Nothing of a `report.json` is against its schema.
pub fn holds_report(report: &Value) {
    assert_eq!(wrong(include_str!("../../schema/report.schema.json"), report), [""; 0]);
}

/// Nothing of a `run.json` is against its schema.
pub fn holds_run(run: &Value) {
    assert_eq!(wrong(include_str!("../../schema/run.schema.json"), run), [""; 0]);
}

/// Runs a pipeline file with the program and returns its `report.json` and `run.json`.
fn ran(folder: &Path, name: &str) -> (Value, Value) {
    let file = folder.join("pipelines").join(format!("{name}.toml"));
    let code = evenhand::cli::run(["evenhand", "--quiet", "run", "--exit-zero", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{name}");
    let runs = std::fs::read_dir(folder.join("reports").join(name)).unwrap();
    let runs: Vec<_> = runs.map(|entry| entry.unwrap().path()).filter(|path| path.join("run.json").exists()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    let json = |file: &str| serde_json::from_slice(&std::fs::read(runs[0].join(file)).unwrap()).unwrap();
    (json("report.json"), json("run.json"))
}

/// A folder with the pipelines that ship, and their data.
fn shipped() -> tempfile::TempDir {
    let (from, to) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines"), tempfile::tempdir().unwrap());
    for part in ["", "data"] {
        let (from, to) = (from.join(part), to.path().join("pipelines").join(part));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    to
}

fn hold(name: &str, parts: &[&str], run_parts: &[&str], folder: &Path) {
    let (report, run) = ran(folder, name);
    holds_report(&report);
    holds_run(&run);
    for (document, parts) in [(&report, parts), (&run, run_parts)] {
        for part in parts {
            assert!(document.pointer(part).is_some_and(|value| !value.is_null()), "{name} has no {part}");
        }
    }
}

#[test]
fn pipelines_that_ship_write_documents_of_their_schemas() {
    let folder = shipped();
    hold("hiring-nyc", &["/bias/regulation/0/tables/0/rows", "/bias/tests/sets"], &["/usage/0"], folder.path());
    hold("clinic-deid", &["/coarsening/before/class_min"], &["/files/0/sha256"], folder.path());
    hold("premium", &["/model/coefficients/0"], &["/inputs/0"], folder.path());
}

#[test]
fn a_pipeline_with_every_part_writes_documents_of_their_schemas() {
    let folder = shipped();
    let file = folder.path().join("pipelines/lending.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text
        .replace("[measure]\n", "[measure]\ngiven = [\"credit_history\"]\nreplicates = 100\n")
        .replace("train = 0.6, calibration = 0.0, test = 0.4", "train = 0.5, calibration = 0.2, test = 0.3");
    std::fs::write(&file, text + MORE).unwrap();
    let bias = ["strata", "tests", "sweep", "data", "ranking", "subgroups", "individual", "regulation", "mitigation"];
    let parts = bias.map(|part| format!("/bias/{part}"));
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    hold("lending", &parts, &["/attacks/model/auc"], folder.path());
}
