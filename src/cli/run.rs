//! `evenhand run PIPELINE`: the whole audit.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Output, load, load::unfinished};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    pub pipeline: PathBuf,
    /// Exit with 1 at the outcome WARN too.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Exit with 0 whatever the outcome of a finished run.
    #[arg(long)]
    pub exit_zero: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Warn,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    match load(&args.pipeline) {
        Err(failure) => failure.print(out),
        Ok(_) => unfinished(out, "not built in this build"),
    }
}
