//! A pipeline or policy file with the place of every key and value.
//!
//! A path names a key by the keys above it; a position in a list is its decimal digits: `judge`, `0`, `metric`.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place.
pub type Placed<'a> = Spanned<DeValue<'a>>;

/// A file, parsed, with what was mended so that the check can go on.
pub struct Document<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub root: DeTable<'a>,
    /// Paths that were complained about; nothing below them is complained about again.
    pub faulty: Vec<Vec<String>>,
}

/// A syntax error and its place.
pub struct Unreadable {
    pub message: String,
    pub at: Range<usize>,
}

impl<'a> Document<'a> {
    /// Parses a file; every syntax error is named.
    pub fn parse(file: &'a str, text: &'a str) -> Result<Document<'a>, Vec<Unreadable>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Document { file, text, root: root.into_inner(), faulty: Vec::new() });
        }
        let unreadable = |e: &toml::de::Error| Unreadable { message: e.message().into(), at: e.span().unwrap_or(0..0) };
        Err(errors.iter().map(unreadable).collect())
    }

    /// The value of a path.
    pub fn value(&self, path: &[&str]) -> Option<&Placed<'a>> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.root.get(*first)?, |value, step| below(value, step))
    }

    /// The place of a key; of a list's item, the item; of what is not there, the nearest key above it.
    pub fn key_at(&self, path: &[&str]) -> Range<usize> {
        let mut at = 0..0;
        let mut table = Some(&self.root);
        let mut value: Option<&Placed<'a>> = None;
        for step in path {
            if let Some((key, inner)) = table.and_then(|table| table.get_key_value(*step)) {
                (at, value) = (key.span(), Some(inner));
            } else if let Some(item) = value.and_then(|value| below(value, step)) {
                (at, value) = (item.span(), Some(item));
            } else {
                break;
            }
            table = value.and_then(|value| value.get_ref().as_table());
        }
        at
    }

    /// The place of a value, or of the nearest key above it.
    pub fn value_at(&self, path: &[&str]) -> Range<usize> {
        match self.value(path) {
            Some(value) if !value.get_ref().is_table() => value.span(),
            _ => self.key_at(path),
        }
    }

    /// The place of some bytes of a text value.
    pub fn inside(&self, path: &[&str], bytes: Range<usize>) -> Range<usize> {
        let whole = self.value_at(path);
        let Some(written) = self.text.get(whole.clone()) else { return whole };
        let (mut from, to) = (written_offset(written, bytes.start), written_offset(written, bytes.end));
        // A line that goes on begins after its break.
        while let Some(rest) = written.get(from..to).filter(|rest| rest.starts_with('\\') && !written.starts_with('\''))
        {
            match escape(rest) {
                (skipped, 0) => from += skipped,
                _ => break,
            }
        }
        whole.start + from..whole.start + to.max(from)
    }

    /// True when a path or one above it was complained about before.
    pub fn is_faulty(&self, path: &[&str]) -> bool {
        self.faulty.iter().any(|faulty| path.len() >= faulty.len() && faulty.iter().zip(path).all(|(a, b)| a == b))
    }
}

fn below<'v, 'a>(value: &'v Placed<'a>, step: &str) -> Option<&'v Placed<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => table.get(step),
        DeValue::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    }
}

/// A key without a place of its own.
pub fn key(name: &str) -> Spanned<Cow<'static, str>> {
    Spanned::new(0..0, Cow::Owned(name.to_string()))
}

/// Where in a written TOML string the byte `offset` of its text is.
fn written_offset(written: &str, offset: usize) -> usize {
    let literal = written.starts_with('\'');
    let long = written.starts_with("\"\"\"") || written.starts_with("'''");
    let mut at = if long { 3 } else { 1 };
    if long {
        let rest = written.get(at..).unwrap_or("");
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let mut done = 0;
    while done < offset {
        let rest = written.get(at..).unwrap_or("");
        let Some(first) = rest.chars().next() else { break };
        let (bytes, decoded) = match first {
            '\\' if !literal => escape(rest),
            _ => (first.len_utf8(), first.len_utf8()),
        };
        at += bytes;
        done += decoded;
    }
    at.min(written.len())
}

/// Bytes an escape takes in the file and in the text.
fn escape(rest: &str) -> (usize, usize) {
    let code = |digits: usize| {
        let code = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        (2 + digits, code.map_or(1, char::len_utf8))
    };
    match rest.chars().nth(1) {
        Some('x') => code(2),
        Some('u') => code(4),
        Some('U') => code(8),
        Some(c) if c.is_whitespace() => (rest.len() - rest.get(1..).unwrap_or("").trim_start().len(), 0),
        _ => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_inside_strings_follow_escapes_and_line_breaks() {
        let texts = [
            r#"a = "x + y""#,
            r#"a = 'x + y'"#,
            "a = \"\"\"\nx + y\"\"\"",
            r#"a = "\u0078 + y""#,
            "a = \"\"\"x \\\n  + y\"\"\"",
        ];
        for text in texts {
            let document = Document::parse("f", text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(document.root["a"].get_ref().as_str(), Some("x + y"), "{text}");
            assert_eq!(&text[document.inside(&["a"], 4..5)], "y", "{text}");
            assert_eq!(&text[document.inside(&["a"], 2..3)], "+", "{text}");
        }
    }

    #[test]
    fn keys_and_values_have_places() {
        let text = "[schema.sex]\nroles = [\"protected\"]\n[[judge]]\nmetric = \"m\"\n";
        let document = Document::parse("f", text).unwrap_or_else(|_| panic!());
        assert_eq!(&text[document.key_at(&["schema", "sex"])], "sex");
        assert_eq!(&text[document.key_at(&["schema", "sex", "levels"])], "sex");
        assert_eq!(&text[document.value_at(&["schema", "sex", "roles", "0"])], "\"protected\"");
        assert_eq!(&text[document.value_at(&["judge", "0", "metric"])], "\"m\"");
        assert_eq!(&text[document.key_at(&["judge", "0", "at_most"])], "[[judge]]");
        assert_eq!(document.key_at(&["train"]), 0..0);
    }

    #[test]
    fn every_syntax_error_is_named() {
        let errors = Document::parse("f", "a = \nb = 1\nc = [1,\n").err().unwrap();
        assert!(errors.len() >= 2);
        assert!(errors.iter().all(|e| e.at.end <= 20));
    }
}
