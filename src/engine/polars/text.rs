//! CSV, TSV and NDJSON: chunks of a file to batches of columns.
//!
//! A chunk without quotes is cut at separators directly; any other goes through the reader the reference uses, record by record. Both refuse
//! what the reference refuses, at the same line.

use std::path::Path;
use std::sync::Arc;

use csv::ByteRecord;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::columns::{Field, by_column};
use crate::engine::{BATCH_ROWS, EngineError, near};
use crate::ingest::chunks::{Chunk, Chunks, Ends};
use crate::ingest::csv::check_header;
use crate::plan::spec::Format;
use crate::scalar::Vector;
use crate::scan::{Scan, Source};

/// Lines of NDJSON whose keys are taken for the columns.
const KEYS_LINES: usize = 1000;

/// Names of the columns of a text file.
pub fn header(path: &Path, source: &Source) -> Result<Vec<String>, EngineError> {
    let mut chunks = Chunks::open(path, ends(source))?;
    let chunk = chunks.next_chunk()?.ok_or_else(|| EngineError::Empty { path: path.into() })?;
    match source.format {
        Format::Ndjson => keys(path, &chunk),
        _ => Ok(first_record(path, source, &chunk)?.0),
    }
}

pub fn ends(source: &Source) -> Ends {
    match source.format {
        Format::Ndjson => Ends::Lines,
        _ => Ends::Records { delimiter: source.delimiter },
    }
}

fn reader<'b>(source: &Source, bytes: &'b [u8]) -> csv::Reader<&'b [u8]> {
    csv::ReaderBuilder::new()
        .delimiter(source.delimiter)
        .flexible(true)
        .has_headers(false)
        .buffer_capacity(1 << 16)
        .from_reader(bytes)
}

/// The header, and the byte after it.
pub fn first_record(path: &Path, source: &Source, chunk: &Chunk) -> Result<(Vec<String>, usize), EngineError> {
    let mut reader = reader(source, &chunk.bytes);
    let mut record = ByteRecord::new();
    let found = reader.read_byte_record(&mut record).map_err(|_| unreadable(path))?;
    if !found {
        return Err(EngineError::Empty { path: path.into() });
    }
    let text = |field| std::str::from_utf8(field).map(str::to_string);
    let not_text = |_| EngineError::NotUtf8 { path: path.into(), line: Some(line_of(chunk, &record)) };
    let names = record.iter().map(text).collect::<Result<Vec<_>, _>>().map_err(not_text)?;
    check_header(path, &names)?;
    Ok((names, reader.position().byte() as usize))
}

