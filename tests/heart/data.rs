//! The planted proxy of the demo data is found by the section on the data, and what is not planted is not.

use std::io::Write;
use std::path::Path;

use evenhand::audit::bias::{DataBias, Figure};
use evenhand::demo::{self, Kind, Plant, Plants};
use evenhand::plan::spec::{self, Spec};

use crate::shipped::{run, spec};

fn pipeline() -> Spec {
    let mut spec = spec("lending");
    spec.ingest.path = "rows.csv".into();
    spec.contract = Default::default();
    (spec.train, spec.judge) = (None, Vec::new());
    spec.measure.across = vec![vec!["race".into()], vec!["sex".into()]];
    let shares = [("Asian", 0.09), ("Black", 0.2), ("Hispanic", 0.16), ("Native American", 0.01), ("White", 0.54)];
    let reference = shares.map(|(level, share)| (level.to_string(), share)).into();
    let reference = [("race".to_string(), reference)].into();
    spec.measure.data = Some(spec::DataBias { reference, ..Default::default() });
    spec
}

fn audited(spec: &Spec, plants: Plants, rows: u64, seed: u64, folder: &Path) -> DataBias {
    let mut file = std::io::BufWriter::new(std::fs::File::create(folder.join("rows.csv")).unwrap());
    demo::write(Kind::Lending, rows, seed, plants, &mut file).unwrap();
    file.flush().unwrap();
    let audited = run(spec, folder).unwrap();
    assert_eq!(audited.passes_planned, audited.passes_run);
    audited.audit.bias.data.unwrap()
}

fn lower(figure: &Figure) -> f64 {
    match figure {
        Figure::Estimated { lower: Some(lower), .. } => *lower,
        other => panic!("{other:?}"),
    }
}

/// Black applicants live in the south with 75 %, others with 15 %: AUC .5 + .6 / 2 = .8, before ties within the other regions, which tell
/// nothing: the order south, others has exactly that.
#[test]
fn the_region_is_found_to_tell_race_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = audited(&pipeline(), Plants::all(), 4000, 3, folder.path());
    for proxies in &data.proxies {
        let found: Vec<&str> =
            proxies.columns.iter().filter(|column| column.found).map(|column| &*column.column).collect();
        assert_eq!(found, if &*proxies.attribute == "race" { vec!["region"] } else { vec![] }, "{}", proxies.attribute);
    }
    let race = data.proxies.iter().find(|proxies| &*proxies.attribute == "race").unwrap();
    let region = &race.columns[0];
    assert_eq!(region.level.as_deref(), Some("Black"));
    match &region.auc {
        Figure::Estimated { point, lower: Some(lower), upper: Some(upper), .. } => {
            assert!((*point - 0.8).abs() < 0.03 && *lower < 0.8 && *upper > 0.8, "{point} {lower} {upper}")
        }
        other => panic!("{other:?}"),
    }
    let black = race.together.levels.iter().find(|told| &*told.level == "Black").unwrap();
    assert!(black.found && lower(&black.auc) > 0.7, "{black:?}");
    assert!(lower(&race.together.r_squared) > 0.0);
    // The given shares are those drawn from: nothing is told apart, and rows without race are shown.
    let representation = data.representation.iter().find(|set| set.across.len() == 1 && &*set.across[0] == "race");
    let representation = representation.unwrap();
    assert!(representation.fit.as_ref().unwrap().p.unwrap() > 1e-6);
    assert!((representation.unknown.point().unwrap() - 0.04).abs() < 0.02);
    // Two in a hundred do not say how long they have been employed, whoever they are.
    assert_eq!(&*data.missing[0].column, "employment_years");
    assert!(data.missing.iter().all(|values| values.p_adjusted.is_none_or(|p| p > 1e-4)));
}

/// Of 20 data sets without the plant, those in which a column is called a proxy of race or sex: nominally one in twenty. Nine or more have a
/// chance below 1e-6.
#[test]
fn without_the_plant_columns_are_silent_at_the_stated_rate() {
    let folder = tempfile::tempdir().unwrap();
    let mut loud = Vec::new();
    for seed in 1..=20 {
        let data = audited(&pipeline(), Plants::without(Plant::Proxy), 800, seed, folder.path());
        let columns = data.proxies.iter().flat_map(|proxies| &proxies.columns);
        let found: Vec<String> =
            columns.filter(|column| column.found).map(|column| column.column.to_string()).collect();
        loud.extend((!found.is_empty()).then_some((seed, found)));
        assert!(data.proxies.iter().all(|proxies| lower(&proxies.together.r_squared) < 0.03));
    }
    println!("loud: {loud:?}");
    assert!(loud.len() <= 8, "{loud:?}");
}
