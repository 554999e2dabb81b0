//! Do numbers at the ends of what they can be, empty selections and odd keys mean the same on every engine?

use super::*;

#[test]
fn no_rows_and_no_kept_rows_are_empty_statistics_not_missing_ones() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["a,b\n", "a,b", "a,b\r\n\r\n", "a,b\n1,x\n2,y\n"] {
        let mut scan = scan(
            vec![file(&folder, "t.csv", text.as_bytes())],
            Format::Csv,
            &[("a", Reading::Number), ("b", Reading::Text)],
        );
        scan.keep = Some(evenhand::plan::expression::parse("a > 5").unwrap());
        let demands: Vec<Demand> =
            extremes(0.0, 1.0, 8).into_iter().map(|demand| Demand { rows: Rows::Kept, ..demand }).collect();
        let (mine, oracle) =
            (collect(&ENGINE, &scan, &demands).unwrap(), collect(&Reference, &scan, &demands).unwrap());
        assert!(mine == oracle, "{text:?}");
        assert_eq!(mine.receipts().len(), demands.len());
        assert_eq!(mine.tally("cells").unwrap().total().n, 0);
    }
}

/// Every shape that computes with the numbers of column a.
fn extremes(lower: f64, upper: f64, bins: u32) -> Vec<Demand> {
    let a = || Scalar::column("a");
    let fixed = || Fixed { of: a(), lower, upper };
    let levels: Arc<[Arc<str>]> = ["x".into(), "x".into(), "y".into()].into();
    let axes =
        vec![Axis::Levels { of: Scalar::column("b"), levels }, Axis::Edges { of: a(), edges: vec![0.0, 1.0, 1e300] }];
    let moments = |limbs| Shape::Moments {
        by: axes[..1].to_vec(),
        of: vec![fixed()],
        weights: vec![fixed()],
        cross: vec![fixed()],
        gram: true,
        limbs,
    };
    vec![
        demand("cells", Shape::Tally { axes: axes.clone(), weight: None }),
        demand("weights", Shape::Tally { axes: axes.clone(), weight: Some(a()) }),
        demand("one", moments(Limbs::One)),
        demand("two", moments(Limbs::Two)),
        demand(
            "bins",
            Shape::Histogram { by: vec![], of: a(), bins: Some(Bins { lower: lower.max(-1e308), upper, count: bins }) },
        ),
        demand("classes", Shape::ClassSizes { of: vec![a(), Scalar::column("b")], memory_bytes_max: 1 << 24 }),
        demand("panel", Shape::Panel { of: vec![a()], key: RowKey::Row, salt: "s".into(), limit: 3, distinct: false }),
    ]
}

/// Numbers at the ends of what a double holds, intervals without a width or with one beyond a double, weights beyond all sense.
#[test]
fn extreme_numbers_mean_the_same_on_every_engine() {
    let folder = tempfile::tempdir().unwrap();
    let values = [
        "1e308",
        "-1e308",
        "1.7976931348623157e308",
        "5e-324",
        "-0",
        "0",
        "",
        "nan",
        "inf",
        "1e400",
        "2",
        "-2",
        "0.5",
        "3e12",
    ];
    let rows: String = (0..5_000).map(|i| format!("{},{}\n", values[i % 14], ["x", "y", "z", ""][i % 4])).collect();
    let many: String = (0..9_000).map(|i| format!("{}.5,x\n", i - 4_500)).collect();
    for (name, body) in [("few.csv", rows), ("many.csv", many)] {
        let path = file(&folder, name, format!("a,b\n{body}").as_bytes());
        let scan = scan(vec![path], Format::Csv, &[("a", Reading::Number), ("b", Reading::Text)]);
        for (lower, upper) in [
            (0.0, 1.0),
            (0.0, 0.0),
            (1.0, 0.0),
            (-1e308, 1e308),
            (0.0, f64::INFINITY),
            (0.0, 5e-324),
            (1e15, 1e15 + 0.125),
            (f64::NAN, 1.0),
        ] {
            for bins in [0, 1, 7] {
                let demands = extremes(lower, upper, bins);
                let (mine, oracle) =
                    (collect(&ENGINE, &scan, &demands).unwrap(), collect(&Reference, &scan, &demands).unwrap());
                for what in ["one", "two"] {
                    assert_eq!(
                        mine.moments(what).unwrap(),
                        oracle.moments(what).unwrap(),
                        "{name} [{lower}, {upper}] {what}"
                    );
                }
                assert!(mine == oracle, "{name} [{lower}, {upper}] {bins} bins");
                let none = mine.moments("one").unwrap().groups.values().all(|sums| sums.n == 0);
                assert_eq!(
                    none,
                    !(upper - lower > 0.0 && upper - lower < f64::INFINITY),
                    "an interval of no width places no value: [{lower}, {upper}]"
                );
            }
        }
    }
}

