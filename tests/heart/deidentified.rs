//! Identifiers planted in columns of every kind appear in no dataset, no codebook and no error; what must stay joinable does.

use std::path::Path;

use evenhand::engine::rows;
use evenhand::plan::spec::Spec;
use evenhand::plan::{Learned, Plan, expression};
use evenhand::run::artefact::Artefact;
use evenhand::world::Entropy;

const PIPELINE: &str = r#"
[pipeline]
name = "clinic"
[ingest]
path = "rows.csv"
where = "age >= 18"
[derive]
decade = "CASE WHEN age < 40 THEN 'under 40' ELSE '40 and over' END"
[schema]
name = { roles = ["identifier"] }
ssn = { roles = ["identifier"] }
email = { roles = ["identifier"] }
phone = { roles = ["identifier"] }
account = { roles = ["identifier"] }
zip = {}
age = { bounds = [0, 120] }
birth = {}
visit = {}
income = { as = "number" }
icd = {}
note = {}
member = { as = "truth" }
decade = {}
[deidentify]
output = "out.csv"
[deidentify.columns]
name = { do = "drop" }
ssn = { do = "mask" }
email = { do = "pseudonym", domain = "patient", key_file = "key" }
phone = { do = "mask", pattern = "***-****" }
account = { do = "format-preserving", alphabet = "0123456789", key_file = "key" }
zip = { do = "generalise", digits = 3, restricted = ["036"] }
age = { do = "top-code", at = 90 }
birth = { do = "generalise", date = "year" }
visit = { do = "date-shift", days_max = 180, unit = "ssn", key_file = "key" }
income = { do = "generalise", width = 10000 }
icd = { do = "generalise", hierarchy = "icd.csv", level = 1 }
note = { do = "redact" }
member = { do = "keep" }
decade = { do = "keep" }
"#;

/// What must appear nowhere: of every row, and in every place a value can be wrong.
const PLANTED: [&str; 12] = [
    "Zacharias",
    "Quimby",
    "987-65-4320",
    "zq@example.org",
    "555-0173",
    "4111222233334444",
    "03687",
    "1931-07-19",
    "2024-05-17",
    "98765",
    "C50.911",
    "sickle",
];

const KEY: &str = "this key is thirty-two bytes long";

