//! What outlives a run: runs, findings and receipts in one SQLite file.
