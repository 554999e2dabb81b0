//! The de-identified dataset: rules opened with their secrets, batches transformed, rows put in random order, texts written.
//!
//! Memory is bounded by a window of rows and by the token tables. Secrets and tables are opened before any row is read.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
#[cfg(feature = "seal")]
use std::sync::{Mutex, PoisonError};

mod joint;

pub use joint::{Coder, Decided, NUDGE, Written};

use joint::Joint;
use rand::rngs::ChaCha20Rng;
use rand::seq::SliceRandom;

use super::transform::randomise::Randomiser;
use super::transform::value::Mask;
use super::transform::{Generalisation, Transformation};
use crate::plan::spec::{ColumnRule, Deidentify, Do};
use crate::scalar::{Kind, NO_TEXT, TRUTH_UNKNOWN, Value, Vector, format_number};
use crate::world;
#[cfg(feature = "seal")]
use crate::{
    deidentify::transform::key::{FormatPreserving, KEY_BYTES_MIN, Key, Offset, Pseudonym},
    deidentify::transform::token::{PASSPHRASE_BYTES_MIN, TokenError, Tokens},
};

/// Rows that are put in random order together.
pub const WINDOW_ROWS: usize = 65_536;

/// Why there is no dataset. No message holds a value, a key or a passphrase.
#[derive(Debug, thiserror::Error)]
pub enum DeidentifyError {
    #[error("deidentify.columns.{column}: {why}")]
    Rule { column: String, why: String },
    #[error("{0}")]
    File(#[from] io::Error),
    #[cfg(feature = "seal")]
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("{}, line {line}: {why}", path.display())]
    Hierarchy { path: PathBuf, line: usize, why: &'static str },
}

fn rule(column: &str, why: impl Into<String>) -> DeidentifyError {
    DeidentifyError::Rule { column: column.into(), why: why.into() }
}

/// One column of the dataset.
struct Step {
    name: Arc<str>,
    at: usize,
    kind: Kind,
    by: Transformation,
}

/// All rules of a dataset, opened. It holds keys: it cannot be printed.
pub struct Deidentifier {
    steps: Vec<Step>,
    /// Columns that are read, in the order of a batch.
    reads: Vec<Arc<str>>,
    /// Columns a model coarsens; until it has decided they are empty.
    joint: Option<Joint>,
    #[cfg(feature = "seal")]
    tables: BTreeMap<PathBuf, Arc<Mutex<Tokens>>>,
}

/// What became of the rows and values; sums of batches add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    pub rows: u64,
    pub rows_suppressed: u64,
    /// By column of the dataset: values there were, values changed, values the transformation was not for.
    pub columns: Vec<[u64; 3]>,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.rows += other.rows;
        self.rows_suppressed += other.rows_suppressed;
        self.columns.resize(self.columns.len().max(other.columns.len()), [0; 3]);
        for (mine, other) in self.columns.iter_mut().zip(&other.columns) {
            mine.iter_mut().zip(other).for_each(|(mine, other)| *mine += other);
        }
    }
}

impl Deidentifier {
    /// Opens rules, secrets and tables. `kinds` tells the kind of a column of the scan; paths are relative to `folder`; `randomiser` draws the
    /// columns that are randomised.
    pub fn open(
        spec: &Deidentify,
        kinds: &dyn Fn(&str) -> Option<Kind>,
        folder: &Path,
        generator: &mut dyn FnMut() -> io::Result<ChaCha20Rng>,
        randomiser: &dyn Fn(&str, &ColumnRule) -> Result<Randomiser, String>,
    ) -> Result<Deidentifier, DeidentifyError> {
        let mut opening = Opening { kinds, folder, randomiser, reads: Vec::new(), tables: BTreeMap::new() };
        let mut steps = Vec::new();
        for (name, of) in spec.columns.iter().filter(|(_, of)| of.by != Do::Drop) {
            let at = opening.read(name)?;
            let by = opening.transformation(name, of, generator)?;
            let found = kinds(name).ok_or_else(|| rule(name, "the column is not read"))?;
            let kind = by.kind(found).ok_or_else(|| rule(name, format!("{} is not for a {found}", of.by.name())))?;
            steps.push(Step { name: name.as_str().into(), at, kind, by });
        }
        let Opening { reads, tables, .. } = opening;
        #[cfg(not(feature = "seal"))]
        drop(tables);
        Ok(Deidentifier {
            steps,
            reads,
            joint: None,
            #[cfg(feature = "seal")]
            tables,
        })
    }

