//! A plan in words, before a row is read: what becomes of every column, what is counted in which pass and why, what is judged, how wide the
//! intervals of a rate will be.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::spec::{Missing, ReadAs, Spec};
use super::{Learned, Plan, learn, missing, read_as};
use crate::demand::{Axis, Demand, Rows, Shape};
use crate::estimate::{normal, wilson};
use crate::metric::Card;
use crate::schema::{Domain, Role};
use crate::statistic::DISTINCT_MAX;

/// Rows for which interval widths are listed.
const WIDTHS: [u32; 4] = [30, 100, 1_000, 10_000];

/// A plan in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    pub pipeline: String,
    pub spec_sha256: String,
    pub source: Vec<String>,
    pub columns: Vec<Fate>,
    pub derived: Vec<Derived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    pub passes: Vec<Pass>,
    pub statistics: Vec<Collected>,
    pub cohorts: Vec<String>,
    pub metrics: Vec<String>,
    pub gates: Vec<String>,
    /// Of a share of one half of independent rows, the widest.
    pub widths: Vec<Width>,
    /// Rows share units or carry weights: intervals will be wider.
    pub dependent: bool,
    /// Under differential privacy: what the run costs and what it is spent on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<String>,
    pub confidence: f64,
    pub report_folder: String,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fate {
    pub name: String,
    pub roles: Vec<String>,
    pub read_as: String,
    pub domain: String,
    pub origin: String,
    pub fate: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Derived {
    pub name: String,
    pub expression: String,
}

/// One reading of the rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pass {
    pub name: String,
    pub reason: String,
}

/// One statistic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Collected {
    pub name: String,
    pub shape: String,
    /// Cells or groups at most; none while it depends on levels that are learned first.
    pub cells: Option<u64>,
    pub rows: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Width {
    pub rows: u32,
    pub lower: f64,
    pub upper: f64,
    pub width: f64,
}

/// Stands in for what a pass will learn, so that a plan can be drawn before; with the names of the columns.
pub fn unlearned(spec: &Spec) -> (Learned, BTreeSet<String>) {
    let mut stand_in = Learned::default();
    let mut names = BTreeSet::new();
    for demand in learn::demands(spec) {
        let Some(name) = demand.name.strip_prefix("learn/") else { continue };
        let Some(column) = spec.schema.get(name) else { continue };
        if column.levels.is_none() && column.bounds.is_none() {
            let domain = match read_as(column) {
                ReadAs::Number => Domain::Bounds { lower: 0.0, upper: 1.0 },
                // Two: a text of one level is no feature.
                ReadAs::Text | ReadAs::Truth => Domain::Levels(Arc::from(["(learned)".into(), "(learned too)".into()])),
            };
            stand_in.domains.insert(name.into(), domain);
            names.insert(name.into());
        }
    }
    (stand_in, names)
}

/// Describes a plan. `unlearned` are the columns whose domain a pass will learn, `demands` what is collected, `metrics` what is measured,
/// `passes` the readings of the rows with their reasons.
pub fn describe(
    plan: &Plan,
    unlearned: &BTreeSet<String>,
    demands: &[Demand],
    metrics: &[Card],
    passes: &[(String, String)],
) -> Description {
    let spec = &plan.spec;
    let names = |across: &crate::cohort::Across| {
        across.attributes.iter().map(|&at| plan.attributes[at].name.to_string()).collect::<Vec<_>>()
    };
    let z = normal(spec.measure.confidence);
    let width = |&rows: &u32| {
        let interval = wilson(0.5, f64::from(rows), z);
        let (lower, upper) = (interval.lower.unwrap_or(0.0), interval.upper.unwrap_or(1.0));
        Width { rows, lower, upper, width: upper - lower }
    };
    Description {
        pipeline: spec.pipeline.name.clone(),
        spec_sha256: plan.spec_sha256.clone(),
        source: plan.scan.source.paths.iter().map(|path| path.display().to_string()).collect(),
        columns: plan.schema.columns.iter().map(|column| fate(plan, column, unlearned)).collect(),
        derived: plan
            .scan
            .derive
            .iter()
            .map(|(name, of)| Derived { name: name.to_string(), expression: of.to_string() })
            .collect(),
        filter: plan.scan.keep.as_ref().map(ToString::to_string),
        passes: passes.iter().map(|(name, reason)| Pass { name: name.clone(), reason: reason.clone() }).collect(),
        statistics: demands.iter().map(|demand| collected(demand, unlearned)).collect(),
        cohorts: plan.across.iter().map(|across| names(across).join(" x ")).collect(),
        metrics: metrics.iter().map(|card| card.id.to_string()).collect(),
        gates: spec.judge.iter().map(gate).collect(),
        widths: WIDTHS.iter().map(width).collect(),
        dependent: plan.dependent,
        costs: Vec::new(),
        confidence: spec.measure.confidence,
        report_folder: format!("{}/{}", spec.report.folder.as_deref().unwrap_or("../reports"), spec.pipeline.name),
    }
}

