//! `evenhand plan PIPELINE`: what a run will do, before a row is read.

use std::path::PathBuf;

use super::{Loaded, Output, USAGE, complaints, load, load::unfinished};
use crate::budget::accounting::written;
use crate::budget::ledger::Spent;
use crate::deidentify::model::Model;
use crate::demand::Demand;
use crate::ingest::contract;
use crate::measure::{self, Score, Subject};
use crate::plan::describe::{Description, describe, unlearned};
use crate::plan::spec::ModelKind;
use crate::plan::{Plan, learn};
use crate::run::{ledger_path, reports_folder};
use crate::scalar::Scalar;
use crate::store::Store;
use crate::train::Trainer;
use crate::world::Clock;

mod costs;
use costs::costs;

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
    demands.extend(measure::privacy::undeclared::demands(&plan));
    if plan.spec.train.is_some() {
        demands.extend(Trainer::new(&plan).demands());
    }
    demands.extend(measure::demands(&plan, &subject));
    // Levels that are not known yet are counted all the same.
    let model = loaded.spec.deidentify.as_ref().map(|of| Model::open(of, &loaded.folder)).transpose();
    let model = model.map_err(|e| e.to_string())?.flatten();
    demands.extend(model.map(|model| model.demand(&plan)).transpose().ok().flatten());
    let metrics = measure::measured(&plan, &subject);
    let passes: Vec<(String, String)> = crate::run::passes(&plan)
        .into_iter()
        .chain(crate::run::dataset_passes(&loaded.spec))
        .map(|pass| (pass.name, pass.reason))
        .collect();
    let mut description = describe(&plan, &names, &demands, &metrics, &passes);
    description.costs = costs(&plan, &demands);
    description.costs.extend(ledger(loaded));
    Ok(description)
}

/// Where the ledger of the population stands, when there is one. Nothing is made and no entry is written.
fn ledger(loaded: &Loaded) -> Option<String> {
    let spec = &loaded.spec;
    let privacy = spec.privacy.as_ref()?;
    let path = ledger_path(spec, &loaded.folder, &reports_folder(spec, &loaded.folder));
    if !path.is_file() {
        return Some(format!("ledger {}: not there; evenhand budget grant makes it", path.display()));
    }
    let balance = Store::open(&path).map_err(|e| e.to_string()).and_then(|mut store| {
        let balance = store.balance(&privacy.population, Clock::System.now()).map_err(|e| e.to_string());
        store.close().map_err(|e| e.to_string()).and(balance)
    });
    Some(match balance {
        Err(why) => format!("ledger {}: {why}", path.display()),
        Ok(balance) => {
            let left = |spent: &Spent| {
                let (epsilon, rho) = (written(spent.left.epsilon), written(spent.left.rho));
                let of = written(spent.limit);
                format!("of epsilon {of} there is left one release of epsilon {epsilon} or of rho {rho}")
            };
            let window = balance.grant.window.zip(balance.window.as_ref());
            let window = window.map(|(window, spent)| format!("; within {} days {}", window.days, left(spent)));
            format!("ledger {}: {}{}", path.display(), left(&balance.lifetime), window.unwrap_or_default())
        }
    })
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

    const PRIVATE: &str = "[pipeline]\nname = \"x\"\n[ingest]\npath = \"x.csv\"\n[privacy]\npopulation = \"people\"\nepsilon = 1.0\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n[schema.hired]\nroles = [\"prediction\"]\nlevels = [\"0\", \"1\"]\npositive = \"1\"\n";

    #[test]
    fn costs_are_compared_and_widths_and_the_ledger_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let pipelines = folder.path().join("pipelines");
        fs::create_dir(&pipelines).unwrap();
        fs::write(pipelines.join("p.toml"), PRIVATE).unwrap();
        fs::write(pipelines.join("x.csv"), "sex,hired\n").unwrap();
        let text = || {
            let loaded = load(&pipelines.join("p.toml")).unwrap();
            description(&loaded).unwrap().to_string()
        };
        let without = text();
        assert!(!folder.path().join("reports").exists(), "a plan makes nothing");
        // Two releases of epsilon 0.125 and 0.875 cannot cost more than 1, and hardly less at so small a delta.
        for part in [
            "a run costs epsilon 1 of the population people",
            "composed by RDP: epsilon 1.0000; by PLD: epsilon 1.0000; charged: epsilon 1.0000 (RDP and PLD at delta 1e-6, which",
            "noise of scale b = ",
            "a rate of one half for everyone: n = 100: ",
            "a rate of one half across sex: n = 100: ",
            "of which noise 0.",
            "not there; evenhand budget grant",
        ] {
            assert!(without.contains(part), "{part}\n{without}");
        }
        let mut store = Store::open(&folder.path().join("reports/evenhand.db")).unwrap();
        let grant = crate::budget::ledger::Grant { epsilon: 3_000_000_000_000, delta: 0, window: None };
        store.grant("people", grant, Clock::System).unwrap();
        store.close().unwrap();
        let with = text();
        assert!(with.contains("of epsilon 3 there is left one release of epsilon 3 or of rho "), "{with}");
    }
}