    /// Takes what the model decided.
    ///
    /// # Errors
    /// A column of the model that is not in the dataset.
    pub fn decide(&mut self, decided: Decided) -> Result<(), DeidentifyError> {
        let place = |(column, _): &(String, Coder)| {
            let at = self.steps.iter().position(|step| *step.name == **column);
            let at = at.ok_or_else(|| rule(column, "a model coarsens it, and it is not in the dataset"))?;
            Ok((at, self.steps[at].at))
        };
        let places = decided.columns.iter().map(place).collect::<Result<Vec<_>, DeidentifyError>>()?;
        self.joint = Some(Joint { places, decided });
        Ok(())
    }

    /// Columns to be read, in the order `apply` wants them.
    pub fn reads(&self) -> &[Arc<str>] {
        &self.reads
    }

    /// Positions in the dataset of the columns that are written as means of groups, with their names.
    pub fn grouped(&self) -> Vec<(usize, Arc<str>)> {
        let of = self.steps.iter().enumerate().filter(|(_, step)| matches!(step.by, Transformation::Grouped));
        of.map(|(at, step)| (at, step.name.clone())).collect()
    }

    /// Columns of the dataset with their kinds.
    pub fn columns(&self) -> Vec<(Arc<str>, Kind)> {
        self.steps.iter().map(|step| (step.name.clone(), step.kind)).collect()
    }

    /// Transforms the kept rows of a batch.
    pub fn apply(&self, batch: &[Vector], rows: &[u32]) -> (Vec<Vector>, Counts) {
        let mut counts = Counts { rows: rows.len() as u64, ..Counts::default() };
        let coarsened = self.joint.as_ref().map(|joint| joint.apply(batch, rows));
        let stays = coarsened.as_ref().filter(|of| of.stays.len() < rows.len());
        let left: Option<Vec<u32>> = stays.map(|of| of.stays.iter().map(|row| rows[*row as usize]).collect());
        let rows = left.as_deref().unwrap_or(rows);
        counts.rows_suppressed = counts.rows - rows.len() as u64;
        let mut columns = Vec::new();
        for step in &self.steps {
            let of = step.by.of(batch, step.at, rows);
            counts.columns.push([of.values, of.changed, of.refused]);
            columns.push(of.column);
        }
        if let (Some(joint), Some(of)) = (&self.joint, coarsened) {
            for (((at, _), column), [values, changed]) in joint.places.iter().zip(of.columns).zip(of.counts) {
                columns[*at] = column;
                counts.columns[*at] = [values, changed, 0];
            }
        }
        (columns, counts)
    }

    /// Writes the token tables that have new tokens. Before the dataset is put in its place.
    pub fn save_tables(&self) -> Result<(), DeidentifyError> {
        #[cfg(feature = "seal")]
        for table in self.tables.values() {
            table.lock().unwrap_or_else(PoisonError::into_inner).save()?;
        }
        Ok(())
    }
}

fn take(column: &Vector, rows: &[u32]) -> Vector {
    match column {
        Vector::Number(numbers) => Vector::Number(rows.iter().map(|row| numbers[*row as usize]).collect()),
        Vector::Truth(truths) => Vector::Truth(rows.iter().map(|row| truths[*row as usize]).collect()),
        Vector::Text { codes, levels } => {
            Vector::Text { codes: rows.iter().map(|row| codes[*row as usize]).collect(), levels: levels.clone() }
        }
        Vector::Null(_) => Vector::Null(rows.len()),
    }
}

#[cfg(feature = "seal")]
type Tables = BTreeMap<PathBuf, Arc<Mutex<Tokens>>>;
#[cfg(not(feature = "seal"))]
type Tables = BTreeMap<PathBuf, ()>;

/// Rules being opened.
struct Opening<'a> {
    kinds: &'a dyn Fn(&str) -> Option<Kind>,
    folder: &'a Path,
    randomiser: &'a dyn Fn(&str, &ColumnRule) -> Result<Randomiser, String>,
    reads: Vec<Arc<str>>,
    tables: Tables,
}

