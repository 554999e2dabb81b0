//! Which files a path, a glob or a folder of hive partitions is.

use std::path::{Path, PathBuf};

/// The files of a source, sorted by name.
pub fn expand(path: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(vec![path.to_path_buf()])
}

/// The columns in the names of a path's folders: `name=value`.
pub fn partitions(path: &Path) -> Vec<(String, String)> {
    let parts = path.parent().into_iter().flat_map(Path::components);
    parts.filter_map(|part| part.as_os_str().to_str()?.split_once('=').map(|(name, value)| (name.into(), value.into()))).collect()
}
