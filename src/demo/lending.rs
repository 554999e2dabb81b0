//! Applications for small loans, and whether they were repaid.
//!
//! Repayment depends on income, debt ratio, credit history and time in employment, none of which depends on sex or race. Then, for Black
//! applicants, three repaid loans in ten are recorded as not repaid. They live in the south more often than others, so a model that never
//! sees race learns part of this from the region.

use std::fmt::Write;

use super::draw::{Draw, logistic};
use super::{Fact, Plant, Plants};

pub const HEADER: &str = "application_id,sex,race,age,region,postcode,income,debt_ratio,employment_years,credit_history,open_accounts,purpose,amount,repaid";

/// Share of repaid loans of Black applicants that are recorded so.
const RECORDED: f64 = 0.7;

pub const FACTS: [Fact; 5] = [
    Fact {
        code: "lending/gap",
        plant: Plant::Gap,
        words: "Share of loans recorded as repaid: Black applicants divided by White applicants.",
        size: RECORDED,
        unit: "ratio",
    },
    Fact {
        code: "lending/proxy",
        plant: Plant::Proxy,
        words: "Share living in the south: Black applicants minus all others of known race.",
        size: 0.6,
        unit: "difference",
    },
    Fact {
        code: "lending/small-group",
        plant: Plant::SmallGroup,
        words: "Native American applicants among applicants of known race.",
        size: 0.01,
        unit: "share",
    },
    Fact { code: "lending/unknowns", plant: Plant::Unknowns, words: "Rows without race.", size: 0.04, unit: "share" },
    Fact {
        code: "lending/singled-out",
        plant: Plant::SingledOut,
        words: "Rows whose postcode no other row has.",
        size: 0.02,
        unit: "share",
    },
];

/// Under an elastic net of strength 0.005 and ratio 0.5 that approves from a probability of 0.65. The sizes are means of models
/// trained and measured on 200,000 rows of each of the seeds 1 to 8; their standard errors are 0.005.
pub const MODEL_FACTS: [Fact; 2] = [
    Fact {
        code: "lending/model-selection-rate",
        plant: Plant::Gap,
        words: "Share approved by the model: Black applicants divided by White applicants.",
        size: 0.741,
        unit: "ratio",
    },
    Fact {
        code: "lending/model-true-positive-rate",
        plant: Plant::Gap,
        words: "Share approved by the model of those recorded as repaid: Black applicants divided by White applicants.",
        size: 0.762,
        unit: "ratio",
    },
];

/// Appends one row.
pub fn row(line: &mut String, row: u64, plants: Plants, draw: &mut Draw) {
    let sex = draw.pick([("female", 0.46), ("male", 0.54)]);
    let native = if plants.has(Plant::SmallGroup) { 0.01 } else { 0.08 };
    let race =
        draw.pick([("Native American", native), ("Black", 0.2), ("Asian", 0.09), ("Hispanic", 0.16), ("White", 1.0)]);
    let black = race == "Black";
    let south = if black && plants.has(Plant::Proxy) { 0.75 } else { 0.15 };
    let rest = (1.0 - south) / 3.0;
    let region = draw.pick([(3, south), (0, rest), (1, rest), (2, rest)]);
    let postcode = draw.postcode(region, row, plants.has(Plant::SingledOut));
    let age = draw.normal(42.0, 12.0).clamp(21.0, 75.0).floor();
    let income = (libm::exp(draw.normal(10.7, 0.45)).clamp(8_000.0, 250_000.0) / 100.0).floor() * 100.0;
    let debt_ratio = draw.normal(0.33, 0.14).clamp(0.0, 0.95);
    let employment = (draw.uniform() * (age - 20.0) * 0.6).clamp(0.0, 40.0);
    let history = draw.pick([("good", 0.62), ("short", 0.18), ("delayed", 0.14), ("none", 0.06)]);
    let accounts = draw.poisson(3.2);
    let purpose =
        draw.pick([("consolidation", 0.4), ("car", 0.25), ("home", 0.18), ("education", 0.1), ("business", 0.07)]);
    let amount = (libm::exp(draw.normal(9.1, 0.6)).clamp(1_000.0, 60_000.0) / 100.0).floor() * 100.0;
    let of_history = match history {
        "good" => 0.35,
        "short" => -0.1,
        "delayed" => -0.9,
        _ => -0.4,
    };
    let score =
        1.1 + of_history + 0.6 * (libm::log(income) - 10.7) - 2.2 * (debt_ratio - 0.33) + 0.04 * (employment - 6.0);
    let repaid = draw.chance(logistic(score));
    let recorded = draw.chance(RECORDED) || !(black && plants.has(Plant::Gap));
    let hidden = draw.chance(0.04) && plants.has(Plant::Unknowns);
    let race = if hidden { "" } else { race };
    let untold = draw.chance(0.02);
    let employment = if untold { String::new() } else { format!("{employment:.1}") };
    let region = ["north", "east", "west", "south"][region as usize];
    let repaid = if repaid && recorded { "yes" } else { "no" };
    let _ = write!(
        line,
        "L{row:06},{sex},{race},{age},{region},{postcode},{income},{debt_ratio:.3},{employment},{history},{accounts},{purpose},{amount},{repaid}"
    );
}
