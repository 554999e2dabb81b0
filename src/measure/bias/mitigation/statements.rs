//! What is said of candidates: numbers, who was lowered, and what rules say of decisions by cohort.

use crate::audit::bias::Figure;
use crate::audit::bias::mitigation::{Effect, Outcome, Statement, Tried};
use crate::plan::Plan;

fn ends(figure: &Figure) -> Option<(f64, f64, f64)> {
    match figure {
        Figure::Estimated { point, lower, upper, .. } => {
            Some((*point, lower.unwrap_or(f64::NEG_INFINITY), upper.unwrap_or(f64::INFINITY)))
        }
        Figure::Undefined { .. } | Figure::Suppressed => None,
    }
}

fn text(figure: &Figure) -> String {
    let end = |end: &Option<f64>| end.map_or("unbounded".to_string(), |end| format!("{end:.3}"));
    match figure {
        Figure::Estimated { point, lower, upper, .. } => format!("{point:.3} [{}, {}]", end(lower), end(upper)),
        Figure::Undefined { reason } => format!("undefined ({reason})"),
        Figure::Suppressed => "suppressed".into(),
    }
}

/// In words.
fn spoken(parity: &str) -> &str {
    match parity {
        "selection-rate" => "selection rates",
        "true-positive-rate" => "true positive rates",
        "equalized-odds" => "true or false positive rates, whichever is the greater",
        _ => "mean predictions",
    }
}

/// Of every parity the candidate of the smallest gap, and which others its interval overlaps with.
pub fn summary(parities: &[String], before: &Outcome, tried: &[Tried]) -> Vec<String> {
    let mut sentences = Vec::new();
    for (at, parity) in parities.iter().enumerate() {
        let of = |outcome: &Outcome| outcome.gaps.get(at).and_then(ends);
        let known: Vec<(&Tried, (f64, f64, f64))> =
            tried.iter().filter_map(|one| Some((one, of(&one.outcome)?))).collect();
        let Some((best, figure)) = known.iter().copied().reduce(|a, b| if b.1.0 < a.1.0 { b } else { a }) else {
            continue;
        };
        let overlaps = |(_, lower, upper): &(f64, f64, f64)| *lower <= figure.2 && figure.1 <= *upper;
        let others: Vec<&str> = known
            .iter()
            .filter(|(one, other)| one.id != best.id && overlaps(other))
            .map(|(one, _)| one.id.as_str())
            .collect();
        let with = match others.len() {
            0 => "no other candidate".to_string(),
            n @ 1..=4 => format!("{n} others ({})", others.join(", ")),
            n => format!("{n} others ({} and more)", others[..4].join(", ")),
        };
        let was = match of(before) {
            Some(was) if overlaps(&was) => " and with that of the decisions as they were",
            Some(_) => " and not with that of the decisions as they were",
            None => "",
        };
        let value = best.outcome.gaps.get(at).map(text).unwrap_or_default();
        let earlier = before.gaps.get(at).map(text).unwrap_or_default();
        sentences.push(format!(
            "Of the {} candidates tried, {} has the smallest difference in {}: {value}; before it was {earlier}. Its interval overlaps with that of {with}{was}. {} changes by {}.",
            tried.len(),
            best.id,
            spoken(parity),
            if parity == "mean-prediction" { "The root mean squared error" } else { "Accuracy" },
            text(&best.price)
        ));
    }
    let lowered = tried.iter().flat_map(|one| one.levelling_down.iter().map(|text| format!("{}: {text}", one.id)));
    sentences.extend(lowered);
    if !sentences.is_empty() {
        sentences.push("The smallest of several figures is in part the luckiest; the intervals are those of each candidate alone. Which cost is worth which gap is not a question of numbers.".into());
    }
    sentences
}

/// The change of one rate.
type Read = fn(&Effect) -> &Figure;

