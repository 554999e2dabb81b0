//! The page as PDF, by a Chromium that is on the machine: tagged, with an outline, from the same bytes, with no network.
//!
//! It is an outside program and optional: nothing else needs it. A PDF is not a function of its input (it holds its time), so it is no part of
//! a run as first written.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::world::{self, Scratch};

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error(
        "no Chromium was found ({}): install one, such as the package chromium-headless-shell, or set EVENHAND_CHROMIUM to its path; the page itself prints well from any browser",
        PROGRAMS.join(", ")
    )]
    NoProgram,
    #[error("{}: it did not finish within {WAIT_S} s and was ended", .0.display())]
    Slow(PathBuf),
    #[error("{}: it made no PDF ({status})", program.display())]
    Failed { program: PathBuf, status: String },
    #[error("{0}")]
    Files(#[from] std::io::Error),
}

/// Names it goes by, the smallest first.
const PROGRAMS: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const WAIT_S: u64 = 120;

/// Prints a page.
pub fn pdf(page: &[u8]) -> Result<Vec<u8>, PdfError> {
    let program = program().ok_or(PdfError::NoProgram)?;
    let scratch = Scratch::new()?;
    let html = scratch.write("report.html", page)?;
    let place = html.with_file_name("report.pdf");
    let profile = html.with_file_name("profile");
    let mut command = Command::new(&program);
    command
        .args(["--headless", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline"])
        .args(["--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-sync"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--print-to-pdf={}", place.display()));
    if world::is_root() {
        // Chromium has no sandbox for root. The page has no script, and its policy forbids all requests.
        command.arg("--no-sandbox");
    }
    let url = format!("file://{}", html.display());
    let mut child = command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let limit = Duration::from_secs(WAIT_S);
    let Some(status) = world::wait(&mut child, limit)? else { return Err(PdfError::Slow(program)) };
    match world::read(&place)? {
        Some(pdf) if pdf.starts_with(b"%PDF-") => Ok(pdf),
        _ => Err(PdfError::Failed { program, status: status.to_string() }),
    }
}

/// `EVENHAND_CHROMIUM`, else the first of the names on the PATH and in the usual folders, for cron has a short PATH.
fn program() -> Option<PathBuf> {
    if let Some(given) = world::variable("EVENHAND_CHROMIUM") {
        return Some(given.into());
    }
    let path = world::variable("PATH").unwrap_or_default();
    let folders: Vec<&str> = path.split(':').chain(["/usr/bin", "/usr/local/bin", "/snap/bin"]).collect();
    let places = PROGRAMS.iter().flat_map(|name| folders.iter().map(move |folder| Path::new(folder).join(name)));
    places.into_iter().find(|place| place.is_absolute() && place.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_a_tagged_pdf() {
        let page = "<!doctype html><html lang=\"en\"><title>x</title><h1>Verdict</h1><table><tr><th>a</table></html>";
        let pdf = pdf(page.as_bytes()).unwrap();
        let has = |mark: &[u8]| pdf.windows(mark.len()).any(|window| window == mark);
        assert!(has(b"/StructTreeRoot") && has(b"/Lang") && has(b"%%EOF"));
    }
}
