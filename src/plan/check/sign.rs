//! `[sign]`: one key, named and not written, kept apart from what it signs.

use std::path::{Component, Path, PathBuf};

use super::{Checker, Part, Severity};

pub(super) fn check(checker: &mut Checker) {
    let Some(sign) = &checker.spec.sign else { return };
    match (&sign.key_file, &sign.key_env) {
        (None, None) => {
            let remedy =
                "write key_file = \"...\", or key_env = \"...\"; make a key with: evenhand keygen --out FOLDER/NAME";
            let message = "[sign] names no key".to_string();
            checker.complain(Severity::Error, "sign-key", &["sign"], Part::Key, message, Some(remedy.into()));
        }
        (Some(_), Some(_)) => {
            let message = "[sign] names two keys, and a run is signed with one";
            checker.error("sign-key", &["sign", "key_env"], message, "leave key_file or key_env out");
        }
        (None, Some(name)) => variable(checker, name),
        (Some(file), None) => key_file(checker, file),
    }
}

fn variable(checker: &mut Checker, name: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        let message = "key_env is the name of an environment variable: letters, digits and _";
        checker.error(
            "sign-key",
            &["sign", "key_env"],
            message,
            "write for example key_env = \"EVENHAND_SIGNING_KEY\"",
        );
    }
}

fn key_file(checker: &mut Checker, file: &str) {
    if file.is_empty() {
        let remedy = "write the path of the private key, relative to the pipeline file";
        return checker.error("sign-key", &["sign", "key_file"], "key_file is empty", remedy);
    }
    let folder = checker.spec.report.folder.as_deref().unwrap_or("../reports");
    if plain(file).starts_with(plain(folder)) {
        let message = "the private key lies among the reports: who is given them can sign";
        let remedy = "keep it in a folder that only the account of the runs can read";
        checker.error("key-among-reports", &["sign", "key_file"], message, remedy);
    }
}

/// The path without `.` and `name/..`.
fn plain(path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "hiring"
[ingest]
path = "hiring.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
[schema.hired]
roles = ["prediction"]
levels = ["0", "1"]
positive = "1"
[[judge]]
metric = "selection-rate"
at_least = 0.1
[sign]
key_file = "../keys/hiring.key.pem"
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("hiring.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect(key: &str, code: &str, at: &str) {
        let text = CLEAN.replace("key_file = \"../keys/hiring.key.pem\"", key);
        let found = complaints(&text);
        let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &text[c.at.clone()])).collect();
        assert_eq!(shown, [(code, at)]);
        assert!(found.iter().all(|complaint| complaint.code == "wrong-type" || complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_points_at_its_words() {
        assert_eq!(complaints(CLEAN), []);
        for key in
            ["key_env = \"KEY_2\"", "key_file = \"reports.pem\"\nminisign = false", "key_file = \"../reports2/k\""]
        {
            assert_eq!(complaints(&CLEAN.replace("key_file = \"../keys/hiring.key.pem\"", key)), []);
        }
        expect("minisign = true", "sign-key", "sign");
        expect("key_file = \"a\"\nkey_env = \"B\"", "sign-key", "\"B\"");
        expect("key_file = \"\"", "sign-key", "\"\"");
        for name in ["\"\"", "\"A B\"", "\"1A\"", "\"A=B\""] {
            expect(&format!("key_env = {name}"), "sign-key", name);
        }
        for file in ["\"../reports/key.pem\"", "\"./../x/../reports/key.pem\""] {
            expect(&format!("key_file = {file}"), "key-among-reports", file);
        }
        expect("key = \"k\"", "unknown-key", "key");
        expect("key_file = \"a\"\nminisign = 1", "wrong-type", "1");
        let secret = "-----BEGIN PRIVATE KEY-----MC4CAQAwBQYDK2VwBCIEIA";
        let found = complaints(&CLEAN.replace("../keys/hiring.key.pem", secret));
        assert!(found.iter().any(|complaint| complaint.code == "literal-secret"));
        assert!(!format!("{found:?}").contains("MC4CAQ"));
    }
}
