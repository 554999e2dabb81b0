//! Text files in pieces that end where a record ends, so that many threads can read one file.
//!
//! `.gz` and `.zst` are unpacked on the way. The state machine is that of RFC 4180 as `ingest::csv` reads it: a quote opens a quoted field only
//! at the field's beginning; a doubled quote inside it is a quote.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::csv::RECORD_BYTES_MAX;
use super::paths::{Packing, packing};
use crate::engine::EngineError;

/// Bytes read at a time.
const READ_BYTES: usize = 1 << 20;

/// Whole records of a file.
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Line of the first byte, from 1.
    pub line: u64,
    /// No byte is a quote.
    pub plain: bool,
}

/// Where records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// At every line break.
    Lines,
    /// At line breaks outside quotes, with this field separator.
    Records { delimiter: u8 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// After a quote inside a quoted field.
    Quote,
}

/// Reads a file chunk by chunk.
pub struct Chunks {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    packed: bool,
    ends: Ends,
    rest: Vec<u8>,
    line: u64,
    started: bool,
    done: bool,
}

impl Chunks {
    pub fn open(path: &Path, ends: Ends) -> Result<Chunks, EngineError> {
        let unreadable = |e: io::Error| EngineError::Unreadable { path: path.into(), why: e.to_string() };
        let file = File::open(path).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if meta.is_dir() {
            return Err(EngineError::Unreadable { path: path.into(), why: "it is a folder".into() });
        }
        if meta.is_file() && meta.len() == 0 {
            return Err(EngineError::Empty { path: path.into() });
        }
        let packing = packing(path);
        let reader: Box<dyn Read + Send> = match packing {
            Some(Packing::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
            Some(Packing::Zstandard) => Box::new(zstd::stream::read::Decoder::new(file).map_err(unreadable)?),
            None => Box::new(file),
        };
        Ok(Chunks {
            path: path.into(),
            reader,
            packed: packing.is_some(),
            ends,
            rest: Vec::new(),
            line: 1,
            started: false,
            done: false,
        })
    }

    /// The next records; none at the end of the file.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, EngineError> {
        let mut scanner = Scanner::default();
        while !self.done {
            self.fill()?;
            if let Some(end) = scanner.last_end(&self.rest, self.ends) {
                let rest = self.rest.split_off(end);
                let bytes = std::mem::replace(&mut self.rest, rest);
                return Ok(Some(self.chunk(bytes, &scanner)));
            }
            if self.rest.len() > RECORD_BYTES_MAX {
                return Err(EngineError::FieldTooLong { path: self.path.clone(), limit_bytes: RECORD_BYTES_MAX });
            }
        }
        match self.rest.is_empty() {
            true => Ok(None),
            false => {
                let bytes = std::mem::take(&mut self.rest);
                scanner.last_end(&bytes, self.ends);
                Ok(Some(self.chunk(bytes, &scanner)))
            }
        }
    }

    fn chunk(&mut self, bytes: Vec<u8>, scanner: &Scanner) -> Chunk {
        let line = self.line;
        self.line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        Chunk { bytes, line, plain: !scanner.quotes }
    }

