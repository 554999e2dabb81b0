//! A small audit as a run makes it: rows through the reference engine and the measure path, findings by the interval's place.

use std::io::Write;
use std::sync::Arc;

use crate::audit::*;
use crate::cohort::Cohort;
use crate::engine::{Engine, reference::Reference};
use crate::estimate::Measured;
use crate::finding::{Finding, Gate, Outcome, Verdict, Waived};
use crate::ingest::paths::expand;
use crate::measure::{Subject, demands, measure};
use crate::metric::{Against, Comparison};
use crate::plan::spec::Level;
use crate::plan::{Learned, Plan, source};
use crate::schema::Role;
use crate::world::Usage;

/// Names that occur in the data and the pipeline file.
pub struct Words<'a> {
    pub title: &'a str,
    pub column: &'a str,
    pub level: &'a str,
}

pub const PLAIN: Words = Words { title: "Lending, yearly audit", column: "sex", level: "female" };

fn rows(words: &Words) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut csv = format!("{},race,repaid,granted,score\n", quoted(words.column));
    let mut state = 7u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    for _ in 0..1600 {
        let female = draw() < 0.42;
        let race = match draw() {
            x if x < 0.55 => "white",
            x if x < 0.8 => "black",
            x if x < 0.96 => "asian",
            x if x < 0.972 => "islander",
            x if x < 0.99 => "",
            _ => "not asked",
        };
        let score =
            (0.25 + 0.55 * draw() + if female { -0.08 } else { 0.06 } + if race == "black" { -0.05 } else { 0.03 })
                .clamp(0.0, 1.0);
        let repaid = if draw() < score { "yes" } else { "no" };
        let granted = if score > 0.5 { "yes" } else { "no" };
        let sex = if female { words.level } else { "male" };
        csv.push_str(&format!("{},{race},{repaid},{granted},{score:.3}\n", quoted(sex)));
    }
    csv
}

fn plan(words: &Words, suppress_below: u64, metrics: &str, path: &std::path::Path) -> Plan {
    // A JSON string is a basic string of TOML.
    let toml = |text: &str| serde_json::Value::from(text).to_string();
    let text = format!(
        r#"
        pipeline = {{ name = "lending", owner = "risk@example.org", purpose = "decides on consumer loans", seed = 7 }}
        ingest = {{ path = {path} }}
        measure = {{ across = [[{sex}], ["race"], [{sex}, "race"]], replicates = 200, suppress_below = {suppress_below}, metrics = {metrics} }}
        [schema]
        {sex} = {{ roles = ["protected", "quasi-identifier"], levels = [{level}, "male"], reference = "male" }}
        race = {{ roles = ["protected"], levels = ["asian", "black", "islander", "white"], reference = "white" }}
        repaid = {{ roles = ["target"], levels = ["no", "yes"], positive = "yes" }}
        granted = {{ roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }}
        score = {{ roles = ["score"], bounds = [0.0, 1.0] }}
        "#,
        path = toml(&path.display().to_string()),
        sex = toml(words.column),
        level = toml(words.level),
    );
    let spec = toml::from_str(&text).unwrap();
    let source = source(&spec, std::path::Path::new(""), &|path| expand(path)).unwrap();
    let parse = |_: &str| Err("no expression here".to_string());
    Plan::of(&spec, &"5f".repeat(32), source, &parse, &Learned::default()).unwrap()
}

/// What `report.json` and `run.json` are made of.
pub fn sample(words: &Words, suppress_below: u64) -> (Audit, Record) {
    sample_of(words, suppress_below, "[]")
}

