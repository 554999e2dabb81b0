//! `[smtp]`: a server that can be named, a sender that is an address, a password for a user, times that make sense.

use super::Checker;
use crate::plan::spec::{Encryption, mailbox};

pub(super) fn check(checker: &mut Checker) {
    let Some(smtp) = checker.spec.smtp.as_ref() else { return };
    let at = |key| ["smtp", key];
    let named = !smtp.host.is_empty() && smtp.host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
    if !named {
        let message = "the host is a name or an address, without scheme, port or path";
        checker.error("bad-host", &at("host"), message, "write the name alone, such as smtp.example.org");
    }
    if smtp.port == Some(0) {
        checker.error("bad-port", &at("port"), "0 is no port", "leave it out for 587 (starttls) or 465 (implicit)");
    }
    let odd = match (smtp.port, smtp.tls) {
        (Some(465), Encryption::Starttls) => Some("port 465 is for tls = \"implicit\""),
        (Some(587), Encryption::Implicit) => Some("port 587 is for tls = \"starttls\""),
        _ => None,
    };
    if let Some(message) = odd {
        checker.warning("odd-port", &at("port"), message, "leave port out, or change tls");
    }
    if mailbox(&smtp.from).is_none() {
        let message = "the sender is no mail address";
        checker.error("bad-sender", &at("from"), message, "write name@example.org or Name <name@example.org>");
    }
    match (&smtp.user, &smtp.password_env, &smtp.password_file) {
        (_, Some(_), Some(_)) => {
            let message = "the password comes from a variable or from a file, not from both";
            checker.error("two-passwords", &at("password_file"), message, "leave one of the two out");
        }
        (Some(_), None, None) => {
            let message = "the user has no password";
            checker.error(
                "no-password",
                &at("user"),
                message,
                "add password_env = \"NAME\" with the name of a variable",
            );
        }
        (None, Some(_), None) => {
            checker.error("no-user", &at("password_env"), "the password has no user", "add user, or leave it out");
        }
        (None, None, Some(_)) => {
            checker.error("no-user", &at("password_file"), "the password has no user", "add user, or leave it out");
        }
        _ => {}
    }
    if !(1..=600).contains(&smtp.timeout_s) {
        checker.error("bad-timeout", &at("timeout_s"), "between 1 and 600 seconds", "leave it out for 30");
    }
    if !(1..=8760).contains(&smtp.give_up_after_h) {
        checker.error("bad-give-up", &at("give_up_after_h"), "between 1 and 8760 hours", "leave it out for 72");
    }
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
levels = ["no", "yes"]
positive = "yes"
[smtp]
host = "smtp.example.org"
port = 2525
tls = "starttls"
user = "auditor"
password_env = "SMTP_PASSWORD"
from = "Audit <audit@example.org>"
timeout_s = 20
give_up_after_h = 48
[[judge]]
metric = "selection-rate"
at_least = 0.1
"#;

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("hiring.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect(from: &str, to: &str, code: &str, at: &str) {
        assert!(CLEAN.contains(from), "{from}");
        let text = CLEAN.replacen(from, to, 1);
        let found = complaints(&text);
        let shown: Vec<(&str, &str)> = found.iter().map(|c| (c.code, &text[c.at.clone()])).collect();
        assert_eq!(shown, [(code, at)]);
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn each_complaint_points_at_its_words() {
        assert_eq!(complaints(CLEAN), []);
        for host in ["", "https://smtp.example.org", "smtp example", "a/b"] {
            let host = format!("{host:?}");
            expect("\"smtp.example.org\"", &host, "bad-host", &host);
        }
        expect("2525", "0", "bad-port", "0");
        expect("2525", "465", "odd-port", "465");
        expect("2525\ntls = \"starttls\"", "587\ntls = \"implicit\"", "odd-port", "587");
        expect("\"Audit <audit@example.org>\"", "\"nobody\"", "bad-sender", "\"nobody\"");
        let two = "password_env = \"A\"\npassword_file = \"b\"";
        expect("password_env = \"SMTP_PASSWORD\"", two, "two-passwords", "\"b\"");
        expect("password_env = \"SMTP_PASSWORD\"\n", "", "no-password", "\"auditor\"");
        expect("user = \"auditor\"\n", "", "no-user", "\"SMTP_PASSWORD\"");
        let literal = "password_env = \"A\"\npassword = \"marker\"";
        expect("password_env = \"SMTP_PASSWORD\"", literal, "literal-secret", "\"marker\"");
        for (key, code) in [("timeout_s = 20", "bad-timeout"), ("give_up_after_h = 48", "bad-give-up")] {
            let name = key.split(' ').next().unwrap();
            for n in ["0", "9000"] {
                expect(key, &format!("{name} = {n}"), code, n);
            }
        }
        expect("\"starttls\"", "\"none\"", "unknown-value", "\"none\"");
    }
}
