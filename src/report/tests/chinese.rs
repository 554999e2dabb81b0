//! The Chinese page: no sentence of another language outside code, names and what is marked as English.

use super::page::page;
use super::sample::{PLAIN, sample};
use super::{alike, data, mitigation, rules};
use crate::audit::bias::data::DataBias;
use crate::audit::*;
use crate::plan::spec::{Language, SearchBy};

/// The fewest Latin words in a row that are a sentence and no name.
const RUN: usize = 4;

/// Fails where texts or labels of a page have a run of Latin words outside `code`, style and what is marked `lang="en"`.
/// `names` are names from outside, and those of metrics.
pub fn only_chinese(html: &str, names: &[&str]) {
    for text in texts(html) {
        let text = names.iter().fold(text, |text, name| text.replace(name, "·"));
        let runs =
            text.split(|c: char| !(c.is_ascii_alphabetic() || c.is_whitespace() || matches!(c, '\'' | '-' | ',')));
        for run in runs {
            let latin: Vec<&str> =
                run.split_whitespace().filter(|word| word.chars().any(|c| c.is_ascii_alphabetic())).collect();
            assert!(latin.len() < RUN, "{latin:?} in {text:?}");
        }
    }
}

/// Texts between tags, and labels, without those that need not be Chinese.
fn texts(html: &str) -> Vec<String> {
    let plain = |text: &str| {
        ["&lt;", "&gt;", "&quot;", "&#x27;", "&#39;", "&amp;"]
            .iter()
            .zip(["<", ">", "\"", "'", "'", "&"])
            .fold(text.to_string(), |text, (from, to)| text.replace(from, to))
    };
    let (mut found, mut skipped): (Vec<String>, Option<(String, usize)>) = (Vec::new(), None);
    for piece in html.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        match &mut skipped {
            Some((of, depth)) => {
                *depth += usize::from(*of == name);
                *depth -= usize::from(tag.strip_prefix('/') == Some(of));
                if *depth == 0 {
                    skipped = None;
                }
            }
            None if matches!(name.as_str(), "style" | "code") || tag.contains("lang=\"en\"") => {
                skipped = Some((name, 1))
            }
            None => {
                let label = tag.split_once("aria-label=\"").and_then(|(_, rest)| rest.split('"').next());
                found.extend(label.map(plain));
            }
        }
        if skipped.is_none() {
            found.push(plain(text));
        }
    }
    found
}

/// One section of a page.
pub fn section<'a>(html: &'a str, id: &str) -> &'a str {
    let from = html.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("there is no section {id}"));
    let to = html[from..].find("</section>").unwrap();
    &html[from..from + to]
}

fn coarsening() -> Coarsening {
    let risk = |k: u64| ClassRisk {
        rows: 1600,
        classes: 40,
        class_min: Some(k),
        class_max: None,
        prosecutor_max: Some(1.0 / k as f64),
        marketer: 0.05,
        at_risk: vec![Some(0.02), None],
        uniques: Some(0.0),
        journalist_max: Some(0.1),
        journalist_mean: None,
    };
    let column = |name: &str, level| QuasiIdentifier { name: name.into(), level, levels: 4 };
    let criterion = |name: &str, asked: &str, attained, holds| ClassCriterion {
        name: name.into(),
        asked: asked.into(),
        attained,
        holds,
    };
    Coarsening {
        search: SearchBy::Lattice,
        quasi_identifiers: [None, Some(0), Some(2), Some(3)].map(|level| column("age", level)).into(),
        sensitive: Some("illness".into()),
        criteria: vec![
            criterion("k-anonymity", "at least 5 rows", Some(7.0), true),
            criterion("(alpha, k)-anonymity", "at most 0.5, in classes of at least 5 rows", Some(0.61), false),
            criterion("recursive (c, l)-diversity", "below 3, l being 2", None, false),
            criterion("t-closeness, ordered distance", "at most 0.2", Some(0.1), true),
        ],
        rows: 1600,
        rows_suppressed: 12,
        suppression_max: 0.05,
        objective: "granularity loss".into(),
        loss: 0.21,
        combinations: 64,
        evaluated: 20,
        risk_at: vec![0.1, 0.2],
        before: Some(risk(1)),
        after: Some(risk(7)),
    }
}

