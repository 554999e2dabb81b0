//! What was counted, behind one door.
//!
//! An engine returns [`Guarded`] evidence. It cannot be printed, serialised, compared or looked into:
//!
//! ```compile_fail
//! fn leak(evidence: evenhand::evidence::Guarded) { println!("{:?}", evidence); }
//! ```
//! ```compile_fail
//! fn leak(evidence: evenhand::evidence::Guarded) { serde_json::to_string(&evidence).unwrap(); }
//! ```
//! ```compile_fail
//! fn leak(evidence: evenhand::evidence::Guarded) { let _ = evidence.statistics; }
//! ```
//! ```compile_fail
//! fn leak(evidence: evenhand::evidence::Guarded) { evidence.open(); }
//! ```
//!
//! `privatize::release` is the only caller of `open`; the structure test keeps it so. What comes out is [`Released`], with a receipt.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::budget::{Noise, Receipt};
use crate::statistic::{ClassSizes, Histogram, Moments, Panel, Statistic, Tally};

/// Statistics by the name of their demand.
#[derive(Clone, PartialEq, Default)]
pub struct Evidence {
    pub statistics: BTreeMap<Arc<str>, Statistic>,
}

/// Evidence nobody has paid for yet.
pub struct Guarded(Evidence);

impl Guarded {
    /// Closes the door. Engines call this with what they counted.
    pub(crate) fn seal(evidence: Evidence) -> Guarded {
        Guarded(evidence)
    }

    /// Opens the door. Only `privatize` may call this.
    pub(crate) fn open(self) -> Evidence {
        self.0
    }

    /// Looks through the door. Only `privatize` may call this, for worlds that were made up.
    pub(crate) fn look(&self) -> &Evidence {
        &self.0
    }
}

/// Evidence that may be published, and what was paid for it.
#[derive(Clone, PartialEq, Default)]
pub struct Released {
    evidence: Evidence,
    receipts: Vec<Receipt>,
}

/// A stage asked for a statistic that was not collected: a defect of the plan, never of the input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {shape} is among the evidence under the name {name:?}; the plan did not demand it")]
pub struct Missing {
    pub shape: &'static str,
    pub name: String,
}

impl Released {
    pub(crate) fn new(evidence: Evidence, receipts: Vec<Receipt>) -> Released {
        Released { evidence, receipts }
    }

    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// The noise of a statistic; none when it was released as counted.
    pub fn noise(&self, name: &str) -> Option<&Noise> {
        self.receipts.iter().rfind(|receipt| *receipt.statistic == *name)?.noise.as_ref()
    }

    /// Adds what another pass released.
    pub fn extend(&mut self, other: Released) {
        self.evidence.statistics.extend(other.evidence.statistics);
        self.receipts.extend(other.receipts);
    }

    pub fn tally(&self, name: &str) -> Result<&Tally, Missing> {
        match self.evidence.statistics.get(name) {
            Some(Statistic::Tally(tally)) => Ok(tally),
            _ => Err(Missing { shape: "tally", name: name.into() }),
        }
    }

    pub fn moments(&self, name: &str) -> Result<&Moments, Missing> {
        match self.evidence.statistics.get(name) {
            Some(Statistic::Moments(moments)) => Ok(moments),
            _ => Err(Missing { shape: "moments", name: name.into() }),
        }
    }

    pub fn histogram(&self, name: &str) -> Result<&Histogram, Missing> {
        match self.evidence.statistics.get(name) {
            Some(Statistic::Histogram(histogram)) => Ok(histogram),
            _ => Err(Missing { shape: "histogram", name: name.into() }),
        }
    }

    pub fn class_sizes(&self, name: &str) -> Result<&ClassSizes, Missing> {
        match self.evidence.statistics.get(name) {
            Some(Statistic::ClassSizes(sizes)) => Ok(sizes),
            _ => Err(Missing { shape: "class sizes", name: name.into() }),
        }
    }

    /// Rows stay inside the process, and inside the crate.
    pub(crate) fn panel(&self, name: &str) -> Result<&Panel, Missing> {
        match self.evidence.statistics.get(name) {
            Some(Statistic::Panel(panel)) => Ok(panel),
            _ => Err(Missing { shape: "panel", name: name.into() }),
        }
    }
}
