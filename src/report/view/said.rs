//! Texts that were written before the page: in the words of the catalogue where it has them, else as they are, marked as English.
//!
//! A key of the catalogue is `translated-` and the text in lower case with hyphens for all that is no letter or digit; only languages other
//! than English have such keys.

use serde::Serialize;

use super::{LONG_CHARS, words};
use crate::plan::spec::Language;
use crate::report::language::{current, known, text};

/// A text of the page, in parts of one language each.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Said {
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    pub text: String,
    /// English, on a page that is not.
    pub english: bool,
}

/// Where a sentence has room for another text. Texts from outside are without control characters.
pub const HOLE: &str = "\u{1}";

/// Longest text that is looked for in the catalogue.
const KNOWN_CHARS: usize = 600;

impl Said {
    /// A text in the language of the page, or a name.
    pub fn own(text: impl Into<String>) -> Said {
        let text = text.into();
        Said { parts: if text.is_empty() { Vec::new() } else { vec![Part { text, english: false }] } }
    }

    /// A sentence of the catalogue with these texts in its holes.
    pub fn around(sentence: &str, within: &[Said]) -> Said {
        let mut parts: Vec<Part> = Vec::new();
        let mut within = within.iter();
        for (i, piece) in sentence.split(HOLE).enumerate() {
            if i > 0 {
                parts.extend(within.next().into_iter().flat_map(|said| said.parts.clone()));
            }
            parts.extend((!piece.is_empty()).then(|| Part { text: piece.into(), english: false }));
        }
        Said { parts }
    }

    pub fn chars(&self) -> usize {
        self.parts.iter().map(|part| part.text.chars().count()).sum()
    }

    /// One text; none of its parts is marked.
    pub fn plain(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

fn key(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The text in the words of the catalogue; none on an English page, and where the catalogue has none.
pub fn translated(text: &str) -> Option<String> {
    let may = current() != Language::En && text.chars().count() <= KNOWN_CHARS;
    may.then(|| known(&format!("translated-{}", key(text)))).flatten()
}

fn as_written(text: &str, shown: fn(&str) -> String) -> Said {
    match translated(text) {
        Some(text) => Said::own(text),
        None if text.trim().is_empty() => Said::default(),
        None => Said { parts: vec![Part { text: shown(text), english: current() != Language::En }] },
    }
}

/// A sentence this program wrote.
pub fn said(text: &str) -> Said {
    as_written(text, words::prose)
}

/// Several sentences this program wrote, each cut where names in it are too long.
pub fn long(text: &str) -> Said {
    as_written(text, |text| text.split(". ").map(words::prose).collect::<Vec<_>>().join(". "))
}

/// A word or a name of things that this program gave.
pub fn term(text: &str) -> String {
    translated(text).unwrap_or_else(|| words::name(text))
}

/// The first sentences of a list; where some are left out a last one says how many, and where they are.
pub fn list(texts: &[String], most: usize, file: &str) -> Vec<Said> {
    listed(texts, most, file, said)
}

/// The same of several sentences each.
pub fn long_list(texts: &[String], most: usize, file: &str) -> Vec<Said> {
    listed(texts, most, file, long)
}

fn listed(texts: &[String], most: usize, file: &str, said: fn(&str) -> Said) -> Vec<Said> {
    let mut shown: Vec<Said> = texts.iter().take(most).map(|text| said(text)).collect();
    let left = words::more(texts.len(), most, "sentences", file);
    shown.extend((!left.is_empty()).then(|| Said::own(left)));
    shown
}

/// Sentences in the language of the page, cut as [`list`] is.
pub fn own(texts: Vec<String>, most: usize, file: &str) -> Vec<String> {
    let left = words::more(texts.len(), most, "sentences", file);
    texts.into_iter().take(most).chain((!left.is_empty()).then_some(left)).collect()
}

/// The name of a metric.
pub fn metric(id: &str, name: &str) -> String {
    known(&format!("metric-{id}-name")).unwrap_or_else(|| words::name(name))
}

/// A few names in a row: `a, b`.
pub fn names(names: &[String]) -> String {
    names.join(&text!("names-between"))
}

/// A term and what it is, of which either may be English.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    pub term: Said,
    pub text: Said,
    pub long: bool,
}

pub fn told(term: Said, text: Said) -> Told {
    Told { long: text.chars() > LONG_CHARS, term, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::language::within;

    #[test]
    fn what_the_catalogue_has_is_said_and_the_rest_marked_on_pages_of_another_language() {
        let why = "no row is in the denominator";
        assert_eq!(said(why), Said::own(why));
        within(Language::ZhCn, || {
            assert_eq!(said(why), Said::own("分母中没有行"));
            assert_eq!(
                said("Half of it -2."),
                Said { parts: vec![Part { text: "Half of it −2.".into(), english: true }] }
            );
            assert_eq!(term("pooled z"), "合并 z 检验");
            assert_eq!((said(" "), said(&"no ".repeat(400)).parts[0].english), (Said::default(), true));
        });
    }

    #[test]
    fn a_sentence_is_put_around_what_it_says() {
        let inner = Said { parts: vec![Part { text: "few".into(), english: true }] };
        let whole = Said::around(&format!("a: {HOLE}; {HOLE}."), &[inner, Said::own("b")]);
        assert_eq!((whole.plain().as_str(), whole.parts.len(), whole.chars()), ("a: few; b.", 5, 10));
        assert_eq!(Said::around("none", &[]).plain(), "none");
        assert_eq!(Said::around(&format!("x{HOLE}"), &[]).plain(), "x");
    }
}
