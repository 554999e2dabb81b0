//! Does the program do what its pages say: verdict, exit code, run folder, history, and a clear word about bad input?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A folder with copies of the shipped pipelines and their data.
pub struct House(tempfile::TempDir);

impl House {
    pub fn new() -> House {
        let house = House(tempfile::tempdir().unwrap());
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
        fs::create_dir_all(house.path().join("pipelines/data")).unwrap();
        for folder in ["", "data"] {
            for entry in fs::read_dir(from.join(folder)).unwrap() {
                let entry = entry.unwrap().path();
                if entry.is_file() {
                    fs::copy(&entry, house.path().join("pipelines").join(folder).join(entry.file_name().unwrap()))
                        .unwrap();
                }
            }
        }
        house
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn evenhand(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
        command.args(arguments).current_dir(self.path()).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command
    }

    /// Writes a pipeline over a CSV and runs it.
    fn try_out(&self, name: &str, data: &[u8], spec: &str) -> Output {
        fs::write(self.path().join(format!("pipelines/data/{name}.csv")), data).unwrap();
        let head = format!("[pipeline]\nname = \"{name}\"\n[ingest]\npath = \"data/{name}.csv\"\n");
        fs::write(self.path().join(format!("pipelines/{name}.toml")), head + spec).unwrap();
        self.evenhand(&["run", &format!("pipelines/{name}.toml")])
    }

    pub fn runs(&self, pipeline: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("reports").join(pipeline)).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        folders.sort();
        folders
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

const HIRING: &str = "[schema]\nsex = { roles = [\"protected\"], levels = [\"f\", \"m\"], reference = \"m\" }\n\
    hired = { roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }\n";

fn hiring(f: (u32, u32), m: (u32, u32)) -> Vec<u8> {
    let rows = |sex: &str, (hired, all): (u32, u32)| {
        (0..all).map(|i| format!("{sex},{}\n", u8::from(i < hired))).collect::<String>()
    };
    format!("sex,hired\n{}{}", rows("f", f), rows("m", m)).into_bytes()
}

fn gate(at_least: f64, level: &str) -> String {
    format!(
        "{HIRING}[[judge]]\nmetric = \"selection-rate\"\ncompare = \"ratio\"\nagainst = \"reference\"\nat_least = {at_least}\nlevel = \"{level}\"\n"
    )
}

#[test]
fn the_shipped_pipelines_run_from_the_first_word_to_the_last() {
    let house = House::new();
    for pipeline in ["lending", "hiring", "premium"] {
        let out = house.evenhand(&["run", &format!("pipelines/{pipeline}.toml")]);
        let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
        assert_eq!(out.status.code(), Some(1), "{stdout}{stderr}");
        assert!(stdout.starts_with(&format!("FAIL  {pipeline}: ")), "{stdout}");
        assert!(stderr.contains("pass 1") && !stderr.contains('\u{1b}'), "{stderr}");
        let run = house.runs(pipeline).remove(0);
        let (report, record) = (json(&run.join("report.json")), json(&run.join("run.json")));
        assert_eq!(report["outcome"], "FAIL");
        assert_eq!(record["passes_planned"], record["passes_run"]);
        assert_eq!(record["exits"][0]["code"], 1);
        assert_eq!(report["receipts"].as_array().unwrap().iter().filter(|r| r["mechanism"] != "exact").count(), 0);
        for file in record["files"].as_array().unwrap() {
            let bytes = fs::read(run.join(file["name"].as_str().unwrap())).unwrap();
            assert_eq!(file["sha256"], evenhand::report::sha256(&bytes));
        }
        let page = fs::read(run.join("report.html")).unwrap();
        assert!(page.len() < 1 << 20);
        assert_eq!(house.evenhand(&["report", run.to_str().unwrap()]).stdout, page, "rendered again");
        let again = house.evenhand(&["--format", "json", "--quiet", "run", &format!("pipelines/{pipeline}.toml")]);
        assert!(again.stderr.is_empty(), "{}", text(&again.stderr));
        let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
        assert_eq!((&summary["outcome"], &summary["exit_code"]), (&Value::from("FAIL"), &Value::from(1)));
        let runs = house.runs(pipeline);
        assert_eq!(runs.len(), 2);
        assert_eq!(fs::read(runs[0].join("report.json")).unwrap(), fs::read(runs[1].join("report.json")).unwrap());
        assert_eq!(json(&runs[1].join("run.json"))["previous"]["outcome"], "FAIL");
    }
}

/// The file that leaves the house is read back: every class is as large and as diverse as was demanded, and no identifier of any row is
/// anywhere in what the run wrote or said.
#[test]
fn the_clinic_hands_out_a_file_that_keeps_its_criteria() {
    let house = House::new();
    let out = house.evenhand(&["run", "pipelines/clinic-deid.toml"]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.starts_with("PASS  clinic-deid: "), "{stdout}");
    let run = house.runs("clinic-deid").remove(0);
    let (report, record) = (json(&run.join("report.json")), json(&run.join("run.json")));
    assert_eq!(record["passes_planned"], record["passes_run"]);
    let mut classes = std::collections::BTreeMap::<Vec<String>, Vec<String>>::new();
    let mut file = csv::Reader::from_path(run.join("clinic-deid.csv")).unwrap();
    let header: Vec<String> = file.headers().unwrap().iter().map(String::from).collect();
    let known = ["admitted", "age", "job", "postcode", "sex"];
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    assert_eq!(header.len(), known.len() + 3, "{header:?}");
    for row in file.records().map(Result::unwrap) {
        let class = known.map(|name| row[at(name)].to_owned()).to_vec();
        classes.entry(class).or_default().push(row[at("diagnosis")].to_owned());
    }
    let rows: usize = classes.values().map(Vec::len).sum();
    let least = classes.values().map(Vec::len).min().unwrap();
    let diagnoses = |class: &Vec<String>| class.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!(least >= 5 && classes.values().all(|class| diagnoses(class) >= 2) && rows >= 2850, "{least} {rows}");
    let after = &report["coarsening"]["after"];
    assert_eq!((after["class_min"].as_u64(), after["rows"].as_u64()), (Some(least as u64), Some(rows as u64)));
    assert_eq!(after["classes"].as_u64(), Some(classes.len() as u64));
    assert!(report["coarsening"]["before"]["uniques"].as_f64() > Some(0.5), "{}", report["coarsening"]["before"]);
    let files = ["clinic-deid.csv", "codebook.json", "report.html", "report.json", "run.json", "evidence/findings.csv"];
    let mut said: Vec<String> = files.iter().map(|file| fs::read_to_string(run.join(file)).unwrap()).collect();
    said.extend([stdout, stderr, text(&fs::read(house.path().join("reports/evenhand.db")).unwrap())]);
    let mut source = csv::Reader::from_path(house.path().join("pipelines/data/clinic.csv")).unwrap();
    let planted: Vec<String> =
        source.records().flat_map(|row| row.unwrap().iter().take(4).map(String::from).collect::<Vec<_>>()).collect();
    assert_eq!(planted.len(), 12_000);
    for text in &said {
        // A postcode and a day of admission: what was learned to coarsen them is not told either.
        assert!(!text.contains("20163") && !text.contains("2025-05-06"));
        for identifier in &planted {
            assert!(!text.contains(identifier.as_str()), "{identifier}");
        }
    }
}

/// A grant for two runs: the third is refused, and leaves no folder. The public edition tells nothing that the internal one tells.
#[test]
fn a_private_pipeline_spends_what_is_granted_and_no_more() {
    let house = House::new();
    let pipeline = "pipelines/lending-dp.toml";
    let run = || house.evenhand(&["run", pipeline]);
    let without = run();
    assert_eq!(without.status.code(), Some(4), "{}", text(&without.stderr));
    assert!(text(&without.stderr).contains("evenhand budget grant"), "{}", text(&without.stderr));
    // Two runs cost 5.6 at this delta, three 7.0.
    let granted = house.evenhand(&["budget", "grant", pipeline, "--epsilon", "6", "--delta", "1e-6"]);
    assert_eq!(granted.status.code(), Some(0), "{}", text(&granted.stderr));
    let codes: Vec<Option<i32>> = (0..4).map(|_| run().status.code()).collect();
    assert_eq!(codes, [Some(1), Some(1), Some(4), Some(4)]);
    let refused = run();
    assert!(refused.stdout.is_empty() && !text(&refused.stderr).contains("pass 1"), "{}", text(&refused.stderr));
    let (public, internal) = (house.runs("lending-dp"), house.runs("lending-dp.internal"));
    assert_eq!((public.len(), internal.len()), (2, 2));
    let (open, closed) = (json(&public[1].join("run.json")), json(&internal[1].join("run.json")));
    assert_eq!((&open["edition"], &closed["edition"]), (&Value::from("public"), &Value::from("internal")));
    assert_eq!(open["started_at"], open["finished_at"]);
    for key in ["inputs", "usage"] {
        assert!(open[key].as_array().unwrap().is_empty() && !closed[key].as_array().unwrap().is_empty(), "{key}");
    }
    assert!(open.get("commitment_salt").is_none() && open.get("price").is_none());
    let salt = closed["commitment_salt"].as_str().unwrap();
    let salt: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&salt[2 * at..2 * at + 2], 16).unwrap()).collect();
    let digest = closed["inputs"][0]["sha256"].as_str().unwrap();
    let commitment = evenhand::report::sha256(&[&salt[..], digest.as_bytes()].concat());
    assert_eq!(
        (open["commitment_sha256"].as_str(), closed["commitment_sha256"].as_str()),
        (Some(&*commitment), Some(&*commitment))
    );
    // Nobody is named, the source's size, digest and folder are not told, and the exact counts are nowhere.
    let exact = {
        let toml = fs::read_to_string(house.path().join(pipeline)).unwrap();
        let head = toml.find("[privacy]").unwrap();
        let tail = head + toml[head..].find("[train]").unwrap();
        fs::write(house.path().join("pipelines/open.toml"), toml[..head].replace("lending-dp", "open") + &toml[tail..])
            .unwrap();
        let ran = house.evenhand(&["run", "pipelines/open.toml"]);
        assert_eq!(ran.status.code(), Some(1), "{}", text(&ran.stderr));
        json(&house.runs("open")[0].join("report.json"))
    };
    let secret: Vec<String> = vec![digest.into(), salt.iter().map(|byte| format!("{byte:02x}")).collect()];
    let rows = exact["data"]["rows_read"].to_string();
    for folder in &public {
        let mut files = vec![folder.clone()];
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let content = text(&fs::read(&path).unwrap());
            for word in secret.iter().chain([&"P000001".to_string(), &"P003999".to_string()]) {
                assert!(!content.contains(word.as_str()), "{} holds {word}", path.display());
            }
            // As a number of its own: digits within another number are chance.
            let mut numbers = content.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ',')));
            assert!(numbers.all(|number| number.replace(',', "") != rows), "{} holds {rows}", path.display());
        }
    }
    let shown = house.evenhand(&["budget", "show", pipeline]);
    assert!(text(&shown.stdout).contains("entries: 2"), "{}", text(&shown.stdout));
    assert_eq!(house.evenhand(&["budget", "verify", pipeline]).status.code(), Some(0));
}

