//! Sentences of the report itself, said in the language of the page where it is not English.
//!
//! `report.json` holds its reasons, cards and methods in English. What they are made of is there too, so in another language the page says
//! them from that; a sentence whose parts are not there stays English and is marked so.

use serde::Serialize;

use super::said;
use super::said::{Said, said};
use super::words::{self, figure, interval};
use crate::estimate::{Interval, Method, Why};
use crate::finding::Verdict;
use crate::plan::spec::Language;
use crate::report::document::{Card, Finding, Gate, Measured, Report};
use crate::report::language::{current, known, text};

/// Why a finding has its verdict.
pub fn reason(finding: &Finding, report: &Report) -> String {
    let english = || words::capitalised(&words::prose(&finding.reason));
    if current() == Language::En {
        return english();
    }
    let Some(gate) = &finding.gate else {
        let kind = finding.code.strip_prefix("judge/waiver/").and_then(|rest| rest.split('/').next());
        return match kind {
            Some("unmatched") => text!("reason-waiver-unmatched"),
            Some("invalid") => text!("reason-waiver-invalid"),
            Some("ended") => text!("reason-waiver-ended"),
            _ => english(),
        };
    };
    let said = match (&finding.measured, limit(gate)) {
        (None, _) | (_, None) => text!("reason-not-judged"),
        (Some(Measured::Undefined { why: reason }), _) => text!("reason-undefined", why = why(*reason)),
        (Some(Measured::Suppressed), _) => text!("reason-suppressed"),
        (Some(measured @ Measured::Estimated(_)), Some(limit)) => match measured.estimate() {
            Some(of) => judged(finding, report, (of.point, of.interval, of.support.n), limit),
            None => text!("reason-not-judged"),
        },
    };
    match too_few(&finding.reason) {
        Some((least, n)) => said + &text!("reason-too-few", least = least, n = n),
        None => said,
    }
}

/// A limit: its number, and whether values may be at most that.
fn limit(gate: &Gate) -> Option<(f64, bool)> {
    match (gate.at_most, gate.at_least) {
        (Some(most), None) => Some((most, true)),
        (None, Some(least)) => Some((least, false)),
        _ => None,
    }
}

fn judged(
    finding: &Finding,
    report: &Report,
    (point, own, n): (f64, Interval, i64),
    (limit, most): (f64, bool),
) -> String {
    let Some(widened) = &finding.judged_interval else {
        return text!("reason-few-rows", n = n, least = report.method.support_min);
    };
    let limit_text = figure(limit);
    let shown = |of: &Interval| format!("{} {}", figure(point), interval(of));
    let beyond = if most { "above" } else { "below" };
    match finding.verdict {
        Verdict::Breached => {
            let said = text!(&format!("reason-breached-{beyond}"), shown = shown(widened), limit = limit_text);
            if *widened == own { said } else { said + &text!("reason-together") }
        }
        Verdict::Met if most => text!("reason-met-most", shown = shown(&own), limit = limit_text),
        Verdict::Met => text!("reason-met-least", shown = shown(&own), limit = limit_text),
        Verdict::Undetermined | Verdict::NotMeasured => {
            let broken = match most {
                true => own.lower.is_some_and(|lower| lower > limit),
                false => own.upper.is_some_and(|upper| upper < limit),
            };
            if !broken {
                return text!("reason-inside", shown = shown(&own), limit = limit_text);
            }
            let inside =
                widened.lower.is_none_or(|lower| lower <= limit) && widened.upper.is_none_or(|upper| upper >= limit);
            match inside {
                true => text!(
                    &format!("reason-widened-{beyond}"),
                    shown = shown(&own),
                    limit = limit_text,
                    widened = interval(widened)
                ),
                false => text!(
                    &format!("reason-replicates-{beyond}"),
                    shown = shown(&own),
                    limit = limit_text,
                    n = report.method.replicates
                ),
            }
        }
    }
}

