//! Keys of `[report]`.

use super::Kind::{List, Text, Word};
use super::{Key, may};

pub const REPORT: &[Key] = &[
    may("title", Text),
    may("folder", Text),
    may("language", Word(&["en", "zh-CN"])),
    may("formats", List(&Word(&["markdown", "sarif", "junit"]))),
    may("decider", Text),
    may("decide_by", Text),
    may("prepared_by", Text),
    may("reviewed_by", Text),
    may("limitations", List(&Text)),
    may("brand", Text),
    may("templates", Text),
    may("link", Text),
];