fn folder(rows: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let header = "name,ssn,email,phone,account,zip,age,birth,visit,income,icd,note,member\n";
    for (name, text) in [
        ("rows.csv", format!("{header}{rows}")),
        ("key", KEY.into()),
        ("icd.csv", "C50.911;neoplasm\nJ10;lung\n".into()),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn plan(folder: &Path, pipeline: &str) -> Plan {
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let source = evenhand::plan::source(&spec, folder, &|path| evenhand::ingest::paths::expand(path)).unwrap();
    Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap()
}

/// The dataset and the codebook, or the error.
fn written(folder: &Path, pipeline: &str) -> Result<(String, String), String> {
    let (plan, place) = (plan(folder, pipeline), folder.join("out.csv"));
    let _ = std::fs::remove_file(&place);
    let write = || {
        let artefact = Artefact::open((&plan.spec, &plan.scan), folder, Entropy::Fixed(1))?.expect("a dataset");
        artefact.write(&place, 2, &|_| {})
    };
    let codebook = write().map_err(|e| e.to_string())?;
    Ok((std::fs::read_to_string(&place).unwrap(), serde_json::to_string_pretty(&codebook).unwrap()))
}

fn clean(text: &str) {
    for planted in PLANTED.iter().chain([&KEY]) {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
}

const ROW: &str = "Zacharias Quimby,987-65-4320,zq@example.org,555-0173,4111222233334444,03687,93,1931-07-19,2024-05-17,98765,C50.911,sickle cell,yes\n";

#[test]
fn planted_identifiers_appear_nowhere() {
    let other =
        "Ann,111-22-3333,zq@example.org,555-9999,4111222233335555,10001,30,1990-01-01,2024-01-01,20000,J10,,no\n";
    let child = ROW.replace(",93,", ",12,");
    let place = folder(&format!("{ROW}{other}{child}"));
    let (file, codebook) = written(place.path(), PIPELINE).unwrap();
    [&file, &codebook].into_iter().for_each(|text| clean(text));
    let mut lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.remove(0), "account,age,birth,decade,email,icd,income,member,note,phone,ssn,visit,zip");
    assert_eq!(lines.len(), 2, "the filter keeps two");
    let fields: Vec<Vec<&str>> = lines.iter().map(|line| line.split(',').collect()).collect();
    assert_eq!(fields[0][4], fields[1][4], "equal addresses have equal pseudonyms");
    let old = fields.iter().find(|row| row[1] == "90").expect("the age is coded");
    // An interval holds a comma: it is in quotes.
    assert!(file.contains("\"[90000, 100000)\""));
    assert_eq!((old[2], old[3], old[5]), ("1931", "40 and over", "neoplasm"));
    assert!(file.contains("***-**-****") && file.contains("***-****") && file.contains(",000"));
    let codebook: serde_json::Value = serde_json::from_str(&codebook).unwrap();
    assert_eq!(codebook["rows_written"], 2);
    assert_eq!(codebook["left_out"], serde_json::json!(["name"]));
    let entry = |name: &str| codebook["columns"].as_array().unwrap().iter().find(|of| of["name"] == name).unwrap();
    assert_eq!(entry("email")["parameters"], serde_json::json!({ "domain": "patient" }));
    assert_eq!((&entry("age")["changed_share"], &entry("member")["changed_share"]), (&0.5.into(), &0.0.into()));
    assert!(!place.path().join(".partial-out.csv").exists());
}

/// Values in the wrong column: whatever a transformation is not for is removed.
#[test]
fn values_of_another_form_are_removed() {
    let swapped = "x,y,z,Zacharias Quimby,4111222233334444 Quimby,Quimby,40,born 1931-07-19,2024-05-17 Zacharias,98765,Quimby,sickle,yes\n";
    let place = folder(swapped);
    let (file, codebook) = written(place.path(), PIPELINE).unwrap();
    [&file, &codebook].into_iter().for_each(|text| clean(text));
    let codebook: serde_json::Value = serde_json::from_str(&codebook).unwrap();
    for column in codebook["columns"].as_array().unwrap() {
        let of = column["name"].as_str().unwrap();
        let refused = ["account", "birth", "icd", "phone", "visit", "zip"].contains(&of);
        assert_eq!(
            column["refused_share"].as_f64(),
            if of == "note" { Some(0.0) } else { Some(f64::from(u8::from(refused))) },
            "{of}"
        );
    }
}

#[test]
fn no_error_holds_a_value_or_a_key() {
    let place = folder(ROW);
    let write = |name: &str, text: &str| std::fs::write(place.path().join(name), text).unwrap();
    let failed = |pipeline: &str| {
        let error = written(place.path(), pipeline).expect_err("an error");
        clean(&error);
        assert!(!place.path().join("out.csv").exists() && !place.path().join(".partial-out.csv").exists());
        error
    };
    assert!(failed(&PIPELINE.replace("key_file = \"key\"", "key_file = \"nowhere\"")).contains("no key"));
    let parquet = PIPELINE.replace("out.csv", "out.parquet");
    if cfg!(not(feature = "polars")) {
        assert!(failed(&parquet).contains("writes CSV only"));
    }
    write("icd.csv", "C50.911;a;x\nsickle;a;y\n");
    assert!(failed(PIPELINE).contains("line 2"));
    write("icd.csv", "C50.911;a\n");
    write("key", &KEY[..31]);
    assert!(failed(PIPELINE).contains("fewer than 32 bytes"));
    write("key", KEY);
    // The last record is short: reading ends with an error in the middle of the writing.
    let rows = std::fs::read_to_string(place.path().join("rows.csv")).unwrap();
    write("rows.csv", &format!("{rows}Zacharias Quimby,987-65-4320\n"));
    assert!(failed(PIPELINE).contains("line 3"));
}

/// A column that is derived is there like one that is read, rows that the filter leaves out are not, and the order is that of the source.
#[test]
fn rows_come_in_order_and_only_those_kept() {
    let rows: String = (0..9000).map(|i| ROW.replace(",93,", &format!(",{},", i % 100))).collect();
    let place = folder(&rows);
    let plan = plan(place.path(), PIPELINE);
    let (mut ages, mut batches) = (Vec::new(), 0);
    let map = |batch: &[evenhand::scalar::Vector], rows: &[u32]| {
        rows.iter().map(|row| (batch[0].get(*row as usize), batch[1].get(*row as usize))).collect::<Vec<_>>()
    };
    let mut take = |of: Vec<_>| {
        batches += 1;
        ages.extend(of);
        true
    };
    let read = rows::plain(&plan.scan, &["age".into(), "decade".into()], &map, &mut take, &|_| {}).unwrap();
    let expected: Vec<f64> = (0..9000).map(|i| f64::from(i % 100)).filter(|age| *age >= 18.0).collect();
    let number = |(age, _): &(evenhand::scalar::Value, evenhand::scalar::Value)| match age {
        evenhand::scalar::Value::Number(age) => *age,
        _ => f64::NAN,
    };
    assert_eq!((read, ages.iter().map(number).collect::<Vec<_>>()), (9000, expected));
    assert!(batches > 1 && ages[0].1 == evenhand::scalar::Value::Text("under 40".into()));
}

/// Runs that write a dataset under a model.
#[cfg(all(feature = "html", feature = "store"))]
mod coarsened {
    use super::*;
    use evenhand::engine::reference::Reference;
    use evenhand::run::{Pipeline, Progress, Request, deliver};
    use evenhand::world::Clock;

    struct Silent;

    impl Progress for Silent {
        fn pass(&self, _: &str, _: u32, _: u32) {}
        fn rows(&self) -> &(dyn Fn(u64) + Sync) {
            &|_| {}
        }
        fn done(&self, _: Option<u64>) {}
    }

    const PIPELINE: &str = r#"
        pipeline.name = "clinic"
        ingest.path = "t.csv"
        report.folder = "reports"
        [schema]
        patient.roles = ["identifier"]
        age = { roles = [], bounds = [0, 100] }
        town.roles = []
        job.roles = []
        sex = { roles = ["protected"], levels = ["f", "m"] }
        ill = { roles = ["sensitive"], levels = ["flu", "cold", "gout"] }
        seen = { roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }
        [deidentify]
        output = "clinic.csv"
        [deidentify.model]
        k_anonymity = 5
        sensitive = "ill"
        distinct_diversity = 2
        suppression_max = 0.05
        [deidentify.columns]
        age = { do = "model", widths = [5, 10, 20] }
        town = { do = "model", prefixes = [2, 1] }
        job = { do = "model", hierarchy = "job.csv" }
        sex = { do = "model" }
        ill = { do = "keep" }
    "#;

    /// 600 patients; towns and jobs are not declared, some values are missing, one age is beyond the bounds.
    fn table() -> String {
        let mut csv = String::from("patient,age,town,job,sex,ill,seen\n");
        for row in 0..600u32 {
            let age = if row == 7 { "104".into() } else { (18 + (row * row + 3 * row) % 60).to_string() };
            let town = if row % 97 == 0 { String::new() } else { format!("{:03}", 100 + (row * 13) % 40) };
            let job = ["smith", "baker", "clerk", "judge"][(row / 3 % 4) as usize];
            let (sex, ill) = (["f", "m"][(row % 2) as usize], ["flu", "cold", "gout"][(row * 5 % 7 % 3) as usize]);
            csv.push_str(&format!("P{row}Q,{age},{town},{job},{sex},{ill},{}\n", ["no", "yes"][(row % 2) as usize]));
        }
        csv
    }

    fn run(pipeline: &str) -> Result<(tempfile::TempDir, serde_json::Value, std::path::PathBuf), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("t.csv"), table()).unwrap();
        let jobs = "smith;craft\nbaker;craft\nclerk;office\njudge;office\n";
        std::fs::write(folder.path().join("job.csv"), jobs).unwrap();
        let spec: Spec = toml::from_str(pipeline).unwrap();
        let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
        let delivered = deliver(&Request {
            pipeline: Pipeline { spec: &spec, spec_sha256: "", folder: folder.path(), parse: &parse },
            engine: &Reference,
            engine_name: "reference",
            threads: 1,
            clock: Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap()),
            entropy: Entropy::Fixed(7),
            progress: &Silent,
            fail_on_warn: false,
        })
        .map_err(|e| e.to_string())?;
        assert_eq!(delivered.record.passes_planned, delivered.record.passes_run);
        let report = std::fs::read(delivered.folder.join("report.json")).unwrap();
        Ok((folder, serde_json::from_slice(&report).unwrap(), delivered.folder))
    }

    /// Rows of the file by what an outsider may know, with the sensitive values of each class.
    fn classes(file: &Path) -> std::collections::BTreeMap<Vec<String>, Vec<String>> {
        let mut reader = csv::Reader::from_path(file).unwrap();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["age", "ill", "job", "sex", "town"]);
        let mut found = std::collections::BTreeMap::<Vec<String>, Vec<String>>::new();
        for record in reader.records() {
            let record: Vec<String> = record.unwrap().iter().map(String::from).collect();
            found.entry([0, 2, 3, 4].map(|at| record[at].clone()).to_vec()).or_default().push(record[1].clone());
        }
        found
    }

    #[test]
    fn a_run_writes_a_file_that_keeps_its_criteria() {
        for search in ["lattice", "mondrian"] {
            let pipeline = match search {
                "lattice" => PIPELINE.to_string(),
                _ => PIPELINE.replace("suppression_max = 0.05", "search = \"mondrian\""),
            };
            let (_folder, report, folder) = run(&pipeline).unwrap();
            let found = classes(&folder.join("clinic.csv"));
            let coarsening = &report["coarsening"];
            let sizes: Vec<u64> = found.values().map(|class| class.len() as u64).collect();
            let (least, rows): (u64, u64) = (*sizes.iter().min().unwrap(), sizes.iter().sum());
            let distinct = |class: &Vec<String>| class.iter().collect::<std::collections::BTreeSet<_>>().len();
            assert!(least >= 5 && found.values().all(|class| distinct(class) >= 2), "{search}");
            assert_eq!(coarsening["after"]["class_min"], least, "{search}");
            assert_eq!(coarsening["after"]["class_max"], *sizes.iter().max().unwrap(), "{search}");
            assert_eq!(coarsening["after"]["classes"], found.len() as u64, "{search}");
            assert_eq!(coarsening["rows_suppressed"], 600 - rows, "{search}");
            assert!(600 - rows <= 30);
            assert_eq!(coarsening["before"]["rows"], 600);
            assert_eq!(coarsening["before"]["class_min"], 1, "the file needs coarsening");
            let codebook = std::fs::read_to_string(folder.join("codebook.json")).unwrap();
            let codebook: serde_json::Value = serde_json::from_str(&codebook).unwrap();
            assert_eq!(&codebook["model"], coarsening);
            for file in ["clinic.csv", "report.html", "report.json", "run.json", "codebook.json"] {
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                assert!(!text.contains("P7Q"), "{file}");
                assert!(!text.lines().any(|line| line.starts_with("104,")), "an age beyond the bounds");
                // Towns were learned to be counted; the file has the first two digits.
                assert!(!text.contains("\"117\"") && !text.contains(" 117,"), "{file}");
                assert!(file != "report.html" || text.contains("<h2 id=\"h-de-identification\">"), "{file}");
            }
        }
    }

    /// k-map: every class of the file has as many rows of the population, read by the names of the columns.
    #[test]
    fn classes_hide_in_a_population() {
        let pipeline = PIPELINE
            .replace("k_anonymity = 5", "k_map = 5\npopulation = \"t.csv\"")
            .replace("sensitive = \"ill\"\n        distinct_diversity = 2\n", "");
        let (_folder, report, folder) = run(&pipeline).unwrap();
        let coarsening = &report["coarsening"];
        // The population is the file itself: k-map is k-anonymity then.
        assert!(classes(&folder.join("clinic.csv")).values().all(|class| class.len() >= 5));
        assert_eq!(coarsening["after"]["journalist_max"], coarsening["after"]["prosecutor_max"]);
        let record: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(folder.join("run.json")).unwrap()).unwrap();
        assert_eq!(record["inputs"].as_array().unwrap().len(), 2);
        assert!(std::fs::read_to_string(folder.join("report.html")).unwrap().contains("(journalist)"));
        let error = run(&pipeline.replace("population = \"t.csv\"", "population = \"nowhere.csv\"")).unwrap_err();
        assert!(error.contains("deidentify.model.population"), "{error}");
    }

    #[test]
    fn what_cannot_be_reached_writes_nothing() {
        let error = run(&PIPELINE.replace("k_anonymity = 5", "k_anonymity = 601")).unwrap_err();
        assert!(error.contains("no combination of levels satisfies the criteria"), "{error}");
        let error = run(&PIPELINE.replace("\"job.csv\"", "\"nowhere.csv\"")).unwrap_err();
        assert!(error.contains("the hierarchy file is not there"), "{error}");
        let private = PIPELINE.replace("[schema]", "privacy = { population = \"people\", epsilon = 1.0 }\n[schema]");
        let error = run(&private).unwrap_err();
        assert!(error.contains("nothing is decided by counts without noise"), "{error}");
    }
}

