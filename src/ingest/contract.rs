//! The data contract and the profile of the columns: counted in the first pass, judged on released evidence.
//!
//! For every column one small table of the kept rows: missing, inside or outside the domain, malformed. A value is outside when it is none
//! of the levels, less than the lower or greater than the upper bound; a weight is outside when it is negative, a score when it is not within
//! 0 and 1. A field that is no value of the column's type is malformed, and missing too. Shares are of the kept rows.
//!
//! Where counts below a limit are not published (`measure.suppress_below`), a column shows its counts only if none of missing, outside and
//! inside is between 0 and the limit: shown, they would give away a small cohort of unknown or outside values that the tables withhold, or
//! the other way round. When a model is trained the tables are of the test part, and the counts of all rows less those of the test part are
//! those of the training part; a column that forms cohorts or the target, or is read by one that does, then shows only counts of 0.
//!
//! Under differential privacy only the number of kept rows and the columns with a promise are counted, with noise; a promise is broken when the
//! counts break it by more than [`NOISE_SDS`] standard deviations of their noise.
//!
//! A promise is kept only when it was tested: a share of no rows, or of a column that is not read, is undefined, and the promise is broken.
//! A key identifies the rows when no two rows share it and no row lacks a part of it (the primary key of SQL).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::audit::{ColumnFate, Promise};
use crate::demand::{Axis, Demand, Rows, Shape};
use crate::evidence::{Missing, Released};
use crate::plan::spec::{self, ColumnSpec};
use crate::plan::{Plan, learn, malformed};
use crate::scalar::{Expr, Function, Kind, Scalar, format_number, parse_number};
use crate::scan::parse_truth;
use crate::schema::{Column, Domain, Origin, Role};

/// Counts of rows, of missing, outside and malformed values, and of repeated keys.
pub fn demands(plan: &Plan) -> Vec<Demand> {
    let filter = plan.scan.keep.iter().map(|keep| Axis::Truth { of: keep.clone() }).collect();
    // Rows the filter leaves out are not capped per unit, so no noise of a known scale hides them.
    let mut demands = vec![match is_private(plan) {
        true => tally(ROWS.into(), Rows::Kept, Vec::new()),
        false => tally(ROWS.into(), Rows::All, filter),
    }];
    let kinds = kinds(plan);
    for column in plan.schema.columns.iter().filter(|column| is_counted(plan, column)) {
        if let Some(check) = Check::of(column, &kinds) {
            demands.push(tally(column_demand(&column.name), Rows::Kept, check.axes()));
        }
    }
    let contract = &plan.spec.contract;
    if !contract.unique_key.is_empty() {
        let of = contract.unique_key.iter().map(|name| Scalar::column(name)).collect();
        let memory_bytes_max = contract.memory_mib_max.saturating_mul(1 << 20);
        demands.push(Demand { name: KEY.into(), rows: Rows::Kept, shape: Shape::ClassSizes { of, memory_bytes_max } });
    }
    demands
}

fn is_private(plan: &Plan) -> bool {
    plan.spec.privacy.is_some()
}

/// Every column; under differential privacy those with a promise.
fn is_counted(plan: &Plan, column: &Column) -> bool {
    let promised = |written: &ColumnSpec| {
        written.null_share_max.is_some()
            || written.outside_share_max.is_some()
            || written.missing == Some(spec::Missing::Refuse)
    };
    !is_private(plan) || plan.spec.schema.get(&*column.name).is_some_and(promised)
}

/// Standard deviations of the noise a promise is given.
const NOISE_SDS: f64 = 4.0;

/// What the data turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Rows of the source.
    pub rows_read: i64,
    /// Rows the filter keeps.
    pub rows_kept: i64,
    /// Rows left out because a missing value leaves the filter undecided.
    pub rows_undecided: i64,
    /// Every column of the schema. A column that is read by nothing has no counts: they are 0.
    pub columns: Vec<ColumnFate>,
    pub promises: Vec<Promise>,
}

impl Profile {
    /// The promises that were broken.
    pub fn broken(&self) -> impl Iterator<Item = &Promise> {
        self.promises.iter().filter(|promise| !promise.kept)
    }
}

