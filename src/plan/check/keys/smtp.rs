//! Keys of `[smtp]`.

use super::Kind::{Text, Whole, Word};
use super::{Key, U32, may, must};

pub const SMTP: &[Key] = &[
    must("host", Text),
    may("port", Whole(u16::MAX as u64)),
    may("tls", Word(&["starttls", "implicit"])),
    may("user", Text),
    may("password_env", Text),
    may("password_file", Text),
    may("ca_file", Text),
    must("from", Text),
    may("timeout_s", Whole(U32)),
    may("give_up_after_h", Whole(U32)),
];
