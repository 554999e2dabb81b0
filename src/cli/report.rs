//! `evenhand report RUN`: the report of a finished run, rendered again from its two documents. The run folder stays as it is.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Output, USAGE, load::unfinished};
use crate::report::{self, Form};
use crate::run::{ATTESTATION, pdf::pdf};
use crate::world;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
    /// The form to make: the page, Markdown, SARIF 2.1.0, JUnit XML, PDF.
    #[arg(long = "as", value_enum, default_value_t = As::Html, value_name = "FORM")]
    pub form: As,
    /// The file to write; stdout when absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum As {
    Html,
    Markdown,
    Sarif,
    Junit,
    /// By a Chromium on this machine.
    Pdf,
}

impl As {
    fn form(self) -> Form {
        match self {
            As::Html | As::Pdf => Form::Html,
            As::Markdown => Form::Markdown,
            As::Sarif => Form::Sarif,
            As::Junit => Form::Junit,
        }
    }
}

pub fn run(args: &Args, out: &Output) -> u8 {
    if let Some(path) = args.out.as_deref().filter(|path| is_signed_place(&args.run, path)) {
        out.error(&refused(&args.run, path));
        return USAGE;
    }
    let documents =
        read(&args.run.join("report.json")).and_then(|report| Ok((report, read(&args.run.join("run.json"))?)));
    let (report_json, run_json) = match documents {
        Ok(documents) => documents,
        Err(why) => {
            out.error(&why);
            return USAGE;
        }
    };
    let own = match templates(&args.run.join(report::TEMPLATES_FOLDER)) {
        Ok(own) => own,
        Err(why) => {
            out.error(&why);
            return USAGE;
        }
    };
    let page = match report::form(args.form.form(), (&report_json, &run_json), &own) {
        Ok(page) => page,
        Err(e) => return unfinished(out, &format!("{}: {e}", args.run.display())),
    };
    let bytes = match args.form {
        As::Pdf => match pdf(page.as_bytes()) {
            Ok(bytes) => bytes,
            Err(e) => return unfinished(out, &e.to_string()),
        },
        _ => page.into_bytes(),
    };
    match (&args.out, std::str::from_utf8(&bytes)) {
        (None, Ok(text)) if args.form != As::Pdf => out.result(text),
        (None, _) => {
            out.error("a PDF is no text: name its file with --out FILE");
            return USAGE;
        }
        (Some(path), _) => {
            if let Err(e) = world::replace(path, &bytes) {
                return unfinished(out, &e.to_string());
            }
            out.note(&format!("{} is written", path.display()));
        }
    }
    0
}

/// Whether a file would lie in the folder of a signed run, which is as it was signed only while nothing is added or changed.
fn is_signed_place(run: &Path, file: &Path) -> bool {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (run.canonicalize(), folder.canonicalize()) {
        (Ok(run), Ok(folder)) => folder.starts_with(&run) && world::is_there(&run.join(ATTESTATION)),
        _ => false,
    }
}

fn refused(run: &Path, file: &Path) -> String {
    let name = file.file_name().map_or_else(|| "report.pdf".into(), |name| name.to_string_lossy());
    format!(
        "{}: the run is signed, and a file that is put into its folder is not; write it elsewhere, then add it with: evenhand sign {} --key KEY --file {name}",
        file.display(),
        run.display()
    )
}

/// The templates of the run's own; none without the folder.
fn templates(folder: &Path) -> Result<Vec<(String, String)>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    Ok(report::own_templates(&world::read_folder(folder).map_err(|e| e.to_string())?))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: cannot be read: {e}; name the folder of a finished run", path.display()))
}
