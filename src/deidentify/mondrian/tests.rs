//! A partition worked by hand, and properties on random worlds.

use proptest::prelude::*;

use super::*;
use crate::statistic::{Cell, Tally};

fn texts(n: u32) -> Vec<Arc<str>> {
    (0..n).map(|i| i.to_string().into()).collect()
}

fn columns(sizes: &[u32]) -> Vec<Hierarchy> {
    sizes.iter().map(|&n| Hierarchy::identity("x", &texts(n))).collect()
}

fn classes(sizes: &[u32], rows: &[Vec<u32>]) -> Classes {
    let mut table = Tally::new([&sizes.iter().map(|n| n + 2).collect::<Vec<_>>()[..], &[5]].concat());
    rows.iter().for_each(|row| table.add(row, Cell::rows(1)));
    Classes::of(&table, sizes.len()).unwrap()
}

/// Ages 0 to 9 and sex: six rows. Age spans 9 of 11 codes, sex 1 of 3, so age is cut: the median (third) row has age 2, and 0, 1, 2 | 7, 8, 9
/// halves. Each half of three rows cannot be cut again for k = 2 or 3.
#[test]
fn a_cut_at_the_median() {
    let rows = [(0, 0), (1, 1), (2, 0), (7, 1), (8, 1), (9, 0)].map(|(age, sex)| vec![age, sex, 0]);
    let (sizes, k) = ([10, 2], [Criterion::KAnonymity { k: 2 }]);
    let found = mondrian(&classes(&sizes, &rows), &columns(&sizes), &k).unwrap();
    assert_eq!(found.regions, [[(0, 2), (0, 1)], [(7, 9), (0, 1)]]);
    assert_eq!(found.written(&[1, 1]).unwrap(), ["[0, 2]", "[0, 1]"].map(Arc::from));
    assert_eq!(found.written(&[5, 1]), None);
    // Age 2/9 and sex 1/1 in every row.
    assert!((found.granularity - (2.0 / 9.0 + 1.0) / 2.0).abs() < 1e-15);
    assert_eq!(found.classes.iter().map(|class| class.count).collect::<Vec<_>>(), [3, 3]);
}

/// Four rows of one age and one of another: the median row's code is the last, so the cut is before it.
#[test]
fn a_cut_before_the_median() {
    let rows: Vec<Vec<u32>> = [3, 5, 5, 5, 5].map(|age| vec![age, 0]).to_vec();
    let found = mondrian(&classes(&[10], &rows), &columns(&[10]), &[Criterion::KAnonymity { k: 1 }]).unwrap();
    assert_eq!(found.regions, [[(3, 3)], [(5, 5)]]);
    assert_eq!(found.granularity, 0.0);
}

/// Unknown is code 10: with other values it has no name, alone it has.
#[test]
fn unknown_is_no_end_of_an_interval() {
    let rows: Vec<Vec<u32>> = [3, 10, 10].map(|age| vec![age, 0]).to_vec();
    let run = |k| mondrian(&classes(&[10], &rows), &columns(&[10]), &[Criterion::KAnonymity { k }]).unwrap();
    assert_eq!((run(3).written(&[10]).unwrap()[0].as_ref(), run(3).granularity), ("*", 1.0));
    assert_eq!(run(1).written(&[10]).unwrap()[0].as_ref(), crate::cohort::UNKNOWN);
}

#[test]
fn a_file_that_cannot_satisfy_is_refused() {
    let rows = vec![vec![0, 0]; 4];
    let result = mondrian(&classes(&[3], &rows), &columns(&[3]), &[Criterion::KAnonymity { k: 5 }]);
    assert_eq!(result, Err(ModelError::Unreachable));
}

proptest! {
    #[test]
    fn every_region_satisfies_the_criteria(
        mut rows in prop::collection::vec((0u32..8, 0u32..6, 0u32..4, 0u32..3).prop_map(|(a, b, c, s)| vec![a, b, c, s]), 1..60),
        k in 1u64..6, l in 1u64..3,
    ) {
        let sizes = [6, 6, 2];
        let criteria = [Criterion::KAnonymity { k }, Criterion::DistinctDiversity { l }];
        let run = |rows: &[Vec<u32>]| mondrian(&classes(&sizes, rows), &columns(&sizes), &criteria);
        let first = run(&rows);
        rows.reverse();
        prop_assert_eq!(&first, &run(&rows));
        let Ok(found) = first else { return Ok(()) };
        let reference = found.classes.reference();
        prop_assert!(criteria.iter().all(|criterion| criterion.attained(&found.classes, &reference).holds));
        prop_assert_eq!(found.classes.rows(), rows.len() as u64);
        // What is written groups the rows at least as coarsely.
        let mut groups: BTreeMap<Vec<Arc<str>>, u64> = BTreeMap::new();
        for row in &rows {
            *groups.entry(found.written(&row[..3]).unwrap().to_vec()).or_default() += 1;
        }
        prop_assert!(groups.values().all(|&rows| rows >= k));
    }
}
