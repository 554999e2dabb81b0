//! Every planted fact is found at its documented size over seeds 1 to 50, what is not planted is not, and the shipped files are what the
//! generator makes.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::*;
use crate::estimate::{Estimate, Measured, Sample, Share, contrast};
use crate::metric::{Against, Comparison};
use crate::statistic::Cell;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=50;
/// 95 % of 50 seeds.
const FOUND_MIN: usize = 48;
/// 5 % of 50 seeds.
const FALSE_MAX: usize = 2;
const ROWS: u64 = 2000;
/// Of the interval that must cover a fact's size. 15 facts are each looked for in 50 seeds: at 0.99 one fact in seventy would miss three
/// seeds by chance, at this confidence one in fifty thousand.
const CONFIDENCE: f64 = 0.999;

fn csv(kind: Kind, rows: u64, seed: u64, plants: Plants) -> String {
    let mut bytes = Vec::new();
    write(kind, rows, seed, plants, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The columns of a data set by name.
fn columns(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in lines {
        for (name, field) in names.iter().zip(line.split(',')) {
            columns.entry(name).or_default().push(field);
        }
    }
    columns
}

fn share(numerator: usize, denominator: usize) -> Sample {
    Sample::share(&Share { numerator: Cell::rows(numerator as i64), denominator: Cell::rows(denominator as i64) })
}

fn estimate(measured: &Measured) -> Estimate {
    measured.estimate().unwrap().at(CONFIDENCE)
}

/// Where the facts that no metric measures are: the protected column, the level with the proxy, the proxy's column and value, the small level.
fn places(kind: Kind) -> [&'static str; 5] {
    match kind {
        Kind::Lending => ["race", "Black", "region", "south", "Native American"],
        Kind::Hiring => ["sex", "female", "part_time_before", "yes", "other"],
        Kind::Premium => ["birthplace", "africa", "vehicle_class", "van", "oceania"],
    }
}

fn with_unknowns(kind: Kind) -> &'static str {
    if kind == Kind::Hiring { "ethnicity" } else { places(kind)[0] }
}

/// A fact that is a share, or a difference of shares, of the rows.
fn of_rows(kind: Kind, plant: Plant, columns: &BTreeMap<&str, Vec<&str>>) -> Estimate {
    let [protected, level, proxy, value, small] = places(kind);
    let hidden = &columns[with_unknowns(kind)];
    match plant {
        Plant::Gap => unreachable!("measured by the metrics"),
        Plant::Proxy => {
            let side = |inside: bool| {
                let rows = columns[protected].iter().zip(&columns[proxy]);
                let rows: Vec<_> = rows.filter(|(of, _)| !of.is_empty() && (**of == level) == inside).collect();
                share(rows.iter().filter(|(_, proxy)| **proxy == value).count(), rows.len())
            };
            let sides = [side(true), side(false)];
            estimate(
                &contrast(Comparison::Difference, Against::Reference, &sides, &sides[0], Some(1), CONFIDENCE)[0]
                    .measured,
            )
        }
        Plant::SmallGroup => {
            let known = hidden.iter().filter(|of| !of.is_empty()).count();
            estimate(&share(hidden.iter().filter(|of| **of == small).count(), known).measure(CONFIDENCE))
        }
        Plant::Unknowns => {
            estimate(&share(hidden.iter().filter(|of| of.is_empty()).count(), hidden.len()).measure(CONFIDENCE))
        }
        Plant::SingledOut => {
            let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
            columns["postcode"].iter().for_each(|code| *sizes.entry(code).or_default() += 1);
            estimate(&share(sizes.values().filter(|size| **size == 1).count(), hidden.len()).measure(CONFIDENCE))
        }
    }
}

/// What makes an auditor notice: a difference, a group of fewer than one row in twenty, any share at all.
fn is_noticed(plant: Plant, of: &Estimate) -> bool {
    match plant {
        Plant::SmallGroup => of.interval.upper.unwrap() < 0.05,
        Plant::Gap | Plant::Proxy | Plant::Unknowns | Plant::SingledOut => of.interval.lower.unwrap() > 0.0,
    }
}

/// Points of the same fact over the seeds: their mean is the documented size, within three and a half of its standard errors.
fn assert_size(fact: &Fact, points: &[f64]) {
    let n = points.len() as f64;
    let mean = points.iter().sum::<f64>() / n;
    let error = (points.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!((mean - fact.size).abs() < 3.5 * error, "{}: {mean} +- {error}, documented {}", fact.code, fact.size);
}

#[test]
fn planted_rows_are_found_at_their_size_and_only_where_planted() {
    for kind in Kind::ALL {
        let facts = facts(kind).map(|fact| (fact.plant != Plant::Gap).then_some(fact));
        let (mut found, mut false_findings, mut points) = ([0; 5], [0; 5], [const { Vec::new() }; 5]);
        for seed in SEEDS {
            let text = csv(kind, ROWS, seed, Plants::all());
            let with = columns(&text);
            for (at, fact) in facts.iter().enumerate().filter_map(|(at, fact)| Some((at, fact.as_ref()?))) {
                let of = of_rows(kind, fact.plant, &with);
                found[at] += usize::from(of.interval.contains(fact.size) && is_noticed(fact.plant, &of));
                points[at].push(of.point);
                let text = csv(kind, ROWS, seed, Plants::without(fact.plant));
                false_findings[at] += usize::from(is_noticed(fact.plant, &of_rows(kind, fact.plant, &columns(&text))));
            }
        }
        for (at, fact) in facts.iter().enumerate().filter_map(|(at, fact)| Some((at, fact.as_ref()?))) {
            assert!(found[at] >= FOUND_MIN, "{}: found in {} of 50", fact.code, found[at]);
            assert!(
                false_findings[at] <= FALSE_MAX,
                "{}: found in {} of 50 where it is not",
                fact.code,
                false_findings[at]
            );
            assert_size(fact, &points[at]);
        }
    }
}

/// Pinned, so that another machine or release of a dependency that draws otherwise is noticed.
#[test]
fn the_same_seed_gives_the_same_bytes() {
    for (kind, digest) in
        [(Kind::Lending, "ff5737d5f4e57073"), (Kind::Hiring, "f7bdb1eb6b11d8b1"), (Kind::Premium, "981671db0e200175")]
    {
        let text = csv(kind, 1000, 7, Plants::all());
        let found: String = Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "{kind}");
        assert_ne!(csv(kind, 1000, 8, Plants::all()), text);
        assert!(csv(kind, 2000, 7, Plants::all()).starts_with(&text));
    }
}

#[test]
fn a_plant_left_out_leaves_the_other_columns_as_they_are() {
    let changes = |kind: Kind, plant: Plant| {
        let (with, without) = (csv(kind, 500, 3, Plants::all()), csv(kind, 500, 3, Plants::without(plant)));
        let (with, without) = (columns(&with), columns(&without));
        with.keys().filter(|name| with[*name] != without[*name]).map(|name| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(changes(Kind::Lending, Plant::Gap), ["repaid"]);
    assert_eq!(changes(Kind::Hiring, Plant::Gap), ["invited"]);
    assert_eq!(changes(Kind::Premium, Plant::Gap), ["premium"]);
    assert_eq!(changes(Kind::Lending, Plant::Proxy), ["postcode", "region"]);
    assert_eq!(changes(Kind::Hiring, Plant::Proxy), ["part_time_before"]);
    assert_eq!(changes(Kind::Premium, Plant::Proxy), ["vehicle_class"]);
    for kind in Kind::ALL {
        assert_eq!(changes(kind, Plant::Unknowns), [with_unknowns(kind)]);
        assert_eq!(changes(kind, Plant::SingledOut), ["postcode"]);
    }
}

#[test]
fn names_and_facts_are_stable() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        let plants: Vec<Plant> = facts(kind).iter().map(|fact| fact.plant).collect();
        assert_eq!(plants, Plant::ALL);
        assert!(facts(kind).iter().all(|fact| fact.code.starts_with(kind.name())));
    }
    let unknown = "leding".parse::<Kind>().unwrap_err();
    assert_eq!(unknown.to_string(), "there is no demo data \"leding\"; write lending, hiring or premium");
}

const SHIPPED: [(Kind, u64, &str); 3] = [
    (Kind::Lending, 6000, include_str!("../../pipelines/data/lending.csv")),
    (Kind::Hiring, 3500, include_str!("../../pipelines/data/hiring.csv")),
    (Kind::Premium, 4000, include_str!("../../pipelines/data/premium.csv")),
];

#[test]
fn the_shipped_samples_are_what_the_generator_makes() {
    for (kind, rows, shipped) in SHIPPED {
        // Not assert_eq: half a megabyte is no message.
        assert!(
            csv(kind, rows, 1, Plants::all()) == shipped,
            "write it again: evenhand demo-data {kind} --rows {rows} --seed 1"
        );
    }
}

#[test]
fn the_shipped_loans_are_what_the_generator_makes_and_a_person_stays_who_they_are() {
    let mut made = Vec::new();
    write_loans(4000, 1, Plants::all(), &mut made).unwrap();
    let made = String::from_utf8(made).unwrap();
    let shipped = include_str!("../../pipelines/data/loans.csv");
    assert!(made == shipped, "write it again: evenhand demo-data loans --rows 4000 --seed 1");
    let mut people: std::collections::BTreeMap<&str, Vec<Vec<&str>>> = Default::default();
    for line in made.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        people.entry(fields[0]).or_default().push(fields[2..7].to_vec());
    }
    assert_eq!(people.len(), 4000);
    // Race may be untold in one row and told in another no more than the person differs.
    assert!(people.values().all(|rows| rows.iter().all(|row| *row == rows[0])));
    let counts = [1, 2, 3].map(|n| people.values().filter(|rows| rows.len() == n).count());
    assert!(
        counts[0].abs_diff(2000) < 200 && counts[1].abs_diff(1200) < 200 && counts[2].abs_diff(800) < 200,
        "{counts:?}"
    );
}