fn attacks() -> AttacksOnRows {
    let share = |value: f64| Share { value, lower: value - 0.1, upper: value + 0.1 };
    let guessed = Guessed { rows: 40, right_with: 30, right_without: 20, gain: share(0.25) };
    let risk = |attack: &str, risk, warning: &str| RiskFound {
        attack: attack.into(),
        guesses: 9,
        right: 5,
        control_guesses: 9,
        right_control: 4,
        risk,
        warnings: vec![warning.into()],
    };
    AttacksOnRows {
        confidence: 0.95,
        model: Some(Attempt::Attacked(ModelAttacked {
            rows_trained: 4000,
            rows_attacked: 1234,
            undetermined: 3,
            auc: share(0.731),
            at: vec![Recognised { false_positives_max: 0.01, false_positives: 12, true_positive_rate: share(0.345) }],
            exposure: vec![Exposed {
                attribute: "sex".into(),
                level: "female".into(),
                rows: 20,
                exposed: 1,
                share_of_exposed: 0.5,
                share_of_cohort: share(0.15),
            }],
            attribute: Some(Attempt::Attacked(AttributeGuessed {
                column: "illness".into(),
                levels: 2,
                rows_known: 100,
                members: guessed.clone(),
                others: Some(guessed),
            })),
            notes: vec!["Of a sample of 5 rows of smallest hash among 9 training rows.".into()],
        })),
        dataset: Some(Attempt::Attacked(DatasetAttacked {
            rows_original: 500,
            rows_control: 500,
            risks: vec![
                risk(
                    "Singling out by one column",
                    Some(share(0.2)),
                    "The file allowed 3 guesses of 9 asked for; rates are of those made.",
                ),
                risk("Singling out by 3 columns", None, "The file allowed no guess; there is no rate."),
                risk("Linking age, town to sex", Some(share(0.2)), "A warning of a later program version."),
                risk("Inferring illness, within a twentieth of its range, from age, sex", None, ""),
            ],
            notes: vec!["Linking was not tried: it needs two columns that are not sensitive.".into()],
        })),
    }
}

/// The sections on fairness and on de-identified data, with something in each place.
pub fn rich(language: Language) -> String {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    audit.pipeline.language = language;
    audit.coarsening = Some(coarsening());
    record.attacks = Some(attacks());
    record.files = Vec::new();
    audit.bias.data = Some(DataBias {
        representation: vec![data::representation()],
        missing: vec![data::missing()],
        complete: 3,
        proxies: vec![data::proxies()],
        left_out: vec!["Too many columns to try as proxies: not tried are x1 and 4 more.".into()],
    });
    audit.bias.ranking = Some(data::ranking());
    audit.bias.classes = Some(data::classes());
    audit.bias.subgroups = Some(alike::subgroups(2));
    audit.bias.individual = Some(alike::individual());
    audit.bias.inferred = vec![rules::inferred()];
    audit.bias.regulation = vec![rules::regulation(3)];
    audit.bias.mitigation = Some(mitigation::found(3));
    audit.bias.strata = strata();
    page(&audit, &record)
}

