//! The heart's tests: no polars, no templates, no store. One module per question; data from outside the repository where they are at hand.

#[path = "heart/attacks.rs"]
mod attacks;
#[cfg(all(feature = "sql", feature = "store", feature = "html", feature = "cli", feature = "sign"))]
#[path = "heart/attestation.rs"]
mod attestation;
#[path = "heart/audit.rs"]
mod audit;
#[path = "heart/cases.rs"]
mod cases;
#[path = "heart/chain.rs"]
mod chain;
#[cfg(all(feature = "sql", feature = "store", feature = "html"))]
#[path = "heart/changes.rs"]
mod changes;
#[path = "heart/coverage.rs"]
mod coverage;
#[cfg(feature = "sql")]
#[path = "heart/data.rs"]
mod data;
#[cfg(all(feature = "sql", feature = "seal"))]
#[path = "heart/deidentified.rs"]
mod deidentified;
#[path = "heart/distances.rs"]
mod distances;
#[cfg(all(feature = "sql", feature = "store", feature = "html", feature = "cli"))]
#[path = "heart/editions.rs"]
mod editions;
#[path = "heart/equality.rs"]
mod equality;
#[path = "heart/expressions.rs"]
mod expressions;
#[path = "heart/golden.rs"]
mod golden;
#[cfg(feature = "sql")]
#[path = "heart/hostile.rs"]
mod hostile;
#[path = "heart/individual.rs"]
mod individual;
#[path = "heart/leaves.rs"]
mod leaves;
#[path = "heart/limits.rs"]
mod limits;
#[path = "heart/parity.rs"]
mod parity;
#[path = "heart/peers.rs"]
mod peers;
#[path = "heart/pipelines.rs"]
mod pipelines;
#[cfg(feature = "sql")]
#[path = "heart/planted.rs"]
mod planted;
#[cfg(all(feature = "mail", feature = "cli", feature = "sql"))]
#[path = "heart/post.rs"]
mod post;
#[cfg(all(feature = "sql", feature = "store", feature = "html"))]
#[path = "heart/public.rs"]
mod public;
#[path = "heart/reference.rs"]
mod reference;
#[path = "heart/regulation.rs"]
mod regulation;
#[cfg(all(feature = "sql", feature = "store", feature = "html", feature = "cli"))]
#[path = "heart/schemas.rs"]
mod schemas;
#[cfg(feature = "sql")]
#[path = "heart/shipped.rs"]
mod shipped;
#[path = "heart/strata.rs"]
mod strata;
#[path = "heart/syntactic.rs"]
mod syntactic;
#[path = "heart/tidy.rs"]
mod tidy;
