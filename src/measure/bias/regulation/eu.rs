//! The record of an examination under Article 10 of the EU AI Act: which cohorts were looked at, how many rows they have, what is missing, how often
//! the system errs, and what the pipeline file states about the handling of special categories of data.

use super::{background, blank, fact, rate, secondary, sets, title};
use crate::audit::bias::Regulation;
use crate::audit::bias::regulation::{Cell, Row, Table};
use crate::measure::bias::Context;
use crate::measure::suppression::Layer;
use crate::measure::tables::Groups;
use crate::plan::spec;
use crate::schema::Role;

pub fn view(context: &Context, rule: &spec::Regulation) -> Regulation {
    let mut view = blank(rule, "EU AI Act, Article 10: record of an examination for bias");
    describe(&mut view, context, rule);
    let measured = sets(context, rule);
    if measured.is_empty() {
        view.not_measured = "no set of protected columns is measured".into();
    }
    for (set, groups) in measured {
        view.tables.push(table(context, set, groups));
    }
    view
}

/// Rates of errors, in the order of the headings.
const ERRORS: [(&str, &str); 4] = [
    ("Selection rate", "selection-rate"),
    ("Error rate", "error-rate"),
    ("False positive rate", "false-positive-rate"),
    ("False negative rate", "false-negative-rate"),
];

fn table(context: &Context, set: usize, groups: &Groups) -> Table {
    let all = context.cohorts.everyone.total().rows().n.max(1) as f64;
    let (has_label, has_decision) = (context.subject.label.is_some(), context.subject.decision.is_some());
    let shown: Vec<(&str, &str)> =
        ERRORS.into_iter().filter(|(_, id)| has_decision && (has_label || *id == "selection-rate")).collect();
    let mut headings: Vec<String> =
        ["Rows", "Share of all", "Label missing", "Decision missing"].map(String::from).to_vec();
    headings.extend(shown.iter().map(|(name, _)| name.to_string()));
    let withheld = || Cell::words("withheld");
    let row = |group: &super::Group| {
        let total = group.total();
        let shows = |layer| context.protection.shows(Some(set), &group.codes, layer);
        let missing = |has: bool, layer, n: i64| match (has, shows(layer)) {
            (false, _) => Cell::words("none is read"),
            (true, true) => Cell::Count { value: n },
            (true, false) => withheld(),
        };
        let mut cells = match shows(Layer::Rows) {
            true => vec![Cell::Count { value: total.rows().n }, Cell::number(Some(total.rows().n as f64 / all))],
            false => vec![withheld(), withheld()],
        };
        cells.push(missing(has_label, Layer::Labels, total.label(2).n));
        cells.push(missing(has_decision, Layer::Decisions, total.decision(2).n));
        cells.extend(shown.iter().map(|(_, id)| match (shows(Layer::Joint), rate(context, id, group)) {
            (true, Some(sample)) => super::figure(context, &sample),
            _ => withheld(),
        }));
        Row { cohort: group.cohort.levels(), cells }
    };
    Table { title: title(groups), headings, rows: groups.groups.iter().map(row).collect(), notes: Vec::new() }
}

fn describe(view: &mut Regulation, context: &Context, rule: &spec::Regulation) {
    let schema = &context.plan.spec.schema;
    let special = schema
        .iter()
        .filter(|(_, column)| [Role::Protected, Role::Sensitive].iter().any(|role| column.roles.contains(role)));
    let special: Vec<&str> = special.map(|(name, _)| name.as_str()).collect();
    view.facts = vec![
        (
            "Columns declared protected or sensitive".into(),
            if special.is_empty() { "none".into() } else { special.join(", ") },
        ),
        fact("Special categories handled by", &rule.handled_by),
        fact("Why other data do not serve", &rule.necessity),
        fact("Pseudonymisation and access", &rule.safeguards),
        fact("Deleted", &rule.deleted),
        fact("Source and explanation of the data", &rule.data_source),
    ];
    let law = "third-party pages on the Act";
    view.statements = vec![
        secondary(
            "Article 10(2)(f): data are examined for biases likely to affect health, safety or fundamental rights or to lead to prohibited discrimination, feedback loops above all; (g): measures to detect, prevent and mitigate them.",
            law,
        ),
        secondary(
            "Article 10(3): data are relevant, sufficiently representative, and have appropriate statistical properties for the persons the system is used on.",
            law,
        ),
        secondary(
            "Article 10(5): special categories of data only where strictly necessary to find and correct bias, pseudonymised, with access limited, deleted afterwards, with the reasons on record.",
            law,
        ),
        secondary(
            "Digital Omnibus (Parliament 16 June, Council 29 June 2026): duties for high-risk systems of Annex III apply from 2 December 2027, those of Annex I from 2 August 2028; it adds a legal basis for special categories in bias detection.",
            "third-party pages",
        ),
        background(
            "Article 15: accuracy metrics are declared, and feedback loops of systems that go on learning are addressed.",
        ),
    ];
    view.not_said = [
        "The Act has no threshold for any number here, and does not say which metrics to use.",
        "It does not say what is representative: shares of rows are not compared with a population here unless a reference distribution is given elsewhere in this report.",
        "Feedback loops cannot be seen in one set of rows.",
        "This is a record of what was looked at. Whether it suffices is for those who answer for the system.",
    ]
    .map(String::from)
    .to_vec();
}
