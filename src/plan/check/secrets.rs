//! Secrets written into a file. Never printed: the complaint names the key only.

use std::ops::Range;

use toml::de::DeValue;

use super::Complaint;
use super::document::{Document, Placed};

const WORDS: [&str; 8] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "private_key"];

/// Starts of well-known credentials.
const STARTS: [&str; 6] = ["-----BEGIN ", "AKIA", "ghp_", "github_pat_", "xoxb-", "sk-"];

/// True for a key that names a secret and holds it, instead of naming the variable or file that does.
pub fn is_literal(name: &str, value: &DeValue) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    let elsewhere = name.ends_with("_env") || name.ends_with("_file");
    !elsewhere && WORDS.iter().any(|word| name.contains(word)) && value.as_str().is_some_and(|text| !text.is_empty())
}

/// Texts that look like a secret, anywhere but in expressions and names of columns.
pub fn check(document: &Document) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (name, value) in &document.root {
        if name.get_ref() != "derive" {
            look(document.file, name.get_ref(), value, &mut complaints);
        }
    }
    complaints
}

/// The complaint about a literal secret.
pub fn complaint(file: &str, at: Range<usize>, name: &str) -> Complaint {
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let message = format!("`{name}` holds a secret in plain text");
    let remedy = format!(
        "write `{plain}_env` with the name of a variable, or `{plain}_file` with the path of a file, and replace the secret: it is in this file's history"
    );
    Complaint::error("literal-secret", file, at, message, Some(remedy))
}

/// True for a text that begins as a well-known credential does.
pub fn begins_like_one(text: &str) -> bool {
    STARTS.iter().any(|start| text.starts_with(start))
}

fn look(file: &str, name: &str, value: &Placed, complaints: &mut Vec<Complaint>) {
    match value.get_ref() {
        DeValue::String(text) if looks_like_one(text) => complaints.push(complaint(file, value.span(), name)),
        DeValue::Array(items) => items.iter().for_each(|item| look(file, name, item, complaints)),
        DeValue::Table(table) => table.iter().for_each(|(name, value)| look(file, name.get_ref(), value, complaints)),
        _ => {}
    }
}

/// A URL with a password, or the start and length of a well-known credential.
fn looks_like_one(text: &str) -> bool {
    let authority = text.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    let user = authority.and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    let url = user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| !password.is_empty());
    let long = text.len() >= 20 && (text.starts_with("-----") || !text.contains(' '));
    url || (long && STARTS.iter().any(|start| text.starts_with(start)))
}
