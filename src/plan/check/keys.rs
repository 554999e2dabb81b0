//! Every key of a pipeline file with its kind: unknown keys, wrong types, missing keys.
//!
//! The tables repeat `plan::spec`; a test keeps them equal to its JSON Schema. What is wrong is taken out, or replaced by what was
//! most likely meant, so that the rest can be checked in the same go.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::document::{Document, Placed, key};
use super::{Complaint, nearest, secrets};

mod bias;
mod notify;
mod report;
mod schedule;
mod sign;
mod smtp;

/// What a value must be.
pub enum Kind {
    Text,
    Char,
    Truth,
    /// A whole number from 0 to this.
    Whole(u64),
    Number,
    /// Two numbers.
    Pair,
    /// One of these texts.
    Word(&'static [&'static str]),
    List(&'static Kind),
    Section(&'static [Key]),
    /// Any keys, all of one kind.
    Map(&'static Kind),
}

/// A key of a section.
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
}

const fn must(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: true }
}
const fn may(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, required: false }
}

use Kind::{Char, List, Map, Number, Pair, Section, Text, Truth, Whole, Word};

const U32: u64 = u32::MAX as u64;
const I64: u64 = i64::MAX as u64;

/// A pipeline file.
pub const PIPELINE_FILE: &[Key] = &[
    may("policy", Text),
    must("pipeline", Section(&[must("name", Text), may("owner", Text), may("purpose", Text), may("seed", Whole(I64))])),
    must(
        "ingest",
        Section(&[
            must("path", Text),
            may("format", Word(&["csv", "tsv", "parquet", "ndjson", "ipc"])),
            may("delimiter", Char),
            may("decimal", Char),
            may("null_values", List(&Text)),
            may("key", List(&Text)),
            may("where", Text),
        ]),
    ),
    may("derive", Map(&Text)),
    must("schema", Map(&Section(COLUMN))),
    may(
        "contract",
        Section(&[may("rows_min", Whole(I64)), may("unique_key", List(&Text)), may("memory_mib_max", Whole(I64))]),
    ),
    may("privacy", Section(PRIVACY)),
    may("deidentify", Section(DEIDENTIFY)),
    may("train", Section(TRAIN)),
    may("attacks", Section(&[may("on_real_rows", Truth), may("rows_max", Whole(U32)), may("sensitive", Text)])),
    may(
        "measure",
        Section(&[
            may("across", List(&List(&Text))),
            may("metrics", List(&Text)),
            may("confidence", Number),
            may("support_min", Whole(I64)),
            may("suppress_below", Whole(I64)),
            may("replicates", Whole(U32)),
            may("given", List(&Text)),
            may("data", Section(bias::DATA)),
            may("ranking", Section(bias::RANKING)),
            may("subgroups", Section(bias::SUBGROUPS)),
            may("individual", Section(bias::INDIVIDUAL)),
            may("inferred", Map(&Section(bias::INFERRED))),
            may("regulation", List(&Section(bias::REGULATION))),
        ]),
    ),
    may("mitigate", Section(bias::MITIGATE)),
    may("judge", List(&Section(CRITERION))),
    may("report", Section(report::REPORT)),
    may("schedule", Section(schedule::SCHEDULE)),
    may("sign", Section(sign::SIGN)),
    may("smtp", Section(smtp::SMTP)),
    may("notify", List(&Section(notify::NOTIFY))),
];

/// A policy file.
pub const POLICY_FILE: &[Key] = &[
    may("judge", List(&Section(CRITERION))),
    may("report", Section(report::REPORT)),
    may("smtp", Section(smtp::SMTP)),
    may("notify", List(&Section(notify::NOTIFY))),
];

const COLUMN: &[Key] = &[
    may("roles", List(&Word(ROLES))),
    may("levels", List(&Text)),
    may("bounds", Pair),
    may("as", Word(&["text", "number", "truth"])),
    may("positive", Text),
    may("reference", Text),
    may("missing", Word(&["refuse", "drop", "impute"])),
    may("null_share_max", Number),
    may("outside_share_max", Number),
];

const ROLES: &[&str] = &[
    "identifier",
    "privacy-unit",
    "protected",
    "quasi-identifier",
    "sensitive",
    "feature",
    "target",
    "prediction",
    "score",
    "weight",
    "time",
    "ignored",
];

