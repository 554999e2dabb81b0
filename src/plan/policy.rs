//! A policy file shares criteria and report settings between pipelines, one level deep.

use serde::Deserialize;

use super::spec::{Criterion, Report, Spec};

/// What a policy file may hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    pub judge: Vec<Criterion>,
    #[serde(default)]
    pub report: Report,
}

/// Appends the policy's criteria to the pipeline's, and fills in the report settings the pipeline leaves out.
pub fn merge(spec: &mut Spec, policy: Policy) {
    spec.judge.extend(policy.judge);
    spec.report.title = spec.report.title.take().or(policy.report.title);
    spec.report.folder = spec.report.folder.take().or(policy.report.folder);
    if spec.report.formats.is_empty() {
        spec.report.formats = policy.report.formats;
    }
    spec.report.language = spec.report.language.take().or(policy.report.language);
}
