//! The code a row is counted by is the code it is written by; intervals are named as they are cut; what is decided holds when read back.

use proptest::prelude::*;

use super::*;
use crate::plan::Learned;
use crate::plan::spec::Spec;
use crate::scalar::{Value, Vector};
use crate::statistic::Cell;

fn plan(more: &str) -> Plan {
    let text = format!("pipeline.name = \"p\"\ningest.path = \"t.csv\"\n{more}");
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |_: &str| Err("no expressions here".into());
    let source = crate::plan::source(&spec, Path::new("."), &|path| Ok(vec![path.into()])).unwrap();
    Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap()
}

const COLUMNS: &str = "[schema]\nage = { bounds = [18, 60] }\nsex = { levels = [\"f\", \"m\"] }\nill.levels = [\"a\", \"b\", \"c\"]\n[deidentify]\noutput = \"o.csv\"\ncolumns = { age = { do = \"model\", widths = [5, 10, 20] }, sex = { do = \"model\" }, ill = { do = \"keep\" } }\n";

/// The code by the expression the engine counts with.
fn counted(axis: &Axis, column: &str, value: &Value) -> u32 {
    let Axis::Levels { of, levels } = axis else { panic!("levels") };
    let bound = of.bind(|name| (name == column).then_some(0)).unwrap();
    match bound.evaluate(std::slice::from_ref(value)) {
        Value::Null => levels.len() as u32,
        Value::Text(text) => levels.iter().position(|level| *level == text).unwrap_or(levels.len() + 1) as u32,
        other => panic!("{other:?}"),
    }
}

/// The code by which a row is written.
fn coded(coder: Coder, value: Value) -> u32 {
    use super::super::dataset::Coder;
    let codes = std::sync::Arc::new(std::sync::Mutex::new(0));
    let seen = codes.clone();
    let written = move |codes: &[u32]| {
        *seen.lock().unwrap() = codes[0];
        Some(vec!["x".into()])
    };
    let section: Deidentify = toml::from_str("output = \"o.csv\"\ncolumns = { of = { do = \"model\" } }").unwrap();
    let kind = |_: &str| Some(Kind::Number);
    let random = || Ok(rand::SeedableRng::seed_from_u64(1));
    let mut rules =
        super::super::dataset::Deidentifier::open(&section, &kind, Path::new("."), &mut { random }, &|_, _| {
            Err("none".into())
        })
        .unwrap();
    let columns: Vec<(String, Coder)> = vec![("of".into(), coder)];
    rules.decide(Decided { columns, written: Arc::new(written) }).unwrap();
    rules.apply(&[Vector::of([value].into_iter())], &[0]);
    *codes.lock().unwrap()
}

#[test]
fn intervals_are_named_as_they_are_cut() {
    let plan = plan(COLUMNS);
    let rule = &plan.spec.deidentify.as_ref().unwrap().columns["age"];
    let quasi = quasi(&plan, "age", rule, None).unwrap();
    assert_eq!((quasi.hierarchy.declared(), quasi.hierarchy.levels()), (9, 4));
    let texts = |level| (0..11).map(|code| quasi.hierarchy.text(level, code).to_string()).collect::<Vec<_>>();
    assert_eq!(texts(0)[..2], ["[18, 23)", "[23, 28)"]);
    assert_eq!(texts(0)[8..], ["[58, 63)", "(unknown)", "(outside the levels)"]);
    assert_eq!(texts(1)[..3], ["[18, 28)", "[18, 28)", "[28, 38)"]);
    assert_eq!(texts(2)[3..5], ["[18, 38)", "[38, 58)"]);
    assert!(texts(3).iter().all(|text| text == "*"));
    let single = intervals(&plan, "age", &[1.0, 10.0]).unwrap();
    assert_eq!((&**single.hierarchy.text(0, 0), &**single.hierarchy.text(1, 0)), ("18", "[18, 28)"));
    // 9.1 is 91 tenths, whatever its double: what is written holds it.
    let tenths = self::plan(&COLUMNS.replace("[18, 60]", "[0, 60]"));
    let tenths = intervals(&tenths, "age", &[0.1, 0.2]).unwrap();
    for tenth in 0..600 {
        let code = coded(tenths.coder.clone(), Value::Number(f64::from(tenth) / 10.0));
        let text = tenths.hierarchy.text(0, code).to_string();
        let from: f64 = text.trim_start_matches('[').split(',').next().unwrap().parse().unwrap();
        assert_eq!(from, f64::from(tenth) / 10.0, "{text}");
        assert!(text.len() < 14, "{text}");
    }
    assert!(intervals(&plan, "age", &[1e-6]).is_err() && intervals(&plan, "age", &[5.0, 12.0]).is_err());
    assert!(intervals(&plan, "sex", &[5.0]).is_err());
}