impl Opening<'_> {
    /// Position of a column in a batch.
    fn read(&mut self, name: &str) -> Result<usize, DeidentifyError> {
        if (self.kinds)(name).is_none() {
            return Err(rule(name, "the column is not read; take the role \"ignored\" off"));
        }
        let at = self.reads.iter().position(|read| **read == *name);
        Ok(at.unwrap_or_else(|| {
            self.reads.push(name.into());
            self.reads.len() - 1
        }))
    }

    fn transformation(
        &mut self,
        name: &str,
        of: &ColumnRule,
        generator: &mut dyn FnMut() -> io::Result<ChaCha20Rng>,
    ) -> Result<Transformation, DeidentifyError> {
        let lacks = |key: &str| rule(name, format!("{} needs {key}", of.by.name()));
        Ok(match of.by {
            Do::Keep | Do::Drop => Transformation::Keep,
            Do::Redact | Do::Model => Transformation::Redact,
            Do::Microaggregate => Transformation::Grouped,
            Do::Randomise => {
                Transformation::Randomise(Box::new((self.randomiser)(name, of).map_err(|why| rule(name, why))?))
            }
            Do::Mask => Transformation::Mask(match &of.pattern {
                Some(pattern) => Mask::Pattern(pattern.chars().collect()),
                None => {
                    Mask::Ends { first: of.keep_first.unwrap_or(0) as usize, last: of.keep_last.unwrap_or(0) as usize }
                }
            }),
            Do::Generalise => Transformation::Generalise(self.generalisation(name, of)?),
            Do::TopCode => Transformation::TopCode(of.at.ok_or_else(|| lacks("at"))?),
            Do::BottomCode => Transformation::BottomCode(of.at.ok_or_else(|| lacks("at"))?),
            Do::Round => Transformation::Round(of.to.ok_or_else(|| lacks("to"))?),
            Do::Pseudonym | Do::Token | Do::FormatPreserving | Do::DateShift => self.sealed(name, of, generator)?,
        })
    }

    fn generalisation(&self, name: &str, of: &ColumnRule) -> Result<Generalisation, DeidentifyError> {
        if let Some(width) = of.width {
            return Ok(Generalisation::Intervals { origin: of.origin.unwrap_or(0.0), width });
        }
        if let Some(part) = of.date {
            return Ok(Generalisation::Date(part));
        }
        if let Some(digits) = of.digits {
            let restricted = of.restricted.clone().unwrap_or_default();
            return Ok(Generalisation::Digits { digits: digits as usize, restricted });
        }
        match (&of.hierarchy, of.level) {
            (Some(file), Some(level)) => {
                let path = self.folder.join(file);
                let bytes = world::read(&path)?.ok_or_else(|| rule(name, "the hierarchy file is not there"))?;
                Ok(Generalisation::Table(hierarchy(&path, &bytes, level)?))
            }
            _ => Err(rule(name, "generalise needs digits, date, width, or hierarchy with level")),
        }
    }

    #[cfg(not(feature = "seal"))]
    fn sealed(
        &mut self,
        name: &str,
        of: &ColumnRule,
        _: &mut dyn FnMut() -> io::Result<ChaCha20Rng>,
    ) -> Result<Transformation, DeidentifyError> {
        let _ = &mut self.tables;
        Err(rule(name, format!("this build has no {}; build with the feature `seal`", of.by.name())))
    }

    #[cfg(feature = "seal")]
    fn sealed(
        &mut self,
        name: &str,
        of: &ColumnRule,
        generator: &mut dyn FnMut() -> io::Result<ChaCha20Rng>,
    ) -> Result<Transformation, DeidentifyError> {
        let lacks = |key: &str| rule(name, format!("{} needs {key}", of.by.name()));
        let domain = of.domain.as_deref().unwrap_or(name);
        Ok(match of.by {
            Do::Token => {
                let file = of.table_file.as_ref().ok_or_else(|| lacks("table_file"))?;
                let variable = of.passphrase_env.as_ref().ok_or_else(|| lacks("passphrase_env"))?;
                let path = self.folder.join(file);
                let table = match self.tables.get(&path) {
                    Some(table) => table.clone(),
                    None => {
                        let secret = world::variable(variable)
                            .ok_or_else(|| rule(name, format!("the variable {variable} is not set")))?;
                        if secret.len() < PASSPHRASE_BYTES_MIN {
                            let why =
                                format!("the passphrase in {variable} has fewer than {PASSPHRASE_BYTES_MIN} bytes");
                            return Err(rule(name, why));
                        }
                        let table = Arc::new(Mutex::new(Tokens::open(&path, secret, None, generator()?)?));
                        self.tables.insert(path, table.clone());
                        table
                    }
                };
                Transformation::Token(table, domain.into())
            }
            Do::Pseudonym => Transformation::Pseudonym(Pseudonym::new(&self.key(name, of)?, domain)),
            Do::FormatPreserving => {
                let alphabet = of.alphabet.as_ref().ok_or_else(|| lacks("alphabet"))?;
                let made = FormatPreserving::new(&self.key(name, of)?, domain, alphabet).map(Box::new);
                Transformation::FormatPreserving(
                    made.ok_or_else(|| rule(name, "the alphabet has fewer than 2 or more than 65,536 characters"))?,
                )
            }
            _ => {
                let unit = of.unit.as_ref().ok_or_else(|| lacks("unit"))?;
                let days = of.days_max.ok_or_else(|| lacks("days_max"))?;
                // All dates of a unit move together, in whatever column they are.
                let domain = of.domain.as_deref().unwrap_or(unit);
                Transformation::DateShift(Offset::new(&self.key(name, of)?, domain, days), self.read(unit)?)
            }
        })
    }

    #[cfg(feature = "seal")]
    fn key(&self, name: &str, of: &ColumnRule) -> Result<Key, DeidentifyError> {
        let (bytes, place) = match (&of.key_env, &of.key_file) {
            (Some(variable), _) => {
                (world::variable(variable).map(String::into_bytes), format!("the variable {variable}"))
            }
            (None, Some(file)) => (world::read(&self.folder.join(file))?, format!("the file {file}")),
            (None, None) => return Err(rule(name, format!("{} needs key_env or key_file", of.by.name()))),
        };
        let bytes = bytes.ok_or_else(|| rule(name, format!("there is no key: {place} is not there")))?;
        Key::new(bytes).ok_or_else(|| {
            let remedy = "make one, for example: head -c 32 /dev/urandom | base64";
            rule(name, format!("the key in {place} has fewer than {KEY_BYTES_MIN} bytes; {remedy}"))
        })
    }
}

