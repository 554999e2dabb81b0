//! Patients of a clinic, for a dataset that is to leave the house: identifiers of every row, columns an outsider may know, a diagnosis nobody
//! should learn from them. Nothing differs between the sexes, so an audit of follow-ups that finds a gap is wrong.
//!
//! Identifiers are planted so that a search for them finds them wherever they are: every name, address, number and patient number is in one
//! row only, and has a form that nothing else in a report has.

use std::io::{self, Write};

use super::draw::Draw;

pub const HEADER: &str =
    "patient_id,name,email,phone,birth,sex,age,postcode,job,diagnosis,admitted,stay_days,followed_up";

const FIRST: [&str; 16] = [
    "Ada", "Bela", "Cora", "Dino", "Edda", "Falk", "Gero", "Hanne", "Iris", "Jonte", "Karla", "Ludo", "Mirka", "Nilo",
    "Oda", "Pelle",
];
const LAST: [&str; 16] = [
    "Quillfeder",
    "Rabenstolz",
    "Sandmeier",
    "Tannhuber",
    "Ulmkamp",
    "Vogelsang",
    "Wiesengrund",
    "Xanderlein",
    "Ypsilander",
    "Zwickmann",
    "Ahornweg",
    "Birkholm",
    "Distelfink",
    "Eichinger",
    "Fliederbaum",
    "Ginsterfeld",
];
const JOBS: [(&str, f64); 8] = [
    ("nurse", 0.1),
    ("teacher", 0.12),
    ("clerk", 0.2),
    ("judge", 0.02),
    ("driver", 0.16),
    ("mason", 0.12),
    ("baker", 0.1),
    ("retired", 0.18),
];

/// Writes patients as CSV with a header.
pub fn write(rows: u64, seed: u64, to: &mut impl Write) -> io::Result<()> {
    let mut draw = Draw::seeded(seed);
    writeln!(to, "{HEADER}")?;
    (1..=rows).try_for_each(|row| writeln!(to, "{}", patient(row, &mut draw)))
}

fn patient(row: u64, draw: &mut Draw) -> String {
    let name = (FIRST[(row % 16) as usize], LAST[(row / 16 % 16) as usize]);
    let sex = draw.pick([("female", 0.52), ("male", 0.48)]);
    let job = draw.pick(JOBS);
    let age = match job {
        "retired" => draw.normal(74.0, 6.0).clamp(60.0, 97.0),
        _ => draw.normal(43.0, 11.0).clamp(18.0, 70.0),
    } as u32;
    let (month, day) = (1 + (draw.uniform() * 12.0) as u32, 1 + (draw.uniform() * 28.0) as u32);
    let district = draw.pick([(0, 0.35), (1, 0.3), (2, 0.2), (3, 0.15)]);
    let postcode = 20_100 + district * 1_000 + (draw.uniform() * 12.0) as u32 * 9;
    let old = if age >= 60 { 0.12 } else { 0.0 };
    let diagnosis = draw.pick([
        ("heart", 0.18 + old),
        ("lung", 0.14),
        ("fracture", 0.28 - old),
        ("infection", 0.25),
        ("tumour", 0.15),
    ]);
    let admitted = (1 + (draw.uniform() * 12.0) as u32, 1 + (draw.uniform() * 28.0) as u32);
    let stay = 1 + draw.poisson(5.0);
    let followed_up = if draw.chance(0.62) { "yes" } else { "no" };
    format!(
        "PT{row:06},{first} {last} {roman},{row}.{last}@patients.example,+99 555 {phone:06},{birth:04}-{month:02}-{day:02},{sex},{age},\
         {postcode},{job},{diagnosis},2025-{:02}-{:02},{stay},{followed_up}",
        admitted.0,
        admitted.1,
        first = name.0,
        last = name.1,
        roman = roman(row / 256 + 1),
        phone = 100_000 + row * 7 % 900_000,
        birth = 2025 - age,
    )
}

/// People of one name are told apart, as kings are.
fn roman(mut number: u64) -> String {
    const DIGITS: [(u64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut text = String::new();
    for (value, digit) in DIGITS {
        while number >= value {
            text.push_str(digit);
            number -= value;
        }
    }
    text
}
