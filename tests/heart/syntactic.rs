//! The numbers of pyCANON 1.3.6 and of direct computations on Adult, reproduced: six combinations of quasi-identifiers and sensitive attribute.
//!
//! Integers are equal, shares and logarithms agree within 1e-12. pyCANON floors entropy l, takes recursive c from counts in ascending order,
//! calls enhanced beta what no beta admits, and switches a numeric attribute to the ordered distance: those figures are computed here by
//! its rules and compared, and what stands in their place is asserted beside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use evenhand::deidentify::classes::Classes;
use evenhand::deidentify::criteria::{Absent, Criterion, Distance};
use evenhand::deidentify::hierarchy::Hierarchy;
use evenhand::deidentify::lattice::Search;
use evenhand::deidentify::risk::risk;
use evenhand::deidentify::utility::Objective;
use evenhand::statistic::{Cell, Tally};
use serde_json::Value;

/// The Adult file and the golden cases; none without the reference data.
fn reference() -> Option<(PathBuf, Vec<Value>)> {
    let folder = PathBuf::from(std::env::var_os("EVENHAND_REFERENCE_DATA")?);
    let text = std::fs::read_to_string(folder.join("golden/privacy.json")).expect("the golden file is there");
    let golden: Value = serde_json::from_str(&text).expect("the golden file is JSON");
    let cases = golden["syntactic_adult"]["cases"].as_array().expect("cases").clone();
    Some((folder.join("data/adult/adult.csv"), cases))
}

/// The value of a row in a column of the golden file, and how it sorts.
fn value(row: &csv::StringRecord, column: &str) -> (i64, String) {
    let number = |at: usize| row[at].parse::<i64>().expect("a number");
    match column {
        "age10" => (number(0) / 10, format!("{}", number(0) / 10)),
        "education3" => (0, ["low", "mid", "high"][usize::from(number(4) > 8) + usize::from(number(4) > 12)].into()),
        "hours" => (number(12), row[12].into()),
        "occupation" => (0, row[6].into()),
        "race" => (0, row[8].into()),
        "sex" => (0, row[9].into()),
        "income" => (0, row[14].into()),
        other => panic!("{other}"),
    }
}

/// Nine quasi-identifiers of the rows without a missing value, with steps that span 12,960 combinations of levels. What is bounded is the number
/// of combinations whose classes are formed: it does not depend on the machine.
#[test]
fn nine_quasi_identifiers_of_adult() {
    let Some((path, _)) = reference() else { return };
    let mut reader = csv::Reader::from_path(path).expect("the data file is there");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a record")).collect();
    let rows: Vec<&csv::StringRecord> = rows.iter().filter(|row| !row.iter().any(|field| field == "?")).collect();
    assert_eq!(rows.len(), 30_162);
    // Column of the file, and widths of its intervals over the levels in order.
    let columns: [(usize, &[usize]); 9] =
        [(0, &[5, 10, 20]), (3, &[3, 6]), (5, &[3]), (13, &[8]), (6, &[5]), (8, &[]), (14, &[]), (9, &[]), (1, &[3])];
    let levels: Vec<Vec<Arc<str>>> = columns
        .iter()
        .map(|(at, _)| rows.iter().map(|row| Arc::from(&row[*at])).collect::<BTreeSet<_>>().into_iter().collect())
        .collect();
    let mut tally = Tally::new(levels.iter().map(|levels| levels.len() as u32 + 2).collect());
    for row in &rows {
        let code = |(levels, (at, _)): (&Vec<Arc<str>>, &(usize, &[usize]))| {
            levels.binary_search(&Arc::from(&row[*at])).expect("a level") as u32
        };
        tally.add(&levels.iter().zip(&columns).map(code).collect::<Vec<_>>(), Cell::rows(1));
    }
    let hierarchies: Vec<Hierarchy> = levels
        .iter()
        .zip(&columns)
        .map(|(levels, (at, widths))| Hierarchy::widths(&at.to_string(), levels, widths).expect("nested"))
        .collect();
    let classes = Classes::of(&tally, 9).expect("classes");
    let criteria = [Criterion::KAnonymity { k: 5 }];
    for (suppression_max, objective, most) in [
        (0.0, Objective::Granularity, 400),
        (0.0, Objective::Discernibility, 400),
        (0.0, Objective::AverageClassSize, 400),
        (0.0, Objective::NonUniformEntropy, 600),
        (0.02, Objective::Granularity, 1000),
        (0.02, Objective::NonUniformEntropy, 1600),
    ] {
        let search = Search { hierarchies: &hierarchies, criteria: &criteria, suppression_max, objective };
        let found = search.run(&classes).expect("a solution");
        assert_eq!(found.nodes, 12_960);
        assert!(found.evaluated <= most, "{}: {} evaluated", objective.name(), found.evaluated);
        assert!(found.suppressed as f64 <= suppression_max * 30_162.0);
        assert!(found.classes.iter().all(|class| class.count >= 5));
        assert_eq!(found.classes.rows() + found.suppressed, 30_162);
    }
}

