//! The default engine: bounded memory, all cores, any size.
//!
//! Parquet and Arrow IPC are streamed by polars; CSV, TSV and NDJSON are read in chunks by the rules of `ingest::csv` (polars fills records
//! that are too short with missing values and says nothing). Every piece becomes batches of columns for `kernel`; each thread has its own sums.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::DataFrame;

use super::cap::Capped;
use super::kernel::{Parts, Pass, Sums, find, needed};
use super::reference::partitions;
use super::{Collected, Engine, EngineError, check_delimiter, near};
use crate::demand::Demand;
use crate::evidence::{Evidence, Guarded};
use crate::ingest::chunks::{Chunk, Chunks};
use crate::plan::spec::Format;
use crate::scalar::Vector;
use crate::scan::{Scan, Source, SourceColumn};
use text::Parser;

pub mod artefact;
mod columns;
mod frame;
pub(super) mod rows;
mod text;

/// Streams batches into columnar kernels.
pub struct Polars {
    pub threads: usize,
}

/// Part of one file.
enum Piece {
    Text { file: usize, chunk: Chunk, skip: usize },
    Frame { file: usize, frame: DataFrame },
}

/// One file of the source.
struct Part {
    header: Vec<String>,
    partitions: Vec<(String, String)>,
}

impl Engine for Polars {
    fn describe(&self, source: &Source) -> Result<Vec<SourceColumn>, EngineError> {
        check_delimiter(source)?;
        let Some(path) = source.paths.first() else { return Ok(Vec::new()) };
        let column = |name: &str, kind: &str| SourceColumn { name: name.into(), kind: kind.into() };
        let mut columns: Vec<SourceColumn> = match source.format {
            Format::Csv | Format::Tsv | Format::Ndjson => {
                text::header(path, source)?.iter().map(|name| column(name, "text")).collect()
            }
            Format::Parquet | Format::Ipc => {
                let schema = frame::schema(path, source)?;
                schema.iter().map(|(name, dtype)| column(name, &dtype.to_string())).collect()
            }
        };
        let folders = partitions(path, source);
        columns.retain(|column| !folders.iter().any(|(name, _)| **name == *column.name));
        columns.extend(folders.iter().map(|(name, _)| column(name, "folder")));
        Ok(columns)
    }

    fn collect(
        &self,
        scan: &Scan,
        demands: &[Demand],
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Collected, EngineError> {
        check_delimiter(&scan.source)?;
        let capped = Capped::once(scan, |scan, cap| {
            find(scan, cap, |pass| self.stream(scan, scan, pass, progress).map(|(_, rows)| rows))
        })?;
        let (mut evidence, mut parts, rows) = self.pass(&capped, demands, &Parts::new(), progress)?;
        let mut passes = capped.passes + 1;
        while let Some(next) = next_part(&mut parts) {
            let rest: Vec<Demand> = demands.iter().filter(|demand| next.contains_key(&demand.name)).cloned().collect();
            let (more, _, _) = self.pass(&capped, &rest, &next, progress)?;
            merge(&mut evidence, more);
            passes += 1;
        }
        Ok(Collected { evidence: Guarded::seal(evidence), passes, rows })
    }
}

/// Moves every class-sizes demand to its next part; none when all parts are counted.
fn next_part(parts: &mut Parts) -> Option<Parts> {
    for (part, _) in parts.values_mut() {
        *part += 1;
    }
    parts.retain(|_, (part, count)| part < count);
    (!parts.is_empty()).then(|| parts.clone())
}

fn merge(evidence: &mut Evidence, more: Evidence) {
    for (name, statistic) in more.statistics {
        if let Some(mine) = evidence.statistics.get_mut(&name) {
            mine.merge(statistic);
        }
    }
}

/// Reports a panic of the thread that holds it, so that the others stop.
struct Alarm<'a>(&'a First);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.report(0, 0, EngineError::Stopped);
        }
    }
}

/// The first error in the order of the rows, whichever thread meets it first.
#[derive(Default)]
struct First(Mutex<Option<(usize, u64, EngineError)>>);