fn fate(plan: &Plan, column: &crate::schema::Column, unlearned: &BTreeSet<String>) -> Fate {
    let written = plan.spec.schema.get(&*column.name);
    let learned = unlearned.contains(&*column.name);
    let read = match written.map(read_as) {
        Some(ReadAs::Number) => "number",
        Some(ReadAs::Truth) => "truth value",
        Some(ReadAs::Text) | None => "text",
    };
    let (domain, origin) = match &column.domain {
        _ if learned => ("not known yet".into(), "learned in a pass of its own"),
        Domain::Levels(levels) => (format!("{} levels: {}", levels.len(), shortened(levels)), "declared"),
        Domain::Bounds { lower, upper } => (format!("{lower} to {upper}"), "declared"),
        Domain::Open => ("open".into(), "not needed"),
    };
    Fate {
        name: column.name.to_string(),
        roles: column.roles.iter().map(ToString::to_string).collect(),
        read_as: if column.is(Role::Ignored) { "not read".into() } else { read.into() },
        domain,
        origin: origin.into(),
        fate: uses(plan, column).join("; "),
    }
}

/// What a column is used for.
fn uses(plan: &Plan, column: &crate::schema::Column) -> Vec<String> {
    let mut uses = Vec::new();
    if column.is(Role::Ignored) {
        return vec!["read by nothing".into()];
    }
    if let Some(train) = &plan.spec.train {
        if column.is(Role::Feature) && column.is(Role::Protected) && !train.protected_features {
            uses.push("no feature: protected columns are left out unless protected_features = true".into());
        } else if column.is(Role::Feature) {
            let policy = match plan.spec.schema.get(&*column.name).map(missing) {
                Some(Missing::Refuse) => "a missing value ends the run",
                Some(Missing::Impute) => "a missing value is replaced and marked",
                Some(Missing::Drop) | None => "a row with a missing value is left out and counted",
            };
            uses.push(format!("feature; {policy}"));
        }
    } else if column.is(Role::Feature) {
        uses.push("no feature: nothing is trained here".into());
    }
    if plan.attributes.iter().any(|attribute| attribute.name == column.name) {
        uses.push("cohorts are formed over it".into());
    } else if column.is(Role::Protected) {
        uses.push("protected, and in no set of [measure]: no cohorts".into());
    }
    let positive = plan.spec.schema.get(&*column.name).and_then(|written| written.positive.as_deref());
    let one = positive.map_or(String::new(), |value| format!("; {value:?} counts as 1"));
    for (role, text) in [(Role::Target, "the true outcome"), (Role::Prediction, "the decision under audit")] {
        if column.is(role) {
            uses.push(format!("{text}{one}"));
        }
    }
    for (role, text) in [
        (Role::Score, "the score under audit"),
        (Role::Weight, "weight of the row: intervals by the bucket jackknife"),
        (Role::PrivacyUnit, "rows of one unit depend on one another: intervals by the bucket jackknife"),
        (Role::Identifier, "identifies: no feature, never printed"),
    ] {
        if column.is(role) {
            uses.push(text.into());
        }
    }
    if plan.spec.privacy.is_some() {
        uses.iter_mut().for_each(|text| {
            *text = text.replace("intervals by the bucket jackknife", "capped per unit, and intervals allow for it");
        });
    }
    let used = |of: &crate::scalar::Scalar| of.columns().contains(&column.name);
    let readers: Vec<&str> = plan.scan.derive.iter().filter(|(_, of)| used(of)).map(|(name, _)| &**name).collect();
    if !readers.is_empty() {
        uses.push(format!("read by {}", readers.join(", ")));
    }
    if plan.scan.keep.as_ref().is_some_and(used) {
        uses.push("read by where".into());
    }
    if uses.is_empty() {
        uses.push("counted: missing and outside values".into());
    }
    uses
}

