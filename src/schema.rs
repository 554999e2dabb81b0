//! What a column is for: its roles and its domain.
//!
//! A column has a *set* of roles (sex may be protected, quasi-identifier and feature at once). The domain is declared in the
//! pipeline file, or, with differential privacy off, learned in a pass of its own. Unknown is a level of its own in every table.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a column is used for. Kebab-case in TOML and JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Singles out a row or person (name, account number). Never a feature, never printed.
    Identifier,
    /// The entity whose privacy is protected and whose rows depend on one another (person, household).
    PrivacyUnit,
    /// Cohorts are formed over it.
    Protected,
    /// Known to outsiders, and identifying in combination.
    QuasiIdentifier,
    /// What an outsider should not learn.
    Sensitive,
    /// Input of the trained model.
    Feature,
    /// The true outcome.
    Target,
    /// The decision of a model or process under audit.
    Prediction,
    /// The score of a model under audit.
    Score,
    /// Sampling weight of the row.
    Weight,
    /// When the row was observed.
    Time,
    /// Read by nothing.
    Ignored,
}

impl Role {
    /// All roles in the order of the documentation.
    pub const ALL: [Role; 12] = [
        Role::Identifier,
        Role::PrivacyUnit,
        Role::Protected,
        Role::QuasiIdentifier,
        Role::Sensitive,
        Role::Feature,
        Role::Target,
        Role::Prediction,
        Role::Score,
        Role::Weight,
        Role::Time,
        Role::Ignored,
    ];

    /// The name used in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Role::Identifier => "identifier",
            Role::PrivacyUnit => "privacy-unit",
            Role::Protected => "protected",
            Role::QuasiIdentifier => "quasi-identifier",
            Role::Sensitive => "sensitive",
            Role::Feature => "feature",
            Role::Target => "target",
            Role::Prediction => "prediction",
            Role::Score => "score",
            Role::Weight => "weight",
            Role::Time => "time",
            Role::Ignored => "ignored",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The set of values a column may take.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Closed list of texts, in report order.
    Levels(Arc<[Arc<str>]>),
    /// Closed interval of numbers, in the column's own unit.
    Bounds { lower: f64, upper: f64 },
    /// Nothing is declared. Enough for identifiers and keys.
    Open,
}

/// Whether a domain was written by a person or read off the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Declared,
    Learned,
}

/// One column of the audited dataset, or one derived by an expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    pub name: Arc<str>,
    pub roles: BTreeSet<Role>,
    pub domain: Domain,
    pub origin: Origin,
}

impl Column {
    /// True when the column has the role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// All columns the pipeline file names, in file order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Schema {
    pub columns: Vec<Column>,
}

impl Schema {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }

    /// The columns that have the role, in file order.
    pub fn with(&self, role: Role) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(move |column| column.is(role))
    }
}
