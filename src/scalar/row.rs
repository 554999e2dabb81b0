//! The meaning of an expression for one row.

use std::sync::Arc;

use super::{Arithmetic, Bound, Expr, Function, Order, Predictor, Value, format_number, parse_number};

impl Bound {
    /// The value for a row. An expression that passed the type check and a row of the declared kinds are expected; a value of another
    /// kind is treated as missing.
    pub fn evaluate(&self, row: &[Value]) -> Value {
        match self {
            Expr::Column(at) => row.get(*at).cloned().unwrap_or(Value::Null),
            Expr::Literal(value) => value.clone(),
            Expr::Negate(of) => number(&of.evaluate(row)).map_or(Value::Null, |x| Value::finite(-x)),
            Expr::Not(of) => truth(&of.evaluate(row)).map_or(Value::Null, |x| Value::Truth(!x)),
            Expr::IsNull(of) => Value::Truth(of.evaluate(row) == Value::Null),
            Expr::Arithmetic(by, left, right) => match (number(&left.evaluate(row)), number(&right.evaluate(row))) {
                (Some(x), Some(y)) => Value::finite(by.of(x, y)),
                _ => Value::Null,
            },
            Expr::Compare(by, left, right) => compare(*by, &left.evaluate(row), &right.evaluate(row)),
            Expr::And(left, right) => three(and(truth(&left.evaluate(row)), truth(&right.evaluate(row)))),
            Expr::Or(left, right) => three(or(truth(&left.evaluate(row)), truth(&right.evaluate(row)))),
            Expr::In(of, values) => among(&of.evaluate(row), values),
            Expr::Case(branches, otherwise) => branches
                .iter()
                .find(|(condition, _)| condition.evaluate(row) == Value::Truth(true))
                .map(|(_, then)| then)
                .or(otherwise.as_deref())
                .map_or(Value::Null, |then| then.evaluate(row)),
            Expr::Coalesce(of) => {
                of.iter().map(|of| of.evaluate(row)).find(|value| *value != Value::Null).unwrap_or(Value::Null)
            }
            Expr::Apply(function, of) => function.of(&of.iter().map(|of| of.evaluate(row)).collect::<Vec<_>>()),
            Expr::Predictor(model, inputs) => {
                let inputs: Option<Vec<f64>> =
                    inputs.iter().map(|input| number_or_truth(&input.evaluate(row))).collect();
                inputs.map_or(Value::Null, |inputs| Value::Number(model.eta(&inputs) as f64))
            }
            Expr::Link(link, bits, of) => match number(&of.evaluate(row)) {
                Some(eta) => Value::finite(link.value(eta, *bits)),
                None => Value::Null,
            },
        }
    }
}

impl Predictor {
    /// The integer predictor of finite inputs.
    pub fn eta(&self, inputs: &[f64]) -> i64 {
        let terms = inputs.iter().zip(&self.bounds).zip(&self.coefficients);
        terms.fold(self.intercept, |eta, ((&x, &(lower, upper)), b)| eta + b * quantise(x, lower, upper))
    }
}

/// floor(z 2^20 + 0.5) with z = (v - lower) / (upper - lower) * 2 - 1 of the clamped value; see `demand::Fixed`.
pub(super) fn quantise(value: f64, lower: f64, upper: f64) -> i64 {
    let clamped = if value < lower {
        lower
    } else if value > upper {
        upper
    } else {
        value
    };
    (((clamped - lower) / (upper - lower) * 2.0 - 1.0) * (1u64 << 20) as f64 + 0.5).floor() as i64
}

impl Arithmetic {
    pub(super) fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Arithmetic::Add => x + y,
            Arithmetic::Subtract => x - y,
            Arithmetic::Multiply => x * y,
            Arithmetic::Divide => x / y,
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Null | Value::Truth(_) | Value::Text(_) => None,
    }
}

/// A number, or 0 and 1 for the truth values.
fn number_or_truth(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Truth(truth) => Some(f64::from(u8::from(*truth))),
        Value::Null | Value::Text(_) => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Truth(truth) => Some(*truth),
        Value::Null | Value::Number(_) | Value::Text(_) => None,
    }
}

fn three(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Truth)
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

pub(super) fn compare(by: Order, left: &Value, right: &Value) -> Value {
    let order = match (left, right) {
        (Value::Number(x), Value::Number(y)) => x.partial_cmp(y),
        (Value::Text(x), Value::Text(y)) => Some(x.as_bytes().cmp(y.as_bytes())),
        (Value::Truth(x), Value::Truth(y)) => Some(x.cmp(y)),
        _ => None,
    };
    order.map_or(Value::Null, |order| Value::Truth(by.holds(order)))
}

/// SQL's IN: true when equal to one; missing when not and a side is missing.
pub(super) fn among(value: &Value, values: &[Value]) -> Value {
    let equal = values.iter().map(|other| truth(&compare(Order::Equal, value, other)));
    three(equal.fold(Some(false), or))
}

