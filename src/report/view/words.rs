//! Numbers and names as a reader sees them. The JSON and the tables beside the page have every digit.
//!
//! A figure has three decimals, fewer when it is large, and never a zero that it is not: what would round to zero keeps its first digits.
//! An interval stands beside its point; what is undefined or suppressed is said in words.

use serde::Serialize;

use crate::audit::bias::Figure;
use crate::estimate::Interval;
use crate::finding::Verdict;
use crate::metric::{Against, Comparison};
use crate::plan::spec::{Language, Level};
use crate::report::document::{Gate, Measured};
use crate::report::language::{current, text};
use crate::report::svg::cut;
use crate::report::view::said::said;

/// Longest name and longest sentence from outside; longer ones end in an ellipsis.
const NAME_CHARS: usize = 60;
const SENTENCE_CHARS: usize = 400;

/// A figure.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return if value.is_nan() { text!("undefined") } else { text!("unbounded") };
    }
    if size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return signed(&format!("{value:.2e}"));
    }
    let decimals: usize = match size {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        size if size == 0.0 || size >= 0.0005 => 3,
        size => (1.0 - size.log10().floor()) as usize,
    };
    signed(&grouped(&format!("{value:.decimals$}")))
}

/// A figure beside a scale: without the zeros at its end.
pub fn tick(value: f64) -> String {
    let text = figure(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').into(),
        false => text,
    }
}

/// A count.
pub fn count(value: i64) -> String {
    signed(&grouped(&value.to_string()))
}

/// Groups of three digits before the decimal point.
fn grouped(digits: &str) -> String {
    let (sign, rest) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, part) = rest.find('.').map_or((rest, ""), |at| rest.split_at(at));
    let mut text = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text + part
}

/// A minus sign for a hyphen, and none before a zero.
fn signed(digits: &str) -> String {
    match digits.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.' | ',' | ' ' | '%')) => rest.into(),
        Some(rest) => format!("−{}", rest.replace('-', "−")),
        None => digits.replace('-', "−"),
    }
}

/// A probability with every digit, such as delta: `0`, `1e−7`.
pub fn delta(value: f64) -> String {
    if value == 0.0 { "0".into() } else { signed(&format!("{value:e}")) }
}

/// A p-value; the smallest are told apart in the documents beside the page only.
pub fn p_value(p: f64) -> String {
    match p < P_LEAST {
        true => text!("p-below", value = P_LEAST.to_string()),
        false => figure(p),
    }
}

const P_LEAST: f64 = 0.0001;

/// A cost with four decimals. Rounded up, it never looks smaller than it is.
pub fn cost(value: f64) -> String {
    let up = (value * 1e4).ceil() / 1e4;
    signed(&format!("{}", if up >= value { up } else { value }))
}

/// A figure of which only the size matters: with a power of ten from a million on.
pub fn size(value: f64) -> String {
    if value.is_finite() && value.abs() >= 1e6 { signed(&format!("{value:.2e}")) } else { figure(value) }
}

/// `[0.180, 0.250]`.
pub fn interval(interval: &Interval) -> String {
    let end = |end: Option<f64>| end.map_or_else(|| text!("unbounded"), figure);
    format!("[{}, {}]", end(interval.lower), end(interval.upper))
}

/// A share of rows as a percentage.
pub fn percent(part: i64, whole: i64) -> String {
    match whole > 0 {
        true => signed(&format!("{:.1} %", 100.0 * part as f64 / whole as f64)),
        false => text!("undefined"),
    }
}

pub fn confidence(confidence: f64) -> String {
    let text = format!("{:.3}", 100.0 * confidence);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

pub fn milliseconds(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{:.2} s", ms as f64 / 1000.0),
        _ => format!("{:.1} min", ms as f64 / 60_000.0),
    }
}

pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// A name from outside.
pub fn name(text: &str) -> String {
    cut(&single_line(text), NAME_CHARS)
}

/// A sentence from outside.
pub fn sentence(text: &str) -> String {
    cut(&single_line(text), SENTENCE_CHARS)
}

/// A sentence this program wrote: with the minus sign of the page. One from outside may hold a hyphen that is none.
pub fn prose(text: &str) -> String {
    let text: Vec<char> = sentence(text).chars().collect();
    let at = |i: Option<usize>| i.and_then(|i| text.get(i)).copied();
    let minus = |i: usize| {
        let before = at(i.checked_sub(1));
        let exponent = before == Some('e') && at(i.checked_sub(2)).is_some_and(|c| c.is_ascii_digit());
        let number = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '['));
        at(Some(i + 1)).is_some_and(|c| c.is_ascii_digit()) && (exponent || number)
    };
    text.iter().enumerate().map(|(i, &c)| if c == '-' && minus(i) { '−' } else { c }).collect()
}

