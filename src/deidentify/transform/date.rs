//! Dates `yyyy-mm-dd`, alone or before a time of day: their parts, and moving them.

use jiff::civil::Date;

use crate::plan::spec::DatePart;

/// A date and the time of day behind it, as written.
fn split(text: &str) -> Option<(Date, &str)> {
    let (date, rest) = (text.get(..10)?, &text[10..]);
    let digits = |at: std::ops::Range<usize>| date.get(at).and_then(|part| part.parse::<i16>().ok());
    let shape = date
        .bytes()
        .enumerate()
        .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
    let whole = Date::new(digits(0..4)?, i8::try_from(digits(5..7)?).ok()?, i8::try_from(digits(8..10)?).ok()?).ok()?;
    (shape && is_time(rest)).then_some((whole, rest))
}

/// Nothing, or `T` or a space and `hh:mm`, `:ss`, decimals, `Z` or `+hh:mm`. Anything else might be more than a time.
fn is_time(rest: &str) -> bool {
    if rest.is_empty() {
        return true;
    }
    let Some(rest) = rest.strip_prefix(['T', ' ']) else { return false };
    let (clock, zone) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let zone_fits = matches!(zone, "" | "Z") || zone.get(1..).is_some_and(|zone| is_clock(zone, 5));
    let (clock, decimals) = clock.split_once('.').unwrap_or((clock, "0"));
    let decimals_fit = (1..=9).contains(&decimals.len()) && decimals.bytes().all(|byte| byte.is_ascii_digit());
    zone_fits && decimals_fit && (is_clock(clock, 5) || is_clock(clock, 8))
}

/// `hh:mm` or `hh:mm:ss` of so many bytes.
fn is_clock(text: &str, bytes: usize) -> bool {
    let fits = |(at, byte): (usize, u8)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() };
    let within = |part: &str| part.parse::<u8>().is_ok_and(|part| part < 60);
    text.len() == bytes
        && text.bytes().enumerate().all(fits)
        && text.split(':').all(within)
        && text.get(..2).is_some_and(|hours| hours < "24")
}

/// What is left of a date: `2024`, `2024-Q1`, `2024-03`. None where the text is no date.
pub fn part(text: &str, part: DatePart) -> Option<String> {
    let (date, _) = split(text)?;
    Some(match part {
        DatePart::Year => format!("{:04}", date.year()),
        DatePart::Quarter => format!("{:04}-Q{}", date.year(), (date.month() + 2) / 3),
        DatePart::Month => format!("{:04}-{:02}", date.year(), date.month()),
    })
}

/// The date so many days later, the time of day as it was. None where the text is no date.
pub fn shifted(text: &str, days: i64) -> Option<String> {
    let (date, rest) = split(text)?;
    let date = date.checked_add(jiff::Span::new().try_days(days).ok()?).ok().filter(|date| date.year() >= 0)?;
    Some(format!("{:04}-{:02}-{:02}{rest}", date.year(), date.month(), date.day()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn worked_examples() {
        assert_eq!(part("2024-03-31", DatePart::Quarter).as_deref(), Some("2024-Q1"));
        assert_eq!(part("2024-04-01 10:00:00.000000", DatePart::Month).as_deref(), Some("2024-04"));
        assert_eq!(shifted("2024-02-28T23:59:00Z", 2).as_deref(), Some("2024-03-01T23:59:00Z"));
        assert_eq!(shifted("2024-03-01 08:30+02:00", -1).as_deref(), Some("2024-02-29 08:30+02:00"));
        for no_date in [
            "",
            "2024",
            "2024-13-01",
            "2024-03-01 Ann Lee",
            "2024-03-01 555 0173",
            "2024-03-01T25:00",
            "+024-03-01",
            "9999-12-31é",
        ] {
            assert_eq!((part(no_date, DatePart::Year), shifted(no_date, 1)), (None, None), "{no_date}");
        }
        assert_eq!(shifted("9999-12-31", 1), None);
    }

    proptest! {
        /// Two dates of one unit stay as far apart; a coarser part never splits a finer one.
        #[test]
        fn intervals_stay_and_coarser_parts_never_split(a in 0..40_000i64, b in 0..40_000i64, days in -3650..=3650i64) {
            let day = |n: i64| shifted("1950-01-01", n).unwrap();
            let number = |text: &str| split(text).unwrap().0.since((jiff::Unit::Day, jiff::civil::date(1900, 1, 1))).unwrap().get_days();
            let (x, y) = (day(a), day(b));
            let (moved_x, moved_y) = (shifted(&x, days).unwrap(), shifted(&y, days).unwrap());
            prop_assert_eq!(number(&x) - number(&y), number(&moved_x) - number(&moved_y));
            let of = |by| (part(&x, by), part(&y, by));
            let (month, quarter, year) = (of(DatePart::Month), of(DatePart::Quarter), of(DatePart::Year));
            prop_assert!(month.0 != month.1 || quarter.0 == quarter.1);
            prop_assert!(quarter.0 != quarter.1 || year.0 == year.1);
            let in_order = if x <= y { month.0 <= month.1 && year.0 <= year.1 } else { month.0 >= month.1 };
            prop_assert!(in_order);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}", days in any::<i64>()) {
            let _ = (part(&text, DatePart::Month), shifted(&text, days));
        }
    }
}
