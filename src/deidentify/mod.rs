//! De-identification: what is done to a column so that rows single out nobody easily.
//!
//! Never sold as, and never summed with, differential privacy.
