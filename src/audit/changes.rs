//! What differs between two stored runs.
//!
//! A change of two points alone is never called a change: what is said is whether the intervals of the two runs are disjoint. The run
//! compared with is `before`, the other `after`; [`Changes::turned`] exchanges them.

use serde::{Deserialize, Serialize};

use super::bias::Figure;
use crate::cohort::Cohort;
use crate::finding::{Outcome, Verdict};
use crate::metric::{Against, Comparison};
use crate::plan::spec::Level;
use crate::schema::{Origin, Role};

mod turned;

/// Version of the layout of [`Changes`]; grows when a key changes its meaning or goes away.
pub const CHANGES_VERSION: u32 = 1;

/// A value of the run before and of the run after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "{T}Pair"))]
pub struct Pair<T> {
    pub before: T,
    pub after: T,
}

impl<T: PartialEq> Pair<T> {
    /// Nothing where both are equal.
    pub fn differing(before: T, after: T) -> Option<Pair<T>> {
        (before != after).then_some(Pair { before, after })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Changes {
    pub changes_version: u32,
    pub before: RunOf,
    pub after: RunOf,
    /// Why the run before could not be read; nothing is compared then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
    /// Of all, however many the lists below hold.
    pub counts: Counts,
    pub findings: Findings,
    /// Values that moved or cannot be compared; those that are the same are only counted.
    pub values: Vec<ValueChange>,
    pub criteria: Vec<CriterionChange>,
    /// SHA-256 of pipeline and policy file, where they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_sha256: Option<Pair<String>>,
    /// Keys of the pipeline file a report records.
    pub settings: Vec<Setting>,
    pub columns: Vec<ColumnChange>,
    pub model: ModelChange,
    pub data: DataChange,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RunOf {
    pub run_id: String,
    pub pipeline: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub outcome: Outcome,
    /// An attestation lies in its folder.
    pub signed: bool,
    /// Empty where the report could not be read.
    pub generator: String,
    pub report_version: u32,
}

/// Why a run folder could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unread {
    Missing,
    Damaged,
    /// Written by a later program.
    Later,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Counts {
    pub new: u32,
    pub fixed: u32,
    /// Of the new and of the fixed ones: judged by another limit or level than before.
    pub new_by_limit: u32,
    pub fixed_by_limit: u32,
    pub still: u32,
    pub gone: u32,
    pub waivers_gained: u32,
    pub waivers_ended: u32,
    /// Values compared: the same, within the intervals, beyond both, not comparable.
    pub same: u32,
    pub within: u32,
    pub beyond: u32,
    pub unsaid: u32,
}

/// A finding is open when it is not met and no waiver covers it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Findings {
    /// Open now; before it was met, or not judged.
    pub new: Vec<FindingChange>,
    /// Open before, met now.
    pub fixed: Vec<FindingChange>,
    /// Open before, not judged now.
    pub gone: Vec<FindingChange>,
    /// Open in both.
    pub still: Vec<FindingChange>,
    pub waivers_gained: Vec<FindingChange>,
    pub waivers_ended: Vec<FindingChange>,
}

impl Findings {
    /// How many of the new and of the fixed ones are judged by another limit or level.
    pub fn by_limit(&self) -> [u32; 2] {
        [&self.new, &self.fixed].map(|list| count(list.iter().filter(|of| of.limit_moved()).count()))
    }

    pub fn lists(&self) -> [&Vec<FindingChange>; 6] {
        [&self.new, &self.fixed, &self.gone, &self.still, &self.waivers_gained, &self.waivers_ended]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct FindingChange {
    pub code: String,
    /// What is judged; absent for a note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<What>,
    pub before: Option<State>,
    pub after: Option<State>,
}

impl FindingChange {
    /// Of the run after, else of the run before: the data may choose another one each time ([`What::is_chosen`]).
    pub fn cohort(&self) -> Cohort {
        let state = self.after.as_ref().or(self.before.as_ref());
        state.map_or_else(Cohort::everyone, |state| state.cohort.clone())
    }

    /// The limit or the level is another: the verdicts are not of the same criterion.
    pub fn limit_moved(&self) -> bool {
        self.before.as_ref().zip(self.after.as_ref()).is_some_and(|(before, after)| before.limit != after.limit)
    }

    /// The verdict is another, and both were judged.
    pub fn verdict_changed(&self) -> bool {
        self.before.as_ref().zip(self.after.as_ref()).is_some_and(|(before, after)| before.verdict != after.verdict)
    }

    /// Most severe first: the worse of both verdicts, then the level, then the code.
    pub fn order(&self, other: &FindingChange) -> std::cmp::Ordering {
        let rank = |of: &FindingChange| {
            let states = [&of.before, &of.after];
            let worst =
                states.iter().filter_map(|state| state.as_ref()).map(|state| (state.limit.level, state.verdict));
            std::cmp::Reverse(worst.max())
        };
        let limits = |of: &FindingChange| {
            let limit = |state: &Option<State>| state.as_ref().map(|state| state.limit.bits());
            let mut limits = [limit(&of.before), limit(&of.after)];
            limits.sort();
            limits
        };
        let cohorts = |of: &FindingChange| {
            let mut cohorts = [&of.before, &of.after].map(|state| state.as_ref().map(|state| state.cohort.clone()));
            cohorts.sort();
            cohorts
        };
        let key = |of: &FindingChange| (rank(of), of.code.clone(), cohorts(of), limits(of));
        key(self).cmp(&key(other))
    }
}

/// What a criterion judges, without its limit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct What {
    pub metric: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Comparison>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    pub across: Vec<String>,
}

impl What {
    /// The two cohorts that differ most are compared: which these are is part of the value, not of what is judged.
    pub fn is_chosen(&self) -> bool {
        self.compare.is_some() && matches!(self.against, None | Some(Against::WorstPair))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct State {
    pub cohort: Cohort,
    pub verdict: Verdict,
    pub waived: bool,
    pub limit: Limit,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Figure>,
}

impl State {
    pub fn is_open(&self) -> bool {
        self.verdict != Verdict::Met && !self.waived
    }

    /// A waiver covers what is not met.
    pub fn is_waived(&self) -> bool {
        self.verdict != Verdict::Met && self.waived
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Limit {
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
}

impl Limit {
    /// Equal for equal limits.
    pub fn bits(&self) -> (Level, Option<u64>, Option<u64>) {
        (self.level, self.at_most.map(f64::to_bits), self.at_least.map(f64::to_bits))
    }
}

/// How a value stands to the value before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Movement {
    /// The intervals are disjoint.
    Beyond,
    /// One of the two has no value.
    Unsaid,
    /// The intervals have a value in common.
    Within,
    /// Point and interval are the same.
    Same,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ValueChange {
    #[serde(flatten)]
    pub what: What,
    /// Empty where the data choose the cohorts ([`What::is_chosen`]).
    pub cohort: Cohort,
    /// A criterion judges it.
    pub judged: bool,
    pub before: Option<Figure>,
    pub after: Option<Figure>,
    pub movement: Movement,
    pub difference: Difference,
}

/// After less before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "status")]
pub enum Difference {
    /// From the half widths of the two intervals, on the side that matters (Zou and Donner 2008).
    Estimated {
        point: f64,
        lower: f64,
        upper: f64,
    },
    Unsaid {
        why: Unsaid,
    },
}

/// Why no interval of the difference can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Unsaid {
    /// Nobody said that the rows of the two runs are of different units.
    NotIndependent,
    /// Both runs read a file with the same content.
    SameRows,
    NoValue,
    Unbounded,
    OtherConfidence,
    /// The data chose which cohorts are compared.
    Chosen,
    /// The interval is not symmetric about an estimate that is normal.
    Method,
}

/// A criterion that is there in one run only, or has another limit or level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CriterionChange {
    #[serde(flatten)]
    pub what: What,
    pub before: Option<Limit>,
    pub after: Option<Limit>,
}

/// A key with a value that differs; absent in a run that has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Setting {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ColumnChange {
    pub name: String,
    /// In which run the column is.
    pub there: Pair<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Pair<Vec<Role>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels_added: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels_removed: Vec<String>,
    /// Kind or bounds of the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Pair<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Pair<Origin>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<Pair<Option<String>>>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct ModelChange {
    pub facts: Vec<Setting>,
    /// Coefficients and intercept that differ.
    pub coefficients: Vec<CoefficientChange>,
    pub coefficients_same: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CoefficientChange {
    /// Absent for the intercept.
    pub feature: Option<String>,
    pub before: Option<f64>,
    pub after: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct DataChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_read: Option<Pair<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_kept: Option<Pair<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_measured: Option<Pair<i64>>,
    /// Source files that are there in one run only, or have another content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange>,
    /// False where an edition does not tell the digests of its source.
    pub files_told: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct FileChange {
    pub name: String,
    /// SHA-256.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// The budget of privacy; absent figures are of a run without differential privacy or without a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Budget {
    pub population: Pair<Option<String>>,
    /// The claim of the run.
    pub epsilon: Pair<Option<f64>>,
    pub delta: Pair<Option<f64>>,
    pub spent: Pair<Option<f64>>,
    pub left: Pair<Option<f64>>,
}

impl Budget {
    fn differs(&self) -> bool {
        let figures = [&self.epsilon, &self.delta, &self.spent, &self.left];
        self.population.before != self.population.after || figures.iter().any(|pair| pair.before != pair.after)
    }
}

impl Changes {
    /// Nothing compared: the run before could not be read, or was not yet.
    pub fn none(before: RunOf, after: RunOf, unread: Option<Unread>) -> Changes {
        Changes {
            changes_version: CHANGES_VERSION,
            before,
            after,
            unread,
            counts: Counts::default(),
            findings: Findings::default(),
            values: Vec::new(),
            criteria: Vec::new(),
            spec_sha256: None,
            settings: Vec::new(),
            columns: Vec::new(),
            model: ModelChange::default(),
            data: DataChange { files_told: true, ..DataChange::default() },
            budget: None,
        }
    }

    /// No difference was found; findings may be open in both.
    pub fn is_empty(&self) -> bool {
        let counts = &self.counts;
        let of_runs = |run: &RunOf| (run.pipeline.clone(), run.outcome, run.generator.clone(), run.report_version);
        let data = &self.data;
        self.unread.is_none()
            && of_runs(&self.before) == of_runs(&self.after)
            && [counts.new, counts.fixed, counts.gone, counts.waivers_gained, counts.waivers_ended] == [0; 5]
            && [counts.beyond, counts.within, counts.unsaid] == [0; 3]
            && !self.findings.still.iter().any(|of| of.limit_moved() || of.verdict_changed())
            && self.criteria.is_empty()
            && self.spec_sha256.is_none()
            && self.settings.is_empty()
            && self.columns.is_empty()
            && (self.model.facts.is_empty() && self.model.coefficients.is_empty())
            && (data.rows_read.is_none() && data.rows_kept.is_none() && data.rows_measured.is_none())
            && data.files.is_empty()
            && !self.budget.as_ref().is_some_and(Budget::differs)
    }

    /// Something is worse after than before: the outcome, a verdict, a finding that is new or lost its waiver.
    pub fn is_worse(&self) -> bool {
        let rank = |outcome| match outcome {
            Outcome::Pass => 0,
            Outcome::Warn => 1,
            Outcome::Inconclusive => 2,
            Outcome::Fail => 3,
        };
        let open = |state: &Option<State>| state.as_ref().is_some_and(State::is_open);
        let worse = |of: &FindingChange| {
            of.before.as_ref().zip(of.after.as_ref()).is_some_and(|(before, after)| after.verdict > before.verdict)
        };
        rank(self.after.outcome) > rank(self.before.outcome)
            || self.counts.new > 0
            || self.findings.waivers_ended.iter().any(|of| open(&of.after))
            || self.findings.still.iter().any(worse)
    }

    /// At most so many of each list; the counts stay those of all.
    pub fn shortened(mut self, most: usize) -> Changes {
        let findings = &mut self.findings;
        for list in [
            &mut findings.new,
            &mut findings.fixed,
            &mut findings.gone,
            &mut findings.still,
            &mut findings.waivers_gained,
            &mut findings.waivers_ended,
        ] {
            list.truncate(most);
        }
        self.values.truncate(most);
        self
    }
}

/// A length as a count.
pub fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
