use super::*;

mod sample;

use sample::{PLAIN, sample};

#[cfg(feature = "html")]
mod page;
