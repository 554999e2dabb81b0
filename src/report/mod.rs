//! An audit and the record of its run as files: JSON twins, evidence tables, one HTML page.
