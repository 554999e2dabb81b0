//! Rules opened and applied to batches; every window keeps its rows; files of hierarchies that split are refused.

use proptest::prelude::*;
use rand::SeedableRng;

use super::*;
use crate::plan::spec::DatePart;

fn kinds(name: &str) -> Option<Kind> {
    match name {
        "age" | "income" => Some(Kind::Number),
        "gone" => None,
        _ => Some(Kind::Text),
    }
}

fn text(values: &[Option<&str>]) -> Vector {
    Vector::of(values.iter().map(|value| value.map_or(Value::Null, |text| Value::Text(text.into()))))
}

fn number(values: &[f64]) -> Vector {
    Vector::Number(values.to_vec())
}

fn spec(columns: &[(&str, ColumnRule)]) -> Deidentify {
    let columns = columns.iter().map(|(name, rule)| (name.to_string(), rule.clone())).collect();
    Deidentify { profile: None, output: "out.csv".into(), shuffle: false, model: None, columns }
}

fn open(spec: &Deidentify, folder: &Path) -> Result<Deidentifier, DeidentifyError> {
    Deidentifier::open(spec, &kinds, folder, &mut || Ok(ChaCha20Rng::seed_from_u64(1)), &|_, _| Err("none".into()))
}

fn written(deidentifier: &Deidentifier, batch: &[Vector], rows: &[u32]) -> (String, Counts) {
    let (columns, counts) = deidentifier.apply(batch, rows);
    let mut bytes = Vec::new();
    let mut file = Delimited::new(&mut bytes, &deidentifier.columns()).unwrap();
    file.write(&columns, (counts.rows - counts.rows_suppressed) as usize).unwrap();
    file.finish().unwrap();
    (String::from_utf8(bytes).unwrap(), counts)
}

#[test]
fn a_batch_by_every_rule_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("icd.csv"), "C50;C;tumour\nC51;C;tumour\nJ10;J;lung\n").unwrap();
    let rule = ColumnRule::new;
    let spec = spec(&[
        ("age", ColumnRule { at: Some(90.0), ..rule(Do::TopCode) }),
        ("birth", ColumnRule { date: Some(DatePart::Year), ..rule(Do::Generalise) }),
        ("icd", ColumnRule { hierarchy: Some("icd.csv".into()), level: Some(1), ..rule(Do::Generalise) }),
        ("income", ColumnRule { to: Some(1000.0), ..rule(Do::Round) }),
        ("name", rule(Do::Drop)),
        ("note", rule(Do::Redact)),
        ("zip", ColumnRule { digits: Some(3), restricted: Some(vec!["036".into()]), ..rule(Do::Generalise) }),
    ]);
    let of = open(&spec, folder.path()).unwrap();
    assert_eq!(
        of.reads().iter().map(|name| &**name).collect::<Vec<_>>(),
        ["age", "birth", "icd", "income", "note", "zip"]
    );
    let batch = [
        number(&[95.0, 30.0, f64::NAN, 40.0]),
        text(&[Some("1930-05-06"), Some("someday"), None, Some("1980-01-01")]),
        text(&[Some("C50"), Some("Z99"), Some("J10"), Some("C51")]),
        number(&[1499.0, 2000.0, 10.0, 20.0]),
        text(&[Some("Ann Lee"), None, None, None]),
        text(&[Some("03601"), Some("10001"), Some("x"), Some("10002")]),
    ];
    // The last row is not kept.
    let (file, counts) = written(&of, &batch, &[0, 1, 2]);
    assert_eq!(file, "age,birth,icd,income,note,zip\n90,1930,C,1000,,000\n30,,,2000,,100\n,,J,0,,\n");
    assert_eq!(counts.columns, [[2, 1, 0], [2, 2, 1], [3, 3, 1], [3, 2, 0], [1, 1, 0], [3, 3, 1]]);
    assert_eq!((counts.rows, counts.rows_suppressed), (3, 0));
}