/// The whole way from the files that ship to a verdict.
#[cfg(feature = "sql")]
mod pipelines {
    use std::io::BufWriter;
    use std::path::Path;

    use super::*;
    use crate::audit::Reading;
    use crate::engine::{Engine, reference::Reference};
    use crate::finding::{Finding, Outcome, Verdict};
    use crate::measure::{Subject, demands, measure};
    use crate::plan::spec::{ColumnSpec, Criterion, Format, Level, Spec};
    use crate::plan::{Learned, Plan, expression};
    use crate::schema::Role;
    use crate::{judge::judge, privatize, scan::Source};

    const FILES: [(&str, &str); 4] = [
        ("lending", include_str!("../../pipelines/lending.toml")),
        ("hiring", include_str!("../../pipelines/hiring.toml")),
        ("premium", include_str!("../../pipelines/premium.toml")),
        ("template", include_str!("../../pipelines/TEMPLATE.toml")),
    ];

    fn spec(kind: Kind) -> Spec {
        toml::from_str(FILES[kind as usize].1).unwrap()
    }

    fn plan(spec: &Spec, path: &Path) -> Plan {
        let source = Source {
            paths: vec![path.into()],
            format: Format::Csv,
            delimiter: b',',
            decimal: '.',
            null_values: Vec::new(),
            hive: false,
        };
        let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
        Plan::of(spec, "", source, &parse, &Learned::default()).unwrap()
    }

