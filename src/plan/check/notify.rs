//! `[[notify]]`: somebody to tell, addresses that can be written to, a server to send by, keys that belong together.

use std::collections::BTreeSet;
use std::ops::Range;

use super::document::Document;
use super::{Checker, secrets};
use crate::plan::spec::{Attach, Body, Notify, is_address};

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    for (i, rule) in spec.notify.iter().enumerate() {
        let at = i.to_string();
        let at = ["notify", at.as_str()];
        target(checker, rule, &at);
        addresses(checker, rule, &at);
        together(checker, rule, &at);
        days(checker, rule, &at);
    }
    let mails = |rule: &Notify| !rule.mail.is_empty();
    let served = |document: &Document| document.root.contains_key("smtp");
    let server = served(checker.document) || checker.policy.is_some_and(served);
    if let (Some(first), false) = (spec.notify.iter().position(mails), server) {
        let message = "there is no [smtp] section, so no mail can be sent";
        let remedy = "add [smtp] with host, from and how to log in, here or in the policy file";
        checker.error("no-smtp", &["notify", &first.to_string(), "mail"], message, remedy);
    }
}

/// Environment variables that rules name, and where: whether they are set is known where the program runs.
pub fn variables_of(text: &str) -> Vec<(String, Range<usize>)> {
    let Ok(document) = Document::parse("", text) else { return Vec::new() };
    let rules = document.root.get("notify").and_then(|rules| rules.get_ref().as_array()).map_or(0, |rules| rules.len());
    let named = |(rule, key): (usize, &str)| {
        let value = document.value(&["notify", &rule.to_string(), key])?;
        let name = value.get_ref().as_str().filter(|name| is_variable(name))?;
        Some((name.to_string(), value.span()))
    };
    (0..rules).flat_map(|rule| ["webhook_env", "secret_env"].map(|key| (rule, key))).filter_map(named).collect()
}

fn target(checker: &mut Checker, rule: &Notify, at: &[&str; 2]) {
    match (rule.mail.is_empty(), &rule.webhook_env) {
        (true, None) => {
            let remedy =
                "write mail = [\"name@example.org\"], or webhook_env with the name of the variable that holds the URL";
            checker.error("nobody-to-notify", at, "this rule tells nobody", remedy);
        }
        (false, Some(_)) => {
            let remedy = "write a [[notify]] for each";
            checker.error(
                "two-targets",
                &[at[0], at[1], "webhook_env"],
                "a rule tells by mail or by webhook, not both",
                remedy,
            );
        }
        _ => {}
    }
    if rule.on.is_empty() {
        let message = "this rule tells of nothing";
        checker.error(
            "notify-never",
            &[at[0], at[1], "on"],
            message,
            "leave on out for its default, or write [\"fail\"]",
        );
    }
    for (key, name) in [("webhook_env", &rule.webhook_env), ("secret_env", &rule.secret_env)] {
        let Some(name) = name.as_ref().filter(|name| !is_variable(name)) else { continue };
        // A URL or a secret in place of a name is not repeated.
        let message = format!("`{key}` is no name of an environment variable");
        let remedy = match name.contains("://") {
            true => "put the URL into a variable and write the variable's name; whoever has the URL can post",
            false => "letters, digits and underscores, not beginning with a digit",
        };
        checker.error("bad-variable", &[at[0], at[1], key], message, remedy);
    }
}

fn addresses(checker: &mut Checker, rule: &Notify, at: &[&str; 2]) {
    let mut seen = BTreeSet::new();
    for (i, address) in rule.mail.iter().enumerate() {
        let i = i.to_string();
        let path = [at[0], at[1], "mail", i.as_str()];
        if !is_address(address) {
            let message = "this is no address that mail can be sent to";
            checker.error("bad-address", &path, message, "write name@example.org: no display name, ASCII only");
        } else if !seen.insert(address.to_lowercase()) {
            checker.warning("address-twice", &path, "this address stands here twice; it gets one mail", "take one out");
        }
    }
}

