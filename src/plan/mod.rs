//! TOML -> [`spec::Spec`] -> [`Plan`]: from what the author wrote to what will be read, counted and measured.
//!
//! A plan is complete: every statistic and every pass follows from it. What is not declared (levels of a protected column, bounds of a number,
//! the value that replaces a missing feature) is learned in a pass of its own, which the plan lists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cohort::{Across, Attribute};
use crate::demand::{RowKey, Rows};
use crate::scalar::{Expr, Kind, Order, Scalar, Value};
use crate::scan::{Cap, Read, Reading, Scan, Source};
use crate::schema::{Column, Domain, Origin, Role, Schema};

pub mod check;
pub mod describe;
pub mod draft;
#[cfg(feature = "sql")]
pub mod expression;
pub mod features;
pub mod learn;
pub mod mitigated;
pub mod policy;
pub mod regulation;
pub mod spec;
pub mod strata;

use features::Feature;
use spec::{ColumnSpec, Format, Missing, ReadAs, Spec};

/// Everything that follows from a pipeline file and the learned domains.
#[derive(Debug, Clone)]
pub struct Plan {
    pub spec: Spec,
    /// SHA-256 of the pipeline file and the policy file after it.
    pub spec_sha256: String,
    pub schema: Schema,
    pub scan: Scan,
    /// Protected columns that are used in `across`, in the order of their names.
    pub attributes: Vec<Attribute>,
    pub across: Vec<Across>,
    /// Control columns: cohorts are compared also within each combination of their levels.
    pub given: Vec<Attribute>,
    /// Position of the reference level of every attribute that has one.
    pub references: Vec<Option<u32>>,
    /// True, false or missing: the row's outcome is the positive one.
    pub label: Option<Scalar>,
    /// True, false or missing: the given decision is the positive one.
    pub decision: Option<Scalar>,
    /// A given score between 0 and 1.
    pub score: Option<Scalar>,
    /// A numeric target on its interval.
    pub target: Option<Numeric>,
    /// A given numeric prediction.
    pub prediction: Option<Scalar>,
    pub weight: Option<Scalar>,
    /// What is hashed for splits, folds and buckets.
    pub key: RowKey,
    /// Rows share units or carry weights: intervals are those of the bucket jackknife.
    pub dependent: bool,
    pub features: Vec<Feature>,
}

/// A number on a declared or learned interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Numeric {
    pub of: Scalar,
    pub lower: f64,
    pub upper: f64,
}

/// Why no plan follows from a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct PlanError {
    /// Key in the pipeline file, with dots.
    pub path: String,
    pub message: String,
}

fn error(path: impl Into<String>, message: impl Into<String>) -> PlanError {
    PlanError { path: path.into(), message: message.into() }
}

/// Most cohorts a set of protected columns may form. All pairs of them are compared.
pub const COHORTS_MAX: u64 = 1000;

/// Most cells the finest table may have: their codes are 64-bit numbers.
const CELLS_MAX: u64 = 1 << 62;

/// Reads an expression of the pipeline file.
pub type Parse<'a> = &'a dyn Fn(&str) -> Result<Scalar, String>;

/// The pass that learns what is not declared; none when all is.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    pub domains: BTreeMap<String, Domain>,
    /// Value that replaces a missing feature.
    pub fill: BTreeMap<String, Value>,
}

