//! Keys of `[schedule]`.

use super::Kind::{Text, Whole};
use super::{Key, U32, may, must};

pub const SCHEDULE: &[Key] =
    &[must("cron", Text), may("time_zone", Text), may("late_after_min", Whole(U32)), may("textfile", Text)];
