//! What follows from a pipeline file, and what cannot.

use super::*;

fn source() -> Source {
    let paths = vec!["a.csv".into()];
    Source { paths, format: Format::Csv, delimiter: b',', decimal: '.', null_values: Vec::new(), hive: false }
}

/// The only expressions of these tests.
fn parse(text: &str) -> Result<Scalar, String> {
    match text {
        "decided" => {
            Ok(Expr::Compare(Order::GreaterEqual, Box::new(Scalar::column("score")), Box::new(Scalar::number(0.5))))
        }
        "band" => Ok(Scalar::number(1.0)),
        _ => Err("unknown".into()),
    }
}

fn plan(schema: &str) -> Result<Plan, PlanError> {
    let spec: Spec = toml::from_str(&format!("pipeline.name = \"p\"\ningest.path = \"a.csv\"\n{schema}")).unwrap();
    Plan::of(&spec, "", source(), &parse, &Learned::default())
}

fn levels(n: usize) -> String {
    (0..n).map(|i| format!("\"{i}\"")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_derived_truth_value_is_a_decision_without_further_words() {
    let plan = plan("derive.d = \"decided\"\nschema.score.as = \"number\"\nschema.d.roles = [\"prediction\"]").unwrap();
    assert_eq!(plan.decision, Some(Scalar::column("d")));
}

#[test]
fn a_protected_number_is_refused_not_unknown() {
    let numbers = "schema.band.roles = [\"protected\"]\nschema.band.levels = [\"1\", \"2\"]";
    for schema in [format!("{numbers}\nschema.band.as = \"number\""), format!("derive.band = \"band\"\n{numbers}")] {
        let error = plan(&schema).unwrap_err();
        assert_eq!(error.path, "schema.band");
        assert!(error.message.contains("must be text"), "{error}");
    }
}

#[test]
fn ten_thousand_levels_are_a_clear_error() {
    let zip = |n| format!("schema.zip.roles = [\"protected\"]\nschema.zip.levels = [{}]", levels(n));
    assert!(plan(&zip(1000)).is_ok());
    let error = plan(&zip(10_000)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "measure.across: zip forms up to 10000 cohorts; at most 1000 can be compared: derive coarser columns"
    );
}

/// Twelve columns of a hundred levels: more cells than a code can count, found before a row is read.
#[test]
fn too_many_cells_are_an_error_not_an_overflow() {
    let columns: Vec<String> = (0..12)
        .map(|i| format!("schema.c{i}.roles = [\"protected\"]\nschema.c{i}.levels = [{}]", levels(100)))
        .collect();
    let error = plan(&columns.join("\n")).unwrap_err();
    assert!(error.to_string().starts_with("measure.across: the protected columns together"), "{error}");
    assert!(plan(&columns[..6].join("\n")).is_ok());
}

#[test]
fn a_set_names_a_column_once() {
    let sex = "schema.sex.roles = [\"protected\"]\nschema.sex.levels = [\"f\", \"m\"]\n";
    for across in ["[[\"sex\", \"sex\"]]", "[[]]"] {
        assert_eq!(plan(&format!("{sex}measure.across = {across}")).unwrap_err().path, "measure.across");
    }
}

/// Rows are capped per unit where there is differential privacy and a column of units.
#[test]
fn the_cap_follows_from_privacy_and_the_unit() {
    let privacy = "privacy.population = \"people\"\nprivacy.epsilon = 1.0\nprivacy.rows_per_unit_max = 3\nprivacy.memory_mib_max = 2\npipeline.seed = 9\n";
    let unit = "schema.person.roles = [\"privacy-unit\"]\n";
    let cap = |text: &str| {
        let text = format!("pipeline.name = \"p\"\ningest.path = \"a.csv\"\n{text}");
        scan(&toml::from_str(&text).unwrap(), source(), &parse).unwrap().cap
    };
    let expected = Cap::new(Scalar::column("person"), 3, "9:cap".into(), 2 << 20);
    assert_eq!(cap(&format!("{privacy}{unit}")), Some(expected));
    assert_eq!(cap(&format!("{privacy}schema.person.roles = [\"identifier\"]")), None);
    assert_eq!(cap(unit), None);
}
