//! The model of a de-identified dataset in a run: its classes are counted in the first pass after the plan, and it decides before the dataset
//! is written.

use super::{Pipeline, RunError};
use crate::deidentify::model::{CLASSES, Decision, Model};
use crate::demand::Demand;
use crate::evidence::Released;
use crate::plan::{Plan, PlanError};

/// The model of a pipeline file, if it has one.
pub(super) struct Coarsener<'a>(Option<Model<'a>>);

impl<'a> Coarsener<'a> {
    /// Reads the files of the model, and no row.
    pub(super) fn open(pipeline: &'a Pipeline) -> Result<Coarsener<'a>, RunError> {
        let Some(section) = &pipeline.spec.deidentify else { return Ok(Coarsener(None)) };
        if pipeline.spec.privacy.is_some() && section.model.is_some() {
            let message = "under differential privacy nothing is decided by counts without noise: take the model out, and choose levels yourself";
            return Err(PlanError { path: "deidentify.model".into(), message: message.into() }.into());
        }
        Ok(Coarsener(Model::open(section, pipeline.folder)?))
    }

    pub(super) fn demand(&self, plan: &Plan) -> Result<Option<Demand>, RunError> {
        Ok(self.0.as_ref().map(|model| model.demand(plan)).transpose()?)
    }

    /// What it comes to over the counted classes.
    pub(super) fn decide(&self, plan: &Plan, released: &Released) -> Result<Option<Decision>, RunError> {
        let Some(model) = &self.0 else { return Ok(None) };
        Ok(Some(model.decide(plan, released.tally(CLASSES)?)?))
    }
}
