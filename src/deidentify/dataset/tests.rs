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
    Deidentify { profile: None, output: "out.csv".into(), shuffle: false, columns }
}

fn open(spec: &Deidentify, folder: &Path, decided: Decided) -> Result<Deidentifier, DeidentifyError> {
    Deidentifier::open(spec, &kinds, folder, decided, &mut || Ok(ChaCha20Rng::seed_from_u64(1)))
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
    let of = open(&spec, folder.path(), Decided::default()).unwrap();
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

/// A model's coarser values take the place of the rule, and its predicate leaves rows out.
#[test]
fn what_a_model_decides() {
    let spec = spec(&[("age", ColumnRule::new(Do::Keep)), ("sex", ColumnRule::new(Do::Keep))]);
    let table = HashMap::from([("30".into(), "[30, 39]".into()), ("41".into(), "[40, 49]".into())]);
    let by = Generalisation::Table { of: table, missing: Some("*".into()), outside: Some("*".into()) };
    let rare = |values: &[Value]| values[0] == Value::Text("[40, 49]".into());
    let decided = Decided {
        by_column: BTreeMap::from([("age".into(), by)]),
        suppressed: Some(Suppressed { columns: vec!["age".into()], is: Box::new(rare) }),
    };
    let of = open(&spec, Path::new(""), decided).unwrap();
    let batch = [number(&[30.0, 41.0, f64::NAN, 99.0]), text(&[Some("f"), Some("m"), Some("f"), None])];
    let (file, counts) = written(&of, &batch, &[0, 1, 2, 3]);
    assert_eq!(file, "age,sex\n\"[30, 39]\",f\n*,f\n*,\n");
    assert_eq!((counts.rows, counts.rows_suppressed), (4, 1));
}

#[test]
fn rules_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, rule: ColumnRule| {
        open(&spec(&[(name, rule)]), folder.path(), Decided::default()).err().expect("an error").to_string()
    };
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
    let refused = |rule: ColumnRule| {
        open(&spec(&[("name", rule)]), folder.path(), Decided::default()).err().expect("an error").to_string()
    };
    let by = |file: &str| ColumnRule { key_file: Some(file.into()), ..ColumnRule::new(Do::Pseudonym) };
    assert!(refused(by("nowhere")).contains("there is no key: the file nowhere is not there"));
    std::fs::write(folder.path().join("short"), "hunter2hunter2\n").unwrap();
    let short = refused(by("short"));
    assert!(short.contains("fewer than 32 bytes") && !short.contains("hunter2"), "{short}");
    let variable = ColumnRule { key_env: Some("EVENHAND_NO_SUCH_KEY".into()), ..ColumnRule::new(Do::Pseudonym) };
    assert!(refused(variable).contains("EVENHAND_NO_SUCH_KEY"));
    std::fs::write(folder.path().join("key"), [7; 32]).unwrap();
    assert!(open(&spec(&[("name", by("key"))]), folder.path(), Decided::default()).is_ok());
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
    let of = open(&spec(&[("from", shift.clone()), ("to", shift)]), folder.path(), Decided::default()).unwrap();
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
