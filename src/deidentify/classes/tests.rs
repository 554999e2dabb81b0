//! Classes of small tables.

use super::*;
use crate::statistic::Cell;

fn table(sizes: &[u32], cells: &[(&[u32], i64)]) -> Tally {
    let mut table = Tally::new(sizes.to_vec());
    cells.iter().for_each(|(codes, n)| table.add(codes, Cell::rows(*n)));
    table
}

#[test]
fn cells_of_equal_quasi_identifiers_are_one_class() {
    let classes = Classes::of(&table(&[3, 4], &[(&[0, 1], 2), (&[0, 3], 1), (&[2, 0], 5), (&[1, 1], 0)]), 1).unwrap();
    let found: Vec<_> =
        classes.iter().map(|class| (class.codes.to_vec(), class.count, class.sensitive.to_vec())).collect();
    assert_eq!(found, [(vec![0], 3, vec![(1, 2), (3, 1)]), (vec![2], 5, vec![(0, 5)])]);
    assert_eq!(classes.reference(), Reference { counts: vec![5, 2, 0, 1], rows: 8 });
    let bare = Classes::of(&table(&[3, 4], &[(&[0, 1], 2), (&[0, 3], 1)]), 2).unwrap();
    assert_eq!((bare.len(), bare.rows(), bare.has_sensitive()), (2, 3, false));
}

#[test]
fn a_population_adds_classes_without_rows() {
    let classes = Classes::of(&table(&[3, 4], &[(&[0, 1], 2)]), 1).unwrap();
    let both = classes.with_population(&table(&[3], &[(&[0], 4), (&[1], 9)])).unwrap();
    let found: Vec<_> = both.iter().map(|class| (class.codes[0], class.count, class.population)).collect();
    assert_eq!(found, [(0, 2, Some(4)), (1, 0, Some(9))]);
    let merged = both.merged(&[&[0, 0, 0]]);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged.class(0), Class { codes: &[0], count: 2, population: Some(13), sensitive: &[(1, 2)] });
    let retained = both.retain(|class| class.count > 0);
    assert_eq!((retained.len(), retained.class(0).sensitive), (1, &[(1, 2)][..]));
}

#[test]
fn tables_that_are_no_classes_are_refused() {
    let of = |sizes: &[u32], cells: &[(&[u32], i64)], quasi| Classes::of(&table(sizes, cells), quasi).unwrap_err();
    assert_eq!(of(&[2, 2, 2], &[], 1), ModelError::Axes { axes: 3, quasi: 1 });
    assert_eq!(of(&[2], &[], 0), ModelError::Axes { axes: 1, quasi: 0 });
    assert_eq!(of(&[2], &[], 1), ModelError::Empty);
    assert_eq!(of(&[2], &[(&[0], -3)], 1), ModelError::Negative);
    assert_eq!(of(&[2], &[(&[0], 1 << 53), (&[1], 1)], 1), ModelError::Rows);
    assert_eq!(of(&[4], &[(&[0], i64::MAX), (&[1], i64::MAX), (&[2], i64::MAX)], 1), ModelError::Rows);
    assert_eq!(of(&[u32::MAX, u32::MAX, u32::MAX], &[], 3), ModelError::Cells);
    let classes = Classes::of(&table(&[2], &[(&[0], 3)]), 1).unwrap();
    assert_eq!(classes.with_population(&table(&[3], &[])).unwrap_err(), ModelError::Population);
    let crowd = table(&[2], &[(&[0], i64::MAX), (&[1], i64::MAX)]);
    assert_eq!(classes.with_population(&crowd).unwrap_err(), ModelError::Rows);
    assert_eq!(classes.with_population(&table(&[2], &[(&[0], 2)])).unwrap_err(), ModelError::Sample);
    assert_eq!(classes.with_population(&table(&[2], &[])).unwrap_err(), ModelError::Sample);
}