/// Records that are randomised one by one: what one tells is bounded, and what many tell is undone.
mod randomised {
    use super::*;
    use evenhand::measure::privacy::two_worlds::{Claim, Draws, Range, Verdict, audit};

    const PIPELINE: &str = r#"
        pipeline.name = "local"
        ingest.path = "rows.csv"
        [schema]
        icd = { roles = [], levels = ["a", "b", "c"] }
        income = { roles = [], bounds = [0, 100] }
        member = { roles = [], as = "truth", levels = ["false", "true"] }
        [deidentify]
        output = "out.csv"
        shuffle = false
        columns.icd = { do = "randomise", epsilon = 1.0 }
        columns.income = { do = "randomise", epsilon = 0.5, to = 10 }
        columns.member = { do = "randomise", epsilon = 2.0 }
    "#;

    /// The file and its codebook, of rows `icd,income,member`.
    fn drawn(rows: &str) -> (Vec<[String; 3]>, serde_json::Value) {
        let place = folder("");
        std::fs::write(place.path().join("rows.csv"), format!("icd,income,member\n{rows}")).unwrap();
        let (file, codebook) = written(place.path(), PIPELINE).unwrap();
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["icd", "income", "member"]);
        let row = |row: Result<csv::StringRecord, _>| {
            let row = row.unwrap();
            [0, 1, 2].map(|at| row[at].to_owned())
        };
        (reader.records().map(row).collect(), serde_json::from_str(&codebook).unwrap())
    }

    const ROWS: usize = 40_000;

    /// 40,000 rows: a 0.5, b 0.3, c 0.1, missing 0.1; incomes 20 and 80 in equal parts. Five standard deviations: a false alarm has a chance below
    /// 6e-7 for each of the five figures.
    #[test]
    fn what_many_records_tell_is_undone() {
        let icd = |row: usize| match row % 10 {
            0..=4 => "a",
            5..=7 => "b",
            8 => "c",
            _ => "",
        };
        let rows: String =
            (0..ROWS).map(|row| format!("{},{},{}\n", icd(row), [20, 80][row % 2], row % 4 == 0)).collect();
        let (found, codebook) = drawn(&rows);
        assert_eq!(found.len(), ROWS);
        assert_eq!(codebook["epsilon_of_a_row"], 3.5);
        let of = |name: &str| codebook["columns"].as_array().unwrap().iter().find(|of| of["name"] == name).unwrap();
        let n = ROWS as f64;
        let chances = |name: &str| {
            let undoing = &of(name)["undoing"];
            (undoing["own"].as_f64().unwrap(), undoing["other"].as_f64().unwrap())
        };
        let (own, other) = chances("icd");
        assert!((own / other - 1f64.exp()).abs() < 1e-9 && (own + 3.0 * other - 1.0).abs() < 1e-12);
        for (level, share) in [("a", 0.5), ("b", 0.3), ("c", 0.1), ("", 0.1)] {
            let written = found.iter().filter(|row| row[0] == level).count() as f64;
            let undone = (written / n - other) / (own - other);
            let variance = (share * own * (1.0 - own) + (1.0 - share) * other * (1.0 - other)) / n;
            assert!((undone - share).abs() < 5.0 * variance.sqrt() / (own - other), "{level}: {undone}");
        }
        let incomes: Vec<f64> = found.iter().map(|row| row[1].parse().unwrap()).collect();
        let mean = incomes.iter().sum::<f64>() / n;
        let noise = of("income")["undoing"]["variance"].as_f64().unwrap();
        // Scale 10 / 0.5 = 20 steps of 10.
        assert!((noise / 100.0 - 2.0 * 20.0 * 20.0).abs() < 1.0, "{noise}");
        assert!((mean - 50.0).abs() < 5.0 * ((noise + 900.0) / n).sqrt(), "{mean}");
        assert!(incomes.iter().all(|x| x % 10.0 == 0.0) && incomes.iter().any(|x| *x < 0.0 || *x > 100.0));
        // How many values there were, or changed, would tell of the rows.
        for name in ["icd", "income", "member"] {
            assert!(of(name)["changed_share"].is_null() && of(name)["refused_share"].is_null());
        }
    }

    /// The claim is not falsified, and half of it is: by two files whose rows differ as much as rows can.
    #[test]
    fn one_record_tells_no_more_than_its_epsilon() {
        let world = |row: &str| drawn(&format!("{row}\n").repeat(ROWS)).0;
        let (one, other) = (world("a,0,true"), world(",100,false"));
        let code = |text: &str| match text {
            "" => 3,
            text => i64::from(text.as_bytes()[0] - b'a'),
        };
        let verdict = |column: usize, epsilon: f64, of: &dyn Fn(&str) -> i64| {
            let draws =
                |rows: &Vec<[String; 3]>| Draws::of(&rows.iter().map(|row| of(&row[column])).collect::<Vec<_>>());
            let (a, b) = (draws(&one), draws(&other));
            audit(&a, &b, Claim { epsilon, delta: 0.0 }, Range::new(0, 10), 1.0 - 1e-7)
        };
        let income = |text: &str| (text.parse::<f64>().unwrap() / 10.0) as i64;
        let truth = |text: &str| i64::from(text == "true");
        for (column, epsilon, of) in [(0, 1.0, &code as &dyn Fn(&str) -> i64), (1, 0.5, &income), (2, 2.0, &truth)] {
            assert!(matches!(verdict(column, epsilon, of), Verdict::NotFalsified { .. }), "column {column}");
            assert!(matches!(verdict(column, 0.5 * epsilon, of), Verdict::ClaimFalsified { .. }), "column {column}");
        }
    }

    #[test]
    fn without_a_declared_domain_nothing_is_written() {
        let place = folder("");
        std::fs::write(place.path().join("rows.csv"), "icd,income,member\na,1,true\n").unwrap();
        let refused = |from: &str, to: &str| written(place.path(), &PIPELINE.replace(from, to)).unwrap_err();
        assert!(refused(", levels = [\"a\", \"b\", \"c\"]", "").contains("levels or bounds that are declared"));
        assert!(refused(", to = 10", "").contains("the step of the grid"));
        assert!(refused("epsilon = 1.0", "epsilon = 0.0").contains("more than 0"));
        assert!(refused("epsilon = 1.0", "epsilon = 41.0").contains("at most 40"));
    }
}

