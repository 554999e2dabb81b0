//! The runs of a pipeline one after the other: each attestation names the one before it, whose folder lies beside.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::statement::PreviousState;
use super::verify::{Keys, Problem, Verification, verify_by};
use crate::world;

/// The runs before a run, latest first.
#[derive(Debug, Clone, Serialize)]
pub struct Chain {
    pub links: Vec<Link>,
    pub end: ChainEnd,
    /// What the end means.
    pub message: String,
}

/// A run before.
#[derive(Debug, Clone, Serialize)]
pub struct Link {
    pub run_id: String,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainEnd {
    /// The pipeline's first run.
    First,
    /// The run before was not signed: the chain begins here.
    Unsigned,
    /// The run before was not there as it was recorded when the next was made, as that one says.
    Missing,
    /// The run before is not here as it was.
    Broken,
}

impl Chain {
    /// Every run back to the first signed one is here, and as it was signed.
    pub fn holds(&self) -> bool {
        matches!(self.end, ChainEnd::First | ChainEnd::Unsigned)
            && self.links.iter().all(|link| link.problems.is_empty())
    }
}

/// Follows the chain of a run that was verified, back to its beginning, and verifies each run on the way.
pub fn chain(folder: &Path, of: &Verification, keys: Keys) -> io::Result<Chain> {
    let mut links: Vec<Link> = Vec::new();
    let end = |links, end, message: String| Ok(Chain { links, end, message });
    let Some(mut run) = of.run().cloned() else {
        return end(links, ChainEnd::Broken, "there is no attestation to begin with".into());
    };
    let mut seen = BTreeSet::from([run.run_id.clone()]);
    loop {
        let id = run.previous.run_id.clone().unwrap_or_default();
        match run.previous.state {
            PreviousState::First => return end(links, ChainEnd::First, format!("{} is the first run", run.run_id)),
            PreviousState::Unsigned => {
                let message = format!("{} is the first signed run; {id} before it is not signed", run.run_id);
                return end(links, ChainEnd::Unsigned, message);
            }
            PreviousState::Missing => {
                let message = format!(
                    "when {} was made, the folder of {id} was gone, or its attestation was, or no run was recorded any more",
                    run.run_id
                );
                return end(links, ChainEnd::Missing, message);
            }
            PreviousState::Signed => {}
        }
        let broken =
            |links, why: &str| end(links, ChainEnd::Broken, format!("{id}, the run before {}, {why}", run.run_id));
        if !seen.insert(id.clone()) {
            return broken(links, "comes twice");
        }
        let Some(place) = world::beside(folder, &id)? else {
            return broken(links, "is not beside it; copy the folders of all runs to one place");
        };
        let found = verify_by(&place, keys)?;
        let same = found.sha256.is_some() && found.sha256 == run.previous.sha256;
        links.push(Link { run_id: id.clone(), problems: found.problems.clone() });
        let Some(before) = found.run().filter(|_| same).cloned() else {
            return broken(links, "has another attestation than the one named there, or none");
        };
        if (&before.pipeline, before.edition, &before.run_id) != (&run.pipeline, run.edition, &id) {
            return broken(links, "is of another pipeline or edition, or has another id");
        }
        run = before;
    }
}
