//! `[[measure.regulation]]`: keys of another rule, columns a rule needs, limits and dates.

use jiff::civil::Date;

use crate::plan::check::{Checker, Part, Severity, quoted};
use crate::plan::spec::{Basis, ModelKind, Regulation, Rule};
use crate::schema::Role;

pub(super) fn check(checker: &mut Checker) {
    let spec = checker.spec;
    for (i, rule) in spec.measure.regulation.iter().enumerate() {
        let at = i.to_string();
        if spec.privacy.is_some() {
            let message = "views of rules have no noisy form: these rules ask for counts as they are";
            let remedy = "take the section out, or the section [privacy]";
            section(checker, &at, "regulation-privacy", message.into(), remedy);
        }
        if spec.measure.regulation[..i].iter().any(|other| other.rule == rule.rule && other.basis == rule.basis) {
            checker.error("rule-twice", &place(&at, "rule"), "this rule is there twice", "take one out");
        }
        keys(checker, &at, rule);
        match rule.rule {
            Rule::LocalLaw144 | Rule::Ugesp => employment(checker, &at, rule),
            Rule::Lending | Rule::AiActArticle10 => protected(checker, &at, rule),
            Rule::Insurance => insurance(checker, &at, rule),
        }
        outcomes(checker, &at, rule);
        limits(checker, &at, rule);
    }
}

fn place<'p>(at: &'p str, key: &'p str) -> [&'p str; 4] {
    ["measure", "regulation", at, key]
}

fn section(checker: &mut Checker, at: &str, code: &'static str, message: String, remedy: &str) {
    let path = ["measure", "regulation", at];
    checker.complain(Severity::Error, code, &path, Part::Key, message, Some(remedy.into()));
}

/// Keys that are there, with the rules they belong to.
fn written(rule: &Regulation) -> [(&'static str, bool, &'static [Rule]); 18] {
    use Rule::{AiActArticle10 as Act, Insurance, Lending, LocalLaw144 as Law, Ugesp};
    [
        ("sex", rule.sex.is_some(), &[Law, Ugesp]),
        ("race", rule.race.is_some(), &[Law, Ugesp]),
        ("across", !rule.across.is_empty(), &[Lending, Act]),
        ("basis", rule.basis.is_some(), &[Law]),
        ("excluded_below", rule.excluded_below.is_some(), &[Law, Ugesp]),
        ("exclusion_reason", rule.exclusion_reason.is_some(), &[Law]),
        ("data", rule.data.is_some(), &[Law]),
        ("audit_date", rule.audit_date.is_some(), &[Law]),
        ("distribution_date", rule.distribution_date.is_some(), &[Law]),
        ("gate", rule.gate.is_some(), &[Ugesp, Lending]),
        ("screening", rule.screening.is_some(), &[Ugesp, Lending]),
        ("inferred", rule.inferred.is_some(), &[Insurance]),
        ("effect_min", rule.effect_min.is_some(), &[Insurance]),
        ("p_max", rule.p_max.is_some(), &[Insurance]),
        ("handled_by", rule.handled_by.is_some(), &[Act]),
        ("necessity", rule.necessity.is_some(), &[Act]),
        ("safeguards", rule.safeguards.is_some(), &[Act]),
        ("deleted", rule.deleted.is_some(), &[Act]),
    ]
}

fn keys(checker: &mut Checker, at: &str, rule: &Regulation) {
    for (key, _, of) in written(rule).into_iter().filter(|(_, is_there, of)| *is_there && !of.contains(&rule.rule)) {
        let rules = of.iter().map(|rule| rule.id()).collect::<Vec<_>>().join(" and ");
        let message = format!("{key} is of {rules}; {} does not use it", rule.rule.id());
        checker.error("key-of-another-rule", &place(at, key), message, "take it out");
    }
}

/// Both columns are there and protected; rows are people.
fn employment(checker: &mut Checker, at: &str, rule: &Regulation) {
    for (key, column) in [("sex", &rule.sex), ("race", &rule.race)] {
        match column {
            None => {
                let message =
                    format!("{} is about sex and about race or ethnicity, and {key} is not named", rule.rule.id());
                section(checker, at, "rule-without-column", message, &format!("write {key} = \"the column\""));
            }
            Some(name) if checker.spec.measure.inferred.contains_key(name) => {
                let message =
                    format!("{name} is inferred: {} takes categories people stated themselves", rule.rule.id());
                checker.error("inferred-category", &place(at, key), message, "name a protected column");
            }
            Some(name) => protected_column(checker, &place(at, key), name),
        }
    }
    if rule.sex.is_some() && rule.sex == rule.race {
        checker.error("across-twice", &place(at, "race"), "sex and race are one column", "name two columns");
    }
    let weight = checker.spec.schema.iter().find(|(_, column)| column.roles.contains(&Role::Weight));
    if let Some((name, _)) = weight {
        let message = format!("{name} is a sampling weight, and {} counts people", rule.rule.id());
        section(checker, at, "weighted-rule", message, "take the role \"weight\" off, or the rule out");
    }
}

