//! `evenhand check PIPELINE`: every complaint at once; exit 2 when one is an error.

use std::path::PathBuf;

use super::load::counted;
use super::{Output, complaints, load};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    match load(&args.pipeline) {
        Err(failure) if out.json() => {
            let code = match &failure.unreadable {
                Some(_) => failure.print(out),
                None => super::USAGE,
            };
            out.result_json(&complaints::json(&failure.complaints, &failure.files));
            code
        }
        Err(failure) => failure.print(out),
        Ok(loaded) => {
            if out.json() {
                out.result_json(&complaints::json(&loaded.complaints, &loaded.files));
                return 0;
            }
            complaints::print(&loaded.complaints, &loaded.files, out);
            let warnings = match loaded.complaints.len() {
                0 => "no complaints".to_string(),
                n => counted(n, "warning"),
            };
            out.result(&format!("{}: {warnings}. Next: evenhand plan {0}", args.pipeline.display()));
            0
        }
    }
}
