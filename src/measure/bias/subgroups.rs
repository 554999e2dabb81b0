//! Search for combinations of columns where a model does worst.
//!
//! At most `rows_max` rows of the measured part, those of smallest keyed hash, are put in two halves by another part of the hash. One half is
//! searched, exactly ([`slices`]); at most [`TESTED_MAX`] subgroups, without conditions that add nothing beyond chance and none the same story
//! twice, are tested on the other ([`held_out`]). Only
//! those that hold there are reported. Every row counts once: weights are for how far a sample stands for a population, and a subgroup where
//! a model errs is one of rows.
//!
//! Not searched are unions of levels, which the scan of Zhang and Neill (2016) looks for: with a union of any levels of every column a
//! subgroup is no longer a sentence. The log-likelihood ratio of their scan is given for every subgroup found.
//!
//! Where counts below a limit are not published a subgroup needs twice as many rows to be searched for, and its figures are shown only if all four
//! counts of rows by subgroup and loss reach the limit or are 0 for a subgroup alone and for it crossed with every one shown before: what two
//! published subgroups leave of one another is then no smaller. Numbers of rows of the halves are withheld too.

use std::sync::Arc;

use super::Context;
use crate::audit::Reading;
use crate::audit::bias::Figure;
use crate::audit::bias::subgroups::{Found, Search, Subgroups};
use crate::cohort::Cohort;
use crate::demand::{Demand, RowKey, Shape};
use crate::estimate::equality::holm;
use crate::estimate::{BUCKETS, Estimate, Measured};
use crate::evidence::Missing;
use crate::finding::{Finding, Verdict};
use crate::measure::{Subject, demand, never};
use crate::plan::Plan;
use crate::plan::spec::{Level, Loss, Subgroups as Spec};
use crate::scalar::Scalar;
use crate::schema::Role;

mod held_out;
mod rows;
mod slices;

use held_out::{Outcome, Tested, likelihood_ratio};
use rows::{Outcomes, Rows};
pub use rows::{mix, number};
use slices::{Bits, Choice, Condition, Losses, Question, Slice};

const NAME: &str = "measure/subgroups";
/// Subgroups that are tested.
const TESTED_MAX: usize = 20;
/// Best subgroups that those tested are chosen from.
const KEPT_MAX: usize = 10_000;
/// Combinations after which a search is given up.
const COUNTED_MAX: u64 = 5_000_000;

