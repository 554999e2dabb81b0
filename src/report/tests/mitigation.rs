//! The section on mitigation.

use super::page::page;
use super::sample::{PLAIN, sample};
use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Mitigation, NotTried, Outcome, Statement, Tried};
use crate::estimate::Interval;

fn figure(point: f64) -> Figure {
    Figure::new(point, Interval::new(point - 0.03, point + 0.03), 412)
}

fn outcome(gap: f64) -> Outcome {
    Outcome { quality: figure(0.742), gaps: vec![figure(gap), figure(gap / 2.0), Figure::Suppressed] }
}

fn tried(id: &str, gap: f64) -> Tried {
    let effect = |cohort: &str, level: f64| Effect {
        cohort: cohort.into(),
        rows: Some(1234),
        gain: Some(57),
        lose: Some(9),
        level: figure(level),
        true_positive: figure(level),
        false_positive: Figure::Undefined { reason: "no row is in the denominator".into() },
    };
    Tried {
        id: id.into(),
        reads_protected: true,
        outcome: outcome(gap),
        price: figure(-0.011),
        cohorts: vec![effect("female", 0.081), effect("male", -0.052)],
        levelling_down: Vec::new(),
        made: vec!["One threshold for each cohort.".into()],
        settings: vec![("female".into(), "1 from a score of 0.4310".into())],
    }
}

pub fn found(candidates: usize) -> Mitigation {
    Mitigation {
        across: vec!["sex".into()],
        confidence: 0.95,
        rows_chosen_on: 2000,
        rows_held_out: 3000,
        quality: "accuracy".into(),
        parities: ["selection-rate", "true-positive-rate", "equalized-odds"].map(String::from).to_vec(),
        used: None,
        before: outcome(0.21),
        candidates: (0..candidates).map(|i| tried(&format!("remedy-{i}"), 0.02 + i as f64 / 500.0)).collect(),
        not_tried: vec![NotTried { remedy: "massaging".into(), why: "no model".into() }],
        summary: vec!["Of the 2 candidates tried, remedy-0 has the smallest difference.".into()],
        warnings: vec![Statement {
            place: "European Union".into(),
            text: "A text. ".repeat(80),
            as_of: "2026-11".into(),
            source: "general knowledge".into(),
        }],
        notes: vec!["Chosen on one half.".into()],
    }
}

fn rendered(mitigation: Option<Mitigation>) -> String {
    let (mut audit, record) = sample(&PLAIN, 0);
    audit.bias.mitigation = mitigation;
    page(&audit, &record)
}

#[test]
fn candidates_have_figures_a_chart_and_who_gains() {
    let page = rendered(Some(found(2)));
    for text in [
        "id=\"mitigation\"",
        "remedy-1",
        "0.742",
        "[0.712, 0.772]",
        "[−0.041, 0.019]",
        "As of",
        "id=\"frontier-0-t\"",
        "1,234",
        "57",
        "massaging",
        "suppressed",
        "European Union",
        "1 from a score of 0.4310",
    ] {
        assert!(page.contains(text) || page.contains(&text.to_lowercase()), "{text}");
    }
    assert!(page.contains("frontier-1-t") && !page.contains("frontier-2-t"), "nothing is drawn of withheld figures");
    assert!(!page.contains("NaN"));
}

#[test]
fn what_is_cut_is_counted_and_nothing_is_shown_of_nothing() {
    let page = rendered(Some(found(130)));
    assert!(
        page.contains("And 30 more candidates, in report.json.")
            && page.contains("And 160 more lines, in report.json.")
    );
    assert!(!rendered(None).contains("id=\"mitigation\""));
    let empty = Mitigation { candidates: Vec::new(), ..found(0) };
    assert!(rendered(Some(empty)).contains("id=\"mitigation\""));
}
