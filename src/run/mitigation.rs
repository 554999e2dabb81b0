//! `[mitigate]`: candidates are made after the first pass and measured in the second, beside what is audited.

use super::{Profile, Released, Rows, RunError, contract, kept, subject};
use crate::demand::Demand;
use crate::measure::privacy::undeclared;
use crate::measure::{self, Subject, Trial};
use crate::model::Model;
use crate::plan::Plan;
use crate::plan::spec::Remedy;
use crate::train::mitigate::{self, Made};

/// The reason of the first of two passes over given scores; none where one is enough.
pub(super) fn reason(plan: &Plan) -> Option<&'static str> {
    (plan.spec.mitigate.is_some() && plan.spec.train.is_none())
        .then_some("rows, columns, and the scores that rules of [mitigate] are chosen on")
}

/// Contract and scores, then measurement under the rules chosen on them.
pub(super) fn given(
    plan: &Plan,
    rows: &mut Rows,
    classes: Option<Demand>,
) -> Result<(Profile, Option<Model>, Subject, Released), RunError> {
    let mut demands = contract::demands(plan);
    demands.extend(undeclared::demands(plan));
    demands.extend(mitigate::demands(plan));
    demands.extend(classes);
    let mut released = rows.collect("contract and mitigate", &plan.scan, &demands)?;
    let profile = kept(plan, &released)?;
    let (_, subject) = audited(plan, None, &released)?;
    rows.meter.stage("mitigate", 0);
    released.extend(rows.collect("measure", &plan.scan, &measure::demands(plan, &subject))?);
    Ok((profile, None, subject, released))
}

/// What is measured: the model or the given columns as they are or under the remedy in use, and all candidates beside them.
pub(super) fn audited(
    plan: &Plan,
    model: Option<Model>,
    released: &Released,
) -> Result<(Option<Model>, Subject), RunError> {
    let before = match &model {
        Some(model) => subject(plan, model),
        None => Subject::given(plan),
    };
    let Some(section) = &plan.spec.mitigate else { return Ok((model, before)) };
    let scored = before.score.as_ref().map(|score| mitigate::decided(plan, section, &score.of));
    let Made { candidates, not_tried, rows } = mitigate::candidates(plan, model.as_ref(), released)?;
    let wanted = |id: &str, remedy: Remedy| match (section.used, section.strength) {
        (Some(Remedy::CovariancePenalty), Some(strength)) => id == mitigate::penalty_id(strength),
        (used, _) => used == Some(remedy),
    };
    let chosen = candidates.iter().position(|candidate| wanted(&candidate.id, candidate.remedy));
    if let (Some(remedy), None) = (section.used, chosen) {
        let why = not_tried.iter().find(|not| not.remedy == remedy).map_or("it was not made", |not| &not.why);
        return Err(RunError::Remedy { remedy: remedy.id(), why: why.into() });
    }
    let chosen = chosen.and_then(|at| candidates.get(at)).cloned();
    let trial = Trial {
        before: before.decision.clone().or(scored),
        prediction: before.prediction.clone(),
        candidates,
        not_tried,
        used: chosen.as_ref().map(|candidate| candidate.id.clone()),
        rows,
    };
    let Some(candidate) = chosen else { return Ok((model, Subject { trial: Some(trial), ..before })) };
    let (model, after) = match candidate.model {
        Some(fitted) => {
            let after = subject(plan, &fitted);
            (Some(*fitted), after)
        }
        None => (model, Subject { decision: candidate.decision(), ..before }),
    };
    Ok((model, Subject { trial: Some(trial), ..after }))
}

#[cfg(test)]
mod tests;