fn protected_column(checker: &mut Checker, path: &[&str], name: &str) {
    match checker.spec.schema.get(name) {
        None => checker.unknown_column(path, Part::Value, name),
        Some(column) if !column.roles.contains(&Role::Protected) => {
            let remedy = format!("give it the role \"protected\" in [schema.{}]", quoted(name));
            checker.error("not-protected", path, format!("{name} is no protected column"), remedy);
        }
        Some(_) => {}
    }
}

fn protected(checker: &mut Checker, at: &str, rule: &Regulation) {
    for (i, name) in rule.across.iter().enumerate().flat_map(|(i, set)| set.iter().map(move |name| (i, name))) {
        let (i, j) = (i.to_string(), rule.across[i].iter().position(|other| other == name).unwrap_or(0).to_string());
        protected_column(checker, &["measure", "regulation", at, "across", &i, &j], name);
    }
    let spec = checker.spec;
    if !spec.schema.values().any(|column| column.roles.contains(&Role::Protected)) {
        section(checker, at, "no-cohorts", "there is no protected column".into(), "give one the role \"protected\"");
    }
    if rule.rule == Rule::Lending
        && rule.across.is_empty()
        && !spec.schema.values().any(|column| column.roles.contains(&Role::Protected) && column.reference.is_some())
    {
        let message = "no protected column has a reference level to compare with".to_string();
        section(checker, at, "no-reference", message, "write reference = \"...\" under a protected column");
    }
}

fn insurance(checker: &mut Checker, at: &str, rule: &Regulation) {
    let Some(name) = &rule.inferred else {
        let message = "us-insurance is about inferred race, and inferred is not named".to_string();
        return section(
            checker,
            at,
            "rule-without-column",
            message,
            "write inferred = \"NAME\" of [measure.inferred.NAME]",
        );
    };
    match checker.spec.measure.inferred.get(name) {
        None => {
            let message = format!("there is no section [measure.inferred.{}]", quoted(name));
            checker.error("no-inferred", &place(at, "inferred"), message, "add it, with the columns of probabilities");
        }
        Some(of) if of.reference.is_none() => {
            let remedy = format!("write reference = \"...\" under [measure.inferred.{}]", quoted(name));
            checker.error("no-reference", &place(at, "inferred"), format!("{name} has no reference level"), remedy);
        }
        Some(_) => {}
    }
}

/// A decision, or a score.
fn outcomes(checker: &mut Checker, at: &str, rule: &Regulation) {
    let spec = checker.spec;
    let logistic = spec.train.as_ref().is_some_and(|train| train.model == ModelKind::Logistic);
    let column = |role| spec.schema.values().find(|column| column.roles.contains(&role));
    let decision = logistic
        || column(Role::Prediction).is_some_and(|column| {
            column.positive.is_some() || crate::plan::read_as(column) != crate::plan::spec::ReadAs::Number
        });
    let score = logistic || column(Role::Score).is_some();
    let scoring = rule.rule == Rule::LocalLaw144 && rule.basis.map_or(!decision, |basis| basis == Basis::Scoring);
    let (lacks, what, remedy) = match (scoring, rule.rule) {
        (true, _) => (!score, "score", "give a column the role \"score\", or train a logistic model"),
        (false, Rule::AiActArticle10) => (false, "", ""),
        (false, _) => (!decision, "decision", "give a column the role \"prediction\" with positive"),
    };
    if lacks {
        section(checker, at, "rule-without-outcome", format!("{} needs a {what}", rule.rule.id()), remedy);
    }
}