fn strata() -> Vec<bias::Strata> {
    use bias::Figure;
    use bias::strata::*;
    let figure = || Figure::Estimated { point: 0.2, lower: Some(0.1), upper: None, n: 90 };
    let tests = PooledTests {
        chi2: 210.4,
        p: 1.1e-47,
        chi2_corrected: 209.0,
        p_corrected: 2e-47,
        homogeneity: Some(Homogeneity { chi2: 9.0, p: 0.01, chi2_tarone: 9.0, p_tarone: 0.01, df: 2 }),
    };
    let pair = |with: Option<&str>, no_tests: Option<&str>| Adjusted {
        cohort: "sex = female".into(),
        with: with.map(String::from),
        strata_used: 2,
        strata_left_out: 1,
        rows_left_out: 17,
        crude: figure(),
        value: figure(),
        other: figure(),
        difference: figure(),
        odds_ratio: Figure::Undefined { reason: "one of its sums over the strata is zero".into() },
        rate_ratio: figure(),
        rate_difference: figure(),
        tests: no_tests.is_none().then(|| tests.clone()),
        no_tests: no_tests.map(String::from),
        by_stratum: vec![ByStratum { stratum: 0, value: figure(), other: Figure::Suppressed, difference: figure() }],
    };
    let dependent = "rows share units or have weights, and the tests take rows for independent";
    vec![
        Strata {
            across: vec!["sex".into()],
            given: vec!["region".into()],
            strata: vec![Stratum { levels: "region = north".into(), rows: 90 }],
            rates: vec![RateWithin {
                metric: "selection-rate".into(),
                cohorts: vec![pair(Some("sex = male"), None), pair(None, Some(dependent))],
            }],
            ..Strata::default()
        },
        Strata { withheld: Some("Counts of strata are finer than the tables that are published; under suppress_below nothing of them is shown.".into()), ..Strata::default() },
    ]
}

const SECTIONS: [&str; 13] = [
    "de-identification",
    "within-strata",
    "tests",
    "thresholds",
    "data",
    "ranking",
    "classes",
    "subgroups",
    "individual",
    "inferred",
    "regulation",
    "mitigation",
    "attacks",
];

#[test]
fn every_section_on_fairness_is_chinese_on_a_chinese_page() {
    let (english, chinese) = (rich(Language::En), rich(Language::ZhCn));
    let cards = crate::metric::cards();
    let names: Vec<&str> = cards.iter().map(|card| card.name).collect();
    for id in SECTIONS {
        only_chinese(section(&chinese, id), &names);
        assert!(!section(&english, id).contains("lang=\"en\""), "{id}: nothing is marked on an English page");
    }
    for text in [
        "<span lang=\"en\">A warning of a later program version.</span>",
        "证据不足：",
        "分母中没有行",
        "age 不低于 25 且低于 34 且 region = r1",
        "申请人数",
        "要求猜测 9 次，文件只容许 3 次",
        "不高于 0.5，且等价类至少 5 行",
        "p 低于 0.0001",
        "最大差，Black 与 White：",
        "以上下界的宽度为单位",
    ] {
        assert!(chinese.contains(text), "{text}");
    }
}

#[test]
fn what_a_run_says_of_itself_is_chinese_or_marked_on_a_chinese_page() {
    let (mut audit, mut record) = sample(&PLAIN, 0);
    audit.pipeline.language = Language::ZhCn;
    audit.limitations = vec![
        "Given decisions, scores and predictions are taken as they are in the data.".into(),
        "7 rows were left out because a missing value leaves the filter undecided.".into(),
    ];
    audit.method.dependence = "Rows carry weights: intervals are those of the delete-a-bucket jackknife.".into();
    audit.method.passes =
        vec!["measure: cohorts under the trained model".into(), "learn: domain of x is not declared".into()];
    audit.model.as_mut().unwrap().coefficients[0].feature = "employment_years is missing".into();
    record.usage.iter_mut().for_each(|usage| usage.stage = "pass 2: measure".into());
    let html = page(&audit, &record);
    let cards = crate::metric::cards();
    let mut names: Vec<&str> = cards.iter().map(|card| card.name.as_ref()).collect();
    names.push(&audit.pipeline.purpose);
    for id in ["verdict", "criteria", "scope", "limitations", "model", "method", "resources", "provenance", "sign-off"]
    {
        only_chinese(section(&html, id), &names);
    }
    for text in [
        "1：有阻断级准则被违反",
        "<span lang=\"en\">at least 1,000 rows</span>",
        "给定的决策、得分与预测按数据中的原样采用。",
        "7 行因缺失值",
        "区间采用删一桶刀切法",
        "测量：各群组在所训练模型之下的结果",
        "<span lang=\"en\">domain of x is not declared</span>",
        "employment_years 缺失",
        "第 2 遍：测量",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
#[should_panic(expected = "sentence")]
fn an_english_sentence_on_a_chinese_page_is_found() {
    only_chinese("<p>群组 <span lang=\"en\">not looked at here</span> this is a sentence</p>", &[]);
}
