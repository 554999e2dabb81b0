//! The catalogues say the same things under the same keys, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::*;

/// Variables of every key of a file: `key = text { $name }` with its indented lines.
fn keys(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in file.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if !line.starts_with([' ', '}']) {
            last = line.split(" =").next().unwrap().to_string();
            assert!(keys.insert(last.clone(), BTreeSet::new()).is_none(), "{last} stands twice");
        }
        let variables = line.split('$').skip(1).map(|rest| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).collect::<String>()
        });
        keys.get_mut(&last).expect("a line before the first key").extend(variables);
    }
    keys
}

#[test]
fn both_languages_have_the_same_keys_and_variables() {
    for (name, en, zh) in FILES {
        let (en, zh) = (keys(en), keys(zh));
        // What English has in the cards and reasons of the report itself needs no key there.
        let own = |key: &str| key.starts_with("metric-") || key.starts_with("translated-");
        for key in en.keys().chain(zh.keys()).filter(|key| !own(key)) {
            assert_eq!(en.get(key), zh.get(key), "{name}: {key}");
        }
    }
}

#[test]
fn every_file_is_read_whole() {
    for (name, en, zh) in FILES {
        for text in [en, zh] {
            FluentResource::try_new(text.into()).unwrap_or_else(|(_, e)| panic!("{name}: {e:?}"));
        }
    }
    let all: Vec<String> = FILES.iter().flat_map(|(_, en, _)| keys(en).into_keys()).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "a key stands in two files");
}

/// Keys that code and templates ask for by name; a name that ends in a hyphen is the beginning of several.
fn asked() -> BTreeSet<String> {
    fn walk(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            // The section about tests of equality is no test.
            let is_test = entry.ends_with("tests.rs") && !entry.ends_with("bias/tests.rs");
            if entry.ends_with("language.rs") || is_test || entry.ends_with("tests") {
                continue;
            }
            if entry.is_dir() {
                walk(&entry, found);
                continue;
            }
            let text = fs::read_to_string(&entry).unwrap_or_default();
            for mark in ["text!(", "known(", "text(key=", "text(key = "] {
                for rest in text.split(mark).skip(1) {
                    let rest = rest.trim_start();
                    let rest = rest.strip_prefix("&format!(").unwrap_or(rest).trim_start();
                    let Some(key) = rest.strip_prefix('"') else { continue };
                    found.insert(key.split(['"', '{']).next().unwrap_or_default().into());
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    walk(&root.join("src/report"), &mut found);
    walk(&root.join("templates"), &mut found);
    found
}

#[test]
fn no_key_is_missing_and_none_idle() {
    let there: BTreeSet<String> =
        FILES.iter().flat_map(|(_, en, zh)| [keys(en), keys(zh)]).flat_map(BTreeMap::into_keys).collect();
    let asked = asked();
    let several = |asked: &str| asked.ends_with('-');
    for key in asked.iter().filter(|key| !several(key)) {
        assert!(there.contains(key), "{key} is asked for and in no catalogue");
    }
    for key in &there {
        let used = asked.contains(key) || asked.iter().any(|begin| several(begin) && key.starts_with(begin.as_str()));
        assert!(used, "{key} is in a catalogue and nothing asks for it");
    }
}

#[test]
fn numbers_choose_the_plural_and_are_grouped() {
    assert_eq!(text!("criteria-evaluated", n = 1u32, of = 1u32), "1 of 1 criterion evaluated");
    assert_eq!(text!("criteria-evaluated", n = 1_200u32, of = 14_000u32), "1,200 of 14,000 criteria evaluated");
    within(Language::ZhCn, || {
        assert_eq!(text!("criteria-evaluated", n = 3u32, of = 14_000u32), "已评估 3 / 14,000 项准则")
    });
    assert_eq!(current(), Language::En);
    assert_eq!(text!("there-is-no-such-key"), "there-is-no-such-key");
}
