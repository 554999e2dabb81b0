//! Rows that share units: jackknife in place of tests.

use crate::audit::bias::Figure;
use crate::estimate::Share;
use crate::statistic::Cell;

use super::pool::{Line, Pool};

/// Rows spread over 100 buckets; in every bucket a line has the same counts, but for one row.
fn pool(dependent: bool) -> Pool {
    let share = |x: i64, n: i64| Share { numerator: Cell::rows(x), denominator: Cell::rows(n) };
    let line = |own: (i64, i64), other: (i64, i64)| Line {
        cohort: (0..100).map(|bucket| (bucket, share(own.0 + i64::from(bucket % 2), own.1))).collect(),
        other: (0..100).map(|bucket| (bucket, share(other.0 - i64::from(bucket % 3 == 0), other.1))).collect(),
        everyone: (0..100).map(|bucket| (bucket, Cell::rows(own.1 + other.1))).collect(),
    };
    Pool { lines: vec![line((2, 5), (4, 5)), line((4, 10), (3, 5))], dependent }
}

#[test]
fn dependent_rows_have_a_jackknife_and_no_tests() {
    let (rows, units) = (pool(false).adjusted("a".into(), None, 0.95), pool(true).adjusted("a".into(), None, 0.95));
    assert!(rows.tests.is_some() && rows.no_tests.is_none());
    assert!(units.tests.is_none() && units.no_tests.is_some());
    for (a, b) in [
        (&rows.difference, &units.difference),
        (&rows.value, &units.value),
        (&rows.other, &units.other),
        (&rows.odds_ratio, &units.odds_ratio),
        (&rows.rate_ratio, &units.rate_ratio),
        (&rows.rate_difference, &units.rate_difference),
        (&rows.crude, &units.crude),
    ] {
        let (a, b) = (a.point().unwrap(), b.point().unwrap());
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    // Buckets are nearly alike here, so units vary less than independent rows would.
    let width = |figure: &Figure| match figure {
        Figure::Estimated { lower: Some(lower), upper: Some(upper), .. } => upper - lower,
        other => panic!("{other:?}"),
    };
    assert!(width(&units.difference) > 0.0 && width(&units.difference) < width(&rows.difference));
    assert!(width(&units.odds_ratio) < width(&rows.odds_ratio));
}

#[test]
fn nothing_to_compare_is_undefined() {
    let empty = Pool { lines: Vec::new(), dependent: false }.adjusted("a".into(), None, 0.95);
    let (mut one, mut units) = (pool(false), pool(true));
    one.lines.iter_mut().for_each(|line| line.other.clear());
    units.lines.iter_mut().for_each(|line| line.other.clear());
    for found in [empty, one.adjusted("a".into(), None, 0.95), units.adjusted("a".into(), None, 0.95)] {
        assert_eq!(found.strata_used, 0);
        for figure in [&found.difference, &found.odds_ratio, &found.rate_difference, &found.value] {
            assert!(matches!(figure, Figure::Undefined { .. }), "{figure:?}");
        }
        assert!(found.tests.is_none() && found.no_tests.is_some());
    }
}
