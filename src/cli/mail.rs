//! `evenhand mail RUN --out DIR`: the mail of a finished run as files, to look at. Nothing is sent, the run folder stays as it is.

use std::fs;
use std::path::PathBuf;

use super::{Output, USAGE, load::unfinished};
use crate::plan::spec::On;
use crate::plan::spec::is_address;
use crate::report::mail::{Documents, Frame, Notice};
use crate::run::notify::letter;
use crate::{deliver::picture, world};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's folder.
    pub run: PathBuf,
    /// Folder to write message.eml, mail.html, mail.txt and picture.png to.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Who the message is from.
    #[arg(long, default_value = "evenhand@localhost")]
    pub from: String,
    /// Who the message is to.
    #[arg(long, default_value = "reader@localhost")]
    pub to: String,
    /// Address below which the run folders can be read, as `link` in [report].
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,
    /// A PDF of the report to attach.
    #[arg(long, value_name = "FILE")]
    pub pdf: Option<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    if !is_address(&args.to) {
        out.error("--to: this is no mail address; write name@example.org");
        return USAGE;
    }
    let read = |path: PathBuf| fs::read(&path).map_err(|e| format!("{}: cannot be read: {e}", path.display()));
    let files = read(args.run.join("report.json"))
        .and_then(|report| Ok((report, read(args.run.join("run.json"))?, args.pdf.clone().map(read).transpose()?)));
    let (report_json, run_json, pdf) = match files {
        Ok(files) => files,
        Err(why) => {
            out.error(&format!("{why}; name the folder of a finished run"));
            return USAGE;
        }
    };
    match write(args, (&report_json, &run_json, pdf.as_deref())) {
        Ok(subject) => {
            out.note(&format!("{} holds the mail; nothing is sent", args.out.display()));
            out.result(&subject);
            0
        }
        Err(why) => unfinished(out, &why),
    }
}

/// Writes the files; the subject.
fn write(args: &Args, (report_json, run_json, pdf): (&[u8], &[u8], Option<&[u8]>)) -> Result<String, String> {
    let shown = |e: &dyn std::fmt::Display| e.to_string();
    let documents = Documents::read(report_json, run_json).map_err(|e| format!("{}: {e}", args.run.display()))?;
    let frame = Frame {
        notice: Notice::Run,
        on: &[On::Always],
        link: args.link.as_deref(),
        pdf: args.pdf.is_some().then_some(true),
    };
    let (mail, (_, eml)) = letter(&documents, &frame, "", (&args.from, &args.to), pdf).map_err(|e| shown(&e))?;
    world::make_folder(&args.out).map_err(|e| shown(&e))?;
    let write = |name: &str, bytes: &[u8]| world::replace(&args.out.join(name), bytes).map_err(|e| shown(&e));
    write("message.eml", &eml)?;
    // A browser finds the picture beside the file.
    write("mail.html", mail.html.replace("cid:criteria", "picture.png").as_bytes())?;
    write("mail.txt", mail.text.as_bytes())?;
    if !mail.picture.is_empty() {
        write("picture.png", &picture::png(&mail.picture).map_err(|e| shown(&e))?)?;
    }
    Ok(mail.subject)
}