/// Line of the first byte of a record of a chunk: blank lines, and what is left of the line break before, are passed over.
fn line_of(chunk: &Chunk, record: &ByteRecord) -> u64 {
    let from = record.position().map_or(0, |at| at.byte() as usize).min(chunk.bytes.len());
    let blank = chunk.bytes[from..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    chunk.line + chunk.bytes[..from + blank].iter().filter(|byte| **byte == b'\n').count() as u64
}

fn unreadable(path: &Path) -> EngineError {
    EngineError::Format { path: path.into(), why: "the records cannot be told apart".into() }
}

/// The keys of the first lines of NDJSON, in the order they come.
fn keys(path: &Path, chunk: &Chunk) -> Result<Vec<String>, EngineError> {
    let mut names: Vec<String> = Vec::new();
    for (i, line) in chunk.bytes.split(|&byte| byte == b'\n').enumerate().take(KEYS_LINES) {
        if let Some(Object(object)) = object(path, line, chunk.line + i as u64)? {
            for name in object.keys() {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
    }
    Ok(names)
}

/// A JSON object no name of which comes twice.
struct Object(serde_json::Map<String, serde_json::Value>);

const TWICE: &str = "a name comes twice";

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Object;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut map = serde_json::Map::new();
                while let Some((name, value)) = access.next_entry()? {
                    if map.insert(name, value).is_some() {
                        return Err(A::Error::custom(TWICE));
                    }
                }
                Ok(Object(map))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

/// The object of a line; none for a blank line.
fn object(path: &Path, line: &[u8], number: u64) -> Result<Option<Object>, EngineError> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    if std::str::from_utf8(line).is_err() {
        return Err(EngineError::NotUtf8 { path: path.into(), line: Some(number) });
    }
    serde_json::from_slice(line).map(Some).map_err(|e| {
        let twice = e.is_data() && e.to_string().starts_with(TWICE);
        let why = if twice { "names a column twice" } else { "is no JSON object" };
        EngineError::Format { path: path.into(), why: format!("line {number} {why}") }
    })
}

/// Turns the chunks of one file into batches. Every worker has its own.
pub struct Parser<'a> {
    path: &'a Path,
    source: &'a Source,
    reads: usize,
    width: usize,
    /// Position in the record and what is read of it, by position; a column of the file's name has none.
    fields: Vec<(usize, Field)>,
    names: Vec<Arc<str>>,
    /// Names that came in a line of NDJSON.
    seen: Vec<bool>,
    partitions: Vec<(String, Field)>,
    /// Names of the partitions.
    folders: Vec<Arc<str>>,
    rows: usize,
}

impl<'a> Parser<'a> {
    /// `header` are the columns of the file, `partitions` the names and values in its path.
    pub fn new(
        scan: &'a Scan,
        path: &'a Path,
        header: &[String],
        partitions: &[(String, String)],
    ) -> Result<Parser<'a>, EngineError> {
        let mut parser = Parser {
            path,
            source: &scan.source,
            reads: scan.reads.len(),
            width: header.len(),
            fields: Vec::new(),
            names: Vec::new(),
            seen: Vec::new(),
            partitions: Vec::new(),
            folders: Vec::new(),
            rows: 0,
        };
        for (name, readings) in by_column(&scan.reads) {
            let field = Field::new(readings.into_iter());
            if let Some((_, value)) = partitions.iter().rfind(|(partition, _)| **partition == *name) {
                parser.partitions.push((value.clone(), field));
                parser.folders.push(name);
                continue;
            }
            let missing = || EngineError::NoColumn {
                path: path.into(),
                column: name.to_string(),
                near: near(&name, header.iter()),
            };
            let at = header.iter().position(|column| **column == *name);
            // NDJSON names its columns in every line; in a line without the name the value is missing.
            let at = if scan.source.format == Format::Ndjson { Some(at.unwrap_or(usize::MAX)) } else { at };
            parser.fields.push((at.ok_or_else(missing)?, field));
            parser.names.push(name);
            parser.seen.push(false);
        }
        if scan.source.format != Format::Ndjson {
            parser.fields.sort_by_key(|(at, _)| *at);
        }
        Ok(parser)
    }

    /// The columns that were named so far: those of NDJSON that came in a line, and those in the file's path.
    pub fn seen(&self) -> Vec<&Arc<str>> {
        let seen = self.names.iter().zip(&self.seen).filter(|(_, seen)| **seen).map(|(name, _)| name);
        seen.chain(&self.folders).collect()
    }

    /// Hands the rows of a chunk on in batches. `skip` bytes at its start are the header.
    pub fn parse(
        &mut self,
        chunk: &Chunk,
        skip: usize,
        batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        match self.source.format {
            Format::Ndjson => self.parse_objects(chunk, batch)?,
            _ if chunk.plain && is_simple(&chunk.bytes) => self.parse_plain(chunk, skip, batch)?,
            _ => self.parse_records(chunk, skip, batch)?,
        }
        self.flush(batch)
    }

    fn parse_plain(
        &mut self,
        chunk: &Chunk,
        skip: usize,
        batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let Ok(text) = std::str::from_utf8(&chunk.bytes) else { return self.parse_records(chunk, skip, batch) };
        let delimiter = self.source.delimiter;
        let mut ends: Vec<usize> = Vec::with_capacity(self.width + 1);
        let mut start = skip;
        let mut line = chunk.line + chunk.bytes[..skip].iter().filter(|&&byte| byte == b'\n').count() as u64;
        let last = (!chunk.bytes.ends_with(b"\n")).then_some(chunk.bytes.len());
        for at in memchr::memchr2_iter(delimiter, b'\n', &chunk.bytes[skip..]).map(|at| at + skip).chain(last) {
            if chunk.bytes.get(at) == Some(&delimiter) {
                ends.push(at);
                continue;
            }
            let end = if at > start && chunk.bytes[at - 1] == b'\r' { at - 1 } else { at };
            if end > start {
                ends.push(end);
                self.plain_row(text, start, &ends, line)?;
                if self.rows == BATCH_ROWS {
                    self.flush(batch)?;
                }
            }
            ends.clear();
            start = at + 1;
            line += 1;
        }
        Ok(())
    }

    fn plain_row(&mut self, text: &str, start: usize, ends: &[usize], line: u64) -> Result<(), EngineError> {
        if ends.len() != self.width {
            return Err(EngineError::Ragged { path: self.path.into(), line, found: ends.len(), expected: self.width });
        }
        for (at, field) in &mut self.fields {
            let from = if *at == 0 { start } else { ends[*at - 1] + 1 };
            field.push(Some(&text[from..ends[*at]]), self.source);
        }
        self.rows += 1;
        Ok(())
    }

    fn parse_records(
        &mut self,
        chunk: &Chunk,
        skip: usize,
        batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut records = reader(self.source, &chunk.bytes);
        let mut record = ByteRecord::new();
        if skip > 0 {
            records.read_byte_record(&mut record).map_err(|_| unreadable(self.path))?;
        }
        while records.read_byte_record(&mut record).map_err(|_| unreadable(self.path))? {
            if record.len() != self.width {
                let (line, found) = (line_of(chunk, &record), record.len());
                return Err(EngineError::Ragged { path: self.path.into(), line, found, expected: self.width });
            }
            if record.iter().any(|field| std::str::from_utf8(field).is_err()) {
                return Err(EngineError::NotUtf8 { path: self.path.into(), line: Some(line_of(chunk, &record)) });
            }
            for (at, field) in &mut self.fields {
                field.push(record.get(*at).and_then(|bytes| std::str::from_utf8(bytes).ok()), self.source);
            }
            self.rows += 1;
            if self.rows == BATCH_ROWS {
                self.flush(batch)?;
            }
        }
        Ok(())
    }

    fn parse_objects(
        &mut self,
        chunk: &Chunk,
        batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        for (i, line) in chunk.bytes.split(|&byte| byte == b'\n').enumerate() {
            let Some(Object(object)) = object(self.path, line, chunk.line + i as u64)? else { continue };
            for (((_, field), name), seen) in self.fields.iter_mut().zip(&self.names).zip(&mut self.seen) {
                let value = object.get(&**name);
                *seen |= value.is_some();
                push_json(field, value, self.source);
            }
            self.rows += 1;
            if self.rows == BATCH_ROWS {
                self.flush(batch)?;
            }
        }
        Ok(())
    }

    fn flush(
        &mut self,
        batch: &mut dyn FnMut(Vec<Vector>, usize) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut columns = vec![Vector::Null(self.rows); self.reads];
        for (value, field) in &mut self.partitions {
            (0..self.rows).for_each(|_| field.push(Some(value), self.source));
        }
        for field in
            self.fields.iter_mut().map(|(_, field)| field).chain(self.partitions.iter_mut().map(|(_, field)| field))
        {
            field.take(&mut columns);
        }
        batch(columns, std::mem::take(&mut self.rows))
    }
}

