//! Consistency as AIF360 computes it, subgroups of a run, and the flip test of a model trained on rows whose sex is decisive.

use crate::audit::audit;
use crate::pipelines::synth;
use crate::reference::reference;
use evenhand::audit::bias::Figure;

fn estimated(figure: &Figure) -> f64 {
    figure.point().unwrap_or_else(|| panic!("{figure:?}"))
}

#[test]
fn consistency_is_that_of_aif360() {
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let task = &tasks["synth-consistency"];
    let numbers = ["x1", "x2", "x3"].map(|name| format!("[schema.{name}]\nas = \"number\"\n")).join("");
    let mut compared = 0;
    for k in [1, 5, 10] {
        let pipeline = synth("[[\"g\"]]")
            + &format!(
                "[measure.individual]\nneighbours = {k}\ncolumns = [\"x1\", \"x2\", \"x3\"]\nscale = \"none\"\n{numbers}"
            );
        let measurement = audit(&pipeline, &data).measurement;
        let individual = measurement.bias.individual.expect("alike rows");
        for (of, column) in [("decision", "pred"), ("label", "y")] {
            let key = format!("aif360.sklearn consistency_score(X=[x1,x2,x3], y={column}, k={k})");
            let wanted = task["results"][&key].as_f64().unwrap_or_else(|| panic!("{key}"));
            let found = individual.consistency.iter().find(|found| found.of == of).expect("a consistency");
            match k {
                // A row is its own only neighbour: 1 whatever the data, and no interval says how far that may be off.
                1 => assert!(wanted == 1.0 && matches!(found.with_itself, Figure::Undefined { .. }), "{key}"),
                _ => {
                    let ours = estimated(&found.with_itself);
                    assert!((ours - wanted).abs() <= 1e-12 * wanted, "{key}: {ours}, not {wanted}");
                }
            }
            let Figure::Estimated { point, lower: Some(lower), upper: Some(upper), n } = found.others else { panic!() };
            assert!(n == 600 && lower < point && point < upper);
            assert_eq!(found.cohorts.len(), 3);
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

#[cfg(feature = "sql")]
mod trained {
    use std::fmt::Write;

    use evenhand::audit::Audit;
    use evenhand::audit::bias::Figure;
    use evenhand::finding::Outcome;
    use evenhand::plan::spec::Spec;

    use super::estimated;
    use crate::shipped::run;

    /// Paid back depends on income, and on sex by so much; nobody of the south is told apart by income.
    fn audited(features: bool, sex: f64, more: &str) -> Audit {
        audited_by(features, sex, more, "identifier")
    }

    fn audited_by(features: bool, sex: f64, more: &str, id: &str) -> Audit {
        let folder = tempfile::tempdir().unwrap();
        let mut state = 99u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut text = "id,sex,region,income,paid\n".to_string();
        for id in 0..6000 {
            let (woman, south, income) = (uniform() < 0.5, uniform() < 0.3, uniform());
            let eta = if south { 0.0 } else { 9.0 * (income - 0.5) + if woman { -sex } else { sex } };
            let paid = uniform() < 1.0 / (1.0 + (-eta).exp());
            let (sex, region) = (if woman { "f" } else { "m" }, if south { "south" } else { "north" });
            writeln!(text, "{id},{sex},{region},{income:.4},{}", if paid { "yes" } else { "no" }).unwrap();
        }
        std::fs::write(folder.path().join("rows.csv"), text).unwrap();
        let spec: Spec = toml::from_str(&format!(
            r#"
            pipeline = {{ name = "lending" }}
            ingest = {{ path = "rows.csv", key = ["id"] }}
            train = {{ model = "logistic", strength = 0.0001, protected_features = {features} }}
            [schema]
            id = {{ roles = ["{id}"] }}
            sex = {{ roles = ["protected", "feature"], levels = ["f", "m"] }}
            region = {{ roles = ["feature"], levels = ["north", "south"] }}
            income = {{ roles = ["feature"], bounds = [0, 1] }}
            paid = {{ roles = ["target"], levels = ["no", "yes"], positive = "yes" }}
            [measure]
            across = [["sex"]]
            {more}
            [measure.individual]
            flip = ["sex"]
            [measure.subgroups]
            of = ["error"]
            "#
        ))
        .unwrap();
        let audited = run(&spec, folder.path()).unwrap();
        assert_eq!(audited.passes_planned, audited.passes_run);
        audited.audit
    }

    #[test]
    fn a_switched_column_changes_decisions_where_it_decides() {
        let audit = audited(true, 1.0, "");
        let individual = audit.bias.individual.as_ref().expect("alike rows");
        let flip = &individual.flips[0];
        assert!(flip.is_input && estimated(&flip.any) > 0.1, "{flip:?}");
        let direction = |from: &str| flip.directions.iter().find(|of| of.from == from).unwrap();
        // The predictor is linear: as a man every woman does at least as well.
        assert!(estimated(&direction("f").gains) > 0.1 && estimated(&direction("f").loses) == 0.0);
        assert!(estimated(&direction("m").loses) > 0.1 && estimated(&direction("m").gains) == 0.0);
        // With two levels a row changes if its other level does: women who gain and men who lose are all who change.
        let rows = |figure: &Figure| match figure {
            Figure::Estimated { point, n, .. } => (point * *n as f64).round(),
            _ => panic!(),
        };
        let [women, men] = [&direction("f").gains, &direction("m").loses].map(rows);
        assert_eq!(rows(&flip.any), women + men);
        assert_eq!(flip.cohorts.iter().map(|of| rows(&of.value)).collect::<Vec<_>>(), [women, men]);
    }

    #[test]
    fn a_column_the_model_does_not_read_changes_nothing() {
        let audit = audited(false, 1.0, "");
        let flip = &audit.bias.individual.as_ref().expect("alike rows").flips[0];
        let Figure::Undefined { reason } = &flip.any else { panic!("{flip:?}") };
        assert!(!flip.is_input && reason.contains("does not read") && flip.directions.is_empty());
    }

    /// The same rows, each said to be a unit of its own: points stay, intervals are those of the jackknife, about as wide.
    #[test]
    fn with_units_intervals_are_those_of_the_jackknife() {
        let (rows, units) = (audited(true, 1.0, ""), audited_by(true, 1.0, "", "privacy-unit"));
        let flips = |audit: &Audit| audit.bias.individual.as_ref().map(|of| of.flips[0].any.clone());
        let (Some(a), Some(b)) = (flips(&rows), flips(&units)) else { panic!() };
        let width = |figure: &Figure| match figure {
            Figure::Estimated { lower: Some(lower), upper: Some(upper), .. } => upper - lower,
            _ => panic!("{figure:?}"),
        };
        assert_eq!(estimated(&a), estimated(&b));
        assert!(width(&a) != width(&b) && (0.7..1.4).contains(&(width(&b) / width(&a))), "{a:?} {b:?}");
        let found = &units.bias.subgroups.as_ref().expect("subgroups").searches[0].found;
        assert!(found.iter().any(|found| found.conditions == ["region = south"]), "{found:?}");
    }

    #[test]
    fn a_subgroup_is_a_finding_of_level_warn() {
        let audit = audited(true, 0.2, "");
        let found = &audit.bias.subgroups.as_ref().expect("subgroups").searches[0].found;
        let first: Vec<&str> = found[0].conditions.iter().map(String::as_str).collect();
        assert_eq!(first, ["region = south"], "{found:?}");
        let finding =
            audit.findings.iter().find(|finding| &*finding.code == "subgroup/error/region = south").expect("a finding");
        assert!(finding.reason.contains("region = south: ") && finding.measured.is_some());
        assert_eq!(audit.outcome, Outcome::Inconclusive, "nothing was asked");
    }

    #[test]
    fn with_a_publication_limit_no_figure_is_of_few_rows() {
        let audit = audited(true, 1.0, "suppress_below = 400");
        let individual = audit.bias.individual.as_ref().expect("alike rows");
        assert_eq!(individual.flips[0].any, Figure::Suppressed);
        assert!(individual.consistency.iter().all(|of| of.others == Figure::Suppressed));
        let search = &audit.bias.subgroups.as_ref().expect("subgroups").searches[0];
        assert_eq!((search.rows_searched, search.rows_tested), (None, None));
        assert!(search.found.iter().all(|found| found.inside == Figure::Suppressed));
    }
}
