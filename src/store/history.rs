//! What the history knows without opening a run folder: since when findings are open, how judged values went, how runs ended.

use std::collections::HashMap;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{RunRow, Store, StoreError, cohort_json, of_word, run_of, word};
use crate::audit::{Past, Recurrence, Seen, Series, Since};
use crate::cohort::Cohort;
use crate::estimate::Measured;
use crate::finding::{Finding, Verdict};

/// A run as the history lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub run: RunRow,
    /// Criteria by verdict; none where they were not recorded.
    pub counts: Option<Tally>,
    /// What became of its mails and posts: states with their number, in order of their names.
    pub delivery: Vec<(String, i64)>,
}

/// Judged values by verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    pub met: i64,
    pub breached: i64,
    pub undetermined: i64,
    pub not_measured: i64,
    pub waived: i64,
}

impl Store {
    /// Since when the open findings of a run that is not yet recorded are open. What it costs does not grow with the history.
    pub fn since(&mut self, pipeline: &str, findings: &[Finding], now: &Seen) -> Result<Vec<Since>, StoreError> {
        let found = self.runtime.block_on(since(&mut self.connection, pipeline, findings, now));
        let found = found.map_err(|e| StoreError::of(&self.path, &e))?;
        Ok(found.into_iter().map(|(_, since)| since).collect())
    }

