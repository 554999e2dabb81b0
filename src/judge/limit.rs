//! The acceptable side of a number, and how a number is written in a reason.

use std::fmt;

use crate::estimate::Interval;
use crate::plan::spec::Criterion;
use crate::scalar::format_number;

/// Where a value may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    /// The limit of a criterion; none when it has none, or two.
    pub fn of(criterion: &Criterion) -> Option<Limit> {
        match (criterion.at_most, criterion.at_least) {
            (Some(limit), None) => Some(Limit::AtMost(limit)),
            (None, Some(limit)) => Some(Limit::AtLeast(limit)),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The whole interval is where values may be.
    pub fn is_met_by(self, interval: &Interval) -> bool {
        match self {
            Limit::AtMost(limit) => interval.upper.is_some_and(|upper| upper <= limit),
            Limit::AtLeast(limit) => interval.lower.is_some_and(|lower| lower >= limit),
        }
    }

    /// The whole interval is where values may not be.
    pub fn is_broken_by(self, interval: &Interval) -> bool {
        match self {
            Limit::AtMost(limit) => interval.lower.is_some_and(|lower| lower > limit),
            Limit::AtLeast(limit) => interval.upper.is_some_and(|upper| upper < limit),
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Limit::AtMost(_) => "at most",
            Limit::AtLeast(_) => "at least",
        }
    }

    /// On which side of the limit a breach is.
    pub fn beyond(self) -> &'static str {
        match self {
            Limit::AtMost(_) => "above",
            Limit::AtLeast(_) => "below",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Limit::AtMost(limit) | Limit::AtLeast(limit)) = self;
        f.write_str(&format_number(*limit))
    }
}

/// Four significant digits, without trailing zeros.
pub fn number(x: f64) -> String {
    let Some(magnitude) = x.abs().log10().is_finite().then(|| x.abs().log10().floor() as i32) else {
        return format_number(x);
    };
    let decimals = usize::try_from(3 - magnitude).unwrap_or(0).min(12);
    let written = format!("{x:.decimals$}");
    let written = if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.') } else { &written };
    if written == "-0" { "0".into() } else { written.into() }
}

/// `[0.18, 0.25]`; an end that is not there is infinite.
pub fn interval(interval: &Interval) -> String {
    let lower = interval.lower.map_or("-inf".into(), number);
    let upper = interval.upper.map_or("inf".into(), number);
    format!("[{lower}, {upper}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_four_digits() {
        for (x, text) in [
            (0.214_04, "0.214"),
            (0.2, "0.2"),
            (-0.000_123_456, "-0.0001235"),
            (1234.56, "1235"),
            (0.0, "0"),
            (-1e-15, "0"),
            (99.999_9, "100"),
            (120_000.0, "120000"),
            (1.0, "1"),
        ] {
            assert_eq!(number(x), text);
        }
    }
}