const TRAIN: &[Key] = &[
    must("model", Word(&["linear", "logistic"])),
    may("penalty", Word(&["none", "ridge", "lasso", "elastic-net"])),
    may("strength", Number),
    may("l1_ratios", List(&Number)),
    may("folds", Whole(U32)),
    may("standardise", Truth),
    may("protected_features", Truth),
    may("threshold", Number),
    may("steps", Whole(U32)),
    may("split", Section(&[must("train", Number), must("calibration", Number), must("test", Number)])),
];

const PRIVACY: &[Key] = &[
    must("population", Text),
    must("epsilon", Number),
    may("delta", Number),
    may("neighbours", Word(&["add-remove", "change-one"])),
    may("rows_per_unit_max", Whole(U32)),
    may("rows_at_least", Whole(I64)),
    may(
        "shares",
        Section(&[
            may("contract", Number),
            may("train", Number),
            may("table", Number),
            may("scores", Number),
            may("losses", Number),
        ]),
    ),
    may("score_bins", Whole(U32)),
    may("interval_width_max", Number),
    may("ledger", Text),
    may("memory_mib_max", Whole(I64)),
    may("i_know", Truth),
];

const DEIDENTIFY: &[Key] = &[
    may("profile", Word(&["hipaa-safe-harbor", "gdpr-pseudonymisation", "gb-t-37964"])),
    must("output", Text),
    may("shuffle", Truth),
    may("model", Section(CLASS_MODEL)),
    must("columns", Map(&Section(RULE))),
];

const CLASS_MODEL: &[Key] = &[
    may("sensitive", Text),
    may("k_anonymity", Whole(I64)),
    may("k_map", Whole(I64)),
    may("population", Text),
    may("alpha", Number),
    may("distinct_diversity", Whole(I64)),
    may("entropy_diversity", Number),
    may("recursive_diversity", Pair),
    may("closeness", Number),
    may("ordered_closeness", Number),
    may("delta_disclosure", Number),
    may("basic_beta", Number),
    may("enhanced_beta", Number),
    may("suppression_max", Number),
    may("objective", Word(&["granularity", "discernibility", "average-class-size", "non-uniform-entropy"])),
    may("search", Word(&["lattice", "mondrian"])),
    may("risk_at", List(&Number)),
];

const RULE: &[Key] = &[
    must("do", Word(DOES)),
    may("domain", Text),
    may("key_env", Text),
    may("key_file", Text),
    may("table_file", Text),
    may("passphrase_env", Text),
    may("keep_first", Whole(U32)),
    may("keep_last", Whole(U32)),
    may("pattern", Text),
    may("digits", Whole(U32)),
    may("restricted", List(&Text)),
    may("date", Word(&["month", "quarter", "year"])),
    may("width", Number),
    may("origin", Number),
    may("hierarchy", Text),
    may("level", Whole(U32)),
    may("widths", List(&Number)),
    may("prefixes", List(&Whole(U32))),
    may("dates", List(&Word(&["month", "quarter", "year"]))),
    may("at", Number),
    may("to", Number),
    may("k", Whole(I64)),
    may("epsilon", Number),
    may("days_max", Whole(U32)),
    may("unit", Text),
    may("alphabet", Text),
];

const DOES: &[&str] = &[
    "keep",
    "drop",
    "redact",
    "mask",
    "pseudonym",
    "token",
    "format-preserving",
    "generalise",
    "top-code",
    "bottom-code",
    "date-shift",
    "round",
    "microaggregate",
    "randomise",
    "model",
];

const CRITERION: &[Key] = &[
    must("metric", Text),
    may("compare", Word(&["difference", "ratio"])),
    may("against", Word(&["worst-pair", "highest", "overall", "reference"])),
    may("across", List(&Text)),
    may("at_most", Number),
    may("at_least", Number),
    may("level", Word(&["warn", "deny"])),
    may("waive", List(&Section(&[may("cohort", Map(&Text)), must("reason", Text), must("until", Text)]))),
];