/// Keys that do nothing beside others.
fn together(checker: &mut Checker, rule: &Notify, at: &[&str; 2]) {
    let (mail, webhook) = (!rule.mail.is_empty(), rule.webhook_env.is_some());
    let mut unused = |key: &str, message: &str| {
        checker.warning("unused-key", &[at[0], at[1], key], message, "leave it out");
    };
    if mail && !webhook && rule.body != Body::Json {
        unused("body", "a mail has no body of this shape");
    }
    if mail && !webhook && rule.secret_env.is_some() {
        unused("secret_env", "a mail is not signed with a secret");
    }
    if webhook && !mail && rule.attach == Attach::Pdf {
        unused("attach", "nothing is attached to what is posted to a webhook");
    }
}

fn days(checker: &mut Checker, rule: &Notify, at: &[&str; 2]) {
    if rule.heartbeat_days.is_some_and(|days| days == 0 || days > 366) {
        let message = "between 1 and 366 days";
        checker.error("bad-heartbeat", &[at[0], at[1], "heartbeat_days"], message, "leave it out for no heartbeat");
    }
}

/// A name of POSIX.
fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !secrets::begins_like_one(name)
}

#[cfg(test)]
mod tests {
    use super::super::{Complaint, Unparsed, check};
    use super::*;
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
levels = ["no", "yes"]
positive = "yes"
[[judge]]
metric = "selection-rate"
at_least = 0.1
[[notify]]
mail = ["risk@example.org", "b.c@mail.example.org"]
on = ["fail"]
heartbeat_days = 7
[[notify]]
webhook_env = "HOOK"
secret_env = "HOOK_SECRET"
body = "slack"
digest = "weekly"
"#;

    /// Complaints but those on the server.
    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        let mut found = check(("hiring.toml", text), None, None, &parse).1;
        found.retain(|complaint| complaint.code != "no-smtp");
        found
    }

    #[track_caller]
    fn expect(from: &str, to: &str, code: &str, at: &str) {
        assert!(CLEAN.contains(from), "{from}");
        let text = CLEAN.replacen(from, to, 1);
        let found = complaints(&text);
        let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &text[c.at.clone()])).collect();
        assert_eq!(shown, [(code, at)], "{found:?}");
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_points_at_its_words() {
        assert_eq!(complaints(CLEAN), []);
        expect("\"risk@example.org\"", "\"risk@\"", "bad-address", "\"risk@\"");
        expect("\"risk@example.org\"", "\"B.C@mail.example.org\"", "address-twice", "\"b.c@mail.example.org\"");
        expect("mail = [\"risk@example.org\", \"b.c@mail.example.org\"]\n", "", "nobody-to-notify", "[[notify]]");
        expect("on = [\"fail\"]", "on = []", "notify-never", "[]");
        expect("[\"fail\"]", "[\"fial\"]", "unknown-value", "\"fial\"");
        expect("heartbeat_days = 7", "heartbeat_days = 0", "bad-heartbeat", "0");
        expect("\"HOOK\"", "\"https://hooks.example.org/x\"", "bad-variable", "\"https://hooks.example.org/x\"");
        expect("on = [\"fail\"]", "attach = \"pdf\"\nsecret_env = \"S\"", "unused-key", "\"S\"");
        expect("body = \"slack\"", "attach = \"pdf\"", "unused-key", "\"pdf\"");
        expect("on = [\"fail\"]", "webhook_env = \"X\"", "two-targets", "\"X\"");
    }

    #[test]
    fn mail_needs_a_server() {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        let codes = |text: &str| -> Vec<&str> {
            check(("hiring.toml", text), None, None, &parse).1.iter().map(|complaint| complaint.code).collect()
        };
        assert_eq!(codes(CLEAN), ["no-smtp"]);
        let (hook_only, _) = CLEAN.split_once("[[notify]]\nmail").unwrap();
        assert_eq!(codes(&format!("{hook_only}[[notify]]\nwebhook_env = \"HOOK\"\n")), Vec::<&str>::new());
    }

    #[test]
    fn variables_are_named_with_their_place() {
        let found: Vec<(String, &str)> = variables_of(CLEAN).into_iter().map(|(name, at)| (name, &CLEAN[at])).collect();
        assert_eq!(found, [("HOOK".into(), "\"HOOK\""), ("HOOK_SECRET".into(), "\"HOOK_SECRET\"")]);
        assert_eq!(variables_of("notify = 3"), []);
    }
}
