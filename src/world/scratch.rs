//! A folder for temporary files.

use std::fs;
use std::io;
use std::path::PathBuf;

use rand::Rng;

use super::{Entropy, at, hex};

/// A folder for a while, below the system's folder for temporary files; gone when dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder that only this account may read.
    pub fn new() -> io::Result<Scratch> {
        let mut name = [0u8; 16];
        Entropy::System.generator()?.fill_bytes(&mut name);
        let path = std::env::temp_dir().join(format!("evenhand-{}", hex(&name)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(|e| at(&path, e))?;
        Ok(Scratch(path))
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        fs::write(&path, bytes).map_err(|e| at(&path, e))?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