/// Checks a document against a table of keys, and mends it.
pub fn walk(document: &mut Document, keys: &'static [Key]) -> Vec<Complaint> {
    let mut root = std::mem::take(&mut document.root);
    let mut walk = Walk { file: document.file, complaints: Vec::new(), faulty: Vec::new(), path: Vec::new() };
    walk.section(&mut root, keys, 0..0);
    (document.root, document.faulty) = (root, walk.faulty);
    walk.complaints
}

struct Walk<'f> {
    file: &'f str,
    complaints: Vec<Complaint>,
    faulty: Vec<Vec<String>>,
    path: Vec<String>,
}

type Place = std::ops::Range<usize>;

impl Walk<'_> {
    fn complain(&mut self, code: &'static str, at: Place, message: String, remedy: Option<String>) {
        self.complaints.push(Complaint::error(code, self.file, at, message, remedy));
    }

    fn fault(&mut self, name: &str) {
        let path = self.path.iter().cloned().chain(std::iter::once(name.to_string())).collect();
        self.faulty.push(path);
    }

    /// The path in the words of a message.
    fn shown(&self, name: &str) -> String {
        let mut shown = self.path.join(".");
        if !shown.is_empty() {
            shown.push('.');
        }
        shown + name
    }

    fn section<'a>(&mut self, table: &mut DeTable<'a>, keys: &'static [Key], header: Place) {
        self.unknown(table, keys);
        for key_of in keys {
            let Some(mut value) = table.remove_entry(key_of.name) else {
                if key_of.required {
                    self.missing(table, key_of, header.clone());
                }
                continue;
            };
            self.path.push(key_of.name.into());
            let header = if value.1.get_ref().is_table() { value.0.span() } else { value.1.span() };
            let fits = self.value(&mut value.1, &key_of.kind, header);
            self.path.pop();
            if fits {
                table.insert(value.0, value.1);
            } else {
                self.fault(key_of.name);
                if key_of.required || matches!(key_of.kind, Pair) {
                    table.insert(value.0, placeholder(&key_of.kind));
                }
            }
        }
    }

    /// Complains about unknown keys; one that is nearly a key that is not there is taken for it.
    fn unknown(&mut self, table: &mut DeTable, keys: &'static [Key]) {
        let strangers: Vec<String> = table
            .keys()
            .filter(|name| keys.iter().all(|key| key.name != name.get_ref()))
            .map(|name| name.get_ref().to_string())
            .collect();
        for name in strangers {
            let Some((written, value)) = table.remove_entry(name.as_str()) else { continue };
            let meant = nearest(&name, keys.iter().map(|key| key.name));
            if secrets::is_literal(&name, value.get_ref()) {
                self.complaints.push(secrets::complaint(self.file, value.span(), &name));
                continue;
            }
            let nested = self.path.is_empty() && name == "policy";
            let message = match nested {
                true => "a policy file names no policy of its own".to_string(),
                false if self.path.is_empty() => format!("unknown section or key `{name}`"),
                false => format!("unknown key `{name}` in `{}`", self.path.join(".")),
            };
            let remedy = match (meant, nested) {
                (_, true) => "copy what it holds into this file: policies are one level deep".to_string(),
                (Some(meant), _) => format!("did you mean `{meant}`?"),
                (None, _) => format!("known here: {}", keys.iter().map(|key| key.name).collect::<Vec<_>>().join(", ")),
            };
            self.complain("unknown-key", written.span(), message, Some(remedy));
            match meant {
                Some(meant) if !table.contains_key(meant) => {
                    table.insert(Spanned::new(written.span(), meant.to_string().into()), value);
                }
                _ => {}
            }
        }
    }

    fn missing(&mut self, table: &mut DeTable, missing: &'static Key, header: Place) {
        let (message, remedy) = match (&missing.kind, self.path.is_empty()) {
            (Section(_) | Map(_), true) => (
                format!("the section `[{}]` is missing", missing.name),
                EXAMPLES.iter().find(|(name, _)| *name == missing.name),
            ),
            _ => (format!("`{}` is missing", self.shown(missing.name)), None),
        };
        let remedy = match remedy {
            Some((_, example)) => (*example).to_string(),
            None => format!("write {} = {}", missing.name, expected(&missing.kind)),
        };
        self.complain("missing-key", header, message, Some(remedy));
        self.fault(missing.name);
        table.insert(key(missing.name), placeholder(&missing.kind));
    }

    /// Checks a value; false when it has to be taken out.
    fn value(&mut self, value: &mut Placed, kind: &'static Kind, header: Place) -> bool {
        let at = value.span();
        let fits = match (value.get_mut(), kind) {
            (DeValue::Table(table), Section(keys)) => {
                self.section(table, keys, header);
                return true;
            }
            (DeValue::Table(table), Map(kind)) => {
                self.map(table, kind);
                return true;
            }
            (DeValue::Array(items), List(kind)) => {
                self.list(items, kind);
                return true;
            }
            (DeValue::String(text), Word(words)) => {
                let Some(meant) = self.word(text, words, at) else { return false };
                *value.get_mut() = DeValue::String(meant.into());
                return true;
            }
            (DeValue::String(_), Text)
            | (DeValue::Boolean(_), Truth)
            | (DeValue::Float(_) | DeValue::Integer(_), Number) => true,
            (DeValue::String(text), Char) => text.chars().count() == 1,
            (DeValue::Integer(whole), Whole(max)) => {
                u64::from_str_radix(whole.as_str(), whole.radix()).is_ok_and(|whole| whole <= *max)
            }
            (DeValue::Array(items), Pair) => {
                items.len() == 2
                    && items.iter().all(|item| matches!(item.get_ref(), DeValue::Float(_) | DeValue::Integer(_)))
            }
            _ => false,
        };
        if !fits {
            let message = format!("`{}` must be {}", self.path.join("."), expected(kind));
            self.complain("wrong-type", at, message, cast(value.get_ref(), kind));
        }
        fits
    }

    fn map(&mut self, table: &mut DeTable, kind: &'static Kind) {
        let names: Vec<String> = table.keys().map(|name| name.get_ref().to_string()).collect();
        for name in names {
            let Some((written, mut value)) = table.remove_entry(name.as_str()) else { continue };
            self.path.push(name.clone());
            let fits = self.value(&mut value, kind, written.span());
            self.path.pop();
            match fits {
                true => {
                    table.insert(written, value);
                }
                false => self.fault(&name),
            }
        }
    }

    fn list<'a>(&mut self, items: &mut DeArray<'a>, kind: &'static Kind) {
        let mut kept: DeArray<'a> = DeArray::new();
        for mut item in std::mem::replace(items, DeArray::new()) {
            self.path.push(kept.len().to_string());
            let header = item.span();
            if self.value(&mut item, kind, header) {
                kept.push(item);
            }
            self.path.pop();
        }
        *items = kept;
    }

    /// The word, or the one that was most likely meant.
    fn word(&mut self, text: &str, words: &'static [&'static str], at: Place) -> Option<&'static str> {
        if let Some(word) = words.iter().find(|word| **word == text) {
            return Some(word);
        }
        let meant = nearest(text, words.iter().copied());
        let shown: String = text.chars().take(40).collect();
        let message = format!("`{}` has no value \"{shown}\"", self.path.join("."));
        let remedy = match meant {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("possible: {}", words.join(", ")),
        };
        self.complain("unknown-value", at, message, Some(remedy));
        meant
    }
}

