//! The run folders of a run as they will be published: every byte is made before any of them is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Dataset, DeliverError, Signing};
use crate::audit::Record;
use crate::plan::spec::{ReportFormat, Spec};
use crate::report::{self, Form};
use crate::world;

/// A run folder that is made and not yet published.
pub struct RunFolder {
    /// The folder it will be in, with the earlier runs.
    runs: PathBuf,
    pub record: Record,
    files: Vec<(String, Vec<u8>)>,
    /// Files that are on the disk already: name in the folder, and where they are.
    moved: Vec<(String, PathBuf)>,
}

/// The public edition, which is the only one without differential privacy.
pub struct Editions {
    pub public: RunFolder,
    pub internal: Option<RunFolder>,
}

impl RunFolder {
    /// Every file of a run, with its attestation. The first of `files` is report.json.
    pub fn make(
        runs: &Path,
        mut files: Vec<(String, Vec<u8>)>,
        (record, dataset): (Record, &Option<Dataset>),
        (spec, signing): (&Spec, &Signing),
    ) -> Result<RunFolder, DeliverError> {
        let forms = spec.report.formats.iter().collect::<BTreeSet<_>>().into_iter().map(|format| match format {
            ReportFormat::Markdown => Form::Markdown,
            ReportFormat::Sarif => Form::Sarif,
            ReportFormat::Junit => Form::Junit,
        });
        let run_json = report::run_json(&record)?;
        let own: Vec<(String, Vec<u8>)> = files
            .iter()
            .filter_map(|(name, bytes)| Some((name.strip_prefix(report::TEMPLATES_FOLDER)?.to_string(), bytes.clone())))
            .collect();
        let own = report::own_templates(&own);
        let html = report::html_with(&files[0].1, &run_json, &own)?;
        for form in forms {
            files.push((form.file().into(), report::form(form, (&files[0].1, &run_json), &own)?.into_bytes()));
        }
        files.push(("run.json".into(), run_json));
        files.push(("report.html".into(), html.into_bytes()));
        let mut moved = Vec::new();
        if let Some(dataset) = dataset {
            files.push(("codebook.json".into(), dataset.codebook.clone()));
            moved.push((dataset.name.clone(), dataset.place.clone()));
        }
        let moved_in = dataset.as_ref().map(|dataset| dataset.digest.clone());
        let digests = report::digests(&files).into_iter().chain(moved_in).collect();
        files.extend(signing.attest(runs, &record, digests)?);
        Ok(RunFolder { runs: runs.into(), record, files, moved })
    }

    /// The bytes of a file.
    #[cfg_attr(not(feature = "mail"), expect(dead_code, reason = "nothing is sent"))]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn publish(&self) -> std::io::Result<PathBuf> {
        world::publish_with(&self.runs, &self.record.run_id, &self.files, &self.moved)
    }
}

impl Editions {
    /// Puts the internal edition in its place, then the public one, whose folder is returned. Beside an internal edition the public one
    /// has the time at which the run began, for its end tells how long it took.
    pub fn publish(&self, started: Timestamp) -> Result<PathBuf, DeliverError> {
        let Some(internal) = &self.internal else { return Ok(self.public.publish()?) };
        internal.publish()?;
        let folder = self.public.publish()?;
        world::date(&folder, started)?;
        Ok(folder)
    }
}