impl Plan {
    /// Draws the plan. `learned` holds what an earlier pass found; a column whose domain is needed and neither declared nor learned is an
    /// error only where it is used.
    pub fn of(
        spec: &Spec,
        spec_sha256: &str,
        source: Source,
        parse: Parse,
        learned: &Learned,
    ) -> Result<Plan, PlanError> {
        let spec = &regulation::expand(spec);
        let scan = scan(spec, source, parse)?;
        let schema = schema(spec, learned);
        let across = across(spec)?;
        let names: Vec<&String> = across.iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
        let attributes = names.iter().map(|name| attribute(&schema, name)).collect::<Result<Vec<_>, _>>()?;
        let kinds = kinds(&scan)?;
        check_cohorts(&across, &attributes, &kinds)?;
        let given = strata::given(spec, &schema, &kinds)?;
        strata::check_cells(&across, &attributes, &given)?;
        let at = |name: &String| names.iter().position(|other| *other == name);
        let across: Vec<Across> =
            across.iter().map(|set| Across { attributes: set.iter().filter_map(at).collect() }).collect();
        let references = attributes.iter().map(|attribute| reference(spec, attribute)).collect();
        let role = |role| schema.with(role).next().cloned();
        let weight = role(Role::Weight).map(|column| Scalar::column(&column.name));
        let key = key(spec, &schema);
        let mut plan = Plan {
            dependent: weight.is_some() || role(Role::PrivacyUnit).is_some(),
            label: role(Role::Target).map(|column| positive(spec, &column, &kinds)).transpose()?.flatten(),
            decision: role(Role::Prediction).map(|column| positive(spec, &column, &kinds)).transpose()?.flatten(),
            score: role(Role::Score).map(|column| Scalar::column(&column.name)),
            target: role(Role::Target).and_then(|column| numeric(&column)),
            prediction: role(Role::Prediction).and_then(|column| numeric(&column)).map(|numeric| numeric.of),
            spec: spec.clone(),
            spec_sha256: spec_sha256.into(),
            schema,
            scan,
            attributes,
            across,
            given,
            references,
            weight,
            key,
            features: Vec::new(),
        };
        if spec.train.is_some() {
            plan.features = features::of(&plan, learned)?;
        }
        Ok(plan)
    }

    /// The salt of one public use of the hash.
    pub fn salt(&self, purpose: &str) -> String {
        format!("{}:{purpose}", self.spec.pipeline.seed)
    }

    /// Position of the test part among the split's parts.
    pub const TEST: u32 = 2;

    /// Rows of one part of the split (0 train, 1 calibration, 2 test); all kept rows when nothing is trained here, or the half on which no
    /// rule was chosen when a rule is put into effect for given scores.
    pub fn part(&self, part: u32) -> Rows {
        let in_use = self.spec.mitigate.as_ref().is_some_and(|mitigate| mitigate.used.is_some());
        match &self.spec.train {
            None if in_use => self.held_out(),
            None => Rows::Kept,
            Some(train) => {
                let shares = [train.split.train, train.split.calibration, train.split.test];
                let axis = crate::demand::Axis::shares(self.key.clone(), self.salt("split"), &shares);
                Rows::Within { axis, codes: vec![part] }
            }
        }
    }
}

/// Files of a source, in the order of their names.
pub fn source(
    spec: &Spec,
    folder: &Path,
    expand: &dyn Fn(&Path) -> Result<Vec<PathBuf>, String>,
) -> Result<Source, PlanError> {
    let path = folder.join(&spec.ingest.path);
    let paths = expand(&path).map_err(|why| error("ingest.path", why))?;
    let first = paths.first().ok_or_else(|| error("ingest.path", format!("{}: no file matches", path.display())))?;
    let format = match spec.ingest.format.or_else(|| format_of(first)) {
        Some(format) => format,
        None => {
            return Err(error(
                "ingest.format",
                format!("{}: the extension does not tell the format; write format = \"csv\"", first.display()),
            ));
        }
    };
    let delimiter = spec.ingest.delimiter.unwrap_or(if format == Format::Tsv { '\t' } else { ',' });
    let delimiter = u8::try_from(delimiter).map_err(|_| error("ingest.delimiter", "must be one ASCII character"))?;
    let hive = path.is_dir() || first.components().any(|part| part.as_os_str().to_string_lossy().contains('='));
    let (decimal, null_values) = (spec.ingest.decimal, spec.ingest.null_values.clone());
    Ok(Source { paths, format, delimiter, decimal, null_values, hive })
}

