//! `[deidentify]`: what is done to each column of a dataset before its rows leave the house.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The de-identified dataset: its file, the rules it keeps, and every column that is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deidentify {
    /// A set of rules that `check` holds the columns against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Name of the file in the run folder; `.csv` or `.parquet`.
    pub output: String,
    /// Writes the rows in random order within windows of 65,536 rows: an order can tell who is who.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// What every class of rows that agree in the columns with do = "model" must satisfy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ClassModel>,
    /// What is done to each column. A column that is not listed is not in the file.
    pub columns: BTreeMap<String, ColumnRule>,
}

fn yes() -> bool {
    true
}

/// Rules that say what may leave the house and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// 45 CFR 164.514(b)(2): eighteen classes of identifiers; 164.514(c): no code derived from them.
    HipaaSafeHarbor,
    /// GDPR, Article 4(5): identity only by information that is kept apart.
    GdprPseudonymisation,
    /// GB/T 37964-2019: direct identifiers replaced, quasi-identifiers coarsened.
    #[serde(rename = "gb-t-37964")]
    GbT37964,
}

impl Profile {
    /// The name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Profile::HipaaSafeHarbor => "hipaa-safe-harbor",
            Profile::GdprPseudonymisation => "gdpr-pseudonymisation",
            Profile::GbT37964 => "gb-t-37964",
        }
    }
}

/// What is done to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Do {
    /// As it is.
    Keep,
    /// The column is not in the file.
    Drop,
    /// The column is in the file and empty.
    Redact,
    /// Characters of a text are covered.
    Mask,
    /// A keyed hash of the value takes its place.
    Pseudonym,
    /// A random token takes its place; which one is kept in an encrypted table.
    Token,
    /// A text of the same form takes its place, by encryption (FF1).
    FormatPreserving,
    /// A coarser value takes its place.
    Generalise,
    /// Numbers above a limit become the limit.
    TopCode,
    /// Numbers below a limit become the limit.
    BottomCode,
    /// Dates are moved by as many days for all rows of a unit.
    DateShift,
    /// Numbers are rounded.
    Round,
    /// The mean of a group of rows that are alike in all columns with this word takes its place (MDAV).
    Microaggregate,
    /// A value that is drawn takes its place: differentially private for every record by itself.
    Randomise,
    /// A coarser value takes its place, as coarse as the section `model` demands.
    Model,
}

impl Do {
    /// The name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Do::Keep => "keep",
            Do::Drop => "drop",
            Do::Redact => "redact",
            Do::Mask => "mask",
            Do::Pseudonym => "pseudonym",
            Do::Token => "token",
            Do::FormatPreserving => "format-preserving",
            Do::Generalise => "generalise",
            Do::TopCode => "top-code",
            Do::BottomCode => "bottom-code",
            Do::DateShift => "date-shift",
            Do::Round => "round",
            Do::Microaggregate => "microaggregate",
            Do::Randomise => "randomise",
            Do::Model => "model",
        }
    }
}

/// What is left of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DatePart {
    Month,
    Quarter,
    Year,
}

/// Criteria on the classes of a dataset, and how they are reached. Each is defined, with its source, in `deidentify/criteria.rs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ClassModel {
    /// The column an outsider must not learn; diversity, closeness, disclosure and likeness are of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<String>,
    /// Least rows of a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_anonymity: Option<u64>,
    /// Least rows of a class in the population.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k_map: Option<u64>,
    /// File with a row for every person the dataset could be of, and the columns with do = "model" under the same names; relative to the
    /// pipeline file. It holds the people of the dataset too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<String>,
    /// Greatest share of one sensitive value in a class; with `k_anonymity`, (alpha, k)-anonymity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Least number of sensitive values in a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_diversity: Option<u64>,
    /// Least exponential of the entropy of a class' sensitive values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy_diversity: Option<f64>,
    /// The most frequent sensitive value comes less than c times as often as those from the l-th on together: [c, l].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive_diversity: Option<(f64, u64)>,
    /// Greatest distance between the sensitive values of a class and those of all rows, every two values being at distance 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closeness: Option<f64>,
    /// The same, the levels of the sensitive column being in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_closeness: Option<f64>,
    /// Greatest logarithm of how much likelier or unlikelier a sensitive value is in a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_disclosure: Option<f64>,
    /// Greatest relative growth of a sensitive value's share in a class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_beta: Option<f64>,
    /// The same, and none beyond what the value's rareness allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced_beta: Option<f64>,
    /// Greatest share of the rows that may be left out, 0 to 1.
    #[serde(default)]
    pub suppression_max: f64,
    /// What the search minimises.
    #[serde(default)]
    pub objective: LossOf,
    /// How the coarser values are found.
    #[serde(default)]
    pub search: SearchBy,
    /// Risks above which rows are counted, before and after.
    #[serde(default = "risks")]
    pub risk_at: Vec<f64>,
}

