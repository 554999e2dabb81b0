//! The heart's tests: no polars, no templates, no store.
