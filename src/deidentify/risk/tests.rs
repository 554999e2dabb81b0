//! What the worked examples of `tests/cases/syntactic.md` leave out.

use super::*;
use crate::statistic::{Cell, Tally};

#[test]
fn no_rows_no_risk() {
    assert_eq!(risk(&Classes::default(), &[0.2]), None);
}

#[test]
fn five_rows_are_not_above_one_fifth() {
    let sizes = Tally { sizes: vec![4], cells: [(0, Cell::rows(5)), (1, Cell::rows(4)), (2, Cell::rows(1))].into() };
    let risk = risk(&Classes::of(&sizes, 1).unwrap(), &[0.2, 0.25]).unwrap();
    assert_eq!(risk.at_risk, [0.5, 0.1]);
    assert_eq!((risk.class_min, risk.class_max, risk.sample_uniques), (1, 5, 0.1));
    assert_eq!(risk.journalist, None);
}
