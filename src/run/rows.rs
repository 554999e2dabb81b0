//! The passes over the rows: each is counted, and what it finds goes through the one door.

use std::path::PathBuf;

use super::paying::{Charged, Cost, PayError, Paying};
use super::{PassOf, Progress, RunError};
use crate::demand::Demand;
use crate::engine::{Engine, EngineError, near};
use crate::evidence::Released;
use crate::plan::Plan;
use crate::plan::spec::Privacy;
use crate::privatize::sensitivity::Unit;
use crate::privatize::{self, Allowance, Purse, Unprotected};
use crate::scan::{Scan, Source};
use crate::world::{self, FileState, Meter};

/// The passes over the rows of one run.
pub(super) struct Rows<'a> {
    engine: &'a dyn Engine,
    pub(super) meter: &'a mut Meter,
    progress: &'a dyn Progress,
    /// Passes of the plan, and how many of them are over.
    listed: u32,
    over: u32,
    /// The same with those that memory limits added.
    pub(super) planned: u32,
    pub(super) made: u32,
    /// The pass of the cap, which is planned, has been made.
    capped: bool,
    /// Rows of the source in the passes so far.
    met: Option<u64>,
    /// What was paid for, under differential privacy.
    pub(super) purse: Option<Purse>,
    private: bool,
    /// For the internal edition.
    pub(super) unprotected: Unprotected,
    /// The files of the source, and how they were before the first pass.
    paths: &'a [PathBuf],
    pub(super) states: Vec<Option<FileState>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        engine: &'a dyn Engine,
        meter: &'a mut Meter,
        progress: &'a dyn Progress,
        (private, paths): (bool, &'a [PathBuf]),
    ) -> Rows<'a> {
        Rows {
            engine,
            meter,
            progress,
            listed: 0,
            over: 0,
            planned: 0,
            made: 0,
            capped: false,
            met: None,
            purse: None,
            private,
            unprotected: Unprotected::none(),
            paths,
            states: world::states(paths),
        }
    }

    /// Makes a pass over other rows than those of the source. Nothing is private here: a model is refused under differential privacy.
    pub(super) fn population(&mut self, name: &str, scan: &Scan, demands: &[Demand]) -> Result<Released, RunError> {
        if self.private {
            return Err(RunError::Pay(PayError::Failed("nothing was paid for".into())));
        }
        self.progress.pass(name, self.made + 1, self.planned);
        let collected = self.engine.collect(scan, demands, self.progress.rows())?;
        self.progress.done(Some(collected.rows));
        self.over += 1;
        self.planned += collected.passes - 1;
        self.made += collected.passes;
        self.meter.stage(&format!("pass {}: {name}", self.made), collected.rows);
        Ok(privatize::release(collected.evidence))
    }

    /// Makes the pass of the attacks. It counts as made whatever becomes of it.
    pub(super) fn unreleased(&mut self, name: &str, plan: &Plan, demands: &[Demand]) -> Result<Unprotected, String> {
        self.made += 1;
        self.over += 1;
        let (number, of) = if self.private { (self.over, self.listed) } else { (self.made, self.planned) };
        self.progress.pass(name, number, of);
        let silent = |_| ();
        let tell = if self.private { &silent } else { self.progress.rows() };
        let collected = self.engine.collect(&plan.scan, demands, tell);
        let rows = collected.as_ref().ok().map(|collected| collected.rows);
        self.progress.done(rows.filter(|_| !self.private));
        self.meter.stage(&format!("pass {}: {name}", self.made), rows.unwrap_or(0));
        let collected = collected.map_err(|e| format!("the rows could not be read again: {e}"))?;
        match self.met == Some(collected.rows) {
            true => Ok(Unprotected::of(collected.evidence)),
            false => Err("the source changed after the model was trained".into()),
        }
    }

    /// All passes met the same files, and they are as many as were planned.
    pub(super) fn whole(&self) -> Result<(), RunError> {
        if world::states(self.paths) != self.states {
            return Err(RunError::Changed);
        }
        match self.made == self.planned {
            true => Ok(()),
            false => Err(RunError::Passes { planned: self.planned, made: self.made }),
        }
    }

    /// These passes are planned.
    pub(super) fn plan(&mut self, passes: Vec<PassOf>) -> Vec<PassOf> {
        self.listed = passes.len() as u32;
        self.planned = self.listed;
        passes
    }

    /// A pass of the plan turned out to be needed once more.
    pub(super) fn one_more(&mut self) {
        self.listed += 1;
        self.planned += 1;
    }

    /// A pass of the plan turned out not to be needed.
    pub(super) fn one_less(&mut self) {
        self.listed = self.listed.saturating_sub(1);
        self.planned = self.planned.saturating_sub(1);
    }

    pub(super) fn collect(&mut self, name: &str, scan: &Scan, demands: &[Demand]) -> Result<Released, RunError> {
        let caps = scan.cap.is_some() && !self.capped;
        // Under differential privacy neither the number of rows nor how many more passes memory took is told to anybody.
        let (number, of) = match self.private {
            true => (self.over + u32::from(caps) + 1, self.listed),
            false => (self.made + 1, self.planned),
        };
        self.progress.pass(name, number, of);
        let silent = |_| ();
        let tell = if self.private { &silent } else { self.progress.rows() };
        let collected = self.engine.collect(scan, demands, tell);
        let collected = collected.map_err(|e| if self.private { RunError::Unread } else { RunError::Engine(e) })?;
        self.progress.done((!self.private).then_some(collected.rows));
        if *self.met.get_or_insert(collected.rows) != collected.rows {
            return Err(RunError::Changed);
        }
        self.made += 1;
        // A demand or a cap with a memory limit may have taken further passes: they were not planned one by one.
        let planned = u32::from(caps && collected.passes > 1);
        self.capped |= planned > 0;
        self.over += 1 + planned;
        self.planned += collected.passes - 1 - planned;
        self.made += collected.passes - 1;
        self.meter.stage(&format!("pass {}: {name}", self.made), collected.rows);
        match &mut self.purse {
            Some(purse) => {
                let (released, unprotected) = purse.release(collected.evidence, demands)?;
                self.unprotected.extend(unprotected);
                Ok(released)
            }
            // Without a purse nothing may be private.
            None if self.private => Err(RunError::Pay(PayError::Failed("nothing was paid for".into()))),
            None => Ok(privatize::release(collected.evidence)),
        }
    }
}

