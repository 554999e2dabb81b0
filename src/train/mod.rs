//! The regression core: linear and logistic models with penalties, from moments; linfa solves every penalised quadratic.

use crate::demand::Demand;
use crate::evidence::Released;
use crate::model::Model;
use crate::plan::Plan;

/// What training asks for next.
pub enum Step {
    /// Another pass over the rows.
    Collect { reason: String, demands: Vec<Demand> },
    Done(Box<Model>),
}

/// Why no model came out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
    #[error("{0}")]
    Failed(String),
}

/// Fits the model of a plan, pass by pass.
pub struct Trainer<'a> {
    plan: &'a Plan,
}

impl<'a> Trainer<'a> {
    pub fn new(plan: &'a Plan) -> Trainer<'a> {
        Trainer { plan }
    }

    /// Statistics of the pass before the model.
    pub fn demands(&self) -> Vec<Demand> {
        let _ = self.plan;
        Vec::new()
    }

    /// Takes what the last pass released; asks for the next or returns the model.
    pub fn step(&mut self, _released: &Released) -> Result<Step, TrainError> {
        Err(TrainError::Failed("nothing is trained yet".into()))
    }
}

/// Passes over the rows that training adds after the first, each with its reason.
pub fn passes(_plan: &Plan) -> Vec<String> {
    Vec::new()
}
