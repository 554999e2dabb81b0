//! Complaints as a person reads them, with file, line and caret, and as JSON.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::Output;
use crate::plan::check::{Complaint, Severity};

/// A file's name and text.
pub type Files = [(String, String)];

/// Prints complaints: JSON on stdout where that is the result, text on stderr. `quiet` leaves out warnings.
pub fn print(complaints: &[Complaint], files: &Files, out: &Output) {
    let renderer = if out.colour { Renderer::styled() } else { Renderer::plain() };
    for complaint in complaints.iter().filter(|complaint| !out.quiet || complaint.severity == Severity::Error) {
        out.plain(&format!("{}\n", render(complaint, files, &renderer)));
    }
}

/// One complaint as text.
pub fn render(complaint: &Complaint, files: &Files, renderer: &Renderer) -> String {
    let level = match complaint.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let text = text_of(complaint, files);
    let title = level.primary_title(complaint.message.as_str()).id(complaint.code);
    let group = if complaint.code == "literal-secret" {
        // The line holds the secret: it is named, not shown.
        let (line, column) = position(text, complaint.at.start);
        title.element(Origin::path(complaint.file.as_str()).line(line).char_column(column))
    } else {
        let at = within(text, &complaint.at);
        title.element(Snippet::source(text).path(complaint.file.as_str()).annotation(AnnotationKind::Primary.span(at)))
    };
    let group = match &complaint.remedy {
        Some(remedy) => group.element(Level::HELP.message(remedy.as_str())),
        None => group,
    };
    renderer.render(&[group])
}

/// Complaints as JSON; lines and columns count from 1, columns in characters.
pub fn json(complaints: &[Complaint], files: &Files) -> Value {
    let one = |complaint: &Complaint| {
        let (line, column) = position(text_of(complaint, files), complaint.at.start);
        json!({
            "code": complaint.code,
            "severity": complaint.severity,
            "file": complaint.file,
            "line": line,
            "column": column,
            "start": complaint.at.start,
            "end": complaint.at.end,
            "message": complaint.message,
            "remedy": complaint.remedy,
        })
    };
    complaints.iter().map(one).collect()
}

fn text_of<'f>(complaint: &Complaint, files: &'f Files) -> &'f str {
    files.iter().find(|(name, _)| *name == complaint.file).map_or("", |(_, text)| text)
}

/// The range, cut to the text and to one line, so that a caret is always possible.
fn within(text: &str, at: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = floor(text, at.start);
    let line = text.get(start..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| start + end);
    start..floor(text, at.end.min(line)).max(start)
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..floor(text, at)).unwrap_or("");
    let line = before.rsplit('\n').next().unwrap_or("");
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check;
    use proptest::prelude::*;

    fn files(text: &str) -> Vec<(String, String)> {
        vec![("pipelines/hiring.toml".into(), text.into())]
    }

    fn complaints(text: &str) -> Vec<Complaint> {
        check::check(("pipelines/hiring.toml", text), None, None, &check::sql).1
    }

    #[test]
    fn a_complaint_shows_file_line_caret_and_remedy() {
        let text = "[pipeline]\nname = \"hiring\"\n[ingest]\npaht = \"hiring.csv\"\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n";
        let complaint = &complaints(text)[1];
        let shown = render(complaint, &files(text), &Renderer::plain());
        let expected = "\
error[unknown-key]: unknown key `paht` in `ingest`
 --> pipelines/hiring.toml:4:1
  |
4 | paht = \"hiring.csv\"
  | ^^^^
  |
  = help: did you mean `path`?";
        assert_eq!(shown, expected);
        let json = json(std::slice::from_ref(complaint), &files(text));
        assert_eq!(
            (&json[0]["line"], &json[0]["column"], &json[0]["code"]),
            (&4.into(), &1.into(), &"unknown-key".into())
        );
    }

    #[test]
    fn a_secret_is_not_shown() {
        let text = "[pipeline]\nname = \"x\"\nsmtp_password = \"hunter2\"\n";
        let complaint = complaints(text).into_iter().find(|complaint| complaint.code == "literal-secret").unwrap();
        let shown = render(&complaint, &files(text), &Renderer::plain());
        assert!(!shown.contains("hunter2") && shown.contains("pipelines/hiring.toml:3:17"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_complaint_about_any_text_is_rendered(text in "(\\PC|\n|\r|\t){0,80}", start in 0..100usize, length in 0..100usize) {
            let complaint = Complaint::error("syntax", "pipelines/hiring.toml", start..start + length, "m".into(), Some("a\nb".into()));
            let shown = render(&complaint, &files(&text), &Renderer::plain());
            prop_assert!(shown.contains("error[syntax]: m"));
        }
    }
}