    fn audit(spec: &Spec, path: &Path) -> (Vec<Reading>, Vec<Finding>, Outcome) {
        let plan = plan(spec, path);
        let subject = Subject::given(&plan);
        let collected = Reference.collect(&plan.scan, &demands(&plan, &subject), &|_| {}).unwrap();
        let readings = measure(&plan, &subject, &privatize::release(collected.evidence)).unwrap().readings;
        let (findings, outcome) = judge(&plan, &readings, jiff::civil::date(2026, 6, 1));
        (readings, findings, outcome)
    }

    fn criterion(metric: &str, compare: Comparison, against: Against, across: &str) -> Criterion {
        Criterion {
            metric: metric.into(),
            compare: Some(compare),
            against: Some(against),
            across: Some(vec![across.into()]),
            at_most: None,
            at_least: None,
            level: Level::Deny,
            waive: Vec::new(),
        }
    }

    /// What the data alone shows: the pipeline without its model, judged on the planted gap, and on a column without a gap.
    fn bare(kind: Kind) -> Spec {
        let mut spec = spec(kind);
        spec.train = None;
        let (metric, without_gap) = match kind {
            Kind::Lending => ("prevalence", "sex"),
            Kind::Hiring => ("selection-rate", "ethnicity"),
            Kind::Premium => ("mean-residual", "sex"),
        };
        let with_gap = places(kind)[0];
        let gap = match kind {
            Kind::Lending => {
                Criterion { at_least: Some(0.9), ..criterion(metric, Comparison::Ratio, Against::Reference, with_gap) }
            }
            Kind::Hiring => spec.judge[0].clone(),
            Kind::Premium => Criterion {
                at_most: Some(25.0),
                ..criterion(metric, Comparison::Difference, Against::Reference, with_gap)
            },
        };
        // Intervals of 95 % exclude equality in 5 % of the seeds by construction; for the ethnicities with enough rows it was 65 of 1,200.
        // Seeds 1 to 50 happen to have five of them, which says nothing: a difference of up to two points is allowed there.
        let allowed = if kind == Kind::Hiring { 0.02 } else { 0.0 };
        let none = Criterion {
            at_most: Some(allowed),
            ..criterion(metric, Comparison::Difference, Against::WorstPair, without_gap)
        };
        spec.judge = vec![gap, none];
        spec.measure.across = vec![vec![with_gap.into()], vec![without_gap.into()]];
        spec.measure.metrics = vec![metric.into()];
        let used = |column: &ColumnSpec| {
            column.roles.iter().any(|r| matches!(r, Role::Protected | Role::Target | Role::Prediction))
        };
        spec.schema.retain(|name, column| used(column) || name == "age");
        if kind == Kind::Premium {
            // The same prediction for everybody: residuals differ as premiums do.
            spec.derive.insert("flat".into(), "400".into());
            let flat =
                ColumnSpec { roles: vec![Role::Prediction], bounds: Some([0.0, 3000.0]), ..ColumnSpec::default() };
            spec.schema.insert("flat".into(), flat);
        }
        spec
    }

