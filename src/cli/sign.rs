//! `evenhand sign RUN`: what a reviewer decided about a run, or a file that was made of it, as an attestation beside the run's own.
//!
//! Exit codes: 0, 1 a run that is not signed or not as it was signed, 2 usage, 3 the folder cannot be written.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::{Output, USAGE, load::unfinished};
use crate::attest::{self, Decision, LaterError, PrivateKey, Review};
use crate::world::{self, Clock};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
    /// The private key: the reviewer's, or for a file that of whoever adds it.
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// Name of the reviewer, as it is to stand in the attestation.
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
    pub reviewer: Option<String>,
    #[arg(long, value_enum, required_unless_present = "file")]
    pub decision: Option<Word>,
    /// What must be done; of a conditional decision only, and repeated for each.
    #[arg(long = "condition", value_name = "TEXT")]
    pub conditions: Vec<String>,
    /// Instead of a decision: a file made of the run, such as report.pdf, to copy into its folder and sign there.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reviewer", "decision", "conditions"])]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Word {
    Approved,
    Rejected,
    Conditional,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let key = match attest::private_key(&args.key) {
        Ok(key) => key,
        Err(why) => {
            out.error(&why);
            return USAGE;
        }
    };
    match (&args.file, &args.reviewer, args.decision) {
        (Some(file), _, _) => added(args, &key, file, out),
        (None, Some(reviewer), Some(decision)) => reviewed(args, &key, (reviewer, decision), out),
        _ => {
            out.error("name the --reviewer and the --decision, or a --file");
            USAGE
        }
    }
}

fn reviewed(args: &Args, key: &PrivateKey, (reviewer, decision): (&str, Word), out: &Output) -> u8 {
    let decision = match decision {
        Word::Approved => Decision::Approved,
        Word::Rejected => Decision::Rejected,
        Word::Conditional => Decision::Conditional,
    };
    let review = Review { reviewer: reviewer.into(), decision, conditions: args.conditions.clone() };
    let made = attest::sign_off(&args.run, key, &review, Clock::System.now());
    said(args, key, made, &format!("{} by {reviewer}", decision.word()), out)
}

fn added(args: &Args, key: &PrivateKey, file: &Path, out: &Output) -> u8 {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let bytes = match world::read(file) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            out.error(&format!("{}: is not there; name the file to add to the run", file.display()));
            return USAGE;
        }
        Err(e) => {
            out.error(&e.to_string());
            return USAGE;
        }
    };
    let made = attest::add_file(&args.run, name, &bytes, key, Clock::System.now());
    said(args, key, made, &format!("{name} is in the folder and signed"), out)
}

fn said(args: &Args, key: &PrivateKey, made: Result<PathBuf, LaterError>, what: &str, out: &Output) -> u8 {
    let id = key.public().id();
    match made {
        Ok(path) if out.json() => {
            out.result_json(&json!({ "attestation": path, "key_id": id.as_str() }));
            0
        }
        Ok(path) => {
            out.result(&format!("{}: {what}, key {}", path.display(), id.short()));
            0
        }
        Err(e) => {
            let why = format!("{}: {e}", args.run.display());
            match e {
                LaterError::Text(_) | LaterError::Conditions => {
                    out.error(&why);
                    USAGE
                }
                LaterError::Unsigned | LaterError::NotAsSigned(_) => {
                    out.error(&why);
                    1
                }
                _ => unfinished(out, &why),
            }
        }
    }
}