fn shortened(levels: &[Arc<str>]) -> String {
    let shown = levels.iter().take(6).map(|level| &**level).collect::<Vec<_>>().join(", ");
    if levels.len() > 6 { format!("{shown}, ...") } else { shown }
}

fn collected(demand: &Demand, unlearned: &BTreeSet<String>) -> Collected {
    let open = demand.shape.scalars().iter().any(|of| of.columns().iter().any(|name| unlearned.contains(&**name)));
    let sizes = |axes: &[Axis]| axes.iter().map(|axis| u64::from(axis.size())).product::<u64>();
    let (shape, cells) = match &demand.shape {
        Shape::Tally { axes, .. } => ("tally".to_string(), Some(sizes(axes))),
        Shape::Moments { by, of, cross, .. } => (format!("moments of {}", of.len() + cross.len()), Some(sizes(by))),
        Shape::Histogram { by, bins, .. } => (
            bins.map_or("histogram".into(), |bins| {
                format!("histogram, distinct values up to {DISTINCT_MAX}, else {} bins", bins.count)
            }),
            Some(sizes(by)),
        ),
        Shape::ClassSizes { .. } => ("class sizes".into(), None),
        Shape::Panel { limit, distinct: true, .. } => (format!("{limit} different texts, not published"), None),
        Shape::Panel { limit, distinct: false, .. } => (format!("panel of {limit} rows, not published"), None),
    };
    let rows = match &demand.rows {
        Rows::All => "all rows",
        Rows::Kept => "rows that `where` keeps",
        Rows::Within { .. } => "one part of the split",
    };
    Collected { name: demand.name.to_string(), shape, cells: cells.filter(|_| !open), rows: rows.into() }
}

