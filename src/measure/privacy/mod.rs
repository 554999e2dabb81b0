//! Privacy, measured: how far attacks get.