/// What a table of at most so many rows leaves out: `And 3 more columns, in report.json.` Nothing when it is whole.
/// `what` ends a key of the catalogue: `more-columns`.
pub fn more(all: usize, most: usize, what: &str, file: &str) -> String {
    match all.saturating_sub(most) {
        0 => String::new(),
        left => text!(&format!("more-{what}"), n = left, file = file),
    }
}

/// The text, or these words where there is none.
pub fn or_words(text: &str, words: &str) -> String {
    if text.trim().is_empty() { words.into() } else { sentence(text) }
}

/// The text with a capital first letter.
pub fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// An instant of RFC 3339 in UTC, to the second: `2026-11-25 01:30:00 UTC`. Anything else as it is.
pub fn instant(text: &str) -> String {
    match (text.get(..10), text.get(10..11), text.get(11..19), text.ends_with('Z')) {
        (Some(day), Some("T"), Some(time), true) => name(&format!("{} {time} UTC", self::day(day))),
        _ => name(text),
    }
}

/// A day of ISO 8601 as a sentence has it: `2026-11-25`, `2026年11月25日`.
pub fn day(day: &str) -> String {
    let part = |at: std::ops::Range<usize>| day.get(at).and_then(|digits| digits.parse::<u32>().ok());
    match (current(), part(0..4), part(5..7), part(8..10)) {
        (Language::ZhCn, Some(year), Some(month), Some(day)) => format!("{year}年{month}月{day}日"),
        _ => day.into(),
    }
}

fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

pub fn across(names: &[String]) -> String {
    match names.is_empty() {
        true => text!("everyone-together"),
        false => name(&names.join(" × ")),
    }
}

/// What a gate compares: `difference, worst pair`.
pub fn comparison(compare: Option<Comparison>, against: Option<Against>) -> String {
    let Some(compare) = compare else { return text!("value") };
    let key = match (compare, against) {
        (Comparison::Difference, None | Some(Against::WorstPair)) => "difference-worst-pair",
        (Comparison::Difference, Some(Against::Highest)) => "difference-highest",
        (Comparison::Difference, Some(Against::Overall)) => "difference-overall",
        (Comparison::Difference, Some(Against::Reference)) => "difference-reference",
        (Comparison::Ratio, None | Some(Against::WorstPair)) => "ratio-worst-pair",
        (Comparison::Ratio, Some(Against::Highest)) => "ratio-highest",
        (Comparison::Ratio, Some(Against::Overall)) => "ratio-overall",
        (Comparison::Ratio, Some(Against::Reference)) => "ratio-reference",
    };
    text!(&format!("compare-{key}"))
}

pub fn limit(gate: &Gate) -> String {
    match (gate.at_most, gate.at_least) {
        (Some(most), Some(least)) => text!("limit-between", least = figure(least), most = figure(most)),
        (Some(most), None) => text!("limit-at-most", most = figure(most)),
        (None, Some(least)) => text!("limit-at-least", least = figure(least)),
        (None, None) => text!("limit-none"),
    }
}

pub fn level(level: Level) -> String {
    match level {
        Level::Deny => text!("level-deny"),
        Level::Warn => text!("level-warn"),
    }
}

/// A verdict as shape and colour (`kind`) and word.
#[derive(Debug, Clone, Serialize)]
pub struct Badge {
    pub kind: &'static str,
    pub word: String,
}

impl Badge {
    pub fn new(kind: &'static str, word: String) -> Badge {
        Badge { kind, word }
    }
}

pub fn badge(verdict: Verdict, waived: bool) -> Badge {
    if waived {
        return Badge::new("waived", text!("badge-waived"));
    }
    match verdict {
        Verdict::Met => Badge::new("met", text!("badge-met")),
        Verdict::Breached => Badge::new("breached", text!("badge-breached")),
        Verdict::Undetermined => Badge::new("undetermined", text!("badge-undetermined")),
        Verdict::NotMeasured => Badge::new("not-measured", text!("badge-not-measured")),
    }
}

/// A measured value in finished texts.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The point; the words where there is none.
    pub point: String,
    /// The interval; empty where there is no point.
    pub interval: String,
    /// Rows behind it; empty where there is no point.
    pub n: String,
    pub estimated: bool,
    /// Why there is no point.
    pub why: String,
    /// The reason is English, on a page that is not.
    pub english: bool,
}

impl Shown {
    pub fn of(measured: &Measured) -> Shown {
        match (measured, measured.estimate()) {
            (_, Some(estimate)) => Shown {
                point: figure(estimate.point),
                interval: interval(&estimate.interval),
                n: count(estimate.support.n),
                estimated: true,
                why: String::new(),
                english: false,
            },
            (Measured::Estimated(_), None) => Shown::words(&text!("undefined"), &text!("why-not-finite")),
            (Measured::Undefined { why }, None) => Shown::words(&text!("undefined"), &super::reasons::why(*why)),
            (Measured::Suppressed, None) => Shown::words(&text!("suppressed"), &text!("why-suppressed")),
        }
    }

