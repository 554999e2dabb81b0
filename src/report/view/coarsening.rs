//! How the columns of a de-identified dataset were coarsened, what was demanded of its classes, and what an outsider can do before and after.

use serde::Serialize;

use super::words;
use super::{Fact, fact};
use crate::audit::{ClassRisk, Coarsening as Found};
use crate::plan::spec::SearchBy;

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

const WITHHELD: &str = "withheld";
const NO_ROWS: &str = "no row is left";

pub fn coarsening(found: &Found) -> Coarsening {
    let count = |n: u64| words::count(i64::try_from(n).unwrap_or(i64::MAX));
    let search = match found.search {
        SearchBy::Lattice => format!(
            "one level of every column for the whole file; {} of {} combinations were looked at",
            count(found.evaluated),
            count(found.combinations)
        ),
        SearchBy::Mondrian => format!("{} regions, cut at medians (Mondrian)", count(found.combinations)),
    };
    let share = match found.rows {
        0 => String::new(),
        rows => format!(
            " ({:.2} %; {:.2} % may be)",
            100.0 * found.rows_suppressed as f64 / rows as f64,
            100.0 * found.suppression_max
        ),
    };
    let mut facts = vec![
        fact("Found by", search),
        fact("Rows left out", format!("{} of {}{share}", count(found.rows_suppressed), count(found.rows))),
        fact("Loss", format!("{}: {}", words::name(&found.objective), words::figure(found.loss))),
    ];
    if let Some(sensitive) = &found.sensitive {
        facts.push(fact("Sensitive column", words::name(sensitive)));
    }
    Coarsening { facts, columns: columns(found), criteria: criteria(found), risks: risks(found) }
}

fn columns(found: &Found) -> Vec<Column> {
    let column = |of: &crate::audit::QuasiIdentifier| Column {
        name: words::name(&of.name),
        level: match of.level {
            None => "values of each region".into(),
            Some(0) => format!("0 of {}: the finest", of.levels - 1),
            Some(level) if level + 1 == of.levels => format!("{level} of {level}: hidden"),
            Some(level) => format!("{level} of {}", of.levels - 1),
        },
    };
    found.quasi_identifiers.iter().map(column).collect()
}

fn criteria(found: &Found) -> Vec<Criterion> {
    let criterion = |of: &crate::audit::ClassCriterion| Criterion {
        name: of.name.clone(),
        asked: of.asked.clone(),
        attained: match (of.attained, of.holds) {
            // Rows, and levels, are counts.
            (Some(value), true) if value.fract() == 0.0 && value < 1e15 => words::count(value as i64),
            (Some(value), true) => words::figure(value),
            (Some(value), false) => format!("{}, which does not satisfy it", words::figure(value)),
            (None, _) => "undefined".into(),
        },
    };
    found.criteria.iter().map(criterion).collect()
}

fn risks(found: &Found) -> Vec<Risk> {
    let both = |name: String, of: &dyn Fn(&ClassRisk) -> String| {
        let show = |risk: &Option<ClassRisk>| risk.as_ref().map_or(NO_ROWS.into(), of);
        Risk { name, before: show(&found.before), after: show(&found.after) }
    };
    let count = |n: u64| words::count(i64::try_from(n).unwrap_or(i64::MAX));
    let percent = |share: f64| format!("{} %", words::figure(100.0 * share));
    let some = |share: Option<f64>| share.map_or(WITHHELD.into(), percent);
    let size = |n: Option<u64>| n.map_or(WITHHELD.into(), count);
    let mut risks = vec![
        both("Rows".into(), &|risk| count(risk.rows)),
        both("Classes".into(), &|risk| count(risk.classes)),
        both("Smallest class".into(), &|risk| size(risk.class_min)),
        both("Largest class".into(), &|risk| size(risk.class_max)),
        both("Greatest risk of a row known to be in the file (prosecutor)".into(), &|risk| some(risk.prosecutor_max)),
        both("Share of rows linked rightly when all are linked (marketer)".into(), &|risk| percent(risk.marketer)),
        both("Rows alone in their class".into(), &|risk| some(risk.uniques)),
    ];
    if found.before.as_ref().is_some_and(|risk| risk.journalist_max.is_some()) {
        let name = "Greatest risk of a row of somebody who may be in the file (journalist)";
        risks.push(both(name.into(), &|risk| some(risk.journalist_max)));
        risks.push(both("The same, mean over rows".into(), &|risk| some(risk.journalist_mean)));
    }
    for (at, risk_at) in found.risk_at.iter().enumerate() {
        let above = |risk: &ClassRisk| risk.at_risk.get(at).map_or("not counted".into(), |share| some(*share));
        risks.push(both(format!("Rows at a risk above {}", percent(*risk_at)), &above));
    }
    risks
}