fn risks() -> Vec<f64> {
    vec![0.05, 0.2]
}

/// A loss of information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LossOf {
    /// How much of a column's domain a written value covers.
    #[default]
    Granularity,
    /// Sum of squared class sizes.
    Discernibility,
    /// Mean rows of a class over k.
    AverageClassSize,
    /// Bits that coarser values no longer tell.
    NonUniformEntropy,
}

/// A way to coarser values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SearchBy {
    /// One level of every column for the whole file; the least loss there is.
    #[default]
    Lattice,
    /// Regions of their own for every part of the file, cut at medians; nothing is suppressed.
    Mondrian,
}

/// What is done to one column, and how. Which keys go with which word is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ColumnRule {
    #[serde(rename = "do")]
    pub by: Do,
    /// Pseudonym, token, format-preserving: equal values become equal within a domain. The column's name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Pseudonym, format-preserving, date-shift: name of the variable that holds the key, 32 bytes or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// In place of `key_env`: file that holds the key, relative to the pipeline file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Token: the encrypted table, relative to the pipeline file. It is made when it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_file: Option<String>,
    /// Token: name of the variable that holds the passphrase of the table, 12 bytes or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase_env: Option<String>,
    /// Mask: characters at the start that stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_first: Option<u32>,
    /// Mask: characters at the end that stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_last: Option<u32>,
    /// Mask: `#` keeps a character, `*` covers one, any other must stand there itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Generalise: leading digits that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<u32>,
    /// Generalise with `digits`: beginnings that become zeros, for they have few inhabitants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<Vec<String>>,
    /// Generalise: what is left of a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DatePart>,
    /// Generalise: width of the intervals of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<f64>,
    /// Generalise with `width`: an end that one interval has. 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<f64>,
    /// Generalise, model: file of lines `value;level 1;level 2`, relative to the pipeline file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<String>,
    /// Generalise with `hierarchy`: which of its levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Model: widths of the intervals of a number, finest first, each a multiple of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<f64>>,
    /// Model: first characters of a text that are kept, most first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefixes: Option<Vec<u32>>,
    /// Model: parts of a date, finest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<Vec<DatePart>>,
    /// Top-code, bottom-code: the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Round, randomise: to multiples of this; for randomised numbers from the lower bound on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
    /// Microaggregate: least rows of a group; the same for all columns with this word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u64>,
    /// Randomise: epsilon of one value of one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// Date-shift: most days, either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_max: Option<u32>,
    /// Date-shift: column of the person whose rows move together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Format-preserving: the characters that are encrypted. Punctuation and spaces stay; a value with any other character is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<String>,
}

impl ColumnRule {
    /// A rule without parameters.
    pub fn new(by: Do) -> ColumnRule {
        ColumnRule {
            by,
            domain: None,
            key_env: None,
            key_file: None,
            table_file: None,
            passphrase_env: None,
            keep_first: None,
            keep_last: None,
            pattern: None,
            digits: None,
            restricted: None,
            date: None,
            width: None,
            origin: None,
            hierarchy: None,
            level: None,
            widths: None,
            prefixes: None,
            dates: None,
            at: None,
            to: None,
            k: None,
            epsilon: None,
            days_max: None,
            unit: None,
            alphabet: None,
        }
    }
}
