//! Rehearsals: what cannot be attacked is said to be untested, and nothing is charged for a plan that can never be released.

use super::*;
use crate::engine::reference::Reference;
use crate::plan::spec::Spec;
use crate::plan::{Learned, expression};

/// A plan over columns that no file has: a rehearsal looks at none.
fn plan(more: &str) -> Plan {
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"t.csv\"\nprivacy.population = \"people\"\nprivacy.epsilon = 2.0\n{more}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let source = crate::plan::source(&spec, std::path::Path::new("."), &|path| Ok(vec![path.into()])).unwrap();
    Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap()
}

fn tried(plan: &Plan) -> Result<Vec<Rehearsal>, RunError> {
    rehearse(plan, &Reference, &super::super::cost(plan).unwrap())
}

fn untested(rehearsals: &[Rehearsal]) -> Vec<(&str, &str)> {
    rehearsals.iter().filter_map(|rehearsal| Some((&*rehearsal.statistic, rehearsal.not_tested.as_deref()?))).collect()
}

const COLUMNS: &str = "sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\nhired = { roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }\n";

#[test]
fn a_unit_that_is_a_number_is_attacked() {
    for unit in ["person.roles = [\"privacy-unit\"]", "person = { roles = [\"privacy-unit\"], as = \"number\" }"] {
        let plan = plan(&format!("privacy.rows_per_unit_max = 2\n[schema]\n{unit}\n{COLUMNS}"));
        let rehearsals = tried(&plan).unwrap();
        assert_eq!(untested(&rehearsals), [], "{unit}");
        assert_eq!(rehearsals.len(), 2);
        for rehearsal in rehearsals {
            assert!(rehearsal.epsilon_lower > 0.1 * rehearsal.epsilon, "{rehearsal:?}");
        }
    }
}

#[test]
fn columns_without_a_domain_take_what_the_conditions_speak_of() {
    let filters = ["town = 'Ulm'", "town IN ('Ulm', 'Bern')", "income > 64000", "income < -3 AND town LIKE 'Ulm'"];
    for filter in filters {
        let columns = "town.roles = []\nincome = { roles = [], as = \"number\" }\n";
        let plan = plan(&format!("ingest.where = \"{filter}\"\n[schema]\n{columns}{COLUMNS}"));
        assert_eq!(untested(&tried(&plan).unwrap()), [], "{filter}");
    }
}

#[test]
fn a_release_that_no_made_up_unit_changes_is_not_tested() {
    let plan = plan(&format!("ingest.where = \"LENGTH(town) > 40\"\n[schema]\ntown.roles = []\n{COLUMNS}"));
    let rehearsals = tried(&plan).unwrap();
    let why = "no made-up unit changes it";
    assert_eq!(untested(&rehearsals), [("contract/rows", why), ("measure/table", why)]);
    // Undefined, not zero; and read back as it was written.
    assert!(rehearsals[0].epsilon_lower.is_nan() && rehearsals[0].epsilon.is_nan());
    let text = serde_json::to_string(&rehearsals[0]).unwrap();
    assert!(text.contains("\"epsilon_lower\":null"), "{text}");
    assert!(serde_json::from_str::<Rehearsal>(&text).unwrap().epsilon_lower.is_nan());
    let cost = super::super::cost(&plan).unwrap();
    let entropy = crate::world::Entropy::System;
    let line = |rehearsals| {
        let paid = super::super::Paid { cost: cost.clone(), charged: Default::default(), rehearsals };
        super::super::statement::statement(&plan, &paid, entropy).unwrap().checklist.remove(17)
    };
    assert_eq!(line(rehearsals.clone()).standing, crate::audit::Standing::Unknown);
    let some = vec![Rehearsal { not_tested: None, ..rehearsals[0].clone() }, rehearsals[1].clone()];
    let some = line(some);
    assert_eq!(some.standing, crate::audit::Standing::Unknown);
    assert!(some.value.ends_with("not tested: measure/table"), "{}", some.value);
    let derived = "privacy.rows_per_unit_max = 2\n[derive]\nperson = \"LOWER(town)\"\n[schema]\nperson.roles = [\"privacy-unit\"]\ntown.roles = []\n";
    let rehearsals = tried(&self::plan(&format!("{derived}{COLUMNS}"))).unwrap();
    assert_eq!(untested(&rehearsals).len(), rehearsals.len());
    let many = format!("privacy.rows_per_unit_max = 30000\n[schema]\nperson.roles = [\"privacy-unit\"]\n{COLUMNS}");
    let rehearsals = tried(&self::plan(&many)).unwrap();
    assert_eq!(untested(&rehearsals).len(), rehearsals.len());
}

#[test]
fn a_cap_of_thousands_is_attacked() {
    let more = format!("privacy.rows_per_unit_max = 3000\n[schema]\nperson.roles = [\"privacy-unit\"]\n{COLUMNS}");
    assert_eq!(untested(&tried(&plan(&more)).unwrap()), []);
}

#[test]
fn what_can_never_be_released_is_known_beforehand() {
    let levels = |of: &str| (0..80).map(|i| format!("\"{of}{i}\"")).collect::<Vec<_>>().join(", ");
    let protected = |name: &str| format!("{name} = {{ roles = [\"protected\"], levels = [{}] }}\n", levels(name));
    let columns: String = ["a", "b", "c", "d"].map(protected).concat();
    let plan = plan(&format!(
        "measure.across = [[\"a\"], [\"b\"], [\"c\"], [\"d\"]]\n[schema]\n{columns}hired = {{ roles = [\"prediction\"], levels = [\"no\", \"yes\"], positive = \"yes\" }}\n"
    ));
    let error = tried(&plan).unwrap_err();
    assert!(matches!(error, RunError::Release(privatize::ReleaseError::TooManyNumbers(_))), "{error}");
}

/// The rows of a unit are replaced: the released counts differ by twice as many rows as where one comes or goes.
#[test]
fn neighbours_are_those_of_the_claim() {
    for neighbours in ["add-remove", "change-one"] {
        let plan = plan(&format!(
            "privacy.rows_per_unit_max = 2\nprivacy.neighbours = \"{neighbours}\"\n[schema]\nperson.roles = [\"privacy-unit\"]\n{COLUMNS}"
        ));
        let rehearsals = tried(&plan).unwrap();
        let table = rehearsals.iter().find(|rehearsal| &*rehearsal.statistic == "measure/table").unwrap();
        assert!(table.epsilon_lower > 0.8 * table.epsilon, "{neighbours}: {table:?}");
    }
}

#[test]
fn a_test_that_could_not_fail_is_no_pass() {
    let plan = plan(&format!("[schema]\n{COLUMNS}"));
    let cost = super::super::cost(&plan).unwrap();
    let standing = |ceiling: f64| {
        let mut rehearsals = tried(&plan).unwrap();
        rehearsals.iter_mut().for_each(|rehearsal| rehearsal.epsilon_ceiling = ceiling * rehearsal.epsilon);
        let paid = super::super::Paid { cost: cost.clone(), charged: Default::default(), rehearsals };
        let entropy = crate::world::Entropy::System;
        super::super::statement::statement(&plan, &paid, entropy).unwrap().checklist.remove(17).standing
    };
    assert_eq!((standing(2.0), standing(0.9)), (crate::audit::Standing::Pass, crate::audit::Standing::Unknown));
}