proptest! {
    /// Whatever the number: the same code in the pass that counts and in the pass that writes.
    #[test]
    fn a_number_is_written_by_the_code_it_is_counted_by(
        value in prop_oneof![-1e3..1e3f64, any::<f64>(), (0..200i32).prop_map(|x| f64::from(x) / 10.0)],
        lower in prop_oneof![-50.0..50.0f64, Just(0.0), Just(18.0)],
        width in prop_oneof![0.01..20.0f64, Just(0.1), Just(5.0)],
    ) {
        let plan = plan(&COLUMNS.replace("[18, 60]", &format!("[{lower:?}, {:?}]", lower + 60.0)));
        let quasi = intervals(&plan, "age", &[width]).unwrap();
        let value = if value.is_finite() { Value::Number(value + 0.0) } else { Value::Null };
        prop_assert_eq!(counted(&quasi.axis, "age", &value), coded(quasi.coder, value));
    }
}

#[test]
fn what_is_decided_holds_when_it_is_read_back() {
    let model =
        "[deidentify.model]\nk_anonymity = 3\nsensitive = \"ill\"\ndistinct_diversity = 2\nsuppression_max = 0.2\n";
    for search in ["lattice", "mondrian"] {
        let limit = if search == "mondrian" { "" } else { "suppression_max = 0.2\n" };
        let more = model.replace("suppression_max = 0.2\n", limit);
        let plan = plan(&format!("{COLUMNS}{more}search = \"{search}\"\n"));
        let section = plan.spec.deidentify.as_ref().unwrap();
        let model = Model::open(section, Path::new(".")).unwrap().unwrap();
        let demand = model.demand(&plan).unwrap();
        let Shape::Tally { axes, .. } = &demand.shape else { panic!("a table") };
        let mut tally = Tally::new(axes.iter().map(Axis::size).collect());
        let mut rows = Vec::new();
        for row in 0..60u32 {
            let codes = [(row * row) % 11, row % 3, (row * 7) % 4];
            tally.add(&codes, Cell::rows(1));
            rows.push(codes);
        }
        let Decision { coarsening, decided } = model.decide(&plan, &tally, None).unwrap();
        let mut found = std::collections::BTreeMap::<Vec<Arc<str>>, Vec<u32>>::new();
        let mut suppressed = 0;
        for codes in &rows {
            match (decided.written)(&codes[..2]) {
                Some(texts) => found.entry(texts).or_default().push(codes[2]),
                None => suppressed += 1,
            }
        }
        assert_eq!(coarsening.rows_suppressed, suppressed, "{search}");
        assert!(suppressed as f64 <= 0.2 * 60.0);
        let least = found.values().map(Vec::len).min().unwrap();
        let diverse = found.values().map(|ill| ill.iter().collect::<std::collections::BTreeSet<_>>().len()).min();
        assert_eq!(coarsening.after.as_ref().unwrap().class_min, Some(least as u64), "{search}");
        assert_eq!(coarsening.after.as_ref().unwrap().classes, found.len() as u64, "{search}");
        assert!(least >= 3 && diverse >= Some(2), "{search}");
        assert!(coarsening.criteria.iter().all(|criterion| criterion.holds));
        assert_eq!(coarsening.criteria[0].attained, Some(least as f64));
        assert!(coarsening.before.unwrap().class_min < Some(3));
    }
}

