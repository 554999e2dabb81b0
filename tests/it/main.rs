//! One test binary; one module per question.
