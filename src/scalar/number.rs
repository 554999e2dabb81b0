//! Numbers as texts.

/// The finite number a text stands for: optional sign, digits, decimal mark, exponent; spaces around are ignored. Nothing else: no
/// thousands separators, no hexadecimal, no NaN, no infinity.
pub fn parse_number(text: &str, decimal: char) -> Option<f64> {
    let text = text.trim_matches([' ', '\t']);
    if let Some(number) = short_decimal(text.as_bytes(), decimal) {
        return Some(number);
    }
    let shape_ok = !text.is_empty()
        && text.chars().all(|c| c.is_ascii_digit() || c == decimal || matches!(c, '+' | '-' | 'e' | 'E'))
        && text.contains(|c: char| c.is_ascii_digit());
    if !shape_ok {
        return None;
    }
    let number: f64 = match decimal {
        '.' => text.parse().ok()?,
        _ => text.replace(decimal, ".").parse().ok()?,
    };
    number.is_finite().then_some(number + 0.0)
}

/// A plain decimal of at most 15 digits: an integer below 2^53 over a power of ten below 10^22, so the quotient is the nearest double (Clinger 1990).
fn short_decimal(text: &[u8], decimal: char) -> Option<f64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (mut units, mut count, mut places) = (0i64, 0, None::<i32>);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                units = units * 10 + i64::from(byte - b'0');
                count += 1;
                places = places.map(|places| places + 1);
            }
            mark if char::from(mark) == decimal && mark.is_ascii() && places.is_none() => places = Some(0),
            _ => return None,
        }
        if count > 15 {
            return None;
        }
    }
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let number = units as f64 / POWERS[places.unwrap_or(0) as usize];
    (count > 0).then_some(if negative { 0.0 - number } else { number })
}

/// The shortest decimal text that reads back to the same number. Integers have no decimal mark; there is no exponent.
pub fn format_number(number: f64) -> String {
    let mut text = String::new();
    write_number(&mut text, number);
    text
}

/// Appends the text of a number; see `format_number`.
pub(crate) fn write_number(text: &mut String, number: f64) {
    use std::fmt::Write;
    let number = number + 0.0;
    let whole = number as i64;
    if whole as f64 == number && number.abs() < 9.0e15 {
        write_integer(text, whole);
        return;
    }
    // A decimal of at most 15 digits that reads back to the number is the shortest that does: no two such decimals read to one double.
    let scaled = (number * 1e6).round();
    if scaled.abs() < 1e15 && scaled / 1e6 == number {
        let units = scaled as i64;
        let (whole, mut part, mut digits) = (units.unsigned_abs() / 1_000_000, units.unsigned_abs() % 1_000_000, 6);
        while part % 10 == 0 && digits > 1 {
            (part, digits) = (part / 10, digits - 1);
        }
        if units < 0 {
            text.push('-');
        }
        write_integer(text, whole as i64);
        text.push('.');
        let start = text.len();
        write_integer(text, part as i64);
        for _ in text.len() - start..digits {
            text.insert(start, '0');
        }
        return;
    }
    let written = write!(text, "{number}");
    debug_assert!(written.is_ok());
}

fn write_integer(text: &mut String, number: i64) {
    let mut digits = [0u8; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        text.push('-');
    }
    text.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The short way writes what the standard library writes, which is the shortest text that reads back.
        #[test]
        fn a_number_reads_back_from_its_shortest_text(any in proptest::num::f64::NORMAL, units in -1_000_000_000_000i64..1_000_000_000_000, digits in 0i32..8) {
            for number in [any, units as f64 / 10f64.powi(digits), units as f64 * 1e3, (units % 1000) as f64 / 1e7] {
                let text = format_number(number);
                prop_assert_eq!(&text, &format!("{}", number + 0.0));
                prop_assert_eq!(parse_number(&text, '.'), Some(number + 0.0));
            }
        }
    }

    #[test]
    fn whole_and_tiny_numbers() {
        for (number, text) in [
            (-0.0, "0"),
            (1e15, "1000000000000000"),
            (-12.5, "-12.5"),
            (0.000001, "0.000001"),
            (-0.05, "-0.05"),
            (1.000001, "1.000001"),
        ] {
            assert_eq!(format_number(number), text);
        }
    }
}