/// The same with these metrics.
pub fn sample_of(words: &Words, suppress_below: u64, metrics: &str) -> (Audit, Record) {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(rows(words).as_bytes()).unwrap();
    let plan = plan(words, suppress_below, metrics, file.path());
    let subject = Subject::given(&plan);
    let collected = Reference.collect(&plan.scan, &demands(&plan, &subject), &|_| ()).unwrap();
    let released = crate::privatize::release(collected.evidence);
    let measured = measure(&plan, &subject, &released).unwrap();
    let (findings, outcome) = (findings(&measured.readings, words), Outcome::Fail);
    let audit = Audit {
        report_version: REPORT_VERSION,
        generator: "evenhand 0.1.0".into(),
        outcome,
        pipeline: Identity {
            stated: Default::default(),
            name: "lending".into(),
            title: words.title.into(),
            owner: "risk@example.org".into(),
            purpose: "decides on consumer loans".into(),
            language: Default::default(),
            seed: 7,
            spec_sha256: plan.spec_sha256.clone(),
        },
        data: data(&plan, measured.rows_measured),
        privacy: None,
        coarsening: None,
        model: Some(card()),
        cohorts: measured.cohorts,
        readings: measured.readings,
        bias: measured.bias,
        findings,
        metrics: measured.metrics,
        method: Method {
            confidence: 0.95,
            support_min: 30,
            suppress_below,
            replicates: 200,
            dependence: "No: there is no privacy unit and no weight, so rows count as independent.".into(),
            intervals: Vec::new(),
            notes: measured.notes,
            passes: vec!["The statistics of all metrics.".into()],
        },
        limitations: vec!["Labels are known for granted loans only.".into()],
        receipts: released.receipts().to_vec(),
    };
    (audit, record(outcome))
}

fn data(plan: &Plan, rows_measured: i64) -> Data {
    let column = |column: &crate::schema::Column| ColumnFate {
        name: column.name.clone(),
        roles: column.roles.clone(),
        domain: column.domain.clone(),
        origin: column.origin,
        derived: None,
        missing: Some(if column.is(Role::Protected) { 29 } else { 0 }),
        outside: Some(0),
        malformed: Some(0),
    };
    Data {
        rows_read: 1650,
        rows_kept: 1600,
        rows_measured,
        filter: Some("applied_on >= '2026-01-01'".into()),
        columns: plan.schema.columns.iter().map(column).collect(),
        promises: vec![Promise { text: "at least 1,000 rows".into(), kept: true }],
    }
}

fn card() -> ModelCard {
    let coefficient =
        |feature: &str, value, standard_error| Coefficient { feature: feature.into(), value, standard_error };
    ModelCard {
        kind: "logistic".into(),
        penalty: "elastic-net".into(),
        strength: 0.0123,
        l1_ratio: 0.5,
        rows_train: 2400,
        rows_skipped: 12,
        intercept: -0.4312,
        coefficients: vec![
            coefficient("income", 0.83, Some(0.11)),
            coefficient("debt ratio", -1.24, Some(0.19)),
            coefficient("years at address", 0.07, Some(0.05)),
            coefficient("region = north", -0.31, None),
        ],
        path: vec![
            PathPoint { l1_ratio: 0.5, strength: 0.0123, loss_mean: 0.512, loss_standard_error: 0.011 },
            PathPoint { l1_ratio: 0.5, strength: 0.1, loss_mean: 0.561, loss_standard_error: 0.012 },
        ],
        integer_gap_max: 3.1e-8,
        notes: vec!["Newton's method ended after 6 rounds.".into()],
    }
}

fn gate(
    metric: &str,
    judged: Option<(Comparison, Against)>,
    across: &[&str],
    limit: (Option<f64>, Option<f64>),
    level: Level,
) -> Gate {
    Gate {
        metric: metric.into(),
        compare: judged.map(|judged| judged.0),
        against: judged.map(|judged| judged.1),
        across: across.iter().map(|name| Arc::from(*name)).collect(),
        at_most: limit.0,
        at_least: limit.1,
        level,
    }
}

fn findings(readings: &[Reading], words: &Words) -> Vec<Finding> {
    let worst = Some((Comparison::Ratio, Against::WorstPair));
    let highest = Some((Comparison::Ratio, Against::Highest));
    let difference = Some((Comparison::Difference, Against::WorstPair));
    let gates = [
        gate("selection-rate", highest, &[words.column], (None, Some(0.8)), Level::Deny),
        gate("selection-rate", highest, &["race"], (None, Some(0.8)), Level::Deny),
        gate("true-positive-rate", difference, &[words.column], (Some(0.1), None), Level::Warn),
        gate("false-positive-rate", difference, &["race"], (Some(0.1), None), Level::Warn),
        gate("brier-score", None, &[], (Some(0.25), None), Level::Deny),
        gate("log-loss", worst, &["race"], (None, Some(0.5)), Level::Deny),
    ];
    gates.iter().flat_map(|gate| judged(gate, readings)).collect()
}