    fn gap_is_found_at_its_size_and_nothing_else(kind: Kind) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let (spec, fact) = (bare(kind), facts(kind)[0]);
        let run = |seed: u64, plants: Plants| {
            let mut file = BufWriter::new(std::fs::File::create(&path).unwrap());
            write(kind, ROWS, seed, plants, &mut file).unwrap();
            file.flush().unwrap();
            audit(&spec, &path)
        };
        let level = places(kind)[1];
        let of_level = |cohort: &crate::cohort::Cohort| cohort.pairs.iter().any(|(_, of)| **of == *level);
        let flagged = |findings: &[Finding], planted: bool| {
            findings.iter().any(|f| {
                f.verdict == Verdict::Breached && (f.code.contains("worst-pair") || !of_level(&f.cohort)) != planted
            })
        };
        let (mut found, mut beside, mut without, mut points) = (0, 0, 0, Vec::new());
        for seed in SEEDS {
            let (readings, findings, _) = run(seed, Plants::all());
            let gate = &spec.judge[0];
            let reading = readings.iter().find(|reading| {
                let contrast = reading.contrast.as_ref().map(|contrast| (contrast.compare, contrast.against));
                contrast == gate.compare.zip(gate.against) && of_level(&reading.cohort)
            });
            let of = estimate(&reading.unwrap().measured);
            found += usize::from(flagged(&findings, true) && of.interval.contains(fact.size));
            points.push(of.point);
            beside += usize::from(flagged(&findings, false));
            let (_, findings, _) = run(seed, Plants::without(Plant::Gap));
            without += usize::from(findings.iter().any(|finding| finding.verdict == Verdict::Breached));
        }
        assert!(found >= FOUND_MIN, "{}: found in {found} of 50", fact.code);
        assert!(beside <= FALSE_MAX, "{}: false findings in {beside} of 50", fact.code);
        assert!(without <= FALSE_MAX, "{}: findings in {without} of 50 without it", fact.code);
        assert_size(&fact, &points);
    }

    #[test]
    fn the_gap_in_lending_is_found() {
        gap_is_found_at_its_size_and_nothing_else(Kind::Lending);
    }

    #[test]
    fn the_gap_in_hiring_is_found() {
        gap_is_found_at_its_size_and_nothing_else(Kind::Hiring);
    }

    #[test]
    fn the_gap_in_premium_is_found() {
        gap_is_found_at_its_size_and_nothing_else(Kind::Premium);
    }

    /// As the comment at the head of the file says.
    #[test]
    fn the_hiring_pipeline_fails_on_what_is_planted() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/data/hiring.csv");
        let (_, findings, outcome) = audit(&spec(Kind::Hiring), &path);
        let breached: Vec<&str> =
            findings.iter().filter(|f| f.verdict == Verdict::Breached).map(|f| &*f.code).collect();
        assert_eq!(
            breached,
            ["judge/selection-rate/ratio-highest/sex", "judge/true-positive-rate/difference-worst-pair/sex"]
        );
        assert_eq!(outcome, Outcome::Fail);
    }

    #[test]
    fn every_pipeline_gives_a_plan_and_judges_only_what_it_measures() {
        let cards = crate::metric::cards();
        for (name, text) in FILES {
            assert_eq!(text.lines().next(), Some("#:schema ../schema/pipeline.schema.json"), "{name}");
            let spec: Spec = toml::from_str(text).unwrap();
            assert_eq!(spec.pipeline.name, name);
            let plan = plan(&spec, Path::new("rows.csv"));
            assert!(plan.label.is_some() || plan.target.is_some(), "{name}");
            assert_eq!(plan.features.is_empty(), spec.train.is_none(), "{name}");
            for criterion in &spec.judge {
                assert!(cards.iter().any(|card| card.id == criterion.metric), "{name}: {}", criterion.metric);
                let measured = |set: &Vec<String>| set.is_empty() || spec.measure.across.contains(set);
                assert!(criterion.across.as_ref().is_none_or(measured), "{name}: {:?}", criterion.across);
                assert!(criterion.at_most.is_some() != criterion.at_least.is_some(), "{name}");
            }
        }
    }

    /// The template explains every key there is.
    #[cfg(feature = "cli")]
    #[test]
    fn the_template_has_every_key() {
        fn keys(schema: &serde_json::Value, found: &mut std::collections::BTreeSet<String>) {
            if let Some(map) = schema.as_object() {
                if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                map.values().for_each(|value| keys(value, found));
            }
        }
        let mut found = std::collections::BTreeSet::new();
        keys(&serde_json::to_value(schemars::schema_for!(Spec)).unwrap(), &mut found);
        assert!(found.len() > 45, "{found:?}");
        let template = FILES[3].1;
        let words: std::collections::BTreeSet<&str> =
            template.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
        let absent: Vec<&String> = found.iter().filter(|key| !words.contains(key.as_str())).collect();
        assert!(absent.is_empty(), "{absent:?}");
    }
}

#[test]
fn the_shipped_patients_are_what_the_generator_makes_and_identifiers_are_of_one_row() {
    let mut made = Vec::new();
    write_clinic(3000, 1, &mut made).unwrap();
    let made = String::from_utf8(made).unwrap();
    let shipped = include_str!("../../pipelines/data/clinic.csv");
    assert!(made == shipped, "write it again: evenhand demo-data clinic --rows 3000 --seed 1");
    let columns = columns(&made);
    for name in ["patient_id", "name", "email", "phone"] {
        let distinct: std::collections::BTreeSet<&&str> = columns[name].iter().collect();
        assert_eq!(distinct.len(), 3000, "{name}");
    }
}