/// The texts of a level of lines `value;level 1;level 2`. Lines have one length, a value comes once, and a text belongs to one text of the
/// next level: a coarser level never splits a finer one.
fn hierarchy(path: &Path, bytes: &[u8], level: u32) -> Result<HashMap<Arc<str>, Arc<str>>, DeidentifyError> {
    let wrong = |line, why| DeidentifyError::Hierarchy { path: path.into(), line, why };
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(1, "the hierarchy is not UTF-8"))?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(b';').has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut of, mut above, mut width) = (HashMap::new(), HashMap::<(usize, Arc<str>), Arc<str>>::new(), None);
    for (line, record) in reader.records().enumerate() {
        let line = line + 1;
        let fields: Vec<Arc<str>> =
            record.map_err(|_| wrong(line, "the fields cannot be told apart"))?.iter().map(Arc::from).collect();
        if *width.get_or_insert(fields.len()) != fields.len() {
            return Err(wrong(line, "a line has another number of levels than the first"));
        }
        let [value, ..] = fields.as_slice() else { continue };
        let made = fields.get(level as usize).ok_or_else(|| wrong(line, "the file has not so many levels"))?;
        for (at, pair) in fields.windows(2).enumerate() {
            if at > 0 && *above.entry((at, pair[0].clone())).or_insert_with(|| pair[1].clone()) != pair[1] {
                return Err(wrong(line, "a text of one level belongs to two texts of the next"));
            }
        }
        if of.insert(value.clone(), made.clone()).is_some() {
            return Err(wrong(line, "a value comes twice"));
        }
    }
    Ok(of)
}

