//! How the columns of a de-identified dataset were coarsened, what was demanded of its classes, and what an outsider can do before and after.

use serde::Serialize;

use super::{Fact, fact, said, words};
use crate::audit::{ClassRisk, Coarsening as Found};
use crate::plan::spec::SearchBy;
use crate::report::language::text;

#[derive(Debug, Clone, Serialize)]
pub struct Coarsening {
    pub facts: Vec<Fact>,
    pub columns: Vec<Column>,
    pub criteria: Vec<Criterion>,
    pub risks: Vec<Risk>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Column {
    pub name: String,
    pub level: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Criterion {
    pub name: String,
    pub asked: String,
    pub attained: String,
}

/// One kind of risk, before and after.
#[derive(Debug, Clone, Serialize)]
pub struct Risk {
    pub name: String,
    pub before: String,
    pub after: String,
}

pub fn coarsening(found: &Found) -> Coarsening {
    let search = match found.search {
        SearchBy::Lattice => {
            text!("coarsening-lattice", evaluated = found.evaluated, combinations = found.combinations)
        }
        SearchBy::Mondrian => text!("coarsening-mondrian", n = found.combinations),
    };
    let left_out = match found.rows {
        0 => text!("coarsening-left-out-of", left = found.rows_suppressed, rows = found.rows),
        rows => text!(
            "coarsening-left-out-share",
            left = found.rows_suppressed,
            rows = rows,
            share = format!("{:.2}", 100.0 * found.rows_suppressed as f64 / rows as f64),
            most = format!("{:.2}", 100.0 * found.suppression_max)
        ),
    };
    let loss = text!("coarsening-loss-of", objective = said::term(&found.objective), value = words::figure(found.loss));
    let mut facts = vec![
        fact(&text!("coarsening-found-by"), search),
        fact(&text!("coarsening-left-out"), left_out),
        fact(&text!("coarsening-loss"), loss),
    ];
    if let Some(sensitive) = &found.sensitive {
        facts.push(fact(&text!("coarsening-sensitive"), words::name(sensitive)));
    }
    Coarsening { facts, columns: columns(found), criteria: criteria(found), risks: risks(found) }
}

fn columns(found: &Found) -> Vec<Column> {
    let column = |of: &crate::audit::QuasiIdentifier| Column {
        name: words::name(&of.name),
        level: match of.level {
            None => text!("coarsening-regions"),
            Some(0) => text!("coarsening-level-finest", of = of.levels.saturating_sub(1)),
            Some(level) if level.saturating_add(1) == of.levels => {
                text!("coarsening-level-hidden", level = level, of = level)
            }
            Some(level) => text!("coarsening-level", level = level, of = of.levels.saturating_sub(1)),
        },
    };
    found.quasi_identifiers.iter().map(column).collect()
}

fn criteria(found: &Found) -> Vec<Criterion> {
    let criterion = |of: &crate::audit::ClassCriterion| Criterion {
        name: said::term(&of.name),
        asked: asked(&of.asked),
        attained: match (of.attained, of.holds) {
            // Rows, and levels, are counts.
            (Some(value), true) if value.fract() == 0.0 && value < 1e15 => words::count(value as i64),
            (Some(value), true) => words::figure(value),
            (Some(value), false) => text!("coarsening-not-held", value = words::figure(value)),
            (None, _) => text!("undefined"),
        },
    };
    found.criteria.iter().map(criterion).collect()
}

/// What is demanded, in one of the forms it has: before, between and after its numbers.
fn asked(text: &str) -> String {
    const FORMS: [(&str, [&str; 3]); 7] = [
        ("population", ["at least ", "", " rows of the population"]),
        ("rows", ["at least ", "", " rows"]),
        ("classes", ["at most ", ", in classes of at least ", " rows"]),
        ("l", ["below ", ", l being ", ""]),
        ("least", ["at least ", "", ""]),
        ("most", ["at most ", "", ""]),
        ("below", ["below ", "", ""]),
    ];
    let number =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '-'));
    let of = |(key, [before, between, after]): (&str, [&str; 3])| {
        let inner = text.strip_prefix(before)?.strip_suffix(after)?;
        let (a, b) = if between.is_empty() { (inner, inner) } else { inner.split_once(between)? };
        (number(a) && number(b)).then(|| text!(&format!("coarsening-asked-{key}"), a = a, b = b))
    };
    FORMS.into_iter().find_map(of).unwrap_or_else(|| words::name(text))
}

fn risks(found: &Found) -> Vec<Risk> {
    let both = |name: String, of: &dyn Fn(&ClassRisk) -> String| {
        let show = |risk: &Option<ClassRisk>| risk.as_ref().map_or_else(|| text!("coarsening-no-rows"), of);
        Risk { name, before: show(&found.before), after: show(&found.after) }
    };
    let count = |n: u64| words::count(i64::try_from(n).unwrap_or(i64::MAX));
    let percent = |share: f64| format!("{} %", words::figure(100.0 * share));
    let some = |share: Option<f64>| share.map_or_else(|| text!("withheld"), percent);
    let size = |n: Option<u64>| n.map_or_else(|| text!("withheld"), count);
    let mut risks = vec![
        both(text!("col-rows"), &|risk| count(risk.rows)),
        both(text!("coarsening-classes"), &|risk| count(risk.classes)),
        both(text!("coarsening-class-min"), &|risk| size(risk.class_min)),
        both(text!("coarsening-class-max"), &|risk| size(risk.class_max)),
        both(text!("coarsening-prosecutor"), &|risk| some(risk.prosecutor_max)),
        both(text!("coarsening-marketer"), &|risk| percent(risk.marketer)),
        both(text!("coarsening-uniques"), &|risk| some(risk.uniques)),
    ];
    if found.before.as_ref().is_some_and(|risk| risk.journalist_max.is_some()) {
        risks.push(both(text!("coarsening-journalist"), &|risk| some(risk.journalist_max)));
        risks.push(both(text!("coarsening-journalist-mean"), &|risk| some(risk.journalist_mean)));
    }
    for (at, risk_at) in found.risk_at.iter().enumerate() {
        let above = |risk: &ClassRisk| {
            risk.at_risk.get(at).map_or_else(|| text!("coarsening-not-counted"), |share| some(*share))
        };
        risks.push(both(text!("coarsening-risk-above", value = percent(*risk_at)), &above));
    }
    risks
}
