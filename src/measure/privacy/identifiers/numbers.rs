//! Numbers with a structure: issuer ranges, countries, dates, check digits.

/// The longest number here, an IBAN of 34 places, and blanks between its groups.
const TEXT_MAX: usize = 48;

/// Digits of a number, as values.
struct Digits {
    values: [u8; 20],
    len: usize,
}

impl Digits {
    /// Digits with single blanks or hyphens between them; none for anything else.
    fn of(text: &str) -> Option<Digits> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut digits = Digits { values: [0; 20], len: 0 };
        let mut separated = true;
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => {
                    *digits.values.get_mut(digits.len)? = byte - b'0';
                    digits.len += 1;
                    separated = false;
                }
                b' ' | b'-' if !separated => separated = true,
                _ => return None,
            }
        }
        (!separated).then_some(digits)
    }

    fn values(&self) -> &[u8] {
        &self.values[..self.len]
    }

    /// The number that so many digits from a place on make.
    fn number(&self, from: usize, many: usize) -> u64 {
        number(self.values().get(from..from + many).unwrap_or(&[]))
    }
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, &digit| sum * 10 + u64::from(digit))
}

/// Issuer ranges: first and last prefix, and the lengths from and to.
const ISSUERS: [(u64, u64, usize, usize); 26] = [
    // Visa has 13, 16 or 19 digits
    (4, 4, 13, 13),
    (4, 4, 16, 16),
    (4, 4, 19, 19),
    // Mastercard
    (51, 55, 16, 16),
    (2221, 2720, 16, 16),
    // American Express
    (34, 34, 15, 15),
    (37, 37, 15, 15),
    // Diners Club
    (300, 305, 14, 19),
    (309, 309, 14, 19),
    (36, 36, 14, 19),
    (38, 39, 14, 19),
    // Discover
    (6011, 6011, 16, 19),
    (644, 649, 16, 19),
    (65, 65, 16, 19),
    // JCB
    (3528, 3589, 16, 19),
    // UnionPay
    (62, 62, 16, 19),
    // Maestro
    (5018, 5018, 12, 19),
    (5020, 5020, 12, 19),
    (5038, 5038, 12, 19),
    (5893, 5893, 12, 19),
    (6304, 6304, 12, 19),
    (6759, 6763, 12, 19),
    // Mir
    (2200, 2204, 16, 19),
    // RuPay
    (508, 508, 16, 16),
    (60, 60, 16, 16),
    (81, 82, 16, 16),
];

pub fn payment_card(text: &str) -> bool {
    let Some(digits) = Digits::of(text) else { return false };
    let issued = |&(first, last, least, most): &(u64, u64, usize, usize)| {
        let places = first.checked_ilog10().map_or(1, |log| log as usize + 1);
        (least..=most).contains(&digits.len) && (first..=last).contains(&digits.number(0, places))
    };
    ISSUERS.iter().any(issued) && luhn(digits.values())
}

/// Every second digit from the right is doubled, and 9 taken off where that is more; the sum is a multiple of 10.
fn luhn(digits: &[u8]) -> bool {
    let term = |(place, &digit): (usize, &u8)| match (place % 2, digit) {
        (0, digit) => u32::from(digit),
        (_, digit @ 0..=4) => u32::from(digit) * 2,
        (_, digit) => u32::from(digit) * 2 - 9,
    };
    digits.iter().rev().enumerate().map(term).sum::<u32>().is_multiple_of(10)
}

/// Lengths by country (SWIFT IBAN registry).
const IBAN_LENGTHS: [(&[u8; 2], usize); 89] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The number with the first four places moved to the end and letters as 10 to 35 is 1 modulo 97.
pub fn iban(text: &str) -> bool {
    if text.len() > TEXT_MAX {
        return false;
    }
    let places = || text.bytes().filter(|byte| *byte != b' ').map(|byte| byte.to_ascii_uppercase());
    let (Some(first), Some(second)) = (places().next(), places().nth(1)) else { return false };
    let Some((_, length)) = IBAN_LENGTHS.iter().find(|(country, _)| **country == [first, second]) else { return false };
    if places().count() != *length || !places().skip(2).take(2).all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let step = |rest: u32, byte: u8| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(byte - b'A') + 10) % 97),
        _ => None,
    };
    places().skip(4).chain(places().take(4)).try_fold(0, step) == Some(1)
}

/// Written with its hyphens or blanks: nine digits alone are no more than a number.
pub fn us_social_security(text: &str) -> bool {
    let bytes = text.as_bytes();
    let apart = bytes.len() == 11 && bytes[3] == bytes[6] && matches!(bytes[3], b'-' | b' ');
    let Some(digits) = Digits::of(text).filter(|digits| apart && digits.len == 9) else { return false };
    let (area, group, serial) = (digits.number(0, 3), digits.number(3, 2), digits.number(5, 4));
    (1..900).contains(&area) && area != 666 && group > 0 && serial > 0
}

/// Provinces, regions and residents of Hong Kong, Macao and Taiwan.
const REGIONS: [u64; 36] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82, 83, 91,
];