/// First lines of the sections a file must have.
const EXAMPLES: [(&str, &str); 3] = [
    ("pipeline", "begin with\n[pipeline]\nname = \"lending\""),
    ("ingest", "add\n[ingest]\npath = \"data/lending.csv\""),
    ("schema", "add one table per column, for example\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]"),
];

fn expected(kind: &Kind) -> String {
    match kind {
        Text => "a text in quotes".into(),
        Char => "one character in quotes".into(),
        Truth => "true or false".into(),
        Whole(max) if *max == U32 => format!("a whole number from 0 to {max}"),
        Whole(_) => "a whole number, 0 or more".into(),
        Number => "a number".into(),
        Pair => "two numbers: [least, greatest]".into(),
        Word(words) => {
            format!("one of {}", words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "))
        }
        List(Section(_)) => "a list of tables, each under a heading in double brackets".into(),
        List(Text | Word(_)) => "a list of texts: [\"...\"]".into(),
        List(List(_)) => "a list of lists of texts: [[\"sex\"], [\"sex\", \"race\"]]".into(),
        List(_) => "a list of numbers".into(),
        Section(_) | Map(_) => "a table".into(),
    }
}

/// How a value of another type becomes what is wanted.
fn cast(found: &DeValue, kind: &Kind) -> Option<String> {
    match (found, kind) {
        (DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_), Text) => {
            Some("put it in quotes: numbers and dates are compared as they are written".into())
        }
        (DeValue::String(text), Number | Whole(_)) if text.trim().parse::<f64>().is_ok() => {
            Some("leave out the quotes".into())
        }
        (DeValue::String(_), List(_)) => Some("put it in brackets".into()),
        (DeValue::Table(_), List(Section(_))) => Some("double the brackets of the heading: [[...]]".into()),
        _ => None,
    }
}

