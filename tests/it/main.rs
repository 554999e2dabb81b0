//! Tests of the whole: engines, files, the program. One binary; one module per question.

mod conformance;
mod documents;
mod input;
mod program;
