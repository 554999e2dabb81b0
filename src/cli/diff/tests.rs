//! The text for a terminal: aligned, narrow, and with nothing raw from outside.

use super::*;
use crate::audit::changes::{CoefficientChange, ColumnChange, CriterionChange, FileChange, Findings, Setting};
use crate::cohort::Cohort;

const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;owned\u{7}\r\n<script>\u{202e}\0\u{9b}";

fn run_of(outcome: Outcome) -> RunOf {
    RunOf {
        run_id: HOSTILE.into(),
        pipeline: HOSTILE.into(),
        started_at: HOSTILE.into(),
        outcome,
        signed: true,
        generator: HOSTILE.into(),
        report_version: 1,
    }
}

/// Changes with a hostile text in every place.
fn hostile() -> Changes {
    let text = || HOSTILE.to_string();
    let pair = || Pair { before: Some(text()), after: None };
    let limit = Limit { level: Level::Deny, at_most: Some(0.2), at_least: None };
    let figure = Figure::Undefined { reason: text() };
    let cohort = Cohort { pairs: vec![(HOSTILE.into(), HOSTILE.into())] };
    let state =
        State { cohort: cohort.clone(), verdict: Verdict::Breached, waived: false, limit, value: Some(figure.clone()) };
    let what = What { metric: text(), compare: None, against: None, across: vec![text()] };
    let finding = FindingChange { code: text(), what: Some(what.clone()), before: None, after: Some(state) };
    let mut changes = Changes::none(run_of(Outcome::Pass), run_of(Outcome::Fail), None);
    changes.after.generator = format!("{HOSTILE}2");
    changes.findings = Findings { new: vec![finding; 30], ..Findings::default() };
    changes.counts.new = 30;
    let unsaid = Difference::Unsaid { why: Unsaid::NoValue };
    changes.values = vec![ValueChange {
        what: what.clone(),
        cohort,
        judged: true,
        before: Some(figure),
        after: None,
        movement: Movement::Unsaid,
        difference: unsaid,
    }];
    changes.criteria = vec![CriterionChange { what, before: None, after: Some(limit) }];
    changes.spec_sha256 = Some(Pair { before: text(), after: String::new() });
    changes.settings = vec![Setting { name: text(), before: Some(text()), after: None }];
    changes.columns = vec![ColumnChange {
        name: text(),
        there: Pair { before: true, after: true },
        roles: None,
        levels_added: vec![text()],
        levels_removed: vec![],
        domain: Some(Pair { before: text(), after: text() }),
        origin: None,
        derived: Some(pair()),
    }];
    changes.model.coefficients = vec![CoefficientChange { feature: Some(text()), before: Some(0.1), after: None }];
    changes.data.files = vec![FileChange { name: text(), before: Some(text()), after: None }];
    changes
}

#[test]
fn hostile_names_are_made_visible_wide_and_narrow() {
    for width in [40, 2000] {
        let text = text(&hostile(), 20, &Look { width, colour: false, unicode: true });
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        assert!(!text.contains('\u{202e}') && text.contains("\\u{1b}[31m"), "{text}");
        assert!(text.contains("30 new") && text.contains("and 10 more; --all shows them"), "{text}");
    }
    let all = text(&hostile(), usize::MAX, &Look { width: 2000, colour: false, unicode: true });
    assert!(!all.contains("--all"));
}

#[test]
fn only_headings_have_colour_and_none_without_a_terminal() {
    let look = Look { width: 200, colour: true, unicode: true };
    let escapes = text(&hostile(), 20, &look).replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
    assert!(!escapes.contains('\u{1b}'));
}

#[test]
fn numbers_never_look_like_a_zero_they_are_not() {
    let shown = [0.0, 0.2, -0.0004, 1e-9, 123.4567, 1e12].map(number);
    assert_eq!(shown, ["0.000", "0.200", "-4.00e-4", "1.00e-9", "123.457", "1.00e12"]);
    assert_eq!(limit(Some(0.2), None), "at most 0.200");
}
