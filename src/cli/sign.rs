//! `evenhand sign RUN`: what a reviewer decided about a run, as an attestation beside the run's own.
//!
//! Exit codes: 0, 1 a run that is not signed or not as it was signed, 2 usage, 3 the folder cannot be written.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::{Output, USAGE, load::unfinished};
use crate::attest::{self, Decision, LaterError, Review};
use crate::world::Clock;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
    /// The reviewer's private key.
    #[arg(long, value_name = "KEY")]
    pub key: PathBuf,
    /// Name of the reviewer, as it is to stand in the attestation.
    #[arg(long, value_name = "NAME")]
    pub reviewer: String,
    #[arg(long, value_enum)]
    pub decision: Word,
    /// What must be done; of a conditional decision only, and repeated for each.
    #[arg(long = "condition", value_name = "TEXT")]
    pub conditions: Vec<String>,
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
    let decision = match args.decision {
        Word::Approved => Decision::Approved,
        Word::Rejected => Decision::Rejected,
        Word::Conditional => Decision::Conditional,
    };
    let review = Review { reviewer: args.reviewer.clone(), decision, conditions: args.conditions.clone() };
    match attest::sign_off(&args.run, &key, &review, Clock::System.now()) {
        Ok(path) if out.json() => {
            out.result_json(&json!({ "attestation": path, "key_id": key.public().id().as_str() }));
            0
        }
        Ok(path) => {
            let id = key.public().id();
            out.result(&format!("{}: {} by {}, key {}", path.display(), decision.word(), args.reviewer, id.short()));
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