impl First {
    fn report(&self, file: usize, line: u64, error: EngineError) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|(at_file, at_line, _)| (file, line) < (*at_file, *at_line)) {
            *first = Some((file, line, error));
        }
    }

    /// True when an error stands before this place.
    fn before(&self, file: usize, line: u64) -> bool {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.as_ref().is_some_and(|(at_file, at_line, _)| (*at_file, *at_line) <= (file, line))
    }

    fn any(&self) -> bool {
        self.before(usize::MAX, u64::MAX)
    }
}

impl Polars {
    fn pass(
        &self,
        capped: &Capped,
        demands: &[Demand],
        parts: &Parts,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Evidence, Parts, u64), EngineError> {
        let needed = needed(&capped.scan, demands);
        let pass = Pass::new(&needed, demands, parts, capped.limits())?;
        let (sums, rows) = self.stream(&capped.scan, &needed, &pass, progress)?;
        capped.check(rows)?;
        let (evidence, parts) = pass.finish(sums)?;
        Ok((evidence, parts, rows))
    }

    /// Streams the rows of a scan, in its needed columns, through a pass. Returns what the threads counted, and the number of rows.
    fn stream(
        &self,
        scan: &Scan,
        needed: &Scan,
        pass: &Pass,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Vec<Sums>, u64), EngineError> {
        let files: Vec<Mutex<Option<Arc<Part>>>> = scan.source.paths.iter().map(|_| Mutex::new(None)).collect();
        let (rows, first) = (AtomicU64::new(0), Arc::new(First::default()));
        let (sender, receiver) = sync_channel::<Piece>(2 * self.threads);
        // The workers alone hold the receiver: when the last one is gone, sending fails and does not wait.
        let receiver = Arc::new(Mutex::new(receiver));
        let unseen = Mutex::new(named(needed));
        let work = Work { scan: needed, pass, files: &files, first: &first, rows: &rows, unseen: &unseen, progress };
        let sums = std::thread::scope(|scope| {
            let spawn = |receiver| scope.spawn(move || worker(work, receiver));
            let workers: Vec<_> =
                (1..self.threads).map(|_| spawn(receiver.clone())).chain([spawn(receiver.clone())]).collect();
            drop(receiver);
            produce(scan, needed, &files, sender, &first);
            workers.into_iter().filter_map(|worker| worker.join().ok()).collect::<Vec<Sums>>()
        });
        let error = first.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, _, error)) = error {
            return Err(error);
        }
        let rows = rows.into_inner();
        if let Some(column) =
            unseen.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().next().filter(|_| rows > 0)
        {
            return Err(never_named(scan, &column));
        }
        progress(rows);
        Ok((sums, rows))
    }
}

/// Reads the files in order and hands their pieces out. Every column of the scan must be there, also those not needed now.
fn produce(
    scan: &Scan,
    needed: &Scan,
    files: &[Mutex<Option<Arc<Part>>>],
    sender: SyncSender<Piece>,
    first: &Arc<First>,
) {
    for (file, path) in scan.source.paths.iter().enumerate() {
        let partitions = partitions(path, &scan.source);
        let done = match scan.source.format {
            Format::Csv | Format::Tsv | Format::Ndjson => {
                produce_text(scan, file, path, partitions, files, &sender, first)
            }
            Format::Parquet | Format::Ipc => {
                set(&files[file], Part { header: Vec::new(), partitions: partitions.clone() });
                let (sender, stop) = (sender.clone(), first.clone());
                frame::stream(scan, needed, path, &partitions, move |frame| {
                    !stop.any() && sender.send(Piece::Frame { file, frame }).is_ok()
                })
            }
        };
        if let Err(e) = done {
            // The chunks before this place are on their way, and a defect in one of them comes first.
            first.report(file, u64::MAX, e);
        }
        if first.any() {
            return;
        }
    }
}

fn set(slot: &Mutex<Option<Arc<Part>>>, part: Part) {
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(part));
}

