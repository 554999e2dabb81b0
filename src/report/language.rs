//! The language of a page: its sentences by key, from the catalogues in `locales/`.
//!
//! A catalogue is a set of Fluent files (projectfluent.org), one per section of the page, the same names in every language. [`text!`] fills a
//! sentence in; templates say `text(key = "...")`. Which language is meant is set for the thread while a page is made ([`within`]):
//! what is said depends on it and on nothing else. Figures are written by `view::words`; a whole number placed by a sentence is
//! grouped as there. Tests hold that both languages have the same keys with the same variables, and that no key is missing or idle.

use std::cell::Cell;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::view::count;
use crate::plan::spec::Language;

/// A sentence by its key: `text!("verdict-none")`, `text!("gates-evaluated", n = 3, of = 4)`. Whole numbers choose the plural.
macro_rules! text {
    ($key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::report::language::say($key, &[$((stringify!($name), $crate::report::language::Value::from($value))),*])
    };
}
pub(crate) use text;

/// What a sentence is filled in with: a whole number or a finished text.
#[derive(Debug, Clone)]
pub enum Value {
    Count(i64),
    Text(String),
}

macro_rules! counts {
    ($($whole:ty),*) => {
        $(impl From<$whole> for Value {
            fn from(n: $whole) -> Value {
                Value::Count(i64::try_from(n).unwrap_or(i64::MAX))
            }
        })*
    };
}
counts!(i64, u32, u64, usize);

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Value {
        Value::Text(text.clone())
    }
}

thread_local! {
    static NOW: Cell<Language> = const { Cell::new(Language::En) };
}

/// Makes a page, or a part of one, in a language.
pub fn within<T>(language: Language, make: impl FnOnce() -> T) -> T {
    /// Puts the language before back, whatever happens in between.
    struct Before(Language);
    impl Drop for Before {
        fn drop(&mut self) {
            NOW.set(self.0);
        }
    }
    let _before = Before(NOW.replace(language));
    make()
}

/// The language pages are made in now.
pub fn current() -> Language {
    NOW.get()
}

/// The sentence of a key in the current language; in English where there is none, and the key itself where there is none at all.
pub fn say(key: &str, of: &[(&'static str, Value)]) -> String {
    in_language(current(), key, of).or_else(|| in_language(Language::En, key, of)).unwrap_or_else(|| key.into())
}

/// The sentence of a key that may not be there, such as one for every metric.
pub fn known(key: &str) -> Option<String> {
    in_language(current(), key, &[])
}

fn in_language(language: Language, key: &str, of: &[(&'static str, Value)]) -> Option<String> {
    let bundle = match language {
        Language::En => &*EN,
        Language::ZhCn => &*ZH_CN,
    };
    let pattern = bundle.get_message(key)?.value()?;
    let mut arguments = FluentArgs::new();
    for (name, value) in of {
        match value {
            Value::Count(n) => arguments.set(*name, *n),
            Value::Text(text) => arguments.set(*name, text.as_str()),
        }
    }
    // An error names a variable that was not given, and leaves its name in the text: the tests look for that.
    Some(bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned())
}

type Bundle = FluentBundle<FluentResource>;

static EN: LazyLock<Bundle> = LazyLock::new(|| bundle("en", &FILES.map(|(_, en, _)| en)));
static ZH_CN: LazyLock<Bundle> = LazyLock::new(|| bundle("zh-CN", &FILES.map(|(.., zh)| zh)));

/// What is wrong with a file leaves the sentences that are right; a test finds it.
fn bundle(language: &str, files: &[&str]) -> Bundle {
    let language: LanguageIdentifier = language.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        FluentValue::Number(n) => Some(count(n.value as i64)),
        _ => None,
    }));
    for file in files {
        let resource = FluentResource::try_new((*file).into()).unwrap_or_else(|(resource, _)| resource);
        let _ = bundle.add_resource(resource);
    }
    bundle
}

/// A file of both catalogues.
macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("../../locales/en/", $name)), include_str!(concat!("../../locales/zh-CN/", $name)))
    };
}

const FILES: [(&str, &str, &str); 15] = [
    file!("page.ftl"),
    file!("words.ftl"),
    file!("verdict.ftl"),
    file!("changes.ftl"),
    file!("scope.ftl"),
    file!("privacy.ftl"),
    file!("measures.ftl"),
    file!("bias-groups.ftl"),
    file!("bias-rows.ftl"),
    file!("model.ftl"),
    file!("method.ftl"),
    file!("metrics.ftl"),
    file!("reasons.ftl"),
    file!("glossary.ftl"),
    file!("mail.ftl"),
];

#[cfg(test)]
mod tests;