/// The format an extension tells; compression is looked through.
pub fn format_of(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    match name.rsplit('.').next()? {
        "csv" => Some(Format::Csv),
        "tsv" | "tab" => Some(Format::Tsv),
        "parquet" | "pq" => Some(Format::Parquet),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "arrow" | "ipc" | "feather" => Some(Format::Ipc),
        _ => None,
    }
}

/// How a column is read.
pub fn read_as(column: &ColumnSpec) -> ReadAs {
    match (column.read_as, &column.bounds) {
        (Some(read_as), _) => read_as,
        (None, Some(_)) => ReadAs::Number,
        (None, None) => match column.roles.iter().any(|role| matches!(role, Role::Weight | Role::Score)) {
            true => ReadAs::Number,
            false => ReadAs::Text,
        },
    }
}

/// Name of the companion that is true where a field is no value of the column's type.
pub fn malformed(column: &str) -> String {
    format!("{column} is malformed")
}

/// The rows and columns a pipeline file names.
pub fn scan(spec: &Spec, source: Source, parse: Parse) -> Result<Scan, PlanError> {
    let mut reads = Vec::new();
    let read = |name: &str, column: &str, by| Read { name: name.into(), column: column.into(), by };
    for (name, column) in &spec.schema {
        if spec.derive.contains_key(name) || column.roles.contains(&Role::Ignored) {
            continue;
        }
        let (by, check) = match read_as(column) {
            ReadAs::Text => (Reading::Text, None),
            ReadAs::Number => (Reading::Number, Some(Reading::NoNumber)),
            ReadAs::Truth => (Reading::Truth, Some(Reading::NoTruth)),
        };
        reads.push(read(name, name, by));
        reads.extend(check.map(|by| read(&malformed(name), name, by)));
    }
    let mut waiting = BTreeMap::new();
    for (name, text) in &spec.derive {
        let path = format!("derive.{name}");
        waiting.insert(name.as_str(), parse(text).map_err(|why| error(path, why))?);
    }
    let mut derive: Vec<(Arc<str>, Scalar)> = Vec::new();
    while !waiting.is_empty() {
        let ready =
            waiting.iter().find(|(_, scalar)| scalar.columns().iter().all(|used| !waiting.contains_key(&**used)));
        let Some((&name, _)) = ready else {
            let names: Vec<&str> = waiting.into_keys().collect();
            return Err(error(
                format!("derive.{}", names[0]),
                format!("derived columns need one another: {}", names.join(", ")),
            ));
        };
        if let Some(scalar) = waiting.remove(name) {
            derive.push((name.into(), scalar));
        }
    }
    let keep =
        spec.ingest.filter.as_ref().map(|text| parse(text)).transpose().map_err(|why| error("ingest.where", why))?;
    let scan = Scan { source, reads, derive, keep, cap: cap(spec) };
    let kinds = kinds(&scan)?;
    match scan.keep.as_ref().map(|keep| keep.kind(&|column| kinds.get(column).copied())) {
        None | Some(Ok(Kind::Truth)) => Ok(scan),
        Some(Ok(kind)) => Err(error("ingest.where", format!("is a {kind}; a condition is needed"))),
        Some(Err(e)) => Err(error("ingest.where", e.to_string())),
    }
}

/// The cap on the rows of a unit. Without a column of units every row is one, and there is nothing to cap.
fn cap(spec: &Spec) -> Option<Cap> {
    let privacy = spec.privacy.as_ref()?;
    let (unit, _) = spec.schema.iter().find(|(_, column)| column.roles.contains(&Role::PrivacyUnit))?;
    let salt = format!("{}:cap", spec.pipeline.seed);
    let memory_bytes_max = privacy.memory_mib_max.saturating_mul(1 << 20);
    Some(Cap::new(Scalar::column(unit), privacy.rows_per_unit_max, salt, memory_bytes_max))
}

