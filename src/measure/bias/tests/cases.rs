//! The whole section from counts: who is compared with whom, what is read, what is withheld.

use crate::audit::bias::Figure;
use crate::audit::bias::tests::{Evidence, Read, TestedRate, Tests};
use crate::evidence::{Evidence as Counted, Released};
use crate::measure::{Subject, measure};
use crate::plan::Plan;
use crate::plan::spec::{Format, Spec};
use crate::scan::Source;
use crate::statistic::{Cell, Statistic, Tally};

fn plan(extra: &str, reference: &str) -> Plan {
    let text = format!(
        "pipeline.name = \"p\"\ningest.path = \"a.csv\"\n\
         schema.y = {{ roles = [\"target\"], positive = \"1\" }}\nschema.d = {{ roles = [\"prediction\"], positive = \"1\" }}\n\
         schema.sex = {{ roles = [\"protected\"], levels = [\"f\", \"m\", \"x\"]{reference} }}\n{extra}"
    );
    let spec: Spec = toml::from_str(&text).unwrap();
    let source = Source {
        paths: vec!["a.csv".into()],
        format: Format::Csv,
        delimiter: b',',
        decimal: '.',
        null_values: Vec::new(),
        hive: false,
    };
    Plan::of(&spec, "", source, &|text| Err(text.into()), &Default::default()).unwrap()
}

const MEASURE: &str = "measure = { across = [[\"sex\"]], replicates = 500 }";
const REFERENCE: &str = ", reference = \"m\"";

/// TP, FP, FN, TN of f, m, x.
fn tests(plan: &Plan, cells: [[i64; 4]; 3]) -> Option<Tests> {
    let buckets = plan.dependent && plan.spec.privacy.is_none();
    let sizes = if buckets { vec![5, 3, 3, 200] } else { vec![5, 3, 3] };
    let mut table = Tally::new(sizes);
    for (sex, cells) in cells.into_iter().enumerate() {
        for ((label, decision), n) in [(1, 1), (0, 1), (1, 0), (0, 0)].into_iter().zip(cells) {
            let codes = [sex as u32, label, decision];
            match buckets {
                false => table.add(&codes, Cell::rows(n)),
                true => (0..200).for_each(|bucket| {
                    let here = n / 200 + i64::from((n % 200) > (bucket * 7 % 200));
                    table.add(&[codes[0], codes[1], codes[2], bucket as u32], Cell::rows(here));
                }),
            }
        }
    }
    let statistics = [("measure/table".to_string(), Statistic::Tally(table))].into_iter();
    let statistics = statistics.map(|(name, of)| (name.into(), of)).collect();
    let released = Released::new(Counted { statistics }, Vec::new());
    measure(plan, &Subject::given(plan), &released).unwrap().bias.tests
}

fn rate<'a>(tests: &'a Tests, id: &str) -> &'a TestedRate {
    tests.sets[0].rates.iter().find(|rate| rate.metric == id).unwrap()
}

/// 120 of 400 f, 250 of 500 m are selected, 3 of 8 x.
const CELLS: [[i64; 4]; 3] = [[90, 30, 110, 170], [200, 50, 50, 200], [2, 1, 2, 3]];

#[test]
fn against_the_reference() {
    let tests = tests(&plan(MEASURE, REFERENCE), CELLS).unwrap();
    assert_eq!((tests.family, tests.family_of_gaps, tests.dealings), (14, 7, 500));
    let selection = rate(&tests, "selection-rate");
    let with = selection.with.as_ref().unwrap();
    assert!(with.declared && (with.count, with.n) == (250, 500) && with.cohort.contains('m'));
    let [f, x] = &selection.pairs[..] else { panic!("two pairs") };
    assert_eq!((f.count, f.n, x.count, x.n), (120, 400, 3, 8));
    // P = 370/900: z = -0.2 / sqrt(P (1 - P) (1/400 + 1/500)).
    let p: f64 = 370.0 / 900.0;
    let z = -0.2 / (p * (1.0 - p) * 0.0045).sqrt();
    assert!((f.z.unwrap() - z).abs() < 1e-12 && f.two_sd == Some(true) && f.method == Read::Z);
    assert_eq!(f.verdict, Evidence::Difference);
    assert!(f.holm.unwrap() >= 2.0 * f.p.unwrap() && f.p == f.z_p);
    // 8 rows: an expected count of x is below five for z, and there are too few for a statement.
    assert_eq!((x.method, x.verdict, x.p), (Read::Fisher, Evidence::Insufficient, x.fisher_p));
    assert!(x.reason.as_ref().unwrap().contains("30 rows"));
    // The margin is the further end of the 90 % interval, so beyond the point and within the further end at 95 %.
    let Figure::Estimated { point, lower, .. } = f.difference else { panic!("a difference") };
    assert!(f.margin.unwrap() > -point && f.margin.unwrap() < -lower.unwrap());
    // Odds of 120 to 280 over 250 to 250; score limits of the difference are near the hybrid ones.
    let Some(Figure::Estimated { point: odds, lower: Some(odds_lower), upper: Some(odds_upper), .. }) = f.odds_ratio
    else {
        panic!("odds")
    };
    assert!((odds - 120.0 / 280.0).abs() < 1e-12 && odds_lower < odds && odds < odds_upper && odds_upper < 1.0);
    let Some(Figure::Estimated { lower: Some(score), .. }) = f.score_difference else { panic!("limits") };
    assert!((score - lower.unwrap()).abs() < 0.002 && score != lower.unwrap());
    let gap = selection.gap.as_ref().unwrap();
    assert_eq!((gap.cohorts, gap.df), (2, Some(1)), "x has too few rows");
    assert!((gap.permutation_p - 1.0 / 501.0).abs() < 1e-12 && gap.holm <= 7.0 / 501.0 + 1e-12);
}

