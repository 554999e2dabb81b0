//! The pipeline files of the audits in this binary.

use crate::expressions::PROPUBLICA;

/// COMPAS with a decision and cohorts; `more` adds or changes sections.
pub fn compas(filter: bool, decision: &str, positive: &str, across: &str, more: &str) -> String {
    let filter = if filter { format!("where = \"{PROPUBLICA}\"") } else { String::new() };
    format!(
        r#"
        [pipeline]
        name = "compas"
        [ingest]
        path = "compas.csv"
        {filter}
        [schema.days_b_screening_arrest]
        as = "number"
        [schema.is_recid]
        [schema.c_charge_degree]
        [schema.score_text]
        [schema.sex]
        roles = ["protected"]
        reference = "Female"
        [schema.race]
        roles = ["protected"]
        reference = "Caucasian"
        [schema.age_cat]
        roles = ["protected"]
        [schema.two_year_recid]
        roles = ["target"]
        positive = "{positive}"
        [schema.decision]
        roles = ["prediction"]
        as = "truth"
        [measure]
        across = {across}
        replicates = 50
        support_min = 1
        {more}
        [derive]
        decision = "{decision}"
        "#
    )
}

/// A score for COMPAS: to be put after the derived decision.
pub fn scored(pipeline: &str, score: &str) -> String {
    match score {
        "decile_score" => format!("{pipeline}\n[schema.decile_score]\nroles = [\"score\"]\nas = \"number\""),
        _ => format!(
            "{pipeline}probability = \"{score}\"\n[schema.decile_score]\nas = \"number\"\n[schema.probability]\nroles = [\"score\"]"
        ),
    }
}

/// Adult with a decision and cohorts.
pub fn adult(decision: &str, filter: &str, across: &str, more: &str) -> String {
    let filter = if filter.is_empty() { String::new() } else { format!("where = \"{filter}\"") };
    let decision = decision.replace('"', "\\\"");
    format!(
        r#"
        [pipeline]
        name = "adult"
        [ingest]
        path = "adult.csv"
        {filter}
        [schema.education-num]
        as = "number"
        [schema.sex]
        roles = ["protected"]
        reference = "Male"
        [schema.race]
        roles = ["protected"]
        reference = "White"
        [schema.income-per-year]
        roles = ["target"]
        positive = ">50K"
        [schema.decision]
        roles = ["prediction"]
        as = "truth"
        {more}
        [measure]
        across = {across}
        replicates = 50
        support_min = 1
        [derive]
        decision = "{decision}"
        "#
    )
}

/// The synthetic set with a score.
pub fn synth(across: &str) -> String {
    format!(
        r#"
        [pipeline]
        name = "synth"
        [ingest]
        path = "synth_fair.csv"
        [schema.g]
        roles = ["protected"]
        reference = "A"
        [schema.h]
        roles = ["protected"]
        levels = ["F", "M"]
        reference = "M"
        [schema.y]
        roles = ["target"]
        positive = "1"
        [schema.pred]
        roles = ["prediction"]
        positive = "1"
        [schema.score]
        roles = ["score"]
        [measure]
        across = {across}
        replicates = 50
        support_min = 1
        "#
    )
}