/// Reads the profile off released evidence.
pub fn profile(plan: &Plan, released: &Released) -> Result<Profile, Missing> {
    let rows = released.tally(ROWS)?;
    let rows_read = rows.total().n;
    let (rows_kept, rows_undecided) = match plan.scan.keep {
        Some(_) if !is_private(plan) => (rows.get(&[1]).n, rows.get(&[2]).n),
        _ => (rows_read, 0),
    };
    let rows_slack = slack(released, ROWS, rows.total().draws);
    let kinds = kinds(plan);
    let mut columns = Vec::new();
    let mut promises: Vec<Promise> =
        plan.spec.contract.rows_min.iter().map(|least| rows_promise(rows_kept, rows_slack, *least)).collect();
    let tabulated = tabulated(plan);
    for column in &plan.schema.columns {
        let check = Check::of(column, &kinds);
        if !is_counted(plan, column) {
            let withheld = Shown { missing: None, outside: None, malformed: None };
            columns.push(fate(plan, column, withheld));
            continue;
        }
        let counts = Counts::of(column, check.as_ref(), released)?;
        let shown = counts.shown(plan, rows_kept, tabulated.contains(&column.name));
        if let Some(written) = plan.spec.schema.get(&*column.name) {
            let judged = Judged { name: &column.name, counts, shown, check: check.as_ref(), rows_kept, rows_slack };
            promises.extend(judged.promises(written));
        }
        columns.push(fate(plan, column, shown));
    }
    promises.extend(key_promise(plan, released, rows_kept)?);
    Ok(Profile { rows_read, rows_kept, rows_undecided, columns, promises })
}

const ROWS: &str = "contract/rows";
const KEY: &str = "contract/key";

fn column_demand(name: &str) -> Arc<str> {
    format!("contract/column/{name}").into()
}

fn tally(name: Arc<str>, rows: Rows, axes: Vec<Axis>) -> Demand {
    Demand { name, rows, shape: Shape::Tally { axes, weight: None } }
}

/// Kinds of all columns that are read or derived.
fn kinds(plan: &Plan) -> BTreeMap<Arc<str>, Kind> {
    let mut kinds: BTreeMap<Arc<str>, Kind> =
        plan.scan.reads.iter().map(|read| (read.name.clone(), read.by.kind())).collect();
    for (name, scalar) in &plan.scan.derive {
        if let Ok(kind) = scalar.kind(&|column| kinds.get(column).copied()) {
            kinds.insert(name.clone(), kind);
        }
    }
    kinds
}

/// How the values of one column are told apart.
struct Check {
    /// Missing, inside, outside.
    state: Axis,
    /// True where a field is no value of the type.
    malformed: Option<Scalar>,
}

impl Check {
    /// None for a column that is not read.
    fn of(column: &Column, kinds: &BTreeMap<Arc<str>, Kind>) -> Option<Check> {
        let kind = *kinds.get(&column.name)?;
        let of = Scalar::column(&column.name);
        let companion = malformed(&column.name);
        let companion = kinds.contains_key(companion.as_str()).then(|| Scalar::column(&companion));
        Some(match (&column.domain, bounds(column)) {
            (Domain::Levels(levels), _) => {
                let levels = levels.iter().map(|level| as_read(level, kind)).collect();
                let of = if kind == Kind::Text { of } else { Expr::Apply(Function::ToText, vec![of]) };
                Check { state: Axis::Levels { of, levels }, malformed: companion }
            }
            (_, Some((lower, upper))) => {
                let edges = if upper == f64::INFINITY { vec![lower] } else { vec![lower, upper.next_up()] };
                let number = Expr::Apply(Function::ToNumber, vec![of.clone()]);
                match kind {
                    Kind::Number => Check { state: Axis::Edges { of, edges }, malformed: companion },
                    Kind::Truth => Check { state: Axis::Edges { of: number, edges }, malformed: companion },
                    Kind::Text => {
                        let present = Expr::Not(Box::new(Expr::IsNull(Box::new(of))));
                        let no_number = Expr::IsNull(Box::new(number.clone()));
                        let malformed = Some(Expr::And(Box::new(present), Box::new(no_number)));
                        Check { state: Axis::Edges { of: number, edges }, malformed }
                    }
                }
            }
            (_, None) => Check { state: Axis::Truth { of: Expr::IsNull(Box::new(of)) }, malformed: companion },
        })
    }

    fn axes(self) -> Vec<Axis> {
        std::iter::once(self.state).chain(self.malformed.map(|of| Axis::Truth { of })).collect()
    }

    fn is_missing(&self, code: u32) -> bool {
        match &self.state {
            Axis::Levels { levels, .. } => code as usize == levels.len(),
            Axis::Edges { edges, .. } => code as usize == edges.len() + 1,
            Axis::Truth { .. } | Axis::Hash { .. } => code == 1,
        }
    }

    fn is_outside(&self, code: u32) -> bool {
        match &self.state {
            Axis::Levels { levels, .. } => code as usize == levels.len() + 1,
            Axis::Edges { .. } => code != 1 && !self.is_missing(code),
            Axis::Truth { .. } | Axis::Hash { .. } => false,
        }
    }