/// Where a gap got smaller and rates fell, both beyond their intervals, and no cohort's rate rose (Mittelstadt, Wachter and Russell 2023).
///
/// The gaps are of the same rows; that their intervals do not overlap is more than it takes.
pub fn levelling_down(before: &Outcome, after: &Outcome, effects: &[Effect]) -> Vec<String> {
    let rates: [(usize, &str, Read); 2] =
        [(0, "selection rates", |effect| &effect.level), (1, "true positive rates", |effect| &effect.true_positive)];
    let mut found = Vec::new();
    for (at, what, of) in rates {
        let gap = |outcome: &Outcome| outcome.gaps.get(at).and_then(ends);
        let closed = gap(before).zip(gap(after)).is_some_and(|((_, was, _), (.., is))| is < was);
        let changes: Vec<(&str, &Figure, f64)> = effects
            .iter()
            .filter_map(|effect| Some((effect.cohort.as_str(), of(effect), of(effect).point()?)))
            .collect();
        let fallen: Vec<String> = changes
            .iter()
            .filter(|(_, figure, _)| ends(figure).is_some_and(|(.., upper)| upper < 0.0))
            .map(|(cohort, figure, _)| format!("{cohort} {}", text(figure)))
            .collect();
        if closed && !fallen.is_empty() && changes.iter().all(|(.., change)| *change <= 0.0) {
            found.push(format!("The difference in {what} is smaller because they fall, and they rise for nobody: {}. That is levelling down (Mittelstadt, Wachter and Russell 2023).", fallen.join("; ")));
        }
    }
    found
}

const AS_OF: &str = "2026-11";

/// Rules on decisions that look at the protected column; none where no candidate does.
pub fn warnings(tried: &[Tried]) -> Vec<Statement> {
    if !tried.iter().any(|one| one.reads_protected) {
        return Vec::new();
    }
    let statement = |place: &str, text: &str, source: &str| Statement {
        place: place.into(),
        text: text.into(),
        as_of: AS_OF.into(),
        source: source.into(),
    };
    vec![
        statement(
            "United States, employment",
            "Title VII: different cutoff scores by race, colour, religion, sex or national origin are an unlawful employment practice (section 703(l)), and a decision by one of these is disparate treatment.",
            "general knowledge of the statute; not legal advice",
        ),
        statement(
            "United States, credit",
            "Equal Credit Opportunity Act: a creditor may not take a prohibited basis into account in a decision (15 U.S.C. 1691; 12 CFR 1002.4 and 1002.6(b)). A rule that reads the protected column for a decision does. The federal effects test was removed from Regulation B from 21 July 2026; that does not allow different treatment.",
            "general knowledge of the statute; secondary sources for 2026; not legal advice",
        ),
        statement(
            "European Union",
            "GDPR article 9: racial or ethnic origin, health, religion and others are special categories; to process them for a decision needs one of its exceptions. AI Act article 10(5) is about finding and correcting bias, not about deciding by the column. Directives on equal treatment forbid less favourable treatment on their grounds.",
            "general knowledge of the texts; not legal advice",
        ),
        statement(
            "Everywhere else",
            "Whether a decision may look at a protected column depends on the place, the field and the column. Ask before one of these candidates is used.",
            "general knowledge",
        ),
    ]
}

/// How candidates were made and measured.
pub fn notes(plan: &Plan, tried: &[Tried]) -> Vec<String> {
    let mut notes = vec![match &plan.spec.train {
        None => "Rules were chosen on one half of the rows and measured on the other, by a public hash of the key.".to_string(),
        Some(train) if train.split.calibration > 0.0 => "Thresholds were chosen on the calibration part, models fitted to the training part, and all measured on the test part.".into(),
        Some(_) => "Thresholds were chosen on the rows that the model was fitted to, for train.split.calibration is 0; scores of those are a little better than of others. Effects were measured on the test part.".into(),
    }];
    if plan.spec.train.is_some() && !plan.mitigates_predictions() {
        notes.push("Models that were fitted again were fitted to a panel of at most 50,000 training rows, without rounds over all of them; a part of their difference to the model is that.".into());
    }
    if tried.iter().any(|one| one.reads_protected) {
        notes.push("Candidates marked so read the protected column for every decision. Rows of unknown or undeclared levels are decided as before, or as rows of no cohort.".into());
    }
    if !plan.mitigates_predictions() {
        notes.push(
            "Rows without a label are in no choice: where labels are known only of some, rules are chosen for those."
                .into(),
        );
    }
    if plan.weight.is_some() {
        notes.push("Rules were chosen with every row counted once; effects are by weight.".into());
    }
    notes
}
