//! The de-identified dataset of a run, with its codebook.
//!
//! Secrets and tables are opened first; rows are streamed; token tables are saved before the dataset is put in its place.

use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::Arc;

use super::randomise;
use crate::audit::Coarsening;
use crate::deidentify::classes::ModelError;
use crate::deidentify::codebook::Codebook;
use crate::deidentify::dataset::{Counts, Deidentifier, DeidentifyError, Delimited, Window};
use crate::deidentify::microaggregate::microaggregate;
use crate::deidentify::model::Decision;
use crate::engine::{EngineError, rows};
use crate::plan::spec::{Deidentify, Do, Spec};
use crate::scalar::{Kind, Vector};
use crate::scan::Scan;
use crate::world::{Beside, Entropy, NewFile};

/// Why no dataset was written.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    #[error(transparent)]
    Rules(#[from] DeidentifyError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("microaggregate: {0}")]
    Groups(#[from] ModelError),
    #[error(
        "microaggregate holds all rows in memory, and its work grows with their square: at most {ROWS_MAX} rows, here are more; use generalise with a width"
    )]
    TooManyRows,
}

/// A dataset in the making: rules and secrets are opened, no row is read.
pub struct Artefact<'a> {
    pipeline: &'a Spec,
    scan: &'a Scan,
    spec: &'a Deidentify,
    rules: Deidentifier,
    coarsening: Option<Coarsening>,
    entropy: Entropy,
}

impl<'a> Artefact<'a> {
    /// Opens the rules of a pipeline whose file is in this folder; none when it has no `[deidentify]`. Call it before the first pass: a missing
    /// key ends the run before a row is read.
    pub fn open(
        (pipeline, scan): (&'a Spec, &'a Scan),
        folder: &Path,
        entropy: Entropy,
    ) -> Result<Option<Artefact<'a>>, ArtefactError> {
        let Some(spec) = &pipeline.deidentify else { return Ok(None) };
        if cfg!(not(feature = "polars")) && spec.output.ends_with(".parquet") {
            return Err(ArtefactError::File(parquet_unknown()));
        }
        let kinds = rows::kinds(scan)?;
        let kind = |name: &str| kinds.iter().rfind(|(column, _)| **column == *name).map(|(_, kind)| *kind);
        let randomiser = |name: &str, rule: &_| randomise::randomiser(pipeline.schema.get(name), rule, entropy);
        let rules = Deidentifier::open(spec, &kind, folder, &mut || entropy.generator(), &randomiser)?;
        Ok(Some(Artefact { pipeline, scan, spec, rules, coarsening: None, entropy }))
    }

    /// Takes what the model of the section decided; its columns are empty otherwise.
    pub fn decide(&mut self, decision: Decision) -> Result<(), ArtefactError> {
        self.coarsening = Some(decision.coarsening);
        Ok(self.rules.decide(decision.decided)?)
    }

    /// Passes over the rows that `write` makes.
    pub fn passes(&self) -> u32 {
        1 + u32::from(!self.rules.grouped().is_empty())
    }

    /// Writes the dataset to a place and returns its codebook. One pass over the rows, and one before where rows are grouped.
    pub fn write(
        &self,
        place: &Path,
        threads: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Codebook, ArtefactError> {
        let (beside, file) = Beside::create(place)?;
        let columns = self.rules.columns();
        let mut sink = Sink::new(&self.spec.output, file, &columns)?;
        let mut window = Window::new(if self.spec.shuffle { Some(self.entropy.generator()?) } else { None });
        let (mut counts, mut failed) = (Counts::default(), None);
        let mut groups = Groups::of(self, threads)?;
        let map = |batch: &[Vector], rows: &[u32]| self.rules.apply(batch, rows);
        let mut take = |(mut batch, mut of): (Vec<Vector>, Counts)| {
            groups.fill(&mut batch, &mut of);
            counts.add(&of);
            let rows = (of.rows - of.rows_suppressed) as usize;
            let written = window.add(batch, rows).map_or(Ok(()), |full| sink.write(&full));
            failed = written.err();
            failed.is_none()
        };
        rows::stream(self.scan, self.rules.reads(), threads, &map, &mut take, progress)?;
        if let Some(e) = failed {
            return Err(e.into());
        }
        sink.write(&window.take())?;
        sink.finish()?;
        self.rules.save_tables()?;
        beside.place()?;
        let undoing = |name: &str| {
            let rule = self.spec.columns.get(name).filter(|rule| rule.by == Do::Randomise)?;
            randomise::undoing(self.pipeline.schema.get(name), rule)
        };
        let names = &mut self.pipeline.schema.keys();
        Ok(Codebook::of(self.spec, &columns, names, self.coarsening.clone(), &undoing, &counts))
    }
}