    /// There is a domain to be outside of.
    fn has_domain(&self) -> bool {
        matches!(self.state, Axis::Levels { .. } | Axis::Edges { .. })
    }
}

/// Least and greatest number: declared, learned, or implied by the role.
fn bounds(column: &Column) -> Option<(f64, f64)> {
    let weight = column.is(Role::Weight);
    match column.domain {
        Domain::Bounds { lower, upper } => Some((if weight { lower.max(0.0) } else { lower }, upper)),
        Domain::Open if weight => Some((0.0, f64::INFINITY)),
        Domain::Open if column.is(Role::Score) => Some((0.0, 1.0)),
        Domain::Open | Domain::Levels(_) => None,
    }
}

/// The text a level has once its column was read as numbers or truth values.
fn as_read(level: &Arc<str>, kind: Kind) -> Arc<str> {
    match kind {
        Kind::Text => level.clone(),
        Kind::Number => parse_number(level, '.').map_or_else(|| level.clone(), |number| format_number(number).into()),
        Kind::Truth => parse_truth(level).map_or_else(|| level.clone(), |truth| truth.to_string().into()),
    }
}

/// Rows by which the noise of a count may deceive; none of a count without noise.
fn slack(released: &Released, name: &str, draws: u32) -> f64 {
    released.noise(name).map_or(0.0, |noise| NOISE_SDS * (noise.variance * f64::from(draws)).sqrt())
}

/// What a promise judged on noisy counts says after them: that they are noisy, and the slack it is given.
fn leeway(slack: f64, rows_slack: Option<f64>) -> String {
    let rows = |slack: f64| slack.ceil() as i64;
    match rows_slack {
        _ if slack.max(rows_slack.unwrap_or_default()) <= 0.0 => String::new(),
        None => format!(
            "; a count with noise, judged with a slack of {} rows ({NOISE_SDS} standard deviations of its noise)",
            rows(slack)
        ),
        Some(all) => format!(
            "; counts with noise, judged with a slack of {} rows, and of {} in the number of all rows ({NOISE_SDS} standard deviations of their noise)",
            rows(slack),
            rows(all)
        ),
    }
}

/// Kept rows of a column.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    missing: i64,
    outside: i64,
    malformed: i64,
    missing_slack: f64,
    outside_slack: f64,
}

/// The same, as far as they may be published.
#[derive(Debug, Clone, Copy)]
struct Shown {
    missing: Option<i64>,
    outside: Option<i64>,
    malformed: Option<i64>,
}

impl Counts {
    /// All 0 for a column that is read by nothing.
    fn of(column: &Column, check: Option<&Check>, released: &Released) -> Result<Counts, Missing> {
        let Some(check) = check else { return Ok(Counts::default()) };
        let name = column_demand(&column.name);
        let tally = released.tally(&name)?;
        let state = |codes: &[u32]| codes.first().copied().unwrap_or_default();
        let missing = tally.total_where(|codes| check.is_missing(state(codes)));
        let outside = tally.total_where(|codes| check.is_outside(state(codes)));
        Ok(Counts {
            missing: missing.n,
            outside: outside.n,
            malformed: tally.total_where(|codes| codes.get(1) == Some(&1)).n,
            missing_slack: slack(released, &name, missing.draws),
            outside_slack: slack(released, &name, outside.draws),
        })
    }

    fn shown(self, plan: &Plan, rows_kept: i64, tabulated: bool) -> Shown {
        let limit = i64::try_from(plan.spec.measure.suppress_below).unwrap_or(i64::MAX);
        let small = |n: i64| 0 < n && n < limit;
        let Counts { missing, outside, malformed, .. } = self;
        let shows = match limit > 1 {
            false => true,
            true if tabulated && plan.spec.train.is_some() => missing == 0 && outside == 0,
            true => !small(missing) && !small(outside) && !small(rows_kept - missing - outside),
        };
        let shows_malformed = shows && !(limit > 1 && (small(malformed) || small(missing - malformed)));
        Shown {
            missing: shows.then_some(missing),
            outside: shows.then_some(outside),
            malformed: shows_malformed.then_some(malformed),
        }
    }
}

/// Columns that form cohorts, labels, decisions or the target, and those they are derived from.
fn tabulated(plan: &Plan) -> BTreeSet<Arc<str>> {
    let forms =
        |column: &&Column| [Role::Protected, Role::Target, Role::Prediction].iter().any(|role| column.is(*role));
    let mut names: BTreeSet<Arc<str>> =
        plan.schema.columns.iter().filter(forms).map(|column| column.name.clone()).collect();
    // A derived column may read those before it.
    for (name, scalar) in plan.scan.derive.iter().rev() {
        if names.contains(name) {
            names.extend(scalar.columns());
        }
    }
    names
}