#[test]
fn against_the_highest_the_p_counts_all_pairs() {
    let cells = [[90, 30, 110, 170], [200, 50, 50, 200], [100, 40, 100, 160]];
    let (declared, picked) =
        (tests(&plan(MEASURE, REFERENCE), cells).unwrap(), tests(&plan(MEASURE, ""), cells).unwrap());
    let (declared, picked) = (rate(&declared, "selection-rate"), rate(&picked, "selection-rate"));
    assert!(!picked.with.as_ref().unwrap().declared);
    assert_eq!(picked.with.as_ref().unwrap().cohort, declared.with.as_ref().unwrap().cohort);
    for (a, b) in declared.pairs.iter().zip(&picked.pairs) {
        assert_eq!((&a.cohort, a.z), (&b.cohort, b.z));
        assert!((b.p.unwrap() - (3.0 * a.p.unwrap()).min(1.0)).abs() < 1e-15);
        assert!(b.margin > a.margin, "intervals of all pairs at once are wider");
    }
}

/// Rates of 0.30 and 0.31 of 400 rows: the ratio may be 1 and may be 0.8. Of 40,000 rows neither is left open.
#[test]
fn insufficient_evidence_is_said_and_equality_never() {
    let cells = |times: i64| [[60, 60, 140, 140].map(|n| n * times), [62, 62, 138, 138].map(|n| n * times), [0; 4]];
    let of = |times| rate(&tests(&plan(MEASURE, REFERENCE), cells(times)).unwrap(), "selection-rate").pairs[0].clone();
    let (few, many) = (of(1), of(4));
    assert_eq!(few.verdict, Evidence::Insufficient);
    assert!(few.reason.unwrap().contains("four fifths"));
    assert_eq!((many.verdict, many.reason), (Evidence::NoneShown, None));
    assert!(many.margin < few.margin && many.margin.unwrap() > 0.01);
}

#[test]
fn withheld_dependent_and_private() {
    let hidden = tests(&plan("measure = { across = [[\"sex\"]], suppress_below = 10 }", REFERENCE), CELLS).unwrap();
    assert!(
        hidden.sets[0].rates.iter().all(|rate| rate.not_tested.as_ref().is_some_and(|why| why.contains("withheld")))
    );
    assert!(hidden.sets[0].rates.iter().all(|rate| rate.gap.is_none() && rate.pairs.is_empty() && rate.with.is_none()));
    assert_eq!((hidden.family, hidden.family_of_gaps), (0, 0));
    let unit = format!("schema.id.roles = [\"privacy-unit\"]\n{MEASURE}");
    let dependent = tests(&plan(&unit, REFERENCE), CELLS.map(|cells| cells.map(|n| 10 * n))).unwrap();
    let pair = &rate(&dependent, "selection-rate").pairs[0];
    assert!(dependent.dependent && dependent.family_of_gaps == 0);
    assert!(pair.z.unwrap() < -2.0 && pair.fisher_p.is_none() && pair.odds_ratio.is_none() && pair.method == Read::Z);
    assert!(dependent.notes.iter().any(|note| note.contains("jackknife")));
    let private = format!("{unit}\n[privacy]\npopulation = \"p\"\nepsilon = 1.0\nrows_per_unit_max = 2");
    assert_eq!(tests(&plan(&private, REFERENCE), CELLS), None);
}

/// One cohort, no rows, all selected: nothing is tested, nothing divided by zero.
#[test]
fn hostile_counts() {
    for cells in [[[0; 4]; 3], [[5, 5, 5, 5], [0; 4], [0; 4]], [[40, 0, 0, 0], [50, 0, 0, 0], [60, 0, 0, 0]]] {
        for reference in [REFERENCE, ""] {
            let tests = tests(&plan(MEASURE, reference), cells).unwrap();
            let text = serde_json::to_string(&tests).unwrap();
            assert_eq!(serde_json::from_str::<Tests>(&text).unwrap(), tests);
            for pair in tests.sets[0].rates.iter().flat_map(|rate| &rate.pairs) {
                assert!(pair.verdict != Evidence::Difference && pair.p.is_none_or(|p| p == 1.0));
            }
        }
    }
}
