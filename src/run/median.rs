//! The pass that makes the median of scores exact, where a rule demands it and the histogram of the scores has bins.

use super::rows::Rows;
use super::{PassOf, RunError};
use crate::evidence::Released;
use crate::measure::{self, Subject, median};
use crate::plan::Plan;
use crate::plan::spec::ModelKind;

const NAME: &str = "median";

/// The pass as the plan lists it. It is made where a cohort has more than 4,096 distinct scores, which nobody knows before.
pub(super) fn pass(plan: &Plan) -> Option<PassOf> {
    let logistic = plan.spec.train.as_ref().is_some_and(|train| train.model == ModelKind::Logistic);
    let has = (logistic || plan.score.is_some(), logistic || plan.decision.is_some());
    measure::ranks(plan, has).then(|| PassOf {
        name: NAME.into(),
        reason: "the exact median of all scores, which nyc-local-law-144 demands; only where more than 4,096 distinct scores had to be binned".into(),
    })
}

/// Makes the pass where it is needed, and takes it off the list where it is not. Scores so many that the bins of one pass do not tell them apart
/// take another.
pub(super) fn exact(
    plan: &Plan,
    subject: &Subject,
    released: &mut Released,
    rows: &mut Rows,
    listed: &mut Vec<PassOf>,
) -> Result<(), RunError> {
    let Some(at) = listed.iter().position(|pass| pass.name == NAME) else { return Ok(()) };
    let (mut last, mut made) = (None, 0);
    while let Some((window, demands)) = median::next(plan, subject, released, last)? {
        if made > 0 {
            listed.insert(at, listed[at].clone());
            rows.one_more();
        }
        released.extend(rows.collect(NAME, &plan.scan, &demands)?);
        last = Some(window);
        made += 1;
    }
    if made == 0 {
        listed.remove(at);
        rows.one_less();
    }
    Ok(())
}
