//! Which test stands where, and that no view claims that a rule is kept.

use super::ugesp::tested;
use super::*;
use crate::evidence::Released;
use crate::measure::Subject;
use crate::plan::spec::Spec;

#[test]
fn few_people_are_tested_exactly() {
    // [[1, 3], [9, 3]]: of 1820 tables 15 have no selection and 200 have one; three others are more probable.
    let few = tested((1, 4), (9, 12));
    assert!(few.exact && (few.p.unwrap() - 215.0 / 1820.0).abs() < 1e-12);
    assert_eq!((few.significant, few.flips), (Some(false), Some(false)));
    let many = tested((40, 100), (60, 100));
    assert!(!many.exact && many.significant == Some(true));
    assert!((many.z.unwrap() + 0.2 / (0.5f64 * 0.5 * 0.02).sqrt()).abs() < 1e-12);
    assert_eq!(many.shortfall, Some(10.0));
    // Enough people, and too few selections expected.
    assert!(tested((1, 50), (4, 50)).exact);
    // Nobody is selected: no test, no shortfall to speak of.
    let nobody = tested((0, 50), (0, 50));
    assert_eq!((nobody.z, nobody.shortfall), (None, Some(0.0)));
    assert_eq!(tested((9, 10), (10, 10)).flips, Some(true));
}

#[test]
fn statements_have_dates_and_what_is_not_said_is_said() {
    let text = "pipeline.name = \"x\"\ningest.path = \"x.csv\"\n[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n";
    let ids = ["nyc-local-law-144", "ugesp", "us-lending", "us-insurance", "eu-ai-act-article-10"];
    let rules: String = ids.iter().map(|id| format!("[[measure.regulation]]\nrule = \"{id}\"\n")).collect();
    let spec: Spec = toml::from_str(&format!("{text}{rules}")).unwrap();
    let source = crate::scan::Source {
        paths: vec!["x.csv".into()],
        format: crate::plan::spec::Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    };
    let plan = Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap();
    let subject = Subject::given(&plan);
    let table = crate::statistic::Tally::new(vec![4, 3, 3]);
    let mut evidence = crate::evidence::Evidence::default();
    evidence.statistics.insert("measure/table".into(), crate::statistic::Statistic::Tally(table));
    let released = Released::new(evidence, Vec::new());
    let measured = crate::measure::measure(&plan, &subject, &released).unwrap();
    assert_eq!(measured.bias.regulation.iter().map(|view| view.rule.as_str()).collect::<Vec<_>>(), ids);
    for view in &measured.bias.regulation {
        assert!(view.statements.len() > 3 && view.not_said.len() > 2, "{}", view.rule);
        assert!(view.statements.iter().all(|of| of.as_of == READ && !of.from.is_empty()));
        let text = serde_json::to_string(view).unwrap().to_lowercase();
        for claim in ["compliant", "complies", "passes the", "is fair", "lawful"] {
            assert!(!text.contains(claim), "{}: {claim}", view.rule);
        }
        // Longer sentences would be cut on the page.
        let sentences = view.statements.iter().map(|of| &of.text).chain(&view.not_said);
        sentences.for_each(|text| assert!(text.chars().count() <= 400, "{text}"));
        let back: Regulation = serde_json::from_str(&serde_json::to_string(view).unwrap()).unwrap();
        assert_eq!(&back, view);
    }
}