fn limits(checker: &mut Checker, at: &str, rule: &Regulation) {
    for (key, limit, least, most) in [
        ("excluded_below", rule.excluded_below, 0.0, 0.02),
        ("screening", rule.screening, f64::MIN_POSITIVE, 1.0),
        ("effect_min", rule.effect_min, 0.0, 1.0),
        ("p_max", rule.p_max, f64::MIN_POSITIVE, 1.0),
    ] {
        if limit.is_some_and(|limit| !(least..=most).contains(&limit)) {
            let message = format!("{key} is a share within {} and {most}", if least == 0.0 { "0" } else { "above 0" });
            checker.error("bad-limit", &place(at, key), message, "leave it out for the usual value");
        }
    }
    for (key, date) in [("audit_date", &rule.audit_date), ("distribution_date", &rule.distribution_date)] {
        if date.as_ref().is_some_and(|date| date.parse::<Date>().is_err() || date.len() != 10) {
            checker.error("bad-date", &place(at, key), "a day is written YYYY-MM-DD", "for example \"2026-06-30\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::check::{Complaint, Unparsed, check};
    use crate::scalar::Scalar;

    const CLEAN: &str = r#"
[pipeline]
name = "x"
[ingest]
path = "x.csv"
[schema.sex]
roles = ["protected"]
levels = ["f", "m"]
reference = "m"
[schema.race]
roles = ["protected"]
levels = ["a", "b"]
[schema.p_a]
as = "number"
[schema.p_b]
as = "number"
[schema.note]
[schema.hired]
roles = ["prediction"]
positive = "yes"
[measure.inferred.guess]
columns = { a = "p_a", b = "p_b" }
reference = "a"
[[judge]]
metric = "selection-rate"
at_least = 0.0
across = []
"#;
    const LAW: &str = "[[measure.regulation]]\nrule = \"nyc-local-law-144\"\nsex = \"sex\"\nrace = \"race\"\n";
    const UGESP: &str = "[[measure.regulation]]\nrule = \"ugesp\"\nsex = \"sex\"\nrace = \"race\"\n";

    fn complaints(text: &str) -> Vec<Complaint> {
        let parse = |text: &str| -> Result<Scalar, Unparsed> { Ok(Scalar::column(text)) };
        check(("x.toml", text), None, None, &parse).1
    }

    #[track_caller]
    fn expect(rule: &str, codes: &[&str]) {
        let found = complaints(&format!("{CLEAN}{rule}"));
        assert_eq!(found.iter().map(|c| c.code).collect::<Vec<_>>(), codes, "{found:?}");
        assert!(found.iter().all(|complaint| complaint.remedy.is_some()));
    }

    #[test]
    fn rules_with_what_they_need_are_clean() {
        let of = |rule: &str| format!("[[measure.regulation]]\nrule = \"{rule}\"\n");
        let insurance = of("us-insurance") + "inferred = \"guess\"\n";
        for rule in [LAW, UGESP, &insurance, &of("us-lending"), &of("eu-ai-act-article-10")] {
            expect(rule, &[]);
        }
        expect(&[LAW, UGESP].concat(), &[]);
    }

    #[test]
    fn each_complaint_has_a_code() {
        expect(&[LAW, LAW].concat(), &["rule-twice"]);
        expect(&format!("{LAW}gate = \"deny\"\n"), &["key-of-another-rule"]);
        expect(&LAW.replace("sex = \"sex\"\n", ""), &["rule-without-column"]);
        expect(&LAW.replace("= \"race\"", "= \"guess\""), &["inferred-category"]);
        expect(&LAW.replace("= \"race\"", "= \"note\""), &["not-protected"]);
        expect(&LAW.replace("= \"race\"", "= \"rcae\""), &["unknown-column"]);
        expect(&format!("{LAW}basis = \"scoring\"\n"), &["rule-without-outcome"]);
        expect(&format!("{LAW}excluded_below = 0.9\n"), &["bad-limit"]);
        expect(&format!("{LAW}audit_date = \"June\"\n"), &["bad-date"]);
        expect(&format!("[schema.w]\nroles = [\"weight\"]\n{UGESP}"), &["weighted-rule"]);
        let insurance = "[[measure.regulation]]\nrule = \"us-insurance\"\n";
        expect(insurance, &["rule-without-column"]);
        expect(&format!("{insurance}inferred = \"other\"\n"), &["no-inferred"]);
        let privacy = "[privacy]\npopulation = \"p\"\nepsilon = 1.0\n";
        assert!(complaints(&format!("{CLEAN}{privacy}{LAW}")).iter().any(|c| c.code == "regulation-privacy"));
        assert!(complaints(&format!("{CLEAN}{privacy}")).iter().any(|c| c.code == "inferred-privacy"));
    }
}
