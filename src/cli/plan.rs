//! `evenhand plan PIPELINE`: what a run will do, before a row is read.

use std::path::PathBuf;

use super::{Loaded, Output, USAGE, complaints, load, load::unfinished};
use crate::budget::{Charge, accounting};
use crate::demand::Demand;
use crate::ingest::contract;
use crate::measure::{self, Score, Subject};
use crate::plan::describe::{Description, describe, unlearned};
use crate::plan::spec::ModelKind;
use crate::plan::{Plan, learn};
use crate::privatize::{self, sensitivity::Unit};
use crate::scalar::Scalar;
use crate::train::Trainer;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let loaded = match load(&args.pipeline) {
        Ok(loaded) => loaded,
        Err(failure) => return failure.print(out),
    };
    complaints::print(&loaded.complaints, &loaded.files, out);
    match (&loaded.source, description(&loaded)) {
        (Err(why), _) => unfinished(out, why),
        (Ok(_), Err(why)) => {
            out.error(&format!("{}: {why}", args.pipeline.display()));
            USAGE
        }
        (Ok(_), Ok(description)) if out.json() => {
            out.result_json(&description);
            0
        }
        (Ok(_), Ok(description)) => {
            out.result(&description.to_string());
            0
        }
    }
}

fn description(loaded: &Loaded) -> Result<Description, String> {
    let parse = |text: &str| crate::plan::expression::parse(text).map_err(|e| e.to_string());
    let (stand_in, names) = unlearned(&loaded.spec);
    let source = loaded.source.clone()?;
    let plan = Plan::of(&loaded.spec, &loaded.sha256, source, &parse, &stand_in).map_err(|e| e.to_string())?;
    let subject = subject(&plan);
    let mut demands: Vec<Demand> = learn::demands(&loaded.spec);
    demands.extend(contract::demands(&plan));
    if plan.spec.train.is_some() {
        demands.extend(Trainer::new(&plan).demands());
    }
    demands.extend(measure::demands(&plan, &subject));
    let metrics = measure::measured(&plan, &subject);
    let passes: Vec<(String, String)> =
        crate::run::passes(&plan).into_iter().map(|pass| (pass.name, pass.reason)).collect();
    let mut description = describe(&plan, &names, &demands, &metrics, &passes);
    description.costs = costs(&plan, &demands);
    Ok(description)
}

/// What a run under differential privacy costs, and the noise of every release.
fn costs(plan: &Plan, demands: &[Demand]) -> Vec<String> {
    let (Some(privacy), Some(cost)) = (&plan.spec.privacy, crate::run::cost(plan)) else { return Vec::new() };
    let amount = |charge: &Charge| match charge.epsilon {
        Some(epsilon) => format!("epsilon {}", accounting::written(epsilon)),
        None => format!("rho {}", accounting::written(charge.rho)),
    };
    let mut lines = vec![format!(
        "a run costs {} of the population {} (epsilon {} at delta {:e})",
        amount(&cost.total),
        privacy.population,
        privacy.epsilon,
        privacy.delta
    )];
    if cost.parallel {
        lines.push("training and measuring look at different units: the dearer of the two is charged".into());
    }
    let unit = Unit::of(privacy);
    for part in &cost.allocations {
        let demand = demands.iter().find(|demand| demand.name == part.statistic);
        let noise = demand.and_then(|demand| privatize::planned(demand, unit, part.charge).ok());
        let noise = noise.map_or_else(String::new, |noise| {
            format!("; {} numbers, each with noise of standard deviation {:.4e}", noise.numbers, noise.variance.sqrt())
        });
        lines.push(format!("{}: {}{noise}", part.statistic, amount(&part.charge)));
    }
    lines
}

/// What will be measured: given columns, or the outputs of the model that will be trained.
fn subject(plan: &Plan) -> Subject {
    let given = Subject::given(plan);
    let output = |name: &str| Some(Scalar::column(name));
    match plan.spec.train.as_ref().map(|train| train.model) {
        None => given,
        Some(ModelKind::Logistic) => {
            let score = Scalar::column("score of the model");
            let score = Some(Score { of: score, log_loss: output("log loss of the model") });
            Subject { decision: output("decision of the model"), score, target: None, prediction: None, ..given }
        }
        Some(ModelKind::Linear) => {
            Subject { label: None, decision: None, score: None, prediction: output("prediction of the model"), ..given }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const PIPELINE: &str = "[pipeline]\nname = \"x\"\n[ingest]\npath = \"x.csv\"\n[schema.sex]\nroles = [\"protected\"]\n[schema.age]\nroles = [\"feature\"]\nbounds = [0, 100]\n[schema.ok]\nroles = [\"target\"]\npositive = \"1\"\n[train]\nmodel = \"logistic\"\n";

    #[test]
    fn a_model_to_be_trained_is_measured_by_its_outputs() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p.toml"), PIPELINE).unwrap();
        fs::write(folder.path().join("x.csv"), "sex,age,ok\n").unwrap();
        let loaded = load(&folder.path().join("p.toml")).unwrap();
        let description = description(&loaded).unwrap();
        assert!(description.metrics.iter().any(|metric| metric == "log-loss"));
        assert!(!description.metrics.iter().any(|metric| metric == "mean-residual"));
        assert_eq!(description.passes[0].name, "learn");
        assert!(
            description
                .statistics
                .iter()
                .any(|statistic| statistic.name == "measure/table" && statistic.cells.is_none())
        );
    }
}