    /// A figure outside the readings.
    pub fn figure(of: &Figure) -> Shown {
        match of {
            Figure::Estimated { point, lower, upper, n } => Shown {
                point: figure(*point),
                interval: interval(&Interval { lower: *lower, upper: *upper }),
                n: count(*n),
                estimated: true,
                why: String::new(),
                english: false,
            },
            Figure::Undefined { reason } => Shown::because(reason),
            Figure::Suppressed => Shown::of(&Measured::Suppressed),
        }
    }

    pub fn words(words: &str, why: &str) -> Shown {
        Shown {
            point: words.into(),
            interval: String::new(),
            n: String::new(),
            estimated: false,
            why: why.into(),
            english: false,
        }
    }

    /// Undefined, for a reason written before the page.
    fn because(reason: &str) -> Shown {
        let why = said(reason);
        let english = why.parts.iter().any(|part| part.english);
        Shown { english, ..Shown::words(&text!("undefined"), &why.plain()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_decimals_and_never_round_to_a_zero_they_are_not() {
        let cases = [
            (0.0, "0.000"),
            (-0.0, "0.000"),
            (0.21449, "0.214"),
            (-0.5, "−0.500"),
            (0.00027, "0.00027"),
            (-0.0000271, "−0.000027"),
            (3.1e-8, "3.10e−8"),
            (12.3456, "12.35"),
            (123.456, "123.5"),
            (1_234_567.8, "1,234,568"),
            (-98_765.0, "−98,765"),
            (2.5e17, "2.50e17"),
            (f64::NAN, "undefined"),
            (f64::INFINITY, "unbounded"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
        assert_eq!(interval(&Interval { lower: Some(0.18), upper: None }), "[0.180, unbounded]");
        assert_eq!((tick(0.5).as_str(), tick(0.0).as_str(), tick(20.0).as_str()), ("0.5", "0", "20"));
    }

    #[test]
    fn counts_shares_sizes_and_times_have_units_and_separators() {
        assert_eq!((count(-1234).as_str(), count(7).as_str(), count(1_000_000).as_str()), ("−1,234", "7", "1,000,000"));
        assert_eq!((percent(1, 3).as_str(), percent(1, 0).as_str()), ("33.3 %", "undefined"));
        assert_eq!((percent(-1, 3).as_str(), percent(-1, 99_999).as_str()), ("−33.3 %", "0.0 %"));
        assert_eq!((delta(0.0).as_str(), delta(1.25e-7).as_str(), delta(0.5).as_str()), ("0", "1.25e−7", "5e−1"));
        assert_eq!(
            (cost(3.668_762_634).as_str(), cost(12.0).as_str(), cost(1e-9).as_str()),
            ("3.6688", "12", "0.0001")
        );
        assert_eq!(
            (size(999_999.0).as_str(), size(2.4105e13).as_str(), size(3.3187).as_str()),
            ("999,999", "2.41e13", "3.319")
        );
        assert_eq!(
            (p_value(0.04), p_value(3e-9), p_value(0.0)),
            ("0.040".into(), "below 0.0001".into(), "below 0.0001".into())
        );
        assert_eq!((confidence(0.95).as_str(), confidence(0.999).as_str()), ("95 %", "99.9 %"));
        assert_eq!(
            (milliseconds(12).as_str(), milliseconds(1240).as_str(), milliseconds(300_000).as_str()),
            ("12 ms", "1.24 s", "5.0 min")
        );
        assert_eq!((bytes(12).as_str(), bytes(2048).as_str(), bytes(3 << 20).as_str()), ("12 B", "2.0 KiB", "3.0 MiB"));
        assert_eq!(instant("2026-11-25T01:30:00.123Z"), "2026-11-25 01:30:00 UTC");
        assert_eq!(instant("today"), "today");
        assert_eq!(
            prose("-5 of 7 (-2 at 1e-7), [-1, 3]; 2026-11-25, a-b, e-7, re-5"),
            "−5 of 7 (−2 at 1e−7), [−1, 3]; 2026-11-25, a-b, e-7, re-5"
        );
        assert_eq!(more(5, 3, "rows", "a.csv"), "And 2 more rows, in a.csv.");
        assert_eq!(more(4, 3, "rows", "a.csv") + &more(3, 3, "rows", "a.csv"), "And 1 more row, in a.csv.");
        assert_eq!((name("a\nb").as_str(), name(&"x".repeat(99)).chars().count()), ("a b", NAME_CHARS));
    }
}
