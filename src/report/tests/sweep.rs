//! The section about thresholds.

use super::page::page;
use super::sample::{PLAIN, sample};
use crate::audit::bias::sweep::Sweep;

#[test]
fn thresholds_are_drawn_named_and_said_in_a_sentence() {
    let (mut audit, record) = sample(&PLAIN, 0);
    let swept = audit.bias.sweep.clone().expect("the sample has a score");
    assert!(swept.withheld.is_none() && !swept.sets.is_empty());
    let html = page(&audit, &record);
    for text in [
        "id=\"thresholds\"",
        "k-track",
        "deciles of the score",
        "Mann-Whitney U",
        "threshold of the score",
        "least over greatest rate",
        "least selection rate ",
    ] {
        assert!(html.contains(text), "{text}");
    }
    assert!(!html.contains("NaN"));
    let many = swept.sets.iter().cycle().take(40).cloned().collect();
    audit.bias.sweep = Some(Sweep { sets: many, ..swept.clone() });
    assert!(page(&audit, &record).contains("more sets of cohorts"));
    audit.bias.sweep = Some(Sweep { withheld: Some("counts are few".into()), sets: Vec::new(), ..swept });
    assert!(page(&audit, &record).contains("Not shown: counts are few"));
    audit.bias.sweep = None;
    assert!(!page(&audit, &record).contains("id=\"thresholds\""));
}

#[test]
fn under_a_limit_of_publication_there_is_no_sweep() {
    let (audit, record) = sample(&PLAIN, 5);
    let swept = audit.bias.sweep.clone().expect("it says why");
    assert!(swept.withheld.is_some() && swept.thresholds.is_empty() && swept.sets.is_empty());
    assert!(page(&audit, &record).contains("neighbouring thresholds differ by few rows"));
}
