//! De-identification: what is done to a column so that rows single out nobody easily.
//!
//! Never sold as, and never summed with, differential privacy.

pub mod classes;
pub mod codebook;
pub mod criteria;
pub mod dataset;
pub mod hierarchy;
pub mod lattice;
pub mod microaggregate;
pub mod model;
pub mod mondrian;
pub mod risk;
pub mod transform;
pub mod utility;
