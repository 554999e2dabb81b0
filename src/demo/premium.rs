//! Quotes of car insurance: what a driver was asked to pay for a year.
//!
//! The premium is linear in power, age of vehicle and driver, distance, bonus class, claims and region, none of which depends on sex or
//! birthplace, plus noise of 60 EUR. Drivers born in Africa are then asked for 80 EUR more. They drive vans more often than others, so a
//! linear model that never sees birthplace explains part of this by the van: phi^2 = 0.111 of it, and a mean residual of 71 EUR is left
//! between them and others (least squares; 1 - phi^2 of 80 EUR).

use std::fmt::Write;

use super::draw::Draw;
use super::{Fact, Plant, Plants};

pub const HEADER: &str = "quote_id,sex,birthplace,driver_age,region,postcode,vehicle_class,power_kw,vehicle_age,annual_km,bonus_class,claims,premium";

/// What drivers born in Africa pay more, EUR a year.
const LOAD: f64 = 80.0;

pub const FACTS: [Fact; 5] = [
    Fact {
        code: "premium/gap",
        plant: Plant::Gap,
        words: "Mean premium: drivers born in Africa minus drivers born here.",
        size: LOAD,
        unit: "EUR a year",
    },
    Fact {
        code: "premium/proxy",
        plant: Plant::Proxy,
        words: "Share that drives a van: drivers born in Africa minus all others of known birthplace.",
        size: 0.35,
        unit: "difference",
    },
    Fact {
        code: "premium/small-group",
        plant: Plant::SmallGroup,
        words: "Drivers born in Oceania among drivers of known birthplace.",
        size: 0.01,
        unit: "share",
    },
    Fact {
        code: "premium/unknowns",
        plant: Plant::Unknowns,
        words: "Rows without birthplace.",
        size: 0.05,
        unit: "share",
    },
    Fact {
        code: "premium/singled-out",
        plant: Plant::SingledOut,
        words: "Rows whose postcode no other row has.",
        size: 0.02,
        unit: "share",
    },
];

/// Under a ridge of strength 0.01. The size is the mean of models trained and measured on 200,000 rows of each of the seeds 1
/// to 8; its standard error is 0.3.
pub const MODEL_FACTS: [Fact; 1] = [Fact {
    code: "premium/model-mean-residual",
    plant: Plant::Gap,
    words: "Mean residual of the model: drivers born in Africa minus drivers born here.",
    size: 71.6,
    unit: "EUR a year",
}];

/// Appends one row.
pub fn row(line: &mut String, row: u64, plants: Plants, draw: &mut Draw) {
    let sex = draw.pick([("female", 0.48), ("male", 0.52)]);
    let oceania = if plants.has(Plant::SmallGroup) { 0.01 } else { 0.09 };
    let birthplace =
        draw.pick([("oceania", oceania), ("africa", 0.13), ("asia", 0.1), ("europe", 0.16), ("domestic", 1.0)]);
    let africa = birthplace == "africa";
    let driver_age = draw.normal(45.0, 14.0).clamp(18.0, 85.0).floor();
    let region = draw.pick([(0, 0.35), (1, 0.3), (2, 0.2), (3, 0.15)]);
    let postcode = draw.postcode(region, row, plants.has(Plant::SingledOut));
    let van = if africa && plants.has(Plant::Proxy) { 0.45 } else { 0.1 };
    let class = draw.pick([("van", van), ("compact", (1.0 - van) * 0.6), ("family", (1.0 - van) * 0.4)]);
    let power = draw.normal(85.0, 22.0).clamp(35.0, 220.0).floor();
    let vehicle_age = draw.poisson(6.5);
    let km = (libm::exp(draw.normal(9.35, 0.4)).clamp(1_000.0, 60_000.0) / 100.0).floor() * 100.0;
    let bonus = draw.pick([(1, 0.3), (2, 0.18), (3, 0.14), (4, 0.12), (5, 0.1), (6, 0.07), (7, 0.05), (8, 0.04)]);
    let claims = draw.poisson(0.25);
    let of_region = [40.0, 0.0, -20.0, 25.0][region as usize];
    let tariff =
        430.0 + of_region + 2.1 * (power - 85.0) - 1.6 * (driver_age - 45.0) - 5.0 * (f64::from(vehicle_age) - 6.5)
            + 0.006 * (km - 12_000.0)
            + 22.0 * (f64::from(bonus) - 3.0)
            + 70.0 * f64::from(claims);
    let load = if africa && plants.has(Plant::Gap) { LOAD } else { 0.0 };
    let premium = (tariff + load + draw.normal(0.0, 60.0)).clamp(60.0, 3_000.0);
    let hidden = draw.chance(0.05) && plants.has(Plant::Unknowns);
    let birthplace = if hidden { "" } else { birthplace };
    let region = ["city", "plain", "coast", "hills"][region as usize];
    let _ = write!(
        line,
        "Q{row:06},{sex},{birthplace},{driver_age},{region},{postcode},{class},{power},{vehicle_age},{km},{bonus},{claims},{premium:.2}"
    );
}
