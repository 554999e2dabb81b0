//! Rows for a dataset that is written: parsed and transformed on all threads, handed on in order; see `engine::rows`.
//!
//! Pieces are numbered as they are taken up. A thread whose piece is far ahead of the next to be handed on waits: what is held stays bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::{Alarm, First, Part, Piece, Polars, frame, named, never_named, produce, text::Parser};
use crate::demand::Rows;
use crate::engine::kernel::Program;
use crate::engine::{EngineError, check_delimiter};
use crate::plan::spec::Format;
use crate::scalar::{Scalar, Vector};
use crate::scan::Scan;

/// Pieces a thread may be ahead of the next to be handed on, for every thread.
const AHEAD_MAX: u64 = 4;

/// What is computed of every batch.
struct Columns {
    program: Program,
    at: Vec<usize>,
    kept: usize,
}

/// What the threads share.
struct Shared<'a, T> {
    scan: &'a Scan,
    columns: &'a Columns,
    files: &'a [Mutex<Option<Arc<Part>>>],
    first: &'a First,
    /// The number of the next piece, and where pieces come from.
    pieces: Mutex<(u64, Receiver<Piece>)>,
    /// Number of the piece that is handed on next.
    turn: (Mutex<u64>, Condvar),
    rows: AtomicU64,
    unseen: Mutex<BTreeSet<Arc<str>>>,
    ahead_max: u64,
    map: &'a (dyn Fn(&[Vector], &[u32]) -> T + Sync),
    progress: &'a (dyn Fn(u64) + Sync),
}

/// The scan without columns that are neither asked for nor part of an expression.
fn narrowed(scan: &Scan, columns: &[Arc<str>]) -> Scan {
    let own = scan.derive.iter().map(|(_, scalar)| scalar).chain(&scan.keep);
    let names: BTreeSet<Arc<str>> = own.flat_map(Scalar::columns).chain(columns.iter().cloned()).collect();
    let mut narrowed = scan.clone();
    narrowed.reads.retain(|read| names.contains(&read.name));
    narrowed
}

