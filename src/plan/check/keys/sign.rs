//! Keys of `[sign]`.

use super::Kind::{Text, Truth};
use super::{Key, may};

pub const SIGN: &[Key] = &[may("key_file", Text), may("key_env", Text), may("minisign", Truth)];
