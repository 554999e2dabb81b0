//! Transformations of one value that need no secret: covering characters, leading digits, intervals, limits, rounding.

use crate::scalar::format_number;

/// Covers letters and digits with `*`. Other characters stay: they are the form of the value.
#[derive(Debug, Clone, PartialEq)]
pub enum Mask {
    /// So many characters at both ends stay. A value with fewer than twice as many is covered as a whole.
    Ends { first: usize, last: usize },
    /// Character by character: `#` keeps, `*` covers, any other must be there itself.
    Pattern(Vec<char>),
}

impl Mask {
    /// The covered text; none where the value does not fit the pattern.
    pub fn of(&self, text: &str) -> Option<String> {
        let characters: Vec<char> = text.chars().collect();
        let cover = |c: char| if c.is_alphanumeric() { '*' } else { c };
        match self {
            Mask::Ends { first, last } => {
                let kept = first.saturating_add(*last);
                let is_short = characters.len() < kept.saturating_mul(2);
                let stays = |at: usize| !is_short && (at < *first || at >= characters.len().saturating_sub(*last));
                Some(characters.iter().enumerate().map(|(at, &c)| if stays(at) { c } else { cover(c) }).collect())
            }
            Mask::Pattern(pattern) => {
                let one = |(&c, &by): (&char, &char)| match by {
                    '#' => Some(c),
                    '*' => Some('*'),
                    literal => (literal == c).then_some(c),
                };
                let fits = pattern.len() == characters.len();
                characters.iter().zip(pattern).map(one).collect::<Option<String>>().filter(|_| fits)
            }
        }
    }
}

/// The first digits of a code; zeros for a restricted beginning; none where the value does not begin with so many digits.
pub fn leading_digits(text: &str, digits: usize, restricted: &[String]) -> Option<String> {
    let start = text.get(..digits).filter(|start| start.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(if restricted.iter().any(|of| of == start) { "0".repeat(digits) } else { start.to_string() })
}

/// Greatest number of an interval: beyond it the ends are no longer exact.
const INTERVAL_MAX: f64 = 9.0e15;

/// The interval [origin + k width, origin + (k + 1) width) that holds a number, as a text `[30, 40)`. None where a double cannot tell the
/// intervals apart.
pub fn interval(x: f64, origin: f64, width: f64) -> Option<String> {
    let mut k = ((x - origin) / width).floor();
    if k.is_nan() || k.abs() >= INTERVAL_MAX {
        return None;
    }
    // The quotient may be rounded across an end.
    if origin + k * width > x {
        k -= 1.0;
    } else if origin + (k + 1.0) * width <= x {
        k += 1.0;
    }
    let (lower, upper) = (origin + k * width, origin + (k + 1.0) * width);
    (lower <= x && x < upper).then(|| format!("[{}, {})", end(lower), end(upper)))
}

/// An end of an interval, to nine decimals: 0.1 times 3 is written 0.3.
fn end(x: f64) -> String {
    let rounded = (x * 1e9).round() / 1e9;
    format_number(if x.abs() < 1e6 { rounded } else { x })
}

/// The multiple of `to` that is nearest; of two the greater.
pub fn round(x: f64, to: f64) -> Option<f64> {
    let k = (x / to + 0.5).floor();
    if k.is_nan() || k.abs() >= INTERVAL_MAX {
        return None;
    }
    // A tenth is no double, and three tenths are nearer to 3 / 10 than to 3 times a tenth.
    let inverse = (1.0 / to).round();
    let rounded = if to < 1.0 && inverse * to == 1.0 { k / inverse } else { k * to };
    (rounded.is_finite()).then_some(rounded + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn worked_examples() {
        let ends = |first, last| Mask::Ends { first, last };
        assert_eq!(ends(0, 4).of("212-555-0173").as_deref(), Some("***-***-0173"));
        assert_eq!(ends(0, 4).of("5550173").as_deref(), Some("*******"));
        assert_eq!(ends(0, 0).of("Ann Lee").as_deref(), Some("*** ***"));
        let pattern = Mask::Pattern("***-##".chars().collect());
        assert_eq!(pattern.of("123-45").as_deref(), Some("***-45"));
        assert_eq!((pattern.of("12-345"), pattern.of("123-456")), (None, None));
        let restricted = ["036".to_string()];
        assert_eq!(leading_digits("03601-1234", 3, &restricted).as_deref(), Some("000"));
        assert_eq!(leading_digits("10001", 3, &restricted).as_deref(), Some("100"));
        assert_eq!((leading_digits("1a001", 3, &[]), leading_digits("10", 3, &[])), (None, None));
        assert_eq!(interval(37.0, 0.0, 10.0).as_deref(), Some("[30, 40)"));
        assert_eq!(interval(-0.5, 0.0, 10.0).as_deref(), Some("[-10, 0)"));
        assert_eq!(interval(40.0, 5.0, 10.0).as_deref(), Some("[35, 45)"));
        assert_eq!(
            interval(0.3, 0.0, 0.1).as_deref(),
            Some("[0.3, 0.4)").filter(|_| 3.0 * 0.1 <= 0.3).or(Some("[0.2, 0.3)"))
        );
        assert_eq!(interval(1e300, 0.0, 1.0), None);
        assert_eq!(
            (round(1499.0, 1000.0), round(1500.0, 1000.0), round(0.3, 0.1)),
            (Some(1000.0), Some(2000.0), Some(0.3))
        );
    }

    fn ends(text: &str) -> (f64, f64) {
        let (lower, upper) = text.trim_matches(['[', ')']).split_once(", ").unwrap();
        (lower.parse().unwrap(), upper.parse().unwrap())
    }

    proptest! {
        /// A number is within its interval; order is kept; an interval of twice the width holds whole intervals.
        #[test]
        fn intervals_are_monotone_and_coarser_ones_never_split(x in -1e6..1e6f64, y in -1e6..1e6f64, origin in -50i32..50, width in 1u32..500) {
            let (origin, width) = (f64::from(origin), f64::from(width));
            let of = |x, width| ends(&interval(x, origin, width).unwrap());
            let (a, b) = (of(x, width), of(y, width));
            prop_assert!(a.0 <= x && x < a.1 && a.1 - a.0 == width);
            let in_order = if x <= y { a.0 <= b.0 } else { a.0 >= b.0 };
            prop_assert!(in_order);
            let (wide, other) = (of(x, 2.0 * width), of(y, 2.0 * width));
            prop_assert!(wide.0 <= a.0 && a.1 <= wide.1);
            prop_assert!(a != b || wide == other);
        }

        #[test]
        fn rounding_is_idempotent_monotone_and_near(x in -1e9..1e9f64, y in -1e9..1e9f64, to in prop::sample::select(vec![0.01, 0.1, 0.25, 1.0, 5.0, 7.0, 1000.0])) {
            let of = |x| round(x, to).unwrap();
            prop_assert_eq!(of(of(x)), of(x));
            prop_assert!((of(x) - x).abs() <= to / 2.0 * (1.0 + 1e-6));
            let in_order = if x <= y { of(x) <= of(y) } else { of(x) >= of(y) };
            prop_assert!(in_order);
        }

        /// No letter or digit outside the ends that stay is left, and at least half of the characters are covered.
        #[test]
        fn a_mask_covers(text in "[a-zA-Z0-9]{0,20}", first in 0..6usize, last in 0..6usize) {
            let masked = Mask::Ends { first, last }.of(&text).unwrap();
            let covered = masked.chars().filter(|c| *c == '*').count();
            prop_assert_eq!(masked.chars().count(), text.chars().count());
            prop_assert!(2 * covered >= text.len());
        }
    }
}