fn fate(plan: &Plan, column: &Column, shown: Shown) -> ColumnFate {
    let is_withheld = column.origin == Origin::Learned && learn::is_withheld(&plan.spec, &column.name);
    ColumnFate {
        name: column.name.clone(),
        roles: column.roles.clone(),
        domain: if is_withheld { Domain::Open } else { column.domain.clone() },
        origin: column.origin,
        derived: plan.spec.derive.get(&*column.name).cloned(),
        missing: shown.missing,
        outside: shown.outside,
        malformed: shown.malformed,
    }
}

/// A column and what it was found to be.
struct Judged<'a> {
    name: &'a str,
    counts: Counts,
    shown: Shown,
    check: Option<&'a Check>,
    rows_kept: i64,
    rows_slack: f64,
}

impl Judged<'_> {
    /// The share of the rows is at most this, as far as the noise lets it be told.
    fn keeps(&self, n: i64, slack: f64, most: f64) -> bool {
        match slack > 0.0 || self.rows_slack > 0.0 {
            true => n as f64 - slack <= most * (self.rows_kept as f64 + self.rows_slack),
            false => n as f64 / self.rows_kept as f64 <= most,
        }
    }

    fn promises(&self, written: &ColumnSpec) -> Vec<Promise> {
        let (name, counts, rows) = (self.name, self.counts, self.rows_kept);
        let written_as = |n: Option<i64>| n.map_or("a withheld number".into(), |n| n.to_string());
        let malformed = match (self.shown.missing, self.shown.malformed) {
            (Some(_), Some(n)) if n > 0 => format!(" ({n} of them malformed)"),
            _ => String::new(),
        };
        let without = format!("{} of {rows} rows have no value{malformed}", written_as(self.shown.missing));
        let leeway = |slack: f64| leeway(slack, Some(self.rows_slack));
        let mut promises = Vec::new();
        if let Some(most) = written.null_share_max {
            let clause = format!("schema.{name}.null_share_max");
            let kept = self.keeps(counts.missing, counts.missing_slack, most);
            let leeway = leeway(counts.missing_slack);
            let found = format!("{without}; promised: a share of at most {}{leeway}", format_number(most));
            promises.push(self.promise(&clause, &found, kept));
        }
        if written.missing == Some(spec::Missing::Refuse) {
            let clause = format!("schema.{name}.missing = \"refuse\"");
            promises.push(self.promise(
                &clause,
                &format!("{without}; promised: none{}", leeway(counts.missing_slack)),
                self.keeps(counts.missing, counts.missing_slack, 0.0),
            ));
        }
        // A negative weight would count as none, unseen.
        let of_weight = written.roles.contains(&Role::Weight).then_some(0.0);
        if let Some(most) = written.outside_share_max.or(of_weight) {
            let clause = format!("schema.{name}.outside_share_max");
            let kept = self.keeps(counts.outside, counts.outside_slack, most);
            let found = format!(
                "{} of {rows} rows have a value outside the levels or bounds; promised: a share of at most {}{}",
                written_as(self.shown.outside),
                format_number(most),
                leeway(counts.outside_slack)
            );
            promises.push(match self.check {
                Some(check) if !check.has_domain() => {
                    untested(&clause, "the column has no levels or bounds; declare them, or take the promise out")
                }
                _ => self.promise(&clause, &found, kept),
            });
        }
        promises
    }

    fn promise(&self, clause: &str, found: &str, kept: bool) -> Promise {
        match self.check {
            None => untested(clause, "the column is read by nothing; take the role \"ignored\" or the promise out"),
            Some(_) => tested(clause, found, kept, self.rows_kept),
        }
    }
}

fn tested(clause: &str, found: &str, kept: bool, rows_kept: i64) -> Promise {
    match rows_kept {
        // A noisy number of rows may be negative.
        ..=0 => untested(clause, "no row is kept; look at ingest.path and ingest.where"),
        _ => Promise { text: format!("{clause}: {found}"), kept },
    }
}

fn untested(clause: &str, why: &str) -> Promise {
    Promise { text: format!("{clause}: not tested, {why}"), kept: false }
}

fn rows_promise(rows_kept: i64, slack: f64, least: u64) -> Promise {
    let kept = match slack > 0.0 {
        true => rows_kept as f64 + slack >= least as f64,
        false => u64::try_from(rows_kept).is_ok_and(|rows| rows >= least),
    };
    let leeway = leeway(slack, None);
    Promise { text: format!("contract.rows_min: {rows_kept} rows are kept; promised: at least {least}{leeway}"), kept }
}