/// What a model writes takes the place of the values, whatever their kind, and rows it leaves out are in no column.
#[test]
fn what_a_model_decides() {
    let rule = ColumnRule::new;
    let spec = spec(&[("age", rule(Do::Model)), ("note", rule(Do::Keep)), ("sex", rule(Do::Model))]);
    let levels = |texts: &[&str]| texts.iter().map(|text| Arc::from(*text)).collect::<Vec<Arc<str>>>();
    // Ages in two intervals of 10 from 30; sex as it is. Rows of unknown age are left out.
    let written = |codes: &[u32]| {
        let age = ["[30, 40)", "[40, 50)", "", "outside"][codes[0] as usize];
        let sex = ["f", "m", "unknown", "outside"][codes[1] as usize];
        (codes[0] != 2).then(|| vec![Arc::from(age), Arc::from(sex)])
    };
    let decided = Decided {
        columns: vec![
            ("age".into(), Coder::Intervals { lower: 30.0, width: 10.0, count: 2 }),
            ("sex".into(), Coder::levels(&levels(&["f", "m"]))),
        ],
        written: Arc::new(written),
    };
    let mut of = open(&spec, Path::new("")).unwrap();
    let batch = [
        number(&[30.0, 49.5, f64::NAN, 50.0, 29.9, 1.0]),
        text(&[Some("a"), Some("b"), Some("c"), Some("d"), None, Some("f")]),
        text(&[Some("f"), Some("m"), Some("f"), None, Some("x"), Some("f")]),
    ];
    let (file, _) = self::written(&of, &batch, &[0, 1]);
    assert_eq!(file, "age,note,sex\n,a,\n,b,\n", "empty until the model has decided");
    of.decide(decided).unwrap();
    // The last row is not kept.
    let (file, counts) = self::written(&of, &batch, &[0, 1, 2, 3, 4]);
    assert_eq!(file, "age,note,sex\n\"[30, 40)\",a,f\n\"[40, 50)\",b,m\noutside,d,unknown\noutside,,outside\n");
    assert_eq!((counts.rows, counts.rows_suppressed), (5, 1));
    assert_eq!(counts.columns, [[4, 4, 0], [3, 0, 0], [3, 1, 0]]);
    let nowhere = Decided { columns: vec![("gone".into(), Coder::levels(&[]))], written: Arc::new(|_| None) };
    assert!(of.decide(nowhere).err().unwrap().to_string().contains("not in the dataset"));
}

#[test]
fn rules_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let refused =
        |name: &str, rule: ColumnRule| open(&spec(&[(name, rule)]), folder.path()).err().expect("an error").to_string();
    let rule = ColumnRule::new;
    assert!(refused("gone", rule(Do::Keep)).contains("not read"));
    assert!(refused("name", ColumnRule { to: Some(1.0), ..rule(Do::Round) }).contains("not for a text"));
    assert!(refused("name", rule(Do::Generalise)).contains("needs"));
    let of = |lines: &str, level| {
        std::fs::write(folder.path().join("h.csv"), lines).unwrap();
        refused("name", ColumnRule { hierarchy: Some("h.csv".into()), level: Some(level), ..rule(Do::Generalise) })
    };
    assert!(of("secret;b;x\nc;b;y\n", 1).contains("line 2: a text of one level belongs to two"));
    assert!(of("secret;b\nc\n", 1).contains("line 2") && of("secret;b\n", 2).contains("not so many levels"));
    assert!(of("secret;b\nsecret;c\n", 1).contains("line 2: a value comes twice"));
    assert!(!of("secret;b\nsecret;c\n", 1).contains("secret"));
}