/// ` Cohorts left out, with fewer than 30 rows: 2.` at the end of a reason.
fn too_few(reason: &str) -> Option<(u64, u64)> {
    let (_, rest) = reason.split_once(" Cohorts left out, with fewer than ")?;
    let (least, rest) = rest.split_once(" rows: ")?;
    Some((least.parse().ok()?, rest.trim_end_matches('.').parse().ok()?))
}

/// Why there is no number.
pub fn why(why: Why) -> String {
    known(&format!("why-{}", word(&why))).unwrap_or_else(|| why.describe().into())
}

/// How the intervals of a report are made, a sentence for each way, in a language that is not that of the report.
pub fn intervals(report: &Report) -> Vec<Said> {
    let methods = report.readings.iter().filter_map(|reading| reading.measured.estimate()).map(|of| of.method);
    let used: std::collections::BTreeSet<Method> = methods.collect();
    used.into_iter()
        .map(|method| {
            let translated = known(&format!("translated-interval-{}", word(&method)));
            translated.map_or_else(|| said(method.describe()), Said::own)
        })
        .collect()
}

/// Name, formula and what it hides, of a metric.
pub fn card(card: &Card) -> (String, String, String) {
    // The English catalogue has no such keys.
    let of = |part: &str, english: &str| {
        known(&format!("metric-{}-{part}", card.id)).unwrap_or_else(|| words::sentence(english))
    };
    (said::metric(&card.id, &card.name), of("formula", &card.formula), of("hides", &card.hides))
}

/// The word that stands for a value in `report.json`.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric;
    use crate::report::document::pair;
    use crate::report::language::within;
    use crate::report::tests::sample::{PLAIN, sample};
    use crate::report::{files, run_json};

    #[test]
    fn every_metric_has_a_card_in_chinese() {
        within(Language::ZhCn, || {
            for metric::Card { id, .. } in metric::cards() {
                for part in ["name", "formula", "hides"] {
                    assert!(known(&format!("metric-{id}-{part}")).is_some(), "metric-{id}-{part}");
                }
            }
        });
    }

    /// One reason of each kind, by its word in report.json.
    #[test]
    fn a_missing_number_is_explained_in_the_same_words() {
        for name in [
            "empty-denominator",
            "no-weight",
            "too-many-cohorts",
            "ratio-of-signed",
            "biased-by-noise",
            "benefit-of-zero",
        ] {
            let reason: Why = serde_json::from_value(name.into()).unwrap();
            assert_eq!(why(reason), reason.describe());
            within(Language::ZhCn, || assert!(!why(reason).is_ascii(), "{name}"));
        }
    }

    #[test]
    fn reasons_in_chinese_have_the_numbers_of_the_english_ones() {
        let (audit, record) = sample(&PLAIN, 0);
        let (report, _) = pair(&files(&audit, None).unwrap().remove(0).1, &run_json(&record).unwrap()).unwrap();
        assert!(report.findings.iter().any(|finding| finding.verdict == Verdict::Breached));
        for finding in &report.findings {
            let english = reason(finding, &report);
            let chinese = within(Language::ZhCn, || reason(finding, &report));
            assert_eq!(english, words::capitalised(&words::prose(&finding.reason)));
            assert!(!chinese.is_ascii(), "{chinese}");
            let limits = finding.gate.iter().flat_map(|gate| [gate.at_most, gate.at_least]).flatten();
            let estimated = finding.measured.as_ref().is_some_and(|of| of.estimate().is_some());
            for limit in limits.filter(|_| estimated && finding.judged_interval.is_some()) {
                assert!(chinese.contains(&figure(limit)), "{chinese}");
            }
        }
        let ways = within(Language::ZhCn, || intervals(&report));
        assert!(!ways.is_empty() && ways.iter().all(|way| !way.plain().is_ascii()), "{ways:?}");
    }
}