    /// The recorded values of judged findings over the last runs of a pipeline, oldest first, one series for each finding.
    pub fn past(&mut self, pipeline: &str, findings: &[&Finding], runs: u32) -> Result<Vec<Series>, StoreError> {
        let connection = &mut self.connection;
        let read = self.runtime.block_on(async {
            let mut all = Vec::new();
            for finding in findings {
                let Some(gate) = &finding.gate else { continue };
                let query = sqlx::query(
                    "SELECT r.run_id, r.started_at, f.code, f.cohort, f.verdict, v.metric, v.point, v.lower, v.upper, v.at_most, v.at_least \
                     FROM (SELECT run_id, started_at, sequence FROM runs WHERE pipeline = ? ORDER BY sequence DESC LIMIT ?) r \
                     CROSS JOIN findings f ON f.run_id = r.run_id AND +f.code = ? AND (? OR f.cohort = ?) AND f.level = ? \
                     CROSS JOIN finding_values v ON v.run_id = f.run_id AND v.position = f.position ORDER BY r.sequence",
                );
                let query = query.bind(pipeline).bind(runs).bind(&*finding.code);
                let query = query.bind(is_chosen(&finding.code)).bind(cohort_json(&finding.cohort)?);
                let query = query.bind(word(&finding.level)?);
                let mut points = query.fetch_all(&mut *connection).await?.iter().map(past_of).collect::<Result<Vec<_>, _>>()?;
                points.dedup_by(|a, b| a.run_id == b.run_id);
                all.push(Series {
                    code: finding.code.to_string(),
                    cohort: finding.cohort.clone(),
                    metric: gate.metric.to_string(),
                    points,
                });
            }
            Ok::<_, sqlx::Error>(all)
        });
        read.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// The recorded values of a metric, over the last runs of a pipeline, oldest first; of one set of attributes, or of every one.
    pub fn series(
        &mut self,
        pipeline: &str,
        metric: &str,
        across: Option<&[String]>,
        runs: u32,
    ) -> Result<Vec<Series>, StoreError> {
        let across = across.map(|names| serde_json::Value::from(names.to_vec()).to_string());
        let query = sqlx::query(
            "SELECT r.run_id, r.started_at, f.code, f.cohort, f.verdict, v.metric, v.point, v.lower, v.upper, v.at_most, v.at_least \
             FROM (SELECT run_id, started_at, sequence FROM runs WHERE pipeline = ? ORDER BY sequence DESC LIMIT ?) r \
             CROSS JOIN finding_values v ON v.run_id = r.run_id AND v.metric = ? AND (? IS NULL OR v.across = ?) \
             CROSS JOIN findings f ON f.run_id = v.run_id AND f.position = v.position ORDER BY r.sequence",
        );
        let query = query.bind(pipeline).bind(runs).bind(metric).bind(&across).bind(&across);
        let rows = self.runtime.block_on(query.fetch_all(&mut self.connection));
        let grouped = rows.and_then(|rows| {
            let mut all: Vec<Series> = Vec::new();
            let mut known: HashMap<(String, String), usize> = HashMap::new();
            for row in &rows {
                let code: String = row.try_get("code")?;
                let cohort = known_by(&code, row.try_get("cohort")?);
                let at = *known.entry((code.clone(), cohort.clone())).or_insert(all.len());
                if at == all.len() {
                    all.push(Series { code, cohort: cohort_of(&cohort)?, metric: metric.into(), points: Vec::new() });
                }
                all[at].points.push(past_of(row)?);
            }
            Ok(all)
        });
        grouped.map_err(|e| StoreError::of(&self.path, &e))
    }

    /// The last recorded runs of a pipeline, latest first.
    pub fn lines(&mut self, pipeline: &str, limit: u32) -> Result<Vec<Line>, StoreError> {
        let connection = &mut self.connection;
        let read = self.runtime.block_on(async {
            let query = sqlx::query(
                "SELECT runs.*, met, breached, undetermined, not_measured, waived FROM runs LEFT JOIN run_counts USING (run_id) \
                 WHERE pipeline = ? ORDER BY sequence DESC LIMIT ?",
            );
            let rows = query.bind(pipeline).bind(limit).fetch_all(&mut *connection).await?;
            let mut lines = rows.iter().map(line_of).collect::<Result<Vec<_>, _>>()?;
            let mut states = delivery(connection, pipeline, limit).await?;
            for line in &mut lines {
                line.delivery = states.remove(&line.run.run_id).unwrap_or_default();
            }
            Ok::<_, sqlx::Error>(lines)
        });
        read.map_err(|e| StoreError::of(&self.path, &e))
    }
}

/// States of what is in the outbox by run; nothing where there is no outbox.
async fn delivery(
    connection: &mut SqliteConnection,
    pipeline: &str,
    limit: u32,
) -> Result<HashMap<String, Vec<(String, i64)>>, sqlx::Error> {
    let known = "SELECT count(*) FROM pragma_table_info('outbox') WHERE name IN ('run_id', 'state')";
    if sqlx::query_scalar::<_, i64>(known).fetch_one(&mut *connection).await? != 2 {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(
        "SELECT run_id, CAST(state AS TEXT) AS state, count(*) AS n FROM outbox WHERE run_id IN \
         (SELECT run_id FROM runs WHERE pipeline = ? ORDER BY sequence DESC LIMIT ?) GROUP BY 1, 2 ORDER BY 1, 2",
    );
    let mut states: HashMap<String, Vec<(String, i64)>> = HashMap::new();
    for row in query.bind(pipeline).bind(limit).fetch_all(&mut *connection).await? {
        let state = (row.try_get::<String, _>("state")?, row.try_get("n")?);
        states.entry(row.try_get("run_id")?).or_default().push(state);
    }
    Ok(states)
}

fn line_of(row: &SqliteRow) -> Result<Line, sqlx::Error> {
    let n = |name: &str| row.try_get::<Option<i64>, _>(name);
    let counts = match n("met")? {
        None => None,
        Some(met) => Some(Tally {
            met,
            breached: n("breached")?.unwrap_or(0),
            undetermined: n("undetermined")?.unwrap_or(0),
            not_measured: n("not_measured")?.unwrap_or(0),
            waived: n("waived")?.unwrap_or(0),
        }),
    };
    Ok(Line { run: run_of(row)?, counts, delivery: Vec::new() })
}

fn past_of(row: &SqliteRow) -> Result<Past, sqlx::Error> {
    Ok(Past {
        run_id: row.try_get("run_id")?,
        started_at: row.try_get("started_at")?,
        verdict: of_word(row.try_get("verdict")?)?,
        point: row.try_get("point")?,
        lower: row.try_get("lower")?,
        upper: row.try_get("upper")?,
        at_most: row.try_get("at_most")?,
        at_least: row.try_get("at_least")?,
    })
}

fn cohort_of(json: &str) -> Result<Cohort, sqlx::Error> {
    serde_json::from_str(json).map_err(|e| sqlx::Error::Decode(e.into()))
}

/// The data choose the cohorts of a comparison of the two that differ most: which these are is no part of what is judged.
fn is_chosen(code: &str) -> bool {
    let mut parts = code.split('/');
    let judged = parts.next() == Some("judge");
    judged && matches!(parts.nth(1), Some("difference" | "ratio" | "difference-worst-pair" | "ratio-worst-pair"))
}

/// The cohort a finding is known by.
fn known_by(code: &str, cohort: String) -> String {
    if is_chosen(code) { "{}".into() } else { cohort }
}

fn is_open(finding: &Finding) -> bool {
    finding.verdict != Verdict::Met && finding.waiver.is_none()
}

/// Positions of the open findings, and since when they are open. The run itself may be recorded already.
async fn since(
    connection: &mut SqliteConnection,
    pipeline: &str,
    findings: &[Finding],
    now: &Seen,
) -> Result<Vec<(usize, Since)>, sqlx::Error> {
    let before = sqlx::query(
        "SELECT f.code, f.cohort, f.level, coalesce(v.since_run, r.run_id) AS run_id, coalesce(v.since_at, r.started_at) AS started_at \
         FROM (SELECT run_id, started_at FROM runs WHERE pipeline = ? AND run_id <> ? ORDER BY sequence DESC LIMIT 1) r \
         CROSS JOIN findings f ON f.run_id = r.run_id \
         LEFT JOIN finding_values v ON v.run_id = f.run_id AND v.position = f.position \
         WHERE f.verdict <> 'met' AND f.waived = 0",
    );
    let seen = |row: &SqliteRow| {
        Ok::<_, sqlx::Error>(Seen { run_id: row.try_get("run_id")?, started_at: row.try_get("started_at")? })
    };
    let mut open: HashMap<(String, String, String), Seen> = HashMap::new();
    for row in before.bind(pipeline).bind(&now.run_id).fetch_all(&mut *connection).await? {
        let code: String = row.try_get("code")?;
        let cohort = known_by(&code, row.try_get("cohort")?);
        open.insert((code, cohort, row.try_get("level")?), seen(&row)?);
    }
    let mut found = Vec::new();
    for (position, finding) in findings.iter().enumerate().filter(|(_, finding)| is_open(finding)) {
        let (cohort, level) = (known_by(&finding.code, cohort_json(&finding.cohort)?), word(&finding.level)?);
        let query = sqlx::query(
            "SELECT run_id, started_at FROM finding_first WHERE pipeline = ? AND code = ? AND cohort = ? AND level = ? AND run_id <> ?",
        );
        let query = query.bind(pipeline).bind(&*finding.code).bind(&cohort).bind(&level).bind(&now.run_id);
        let first = query.fetch_optional(&mut *connection).await?.as_ref().map(seen).transpose()?;
        let before = open.get(&(finding.code.to_string(), cohort, level)).cloned();
        let standing = match (&before, &first) {
            (Some(_), _) => Recurrence::Still,
            (None, Some(_)) => Recurrence::Again,
            (None, None) => Recurrence::New,
        };
        let open_since = before.unwrap_or_else(|| now.clone());
        found.push((
            position,
            Since {
                code: finding.code.to_string(),
                cohort: finding.cohort.clone(),
                level: finding.level,
                standing,
                first_seen: first.unwrap_or_else(|| open_since.clone()),
                open_since,
            },
        ));
    }
    Ok(found)
}

/// Records the values of a run, within the transaction that records the run.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    run: &RunRow,
    findings: &[Finding],
) -> Result<(), sqlx::Error> {
    let now = Seen { run_id: run.run_id.clone(), started_at: run.started_at.clone() };
    let open: HashMap<usize, Since> = since(connection, &run.pipeline, findings, &now).await?.into_iter().collect();
    let mut tally = Tally::default();
    for (position, finding) in findings.iter().enumerate() {
        let since = open.get(&position);
        if let Some(since) = since.filter(|since| since.standing == Recurrence::New) {
            let query = sqlx::query(
                "INSERT INTO finding_first (pipeline, code, cohort, level, run_id, started_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            );
            let query = query.bind(&run.pipeline).bind(&since.code);
            let query = query.bind(known_by(&since.code, cohort_json(&since.cohort)?));
            let query = query.bind(word(&since.level)?).bind(&now.run_id).bind(&now.started_at);
            query.execute(&mut *connection).await?;
        }
        if finding.gate.is_some() {
            tally.add(finding);
        }
        value(connection, run, position, finding, since).await?;
    }
    let query = sqlx::query(
        "INSERT INTO run_counts (run_id, met, breached, undetermined, not_measured, waived) VALUES (?, ?, ?, ?, ?, ?)",
    );
    let query = query.bind(&run.run_id).bind(tally.met).bind(tally.breached).bind(tally.undetermined);
    query.bind(tally.not_measured).bind(tally.waived).execute(&mut *connection).await?;
    Ok(())
}

/// Records what is judged of a finding and since when it is open; nothing of a note that is not open.
async fn value(
    connection: &mut SqliteConnection,
    run: &RunRow,
    position: usize,
    finding: &Finding,
    since: Option<&Since>,
) -> Result<(), sqlx::Error> {
    let gate = finding.gate.as_ref();
    if gate.is_none() && since.is_none() {
        return Ok(());
    }
    let across =
        gate.map(|gate| serde_json::Value::from(gate.across.iter().map(|name| name.to_string()).collect::<Vec<_>>()));
    let estimate = finding.measured.as_ref().and_then(Measured::estimate);
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let query = sqlx::query(
        "INSERT INTO finding_values (run_id, position, metric, across, at_most, at_least, point, lower, upper, since_run, since_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let query = query.bind(&run.run_id).bind(i64::try_from(position).unwrap_or(i64::MAX));
    let query = query.bind(gate.map(|gate| gate.metric.to_string())).bind(across.map(|names| names.to_string()));
    let query =
        query.bind(gate.and_then(|gate| finite(gate.at_most))).bind(gate.and_then(|gate| finite(gate.at_least)));
    let query = query.bind(estimate.and_then(|of| finite(Some(of.point))));
    let query = query
        .bind(estimate.and_then(|of| finite(of.interval.lower)))
        .bind(estimate.and_then(|of| finite(of.interval.upper)));
    let query = query.bind(since.map(|of| &of.open_since.run_id)).bind(since.map(|of| &of.open_since.started_at));
    query.execute(&mut *connection).await?;
    Ok(())
}

impl Tally {
    fn add(&mut self, finding: &Finding) {
        let place = match (finding.verdict, finding.waiver.is_some()) {
            (Verdict::Met, _) => &mut self.met,
            (_, true) => &mut self.waived,
            (Verdict::Breached, _) => &mut self.breached,
            (Verdict::Undetermined, _) => &mut self.undetermined,
            (Verdict::NotMeasured, _) => &mut self.not_measured,
        };
        *place = place.saturating_add(1);
    }
}
