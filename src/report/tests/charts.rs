//! Charts of a whole page: their figures are those of the tables, and each kind is where its evidence is.

use super::page::{around, page, private};
use super::sample::{PLAIN, Words, sample};
use crate::audit::{Edition, PathPoint};
use crate::plan::spec::Language;

/// Charts by their identifier: title and description.
fn charts(page: &str) -> Vec<(String, String, String)> {
    let between = |text: &str, from: &str, to: &str| {
        text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(text, _)| text.to_string())
    };
    let chart = |svg: &str| {
        let id = between(svg, "<title id=\"", "-t\">")?;
        let title = between(svg, &format!("{id}-t\">"), "</title>")?;
        Some((id.clone(), title, between(svg, &format!("{id}-d\">"), "</desc>")?))
    };
    page.split("<svg role=\"img\"").skip(1).filter_map(chart).collect()
}

/// The page without its charts.
fn without_charts(page: &str) -> String {
    let mut parts = page.split("<svg role=\"img\"");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |page, part| page + part.split_once("</svg>").map_or("", |(_, rest)| rest))
}

/// Figures of a sentence: what has a decimal point.
fn figures(text: &str) -> Vec<&str> {
    let of = |c: char| c.is_ascii_digit() || matches!(c, '.' | '−');
    let words = text.split(|c: char| !of(c)).map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.contains('.') && word.chars().any(|c| c.is_ascii_digit())).collect()
}

#[test]
fn figures_of_a_chart_are_those_of_the_table_beside_it() {
    let (audit, record) = sample(&PLAIN, 0);
    let shown = page(&audit, &record);
    let tables = without_charts(&shown);
    let charts = charts(&shown);
    for id in ["roc", "reliability", "coefficients", "path"] {
        assert!(charts.iter().any(|chart| chart.0 == id), "{id}");
    }
    let mut seen = 0;
    // Those of every threshold have more points than their table.
    for (id, title, description) in charts.iter().filter(|chart| !chart.0.starts_with('t')) {
        for figure in figures(description) {
            assert!(tables.contains(figure), "{id}, {title}: {figure} of {description}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
    let (audit, record) = private("people", Edition::Public);
    let shown = page(&audit, &record);
    let budget = self::charts(&shown).into_iter().find(|chart| chart.0 == "budget").unwrap();
    assert!(
        budget.2.contains("epsilon 2.5 of 10") && without_charts(&shown).contains("epsilon 2.5 of 10"),
        "{}",
        budget.2
    );
}

#[test]
fn limits_stand_beside_their_lines_and_wide_charts_scroll() {
    let (audit, record) = sample(&PLAIN, 0);
    let shown = page(&audit, &record);
    for text in [">at least 0.8</text>", ">at most 0.1</text>", "class=\"k-band\"", ">used</text>"] {
        assert!(shown.contains(text), "{text}");
    }
    let wide = shown.split("<svg role=\"img\" viewBox=\"0 0 520").count() - 1;
    let regions = "<div class=\"scroll wide-chart\" role=\"region\" tabindex=\"0\" aria-label=\"";
    assert_eq!(shown.matches(regions).count(), wide);
    let labels: Vec<&str> = shown
        .split("role=\"region\"")
        .skip(1)
        .filter_map(|rest| rest.split("aria-label=\"").nth(1)?.split('"').next())
        .collect();
    let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
    assert_eq!(distinct.len(), labels.len(), "every region has a name of its own: {labels:?}");
}

#[test]
fn curves_are_withheld_where_counts_are_and_absent_without_a_score() {
    let (mut audit, record) = sample(&PLAIN, 5);
    let found = audit.bias.curves.clone().expect("it says why");
    assert!(found.withheld.is_some() && found.roc.is_empty() && found.reliability.is_empty());
    let shown = page(&audit, &record);
    assert!(shown.contains("Curves are not shown: counts below a limit") && !shown.contains("id=\"roc-t\""));
    audit.bias.curves = None;
    let shown = page(&audit, &record);
    assert!(!shown.contains("Quality of the score"), "{}", around(&shown, "Quality of the score"));
}

#[test]
fn one_penalty_is_no_path_and_a_strength_of_zero_has_no_place() {
    let (mut audit, record) = sample(&PLAIN, 0);
    if let Some(model) = &mut audit.model {
        let zero = PathPoint { l1_ratio: 0.0, strength: 0.0, loss_mean: 0.4, loss_standard_error: f64::NAN };
        model.path = vec![zero, model.path[0].clone()];
    }
    let shown = page(&audit, &record);
    assert!(!shown.contains("id=\"path-t\"") && !shown.contains("NaN"));
}

#[test]
fn a_chinese_page_has_chinese_charts() {
    let words = Words { title: "信贷年度审计", column: "申请人性别", level: "女性" };
    let (mut audit, record) = sample(&words, 0);
    audit.pipeline.language = Language::ZhCn;
    let shown = page(&audit, &record);
    for text in ["ROC 曲线", "可靠性曲线", "不低于 0.8", "系数图", "按 申请人性别 划分", "部分点："]
    {
        assert!(shown.contains(text), "{text}");
    }
    for (id, _, description) in charts(&shown).iter().filter(|chart| !chart.0.starts_with('t')) {
        assert!(description.ends_with('。'), "{id}: {description}");
    }
}
