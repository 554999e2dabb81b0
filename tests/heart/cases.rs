//! The worked examples in `tests/cases`: cells, and what must follow from them. No data are needed.

use std::collections::BTreeMap;

use evenhand::estimate::{Measured, Sample, contrast};
use evenhand::metric::{Against, COMPOSITES, Comparison, Confusion, RATES};
use evenhand::statistic::Cell;

use crate::audit::{ends, point};

/// Literals have 15 decimals.
const TOLERANCE: f64 = 1e-12;

/// A table: the words of its heading, and its rows.
pub struct Table<'a> {
    pub section: &'a str,
    pub columns: Vec<&'a str>,
    pub rows: Vec<Vec<&'a str>>,
}

fn fields(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// The tables of a Markdown text, with the heading each stands under.
pub fn tables(text: &str) -> Vec<Table<'_>> {
    let (mut tables, mut section, mut inside): (Vec<Table>, &str, bool) = (Vec::new(), "", false);
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        match (line.starts_with('|'), inside) {
            (true, false) => tables.push(Table { section, columns: fields(line), rows: Vec::new() }),
            (true, true) if !line.starts_with("|---") => {
                tables.last_mut().expect("inside a table").rows.push(fields(line))
            }
            _ => {}
        }
        inside = line.starts_with('|');
    }
    tables
}

fn count(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no count"))
}

/// A number, or none for `undefined`; an empty field is not looked at.
fn agrees(found: Option<f64>, written: &str, what: &str) {
    match written {
        "" => {}
        "undefined" => assert_eq!(found, None, "{what}"),
        number => {
            let number: f64 = number.parse().unwrap_or_else(|_| panic!("{number:?} is no number"));
            let found = found.unwrap_or_else(|| panic!("{what} is undefined, not {number}"));
            assert!((found - number).abs() <= TOLERANCE * number.abs().max(1e-3), "{what} is {found}, not {number}");
        }
    }
}

fn confusion(tp: i64, fp: i64, fn_: i64, tn: i64) -> Confusion {
    let mut table = Confusion::default();
    for (label, decision, n) in [(1, 1, tp), (0, 1, fp), (1, 0, fn_), (0, 0, tn)] {
        table.add(label, decision, Cell::rows(n));
    }
    table
}

fn sample(metric: &str, table: &Confusion) -> Sample {
    let rate = RATES.iter().find(|rate| rate.card.id == metric).unwrap_or_else(|| panic!("{metric} is no rate"));
    Sample::share(&(rate.of)(table))
}

/// Checks the tables of one file; returns how many values were compared.
fn check(text: &str) -> usize {
    let mut cells: BTreeMap<(&str, &str), Confusion> = BTreeMap::new();
    let mut compared = 0;
    for table in tables(text) {
        let section = table.section;
        match table.columns.as_slice() {
            ["cohort", "n", "TP", "FP", "FN", "TN"] => {
                for row in &table.rows {
                    let [n, tp, fp, fn_, tn] = [1, 2, 3, 4, 5].map(|i| count(row[i]));
                    assert_eq!(n, tp + fp + fn_ + tn, "{}", row[0]);
                    cells.insert((section, row[0]), confusion(tp, fp, fn_, tn));
                }
            }
            ["cohort", "metric", "value", "lower", "upper"] => {
                for row in &table.rows {
                    let measured = sample(row[1], &cells[&(section, row[0])]).measure(0.95);
                    compared += agree(&measured, &row[2..], &format!("{section}: {} of {}", row[1], row[0]));
                }
            }
            ["cohort", "with", "metric", "comparison", "value", "lower", "upper"] => {
                for row in &table.rows {
                    let samples = [row[0], row[1]].map(|cohort| sample(row[2], &cells[&(section, cohort)]));
                    let comparison = if row[3] == "ratio" { Comparison::Ratio } else { Comparison::Difference };
                    let result = contrast(
                        comparison,
                        Against::Reference,
                        &samples,
                        &Sample::share(&Default::default()),
                        Some(1),
                        0.95,
                    );
                    compared += agree(
                        &result[0].measured,
                        &row[4..],
                        &format!("{section}: {} of {} with {}", row[2], row[0], row[1]),
                    );
                }
            }
            other => panic!("a table of {other:?}"),
        }
    }
    compared
}

fn agree(measured: &Measured, written: &[&str], what: &str) -> usize {
    let interval = ends(measured);
    for (found, written) in [point(measured), interval.lower, interval.upper].into_iter().zip(written) {
        agrees(found, written, what);
    }
    written.iter().filter(|field| !field.is_empty()).count()
}

#[test]
fn count_tables_of_the_reference_data() {
    for (name, text, least) in [
        ("compas", include_str!("../cases/compas.md"), 900),
        ("adult", include_str!("../cases/adult.md"), 700),
        ("synth", include_str!("../cases/synth.md"), 400),
    ] {
        let compared = check(text);
        assert!(compared >= least, "{name}: {compared} values");
    }
}

#[test]
fn a_wrong_literal_is_found() {
    let text = "## s\n| cohort | n | TP | FP | FN | TN |\n|---|---|---|---|---|---|\n| a | 4 | 1 | 1 | 1 | 1 |\n\n\
                | cohort | metric | value | lower | upper |\n|---|---|---|---|---|\n| a | accuracy | 0.5 | | |\n";
    assert_eq!(check(text), 1);
    let wrong = text.replace("0.5", "0.500000000001");
    assert!(std::panic::catch_unwind(|| check(&wrong)).is_err());
    let undefined = text.replace("0.5", "undefined");
    assert!(std::panic::catch_unwind(|| check(&undefined)).is_err());
}

/// The three by three cells of a section of `rates.md`.
fn worked_table(table: &Table) -> Confusion {
    let mut confusion = Confusion::default();
    for row in &table.rows {
        let label = match row[0] {
            "1" => 1,
            "0" => 0,
            _ => 2,
        };
        for (decision, n) in [1, 0, 2].into_iter().zip(&row[1..]) {
            confusion.add(label, decision, Cell::rows(count(n)));
        }
    }
    confusion
}

#[test]
fn rates_worked_by_hand() {
    let all = tables(include_str!("../cases/rates.md"));
    assert_eq!(all.len(), 9, "three cases of three tables");
    for case in all.chunks(3) {
        let confusion = worked_table(&case[0]);
        let written = |table: &Table| table.rows.iter().map(|row| row[0].to_string()).collect::<Vec<_>>();
        assert_eq!(written(&case[1]), RATES.iter().map(|rate| rate.card.id).collect::<Vec<_>>());
        assert_eq!(written(&case[2]), COMPOSITES.iter().map(|composite| composite.card.id).collect::<Vec<_>>());
        for (row, rate) in case[1].rows.iter().zip(&RATES) {
            let share = (rate.of)(&confusion);
            assert_eq!((share.numerator.n, share.denominator.n), (count(row[1]), count(row[2])), "{}", row[0]);
            agrees(share.value(), row[3], row[0]);
        }
        for (row, composite) in case[2].rows.iter().zip(&COMPOSITES) {
            let cells = [
                confusion.true_positive(),
                confusion.false_positive(),
                confusion.false_negative(),
                confusion.true_negative(),
            ];
            agrees((composite.of)(cells.map(|cell| cell.w as f64)), row[2], row[0]);
        }
    }
}
