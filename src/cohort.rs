//! Who is compared with whom: attributes, their levels, and the cohorts formed from them.
//!
//! An attribute has its declared levels and two more: `unknown` (the value is missing) and `outside` (the value is none of the
//! declared levels). Both are counted in every table, because a row that disappears changes the result unseen.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// Name of the level of rows whose value is missing.
pub const UNKNOWN: &str = "(unknown)";
/// Name of the level of rows whose value is none of the declared levels.
pub const OUTSIDE: &str = "(outside the levels)";

/// A protected column and its levels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attribute {
    pub name: Arc<str>,
    /// Declared (or learned) levels; `UNKNOWN` and `OUTSIDE` follow them and are not listed.
    pub levels: Arc<[Arc<str>]>,
}

impl Attribute {
    /// Number of codes: the levels, unknown, outside.
    pub fn codes(&self) -> u32 {
        self.levels.len() as u32 + 2
    }

    /// The level's name for a code.
    pub fn level(&self, code: u32) -> Arc<str> {
        match self.levels.get(code as usize) {
            Some(level) => level.clone(),
            None if code as usize == self.levels.len() => UNKNOWN.into(),
            None => OUTSIDE.into(),
        }
    }

    /// True for a declared level: cohorts that are compared. Unknown and outside are shown, not compared.
    pub fn is_declared(&self, code: u32) -> bool {
        (code as usize) < self.levels.len()
    }
}

/// A set of attributes whose combinations are compared: `sex`, or `sex x race`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Across {
    /// Positions in the list of attributes, in the order written.
    pub attributes: Vec<usize>,
}

/// One group of rows: a level of every attribute in an `Across`. No pairs at all is everybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cohort {
    pub pairs: Vec<(Arc<str>, Arc<str>)>,
}

impl Cohort {
    /// Everybody.
    pub fn everyone() -> Cohort {
        Cohort { pairs: Vec::new() }
    }

    /// Only the levels, as table rows show them: `f`, `f x black`.
    pub fn levels(&self) -> String {
        match self.pairs.is_empty() {
            true => "everyone".into(),
            false => self.pairs.iter().map(|(_, level)| &**level).collect::<Vec<_>>().join(" x "),
        }
    }
}

impl fmt::Display for Cohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pairs.is_empty() {
            return f.write_str("everyone");
        }
        for (i, (name, level)) in self.pairs.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{name} = {level}")?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Cohort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cohort, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Cohort;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of attributes and levels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cohort, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, level)) = map.next_entry::<String, String>()? {
                    pairs.push((name.into(), level.into()));
                }
                Ok(Cohort { pairs })
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl Serialize for Cohort {
    /// An object `{"sex": "f", "race": "black"}` in the order of the attributes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs.iter().map(|(name, level)| (&**name, &**level)))
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Cohort {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cohort".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "One group of rows: a level of every attribute, in the order of the attributes. No key at all is everybody.",
            "additionalProperties": { "type": "string" }
        })
    }
}