/// No carriage return but before a line feed.
fn is_simple(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', bytes).all(|at| bytes.get(at + 1) == Some(&b'\n'))
}

/// A JSON value read like a field: null is missing, a number or truth value is itself, a text is read as in CSV, and a list or object is there
/// but no value of any kind.
fn push_json(field: &mut Field, value: Option<&serde_json::Value>, source: &Source) {
    use serde_json::Value as Json;
    match value {
        None | Some(Json::Null) => field.push(None, source),
        Some(Json::String(text)) => field.push(Some(text), source),
        Some(Json::Bool(truth)) => {
            field.push_number(true, Some(f64::from(u8::from(*truth))));
            field.push_truth(true, Some(*truth));
            field.push_text(Some(if *truth { "true" } else { "false" }));
        }
        Some(Json::Number(written)) => {
            let number = written.as_f64().filter(|x| x.is_finite());
            field.push_number(true, number);
            field
                .push_truth(true, number.and_then(|x| if x == 1.0 { Some(true) } else { (x == 0.0).then_some(false) }));
            // Integers of more than 53 bits keep their digits.
            let whole = (written.is_i64() || written.is_u64()).then(|| written.to_string());
            field.push_text(whole.or_else(|| number.map(crate::scalar::format_number)).as_deref());
        }
        Some(Json::Array(_) | Json::Object(_)) => {
            field.push_number(true, None);
            field.push_truth(true, None);
            field.push_text(None);
        }
    }
}
