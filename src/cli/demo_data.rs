//! `evenhand demo-data KIND`: synthetic data with planted facts.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Output, load::unfinished};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which data.
    #[arg(value_enum)]
    pub kind: Kind,
    #[arg(long, default_value_t = 10_000)]
    pub rows: u64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave out this planted fact; several times for several.
    #[arg(long, value_name = "FACT")]
    pub without: Vec<String>,
    /// The file to write; stdout when absent. Never overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Lending,
    Hiring,
    Premium,
}

pub fn run(_args: &Args, out: &Output) -> u8 {
    unfinished(out, "not built in this build")
}
