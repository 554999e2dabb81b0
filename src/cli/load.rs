//! A pipeline file from its path: read, checked against the columns of its data, with its policy.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Output, UNFINISHED, USAGE, complaints, engine};
use crate::plan::check::{self, Complaint, Severity};
use crate::plan::spec::{Contract, Ingest, Measure, Pipeline, Report, Spec};
use crate::scan::{Source, SourceColumn};
use crate::{report, world};

/// A pipeline without errors.
#[derive(Debug)]
pub struct Loaded {
    pub spec: Spec,
    /// SHA-256 of the pipeline file and of the policy file after it.
    pub sha256: String,
    /// Folder of the pipeline file: paths in it are relative to it.
    pub folder: PathBuf,
    /// The data, where it could be opened, else why not.
    pub source: Result<Source, String>,
    /// Warnings.
    pub complaints: Vec<Complaint>,
    /// The files complained about.
    pub files: Vec<(String, String)>,
}

/// Why there is no pipeline.
#[derive(Debug)]
pub struct Failure {
    /// A file that cannot be read.
    pub unreadable: Option<String>,
    pub complaints: Vec<Complaint>,
    pub files: Vec<(String, String)>,
}

impl Failure {
    /// Prints the failure and gives the exit code.
    pub fn print(&self, out: &Output) -> u8 {
        if let Some(why) = &self.unreadable {
            out.error(why);
        }
        complaints::print(&self.complaints, &self.files, out);
        let errors = self.complaints.iter().filter(|complaint| complaint.severity == Severity::Error).count();
        if errors > 0 {
            out.plain(&format!("{}; no row was read", counted(errors, "error")));
        }
        USAGE
    }
}

