//! What the words mean. Under differential privacy some of them mean more, and there are more of them.

use super::{Fact, fact};
use crate::plan::spec::Neighbours;
use crate::report::document::Report;
use crate::report::language::text;

pub fn glossary(report: &Report) -> Vec<Fact> {
    let mut terms: Vec<Fact> = {
        let private = report.privacy.is_some();
        TERMS.iter().map(|(name, more)| term(name, if *more && private { "noisy" } else { "text" })).collect()
    };
    if let Some(statement) = &report.privacy {
        terms.extend(privacy(statement.neighbours, statement.charge.epsilon.is_none()));
    }
    terms
}

/// In the order of the page: the end of a key, and whether the term means more under differential privacy.
const TERMS: [(&str, bool); 14] = [
    ("cohort", false),
    ("metric", false),
    ("estimate", false),
    ("interval", true),
    ("support", true),
    ("undefined", true),
    ("suppressed", false),
    ("criterion", false),
    ("level", false),
    ("waiver", false),
    ("outcome", false),
    ("mechanism", true),
    ("receipt", true),
    ("worst-pair", false),
];

fn term(name: &str, meaning: &str) -> Fact {
    fact(&text!(&format!("glossary-{name}")), text!(&format!("glossary-{name}-{meaning}")))
}

fn privacy(neighbours: Neighbours, concentrated: bool) -> Vec<Fact> {
    let worlds = match neighbours {
        Neighbours::AddRemove => "add-remove",
        Neighbours::ChangeOne => "change-one",
    };
    let plain = |name| term(name, "text");
    let mut terms = vec![plain("differential-privacy"), plain("unit"), term("epsilon", worlds)];
    terms.extend(concentrated.then(|| plain("rho")));
    terms.extend([plain("ledger"), plain("edition"), term("two-world", worlds)]);
    terms
}