/// Weights are powers of 2 modulo 11; the check is 0 to 9 or X.
pub fn chinese_resident(text: &str) -> bool {
    let Some((body, check)) = text.split_at_checked(17) else { return false };
    let check = match check.as_bytes() {
        [digit @ b'0'..=b'9'] => u32::from(digit - b'0'),
        [b'x' | b'X'] => 10,
        _ => return false,
    };
    let Some(digits) = Digits::of(body).filter(|digits| digits.len == 17) else { return false };
    let rest = digits.values().iter().fold(0, |rest, &digit| (rest + u32::from(digit)) * 2 % 11);
    (rest + check) % 11 == 1
        && REGIONS.contains(&digits.number(0, 2))
        && is_date(digits.number(6, 4), digits.number(10, 2), digits.number(12, 2))
}

/// A day of the Gregorian calendar on which someone living may have been born.
fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1900..2100).contains(&year) && (1..=days).contains(&day)
}

/// Weights 10 to 2; the check is 11 less the rest modulo 11, never 10.
pub fn uk_nhs(text: &str) -> bool {
    let Some(digits) = Digits::of(text).filter(|digits| digits.len == 10) else { return false };
    let sum: u32 = digits.values().iter().zip((1..=10).rev()).map(|(&digit, weight)| u32::from(digit) * weight).sum();
    // With the check digit at weight 1 the sum is a multiple of 11; a rest of 1 would need the digit 10.
    sum.is_multiple_of(11) && digits.number(0, 10) > 0
}

/// Sex, two digits of the year, month or its substitute, department (2A and 2B for Corsica), place, order, and 97 less the rest modulo 97.
pub fn french_nir(text: &str) -> bool {
    if text.len() > TEXT_MAX {
        return false;
    }
    let mut places = [0u8; 15];
    let mut len = 0;
    for byte in text.bytes().filter(|byte| *byte != b' ') {
        let Some(place) = places.get_mut(len) else { return false };
        *place = byte;
        len += 1;
    }
    // Corsica counts as 19 and 18.
    match (places[5], places[6]) {
        (b'2', b'A' | b'a') => places[5..7].copy_from_slice(b"19"),
        (b'2', b'B' | b'b') => places[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    if len != 15 || !places.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let values = places.map(|byte| byte - b'0');
    let (month, department) = (number(&values[3..5]), number(&values[5..7]));
    matches!(values[0], 1..=4 | 7 | 8)
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && department > 0
        && number(&values[13..]) == 97 - number(&values[..13]) % 97
}

/// Of the first ten digits one occurs twice or three times, never three times in a row, and no other more than once.
pub fn german_tax(text: &str) -> bool {
    let Some(digits) = Digits::of(text).filter(|digits| digits.len == 11) else { return false };
    let (body, check) = (&digits.values()[..10], digits.values()[10]);
    let mut counts = [0u8; 10];
    body.iter().for_each(|&digit| counts[usize::from(digit)] += 1);
    let repeated = counts.iter().filter(|count| **count > 1).count() == 1 && counts.iter().all(|count| *count <= 3);
    let in_a_row = body.windows(3).any(|window| window[0] == window[1] && window[1] == window[2]);
    let product = body.iter().fold(10, |product, &digit| match (product + u32::from(digit)) % 10 {
        0 => 10 * 2 % 11,
        sum => sum * 2 % 11,
    });
    body[0] > 0 && repeated && !in_a_row && u32::from(check) == (11 - product) % 10
}

/// The letter is the number modulo 23; X, Y and Z of foreigners count as 0, 1 and 2.
pub fn spanish_id(text: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    if text.len() > 12 {
        return false;
    }
    let mut places = [0u8; 9];
    let mut len = 0;
    for byte in text.bytes().filter(|byte| *byte != b'-') {
        let Some(place) = places.get_mut(len) else { return false };
        *place = byte.to_ascii_uppercase();
        len += 1;
    }
    if let first @ b'X'..=b'Z' = places[0] {
        places[0] = first - b'X' + b'0';
    }
    let (body, letter) = (&places[..8], places[8]);
    len == 9
        && body.iter().all(u8::is_ascii_digit)
        && letter == LETTERS[(body.iter().fold(0u64, |sum, &byte| sum * 10 + u64::from(byte - b'0')) % 23) as usize]
}

pub fn indian_aadhaar(text: &str) -> bool {
    let Some(digits) = Digits::of(text).filter(|digits| digits.len == 12) else { return false };
    digits.values()[0] > 1 && verhoeff(digits.values())
}

/// Digits as symmetries of the pentagon, permuted by their place from the right; their product is the identity.
fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTED: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    // Turns 0 to 4, reflections 5 to 9.
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b - 5) % 5,
        (false, true) => 5 + (a - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let place = |(place, &digit): (usize, &u8)| (0..place % 8).fold(digit, |digit, _| PERMUTED[usize::from(digit)]);
    digits.iter().rev().enumerate().map(place).fold(0, product) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 236 has the check digit 3 (Verhoeff's own example); all single errors and neighbours exchanged are found.
    #[test]
    fn verhoeff_finds_every_single_error() {
        assert!(verhoeff(&[2, 3, 6, 3]));
        for digit in (0..10).filter(|digit| *digit != 3) {
            assert!(!verhoeff(&[2, 3, 6, digit]));
            assert!(!verhoeff(&[2, digit, 6, 3]));
        }
        assert!(!verhoeff(&[3, 2, 6, 3]) && !verhoeff(&[2, 6, 3, 3]));
    }

    /// 7992739871 has the check digit 3 (ISO/IEC 7812-1, annex B).
    #[test]
    fn luhn_by_its_example() {
        for digit in 0..10 {
            assert_eq!(luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, digit]), digit == 3);
        }
    }

    #[test]
    fn countries_are_in_order_and_once() {
        assert!(IBAN_LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