/// The table of a case, quasi-identifiers first, and the levels of each axis.
fn table(rows: &[csv::StringRecord], columns: &[&str]) -> (Tally, Vec<Vec<Arc<str>>>) {
    let mut levels: Vec<Vec<(i64, String)>> = Vec::new();
    for column in columns {
        levels.push(rows.iter().map(|row| value(row, column)).collect::<BTreeSet<_>>().into_iter().collect());
    }
    let mut tally = Tally::new(levels.iter().map(|levels| levels.len() as u32 + 2).collect());
    for row in rows {
        let code = |(levels, column): (&Vec<(i64, String)>, &&str)| {
            levels.binary_search(&value(row, column)).expect("a level") as u32
        };
        tally.add(&levels.iter().zip(columns).map(code).collect::<Vec<_>>(), Cell::rows(1));
    }
    let texts = levels.iter().map(|levels| levels.iter().map(|(_, text)| text.as_str().into()).collect()).collect();
    (tally, texts)
}

/// pyCANON's c: of counts in ascending order, the least over the sum from the l-th on, plus one, floored; the greatest over classes.
fn ascending_c(classes: &Classes, l: usize) -> f64 {
    let of = |counts: Vec<u64>| (counts[0] as f64 / counts[l - 1..].iter().sum::<u64>() as f64 + 1.0).floor();
    classes.iter().map(|class| of(sorted(class.sensitive))).fold(0.0, f64::max)
}

fn sorted(sensitive: &[(u32, u64)]) -> Vec<u64> {
    let mut counts: Vec<u64> = sensitive.iter().map(|(_, count)| *count).collect();
    counts.sort_unstable();
    counts
}

/// How many values were compared.
struct Case<'a> {
    golden: &'a Value,
    compared: usize,
}

