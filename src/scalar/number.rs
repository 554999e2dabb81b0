//! Numbers as texts.

/// The finite number a text stands for: optional sign, digits, decimal mark, exponent; spaces around are ignored. Nothing else: no
/// thousands separators, no hexadecimal, no NaN, no infinity.
pub fn parse_number(text: &str, decimal: char) -> Option<f64> {
    let text = text.trim_matches([' ', '\t']);
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

/// The shortest decimal text that reads back to the same number. Integers have no decimal mark; there is no exponent.
pub fn format_number(number: f64) -> String {
    let mut text = String::new();
    write_number(&mut text, number);
    text
}

/// Appends the text of a number.
fn write_number(text: &mut String, number: f64) {
    use std::fmt::Write;
    let number = number + 0.0;
    let written = if number.fract() == 0.0 && number.abs() < 9.0e15 {
        write!(text, "{}", number as i64)
    } else {
        write!(text, "{number}")
    };
    debug_assert!(written.is_ok());
}
