//! Several applications of one person: the rows of `lending`, drawn again for the same person.
//!
//! A person has one application, two or three (a half, three tenths, two tenths). Sex, race, age, region and postcode stay; what is asked for,
//! the means and the outcome are those of another draw from applicants of the same sex, race and region, so that the facts planted in
//! `lending` hold here too. Rows of one person stand together.

use std::io::{self, Write};

use super::draw::Draw;
use super::{Plants, lending};

/// The columns of `lending` after the person's identifier.
const ID: usize = 0;
const SEX: usize = 1;
const RACE: usize = 2;
const AGE: usize = 3;
const REGION: usize = 4;
const POSTCODE: usize = 5;

/// Writes people as CSV with a header, one row per application.
pub fn write(people: u64, seed: u64, plants: Plants, to: &mut impl Write) -> io::Result<()> {
    let mut draw = Draw::seeded(seed);
    writeln!(to, "person_id,{}", lending::HEADER)?;
    let mut row = 0;
    for person in 1..=people {
        let count = draw.pick([(1, 0.5), (2, 0.3), (3, 0.2)]);
        row += 1;
        let first = application(row, plants, &mut draw);
        writeln!(to, "P{person:06},{}", first.join(","))?;
        for _ in 1..count {
            row += 1;
            let same = |other: &[String]| [SEX, RACE, REGION].iter().all(|&at| other[at] == first[at]);
            let mut other = application(row, plants, &mut draw);
            while !same(&other) {
                other = application(row, plants, &mut draw);
            }
            for at in [AGE, POSTCODE] {
                other[at].clone_from(&first[at]);
            }
            other[ID] = format!("L{row:06}");
            writeln!(to, "P{person:06},{}", other.join(","))?;
        }
    }
    Ok(())
}

fn application(row: u64, plants: Plants, draw: &mut Draw) -> Vec<String> {
    let mut line = String::new();
    lending::row(&mut line, row, plants, draw);
    line.split(',').map(str::to_owned).collect()
}
