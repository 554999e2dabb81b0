//! `evenhand report RUN`: the report of a finished run, rendered again.

use std::path::PathBuf;

use super::{Output, load::unfinished};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
}

pub fn run(_args: &Args, out: &Output) -> u8 {
    unfinished(out, "not built in this build")
}
