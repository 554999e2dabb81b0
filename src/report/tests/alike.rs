//! The sections of subgroups and of alike rows.

use super::page::page;
use super::sample::{PLAIN, sample};
use crate::audit::bias::Figure;
use crate::audit::bias::individual::{Consistency, Direction, Flip, Individual, OfCohort};
use crate::audit::bias::subgroups::{Found, Search, Subgroups};
use crate::report::document::Report;
use crate::report::files;

fn figure(point: f64) -> Figure {
    Figure::Estimated { point, lower: Some(point - 0.06), upper: Some(point + 0.06), n: 120 }
}

fn found(at: usize) -> Found {
    Found {
        conditions: vec!["age from 25 to below 34".into(), format!("region = r{at}")],
        score: Some(0.71),
        inside: figure(0.26),
        outside: figure(0.14),
        difference: figure(0.12),
        p: Some(0.0003),
        p_adjusted: Some(0.006),
        likelihood_ratio: Some(5.5),
        sentence: "age from 25 to below 34 and region = south: 31 of 120 wrong".into(),
        measured: None,
    }
}

fn search(of: &str, found: Vec<Found>) -> Search {
    Search {
        of: of.into(),
        what: "wrong".into(),
        numeric: false,
        rows_searched: Some(812),
        rows_tested: Some(788),
        rows_min: 30,
        overall: Some(figure(0.15)),
        counted: 1732,
        tested: found.len() as u32 + 2,
        found,
        not_searched: None,
    }
}

pub fn subgroups(many: usize) -> Subgroups {
    let few = Search { not_searched: Some("too few rows".into()), ..search("false-positive", Vec::new()) };
    Subgroups {
        columns: vec!["age".into(), "region".into()],
        depth_max: 3,
        alpha: 0.95,
        confidence: 0.95,
        searches: vec![search("error", (0..many).map(found).collect()), search("selected", Vec::new()), few],
        notes: vec!["Every row counts once, whatever its weight.".into()],
    }
}

pub fn individual() -> Individual {
    let cohort = |value: Figure| OfCohort { cohort: "sex = female".into(), value };
    Individual {
        consistency: vec![Consistency {
            of: "decision".into(),
            neighbours: 5,
            columns: vec!["income".into()],
            scale: "the width of the bounds".into(),
            others: figure(0.79),
            with_itself: figure(0.83),
            cohorts: vec![cohort(figure(0.77)), cohort(Figure::Suppressed)],
        }],
        flips: vec![Flip {
            column: "sex".into(),
            is_input: true,
            any: figure(0.11),
            cohorts: vec![cohort(figure(0.13))],
            directions: vec![Direction {
                from: "female".into(),
                to: "male".into(),
                gains: figure(0.13),
                loses: Figure::Estimated { point: 0.0, lower: Some(0.0), upper: Some(0.03), n: 120 },
            }],
        }],
        notes: vec!["The flip test switches one column and holds all others.".into()],
    }
}

#[test]
fn subgroups_are_shown_with_their_figures_and_what_did_not_hold() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let without = page(&audit, &record);
    assert!(!without.contains("id=\"subgroups\"") && !without.contains("id=\"individual\""));
    audit.bias.subgroups = Some(subgroups(2));
    audit.bias.individual = Some(individual());
    let shown = page(&audit, &record);
    for text in [
        "age from 25 to below 34 and region = r1",
        "<b>0.260</b>",
        "[0.060, 0.180]",
        "0.006",
        "2 more were tested and did not hold on the other half.",
        "2 subgroups were tested, none held on the other half.",
        "Not searched: too few rows.",
        "1,732",
        "at most 5 % a search",
        "Consistency of the decision",
        "<b>0.790</b>",
        "Flip test of sex",
        "female to male",
        "withheld, because",
        "The flip test switches one column",
    ] {
        assert!(shown.contains(text), "{text}");
    }
    let many = subgroups(400);
    audit.bias.subgroups = Some(many.clone());
    let cut = page(&audit, &record);
    assert!(cut.contains("more subgroups, in report.json.") && !cut.contains("region = r399"));
    // What is written is read back.
    let written = files(&audit, None).unwrap().remove(0).1;
    let report: Report = serde_json::from_slice(&written).unwrap();
    assert_eq!((report.bias.subgroups, report.bias.individual), (Some(many), Some(individual())));
}
