//! Synthetic data with known facts: what an audit of it should find is written down before it is drawn.
//!
//! Three data sets, one per kind of audit: `lending` (a label to learn), `hiring` (given decisions and an outcome), `premium` (a number to
//! learn). `loans` are those of `lending` with several applications per person; `clinic` is for de-identification, and has planted
//! identifiers. Each of the three has the same five plants, and every one can be left out: a gap between cohorts, a proxy (a column that differs between the
//! levels of a protected column), a small group, unknown protected values, and rows that a quasi-identifier singles out. Nothing else
//! differs between sexes, races, ethnicities or birthplaces, so whatever else an audit finds between them is false.
//!
//! Same kind, rows and seed give the same bytes on every machine: ChaCha12 for the draws, and `libm` for logarithms and exponentials,
//! which the platform's own library rounds as it likes. A plant that is left out leaves all other draws as they are.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

mod clinic;
mod draw;
mod hiring;
mod lending;
mod loans;
mod premium;

use draw::Draw;

pub use clinic::write as write_clinic;
pub use loans::write as write_loans;

/// Which data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Lending,
    Hiring,
    Premium,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Lending, Kind::Hiring, Kind::Premium];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Lending => "lending",
            Kind::Hiring => "hiring",
            Kind::Premium => "premium",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no data set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no demo data {0:?}; write lending, hiring or premium")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Kind, UnknownKind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.into()))
    }
}

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    Gap,
    Proxy,
    SmallGroup,
    Unknowns,
    SingledOut,
}

impl Plant {
    pub const ALL: [Plant; 5] = [Plant::Gap, Plant::Proxy, Plant::SmallGroup, Plant::Unknowns, Plant::SingledOut];
}

/// Which plants are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plants {
    has: [bool; 5],
}

impl Plants {
    pub fn all() -> Plants {
        Plants { has: [true; 5] }
    }

    /// All but one.
    pub fn without(plant: Plant) -> Plants {
        let mut plants = Plants::all();
        plants.has[plant as usize] = false;
        plants
    }

    pub fn has(self, plant: Plant) -> bool {
        self.has[plant as usize]
    }
}

impl Default for Plants {
    fn default() -> Plants {
        Plants::all()
    }
}

/// One thing that is true of a data set because it was put there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fact {
    /// Stable: data set and plant.
    pub code: &'static str,
    pub plant: Plant,
    pub words: &'static str,
    /// Size in the population the rows are drawn from.
    pub size: f64,
    /// What the size is: `ratio`, `difference`, `share`, or the unit of the target.
    pub unit: &'static str,
}

/// The facts planted in a data set.
pub fn facts(kind: Kind) -> [Fact; 5] {
    match kind {
        Kind::Lending => lending::FACTS,
        Kind::Hiring => hiring::FACTS,
        Kind::Premium => premium::FACTS,
    }
}

/// The gaps that the models of the pipelines that ship show on fresh rows; none where no model is trained.
pub fn model_facts(kind: Kind) -> &'static [Fact] {
    match kind {
        Kind::Lending => &lending::MODEL_FACTS,
        Kind::Hiring => &[],
        Kind::Premium => &premium::MODEL_FACTS,
    }
}

/// Writes a data set as CSV with a header.
pub fn write(kind: Kind, rows: u64, seed: u64, plants: Plants, to: &mut impl Write) -> io::Result<()> {
    let mut draw = Draw::seeded(seed);
    let header = match kind {
        Kind::Lending => lending::HEADER,
        Kind::Hiring => hiring::HEADER,
        Kind::Premium => premium::HEADER,
    };
    writeln!(to, "{header}")?;
    let mut line = String::new();
    for row in 1..=rows {
        line.clear();
        match kind {
            Kind::Lending => lending::row(&mut line, row, plants, &mut draw),
            Kind::Hiring => hiring::row(&mut line, row, plants, &mut draw),
            Kind::Premium => premium::row(&mut line, row, plants, &mut draw),
        }
        line.push('\n');
        to.write_all(line.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