fn key_promise(plan: &Plan, released: &Released, rows_kept: i64) -> Result<Option<Promise>, Missing> {
    let key = &plan.spec.contract.unique_key;
    if key.is_empty() {
        return Ok(None);
    }
    let sizes = released.class_sizes(KEY)?;
    let (repeated, partial) = (sizes.repeated(), sizes.missing);
    let clause = format!("contract.unique_key = [{}]", key.join(", "));
    let found = format!(
        "{repeated} of {rows_kept} rows share their key with another row, {partial} lack a part of it; promised: none"
    );
    Ok(Some(tested(&clause, &found, repeated == 0 && partial == 0, rows_kept)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::reference::Reference;
    use crate::engine::{Engine, EngineError};
    use crate::plan::spec::{Format, Spec};
    use crate::plan::{Learned, Plan};
    use crate::privatize::release;
    use crate::scalar::{Order, Value};
    use crate::scan::Source;

    const SPEC: &str = r#"
        pipeline = { name = "t" }
        ingest = { path = "t.csv" }
        [schema]
        id = {}
        sex = { roles = ["protected"], levels = ["f", "m"], null_share_max = 0.25, outside_share_max = 0.25 }
        age = { roles = ["feature"], bounds = [18, 90], missing = "refuse", outside_share_max = 0 }
        hired = { roles = ["target"], as = "truth", null_share_max = 0 }
        w = { roles = ["weight"], outside_share_max = 0 }
        note = { roles = ["ignored"] }
        [contract]
        rows_min = 4
        unique_key = ["id"]
    "#;

    const HEADER: &str = "id,sex,age,hired,w,note\n";
    const GOOD: [&str; 4] = ["1,f,18,yes,1,a", "2,m,90,no,0,b", "3,m,40,1,2.5,c", "4,f,41,0,1,d"];

    fn parse(text: &str) -> Result<Scalar, String> {
        let old = Expr::Compare(Order::GreaterEqual, Box::new(Scalar::column("age")), Box::new(Scalar::number(40.0)));
        match text {
            "age >= 40" => Ok(old),
            "band" => {
                let text = |text| Expr::Literal(Value::Text(Arc::from(text)));
                Ok(Expr::Case(vec![(old, text("old"))], Some(Box::new(text("young")))))
            }
            other => Err(other.into()),
        }
    }

    fn plan(spec: &str, csv: &str, folder: &tempfile::TempDir) -> Plan {
        let path = folder.path().join("t.csv");
        std::fs::write(&path, csv).unwrap();
        let spec: Spec = toml::from_str(spec).unwrap();
        let source = Source {
            paths: vec![path],
            format: Format::Csv,
            delimiter: b',',
            decimal: '.',
            null_values: vec!["?".into()],
            hive: false,
        };
        Plan::of(&spec, "", source, &parse, &Learned::default()).unwrap()
    }

    fn profiled(spec: &str, rows: &[&str]) -> Profile {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(spec, &format!("{HEADER}{}\n", rows.join("\n")), &folder);
        let released = release(Reference.collect(&plan.scan, &demands(&plan), &|_| {}).unwrap().evidence);
        profile(&plan, &released).unwrap()
    }

    fn broken(profile: &Profile) -> Vec<&str> {
        profile.broken().map(|promise| promise.text.as_str()).collect()
    }

    fn counts(profile: &Profile, name: &str) -> [i64; 3] {
        let fate = profile.columns.iter().find(|fate| &*fate.name == name).unwrap();
        [fate.missing, fate.outside, fate.malformed].map(|n| n.unwrap_or(-1))
    }

    fn with(more: &[&'static str]) -> Vec<&'static str> {
        GOOD.iter().chain(more).copied().collect()
    }

    #[test]
    fn every_promise_is_kept_at_its_edge() {
        let profile = profiled(SPEC, &GOOD);
        assert_eq!((profile.rows_read, profile.rows_kept, profile.rows_undecided), (4, 4, 0));
        assert_eq!(broken(&profile), Vec::<&str>::new());
        assert_eq!(profile.promises.len(), 8);
        assert_eq!(profile.columns.len(), 6);
        assert!(profile.columns.iter().all(|fate| [fate.missing, fate.outside, fate.malformed] == [Some(0); 3]));
    }

    #[test]
    fn missing_outside_and_malformed_values_are_counted_apart() {
        let profile = profiled(SPEC, &with(&["5,?,17,maybe,-1,", "6,x,forty,,heavy,", ",,,,,", "8,f,90.5,no,1e400,"]));
        assert_eq!(counts(&profile, "id"), [1, 0, 0]);
        assert_eq!(counts(&profile, "sex"), [2, 1, 0]);
        assert_eq!(counts(&profile, "age"), [2, 2, 1]);
        assert_eq!(counts(&profile, "hired"), [3, 0, 1]);
        assert_eq!(counts(&profile, "w"), [3, 1, 2]);
        assert_eq!(counts(&profile, "note"), [0, 0, 0]);
    }

    #[test]
    fn each_broken_promise_is_named_with_its_counts() {
        let cases = [
            (vec![GOOD[0], GOOD[1], GOOD[2]], "contract.rows_min: 3 rows are kept; promised: at least 4"),
            (
                with(&["4,f,20,yes,1,", "1,f,20,yes,1,"]),
                "contract.unique_key = [id]: 4 of 6 rows share their key with another row, 0 lack a part of it; promised: none",
            ),
            (
                with(&[",f,20,yes,1,"]),
                "contract.unique_key = [id]: 0 of 5 rows share their key with another row, 1 lack a part of it; promised: none",
            ),
            (
                with(&["5,,20,yes,1,", "6,?,20,yes,1,"]),
                "schema.sex.null_share_max: 2 of 6 rows have no value; promised: a share of at most 0.25",
            ),
            (
                with(&["5,F,20,yes,1,", "6,x,20,yes,1,"]),
                "schema.sex.outside_share_max: 2 of 6 rows have a value outside the levels or bounds; promised: a share of at most 0.25",
            ),
            (
                with(&["5,f,NaN,yes,1,"]),
                "schema.age.missing = \"refuse\": 1 of 5 rows have no value (1 of them malformed); promised: none",
            ),
            (
                with(&["5,f,17.999,yes,1,"]),
                "schema.age.outside_share_max: 1 of 5 rows have a value outside the levels or bounds; promised: a share of at most 0",
            ),
            (
                with(&["5,f,20,,1,"]),
                "schema.hired.null_share_max: 1 of 5 rows have no value; promised: a share of at most 0",
            ),
            (
                with(&["5,f,20,yes,-0.5,"]),
                "schema.w.outside_share_max: 1 of 5 rows have a value outside the levels or bounds; promised: a share of at most 0",
            ),
        ];
        for (rows, text) in cases {
            assert_eq!(broken(&profiled(SPEC, &rows)), [text]);
        }
        let all = profiled(SPEC, &["1,,,,-1,", "1,x,9,,,"]);
        assert_eq!(all.broken().count(), 8, "{:?}", broken(&all));
    }

    /// A count below the limit is shown nowhere, nor is one that leaves such a count.
    #[test]
    fn small_counts_are_withheld() {
        let spec = format!("{SPEC}\n[measure]\nsuppress_below = 3").replace("missing = \"refuse\", ", "");
        let profile = profiled(&spec, &with(&["5,f,17,yes,1,", "6,?,16,yes,1,", "7,x,15,yes,1,", "8,y,20,,1,"]));
        // One without a sex, two outside; three ages outside; one without an outcome.
        assert_eq!(counts(&profile, "sex"), [-1; 3]);
        assert_eq!(counts(&profile, "age"), [0, 3, 0]);
        assert_eq!(counts(&profile, "hired")[0], -1);
        let texts: Vec<&str> = profile.promises.iter().map(|promise| promise.text.as_str()).collect();
        assert_eq!(
            texts[3..5],
            [
                "schema.sex.null_share_max: a withheld number of 8 rows have no value; promised: a share of at most 0.25",
                "schema.sex.outside_share_max: a withheld number of 8 rows have a value outside the levels or bounds; promised: a share of at most 0.25",
            ],
            "{texts:?}"
        );
        // Two rows inside: the six outside would give them away.
        let few: Vec<String> = (0..8).map(|i| format!("{i},{},20,yes,1,", if i < 2 { "f" } else { "x" })).collect();
        let few: Vec<&str> = few.iter().map(String::as_str).collect();
        assert_eq!(counts(&profiled(&spec, &few), "sex")[..2], [-1, -1]);
        // The test part's table and the counts of all rows would give away those of the training part.
        let ages: Vec<String> =
            (0..40).map(|i| format!("{i},{},{},yes,1,", if i < 9 { "x" } else { "f" }, i + 1)).collect();
        let ages: Vec<&str> = ages.iter().map(String::as_str).collect();
        assert_eq!(counts(&profiled(&spec, &ages), "sex"), [0, 9, 0]);
        let trained = profiled(&format!("{spec}\n[train]\nmodel = \"logistic\"\nstrength = 0.1"), &ages);
        assert_eq!(counts(&trained, "sex"), [-1; 3]);
        assert_eq!(counts(&trained, "age"), [0, 17, 0]);
    }

    #[test]
    fn a_share_equal_to_the_limit_is_kept() {
        let spec = SPEC.replace("null_share_max = 0.25", "null_share_max = 0.29");
        let rows: Vec<String> = (0..100).map(|i| format!("{i},{},20,yes,1,", if i < 29 { "" } else { "f" })).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        assert_eq!(broken(&profiled(&spec, &rows)), Vec::<&str>::new());
    }

    #[test]
    fn rows_the_filter_leaves_out_are_counted_and_not_judged() {
        let spec = SPEC
            .replace("path = \"t.csv\"", "path = \"t.csv\", where = \"age >= 40\"")
            .replace("rows_min = 4", "rows_min = 3");
        let profile = profiled(&spec, &with(&["1,x,20,,-1,", "9,x,,,-1,"]));
        assert_eq!((profile.rows_read, profile.rows_kept, profile.rows_undecided), (6, 3, 1));
        assert_eq!(broken(&profile), Vec::<&str>::new());
        assert_eq!(counts(&profile, "sex"), [0, 0, 0]);
    }

    #[test]
    fn a_derived_column_is_held_to_its_domain() {
        let spec = SPEC.replace(
            "[schema]",
            "derive = { band = \"band\" }\n[schema]\nband = { levels = [\"old\"], outside_share_max = 0.5 }",
        );
        let profile = profiled(&spec, &GOOD);
        assert_eq!(counts(&profile, "band"), [0, 1, 0]);
        assert_eq!(profile.columns.iter().find(|fate| &*fate.name == "band").unwrap().derived.as_deref(), Some("band"));
        let strict = spec.replace("outside_share_max = 0.5", "outside_share_max = 0.2");
        assert_eq!(profiled(&strict, &GOOD).broken().count(), 1);
    }

    #[test]
    fn levels_of_numbers_and_truths_are_compared_as_values() {
        let spec = SPEC
            .replace("id = {}", "id = { as = \"number\", levels = [\"1.0\", \"2\"], outside_share_max = 1 }")
            .replace("as = \"truth\"", "as = \"truth\", levels = [\"Yes\"]");
        let profile = profiled(&spec, &with(&["n,f,20,yes,1,"]));
        assert_eq!(counts(&profile, "id"), [1, 2, 1]);
        assert_eq!(counts(&profile, "hired"), [0, 2, 0]);
    }

    #[test]
    fn bounds_of_a_column_of_texts_hold_for_the_numbers_in_it() {
        let spec = SPEC.replace("id = {}", "id = { as = \"text\", bounds = [1, 3] }");
        assert_eq!(counts(&profiled(&spec, &with(&["n,f,20,yes,1,", ",f,20,yes,1,"])), "id"), [2, 1, 1]);
    }

    #[test]
    fn a_score_is_within_0_and_1() {
        let spec = SPEC.replace("id = {}", "id = { roles = [\"score\"] }");
        assert_eq!(counts(&profiled(&spec, &GOOD), "id"), [0, 3, 0]);
    }

    #[test]
    fn a_promise_that_cannot_be_tested_is_broken() {
        let spec = SPEC.replace("rows_min = 4", "rows_min = 0");
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(&spec, HEADER, &folder);
        let released = release(Reference.collect(&plan.scan, &demands(&plan), &|_| {}).unwrap().evidence);
        let profile = profile(&plan, &released).unwrap();
        assert_eq!(profile.broken().count(), 7);
        assert!(broken(&profile).iter().all(|text| text.contains("not tested, no row is kept")));
        let spec = SPEC
            .replace("[\"ignored\"]", "[\"ignored\"], null_share_max = 1")
            .replace("id = {}", "id = { outside_share_max = 1 }");
        let texts = profiled(&spec, &GOOD);
        assert_eq!(
            broken(&texts),
            [
                "schema.id.outside_share_max: not tested, the column has no levels or bounds; declare them, or take the promise out",
                "schema.note.null_share_max: not tested, the column is read by nothing; take the role \"ignored\" or the promise out",
            ]
        );
    }

    /// Noise of variance 4 per draw, one draw per cell: the slack is 4 * 2 for one cell, and 8 rows fewer than promised are let pass.
    #[test]
    fn a_promise_judged_on_noisy_counts_says_so_and_how_much_is_let_pass() {
        use crate::budget::{Charge, Mechanism, Noise, Receipt};
        use crate::evidence::Evidence;
        use crate::statistic::{Cell, Statistic, Tally};
        let spec = r#"
            pipeline = { name = "t" }
            ingest = { path = "t.csv" }
            privacy = { population = "p", epsilon = 1.0 }
            schema.sex = { roles = ["protected"], levels = ["f", "m"], null_share_max = 0.0, outside_share_max = 0.0 }
            contract.rows_min = 1000
        "#;
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(spec, "sex\nf\n", &folder);
        let noisy = |n| Cell { draws: 1, ..Cell::rows(n) };
        let profiled = |rows: i64, missing: i64| {
            let (mut all, mut sex) = (Tally::new(vec![]), Tally::new(vec![4]));
            all.add(&[], noisy(rows));
            for (code, n) in [(0, 400), (1, rows - 400 - missing), (2, missing), (3, -2)] {
                sex.add(&[code], noisy(n));
            }
            let statistics = [("contract/rows", all), ("contract/column/sex", sex)]
                .map(|(name, tally)| (Arc::from(name), Statistic::Tally(tally)));
            let receipt = |name: &str| Receipt {
                statistic: name.into(),
                shape: "tally".into(),
                mechanism: Mechanism::DiscreteGaussian,
                noise: Some(Noise {
                    parameter: "sigma^2 4/1".into(),
                    variance: 4.0,
                    sensitivity: "L2 1".into(),
                    numbers: 1,
                    charge: Charge::FREE,
                }),
            };
            let receipts = ["contract/rows", "contract/column/sex"].map(receipt).into();
            profile(&plan, &Released::new(Evidence { statistics: statistics.into() }, receipts)).unwrap()
        };
        let kept = profiled(992, 8);
        assert_eq!(broken(&kept), Vec::<&str>::new());
        let texts: Vec<&str> = kept.promises.iter().map(|promise| promise.text.as_str()).collect();
        let slack = "counts with noise, judged with a slack of 8 rows, and of 8 in the number of all rows (4 standard deviations of their noise)";
        assert_eq!(
            texts,
            [
                "contract.rows_min: 992 rows are kept; promised: at least 1000; a count with noise, judged with a slack of 8 rows (4 standard deviations of its noise)".to_string(),
                format!("schema.sex.null_share_max: 8 of 992 rows have no value; promised: a share of at most 0; {slack}"),
                format!("schema.sex.outside_share_max: -2 of 992 rows have a value outside the levels or bounds; promised: a share of at most 0; {slack}"),
            ]
        );
        assert_eq!(profiled(991, 9).broken().count(), 2);
        let exact = "a promise without noise says nothing of it";
        assert!(self::profiled(SPEC, &GOOD).promises.iter().all(|promise| !promise.text.contains("noise")), "{exact}");
    }

    #[test]
    fn a_partition_is_a_column_like_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = plan(SPEC, "", &folder);
        plan.scan.source.hive = true;
        plan.scan.source.paths.clear();
        for (sex, rows) in [
            ("f", "1,18,yes,1\n4,41,0,1\n"),
            ("__HIVE_DEFAULT_PARTITION__", "2,90,no,0\n"),
            ("%6D", "3,40,1,2.5\n"),
            ("x", "5,18,1,1\n"),
        ] {
            let path = folder.path().join(format!("sex={sex}/a.csv"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("id,age,hired,w\n{rows}")).unwrap();
            plan.scan.source.paths.push(path);
        }
        let described: Vec<Arc<str>> =
            Reference.describe(&plan.scan.source).unwrap().into_iter().map(|column| column.name).collect();
        assert_eq!(described, ["id".into(), "age".into(), "hired".into(), "w".into(), Arc::from("sex")]);
        let released = release(Reference.collect(&plan.scan, &demands(&plan), &|_| {}).unwrap().evidence);
        let profile = profile(&plan, &released).unwrap();
        assert_eq!(profile.rows_read, 5);
        assert_eq!(counts(&profile, "sex"), [1, 1, 0]);
        plan.scan.source.hive = false;
        assert!(matches!(Reference.collect(&plan.scan, &demands(&plan), &|_| {}), Err(EngineError::NoColumn { .. })));
    }

    #[test]
    fn a_key_that_does_not_fit_the_memory_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(
            &SPEC.replace("rows_min = 4", "memory_mib_max = 0"),
            &format!("{HEADER}{}\n", GOOD.join("\n")),
            &folder,
        );
        let collected = Reference.collect(&plan.scan, &demands(&plan), &|_| {});
        assert!(matches!(collected, Err(EngineError::Memory { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_order_of_rows_changes_nothing(order in Just((0..8).collect::<Vec<usize>>()).prop_shuffle()) {
            let rows = with(&["4,x,17,,-1,", ",f,,yes,1,", "6,?,forty,no,,", "6,m,30,no,1,"]);
            let shuffled: Vec<&str> = order.iter().map(|&i| rows[i]).collect();
            prop_assert_eq!(profiled(SPEC, &rows), profiled(SPEC, &shuffled));
        }
    }
}
