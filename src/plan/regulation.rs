//! What the rules of `[[measure.regulation]]` add to a pipeline: sets of columns that are compared, metrics, criteria.
//!
//! Nothing the pipeline file says is changed: a set, a metric or a criterion is added where it is not there already. Adding twice is adding
//! once, so the checks and the plan may both do it.

use super::spec::{Criterion, Level, Regulation, Rule, Spec};
use crate::metric::{ALL, Against, Comparison};
use crate::schema::Role;

/// The rate of the rules on selection.
const RATE: &str = "selection-rate";

/// The pipeline with what its rules need.
pub fn expand(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    for rule in spec.measure.regulation.clone() {
        sets(&mut spec, &rule);
        if !matches!(rule.rule, Rule::Ugesp | Rule::Lending) {
            continue;
        }
        let metrics = &mut spec.measure.metrics;
        if !metrics.is_empty() && !metrics.iter().any(|name| name == RATE || name == ALL) {
            metrics.push(RATE.into());
        }
        criteria(&mut spec, &rule);
    }
    spec
}

/// The sets of columns a rule names.
pub fn wanted(rule: &Regulation) -> Vec<Vec<String>> {
    match (rule.rule, &rule.sex, &rule.race) {
        (Rule::LocalLaw144 | Rule::Ugesp, Some(sex), Some(race)) => {
            vec![vec![sex.clone()], vec![race.clone()], vec![sex.clone(), race.clone()]]
        }
        (Rule::LocalLaw144 | Rule::Ugesp, sex, race) => {
            sex.iter().chain(race).map(|column| vec![column.clone()]).collect()
        }
        (Rule::Lending | Rule::AiActArticle10, ..) => rule.across.clone(),
        (Rule::Insurance, ..) => Vec::new(),
    }
}

fn sets(spec: &mut Spec, rule: &Regulation) {
    let wanted = formed(spec, rule);
    if wanted.is_empty() {
        return;
    }
    if spec.measure.across.is_empty() {
        let protected = spec.schema.iter().filter(|(_, column)| column.roles.contains(&Role::Protected));
        spec.measure.across = protected.map(|(name, _)| vec![name.clone()]).collect();
    }
    for set in wanted {
        if !spec.measure.across.iter().any(|other| same(other, &set)) {
            spec.measure.across.push(set);
        }
    }
}

/// Those of protected columns: a set that cannot be formed is complained about where it is written.
fn formed(spec: &Spec, rule: &Regulation) -> Vec<Vec<String>> {
    let is_protected = |name: &String| spec.schema.get(name).is_some_and(|of| of.roles.contains(&Role::Protected));
    let mut sets = wanted(rule);
    sets.retain(|set| !set.is_empty() && set.iter().all(is_protected));
    sets
}

/// The same columns in any order.
pub fn same<A: AsRef<str>, B: AsRef<str>>(a: &[A], b: &[B]) -> bool {
    a.len() == b.len() && a.iter().all(|name| b.iter().any(|other| other.as_ref() == name.as_ref()))
}

fn criteria(spec: &mut Spec, rule: &Regulation) {
    let lending = rule.rule == Rule::Lending;
    let against = if lending { Against::Reference } else { Against::Highest };
    let has_reference = |set: &Vec<String>| {
        set.iter().all(|name| spec.schema.get(name).is_some_and(|column| column.reference.is_some()))
    };
    let mut sets = if lending && rule.across.is_empty() { every(spec) } else { formed(spec, rule) };
    sets.retain(|set| !lending || has_reference(set));
    for set in sets {
        let there = spec.judge.iter().any(|criterion| {
            criterion.metric == RATE
                && criterion.compare == Some(Comparison::Ratio)
                && criterion.against == Some(against)
                && criterion.across.as_ref().is_none_or(|other| same(other, &set))
        });
        if !there {
            spec.judge.push(Criterion {
                metric: RATE.into(),
                compare: Some(Comparison::Ratio),
                against: Some(against),
                across: Some(set),
                at_most: None,
                at_least: Some(rule.screening()),
                level: rule.gate.unwrap_or(Level::Warn),
                waive: Vec::new(),
            });
        }
    }
}

/// Every set that is compared.
fn every(spec: &Spec) -> Vec<Vec<String>> {
    match spec.measure.across.is_empty() {
        false => spec.measure.across.clone(),
        true => {
            let protected = spec.schema.iter().filter(|(_, column)| column.roles.contains(&Role::Protected));
            protected.map(|(name, _)| vec![name.clone()]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = r#"
[pipeline]
name = "hiring"
[ingest]
path = "hiring.csv"
[schema.sex]
roles = ["protected"]
reference = "m"
[schema.age]
roles = ["protected"]
[schema.race]
roles = ["protected"]
[schema.hired]
roles = ["prediction"]
positive = "yes"
[measure]
metrics = ["accuracy"]
"#;

    fn expanded(more: &str) -> Spec {
        let spec: Spec = toml::from_str(&format!("{PIPELINE}{more}")).unwrap();
        let once = expand(&spec);
        assert_eq!(expand(&once), once);
        once
    }

    fn sets(spec: &Spec) -> Vec<String> {
        spec.measure.across.iter().map(|set| set.join(" x ")).collect()
    }

    #[test]
    fn local_law_144_adds_sets_and_no_criterion() {
        let spec = expanded("[[measure.regulation]]\nrule = \"nyc-local-law-144\"\nsex = \"sex\"\nrace = \"race\"\n");
        assert_eq!(sets(&spec), ["age", "race", "sex", "sex x race"]);
        assert!(spec.judge.is_empty() && spec.measure.metrics == ["accuracy"]);
    }

    #[test]
    fn four_fifths_warns_unless_the_file_says_otherwise() {
        let rule = "[[measure.regulation]]\nrule = \"ugesp\"\nsex = \"sex\"\nrace = \"race\"\n";
        let spec = expanded(rule);
        assert_eq!(spec.measure.metrics, ["accuracy", "selection-rate"]);
        let judged: Vec<_> =
            spec.judge.iter().map(|of| (of.across.clone().unwrap().join(" x "), of.at_least)).collect();
        assert_eq!(judged, ["sex", "race", "sex x race"].map(|set| (set.to_string(), Some(0.8))));
        assert!(spec.judge.iter().all(|of| of.level == Level::Warn && of.against == Some(Against::Highest)));
        assert!(expanded(&format!("{rule}gate = \"deny\"\n")).judge.iter().all(|of| of.level == Level::Deny));
        let own = "[[judge]]\nmetric = \"selection-rate\"\ncompare = \"ratio\"\nagainst = \"highest\"\nacross = [\"race\", \"sex\"]\nat_least = 0.7\n";
        let judged = expanded(&format!("{rule}{own}")).judge;
        assert_eq!(judged.iter().map(|of| of.at_least).collect::<Vec<_>>(), [Some(0.7), Some(0.8), Some(0.8)]);
    }

    #[test]
    fn lending_is_judged_where_there_is_a_reference() {
        let spec = expanded("[[measure.regulation]]\nrule = \"us-lending\"\nscreening = 0.9\n");
        let judged: Vec<_> = spec.judge.iter().map(|of| (of.across.clone().unwrap(), of.at_least)).collect();
        assert_eq!(judged, [(vec!["sex".to_string()], Some(0.9))]);
    }

    #[test]
    fn without_a_rule_nothing_is_added() {
        let spec: Spec = toml::from_str(PIPELINE).unwrap();
        assert_eq!(expand(&spec), spec);
    }
}
