//! Stored runs by name: a run folder, or a pipeline and `latest`, `latest~1` or a run id.

use std::path::{Component, Path, PathBuf};

use super::load::{Failure, load};
use crate::report;
use crate::report::changes::Stored;
use crate::run::{is_signed, reports_folder};
use crate::store::{FILE, Store};
use crate::world;

/// Where the runs of a pipeline are.
#[derive(Debug)]
pub struct Place {
    pub name: String,
    /// The folder of run folders of every pipeline, with the store.
    pub base: PathBuf,
}

/// Why a pipeline or run was not found.
#[derive(Debug)]
pub enum NotFound {
    Pipeline(Failure),
    Said(String),
}

impl From<String> for NotFound {
    fn from(why: String) -> NotFound {
        NotFound::Said(why)
    }
}

impl Place {
    /// Of a pipeline file, or of the folder of its runs.
    pub fn of(pipeline: &Path) -> Result<Place, NotFound> {
        if pipeline.is_dir() {
            let whole = pipeline.canonicalize().unwrap_or_else(|_| pipeline.into());
            let parts = whole.parent().zip(whole.file_name());
            let (base, name) =
                parts.ok_or_else(|| format!("{}: no folder of a pipeline's runs", pipeline.display()))?;
            return Ok(Place { name: name.to_string_lossy().into_owned(), base: base.into() });
        }
        let loaded = load(pipeline).map_err(NotFound::Pipeline)?;
        Ok(Place { name: loaded.spec.pipeline.name.clone(), base: reports_folder(&loaded.spec, &loaded.folder) })
    }

    /// The history beside the run folders; it is not made where there is none.
    pub fn store(&self) -> Result<Store, NotFound> {
        let path = self.base.join(FILE);
        match path.exists() {
            true => Store::open(&path).map_err(|e| e.to_string().into()),
            false => {
                Err(format!("{}: is not there: no run of {} is recorded; run it first", path.display(), self.name)
                    .into())
            }
        }
    }

    /// The folder of a run: `latest`, `latest~1`, or a run id.
    pub fn run(&self, name: &str) -> Result<PathBuf, NotFound> {
        let back = match name.strip_prefix("latest") {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('~').and_then(|n| n.parse::<u32>().ok()),
            None => None,
        };
        let id = match back {
            Some(back) => {
                let runs = self.store()?.runs(&self.name, back.saturating_add(1)).map_err(|e| e.to_string())?;
                let nth = runs.into_iter().nth(back as usize);
                nth.ok_or_else(|| format!("{}: there is no run {name}; evenhand history lists the runs", self.name))?
                    .run_id
            }
            None => name.into(),
        };
        let mut parts = Path::new(&id).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => Ok(self.base.join(&self.name).join(&id)),
            _ => Err(format!("{id:?} is no run id; evenhand history lists the runs").into()),
        }
    }
}

/// Reads a run folder. A report that is not the one the history beside it recorded is damaged.
pub fn read(folder: &Path) -> Result<Stored, NotFound> {
    let file = |name: &str| match world::read(&folder.join(name)) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(format!("{}: is not there; name the folder of a finished run", folder.join(name).display())),
        Err(e) => Err(e.to_string()),
    };
    let (report, run) = (file("report.json")?, file("run.json")?);
    if recorded(folder).is_some_and(|digest| digest != report::sha256(&report)) {
        let place = folder.join("report.json");
        let why = "it is damaged: its SHA-256 is not the one in the history; take the folder from a copy";
        return Err(format!("{}: {why}", place.display()).into());
    }
    Stored::read(&report, &run, is_signed(folder)).map_err(|e| format!("{}: {e}", folder.display()).into())
}

/// The digest of the report in the history of the folder's own place; none for a copy that lies elsewhere.
fn recorded(folder: &Path) -> Option<String> {
    let whole = folder.canonicalize().ok()?;
    let path = whole.parent()?.parent()?.join(FILE);
    let id = whole.file_name()?.to_str()?;
    if !path.is_file() {
        return None;
    }
    Store::open(&path).ok()?.report_sha256(id).ok()?
}