/// Numbers written as means of groups: every pair of means stands in k rows or more, and sums stay.
#[test]
fn rows_that_are_alike_are_written_as_their_mean() {
    let pipeline = r#"
        pipeline.name = "groups"
        ingest.path = "rows.csv"
        ingest.where = "icd <> 'x'"
        [schema]
        icd = { roles = [] }
        age = { roles = [], bounds = [0, 120] }
        income = { roles = [], as = "number" }
        [deidentify]
        output = "out.csv"
        shuffle = false
        columns.icd = { do = "keep" }
        columns.age = { do = "microaggregate", k = 4 }
        columns.income = { do = "microaggregate", k = 4 }
    "#;
    let place = folder("");
    let row = |row: u32| {
        let (icd, income) = (
            if row % 10 == 3 { "x" } else { "a" },
            if row == 25 { String::new() } else { (row * 997 % 5000).to_string() },
        );
        format!("{icd},{},{income}\n", 20 + row * row % 60)
    };
    std::fs::write(place.path().join("rows.csv"), format!("icd,age,income\n{}", (0..101).map(row).collect::<String>()))
        .unwrap();
    let (file, codebook) = written(place.path(), pipeline).unwrap();
    let mut reader = csv::Reader::from_reader(file.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), ["age", "icd", "income"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 91);
    let mut groups = std::collections::BTreeMap::<(String, String), usize>::new();
    rows.iter().for_each(|row| *groups.entry((row[0].to_owned(), row[2].to_owned())).or_default() += 1);
    assert_eq!(groups.remove(&(String::new(), String::new())), Some(1), "an income is missing: the row is in no group");
    assert!(groups.values().all(|rows| (4..8).contains(rows)) && groups.len() > 10, "{groups:?}");
    let kept = (0..101u32).filter(|row| row % 10 != 3 && *row != 25);
    let (ages, incomes) = kept.fold((0, 0), |(a, i), row| (a + 20 + row * row % 60, i + row * 997 % 5000));
    let sum = |at: usize| rows.iter().filter_map(|row| row[at].parse::<f64>().ok()).sum::<f64>();
    assert!((sum(0) - f64::from(ages)).abs() < 1e-6 && (sum(2) - f64::from(incomes)).abs() < 1e-6);
    assert!(codebook.contains("MDAV"));
    let few = written(place.path(), &pipeline.replace("k = 4", "k = 400")).unwrap_err();
    assert!(few.contains("at least k rows"), "{few}");
}