/// A value of the right type in place of a required one that is missing.
fn placeholder<'a>(kind: &Kind) -> Placed<'a> {
    Spanned::new(
        0..0,
        match kind {
            Section(keys) => {
                let required = keys.iter().filter(|key| key.required);
                DeValue::Table(required.map(|of| (key(of.name), placeholder(&of.kind))).collect())
            }
            Map(_) => DeValue::Table(DeTable::new()),
            List(_) => DeValue::Array(DeArray::new()),
            Pair => DeValue::Array(["0", "1"].into_iter().filter_map(|whole| DeValue::parse(whole).ok()).collect()),
            Word(words) => DeValue::String(words.first().copied().unwrap_or_default().into()),
            Number | Whole(_) => DeValue::Integer(Default::default()),
            _ => DeValue::String("".into()),
        },
    )
}

#[cfg(test)]
#[cfg(feature = "cli")]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Follows `$ref` and the nullable form of an optional value.
    fn resolve<'v>(root: &'v Value, of: &'v Value) -> &'v Value {
        if let Some(reference) = of.get("$ref").and_then(Value::as_str) {
            return resolve(root, root.pointer(reference.trim_start_matches('#')).unwrap());
        }
        if let Some(choices) = of.get("anyOf").and_then(Value::as_array) {
            return resolve(root, choices.iter().find(|choice| choice["type"] != "null").unwrap());
        }
        of
    }

    fn is(of: &Value, kind: &str) -> bool {
        of["type"] == kind || of["type"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
    }

    fn words(of: &Value) -> Vec<String> {
        match (of.get("enum").and_then(Value::as_array), of.get("oneOf").and_then(Value::as_array)) {
            (Some(words), _) => words.iter().filter_map(Value::as_str).map(str::to_string).collect(),
            (None, Some(choices)) => choices
                .iter()
                .flat_map(|choice| match choice["const"].as_str() {
                    Some(word) => vec![word.to_string()],
                    None => words(choice),
                })
                .collect(),
            (None, None) => of["const"].as_str().map(str::to_string).into_iter().collect(),
        }
    }

    fn same(root: &Value, of: &Value, kind: &Kind, path: &str) {
        let of = resolve(root, of);
        match kind {
            Section(keys) => {
                let properties = of["properties"].as_object().unwrap();
                let mut expected: Vec<&str> = keys.iter().map(|key| key.name).collect();
                let mut found: Vec<&str> = properties.keys().map(String::as_str).collect();
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(expected, found, "{path}");
                let required: Vec<&str> =
                    of["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                for key in *keys {
                    assert_eq!(key.required, required.contains(&key.name), "{path}.{}", key.name);
                    same(root, &properties[key.name], &key.kind, &format!("{path}.{}", key.name));
                }
            }
            Map(kind) => same(root, &of["additionalProperties"], kind, &format!("{path}.*")),
            List(kind) => same(root, &of["items"], kind, &format!("{path}[]")),
            Word(expected) => assert_eq!(words(of), *expected, "{path}"),
            Pair => assert!(is(of, "array") && of["maxItems"] == 2, "{path}"),
            Text | Char => assert!(is(of, "string"), "{path}"),
            Truth => assert!(is(of, "boolean"), "{path}"),
            Whole(_) => assert!(is(of, "integer"), "{path}"),
            Number => assert!(is(of, "number"), "{path}"),
        }
    }

    #[test]
    fn the_tables_are_those_of_the_spec() {
        let schema = schemars::schema_for!(crate::plan::spec::Spec).to_value();
        same(&schema, &schema, &Section(PIPELINE_FILE), "");
    }
}
