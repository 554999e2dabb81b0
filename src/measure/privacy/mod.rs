//! Privacy, measured: how far attacks get.
//!
//! Pure functions of what attackers saw and guessed: nothing here reads a file, a clock or an engine. Lower bounds on epsilon say what a release
//! has been shown to leak; they never say that a release leaks no more.

pub mod anonymeter;
pub mod bounds;
pub mod identifiers;
pub mod membership;
pub mod trained;
pub mod two_worlds;
pub mod undeclared;