/// Kinds of the columns that are read and derived.
pub fn kinds(scan: &Scan) -> Result<BTreeMap<Arc<str>, Kind>, PlanError> {
    let mut kinds: BTreeMap<Arc<str>, Kind> =
        scan.reads.iter().map(|read| (read.name.clone(), read.by.kind())).collect();
    for (name, scalar) in &scan.derive {
        let kind = scalar
            .kind(&|column| kinds.get(column).copied())
            .map_err(|e| error(format!("derive.{name}"), e.to_string()))?;
        kinds.insert(name.clone(), kind);
    }
    Ok(kinds)
}

/// Levels are texts, and there are not too many cohorts.
fn check_cohorts(
    across: &[Vec<String>],
    attributes: &[Attribute],
    kinds: &BTreeMap<Arc<str>, Kind>,
) -> Result<(), PlanError> {
    for attribute in attributes {
        let path = || format!("schema.{}", attribute.name);
        match kinds.get(&attribute.name) {
            Some(Kind::Text) => {}
            Some(kind) => {
                return Err(error(
                    path(),
                    format!(
                        "is a {kind} and a protected column must be text; read it as = \"text\" or derive it with CAST(... AS TEXT)"
                    ),
                ));
            }
            None => return Err(error(path(), "is not read; take the role \"ignored\" off")),
        }
    }
    let size = |name: &String| {
        attributes
            .iter()
            .find(|attribute| *attribute.name == **name)
            .map_or(0, |attribute| attribute.levels.len() as u64)
    };
    for set in across {
        let cohorts = set.iter().map(size).fold(1u64, u64::saturating_mul);
        if cohorts > COHORTS_MAX {
            return Err(error(
                "measure.across",
                format!(
                    "{} forms up to {cohorts} cohorts; at most {COHORTS_MAX} can be compared: derive coarser columns",
                    set.join(" x ")
                ),
            ));
        }
    }
    let outcomes = 9 * u64::from(crate::estimate::BUCKETS);
    let cells = attributes.iter().map(|attribute| u64::from(attribute.codes())).fold(outcomes, u64::saturating_mul);
    match cells > CELLS_MAX {
        true => Err(error(
            "measure.across",
            "the protected columns together form more cells than can be counted; measure fewer of them in one pipeline",
        )),
        false => Ok(()),
    }
}

fn schema(spec: &Spec, learned: &Learned) -> Schema {
    let column = |(name, column): (&String, &ColumnSpec)| {
        let declared = match (&column.levels, column.bounds) {
            (Some(levels), _) => Some(Domain::Levels(levels.iter().map(|level| Arc::from(level.as_str())).collect())),
            (None, Some([lower, upper])) => Some(Domain::Bounds { lower, upper }),
            (None, None) => None,
        };
        let origin =
            if declared.is_none() && learned.domains.contains_key(name) { Origin::Learned } else { Origin::Declared };
        let domain = declared.or_else(|| learned.domains.get(name).cloned()).unwrap_or(Domain::Open);
        Column { name: name.as_str().into(), roles: column.roles.iter().copied().collect(), domain, origin }
    };
    Schema { columns: spec.schema.iter().map(column).collect() }
}

fn across(spec: &Spec) -> Result<Vec<Vec<String>>, PlanError> {
    let protected: Vec<String> = spec
        .schema
        .iter()
        .filter(|(_, column)| column.roles.contains(&Role::Protected))
        .map(|(name, _)| name.clone())
        .collect();
    let sets = match spec.measure.across.is_empty() {
        true => protected.iter().map(|name| vec![name.clone()]).collect(),
        false => spec.measure.across.clone(),
    };
    for set in &sets {
        if set.is_empty() || set.iter().collect::<BTreeSet<_>>().len() < set.len() {
            return Err(error("measure.across", "a set must name at least one column, and none of them twice"));
        }
    }
    for name in sets.iter().flatten() {
        if !protected.contains(name) {
            return Err(error(
                "measure.across",
                format!("{name} is no protected column; give it the role \"protected\""),
            ));
        }
    }
    Ok(sets)
}

