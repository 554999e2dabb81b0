//! Groups worked by hand, and properties.

use proptest::prelude::*;

use super::*;

/// 1 2 3 10 11 12 20, k = 2, mean 59/7: farthest is 20, with 12; farthest from 20 is 1, with 2; 3, 10, 11 are left and too few for two groups.
/// Within: 32 + 1/2 + 38 = 70.5; total: 779 - 59^2 / 7 = 1972 / 7.
#[test]
fn groups_of_one_column() {
    let found = microaggregate(&[vec![10.0, 1.0, 20.0, 2.0, 12.0, 3.0, 11.0]], 2).unwrap();
    assert_eq!(found.groups, [2, 1, 0, 1, 0, 2, 2]);
    assert_eq!(found.columns, [[8.0, 1.5, 16.0, 1.5, 16.0, 8.0, 8.0]]);
    assert_eq!(found.sizes, [2, 2, 3]);
    assert!((found.information_loss.unwrap() - 70.5 * 7.0 / 1972.0).abs() < 1e-12);
}

/// Four rows, k = 2: 2k remain, so one group around the farthest from the mean and the rest. The second column is 1000 times the first and
/// counts the same after standardisation.
#[test]
fn columns_count_the_same() {
    let found = microaggregate(&[vec![0.0, 1.0, 5.0, 7.0], vec![0.0, 1000.0, 5000.0, 7000.0]], 2).unwrap();
    assert_eq!(found.groups, [1, 1, 0, 0]);
    assert_eq!(found.columns[1], [500.0, 500.0, 6000.0, 6000.0]);
}

#[test]
fn equal_rows_have_no_loss_to_share() {
    let found = microaggregate(&[vec![0.1; 9]], 2).unwrap();
    assert_eq!(found.information_loss, None);
    assert!(found.sizes.iter().all(|size| (2..4).contains(size)));
}

#[test]
fn what_cannot_be_grouped_is_refused() {
    for (columns, k) in [(vec![], 1), (vec![vec![1.0]], 2), (vec![vec![1.0]], 0), (vec![vec![1.0], vec![]], 1)] {
        assert_eq!(microaggregate(&columns, k), Err(ModelError::Groups));
    }
    for value in [f64::NAN, f64::INFINITY, -1e101] {
        assert_eq!(microaggregate(&[vec![0.0, value]], 1), Err(ModelError::Value { column: 0, row: 1 }));
    }
}

proptest! {
    #[test]
    fn groups_are_large_enough_and_keep_the_mean(
        rows in prop::collection::vec((-5i32..5, -50i32..50), 1..60), k in 1usize..6,
    ) {
        let columns = |rows: &[(i32, i32)]| vec![
            rows.iter().map(|row| row.0.into()).collect::<Vec<f64>>(),
            rows.iter().map(|row| row.1.into()).collect::<Vec<f64>>(),
        ];
        let own = columns(&rows);
        let Ok(found) = microaggregate(&own, k) else {
            prop_assert!(rows.len() < k);
            return Ok(());
        };
        prop_assert!(found.sizes.iter().all(|&size| size >= k && size < 2 * k.max(1) + k));
        prop_assert_eq!(found.sizes.iter().sum::<usize>(), rows.len());
        for (written, own) in found.columns.iter().zip(&own) {
            prop_assert!((written.iter().sum::<f64>() - own.iter().sum::<f64>()).abs() < 1e-9);
        }
        prop_assert!(found.information_loss.is_none_or(|loss| (0.0..=1.0 + 1e-12).contains(&loss)));
        // The rows in another order are written alike.
        let mut reversed = rows.clone();
        reversed.reverse();
        let other = microaggregate(&columns(&reversed), k).unwrap();
        let sorted = |found: &Microaggregation| {
            let mut all: Vec<[u64; 2]> = (0..rows.len()).map(|row| [0, 1].map(|at| found.columns[at][row].to_bits())).collect();
            all.sort_unstable();
            all
        };
        prop_assert_eq!(sorted(&found), sorted(&other));
        prop_assert_eq!(found.information_loss, other.information_loss);
    }
}
