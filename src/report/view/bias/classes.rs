//! Outcomes of more than two classes: each class against the rest.

use serde::Serialize;

use crate::audit::bias::classes::{Class, ClassSet};
use crate::report::document::Report;
use crate::report::language::text;
use crate::report::view::Caps;
use crate::report::view::words::{self, Shown};

const FILE: &str = "report.json";

#[derive(Debug, Clone, Serialize)]
pub struct Section {
    pub confidence: String,
    pub target: String,
    pub prediction: String,
    pub sets: Vec<Set>,
    pub more: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Set {
    pub across: String,
    /// Whose selection rate the others' are divided by.
    pub reference: String,
    pub rows: Vec<Row>,
    pub more: String,
    pub worst: Vec<Worst>,
    pub worst_more: String,
    pub means: Vec<Mean>,
    pub means_more: String,
    pub mean_worst: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub class: String,
    pub cohort: String,
    pub selection: Shown,
    pub ratio: Shown,
    pub recall: Shown,
    pub precision: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Worst {
    pub class: String,
    pub selection: Shown,
    pub recall: Shown,
    pub precision: Shown,
}

#[derive(Debug, Clone, Serialize)]
pub struct Mean {
    pub cohort: String,
    pub value: Shown,
}

/// None where the audit has nothing of it.
pub fn section(report: &Report, caps: &Caps) -> Option<Section> {
    let classes = report.bias.classes.as_ref()?;
    Some(Section {
        confidence: words::confidence(report.method.confidence),
        target: words::name(&classes.target),
        prediction: words::name(&classes.prediction),
        sets: classes.sets.iter().take(caps.sets).map(|of| set(of, caps)).collect(),
        more: words::more(classes.sets.len(), caps.sets, "sets-of-attributes", FILE),
    })
}

fn set(set: &ClassSet, caps: &Caps) -> Set {
    let row = |class: &Class| {
        let name = words::name(&class.class);
        let of = |cohort: &crate::audit::bias::classes::ClassCohort| Row {
            class: name.clone(),
            cohort: words::name(&cohort.cohort),
            selection: Shown::figure(&cohort.selection),
            ratio: cohort
                .ratio
                .as_ref()
                .map_or_else(|| Shown::words(&text!("classes-compared-with"), ""), Shown::figure),
            recall: Shown::figure(&cohort.recall),
            precision: Shown::figure(&cohort.precision),
        };
        class.cohorts.iter().map(of).collect::<Vec<Row>>()
    };
    let worst = |class: &Class| Worst {
        class: words::name(&class.class),
        selection: Shown::figure(&class.selection_worst),
        recall: Shown::figure(&class.recall_worst),
        precision: Shown::figure(&class.precision_worst),
    };
    let rows: Vec<Row> = set.classes.iter().flat_map(row).collect();
    let all = rows.len();
    let mean = |(cohort, value): &(String, crate::audit::bias::Figure)| Mean {
        cohort: words::name(cohort),
        value: Shown::figure(value),
    };
    Set {
        across: words::across(&set.across.iter().map(|name| name.to_string()).collect::<Vec<_>>()),
        reference: set.reference.as_ref().map_or_else(|| text!("classes-highest"), |name| words::name(name)),
        rows: rows.into_iter().take(caps.cohorts).collect(),
        more: words::more(all, caps.cohorts, "lines", FILE),
        worst: set.classes.iter().take(caps.cohorts).map(worst).collect(),
        worst_more: words::more(set.classes.len(), caps.cohorts, "classes", FILE),
        means: set.macro_recall.iter().take(caps.cohorts).map(mean).collect(),
        means_more: words::more(set.macro_recall.len(), caps.cohorts, "cohorts", FILE),
        mean_worst: Shown::figure(&set.macro_recall_worst),
    }
}
