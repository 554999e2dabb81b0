//! The one page where the stages meet.
