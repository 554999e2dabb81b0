//! Rows that were made up, for attacks on a plan: values at and beyond the ends of every domain, and those the plan's expressions speak of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use crate::plan::Plan;
use crate::plan::spec::{Format, Neighbours};
use crate::scalar::{Scalar, Value, format_number};
use crate::scan::{Cap, Reading, Scan, Source};
use crate::schema::{Domain, Role};
use crate::world::Scratch;

/// Most rows of a unit that are made up.
pub const COPIES_MAX: u32 = 20_000;
/// Units that both worlds have.
const BASE: u32 = 4;
/// Candidates there may be.
const CANDIDATES_MAX: u32 = 10_000;
/// Units of the world a model is trained on.
const TRAINING: u32 = 2_000;

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// A few units; where rows of a unit are replaced, the candidate too, with other rows.
    Without(u32),
    /// The same, and the candidate with more rows than the cap allows.
    With(u32),
    /// Many units.
    Training,
}

/// Makes rows up for a plan.
pub struct Maker<'a> {
    plan: &'a Plan,
    scratch: Scratch,
    /// Fields to choose from, by column of the source; none for a column of units.
    columns: BTreeMap<Arc<str>, Option<Vec<String>>>,
    copies: u32,
    /// The rows of a unit are replaced.
    pub changes: bool,
}

impl Maker<'_> {
    /// # Errors
    /// The temporary folder cannot be made, or, inside, why no neighbouring worlds can be.
    pub fn new(plan: &Plan) -> std::io::Result<Result<Maker<'_>, &'static str>> {
        let rows_max = plan.spec.privacy.as_ref().map_or(1, |privacy| privacy.rows_per_unit_max);
        let copies = match plan.schema.with(Role::PrivacyUnit).next() {
            None => 1,
            Some(_) if rows_max > COPIES_MAX => return Ok(Err("so many rows of one unit are not made up")),
            Some(unit) => {
                let read = plan.scan.reads.iter().find(|read| read.name == unit.name).map(|read| read.by);
                if !matches!(read, Some(Reading::Text | Reading::Number)) {
                    return Ok(Err("the unit is no column of texts or numbers of the source"));
                }
                rows_max + 3
            }
        };
        let names: BTreeSet<Arc<str>> = plan.scan.reads.iter().map(|read| read.column.clone()).collect();
        let columns = names.into_iter().map(|name| (name.clone(), fields(plan, &name))).collect();
        let changes = plan.spec.privacy.as_ref().is_some_and(|of| of.neighbours == Neighbours::ChangeOne);
        Ok(Ok(Maker { plan, scratch: Scratch::new()?, columns, copies, changes }))
    }

    /// Writes rows, and says how they are scanned: as those of the source are.
    pub fn scan(&self, which: Which) -> std::io::Result<Scan> {
        let mut rows: Vec<String> = match which {
            Which::Training => (0..TRAINING).map(|unit| self.row(unit, unit)).collect(),
            Which::Without(_) | Which::With(_) => (0..BASE).map(|unit| self.row(unit, unit)).collect(),
        };
        let seed = match which {
            Which::With(candidate) => Some((candidate, candidate)),
            // Where the rows of a unit are replaced, others of it are there in the first world.
            Which::Without(candidate) if self.changes => Some((candidate, candidate + CANDIDATES_MAX)),
            Which::Without(_) | Which::Training => None,
        };
        if let Some((unit, seed)) = seed {
            let row = self.row(TRAINING + unit, TRAINING + seed);
            rows.extend((0..self.copies).map(|_| row.clone()));
        }
        let header = self.columns.keys().map(|name| quoted(name)).collect::<Vec<_>>().join(",");
        let name = match which {
            Which::Without(candidate) => format!("without-{candidate}.csv"),
            Which::With(candidate) => format!("with-{candidate}.csv"),
            Which::Training => "training.csv".into(),
        };
        let text = std::iter::once(header).chain(rows).collect::<Vec<_>>().join("\n") + "\n";
        let source = source(self.scratch.write(&name, text.as_bytes())?);
        Ok(Scan { source, cap: self.plan.scan.cap.as_ref().map(Cap::again), ..self.plan.scan.clone() })
    }

    /// A row of a unit; the seed decides which fields it has.
    fn row(&self, unit: u32, seed: u32) -> String {
        let mut random = ChaCha20Rng::seed_from_u64(seed.into());
        let field = |fields: &Option<Vec<String>>| match fields {
            // A numeral is a text and a number.
            None => (1_000_000 + unit).to_string(),
            Some(fields) if fields.is_empty() => String::new(),
            Some(fields) => fields[random.random_range(0..fields.len())].clone(),
        };
        self.columns.values().map(field).collect::<Vec<_>>().join(",")
    }
}

fn source(path: PathBuf) -> Source {
    Source {
        paths: vec![path],
        format: Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    }
}

/// What may stand in a column, as fields of a CSV file; none for a column of units.
fn fields(plan: &Plan, name: &Arc<str>) -> Option<Vec<String>> {
    let column = plan.schema.columns.iter().find(|column| column.name == *name);
    if column.is_some_and(|column| column.is(Role::PrivacyUnit) || column.is(Role::Identifier)) {
        return None;
    }
    let spoken = spoken_of(plan, name);
    let numbers =
        spoken.iter().filter_map(|value| if let Value::Number(number) = value { Some(*number) } else { None });
    let near: Vec<String> = numbers
        .flat_map(|number| [number - 1.0, number, number + 1.0])
        .map(|number| quoted(&format_number(number)))
        .collect();
    let texts = spoken.iter().filter_map(|value| if let Value::Text(text) = value { Some(quoted(text)) } else { None });
    Some(match column.map(|column| &column.domain) {
        Some(Domain::Levels(levels)) => levels.iter().map(|level| quoted(level)).collect(),
        Some(Domain::Bounds { lower, upper }) => {
            let ends = [*upper, *lower, upper + (upper - lower) * 1e6, (lower + upper) / 2.0];
            ends.map(|end| quoted(&format_number(end))).into_iter().chain(near).collect()
        }
        _ if column.is_some_and(|column| column.is(Role::Score)) => ["1", "0", "0.5"].map(String::from).into(),
        _ => {
            let positive = plan.spec.schema.get(&**name).and_then(|column| column.positive.as_deref()).map(quoted);
            let either = if positive.is_some() { ["0", "1"] } else { ["true", "false"] };
            let by = plan.scan.reads.iter().find(|read| read.name == *name).map(|read| read.by);
            let plain = if by == Some(Reading::Number) { ["0", "1"] } else { either };
            texts.chain(near).chain(positive).chain(plain.map(String::from)).collect()
        }
    })
}

/// Values that an expression with this column has in it.
fn spoken_of<'a>(plan: &'a Plan, name: &Arc<str>) -> Vec<&'a Value> {
    let expressions = plan.scan.keep.iter().chain(plan.scan.derive.iter().map(|(_, scalar)| scalar));
    expressions.filter(|scalar| scalar.columns().contains(name)).flat_map(Scalar::literals).collect()
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
