//! Where the files of a pipeline are.

use std::path::{Path, PathBuf};

use crate::plan::spec::Spec;

/// Where the run folders of a pipeline are.
pub fn reports_folder(spec: &Spec, folder: &Path) -> PathBuf {
    folder.join(spec.report.folder.as_deref().unwrap_or("../reports"))
}

/// Where the ledger of a population is: as declared, else the store beside the run folders.
pub fn ledger_path(spec: &Spec, folder: &Path, reports: &Path) -> PathBuf {
    match spec.privacy.as_ref().and_then(|privacy| privacy.ledger.as_ref()) {
        Some(ledger) => folder.join(ledger),
        None => reports.join("evenhand.db"),
    }
}

/// The path without `name/..`, as a person would write it.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let named = plain.components().next_back().is_some_and(|last| matches!(last, std::path::Component::Normal(_)));
        match part {
            // A link may lead elsewhere: then the dots mean something else.
            std::path::Component::ParentDir if named && !plain.is_symlink() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