/// A number and its noun.
pub fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Reads and checks a pipeline file.
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let unreadable = |why| Failure { unreadable: Some(why), complaints: Vec::new(), files: Vec::new() };
    let name = path.display().to_string();
    if crate::plan::format_of(path).is_some() {
        // Its lines would be shown as those of a pipeline file.
        let why =
            format!("{name}: this is data, not a pipeline file; draft one with: evenhand init {name} --out NAME.toml");
        return Err(unreadable(why));
    }
    let text = read(path).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let mut extra = Vec::new();
    let policy = policy(&folder, &name, &text, &mut extra);
    let source = source(&folder, &text);
    let columns = columns(&source);
    if let (Err(why), Some((_, at))) = (&columns, check::ingest_of(&text)) {
        let message = format!("the columns are not checked against the data: {why}");
        let remedy = "the path is relative to this file; a run needs the data";
        extra.push(Complaint {
            severity: Severity::Warning,
            ..Complaint::error("data-unreadable", &name, at, message, Some(remedy.into()))
        });
    }
    let both = std::iter::once((&name, &text)).chain(policy.as_ref().map(|(name, text)| (name, text)));
    extra.extend(both.flat_map(|(name, text)| unset(name, text)));
    extra.extend(textfile(&folder, &name, &text));
    let given = policy.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    let (spec, mut complaints) = check::check((&name, &text), given, columns.as_deref().ok(), &check::sql);
    complaints.extend(extra);
    let mut digest = Sha256::new();
    digest.update(&text);
    digest.update(given.map_or("", |(_, text)| text));
    let sha256 = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut files: Vec<(String, String)> = std::iter::once((name, text)).chain(policy).collect();
    if let Some(written) = spec.as_ref().and_then(|spec| spec.report.templates.as_ref()) {
        let (more, texts) = templates(&folder.join(written), &files);
        complaints.extend(more);
        files.extend(texts);
    }
    let wrong = complaints.iter().any(|complaint| complaint.severity == Severity::Error);
    match spec {
        Some(spec) if !wrong => {
            let source = columns.and(source);
            Ok(Loaded { spec, sha256, folder, source, complaints, files })
        }
        _ => Err(Failure { unreadable: None, complaints, files }),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    String::from_utf8(bytes).map_err(|e| {
        let line = e.as_bytes().iter().take(e.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        format!("{}: not UTF-8 at line {line}; save the file as UTF-8", path.display())
    })
}

/// What is wrong with a folder of templates, and its texts.
fn templates(folder: &Path, files: &[(String, String)]) -> (Vec<Complaint>, Vec<(String, String)>) {
    match world::read_folder(folder) {
        Ok(read) => {
            let shown = folder.display().to_string();
            let text = |(name, bytes): (String, Vec<u8>)| {
                (format!("{}/{name}", shown.trim_end_matches('/')), String::from_utf8(bytes).unwrap_or_default())
            };
            (report::check_templates(&shown, &read), read.into_iter().map(text).collect())
        }
        Err(e) => {
            let named = files.iter().find_map(|(name, text)| Some((name, check::templates_of(text)?)));
            let (name, at) = named.map_or((String::new(), 0..0), |(name, at)| (name.clone(), at));
            let remedy = "name a folder with templates, relative to the pipeline file, or leave the key out";
            (vec![Complaint::error("templates-unreadable", &name, at, e.to_string(), Some(remedy.into()))], Vec::new())
        }
    }
}

/// Warnings about environment variables that `[[notify]]` names and that are not set.
fn unset(file: &str, text: &str) -> Vec<Complaint> {
    let named = check::variables_of(text).into_iter().filter(|(name, _)| world::variable(name).is_none());
    let warning = |(name, at): (String, _)| {
        let message = format!("the environment variable {name} is not set here");
        let remedy = "set it where the pipeline runs; without it nothing is sent by this rule";
        Complaint {
            severity: Severity::Warning,
            ..Complaint::error("variable-not-set", file, at, message, Some(remedy.into()))
        }
    };
    named.map(warning).collect()
}

/// A warning about a file for metrics whose folder is not there: no run would write it.
fn textfile(folder: &Path, file: &str, text: &str) -> Option<Complaint> {
    let (written, at) = check::textfile_of(text)?;
    let place = folder.join(&written);
    let above = place.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if above.is_dir() {
        return None;
    }
    let message = format!("{} is no folder here, so no metrics can be written", above.display());
    let remedy = "make it where the pipeline runs, or name a file in a folder that is there";
    Some(Complaint {
        severity: Severity::Warning,
        ..Complaint::error("no-textfile-folder", file, at, message, Some(remedy.into()))
    })
}

/// The policy file's name and text; a complaint when it is named and cannot be read.
fn policy(folder: &Path, file: &str, text: &str, extra: &mut Vec<Complaint>) -> Option<(String, String)> {
    let (written, at) = check::policy_of(text)?;
    let path = folder.join(written);
    match read(&path) {
        Ok(text) => Some((path.display().to_string(), text)),
        Err(why) => {
            let remedy = "the path is relative to this file".to_string();
            extra.push(Complaint::error("policy-unreadable", file, at, why, Some(remedy)));
            None
        }
    }
}

/// The data a pipeline file names, also where the file has faults elsewhere.
fn source(folder: &Path, text: &str) -> Result<Source, String> {
    let (ingest, _) = check::ingest_of(text).ok_or("[ingest] cannot be read")?;
    crate::plan::source(&only(ingest), folder, &crate::ingest::paths::expand).map_err(|e| e.message)
}

fn columns(source: &Result<Source, String>) -> Result<Vec<SourceColumn>, String> {
    let source = source.as_ref().map_err(Clone::clone)?;
    engine().0.describe(source).map_err(|e| e.to_string())
}

/// A pipeline of which only the source is known.
fn only(ingest: Ingest) -> Spec {
    let pipeline = Pipeline { name: String::new(), owner: String::new(), purpose: String::new(), seed: 0 };
    Spec {
        policy: None,
        pipeline,
        ingest,
        derive: Default::default(),
        schema: Default::default(),
        contract: Contract::default(),
        privacy: None,
        deidentify: None,
        train: None,
        attacks: None,
        measure: Measure::default(),
        mitigate: None,
        judge: Vec::new(),
        report: Report::default(),
        schedule: None,
        sign: None,
        smtp: None,
        notify: Vec::new(),
    }
}

/// Prints an error of a run and gives the exit code.
pub fn unfinished(out: &Output, why: &str) -> u8 {
    out.error(why);
    UNFINISHED
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = "policy = \"policy.toml\"\n[pipeline]\nname = \"x\"\n[ingest]\npath = \"x.csv\"\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n[schema.hired]\nroles = [\"prediction\"]\npositive = \"1\"\n";
    const POLICY: &str = "[[judge]]\nmetric = \"selection-rate\"\nat_least = 0.1\n";

    fn folder(data: &str, policy: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("p.toml", PIPELINE), ("x.csv", data), ("policy.toml", policy)] {
            if !text.is_empty() {
                fs::write(folder.path().join(name), text).unwrap();
            }
        }
        folder
    }

    #[test]
    fn policy_and_columns_are_found_beside_the_file() {
        let whole = folder("sex,hired\nf,1\n", POLICY);
        let loaded = load(&whole.path().join("p.toml")).unwrap();
        assert_eq!((loaded.spec.judge.len(), loaded.complaints.len(), loaded.files.len()), (1, 0, 2));
        assert!(loaded.source.is_ok());
        let other = load(&folder("sex,hried\nf,1\n", POLICY).path().join("p.toml")).unwrap_err();
        assert_eq!(other.complaints[0].code, "unknown-column");
    }

    #[cfg(feature = "schedule")]
    #[test]
    fn the_folder_of_the_metrics_is_looked_for() {
        let whole = folder("sex,hired\nf,1\n", POLICY);
        let file = whole.path().join("p.toml");
        let codes = |textfile: &str| {
            let text = format!("{PIPELINE}[schedule]\ncron = \"0 3 * * *\"\ntextfile = \"{textfile}\"\n");
            fs::write(&file, &text).unwrap();
            let complaints = load(&file).unwrap().complaints;
            complaints
                .iter()
                .map(|complaint| (complaint.code, text[complaint.at.clone()].to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(codes("m.prom"), []);
        assert_eq!(codes("metrics/m.prom"), [("no-textfile-folder", "\"metrics/m.prom\"".to_string())]);
        assert_eq!(codes("x.csv/m.prom").len(), 1);
        fs::create_dir(whole.path().join("metrics")).unwrap();
        assert_eq!(codes("metrics/m.prom"), []);
    }

    #[test]
    fn what_cannot_be_read_is_a_complaint() {
        let without = load(&folder("sex,hired\n", "").path().join("p.toml")).unwrap_err();
        assert!(without.complaints.iter().any(|complaint| complaint.code == "policy-unreadable"));
        let without = load(&folder("", POLICY).path().join("p.toml")).unwrap();
        assert_eq!(without.complaints[0].code, "data-unreadable");
        assert!(without.complaints[0].remedy.is_some());
        assert!(without.source.is_err());
        let data = load(&folder("sex,hired\nf,1\n", "").path().join("x.csv")).unwrap_err();
        assert!(data.complaints.is_empty() && data.unreadable.unwrap().contains("evenhand init"));
        assert!(load(Path::new("/nowhere/p.toml")).unwrap_err().unreadable.is_some());
    }
}