#[test]
fn what_cannot_be_reached_is_an_error() {
    let plan = plan(&format!("{COLUMNS}[deidentify.model]\nk_anonymity = 100\n"));
    let model = Model::open(plan.spec.deidentify.as_ref().unwrap(), Path::new(".")).unwrap().unwrap();
    let mut tally = Tally::new(vec![11, 4]);
    tally.add(&[0, 0], Cell::rows(50));
    assert_eq!(model.decide(&plan, &tally, None).err(), Some(ModelError::Unreachable));
    let plan = self::plan(&format!("{COLUMNS}[deidentify.model]\nk_anonymity = 100\nsuppression_max = 1\n"));
    let model = Model::open(plan.spec.deidentify.as_ref().unwrap(), Path::new(".")).unwrap().unwrap();
    assert_eq!(model.decide(&plan, &tally, None).err(), Some(ModelError::NothingLeft));
}

#[test]
fn small_counts_of_rows_are_withheld_where_that_is_asked() {
    let plan = plan(&format!("measure.suppress_below = 10\n{COLUMNS}[deidentify.model]\nk_anonymity = 3\n"));
    let model = Model::open(plan.spec.deidentify.as_ref().unwrap(), Path::new(".")).unwrap().unwrap();
    let mut tally = Tally::new(vec![11, 4]);
    tally.add(&[0, 0], Cell::rows(1));
    tally.add(&[1, 0], Cell::rows(5));
    tally.add(&[4, 1], Cell::rows(60));
    let coarsening = model.decide(&plan, &tally, None).unwrap().coarsening;
    let before = coarsening.before.unwrap();
    assert_eq!((before.class_min, before.class_max, before.uniques), (None, Some(60), None));
    assert_eq!((before.prosecutor_max, before.at_risk), (None, vec![None, None]));
}

/// A class of one row is let be where the population has four of its kind.
#[test]
fn a_population_is_what_rows_hide_in() {
    let plan = plan(&format!("{COLUMNS}[deidentify.model]\nk_map = 4\npopulation = \"p.csv\"\n"));
    let model = Model::open(plan.spec.deidentify.as_ref().unwrap(), Path::new(".")).unwrap().unwrap();
    let mut tally = Tally::new(vec![11, 4]);
    tally.add(&[0, 0], Cell::rows(1));
    tally.add(&[4, 1], Cell::rows(6));
    let Shape::Tally { axes, .. } = model.population_demand(&plan).unwrap().shape else { panic!("a table") };
    let mut population = Tally::new(axes.iter().map(Axis::size).collect());
    population.add(&[0, 0], Cell::rows(4));
    population.add(&[4, 1], Cell::rows(8));
    population.add(&[7, 1], Cell::rows(1));
    let coarsening = model.decide(&plan, &tally, Some(&population)).unwrap().coarsening;
    assert!(coarsening.quasi_identifiers.iter().all(|of| of.level == Some(0)), "{coarsening:?}");
    assert_eq!((coarsening.criteria[0].attained, coarsening.criteria[0].holds), (Some(4.0), true));
    let after = coarsening.after.unwrap();
    assert_eq!((after.class_min, after.journalist_max), (Some(1), Some(0.25)));
    // (1 / 4 + 6 / 8) / 7.
    assert!((after.journalist_mean.unwrap() - 1.0 / 7.0).abs() < 1e-12);
    population.add(&[4, 1], Cell::rows(-3));
    assert_eq!(model.decide(&plan, &tally, Some(&population)).err(), Some(ModelError::Sample));
    let of = model.population(&plan.spec).unwrap();
    assert_eq!(of.schema.keys().collect::<Vec<_>>(), ["age", "sex"]);
}