fn attribute(schema: &Schema, name: &str) -> Result<Attribute, PlanError> {
    match schema.column(name).map(|column| &column.domain) {
        Some(Domain::Levels(levels)) => Ok(Attribute { name: name.into(), levels: levels.clone() }),
        _ => Err(error(
            format!("schema.{name}"),
            "a protected column needs levels; derive a column of bands from a number",
        )),
    }
}

fn reference(spec: &Spec, attribute: &Attribute) -> Option<u32> {
    let level = spec.schema.get(&*attribute.name)?.reference.as_ref()?;
    attribute.levels.iter().position(|other| **other == **level).map(|at| at as u32)
}

/// The truth value of a two-valued column: equal to its positive value, missing where the column is.
fn positive(spec: &Spec, column: &Column, kinds: &BTreeMap<Arc<str>, Kind>) -> Result<Option<Scalar>, PlanError> {
    let Some(written) = spec.schema.get(&*column.name) else { return Ok(None) };
    let of = Scalar::column(&column.name);
    // A derived column is what its expression is, whatever is written.
    let read_as = match kinds.get(&column.name) {
        Some(Kind::Truth) => ReadAs::Truth,
        Some(Kind::Number) => ReadAs::Number,
        Some(Kind::Text) => ReadAs::Text,
        None => read_as(written),
    };
    match (&written.positive, read_as) {
        (None, ReadAs::Truth) => Ok(Some(of)),
        (None, _) => Ok(None),
        (Some(value), ReadAs::Text) => {
            Ok(Some(Expr::Compare(Order::Equal, Box::new(of), Box::new(Scalar::text(value)))))
        }
        (Some(value), ReadAs::Number) => match crate::scalar::parse_number(value, '.') {
            Some(number) => Ok(Some(Expr::Compare(Order::Equal, Box::new(of), Box::new(Scalar::number(number))))),
            None => Err(error(
                format!("schema.{}.positive", column.name),
                "the column is read as a number and this is none",
            )),
        },
        (Some(value), ReadAs::Truth) => match crate::scan::parse_truth(value) {
            Some(true) => Ok(Some(of)),
            Some(false) => Ok(Some(Expr::Not(Box::new(of)))),
            None => Err(error(
                format!("schema.{}.positive", column.name),
                "the column is read as a truth value; write true or false",
            )),
        },
    }
}

fn numeric(column: &Column) -> Option<Numeric> {
    match column.domain {
        Domain::Bounds { lower, upper } => Some(Numeric { of: Scalar::column(&column.name), lower, upper }),
        Domain::Levels(_) | Domain::Open => None,
    }
}

/// The unit when one is declared, else the declared key, else the columns promised to be unique, else the whole row.
fn key(spec: &Spec, schema: &Schema) -> RowKey {
    if let Some(unit) = schema.with(Role::PrivacyUnit).next() {
        return RowKey::Of(vec![Scalar::column(&unit.name)]);
    }
    let declared = [&spec.ingest.key, &spec.contract.unique_key].into_iter().find(|key| !key.is_empty());
    match declared {
        None => RowKey::Row,
        Some(key) => RowKey::Of(key.iter().map(|name| Scalar::column(name)).collect()),
    }
}

/// A column and every derived one that is computed from it. `derived` are names with the columns their expressions read.
pub fn computed_from(column: &str, derived: &[(Arc<str>, BTreeSet<Arc<str>>)]) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::from([Arc::from(column)]);
    loop {
        let more = derived.iter().find(|(name, reads)| !found.contains(name) && !reads.is_disjoint(&found));
        let Some((name, _)) = more else { return found };
        found.insert(name.clone());
    }
}

/// The policy for a missing value of a feature.
pub fn missing(column: &ColumnSpec) -> Missing {
    column.missing.unwrap_or_default()
}

#[cfg(test)]
mod tests;
