//! The sections of rules and of inferred membership on the page.

use super::page::page;
use super::sample::{PLAIN, sample};
use crate::audit::bias::Figure;
use crate::audit::bias::inferred::{Inferred, Level, Metric, Rows};
use crate::audit::bias::regulation::{Cell, Regulation, Row, Source, Statement, Table};

fn figure(point: f64) -> Figure {
    Figure::Estimated { point, lower: Some(point - 0.1), upper: None, n: 120 }
}

pub fn regulation(rows: usize) -> Regulation {
    let row = |i: usize| Row {
        cohort: format!("category {i}"),
        cells: vec![
            Cell::Count { value: 1234 },
            Cell::number(Some(f64::NAN)),
            Cell::Figure { figure: figure(0.75) },
            Cell::words("yes"),
            Cell::Figure { figure: Figure::Suppressed },
        ],
    };
    Regulation {
        rule: "ugesp".into(),
        name: "Uniform Guidelines".into(),
        facts: vec![("Source of the data".into(), "not stated".into())],
        statements: vec![Statement {
            text: "Four fifths of the highest rate.".into(),
            as_of: "2026-11-23".into(),
            source: Source::Secondary,
            from: "a copy".into(),
        }],
        not_said: vec!["A ratio does not end the question.".into()],
        tables: vec![Table {
            title: "sex".into(),
            headings: ["Applicants", "p-value", "Ratio", "Below", "Other"].map(String::from).to_vec(),
            rows: (0..rows).map(row).collect(),
            notes: vec!["Unknown: 3 rows.".into()],
        }],
        results: vec!["sex: F against M: ratio 0.728.".into()],
        not_measured: String::new(),
    }
}

pub fn inferred() -> Inferred {
    let level = |level: &str| Level {
        level: level.into(),
        column: format!("p_{level}"),
        reference: level == "White",
        expected: Some(80.0),
        n_effective: None,
    };
    Inferred {
        name: "race".into(),
        method: String::new(),
        rows: Rows {
            used: Some(160),
            missing: Some(3),
            out_of_range: Some(0),
            sum_wrong: None,
            sum_wrong_share_max: 0.0,
        },
        not_measured: String::new(),
        levels: vec![level("Black"), level("White")],
        metrics: vec![Metric {
            metric: "selection-rate".into(),
            values: vec![figure(0.25625), figure(0.51875)],
            ratios: vec![Some(figure(0.494)), None],
            worst: figure(0.2625),
            worst_pair: "Black and White".into(),
        }],
        caveats: vec!["The intervals cover sampling of rows.".into()],
    }
}

#[test]
fn rules_have_numbers_dates_sources_and_what_they_do_not_say() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let before = page(&audit, &record);
    assert!(!before.contains("id=\"regulation\"") && !before.contains("id=\"inferred\""));
    audit.bias.regulation =
        vec![regulation(130), Regulation { not_measured: "there is no decision".into(), ..regulation(0) }];
    audit.bias.inferred =
        vec![inferred(), Inferred { not_measured: "no row has all probabilities".into(), ..inferred() }];
    let page = page(&audit, &record);
    for part in [
        "id=\"regulation\"",
        "href=\"#regulation\"",
        "Uniform Guidelines",
        "1,234",
        "<b>0.750</b>",
        "suppressed",
        "2026-11-23",
        "secondary source",
        "What the rule does not say",
        "A ratio does not end the question.",
        "And 30 more rows, in report.json.",
        "Not measured: there is no decision",
        "id=\"inferred\"",
        "race (inferred)",
        "not stated in the pipeline file",
        "White, the reference",
        "Greatest difference, Black and White",
        "withheld",
        "Not measured: no row has all probabilities",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("category 99<").count(), 1);
    assert_eq!(page.matches("category 100<").count(), 0);
}
