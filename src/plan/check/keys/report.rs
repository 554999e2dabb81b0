//! Keys of `[report]`.

use super::Kind::{Text, Word};
use super::{Key, may};

pub const REPORT: &[Key] = &[may("title", Text), may("folder", Text), may("language", Word(&["en", "zh-CN"]))];
