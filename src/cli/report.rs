//! `evenhand report RUN`: the report of a finished run, rendered again from its two documents. The run folder stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Output, USAGE, load::unfinished};
use crate::{report, world};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
    /// The file to write; stdout when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let documents =
        read(&args.run.join("report.json")).and_then(|report| Ok((report, read(&args.run.join("run.json"))?)));
    let (report_json, run_json) = match documents {
        Ok(documents) => documents,
        Err(why) => {
            out.error(&why);
            return USAGE;
        }
    };
    let page = match report::html(&report_json, &run_json) {
        Ok(page) => page,
        Err(e) => return unfinished(out, &format!("{}: {e}", args.run.display())),
    };
    match &args.out {
        None => out.result(&page),
        Some(path) => {
            if let Err(e) = world::replace(path, page.as_bytes()) {
                return unfinished(out, &e.to_string());
            }
            out.note(&format!("{} is written", path.display()));
        }
    }
    0
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: cannot be read: {e}; name the folder of a finished run", path.display()))
}