impl Case<'_> {
    fn near(&mut self, key: &str, found: Option<f64>) {
        let (found, golden) = (found.unwrap_or_else(|| panic!("{key} is undefined")), self.golden[key].as_f64());
        let golden = golden.unwrap_or_else(|| panic!("{key} is no number"));
        assert!((found - golden).abs() <= 1e-12 * golden.abs().max(1e-3), "{key}: {found}, not {golden}");
        self.compared += 1;
    }

    fn criteria(&mut self, classes: &Classes) {
        let reference = classes.reference();
        let attained = |criterion: Criterion| criterion.attained(classes, &reference).value;
        self.near("k", attained(Criterion::KAnonymity { k: 1 }));
        self.near("alpha", attained(Criterion::AlphaK { alpha: 1.0, k: 1 }));
        self.near("distinct_l", attained(Criterion::DistinctDiversity { l: 1 }));
        let entropy = attained(Criterion::EntropyDiversity { l: 1.0 });
        self.near("entropy_l_exact", entropy);
        // A floor of 2 less a rounding error is 1.
        self.near("entropy_l_pycanon_floor", entropy.map(|l| if l == 2.0 { 1.0 } else { l.floor() }));
        let equal = attained(Criterion::Closeness { t: 1.0, distance: Distance::Equal });
        let ordered = attained(Criterion::Closeness { t: 1.0, distance: Distance::Ordered });
        self.near("t_equal_distance_exact", equal);
        let numeric = self.golden["sensitive"] == "hours";
        self.near("t_closeness_pycanon", if numeric { ordered } else { equal });
        if numeric {
            self.near("t_ordered_exact", ordered);
        }
        self.near(
            "delta_disclosure_pycanon",
            attained(Criterion::DeltaDisclosure { delta: 1.0, absent: Absent::Skipped }),
        );
        let basic = attained(Criterion::BasicBeta { beta: 1.0 });
        self.near("basic_beta_pycanon", basic);
        let rarest = reference.counts.iter().filter(|count| **count > 0).min().map(|count| *count as f64);
        let cap = rarest.map(|rarest| (reference.rows as f64 / rarest).ln());
        self.near("enhanced_beta_pycanon", basic.zip(cap).map(|(basic, cap)| basic.min(cap)));
        match attained(Criterion::EnhancedBeta { beta: 1.0 }) {
            Some(beta) => assert_eq!(Some(beta), basic),
            None => assert!(!Criterion::EnhancedBeta { beta: 1e9 }.attained(classes, &reference).holds),
        }
        let l = self.golden["recursive_l"].as_u64().expect("a count");
        let recursive = attained(Criterion::RecursiveDiversity { c: 1.0, l });
        match self.golden["recursive_c"].is_null() {
            true => assert_eq!((recursive, l), (None, 1)),
            false => {
                self.near("recursive_c", Some(ascending_c(classes, l as usize)));
                assert!(recursive.expect("defined") >= 1.0 / l as f64);
            }
        }
        self.near("recursive_l", attained(Criterion::DistinctDiversity { l: 1 }));
    }

    fn risks(&mut self, classes: &Classes) {
        let risk = risk(classes, &[0.2, 0.05]).expect("rows");
        for (key, found) in [
            ("rows", risk.rows as f64),
            ("classes", risk.classes as f64),
            ("min_class", risk.class_min as f64),
            ("max_class", risk.class_max as f64),
            ("singletons", risk.sample_uniques * risk.rows as f64),
            ("prosecutor_max", risk.prosecutor_max),
            ("marketer", risk.prosecutor_mean),
            ("records_at_risk_gt_0.2", risk.at_risk[0]),
            ("records_at_risk_gt_0.05", risk.at_risk[1]),
            ("pycanon_average_rir", risk.prosecutor_class_mean),
            ("pycanon_max_rir", risk.prosecutor_max),
        ] {
            self.near(key, Some(found));
        }
    }

    fn losses(&mut self, classes: &Classes, hierarchies: &[Hierarchy]) {
        for (key, objective) in [
            ("discernibility_no_suppression", Objective::Discernibility),
            ("avg_class_size", Objective::AverageClassSize),
        ] {
            let criteria = [Criterion::KAnonymity { k: 1 }];
            let solution = Search { hierarchies, criteria: &criteria, suppression_max: 0.0, objective }.run(classes);
            self.near(
                key,
                solution.ok().filter(|found| found.levels.iter().all(|level| *level == 0)).map(|found| found.loss),
            );
        }
    }
}

#[test]
fn adult_in_six_cases() {
    let Some((path, cases)) = reference() else { return };
    let mut reader = csv::Reader::from_path(path).expect("the data file is there");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a record")).collect();
    assert_eq!(cases.len(), 6);
    let mut compared = 0;
    for golden in &cases {
        let mut columns: Vec<&str> =
            golden["quasi_identifiers"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
        columns.push(golden["sensitive"].as_str().expect("a name"));
        let (tally, levels) = table(&rows[..golden["rows"].as_u64().expect("a count") as usize], &columns);
        let quasi = columns.len() - 1;
        let classes = Classes::of(&tally, quasi).expect("classes");
        let hierarchies: Vec<Hierarchy> =
            columns[..quasi].iter().zip(&levels).map(|(name, levels)| Hierarchy::identity(name, levels)).collect();
        let mut case = Case { golden, compared: 0 };
        case.criteria(&classes);
        case.risks(&classes);
        case.losses(&classes, &hierarchies);
        // Every field but the names, and recursive c where there is none.
        let fields = golden.as_object().expect("fields").values().filter(|field| field.is_number()).count();
        assert_eq!(case.compared, fields);
        compared += case.compared;
    }
    assert!(compared > 140, "{compared} values");
}