    /// Reads more bytes; skips a byte-order mark at the start.
    fn fill(&mut self) -> Result<(), EngineError> {
        let from = self.rest.len();
        self.rest.resize(from + READ_BYTES, 0);
        let mut filled = from;
        while filled < self.rest.len() {
            match self.reader.read(&mut self.rest[filled..]) {
                Ok(0) => {
                    self.done = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if self.packed => {
                    return Err(EngineError::Packed { path: self.path.clone(), why: e.to_string() });
                }
                Err(e) => return Err(EngineError::Unreadable { path: self.path.clone(), why: e.to_string() }),
            }
        }
        self.rest.truncate(filled);
        if !self.started {
            self.started = true;
            if self.rest.starts_with(b"\xef\xbb\xbf") {
                self.rest.drain(..3);
            }
        }
        Ok(())
    }
}

/// Finds the last end of a record; keeps its state while bytes are added.
struct Scanner {
    seen: usize,
    state: State,
    quotes: bool,
    end: Option<usize>,
}

impl Default for Scanner {
    fn default() -> Scanner {
        Scanner { seen: 0, state: State::FieldStart, quotes: false, end: None }
    }
}

impl Scanner {
    fn last_end(&mut self, bytes: &[u8], ends: Ends) -> Option<usize> {
        let fresh = &bytes[self.seen..];
        let delimiter = match ends {
            Ends::Records { delimiter } if self.quotes || memchr::memchr(b'"', fresh).is_some() => delimiter,
            Ends::Records { .. } | Ends::Lines => {
                if let Some(at) = memchr::memrchr(b'\n', fresh) {
                    self.end = Some(self.seen + at + 1);
                }
                self.state = match fresh.last() {
                    None => self.state,
                    Some(b'\n' | b'\r') => State::FieldStart,
                    Some(&last) if matches!(ends, Ends::Records { delimiter } if delimiter == last) => {
                        State::FieldStart
                    }
                    Some(_) => State::Bare,
                };
                self.seen = bytes.len();
                return self.end;
            }
        };
        self.quotes = true;
        for (i, &byte) in fresh.iter().enumerate() {
            self.state = match (self.state, byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (State::FieldStart | State::Quote, b'"') => State::Quoted,
                (_, b'\n') => {
                    self.end = Some(self.seen + i + 1);
                    State::FieldStart
                }
                (_, b'\r') => State::FieldStart,
                (_, byte) if byte == delimiter => State::FieldStart,
                _ => State::Bare,
            };
        }
        self.seen = bytes.len();
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunks(text: &[u8], extension: &str) -> Vec<Chunk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("t.{extension}"));
        std::fs::write(&path, text).unwrap();
        let mut chunks = Chunks::open(&path, Ends::Records { delimiter: b',' }).unwrap();
        std::iter::from_fn(|| chunks.next_chunk().unwrap()).collect()
    }

    #[test]
    fn a_chunk_ends_where_a_record_ends() {
        let row = b"1,\"two\nlines \"\"quoted\"\", here\",3\n";
        let text = row.repeat(100_000);
        let chunks = chunks(&text, "csv");
        assert!(chunks.len() > 2);
        assert_eq!(chunks.iter().map(|c| c.bytes.len()).sum::<usize>(), text.len());
        for chunk in &chunks {
            assert_eq!(chunk.bytes.len() % row.len(), 0);
            assert!(!chunk.plain);
        }
        assert_eq!(chunks[1].line as usize, 1 + 2 * (chunks[0].bytes.len() / row.len()));
    }

    #[test]
    fn packed_files_are_unpacked() {
        use std::io::Write;
        let text = b"\xef\xbb\xbfa,b\n1,2\n".to_vec();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text).unwrap();
        let zst = zstd::encode_all(&text[..], 1).unwrap();
        for (bytes, extension) in [(text.clone(), "csv"), (gz.finish().unwrap(), "gz"), (zst, "zst")] {
            assert_eq!(chunks(&bytes, extension)[0].bytes, b"a,b\n1,2\n");
        }
    }

    proptest! {
        /// Fed in two parts at any place, the scanner ends where it ends when fed at once, and where the csv crate sees a record end.
        #[test]
        fn the_scanner_does_not_depend_on_the_pieces(text in "[ab,\"\n\r]{0,40}", cut in 0usize..40) {
            let bytes = text.as_bytes();
            let ends = Ends::Records { delimiter: b',' };
            let mut whole = Scanner::default();
            let once = whole.last_end(bytes, ends);
            let mut parts = Scanner::default();
            parts.last_end(&bytes[..cut.min(bytes.len())], ends);
            prop_assert_eq!(parts.last_end(bytes, ends), once);
            if let Some(end) = once {
                let count = |bytes: &[u8]| {
                    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
                    reader.byte_records().filter(|record| record.is_ok()).count()
                };
                prop_assert_eq!(count(&bytes[..end]) + count(&bytes[end..]), count(bytes));
            }
        }
    }
}
