//! Delimited text, one record at a time, with every defect named by its line.
//!
//! RFC 4180 with a free delimiter: quotes may enclose line breaks and doubled quotes; blank lines are skipped; a UTF-8 byte-order mark
//! is skipped. A record with another number of fields than the header ends the reading: rows are never guessed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use csv::ByteRecord;

use crate::engine::EngineError;
use crate::scan::Source;

/// Longest record. A longer one is an open quote or a binary file.
pub const RECORD_BYTES_MAX: usize = 64 << 20;

/// Reads the records of one file.
pub struct Records {
    path: PathBuf,
    reader: csv::Reader<Limited>,
    since_record: Rc<Cell<usize>>,
    /// The bytes read, from the record on.
    raw: Rc<RefCell<VecDeque<u8>>>,
    /// Offset in the file of the first of them, and the line breaks before it.
    raw_start: (u64, u64),
    header: Vec<String>,
    record: ByteRecord,
}

impl Records {
    /// Opens a file and reads its header.
    pub fn open(path: &Path, source: &Source) -> Result<Records, EngineError> {
        let unreadable = |e: io::Error| EngineError::Unreadable { path: path.into(), why: e.to_string() };
        let file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(EngineError::Unreadable { path: path.into(), why: "it is a folder".into() });
        }
        if meta.len() == 0 {
            return Err(EngineError::Empty { path: path.into() });
        }
        let since_record = Rc::new(Cell::new(0));
        let raw = Rc::new(RefCell::new(VecDeque::new()));
        let limited = Limited { file, since_record: since_record.clone(), raw: raw.clone() };
        let reader = csv::ReaderBuilder::new()
            .delimiter(source.delimiter)
            .flexible(true)
            .has_headers(false)
            .buffer_capacity(1 << 16)
            .from_reader(limited);
        let (header, record) = (Vec::new(), ByteRecord::new());
        let mut records = Records { path: path.into(), reader, since_record, raw, raw_start: (0, 0), header, record };
        let names: Vec<String> = match records.read()? {
            true => records.texts()?.into_iter().map(str::to_string).collect(),
            false => return Err(EngineError::Empty { path: path.into() }),
        };
        check_header(path, &names)?;
        records.header = names;
        Ok(records)
    }

    /// Names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The fields of the next record; none at the end of the file.
    pub fn next_record(&mut self) -> Result<Option<Vec<&str>>, EngineError> {
        if !self.read()? {
            return Ok(None);
        }
        if self.record.len() != self.header.len() {
            let (found, expected) = (self.record.len(), self.header.len());
            return Err(EngineError::Ragged {
                path: self.path.clone(),
                line: self.line().unwrap_or(0),
                found,
                expected,
            });
        }
        self.texts().map(Some)
    }

    fn read(&mut self) -> Result<bool, EngineError> {
        self.since_record.set(0);
        let passed = (self.reader.position().byte() - self.raw_start.0) as usize;
        let mut raw = self.raw.borrow_mut();
        let passed = passed.min(raw.len());
        let breaks = raw.drain(..passed).filter(|byte| *byte == b'\n').count();
        drop(raw);
        self.raw_start = (self.raw_start.0 + passed as u64, self.raw_start.1 + breaks as u64);
        self.reader.read_byte_record(&mut self.record).map_err(|e| match e.into_kind() {
            csv::ErrorKind::Io(e) if e.kind() == io::ErrorKind::FileTooLarge => {
                EngineError::FieldTooLong { path: self.path.clone(), limit_bytes: RECORD_BYTES_MAX }
            }
            csv::ErrorKind::Io(e) => EngineError::Unreadable { path: self.path.clone(), why: e.to_string() },
            _ => EngineError::Format { path: self.path.clone(), why: "the records cannot be told apart".into() },
        })
    }

    fn texts(&self) -> Result<Vec<&str>, EngineError> {
        let text = |field| {
            std::str::from_utf8(field).map_err(|_| EngineError::NotUtf8 { path: self.path.clone(), line: self.line() })
        };
        self.record.iter().map(text).collect()
    }

    /// Line of the record's first byte. The csv crate's own is that of the end of the record before: a line break that follows a carriage
    /// return, and blank lines, are not counted there yet.
    fn line(&self) -> Option<u64> {
        let raw = self.raw.borrow();
        let blank = raw.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        Some(1 + self.raw_start.1 + blank.filter(|byte| **byte == b'\n').count() as u64)
    }
}

/// Refuses headers that no column can be named by.
pub fn check_header(path: &Path, names: &[String]) -> Result<(), EngineError> {
    for (i, name) in names.iter().enumerate() {
        if name.contains('\0') {
            return Err(EngineError::Format { path: path.into(), why: "the header holds binary data".into() });
        }
        if names[..i].contains(name) {
            return Err(EngineError::TwiceNamed { path: path.into(), column: name.chars().take(80).collect() });
        }
    }
    Ok(())
}

/// A file that refuses to hand out more bytes than a record may have before one is complete.
struct Limited {
    file: File,
    since_record: Rc<Cell<usize>>,
    raw: Rc<RefCell<VecDeque<u8>>>,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record.get() > RECORD_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let n = self.file.read(buffer)?;
        self.since_record.set(self.since_record.get() + n);
        self.raw.borrow_mut().extend(&buffer[..n]);
        Ok(n)
    }
}