/// The columns whose levels are combined.
fn columns(plan: &Plan, spec: &Spec) -> Vec<Arc<str>> {
    if !spec.columns.is_empty() {
        return spec.columns.iter().map(|name| Arc::from(name.as_str())).collect();
    }
    let has = |role| plan.schema.columns.iter().filter(move |column| column.is(role));
    let mut names: Vec<Arc<str>> =
        has(Role::Feature).chain(has(Role::Protected)).map(|column| column.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The rows that are searched and tested: columns, label, decision, target, prediction.
pub fn demands(plan: &Plan, subject: &Subject) -> Vec<Demand> {
    let Some(spec) = plan.spec.measure.subgroups.as_ref().filter(|_| plan.spec.privacy.is_none()) else {
        return Vec::new();
    };
    let mut of: Vec<Scalar> = columns(plan, spec).iter().map(|name| Scalar::column(name)).collect();
    let target = subject.target.as_ref().map(|target| target.of.clone());
    let outcomes = [subject.label.clone(), subject.decision.clone(), target, subject.prediction.clone()];
    of.extend(outcomes.into_iter().map(|of| of.unwrap_or_else(never)));
    let (key, salt, limit) = (plan.key.clone(), plan.salt("subgroups"), spec.rows_max as usize);
    let shape = Shape::Panel { of, key, salt, limit, distinct: false };
    vec![demand(NAME, &plan.part(Plan::TEST), shape)]
}

pub fn measure(
    context: &Context,
    _readings: &mut Vec<Reading>,
    _notes: &mut Vec<String>,
) -> Result<Option<Subgroups>, Missing> {
    let plan = context.plan;
    let Some(spec) = plan.spec.measure.subgroups.as_ref().filter(|_| plan.spec.privacy.is_none()) else {
        return Ok(None);
    };
    let panel = context.released.panel(NAME)?;
    let names = columns(plan, spec);
    let held: usize = panel.rows().map(|(_, _, n)| n as usize).sum();
    let repeated: usize = panel.rows().map(|(_, _, n)| n as usize - 1).sum();
    // The smallest hashes of equal rows are some rows again and again, not a sample of them.
    let no_sample = plan.key == RowKey::Row && held == spec.rows_max as usize && 100 * repeated > held;
    let rows = Rows::of(plan, panel, &names, BUCKETS);
    let measure = &plan.spec.measure;
    let (confidence, limit) = (measure.confidence, usize::try_from(measure.suppress_below).unwrap_or(usize::MAX));
    let protocol = Protocol { confidence, limit, dependent: plan.dependent };
    let search = |&of: &Loss| match no_sample {
        true => not_searched(
            of,
            "many rows are equal and no column tells them apart, so a part of them is no sample: write [ingest] key, or a greater rows_max",
        ),
        false => Searched { protocol, spec, rows: &rows, of }.search(),
    };
    let mut notes = vec![
        "A subgroup is searched for in one half of the rows and tested in the other; only those that hold there are reported.".to_owned(),
        "Every row counts once, whatever its weight. Unions of levels are not searched.".to_owned(),
    ];
    if held == spec.rows_max as usize {
        notes.push(format!("At most {held} rows were looked at, those of smallest hash."));
    }
    if plan.spec.measure.suppress_below > 1 {
        notes.push("Numbers of rows are withheld, and the figures of subgroups of which a count is below the publication limit or would give one away.".into());
    }
    Ok(Some(Subgroups {
        columns: names.iter().map(|name| name.to_string()).collect(),
        depth_max: spec.depth_max,
        alpha: spec.alpha,
        confidence: plan.spec.measure.confidence,
        searches: losses(context, spec).iter().map(search).collect(),
        notes,
    }))
}

/// What is searched for: what is written, or errors of the kind there is.
fn losses(context: &Context, spec: &Spec) -> Vec<Loss> {
    if !spec.of.is_empty() {
        return spec.of.clone();
    }
    let subject = context.subject;
    match (&subject.label, &subject.decision, &subject.prediction) {
        (Some(_), Some(_), _) => vec![Loss::Error],
        (_, _, Some(_)) => vec![Loss::AbsoluteError],
        _ => vec![Loss::NotSelected],
    }
}

/// Findings of level warn, one for each subgroup that held.
pub fn findings(found: &Subgroups) -> Vec<Finding> {
    let one = |search: &Search, found: &Found| Finding {
        code: format!("subgroup/{}/{}", search.of, found.conditions.join(" and ")).into(),
        gate: None,
        cohort: Cohort::everyone(),
        measured: found.measured.clone(),
        judged_interval: None,
        // The difference holds on rows the subgroup was not found on, with the confidence of the run.
        verdict: Verdict::Breached,
        level: Level::Warn,
        reason: found.sentence.as_str().into(),
        waiver: None,
    };
    found.searches.iter().flat_map(|search| search.found.iter().map(move |found| one(search, found))).collect()
}

/// The name in a pipeline file, and what a row of that loss is.
fn words(of: Loss) -> (&'static str, &'static str) {
    match of {
        Loss::Error => ("error", "wrong"),
        Loss::FalsePositive => ("false-positive", "of negative label and decided positive"),
        Loss::FalseNegative => ("false-negative", "of positive label and decided negative"),
        Loss::NotSelected => ("not-selected", "not selected"),
        Loss::Selected => ("selected", "selected"),
        Loss::AbsoluteError => ("absolute-error", "mean absolute error"),
        Loss::SquaredError => ("squared-error", "mean squared error"),
    }
}

/// The loss of a row; none for a row that is not looked at.
fn loss(of: Loss, row: &Outcomes) -> Option<f64> {
    let truth = |truth: bool| f64::from(u8::from(truth));
    match of {
        Loss::Error => Some(truth(row.label? != row.decision?)),
        Loss::FalsePositive => row.decision.filter(|_| row.label == Some(false)).map(truth),
        Loss::FalseNegative => row.decision.filter(|_| row.label == Some(true)).map(|yes| truth(!yes)),
        Loss::NotSelected => row.decision.map(|yes| truth(!yes)),
        Loss::Selected => row.decision.map(truth),
        Loss::AbsoluteError => Some((row.prediction? - row.target?).abs()),
        Loss::SquaredError => Some((row.prediction? - row.target?).powi(2)),
    }
    .filter(|loss| loss.is_finite())
}

fn not_searched(of: Loss, why: &str) -> Search {
    let (name, what) = words(of);
    Search {
        of: name.into(),
        what: what.into(),
        numeric: of.is_numeric(),
        rows_searched: None,
        rows_tested: None,
        rows_min: 0,
        overall: None,
        counted: 0,
        tested: 0,
        found: Vec::new(),
        not_searched: Some(why.into()),
    }
}

/// What holds for every search of a plan.
#[derive(Debug, Clone, Copy)]
struct Protocol {
    confidence: f64,
    /// Counts below this are not published.
    limit: usize,
    dependent: bool,
}

/// One search.
struct Searched<'a> {
    protocol: Protocol,
    spec: &'a Spec,
    rows: &'a Rows,
    of: Loss,
}

impl Searched<'_> {
    fn search(&self) -> Search {
        let half = |searched: bool| {
            let of = move |row: usize| {
                let own = self.rows.searched.get(row) == Some(&searched);
                self.rows.outcomes.get(row).filter(|_| own).and_then(|outcomes| Some((row, loss(self.of, outcomes)?)))
            };
            (0..self.rows.len()).filter_map(of).collect::<Vec<(usize, f64)>>()
        };
        let (searched, tested) = (half(true), half(false));
        let limit = self.protocol.limit;
        let rows_min = self.spec.rows_min.map_or((searched.len() / 100).max(30), |rows| rows as usize);
        let rows_min = if limit > 1 { rows_min.max(limit.saturating_mul(2)) } else { rows_min };
        if searched.len().min(tested.len()) < rows_min.max(1).saturating_mul(2) {
            return not_searched(self.of, "too few rows: a half of them has not two subgroups of the least size");
        }
        let losses = Losses::of(searched.iter().map(|(_, loss)| *loss).collect());
        let conditions = self.conditions(&searched, rows_min);
        let question = Question {
            alpha: self.spec.alpha,
            rows_min,
            depth_max: self.spec.depth_max as usize,
            kept_max: KEPT_MAX,
            counted_max: COUNTED_MAX,
        };
        let best = slices::search(&losses, &conditions, question);
        if !best.complete {
            return not_searched(
                self.of,
                "there are too many combinations to look at all of them: name fewer columns, or write a smaller depth_max or a greater rows_min",
            );
        }
        let choice = Choice { losses: &losses, conditions: &conditions, question };
        let chosen = choice.apart(&best.slices, TESTED_MAX);
        let found = self.test(&chosen, &conditions, &tested);
        let overall = Tested {
            rows: tested.iter().map(|&(row, loss)| (loss, true, self.bucket(row))).collect(),
            numeric: self.of.is_numeric(),
            dependent: self.protocol.dependent,
        };
        let count = |rows: &[(usize, f64)]| (limit <= 1).then_some(rows.len() as i64);
        let mut search = not_searched(self.of, "");
        search.not_searched = None;
        search.rows_searched = count(&searched);
        search.rows_tested = count(&tested);
        search.rows_min = rows_min as i64;
        search.overall = (limit <= 1).then(|| Figure::of(&overall.test(self.protocol.confidence).inside));
        (search.counted, search.tested, search.found) = (best.counted, chosen.len() as u32, found);
        search
    }

    fn bucket(&self, row: usize) -> u32 {
        self.rows.bucket.get(row).copied().unwrap_or_default()
    }

    fn code(&self, column: usize, row: usize) -> Option<u32> {
        self.rows.columns.get(column)?.codes.get(row).copied()
    }

    /// Every level with enough rows in the searched half, and not all of them.
    fn conditions(&self, searched: &[(usize, f64)], rows_min: usize) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (column, of) in self.rows.columns.iter().enumerate() {
            let mut sizes = vec![0usize; of.conditions.len()];
            for &(row, _) in searched {
                let code = self.code(column, row).unwrap_or_default() as usize;
                sizes.get_mut(code).into_iter().for_each(|size| *size += 1);
            }
            for (code, _) in sizes.iter().enumerate().filter(|(_, n)| (rows_min..searched.len()).contains(*n)) {
                let holds =
                    |at: usize| searched.get(at).is_some_and(|&(row, _)| self.code(column, row) == Some(code as u32));
                conditions.push(Condition { column, code: code as u32, rows: Bits::of(searched.len(), holds) });
            }
        }
        conditions
    }

    /// Tests the chosen on the other half and keeps those that hold, by score.
    fn test(&self, chosen: &[Slice], conditions: &[Condition], tested: &[(usize, f64)]) -> Vec<Found> {
        let confidence = self.protocol.confidence;
        let inside = |slice: &Slice, row: usize| {
            let of = slice.conditions.iter().filter_map(|&at| conditions.get(at));
            of.into_iter().all(|condition| self.code(condition.column, row) == Some(condition.code))
        };
        let members: Vec<Vec<bool>> =
            chosen.iter().map(|slice| tested.iter().map(|&(row, _)| inside(slice, row)).collect()).collect();
        let outcomes: Vec<Outcome> = members
            .iter()
            .map(|members| {
                let row = |(&(row, loss), &member): (&(usize, f64), &bool)| (loss, member, self.bucket(row));
                let rows = tested.iter().zip(members).map(row).collect();
                Tested { rows, numeric: self.of.is_numeric(), dependent: self.protocol.dependent }.test(confidence)
            })
            .collect();
        let adjusted = holm(&outcomes.iter().map(|outcome| outcome.p).collect::<Vec<_>>());
        let mut shown: Vec<&[bool]> = Vec::new();
        let mut found = Vec::new();
        for (at, outcome) in outcomes.iter().enumerate() {
            let worse = outcome.difference.estimate().is_some_and(|difference| difference.point > 0.0);
            if !worse || adjusted[at] > 1.0 - confidence {
                continue;
            }
            let shows = self.shows(&members[at], &shown, tested);
            if shows {
                shown.push(&members[at]);
            }
            found.push(self.found((&chosen[at], conditions), outcome, adjusted[at], shows));
        }
        found
    }

    /// No count of rows by subgroup and loss, alone or crossed with a subgroup that is shown, is between 0 and the limit.
    fn shows(&self, members: &[bool], shown: &[&[bool]], tested: &[(usize, f64)]) -> bool {
        let limit = self.protocol.limit;
        let clear = |other: &dyn Fn(usize) -> bool| {
            let mut cells = [0usize; 8];
            for (at, (member, (_, loss))) in members.iter().zip(tested).enumerate() {
                let lossy = !self.of.is_numeric() && *loss > 0.0;
                let cell = usize::from(*member) + 2 * usize::from(lossy) + 4 * usize::from(other(at));
                cells[cell % 8] += 1;
            }
            cells.iter().all(|&n| n == 0 || n >= limit)
        };
        // What two searches show of one subgroup can be subtracted: with a limit only the first shows figures.
        let first = self.spec.of.first().is_none_or(|first| *first == self.of);
        limit <= 1
            || (first && clear(&|_| false) && shown.iter().all(|other| clear(&|at| other.get(at) == Some(&true))))
    }

    fn found(
        &self,
        (slice, conditions): (&Slice, &[Condition]),
        outcome: &Outcome,
        p_adjusted: f64,
        shows: bool,
    ) -> Found {
        let name = |&at: &usize| {
            let condition = conditions.get(at)?;
            self.rows.columns.get(condition.column)?.conditions.get(condition.code as usize).cloned()
        };
        let names: Vec<String> = slice.conditions.iter().filter_map(name).collect();
        let figure = |measured: &Measured| if shows { Figure::of(measured) } else { Figure::Suppressed };
        let ratio = (shows && !self.of.is_numeric()).then(|| likelihood_ratio(outcome.counts[0], outcome.counts[1]));
        Found {
            sentence: self.sentence(&names, outcome, shows),
            conditions: names,
            score: (self.protocol.limit <= 1).then_some(slice.score),
            inside: figure(&outcome.inside),
            outside: figure(&outcome.outside),
            difference: figure(&outcome.difference),
            p: shows.then_some(outcome.p),
            p_adjusted: shows.then_some(p_adjusted),
            likelihood_ratio: ratio,
            measured: Some(if shows { outcome.difference.clone() } else { Measured::Suppressed }),
        }
    }

    /// Number, interval, rows, and what to look at next.
    fn sentence(&self, names: &[String], outcome: &Outcome, shows: bool) -> String {
        let (what, name) = (words(self.of).1, names.join(" and "));
        let next = match self.of {
            Loss::Error | Loss::FalsePositive | Loss::FalseNegative => {
                "look at how many of its rows the model was trained on, at its labels, and at what would tell its rows apart"
            }
            Loss::NotSelected | Loss::Selected => {
                "look at whether its labels differ as much, and at which inputs of the decision stand for it"
            }
            Loss::AbsoluteError | Loss::SquaredError => {
                "look at the sign of its residuals, and at whether its targets vary more"
            }
        };
        let parts = (outcome.inside.estimate(), outcome.outside.estimate(), outcome.difference.estimate());
        let (Some(inside), Some(outside), Some(difference), true) = (parts.0, parts.1, parts.2, shows) else {
            return format!("{name}: more {what} than elsewhere, on held-out rows; figures are withheld; {next}.");
        };
        match self.of.is_numeric() {
            true => format!(
                "{name}: {what} {} in {} rows against {} elsewhere, difference {} {} on held-out rows; {next}.",
                short(inside.point),
                outcome.counts[0].0,
                short(outside.point),
                short(difference.point),
                interval(difference, 1.0)
            ),
            false => format!(
                "{name}: {} of {} {what} ({} %) against {} % elsewhere, difference {} points {} on held-out rows; {next}.",
                outcome.counts[0].1,
                outcome.counts[0].0,
                short(100.0 * inside.point),
                short(100.0 * outside.point),
                short(100.0 * difference.point),
                interval(difference, 100.0)
            ),
        }
    }
}

/// Three digits.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

fn interval(estimate: &Estimate, scale: f64) -> String {
    let end = |end: Option<f64>| end.map_or("unbounded".into(), |end| short(scale * end));
    format!("[{}, {}]", end(estimate.interval.lower), end(estimate.interval.upper))
}

#[cfg(test)]
mod tests;
