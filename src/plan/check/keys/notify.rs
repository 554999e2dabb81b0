//! Keys of `[[notify]]`.

use super::Kind::{List, Text, Whole, Word};
use super::{Key, U32, may};

pub const NOTIFY: &[Key] = &[
    may("mail", List(&Text)),
    may("webhook_env", Text),
    may("body", Word(&["json", "slack", "teams"])),
    may("secret_env", Text),
    may("on", List(&Word(&["fail", "warn", "inconclusive", "pass", "recovered", "changed", "always"]))),
    may("attach", Word(&["none", "pdf"])),
    may("edition", Word(&["public", "internal"])),
    may("digest", Word(&["daily", "weekly"])),
    may("heartbeat_days", Whole(U32)),
];
