//! The model of a de-identified dataset in a run: its classes are counted in the first pass after the plan, and it decides before the dataset
//! is written.

use std::path::PathBuf;

use super::rows::Rows;
use super::{PassOf, Pipeline, RunError};
use crate::deidentify::model::{CLASSES, Decision, Model, POPULATION};
use crate::demand::Demand;
use crate::evidence::Released;
use crate::ingest::paths::expand;
use crate::plan::spec::Spec;
use crate::plan::{Plan, PlanError};
use crate::scan::Scan;

const POPULATION_PASS: &str = "population";

/// The model of a pipeline file, if it has one, and the rows of its population.
pub(super) struct Coarsener<'a> {
    model: Option<Model<'a>>,
    population: Option<Scan>,
}

impl<'a> Coarsener<'a> {
    /// Reads the files of the model, and no row.
    pub(super) fn open(pipeline: &'a Pipeline) -> Result<Coarsener<'a>, RunError> {
        let Some(section) = &pipeline.spec.deidentify else { return Ok(Coarsener { model: None, population: None }) };
        if pipeline.spec.privacy.is_some() && section.model.is_some() {
            let message = "under differential privacy nothing is decided by counts without noise: take the model out, and choose levels yourself";
            return Err(PlanError { path: "deidentify.model".into(), message: message.into() }.into());
        }
        let model = Model::open(section, pipeline.folder)?;
        let of = model.as_ref().and_then(|model| model.population(pipeline.spec));
        let scan = |of: Spec| {
            let source = crate::plan::source(&of, pipeline.folder, &|path| expand(path))?;
            crate::plan::scan(&of, source, pipeline.parse)
        };
        let named = |e| PlanError { path: "deidentify.model.population".into(), ..e };
        Ok(Coarsener { model, population: of.map(scan).transpose().map_err(named)? })
    }

    pub(super) fn demand(&self, plan: &Plan) -> Result<Option<Demand>, RunError> {
        Ok(self.model.as_ref().map(|model| model.demand(plan)).transpose()?)
    }

    /// Files besides those of the source.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.population.iter().flat_map(|scan| scan.source.paths.clone()).collect()
    }

    /// What it comes to over the counted classes. The population, where there is one, is counted now.
    pub(super) fn decide(
        &self,
        plan: &Plan,
        released: &Released,
        rows: &mut Rows,
    ) -> Result<Option<Decision>, RunError> {
        let Some(model) = &self.model else { return Ok(None) };
        let population = match &self.population {
            None => None,
            Some(scan) => Some(rows.population(POPULATION_PASS, scan, &[model.population_demand(plan)?])?),
        };
        let table = population.as_ref().map(|released| released.tally(POPULATION)).transpose()?;
        let decision = model.decide(plan, released.tally(CLASSES)?, table)?;
        rows.meter.stage("coarsen", 0);
        Ok(Some(decision))
    }
}

/// The pass over the population, where there is one.
pub(super) fn pass(spec: &Spec) -> Option<PassOf> {
    spec.deidentify.as_ref()?.model.as_ref()?.population.as_ref()?;
    let reason = "classes of the population file, which the model compares those of the dataset with";
    Some(PassOf { name: POPULATION_PASS.into(), reason: reason.into() })
}
