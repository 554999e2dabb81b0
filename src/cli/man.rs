//! `evenhand man --folder FOLDER`: one manual page per verb, for packages.

use std::fs;
use std::path::PathBuf;

use super::{Output, load::unfinished};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the pages.
    #[arg(long)]
    folder: PathBuf,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let written =
        fs::create_dir_all(&args.folder).and_then(|()| clap_mangen::generate_to(super::command(), &args.folder));
    match written {
        Ok(()) => 0,
        Err(e) => unfinished(out, &format!("{}: cannot be written: {e}", args.folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format;

    #[test]
    fn there_is_a_page_per_verb() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(run(&Args { folder: folder.path().into() }, &Output::new(Format::Human, true)), 0);
        for page in ["evenhand.1", "evenhand-check.1", "evenhand-demo-data.1"] {
            assert!(fs::read_to_string(folder.path().join(page)).unwrap().contains(".TH"), "{page}");
        }
    }
}