#[cfg(feature = "seal")]
#[test]
fn keys_that_are_missing_or_short_are_refused_before_any_row() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |rule: ColumnRule| open(&spec(&[("name", rule)]), folder.path()).err().expect("an error").to_string();
    let by = |file: &str| ColumnRule { key_file: Some(file.into()), ..ColumnRule::new(Do::Pseudonym) };
    assert!(refused(by("nowhere")).contains("there is no key: the file nowhere is not there"));
    std::fs::write(folder.path().join("short"), "hunter2hunter2\n").unwrap();
    let short = refused(by("short"));
    assert!(short.contains("fewer than 32 bytes") && !short.contains("hunter2"), "{short}");
    let variable = ColumnRule { key_env: Some("EVENHAND_NO_SUCH_KEY".into()), ..ColumnRule::new(Do::Pseudonym) };
    assert!(refused(variable).contains("EVENHAND_NO_SUCH_KEY"));
    std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
    assert!(open(&spec(&[("name", by("key"))]), folder.path()).is_ok());
}

/// Dates of one person move together, whatever column they are in; those of two people by numbers of their own.
#[cfg(feature = "seal")]
#[test]
fn dates_of_one_unit_stay_as_far_apart() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
    let shift = ColumnRule {
        key_file: Some("key".into()),
        days_max: Some(100),
        unit: Some("who".into()),
        ..ColumnRule::new(Do::DateShift)
    };
    let of = open(&spec(&[("from", shift.clone()), ("to", shift)]), folder.path()).unwrap();
    assert_eq!(of.reads().len(), 3);
    let batch = [
        text(&[Some("2024-01-01"), Some("2024-02-01"), Some("2024-01-01")]),
        text(&[Some("a"), Some("a"), None]),
        text(&[Some("2024-01-31"), Some("Ann"), None]),
    ];
    let (columns, counts) = of.apply(&batch, &[0, 1, 2]);
    let day = |column: usize, row: usize| match columns[column].get(row) {
        Value::Text(text) => Some(text.parse::<jiff::civil::Date>().unwrap()),
        _ => None,
    };
    let between = |a: jiff::civil::Date, b: jiff::civil::Date| a.until((jiff::Unit::Day, b)).unwrap().get_days();
    assert_ne!(day(0, 0), Some(jiff::civil::date(2024, 1, 1)));
    assert_eq!(between(day(0, 0).unwrap(), day(0, 1).unwrap()), 31);
    assert_eq!(between(day(0, 0).unwrap(), day(1, 0).unwrap()), 30);
    assert_eq!((day(0, 2), day(1, 1)), (None, None), "without a unit, or no date: removed");
    assert_eq!(counts.columns, [[3, 3, 1], [2, 2, 1]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A window holds the rows it was given, each whole, in another order if asked to.
    #[test]
    fn a_window_keeps_rows_whole(sizes in prop::collection::vec(1..50usize, 1..8), shuffled in any::<bool>()) {
        let mut window = Window::new(shuffled.then(|| ChaCha20Rng::seed_from_u64(3)));
        let mut next = 0;
        for size in &sizes {
            let rows: Vec<i32> = (next..next + *size as i32).collect();
            let texts: Vec<String> = rows.iter().map(|row| format!("t{row}")).collect();
            let numbers = number(&rows.iter().map(|row| f64::from(*row)).collect::<Vec<_>>());
            let texts = text(&texts.iter().map(|text| Some(text.as_str())).collect::<Vec<_>>());
            prop_assert!(window.add(vec![numbers, texts, Vector::Null(*size)], *size).is_none());
            next += *size as i32;
        }
        let columns = window.take();
        let mut seen = Vec::new();
        for row in 0..next as usize {
            let Value::Number(number) = columns[0].get(row) else { panic!("a number") };
            prop_assert_eq!(columns[1].get(row), Value::Text(format!("t{number}").into()));
            seen.push(number as i32);
        }
        let in_order: Vec<i32> = (0..next).collect();
        prop_assert!(shuffled || seen == in_order);
        seen.sort_unstable();
        prop_assert_eq!(seen, in_order);
    }
}
