//! `[smtp]`: who hands mails over.

use serde::{Deserialize, Serialize};

/// How the connection is encrypted. In the clear is not among the choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// In the clear until STARTTLS, which is required; port 587.
    #[default]
    Starttls,
    /// From the first byte; port 465.
    Implicit,
}

/// The mail server, and who the mails are from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Name of the server; its certificate must be for this name.
    pub host: String,
    /// 587 with `starttls`, 465 with `implicit` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: Encryption,
    /// Who logs in. Nobody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment variable that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// File that holds the password, relative to the pipeline file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// PEM file of the authority that is trusted, alone, relative to the pipeline file. The system's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Sender: an address, or `Name <address>`.
    pub from: String,
    /// Longest wait for one reply, in seconds, 1 to 600.
    #[serde(default = "half_a_minute")]
    pub timeout_s: u32,
    /// Hours after which a mail that cannot be handed over is given up, 1 to 8760. `evenhand send --list` keeps showing it.
    #[serde(default = "three_days")]
    pub give_up_after_h: u32,
}

fn half_a_minute() -> u32 {
    30
}
fn three_days() -> u32 {
    72
}

impl Smtp {
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Encryption::Starttls => 587,
            Encryption::Implicit => 465,
        })
    }
}

/// Display name and address of `address` or `Name <address>`; none for what is neither, or could end a header or a command early.
pub fn mailbox(text: &str) -> Option<(Option<&str>, &str)> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return None;
    }
    let (name, address) = match text.strip_suffix('>').and_then(|inside| inside.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim().trim_matches('"')).filter(|name| !name.is_empty()), address),
        None => (None, text),
    };
    is_address(address).then_some((name, address))
}

/// An address as RFC 5321 has them, without quotes, literals and other than ASCII: `dot-string@domain`.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    local.len() <= 64 && text.len() <= 254 && local.split('.').all(atom) && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_an_address_with_or_without_a_name() {
        assert_eq!(mailbox("a@example.test"), Some((None, "a@example.test")));
        assert_eq!(
            mailbox(" \u{5ba1}\u{8ba1} <a.b+c@example.test> "),
            Some((Some("\u{5ba1}\u{8ba1}"), "a.b+c@example.test"))
        );
        assert_eq!(mailbox("\"Audit, credit\" <a@b>"), Some((Some("Audit, credit"), "a@b")));
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\r\nBcc: c@d",
            "<a@b",
            "a@b>",
            "a@b, c@d",
            ".a@b",
            "a@b..c",
            "a@b>x<c@d",
        ] {
            assert_eq!(mailbox(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for address in ["a@b", "a.b+c@example.org", "x_y@1.example", "o'neil@example.org"] {
            assert!(is_address(address), "{address}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b c",
            "a@b\r\nBcc: x@y",
            "A <a@b>",
            "a@b,c@d",
            "a@-b",
            "a..b@c",
            "ä@b",
            "a@b.",
            "\"a\"@b",
            "a@[127.0.0.1]",
            long.as_str(),
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