/// The dataset is in the run folder with its codebook, nobody is named in any file, and without the key no row is read.
#[test]
fn a_dataset_is_written_with_its_codebook_or_not_at_all() {
    let house = House::new();
    let rules = "[deidentify]\noutput = \"people.parquet\"\n[deidentify.columns]\nsex = { do = \"keep\" }\n\
        name = { do = \"pseudonym\", key_env = \"HOUSE_KEY\" }\nborn = { do = \"generalise\", date = \"year\" }\nhired = { do = \"keep\" }\n";
    let spec =
        format!("{HIRING}name = {{ roles = [\"identifier\"] }}\nborn = {{ roles = [\"quasi-identifier\"] }}\n{rules}");
    let rows = |i: u32| {
        format!("{},{},planted-{i},19{:02}-0{}-11\n", ["f", "m"][i as usize % 2], i % 3 / 2, i % 50 + 50, i % 9 + 1)
    };
    let data = String::from("sex,hired,name,born\n") + &(0..400).map(rows).collect::<String>();
    let refused = house.try_out("people", data.as_bytes(), &spec);
    assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
    assert!(
        text(&refused.stderr).contains("HOUSE_KEY") && !text(&refused.stderr).contains("pass 1"),
        "{}",
        text(&refused.stderr)
    );
    assert!(house.runs("people").is_empty());
    let ran = house.command(&["run", "pipelines/people.toml"]).env("HOUSE_KEY", "k".repeat(32)).output().unwrap();
    assert_eq!(ran.status.code(), Some(4), "no criterion: {}", text(&ran.stderr));
    let run = house.runs("people").remove(0);
    let record = json(&run.join("run.json"));
    assert_eq!((&record["passes_planned"], &record["passes_run"]), (&Value::from(2), &Value::from(2)));
    for file in record["files"].as_array().unwrap() {
        let bytes = fs::read(run.join(file["name"].as_str().unwrap())).unwrap();
        assert_eq!(file["sha256"], evenhand::report::sha256(&bytes), "{file}");
        assert!(!text(&bytes).contains("planted-"), "{file}");
    }
    let names: Vec<&str> =
        record["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"people.parquet") && names.contains(&"codebook.json"), "{names:?}");
    assert!(!text(&fs::read(run.join("report.html")).unwrap()).contains("planted-"));
    let left = fs::read_dir(house.path().join("reports/people")).unwrap().flatten();
    assert!(left.filter(|entry| entry.file_name().to_string_lossy().contains("partial")).count() == 0);
}

#[test]
fn every_exit_code_has_its_case() {
    let house = House::new();
    let code = |name: &str, data: Vec<u8>, spec: &str, extra: &[&str]| {
        house.try_out(name, &data, spec);
        let path = format!("pipelines/{name}.toml");
        let out = house.evenhand(&[&["run", path.as_str()], extra].concat());
        (out.status.code().unwrap(), text(&out.stdout) + &text(&out.stderr))
    };
    let (even, uneven, few) =
        (hiring((500, 1000), (500, 1000)), hiring((300, 1000), (600, 1000)), hiring((5, 10), (5, 10)));
    for (name, data, spec, extra, expected, words) in [
        ("pass", even.clone(), gate(0.8, "deny"), &[][..], 0, "PASS"),
        ("warn", uneven.clone(), gate(0.8, "warn"), &[], 0, "WARN"),
        ("warn-fails", uneven.clone(), gate(0.8, "warn"), &["--fail-on", "warn"], 1, "WARN"),
        ("fail", uneven.clone(), gate(0.8, "deny"), &[], 1, "FAIL"),
        ("fail-zero", uneven.clone(), gate(0.8, "deny"), &["--exit-zero"], 0, "FAIL"),
        ("few", few.clone(), gate(0.8, "deny"), &[], 4, "INCONCLUSIVE"),
        ("nothing-judged", even.clone(), HIRING.to_string(), &[], 4, "INCONCLUSIVE"),
        ("contract", even.clone(), format!("{HIRING}[contract]\nrows_min = 5000\n"), &[], 3, "contract"),
        ("typo", even.clone(), format!("{HIRING}[measure]\nconfidense = 0.9\n"), &[], 2, "did you mean"),
    ] {
        let (found, said) = code(name, data, &spec, extra);
        assert_eq!(found, expected, "{name}: {said}");
        assert!(said.contains(words), "{name}: {said}");
    }
    let held = evenhand::world::lock(&house.path().join("reports/pass")).unwrap().unwrap();
    assert_eq!(house.evenhand(&["run", "pipelines/pass.toml"]).status.code(), Some(75));
    drop(held);
    assert_eq!(house.evenhand(&["run", "pipelines/pass.toml"]).status.code(), Some(0));
    assert_eq!(house.evenhand(&["run", "nowhere.toml"]).status.code(), Some(2));
}

#[test]
fn bad_data_gets_a_clear_word_and_leaves_what_is_there() {
    let house = House::new();
    assert_eq!(house.try_out("good", &hiring((50, 100), (50, 100)), &gate(0.5, "deny")).status.code(), Some(0));
    let good = house.runs("good");
    let wide = format!("sex,hired\n{},1\n", "x".repeat(70 << 20)).into_bytes();
    let open_quote = [b"sex,hired\nf,1\n\"".to_vec(), vec![b'y'; 70 << 20]].concat();
    for (name, data, part) in [
        ("empty", Vec::new(), "empty"),
        ("header-only", b"sex,hired\n".to_vec(), "no row"),
        ("ragged", b"sex,hired\nf,1\nm,1,1\n".to_vec(), "line 3"),
        ("delimiter", b"sex;hired\nf;1\nm;0\n".to_vec(), "write delimiter = \";\""),
        ("binary", (0u8..=255).cycle().take(4096).collect(), "binary.csv"),
        ("twice", b"sex,sex,hired\nf,f,1\n".to_vec(), "twice"),
        ("latin", b"sex,hired\nf,1\nm\xe9,0\n".to_vec(), "UTF-8"),
        ("long-field", wide, "bytes"),
        ("open-quote", open_quote, "quote"),
    ] {
        let out = house.try_out(name, &data, &gate(0.8, "deny"));
        let said = text(&out.stderr) + &text(&out.stdout);
        let code = out.status.code().unwrap_or(-1);
        assert!(matches!(code, 2..=4), "{name}: exit {code}: {said}");
        assert!(said.contains(part), "{name}: {said}");
        assert!(!said.contains("panicked"), "{name}: {said}");
    }
    let unreadable = house.path().join("pipelines/data/good.csv");
    fs::remove_file(&unreadable).unwrap();
    fs::create_dir(&unreadable).unwrap();
    assert!(matches!(house.evenhand(&["run", "pipelines/good.toml"]).status.code(), Some(2 | 3)));
    assert_eq!(house.runs("good"), good, "the old run is as it was");
}

#[test]
fn a_run_that_is_killed_leaves_no_half_folder_behind_the_next() {
    let house = House::new();
    for i in 0..25 {
        let mut child =
            house.command(&["--quiet", "run", "pipelines/lending.toml"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 * i));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let out = house.evenhand(&["run", "pipelines/lending.toml"]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let runs = house.runs("lending");
    for run in &runs {
        assert!(!run.file_name().unwrap().to_string_lossy().starts_with('.'), "{}", run.display());
        for file in ["report.html", "report.json", "run.json", "model.json", "evidence/findings.csv"] {
            assert!(run.join(file).metadata().unwrap().len() > 0, "{} {file}", run.display());
        }
    }
}

#[test]
fn a_full_disk_ends_the_run_and_keeps_the_old_folders() {
    let house = House::new();
    assert_eq!(house.evenhand(&["run", "pipelines/hiring.toml"]).status.code(), Some(1));
    let before = house.runs("hiring");
    // No file may outgrow 100 blocks of 512 bytes: report.json does.
    let run = format!("ulimit -f 100; trap '' XFSZ; exec {} run pipelines/hiring.toml", env!("CARGO_BIN_EXE_evenhand"));
    let out = Command::new("sh").args(["-c", &run]).current_dir(house.path()).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", text(&out.stderr));
    let names: Vec<String> = fs::read_dir(house.path().join("reports/hiring"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!names.iter().any(|name| name.starts_with(".partial")), "{names:?}");
    assert_eq!(house.runs("hiring"), before);
}

#[test]
fn a_newcomer_gets_from_a_file_to_a_report() {
    let Some(data) = std::env::var_os("EVENHAND_REFERENCE_DATA") else {
        eprintln!("EVENHAND_REFERENCE_DATA is not set: 1 test was not run");
        return;
    };
    let house = House::new();
    let adult = Path::new(&data).join("data/adult/adult.csv");
    let out = house.evenhand(&["init", adult.to_str().unwrap(), "--out", "pipelines/adult.toml"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let path = house.path().join("pipelines/adult.toml");
    let draft = fs::read_to_string(&path).unwrap();
    assert!(draft.contains("# check"));
    assert_eq!(
        house.evenhand(&["check", "pipelines/adult.toml"]).status.code(),
        Some(2),
        "the positive label is missing"
    );
    let filled = draft.replacen("# positive = \">50K\"  #", "positive = \">50K\"  #", 1).replacen(
        "owner = \"\"",
        "owner = \"me\"",
        1,
    );
    assert_ne!(filled, draft);
    fs::write(&path, filled).unwrap();
    let checked = house.evenhand(&["check", "pipelines/adult.toml"]);
    assert_eq!(checked.status.code(), Some(0), "{}{}", text(&checked.stdout), text(&checked.stderr));
    assert_eq!(house.evenhand(&["plan", "pipelines/adult.toml"]).status.code(), Some(0));
    let out = house.evenhand(&["run", "pipelines/adult.toml"]);
    assert!(matches!(out.status.code(), Some(0 | 1 | 4)), "{}", text(&out.stderr));
    assert_eq!(house.runs("adult").len(), 1);
}

#[test]
fn the_other_verbs_answer() {
    let house = House::new();
    let shipped = fs::read(house.path().join("pipelines/data/hiring.csv")).unwrap();
    assert_eq!(house.evenhand(&["demo-data", "hiring", "--rows", "3500", "--seed", "1"]).stdout, shipped);
    let facts = text(&house.evenhand(&["demo-data", "lending", "--facts"]).stdout);
    assert_eq!(facts.lines().count(), 5, "{facts}");
    for (arguments, part) in [
        (vec!["metrics"], "selection-rate"),
        (vec!["schema"], "json-schema.org"),
        (vec!["doctor"], ""),
        (vec!["completions", "bash"], "evenhand"),
        (vec!["plan", "pipelines/lending.toml"], "Passes over the rows: 5"),
        (vec!["check", "pipelines/TEMPLATE.toml"], ""),
    ] {
        let out = house.evenhand(&arguments);
        assert_eq!(out.status.code(), Some(0), "{arguments:?}: {}{}", text(&out.stdout), text(&out.stderr));
        assert!(text(&out.stdout).contains(part), "{arguments:?}: {}", text(&out.stdout));
    }
}