impl Function {
    pub(super) fn of(self, arguments: &[Value]) -> Value {
        match (self, arguments) {
            (Function::ToNumber, [value]) => match value {
                Value::Text(text) => parse_number(text, '.').map_or(Value::Null, Value::Number),
                other => number_or_truth(other).map_or(Value::Null, Value::Number),
            },
            (Function::ToText, [value]) => match value {
                Value::Null => Value::Null,
                Value::Number(number) => Value::Text(format_number(*number).into()),
                Value::Truth(truth) => Value::Text(if *truth { "true" } else { "false" }.into()),
                Value::Text(text) => Value::Text(text.clone()),
            },
            (Function::Abs, [Value::Number(x)]) => Value::finite(x.abs()),
            (Function::Floor, [Value::Number(x)]) => Value::finite(x.floor()),
            (Function::Ceil, [Value::Number(x)]) => Value::finite(x.ceil()),
            (Function::Lower, [Value::Text(x)]) => Value::Text(x.to_ascii_lowercase().into()),
            (Function::Upper, [Value::Text(x)]) => Value::Text(x.to_ascii_uppercase().into()),
            (Function::Trim, [Value::Text(x)]) => Value::Text(x.trim_matches(' ').into()),
            (Function::Length, [Value::Text(x)]) => Value::Number(x.chars().count() as f64),
            (Function::Substring, [Value::Text(x), Value::Number(from), Value::Number(count)]) => {
                substring(x, *from, *count)
            }
            (Function::Concat, [Value::Text(x), Value::Text(y)]) => Value::Text(Arc::from(format!("{x}{y}"))),
            (Function::Like, [Value::Text(x), Value::Text(pattern)]) => Value::Truth(like(x, pattern)),
            _ => Value::Null,
        }
    }
}

/// Characters from..from + count, counted from 1. Positions before the first character count, as in SQL.
fn substring(text: &str, from: f64, count: f64) -> Value {
    let (first, end) = (from.floor(), from.floor() + count.floor());
    if count < 0.0 {
        return Value::Null;
    }
    let within = |i: usize| (i + 1) as f64 >= first && ((i + 1) as f64) < end;
    Value::Text(text.chars().enumerate().filter(|(i, _)| within(*i)).map(|(_, c)| c).collect::<String>().into())
}

/// `%` is any run of characters, `_` one character. Linear in the text for every `%`: the last `%` is retried, never an earlier one.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '_' || c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match retry {
                Some((percent, from)) => {
                    retry = Some((percent, from + 1));
                    (p, t) = (percent + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '%')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Scalar;

    fn value(scalar: &Scalar) -> Value {
        scalar.bind(|_| None).unwrap().evaluate(&[])
    }

    #[test]
    fn missing_is_neither_true_nor_false() {
        let (t, f, n) = (Some(true), Some(false), None);
        assert_eq!([and(t, n), and(f, n), and(n, n)], [n, f, n]);
        assert_eq!([or(t, n), or(f, n), or(n, n)], [t, n, n]);
        let null = || Box::new(Expr::Literal(Value::Null));
        let one = || Box::new(Scalar::number(1.0));
        assert_eq!(value(&Expr::Compare(Order::Equal, null(), null())), Value::Null);
        assert_eq!(value(&Expr::IsNull(null())), Value::Truth(true));
        assert_eq!(value(&Expr::In(one(), [Value::Number(2.0), Value::Null].into())), Value::Null);
        assert_eq!(value(&Expr::In(one(), [Value::Null, Value::Number(1.0)].into())), Value::Truth(true));
    }

    #[test]
    fn what_is_no_number_is_missing() {
        let x = |x| Box::new(Scalar::number(x));
        assert_eq!(value(&Expr::Arithmetic(Arithmetic::Divide, x(1.0), x(0.0))), Value::Null);
        assert_eq!(value(&Expr::Arithmetic(Arithmetic::Divide, x(0.0), x(0.0))), Value::Null);
        assert_eq!(value(&Expr::Arithmetic(Arithmetic::Multiply, x(1e300), x(1e300))), Value::Null);
        let Value::Number(zero) = value(&Expr::Negate(x(0.0))) else { panic!() };
        assert!(zero.is_sign_positive());
    }

    #[test]
    fn patterns_and_parts() {
        for (text, pattern, holds) in [
            ("abc", "a%", true),
            ("abc", "_b_", true),
            ("abc", "%b", false),
            ("", "%", true),
            ("aab", "%ab", true),
            ("ä", "_", true),
        ] {
            assert_eq!(like(text, pattern), holds, "{text} {pattern}");
        }
        assert_eq!(substring("abcdef", 2.0, 3.0), Value::Text("bcd".into()));
        assert_eq!(substring("abc", 0.0, 2.0), Value::Text("a".into()));
    }
}
