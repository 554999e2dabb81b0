//! Applications for a job, whom a screening process invited, and whom a panel later found qualified.
//!
//! The process invites by test score, experience and education, none of which depends on sex or ethnicity. Then four in ten women it would
//! invite are left out. The panel sees all applicants and leaves nobody out. Experience grows with age, so age bands differ too.

use std::fmt::Write;

use super::draw::{Draw, logistic};
use super::{Fact, Plant, Plants};

pub const HEADER: &str = "candidate_id,sex,ethnicity,age,postcode,education,experience_years,part_time_before,source,test_score,invited,qualified";

/// Share of the women the process would invite that it invites.
const LEFT: f64 = 0.6;

pub const FACTS: [Fact; 5] = [
    Fact {
        code: "hiring/gap",
        plant: Plant::Gap,
        words: "Share invited: women divided by men.",
        size: LEFT,
        unit: "ratio",
    },
    Fact {
        code: "hiring/proxy",
        plant: Plant::Proxy,
        words: "Share that worked part time before: women minus men.",
        size: 0.3,
        unit: "difference",
    },
    Fact {
        code: "hiring/small-group",
        plant: Plant::SmallGroup,
        words: "Candidates of ethnicity other among candidates of known ethnicity.",
        size: 0.012,
        unit: "share",
    },
    Fact {
        code: "hiring/unknowns",
        plant: Plant::Unknowns,
        words: "Rows without ethnicity.",
        size: 0.06,
        unit: "share",
    },
    Fact {
        code: "hiring/singled-out",
        plant: Plant::SingledOut,
        words: "Rows whose postcode no other row has.",
        size: 0.02,
        unit: "share",
    },
];

/// Appends one row.
pub fn row(line: &mut String, row: u64, plants: Plants, draw: &mut Draw) {
    let sex = draw.pick([("female", 0.45), ("male", 0.55)]);
    let woman = sex == "female";
    let other = if plants.has(Plant::SmallGroup) { 0.012 } else { 0.1 };
    let ethnicity = draw.pick([("other", other), ("black", 0.13), ("asian", 0.14), ("hispanic", 0.15), ("white", 1.0)]);
    let age = draw.normal(36.0, 10.0).clamp(18.0, 67.0).floor();
    let region = draw.pick([(0, 0.4), (1, 0.35), (2, 0.25)]);
    let postcode = draw.postcode(region, row, plants.has(Plant::SingledOut));
    let education = draw.pick([("secondary", 0.35), ("bachelor", 0.42), ("master", 0.19), ("doctorate", 0.04)]);
    let experience = (draw.uniform() * (age - 17.0) * 0.7).floor();
    let part_time = draw.chance(if woman && plants.has(Plant::Proxy) { 0.45 } else { 0.15 });
    let source = draw.pick([("job board", 0.48), ("website", 0.27), ("referral", 0.15), ("agency", 0.1)]);
    let test = draw.normal(62.0, 14.0).clamp(0.0, 100.0).floor();
    let of_education = match education {
        "secondary" => -0.3,
        "bachelor" => 0.1,
        "master" => 0.4,
        _ => 0.5,
    };
    let merit = 0.09 * (test - 62.0) + 0.06 * (experience - 7.0) + of_education;
    let qualified = draw.chance(logistic(0.3 + merit));
    let chosen = draw.chance(logistic(merit));
    let kept = draw.chance(LEFT) || !(woman && plants.has(Plant::Gap));
    let hidden = draw.chance(0.06) && plants.has(Plant::Unknowns);
    let ethnicity = if hidden { "" } else { ethnicity };
    let yes = |truth: bool| if truth { "yes" } else { "no" };
    let (invited, qualified, part_time) = (yes(chosen && kept), yes(qualified), yes(part_time));
    let _ = write!(
        line,
        "C{row:06},{sex},{ethnicity},{age},{postcode},{education},{experience},{part_time},{source},{test},{invited},{qualified}"
    );
}