fn gate(criterion: &super::spec::Criterion) -> String {
    let compared = match (criterion.compare, criterion.against) {
        (Some(compare), Some(against)) => format!(" {compare} against {against}"),
        _ => String::new(),
    };
    let across = match criterion.across.as_deref() {
        None => "every set of attributes".to_string(),
        Some([]) => "everyone".into(),
        Some(set) => set.join(" x "),
    };
    let limit = match (criterion.at_most, criterion.at_least) {
        (Some(limit), _) => format!("at most {limit}"),
        (None, Some(limit)) => format!("at least {limit}"),
        (None, None) => "no limit".into(),
    };
    let level = match criterion.level {
        super::spec::Level::Warn => "warn",
        super::spec::Level::Deny => "deny",
    };
    let waived = match criterion.waive.len() {
        0 => String::new(),
        n => format!(", {n} waived"),
    };
    format!("{}{compared} over {across}: {limit} ({level}{waived})", criterion.metric)
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Plan of {}. No row has been read.", self.pipeline)?;
        writeln!(f, "\nSource: {}", self.source.join(", "))?;
        if let Some(filter) = &self.filter {
            writeln!(f, "Rows kept where {filter}")?;
        }
        writeln!(f, "\nColumns")?;
        for Fate { name, roles, read_as, domain, origin, fate } in &self.columns {
            let roles = if roles.is_empty() { "no role".into() } else { roles.join(", ") };
            writeln!(f, "  {name} ({roles}): {read_as}; {domain} ({origin}); {fate}")?;
        }
        for Derived { name, expression } in &self.derived {
            writeln!(f, "  {name} = {expression}")?;
        }
        writeln!(f, "\nPasses over the rows: {}", self.passes.len())?;
        for (i, Pass { name, reason }) in self.passes.iter().enumerate() {
            writeln!(f, "  {}. {name}: {reason}", i + 1)?;
        }
        writeln!(f, "\nStatistics")?;
        for Collected { name, shape, cells, rows } in &self.statistics {
            let cells = cells.map_or(String::new(), |cells| format!(", at most {cells} cells"));
            writeln!(f, "  {name}: {shape}{cells}; {rows}")?;
        }
        let or_none = |list: &[String]| if list.is_empty() { "none".to_string() } else { list.join(", ") };
        if !self.costs.is_empty() {
            writeln!(f, "\nDifferential privacy")?;
            self.costs.iter().try_for_each(|cost| writeln!(f, "  {cost}"))?;
        }
        writeln!(f, "\nCohorts: everyone, {}", or_none(&self.cohorts))?;
        writeln!(f, "Metrics: {}", or_none(&self.metrics))?;
        writeln!(
            f,
            "\nCriteria{}",
            if self.gates.is_empty() { ": none; the outcome will be INCONCLUSIVE" } else { "" }
        )?;
        for gate in &self.gates {
            writeln!(f, "  {gate}")?;
        }
        writeln!(f, "\nWidest {} % interval of a rate (share of one half, independent rows)", self.confidence * 100.0)?;
        for Width { rows, lower, upper, width } in &self.widths {
            writeln!(f, "  n = {rows:>6}: {lower:.3} to {upper:.3}, width {width:.3}")?;
        }
        if self.dependent {
            writeln!(f, "  here rows share units or carry weights: intervals will be wider")?;
        }
        writeln!(f, "\nReport: {}/<run-id>/", self.report_folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::cards;
    use crate::plan::spec::Format;
    use crate::scan::Source;

    const PIPELINE: &str = r#"
[pipeline]
name = "lending"
[ingest]
path = "lending.csv"
[schema.sex]
roles = ["protected", "feature"]
levels = ["f", "m"]
[schema.race]
roles = ["protected"]
[schema.debt]
roles = ["feature"]
bounds = [0, 100]
missing = "impute"
[schema.note]
roles = ["ignored"]
[schema.repaid]
roles = ["target"]
positive = "yes"
[train]
model = "logistic"
[measure]
across = [["sex"], ["sex", "race"]]
[[judge]]
metric = "selection-rate"
compare = "ratio"
against = "worst-pair"
across = ["sex"]
at_least = 0.8
"#;

    fn description() -> Description {
        let spec: Spec = toml::from_str(PIPELINE).unwrap();
        let (stand_in, names) = unlearned(&spec);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["race"]);
        let source = Source {
            paths: vec!["lending.csv".into()],
            format: Format::Csv,
            delimiter: b',',
            decimal: '.',
            null_values: Vec::new(),
            hive: false,
        };
        let plan = Plan::of(&spec, "00", source, &|_| Err("no".into()), &stand_in).unwrap();
        let levels = |at: usize| Axis::Levels {
            of: crate::scalar::Scalar::column(&plan.attributes[at].name),
            levels: plan.attributes[at].levels.clone(),
        };
        let tally = |name: &str, axes| Demand {
            name: name.into(),
            rows: Rows::Kept,
            shape: Shape::Tally { axes, weight: None },
        };
        let demands = [tally("sex", vec![levels(1)]), tally("race", vec![levels(0), levels(1)])];
        describe(&plan, &names, &demands, &cards()[..2], &[("learn".into(), "levels of race are not declared".into())])
    }

    #[test]
    fn every_column_has_a_fate() {
        let description = description();
        let fate = |name: &str| description.columns.iter().find(|fate| fate.name == name).unwrap();
        assert!(fate("sex").fate.starts_with("no feature: protected"));
        assert!(fate("sex").fate.contains("cohorts are formed over it"));
        assert_eq!(
            (fate("race").origin.as_str(), fate("race").domain.as_str()),
            ("learned in a pass of its own", "not known yet")
        );
        assert_eq!(fate("debt").fate, "feature; a missing value is replaced and marked");
        assert_eq!((fate("note").read_as.as_str(), fate("note").fate.as_str()), ("not read", "read by nothing"));
        assert_eq!(fate("repaid").fate, "the true outcome; \"yes\" counts as 1");
    }

    #[test]
    fn cells_are_known_unless_levels_are_learned() {
        let cells: Vec<_> = description().statistics.iter().map(|statistic| statistic.cells).collect();
        assert_eq!(cells, [Some(4), None]);
    }

    #[test]
    fn the_text_says_passes_gates_and_widths() {
        let text = description().to_string();
        for part in [
            "Passes over the rows: 1\n  1. learn: levels of race are not declared",
            "Cohorts: everyone, sex, sex x race",
            "selection-rate ratio against worst-pair over sex: at least 0.8 (deny)",
            "n =     30: 0.332 to 0.668, width 0.337",
            "../reports/lending/<run-id>/",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
