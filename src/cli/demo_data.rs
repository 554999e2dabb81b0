//! `evenhand demo-data KIND`: synthetic data with planted facts.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::{Output, USAGE, load::unfinished};
use crate::demo::{self, Plants, facts};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which data.
    #[arg(value_enum)]
    pub kind: Kind,
    #[arg(long, default_value_t = 10_000)]
    pub rows: u64,
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Leave out this planted fact; `--facts` lists them.
    #[arg(long, value_name = "FACT")]
    pub without: Option<String>,
    /// List the planted facts and their sizes instead of writing data.
    #[arg(long)]
    pub facts: bool,
    /// The file to write; stdout when absent. Never overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Lending,
    /// Those of lending, with several applications per person; rows are people.
    Loans,
    Hiring,
    Premium,
    /// Patients with identifiers, for de-identification; no facts are planted.
    Clinic,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let kind = match args.kind {
        Kind::Lending | Kind::Loans | Kind::Clinic => demo::Kind::Lending,
        Kind::Hiring => demo::Kind::Hiring,
        Kind::Premium => demo::Kind::Premium,
    };
    let facts: Vec<demo::Fact> = match args.kind {
        Kind::Clinic => Vec::new(),
        _ => facts(kind).into(),
    };
    if args.facts {
        let lines: Vec<String> = facts.iter().map(|fact| format!("{}: {}", fact.code, fact.words)).collect();
        out.result(&lines.join("\n"));
        return 0;
    }
    let plants = match &args.without {
        None => Plants::all(),
        Some(code) => match facts.iter().find(|fact| fact.code == *code) {
            Some(fact) => Plants::without(fact.plant),
            None => {
                let codes: Vec<&str> = facts.iter().map(|fact| fact.code).collect();
                let there = if codes.is_empty() { "none".to_string() } else { codes.join(", ") };
                out.error(&format!("there is no planted fact {code:?}; there are {there}"));
                return USAGE;
            }
        },
    };
    let write = |mut to: &mut dyn Write| match args.kind {
        Kind::Loans => demo::write_loans(args.rows, args.seed, plants, &mut to),
        Kind::Clinic => demo::write_clinic(args.rows, args.seed, &mut to),
        _ => demo::write(kind, args.rows, args.seed, plants, &mut to),
    };
    let written = match &args.out {
        None => write(&mut BufWriter::new(io::stdout().lock())),
        Some(path) => File::create_new(path).and_then(|file| {
            let mut to = BufWriter::new(file);
            write(&mut to).and_then(|()| to.flush())
        }),
    };
    match (written, &args.out) {
        (Ok(()), _) => 0,
        (Err(e), _) if e.kind() == io::ErrorKind::BrokenPipe => 0,
        (Err(e), Some(path)) => unfinished(out, &format!("{}: cannot be written: {e}", path.display())),
        (Err(e), None) => unfinished(out, &format!("the data cannot be written: {e}")),
    }
}
