//! A policy file shares criteria, report settings, who is told and the mail server between pipelines, one level deep.

use serde::Deserialize;

use super::spec::{Criterion, Notify, Report, Smtp, Spec};

/// What a policy file may hold.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    pub judge: Vec<Criterion>,
    #[serde(default)]
    pub report: Report,
    #[serde(default)]
    pub smtp: Option<Smtp>,
    #[serde(default)]
    pub notify: Vec<Notify>,
}

/// Appends the policy's criteria and rules on who is told to the pipeline's, and fills in the report settings the pipeline leaves out.
pub fn merge(spec: &mut Spec, policy: Policy) {
    spec.judge.extend(policy.judge);
    spec.notify.extend(policy.notify);
    spec.report.title = spec.report.title.take().or(policy.report.title);
    spec.report.folder = spec.report.folder.take().or(policy.report.folder);
    if spec.report.formats.is_empty() {
        spec.report.formats = policy.report.formats;
    }
    spec.report.language = spec.report.language.take().or(policy.report.language);
    spec.report.decider = spec.report.decider.take().or(policy.report.decider);
    spec.report.decide_by = spec.report.decide_by.take().or(policy.report.decide_by);
    spec.report.prepared_by = spec.report.prepared_by.take().or(policy.report.prepared_by);
    spec.report.reviewed_by = spec.report.reviewed_by.take().or(policy.report.reviewed_by);
    spec.report.limitations.extend(policy.report.limitations);
    spec.report.brand = spec.report.brand.take().or(policy.report.brand);
    spec.report.templates = spec.report.templates.take().or(policy.report.templates);
    // A server is taken whole: user of one, password of another would be sent to neither.
    spec.smtp = spec.smtp.take().or(policy.smtp);
    spec.report.link = spec.report.link.take().or(policy.report.link);
}