/// Streams rows; see `engine::rows::stream`.
pub fn stream<T: Send>(
    scan: &Scan,
    columns: &[Arc<str>],
    threads: usize,
    map: &(dyn Fn(&[Vector], &[u32]) -> T + Sync),
    take: &mut dyn FnMut(T) -> bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<u64, EngineError> {
    check_delimiter(&scan.source)?;
    let threads = Polars { threads }.threads.max(1);
    let needed = narrowed(scan, columns);
    let mut program = Program::new(&needed)?;
    let at = columns.iter().map(|name| program.column(&needed, &Scalar::column(name))).collect::<Result<_, _>>()?;
    let kept = program.choice(&needed, &Rows::Kept)?;
    let columns = Columns { program, at, kept };
    let files: Vec<Mutex<Option<Arc<Part>>>> = scan.source.paths.iter().map(|_| Mutex::new(None)).collect();
    let first = Arc::new(First::default());
    let (sender, receiver) = sync_channel::<Piece>(2 * threads);
    let shared = Shared {
        scan: &needed,
        columns: &columns,
        files: &files,
        first: &first,
        pieces: Mutex::new((0, receiver)),
        turn: (Mutex::new(0), Condvar::new()),
        rows: AtomicU64::new(0),
        unseen: Mutex::new(named(&needed)),
        ahead_max: AHEAD_MAX * threads as u64,
        map,
        progress,
    };
    let (done, results) = sync_channel::<(u64, Vec<T>)>(2 * threads);
    let mut stopped = false;
    std::thread::scope(|scope| {
        let (needed, files, first) = (&needed, &files, &first);
        scope.spawn(move || produce(scan, needed, files, sender, first));
        for _ in 0..threads {
            let (shared, done) = (&shared, done.clone());
            scope.spawn(move || work(shared, done));
        }
        drop(done);
        stopped = hand_on(&shared, results, take);
    });
    let error = first.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    let rows = shared.rows.into_inner();
    if let Some((_, _, error)) = error.filter(|_| !stopped) {
        return Err(error);
    }
    let unseen = shared.unseen.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(column) = unseen.into_iter().next().filter(|_| rows > 0 && !stopped) {
        return Err(never_named(scan, &column));
    }
    progress(rows);
    Ok(rows)
}

/// Hands results on in the order of their numbers; true when it was told to stop. What comes after that is let go.
fn hand_on<T>(shared: &Shared<T>, results: Receiver<(u64, Vec<T>)>, take: &mut dyn FnMut(T) -> bool) -> bool {
    let (mut waiting, mut next, mut stopped) = (BTreeMap::new(), 0, false);
    for (number, of) in results {
        waiting.insert(number, of);
        while let Some(of) = waiting.remove(&next) {
            for batch in of {
                if !stopped && !shared.first.any() && !take(batch) {
                    stopped = true;
                    shared.first.report(0, 0, EngineError::Stopped);
                }
            }
            next += 1;
            *shared.turn.0.lock().unwrap_or_else(PoisonError::into_inner) = next;
            shared.turn.1.notify_all();
        }
    }
    stopped
}

/// Transforms pieces until there are no more.
fn work<T>(shared: &Shared<T>, done: SyncSender<(u64, Vec<T>)>) {
    let _alarm = Alarm(shared.first);
    let mut parser: Option<(usize, Parser)> = None;
    loop {
        let taken = {
            let mut pieces = shared.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            let number = pieces.0;
            pieces.0 += 1;
            pieces.1.recv().ok().map(|piece| (number, piece))
        };
        let Some((number, piece)) = taken else { return };
        let mut turn = shared.turn.0.lock().unwrap_or_else(PoisonError::into_inner);
        while number > *turn + shared.ahead_max && !shared.first.any() {
            let wait = std::time::Duration::from_millis(50);
            (turn, _) = shared.turn.1.wait_timeout(turn, wait).unwrap_or_else(PoisonError::into_inner);
        }
        drop(turn);
        let of = one(shared, &piece, &mut parser);
        if done.send((number, of)).is_err() {
            return;
        }
    }
}

/// The results of a piece, batch by batch.
fn one<'s, T>(shared: &'s Shared<T>, piece: &Piece, parser: &mut Option<(usize, Parser<'s>)>) -> Vec<T> {
    let (file, line) = match piece {
        Piece::Text { file, chunk, .. } => (*file, chunk.line),
        Piece::Frame { file, .. } => (*file, 0),
    };
    let part = shared.files[file].lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(part) = part.filter(|_| !shared.first.before(file, line)) else { return Vec::new() };
    let mut made = Vec::new();
    let mut batch = |read: Vec<Vector>, n: usize| {
        let values = shared.columns.program.evaluate(read, n);
        let columns: Vec<Vector> = shared.columns.at.iter().map(|at| values.columns[*at].clone()).collect();
        made.push((shared.map)(&columns, values.choice(shared.columns.kept)));
        (shared.progress)(shared.rows.fetch_add(n as u64, Ordering::Relaxed) + n as u64);
        Ok(())
    };
    let path = &shared.scan.source.paths[file];
    let read = match piece {
        Piece::Frame { frame, .. } => frame::batches(shared.scan, path, frame, &part.partitions, &mut batch),
        Piece::Text { chunk, skip, .. } => {
            if parser.as_ref().is_none_or(|(of, _)| *of != file) {
                let made = Parser::new(shared.scan, path, &part.header, &part.partitions);
                *parser = made.ok().map(|parser| (file, parser));
            }
            parser.as_mut().map_or(Ok(()), |(_, parser)| {
                let read = parser.parse(chunk, *skip, &mut batch);
                if shared.scan.source.format == Format::Ndjson {
                    let seen = parser.seen();
                    shared.unseen.lock().unwrap_or_else(PoisonError::into_inner).retain(|name| !seen.contains(&name));
                }
                read
            })
        }
    };
    if let Err(e) = read {
        shared.first.report(file, line, e);
    }
    made
}