/// Most rows that are grouped.
const ROWS_MAX: usize = 100_000;

/// Columns that are written as means of groups, row after row.
#[derive(Default)]
struct Groups {
    /// Position in the dataset, values before, and means.
    columns: Vec<(usize, Vec<f64>, Vec<f64>)>,
    at: usize,
}

impl Groups {
    /// Reads the columns and groups their rows. A row in which one is missing is in no group.
    fn of(artefact: &Artefact, threads: usize) -> Result<Groups, ArtefactError> {
        let (places, names): (Vec<usize>, Vec<Arc<str>>) = artefact.rules.grouped().into_iter().unzip();
        let k = artefact.spec.columns.values().find_map(|rule| rule.k).unwrap_or(0) as usize;
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
        if names.is_empty() {
            return Ok(Groups::default());
        }
        let numbers = |batch: &[Vector], rows: &[u32]| -> Vec<Vec<f64>> {
            let of = |column: &Vector| match column {
                Vector::Number(numbers) => rows.iter().map(|row| numbers[*row as usize]).collect(),
                _ => vec![f64::NAN; rows.len()],
            };
            batch.iter().map(of).collect()
        };
        let mut take = |batch: Vec<Vec<f64>>| {
            values.iter_mut().zip(batch).for_each(|(all, more)| all.extend(more));
            values.first().is_none_or(|all| all.len() <= ROWS_MAX)
        };
        rows::stream(artefact.scan, &names, threads, &numbers, &mut take, &|_| ())?;
        let rows = values.first().map_or(0, Vec::len);
        if rows > ROWS_MAX {
            return Err(ArtefactError::TooManyRows);
        }
        let whole: Vec<usize> = (0..rows).filter(|row| values.iter().all(|column| !column[*row].is_nan())).collect();
        let grouped: Vec<Vec<f64>> =
            values.iter().map(|column| whole.iter().map(|row| column[*row]).collect()).collect();
        let means = microaggregate(&grouped, k)?.columns;
        let spread = |means: Vec<f64>| {
            let mut all = vec![f64::NAN; rows];
            whole.iter().zip(means).for_each(|(row, mean)| all[*row] = mean);
            all
        };
        let means = means.into_iter().map(spread);
        let columns = places.into_iter().zip(values).zip(means).map(|((place, values), means)| (place, values, means));
        Ok(Groups { columns: columns.collect(), at: 0 })
    }

    /// Puts the means of the next rows into a batch.
    fn fill(&mut self, batch: &mut [Vector], counts: &mut Counts) {
        let rows = self.at..self.at + counts.rows as usize;
        for (place, values, means) in &self.columns {
            let (Some(values), Some(means)) = (values.get(rows.clone()), means.get(rows.clone())) else { continue };
            let changed = values.iter().zip(means).filter(|(a, b)| !a.is_nan() && a != b).count() as u64;
            let there = values.iter().filter(|x| !x.is_nan()).count() as u64;
            let lost = values.iter().zip(means).filter(|(a, b)| !a.is_nan() && b.is_nan()).count() as u64;
            counts.columns[*place] = [there, changed, lost];
            batch[*place] = Vector::Number(means.to_vec());
        }
        self.at = rows.end;
    }
}

fn parquet_unknown() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "deidentify.output: this build writes CSV only; build with the feature `polars`, or write \"….csv\"",
    )
}

/// Where rows are written.
enum Sink {
    Delimited(Box<Delimited<BufWriter<NewFile>>>),
    #[cfg(feature = "polars")]
    Parquet(Box<crate::engine::polars::artefact::Parquet<BufWriter<NewFile>>>),
}

impl Sink {
    fn new(name: &str, file: NewFile, columns: &[(Arc<str>, Kind)]) -> io::Result<Sink> {
        if !name.ends_with(".parquet") {
            return Ok(Sink::Delimited(Box::new(Delimited::new(BufWriter::new(file), columns)?)));
        }
        #[cfg(feature = "polars")]
        return Ok(Sink::Parquet(Box::new(crate::engine::polars::artefact::Parquet::new(
            BufWriter::new(file),
            columns,
        )?)));
        #[cfg(not(feature = "polars"))]
        Err(parquet_unknown())
    }

    fn write(&mut self, columns: &[Vector]) -> io::Result<()> {
        let rows = columns.first().map_or(0, crate::deidentify::dataset::length);
        match self {
            Sink::Delimited(file) => file.write(columns, rows),
            #[cfg(feature = "polars")]
            Sink::Parquet(file) => file.write(columns, rows),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sink::Delimited(file) => file.finish(),
            #[cfg(feature = "polars")]
            Sink::Parquet(file) => file.finish(),
        }
    }
}
