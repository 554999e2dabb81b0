//! `[derive]` and `where`: expressions that do not parse, have no type, read what is not there, or need one another.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Checker, Parse, Part, Severity};
use crate::plan::read_as;
use crate::plan::spec::ReadAs;
use crate::scalar::{Kind, Scalar, TypeError};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker, parse: Parse) {
    let mut derived: BTreeMap<&str, Scalar> = BTreeMap::new();
    for (name, text) in &checker.spec.derive {
        if let Some(scalar) = parsed(checker, &["derive", name], text, parse) {
            derived.insert(name, scalar);
        }
    }
    let mut kinds = read_kinds(checker);
    order(checker, derived, &mut kinds);
    let filter = checker.spec.ingest.filter.as_ref();
    if let Some(scalar) = filter.and_then(|text| parsed(checker, &["ingest", "where"], text, parse)) {
        match typed(checker, &["ingest", "where"], &scalar, &kinds) {
            None | Some(Kind::Truth) => {}
            Some(kind) => checker.error(
                "expression-type",
                &["ingest", "where"],
                format!("this is a {kind}; a condition is needed"),
                "compare it with something, for example: age >= 18",
            ),
        }
    }
    declared(checker, &kinds);
}

/// Parses an expression and complains about columns that are not there.
fn parsed(checker: &mut Checker, path: &[&str], text: &str, parse: Parse) -> Option<Scalar> {
    match parse(text) {
        Ok(scalar) => {
            let missing: Vec<Arc<str>> = scalar.columns().into_iter().filter(|name| !readable(checker, name)).collect();
            for name in &missing {
                if checker.spec.schema.contains_key(&**name) {
                    let message = format!("the column {name:?} is ignored: nothing reads it");
                    checker.complain(
                        Severity::Error,
                        "unknown-column",
                        path,
                        Part::Inside(occurrence(text, name)),
                        message,
                        Some("take the role \"ignored\" away; roles = [] is enough".into()),
                    );
                } else {
                    checker.unknown_column(path, Part::Inside(occurrence(text, name)), name);
                }
            }
            Some(scalar)
        }
        Err(why) => {
            checker.complain(Severity::Error, "expression", path, Part::Inside(why.at), why.message, why.remedy);
            None
        }
    }
}

fn readable(checker: &Checker, name: &str) -> bool {
    let read = checker.spec.schema.get(name).is_some_and(|column| !column.roles.contains(&Role::Ignored));
    read || checker.spec.derive.contains_key(name)
}

/// Where a column's name stands in an expression.
fn occurrence(text: &str, name: &str) -> Range<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let found = text.match_indices(name).find(|(at, _)| {
        let before = text.get(..*at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        let literal = text.get(..*at).unwrap_or("").matches('\'').count() % 2 == 1;
        !before.is_some_and(word) && !after.is_some_and(word) && !literal
    });
    found.map_or(0..text.len(), |(at, name)| at..at + name.len())
}

/// Kinds of the columns that are read.
fn read_kinds(checker: &Checker) -> BTreeMap<Arc<str>, Kind> {
    let read =
        checker.spec.schema.iter().filter(|(name, column)| {
            !checker.spec.derive.contains_key(*name) && !column.roles.contains(&Role::Ignored)
        });
    let kind = |read| match read {
        ReadAs::Text => Kind::Text,
        ReadAs::Number => Kind::Number,
        ReadAs::Truth => Kind::Truth,
    };
    read.map(|(name, column)| (Arc::from(name.as_str()), kind(read_as(column)))).collect()
}

/// Types the derived columns, each after those it needs.
fn order(checker: &mut Checker, mut waiting: BTreeMap<&str, Scalar>, kinds: &mut BTreeMap<Arc<str>, Kind>) {
    while !waiting.is_empty() {
        let ready =
            waiting.iter().find(|(_, scalar)| scalar.columns().iter().all(|used| !waiting.contains_key(&**used)));
        let Some(name) = ready.map(|(name, _)| *name) else {
            let names: Vec<&str> = waiting.keys().copied().collect();
            let message = match names.as_slice() {
                [name] => format!("{name} is derived from itself"),
                names => format!("these derived columns need one another: {}", names.join(", ")),
            };
            checker.error(
                "derive-cycle",
                &["derive", names[0]],
                message,
                "give the derived column another name than the column it reads",
            );
            return;
        };
        let scalar = waiting.remove(name);
        if let Some(kind) = scalar.and_then(|scalar| typed(checker, &["derive", name], &scalar, kinds)) {
            kinds.insert(name.into(), kind);
        }
    }
}

/// The kind of an expression; complains where it has none. A column that is not there was complained about before.
fn typed(checker: &mut Checker, path: &[&str], scalar: &Scalar, kinds: &BTreeMap<Arc<str>, Kind>) -> Option<Kind> {
    match scalar.kind(&|name| kinds.get(name).copied()) {
        Ok(kind) => Some(kind),
        Err(TypeError::NoColumn(_)) => None,
        Err(e) => {
            checker.complain(Severity::Error, "expression-type", path, Part::Value, e.to_string(), None);
            None
        }
    }
}

/// A derived column must be of the kind its table in `[schema]` says.
fn declared(checker: &mut Checker, kinds: &BTreeMap<Arc<str>, Kind>) {
    for (name, column) in &checker.spec.schema {
        let Some(kind) = kinds.get(name.as_str()).filter(|_| checker.spec.derive.contains_key(name)) else { continue };
        let wanted = match (&column.levels, read_as(column)) {
            (Some(_), _) => Kind::Text,
            (None, ReadAs::Number) => Kind::Number,
            (None, ReadAs::Truth) => Kind::Truth,
            (None, ReadAs::Text) if column.roles.contains(&Role::Protected) => Kind::Text,
            (None, ReadAs::Text) if column.positive.is_some() => Kind::Text,
            (None, ReadAs::Text) => continue,
        };
        if *kind != wanted {
            let remedy = match kind {
                Kind::Truth => "write as = \"truth\"",
                Kind::Number => "write as = \"number\", or bounds = [least, greatest]",
                Kind::Text => "write levels = [...], or as = \"text\"",
            };
            checker.error(
                "derived-kind",
                &["derive", name],
                format!("the expression gives a {kind}, and [schema.{}] has a {wanted}", super::quoted(name)),
                remedy,
            );
        }
    }
}
