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
    /// Generalise: file of lines `value;level 1;level 2`, relative to the pipeline file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<String>,
    /// Generalise with `hierarchy`: which of its levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Top-code, bottom-code: the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Round: to multiples of this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
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
            at: None,
            to: None,
            days_max: None,
            unit: None,
            alphabet: None,
        }
    }
}