fn judged(gate: &Gate, readings: &[Reading]) -> Vec<Finding> {
    let same = |reading: &&Reading| {
        reading.metric == gate.metric
            && reading.across == gate.across
            && reading.contrast.as_ref().map(|c| (c.compare, c.against)) == gate.compare.zip(gate.against)
    };
    let mut findings: Vec<Finding> = readings
        .iter()
        .filter(same)
        .map(|reading| finding(gate, &reading.cohort, Some(reading.measured.clone())))
        .collect();
    if findings.is_empty() {
        findings.push(finding(gate, &Cohort::everyone(), None));
    }
    findings
}

fn finding(gate: &Gate, cohort: &Cohort, measured: Option<Measured>) -> Finding {
    let estimate = measured.as_ref().and_then(Measured::estimate);
    let inside = |x: f64| gate.at_most.is_none_or(|most| x <= most) && gate.at_least.is_none_or(|least| least <= x);
    let (verdict, reason) = match estimate {
        None => (Verdict::NotMeasured, "there is no estimate"),
        Some(e) => match (e.interval.lower.is_some_and(inside), e.interval.upper.is_some_and(inside)) {
            (true, true) => (Verdict::Met, "the whole interval is within the limit"),
            (false, false) => (Verdict::Breached, "the whole interval, widened for 6 criteria, is beyond the limit"),
            _ => (Verdict::Undetermined, "the limit is inside the interval"),
        },
    };
    let waived = gate.metric.starts_with("false") && verdict != Verdict::Met;
    Finding {
        code: format!("criterion/{}/{}", gate.metric, gate.across.join("/")).into(),
        gate: Some(gate.clone()),
        cohort: cohort.clone(),
        judged_interval: estimate.map(|e| e.at(0.99).interval),
        measured,
        verdict,
        level: gate.level,
        reason: reason.into(),
        waiver: waived.then(|| Waived {
            cohort: Default::default(),
            reason: "labels are re-read by March".into(),
            until: "2027-03-31".into(),
        }),
    }
}

fn record(outcome: Outcome) -> Record {
    let usage = |stage: &str, wall_ms, rows| Usage {
        stage: stage.into(),
        wall_ms,
        cpu_user_ms: wall_ms * 2,
        cpu_system_ms: 10,
        rss_anon_bytes: Some(190 << 20),
        read_bytes: Some(73_400),
        rows,
        rows_per_second: (rows > 0).then(|| rows * 1000 / wall_ms.max(1)),
    };
    let digest = |name: &str, bytes| FileDigest { name: name.into(), bytes, sha256: "0a".repeat(32) };
    Record {
        run_version: RUN_VERSION,
        run_id: "20261125T013000Z-1a2b3c4d".into(),
        pipeline: "lending".into(),
        generator: "evenhand 0.1.0".into(),
        outcome,
        exits: vec![Exit { code: 1, why: "a criterion of level deny is breached".into() }],
        started_at: "2026-11-25T01:30:00Z".into(),
        finished_at: "2026-11-25T01:30:02Z".into(),
        engine: "reference".into(),
        threads: 1,
        passes_planned: 1,
        passes_run: 1,
        usage: vec![usage("measure", 1240, 1600), usage("judge", 3, 0)],
        previous: Some(Previous { run_id: "20261118T013000Z-99aabbcc".into(), outcome: Outcome::Warn }),
        changes: None,
        since: Vec::new(),
        history: Vec::new(),
        edition: None,
        commitment_sha256: None,
        commitment_salt: None,
        ledger: None,
        price: Vec::new(),
        attacks: None,
        signed_by: None,
        inputs: vec![digest("data/lending.csv", 73_400)],
        files: vec![digest("evidence/readings.csv", 90_000)],
    }
}