fn produce_text(
    scan: &Scan,
    file: usize,
    path: &Path,
    partitions: Vec<(String, String)>,
    files: &[Mutex<Option<Arc<Part>>>],
    sender: &SyncSender<Piece>,
    first: &First,
) -> Result<(), EngineError> {
    let mut chunks = Chunks::open(path, text::ends(&scan.source))?;
    let mut skip = None;
    while let Some(chunk) = chunks.next_chunk()? {
        let skip = match skip.replace(0) {
            Some(none) => none,
            None => {
                let (header, skip) = match scan.source.format {
                    Format::Ndjson => (Vec::new(), 0),
                    _ => text::first_record(path, &scan.source, &chunk)?,
                };
                Parser::new(scan, path, &header, &partitions)?;
                set(&files[file], Part { header, partitions: partitions.clone() });
                skip
            }
        };
        if first.any() || sender.send(Piece::Text { file, chunk, skip }).is_err() {
            return Ok(());
        }
    }
    match skip {
        None => Err(EngineError::Empty { path: path.into() }),
        Some(_) => Ok(()),
    }
}

/// What the workers of a pass share.
#[derive(Clone, Copy)]
struct Work<'a> {
    scan: &'a Scan,
    pass: &'a Pass,
    files: &'a [Mutex<Option<Arc<Part>>>],
    first: &'a First,
    rows: &'a AtomicU64,
    /// Columns that no line of NDJSON has named yet.
    unseen: &'a Mutex<BTreeSet<Arc<str>>>,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// Counts pieces until there are no more.
fn worker(work: Work, receiver: Arc<Mutex<Receiver<Piece>>>) -> Sums {
    let Work { scan, pass, files, first, rows, unseen, progress } = work;
    let _alarm = Alarm(first);
    let mut sums = pass.start();
    let mut parser: Option<(usize, Parser)> = None;
    loop {
        let piece = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(piece) = piece else { return sums };
        let mut batch = |columns: Vec<Vector>, n: usize| {
            pass.add(&mut sums, columns, n);
            progress(rows.fetch_add(n as u64, Ordering::Relaxed) + n as u64);
            Ok(())
        };
        let (file, line) = match &piece {
            Piece::Text { file, chunk, .. } => (*file, chunk.line),
            Piece::Frame { file, .. } => (*file, 0),
        };
        let part = files[file].lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(part) = part.filter(|_| !first.before(file, line)) else { continue };
        let done = match &piece {
            Piece::Frame { frame, .. } => {
                frame::batches(scan, &scan.source.paths[file], frame, &part.partitions, &mut batch)
            }
            Piece::Text { chunk, skip, .. } => {
                if parser.as_ref().is_none_or(|(of, _)| *of != file) {
                    parser = Parser::new(scan, &scan.source.paths[file], &part.header, &part.partitions)
                        .ok()
                        .map(|parser| (file, parser));
                }
                parser.as_mut().map_or(Ok(()), |(_, parser)| {
                    let done = parser.parse(chunk, *skip, &mut batch);
                    if scan.source.format == Format::Ndjson {
                        let seen = parser.seen();
                        unseen.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| !seen.contains(&name));
                    }
                    done
                })
            }
        };
        if let Err(e) = done {
            first.report(file, line, e);
        }
    }
}

/// The columns that the lines of NDJSON must name, each at least once; none for the other formats, whose files list their columns.
fn named(scan: &Scan) -> BTreeSet<Arc<str>> {
    match scan.source.format {
        Format::Ndjson => scan.reads.iter().map(|read| read.column.clone()).collect(),
        Format::Csv | Format::Tsv | Format::Parquet | Format::Ipc => BTreeSet::new(),
    }
}

fn never_named(scan: &Scan, column: &str) -> EngineError {
    let path = scan.source.paths.first().cloned().unwrap_or_default();
    let names = text::header(&path, &scan.source).unwrap_or_default();
    EngineError::NoColumn { path, column: column.into(), near: near(column, names.iter()) }
}