#[test]
fn columns_in_memory_hold_finite_numbers_and_no_negative_zero() {
    let n = 3;
    let memory =
        |numbers: Vec<f64>, rows| Memory { columns: vec![("a".into(), Vector::Number(numbers))], rows, threads: 2 };
    let scan =
        scan(vec![], Format::Csv, &[("a", Reading::Number), ("a:text", Reading::Text), ("a:wrong", Reading::NoNumber)]);
    let found = collect(&memory(vec![f64::INFINITY, -0.0, f64::NAN], n), &scan, &histograms(&scan)).unwrap();
    assert_eq!(held(&found, "a"), ["0 x 1", "missing x 2"]);
    assert_eq!(held(&found, "a:text"), ["0 x 1", "missing x 2"]);
    assert_eq!(held(&found, "a:wrong"), ["0 x 1", "1 x 1", "missing x 1"]);
    let mut distinct: Vec<f64> = (0..4096).map(f64::from).collect();
    distinct.push(-0.0);
    let found = collect(&memory(distinct, 4097), &scan, &histograms(&scan)).unwrap();
    assert_eq!(held(&found, "a")[0], "0 x 2");
    for rows in [0, 2, 4] {
        assert!(refused(&memory(vec![1.0; 3], rows), &scan, &histograms(&scan)).contains("3 rows"), "{rows}");
    }
}

#[test]
fn more_cells_than_a_code_can_number_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scan =
        scan(vec![file(&folder, "t.csv", b"a,b\n1,x\n")], Format::Csv, &[("a", Reading::Number), ("b", Reading::Text)]);
    let axis = || Axis::Edges { of: Scalar::column("a"), edges: (0..65_534).map(f64::from).collect() };
    let by = |n: usize| (0..n).map(|_| axis()).collect::<Vec<_>>();
    let fixed = || Fixed { of: Scalar::column("a"), lower: 0.0, upper: 1.0 };
    for shape in [
        Shape::Tally { axes: by(4), weight: None },
        Shape::Histogram { by: by(4), of: Scalar::column("a"), bins: None },
        Shape::Moments { by: by(4), of: vec![fixed()], weights: vec![], cross: vec![], gram: true, limbs: Limbs::One },
    ] {
        for engine in [&ENGINE as &dyn Engine, &Reference] {
            let demands = [demand("huge", shape.clone())];
            assert!(refused(engine, &scan, &demands).contains("huge: more cells than can be numbered"));
        }
    }
    let demands = [demand("large", Shape::Tally { axes: by(3), weight: None })];
    assert!(collect(&ENGINE, &scan, &demands).unwrap() == collect(&Reference, &scan, &demands).unwrap());
}

/// Two columns are one key, and no text can pass for a border between them or for a missing value.
#[test]
fn keys_that_look_alike_are_different_classes() {
    let folder = tempfile::tempdir().unwrap();
    let text = "a,b\np\u{1f}q,r\np,q\u{1f}r\n\\N,x\n,x\nlong,1\nlong,1\n";
    let scan =
        scan(vec![file(&folder, "t.csv", text.as_bytes())], Format::Csv, &[("a", Reading::Text), ("b", Reading::Text)]);
    let classes = |memory_bytes_max| {
        [demand("key", Shape::ClassSizes { of: vec![Scalar::column("a"), Scalar::column("b")], memory_bytes_max })]
    };
    for engine in [&ENGINE as &dyn Engine, &Reference] {
        let found = collect(engine, &scan, &classes(1 << 20)).unwrap();
        let sizes = found.class_sizes("key").unwrap();
        assert_eq!((sizes.classes.get(&1), sizes.classes.get(&2), sizes.missing), (Some(&3), Some(&1), 1));
    }
    // Memory is taken by keys, not by rows.
    let repeated = ["a,b\n", &"1,2\n".repeat(100_000)].concat();
    let scan = self::scan(
        vec![file(&folder, "r.csv", repeated.as_bytes())],
        Format::Csv,
        &[("a", Reading::Text), ("b", Reading::Text)],
    );
    assert_eq!(collect(&Reference, &scan, &classes(1 << 12)).unwrap().class_sizes("key").unwrap().repeated(), 100_000);
}
