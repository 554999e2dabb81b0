//! What the pipeline file says of the audit itself, for the report.

use crate::audit::Stated;
use crate::plan::spec::Spec;
use crate::schema::Role;

/// What the author says of the audit itself.
pub fn stated(spec: &Spec) -> Stated {
    let report = &spec.report;
    let protected = spec.schema.iter().filter(|(_, column)| column.roles.contains(&Role::Protected));
    Stated {
        brand: report.brand.clone(),
        decider: report.decider.clone(),
        decide_by: report.decide_by.clone(),
        prepared_by: report.prepared_by.clone(),
        reviewed_by: report.reviewed_by.clone(),
        limitations: report.limitations.clone(),
        policy: spec.policy.clone(),
        references: protected.filter_map(|(name, column)| Some((name.clone(), column.reference.clone()?))).collect(),
    }
}