/// Transformed rows that wait to be written, all of a window in random order.
pub struct Window {
    columns: Vec<Vec<Vector>>,
    rows: usize,
    /// Draws the order; rows keep theirs without it.
    generator: Option<ChaCha20Rng>,
}

impl Window {
    pub fn new(generator: Option<ChaCha20Rng>) -> Window {
        Window { columns: Vec::new(), rows: 0, generator }
    }

    /// Adds a batch; the rows of a window when it is full.
    pub fn add(&mut self, batch: Vec<Vector>, rows: usize) -> Option<Vec<Vector>> {
        self.columns.resize_with(batch.len(), Vec::new);
        self.columns.iter_mut().zip(batch).for_each(|(column, part)| column.push(part));
        self.rows += rows;
        (self.rows >= WINDOW_ROWS).then(|| self.take())
    }

    /// What is left.
    pub fn take(&mut self) -> Vec<Vector> {
        let mut order: Vec<u32> = (0..self.rows as u32).collect();
        if let Some(generator) = &mut self.generator {
            order.shuffle(generator);
        }
        self.rows = 0;
        let joined = std::mem::take(&mut self.columns).into_iter().map(join);
        joined.map(|column| take(&column, &order)).collect()
    }
}

/// Rows of a column.
pub fn length(column: &Vector) -> usize {
    match column {
        Vector::Number(numbers) => numbers.len(),
        Vector::Truth(truths) => truths.len(),
        Vector::Text { codes, .. } => codes.len(),
        Vector::Null(rows) => *rows,
    }
}

/// The parts of a column behind one another. Levels of different parts may be equal.
fn join(parts: Vec<Vector>) -> Vector {
    let first = parts.iter().find(|part| !matches!(part, Vector::Null(_)));
    match first {
        None => Vector::Null(parts.iter().map(length).sum()),
        Some(Vector::Number(_)) => Vector::Number(parts.iter().fold(Vec::new(), |mut all, part| {
            match part {
                Vector::Number(numbers) => all.extend(numbers),
                other => all.resize(all.len() + length(other), f64::NAN),
            }
            all
        })),
        Some(Vector::Truth(_)) => Vector::Truth(parts.iter().fold(Vec::new(), |mut all, part| {
            match part {
                Vector::Truth(truths) => all.extend(truths),
                other => all.resize(all.len() + length(other), TRUTH_UNKNOWN),
            }
            all
        })),
        Some(_) => {
            let (mut all, mut texts) = (Vec::new(), Vec::<Arc<str>>::new());
            for part in &parts {
                match part {
                    Vector::Text { codes, levels } => {
                        let base = texts.len() as u32;
                        all.extend(codes.iter().map(|code| if *code == NO_TEXT { NO_TEXT } else { code + base }));
                        texts.extend(levels.iter().cloned());
                    }
                    other => all.resize(all.len() + length(other), NO_TEXT),
                }
            }
            Vector::Text { codes: all, levels: texts.into() }
        }
    }
}

/// Writes the dataset as CSV: a header, then rows; a missing value is an empty field.
pub struct Delimited<W: Write>(csv::Writer<W>);

impl<W: Write> Delimited<W> {
    pub fn new(file: W, columns: &[(Arc<str>, Kind)]) -> io::Result<Delimited<W>> {
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(columns.iter().map(|(name, _)| name.as_bytes())).map_err(plain)?;
        Ok(Delimited(writer))
    }

    pub fn write(&mut self, columns: &[Vector], rows: usize) -> io::Result<()> {
        for row in 0..rows {
            for column in columns {
                match column.get(row) {
                    Value::Null => self.0.write_field(b""),
                    Value::Truth(truth) => self.0.write_field(if truth { "true" } else { "false" }),
                    Value::Number(number) => self.0.write_field(format_number(number)),
                    Value::Text(text) => self.0.write_field(text.as_bytes()),
                }
                .map_err(plain)?;
            }
            self.0.write_record(None::<&[u8]>).map_err(plain)?;
        }
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// An error of the CSV crate without its text.
fn plain(e: csv::Error) -> io::Error {
    match e.into_kind() {
        csv::ErrorKind::Io(e) => e,
        _ => io::Error::other("the dataset cannot be written as CSV"),
    }
}

#[cfg(test)]
mod tests;