/// Looks at the names of the columns of every file, and at no row: a run under differential privacy that cannot read its source is not charged.
pub(super) fn readable(plan: &Plan, engine: &dyn Engine) -> Result<(), RunError> {
    for path in &plan.scan.source.paths {
        let one = Source { paths: vec![path.clone()], ..plan.scan.source.clone() };
        let found = engine.describe(&one).map_err(|e| match e {
            EngineError::Ragged { .. } | EngineError::NotUtf8 { .. } | EngineError::FieldTooLong { .. } => {
                RunError::Unread
            }
            file => RunError::Engine(file),
        })?;
        let names: Vec<&str> = found.iter().map(|column| &*column.name).collect();
        if let Some(read) = plan.scan.reads.iter().find(|read| !names.contains(&&*read.column)) {
            let column = read.column.to_string();
            let near = near(&column, names.iter().map(|name| name.to_string()));
            return Err(RunError::Engine(EngineError::NoColumn { path: path.clone(), column, near }));
        }
    }
    Ok(())
}

/// Charges the ledger for the whole run; only then is there a generator of noise.
pub(super) fn purse(plan: &Plan, cost: &Cost, paying: &mut Paying) -> Result<(Purse, Charged), RunError> {
    let Some(privacy) = &plan.spec.privacy else { return Err(RunError::Pay(PayError::Failed("no budget".into()))) };
    let charged = (paying.charge)(&privacy.population, cost.total, &cost.allocations)?;
    let random = paying.entropy.generator().map_err(RunError::Entropy)?;
    Ok((Purse::new(allowance(privacy, cost), random), charged))
}

pub(super) fn allowance(privacy: &Privacy, cost: &Cost) -> Allowance {
    Allowance::new(Unit::of(privacy), &cost.allocations)
}
