//! The same meaning for columns of many rows.
//!
//! A missing number is NaN inside a vector (no value is NaN, so nothing is lost); truth is 0, 1 or 2 for missing; a text is a code into a
//! list of levels. Functions of a text run once per level.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::row::{among, compare, quantise};
use super::wide::wide;
use super::{Bound, Expr, Function, Kind, Order, Predictor, Value};

/// Truth code of a missing value.
pub const TRUTH_UNKNOWN: u8 = 2;
/// Text code of a missing value.
pub const NO_TEXT: u32 = u32::MAX;

/// A column of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// NaN is missing.
    Number(Vec<f64>),
    /// 0, 1, or 2 for missing.
    Truth(Vec<u8>),
    /// Codes into levels; `NO_TEXT` is missing. Levels are distinct.
    Text { codes: Vec<u32>, levels: Arc<[Arc<str>]> },
    /// Missing in every row.
    Null(usize),
}

impl Vector {
    /// The value of a row.
    pub fn get(&self, row: usize) -> Value {
        match self {
            Vector::Number(values) if values[row].is_nan() => Value::Null,
            Vector::Number(values) => Value::Number(values[row]),
            Vector::Truth(values) if values[row] == TRUTH_UNKNOWN => Value::Null,
            Vector::Truth(values) => Value::Truth(values[row] == 1),
            Vector::Text { codes, .. } if codes[row] == NO_TEXT => Value::Null,
            Vector::Text { codes, levels } => Value::Text(levels[codes[row] as usize].clone()),
            Vector::Null(_) => Value::Null,
        }
    }

    /// A column of these values, which are of one kind or missing.
    pub fn of(values: impl ExactSizeIterator<Item = Value>) -> Vector {
        let rows = values.len();
        let values: Vec<Value> = values.collect();
        match values.iter().find_map(Value::kind) {
            None => Vector::Null(rows),
            Some(Kind::Number) => {
                Vector::Number(values.iter().map(|v| if let Value::Number(x) = v { *x } else { f64::NAN }).collect())
            }
            Some(Kind::Truth) => Vector::Truth(
                values.iter().map(|v| if let Value::Truth(x) = v { u8::from(*x) } else { TRUTH_UNKNOWN }).collect(),
            ),
            Some(Kind::Text) => {
                let mut levels = Levels::default();
                let codes =
                    values.iter().map(|v| if let Value::Text(x) = v { levels.code(x) } else { NO_TEXT }).collect();
                Vector::Text { codes, levels: levels.list.into() }
            }
        }
    }

    fn numbers(&self, rows: usize) -> Cow<'_, [f64]> {
        match self {
            Vector::Number(values) => Cow::Borrowed(values),
            Vector::Truth(values) => {
                Cow::Owned(values.iter().map(|&x| if x == TRUTH_UNKNOWN { f64::NAN } else { f64::from(x) }).collect())
            }
            Vector::Text { .. } | Vector::Null(_) => Cow::Owned(vec![f64::NAN; rows]),
        }
    }

    fn truths(&self, rows: usize) -> Cow<'_, [u8]> {
        match self {
            Vector::Truth(values) => Cow::Borrowed(values),
            Vector::Number(_) | Vector::Text { .. } | Vector::Null(_) => Cow::Owned(vec![TRUTH_UNKNOWN; rows]),
        }
    }
}

/// Distinct texts in the order they came.
#[derive(Default)]
struct Levels {
    codes: HashMap<Arc<str>, u32>,
    list: Vec<Arc<str>>,
}

impl Levels {
    fn code(&mut self, text: &Arc<str>) -> u32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let code = self.list.len() as u32;
        self.codes.insert(text.clone(), code);
        self.list.push(text.clone());
        code
    }
}

impl Bound {
    /// The column of its values over the rows of a batch; see `evaluate`.
    pub fn evaluate_batch<'a>(&self, columns: &'a [Vector], rows: usize) -> Cow<'a, Vector> {
        let of = |of: &Bound| of.evaluate_batch(columns, rows);
        Cow::Owned(match self {
            Expr::Column(at) => return columns.get(*at).map_or(Cow::Owned(Vector::Null(rows)), Cow::Borrowed),
            Expr::Literal(value) => constant(value, rows),
            Expr::Negate(x) => Vector::Number(numbers_only(&of(x), rows).iter().map(|x| 0.0 - x).collect()),
            Expr::Not(x) => Vector::Truth(of(x).truths(rows).iter().map(|&x| NOT[x as usize]).collect()),
            Expr::IsNull(x) => Vector::Truth(is_null(&of(x), rows)),
            Expr::Arithmetic(by, x, y) => {
                let (x, y) = (of(x), of(y));
                let (x, y) = (numbers_only(&x, rows), numbers_only(&y, rows));
                Vector::Number(x.iter().zip(y.iter()).map(|(&x, &y)| finite(by.of(x, y))).collect())
            }
            Expr::Compare(by, x, y) => compare_columns(*by, &of(x), &of(y), rows),
            Expr::And(x, y) => both(&AND, &of(x), &of(y), rows),
            Expr::Or(x, y) => both(&OR, &of(x), &of(y), rows),
            Expr::In(x, values) => per_level(&of(x), rows, |value| among(value, values)),
            Expr::Case(branches, otherwise) => {
                let conditions: Vec<_> =
                    branches.iter().map(|(condition, _)| of(condition).truths(rows).into_owned()).collect();
                let then: Vec<_> =
                    branches.iter().map(|(_, then)| of(then)).chain(otherwise.as_deref().map(of)).collect();
                let choice = |row: usize| conditions.iter().position(|c| c[row] == 1).unwrap_or(branches.len());
                choose(&then, rows, choice)
            }
            Expr::Coalesce(arguments) => {
                let arguments: Vec<_> = arguments.iter().map(of).collect();
                let missing: Vec<_> = arguments.iter().map(|x| is_null(x, rows)).collect();
                choose(&arguments, rows, |row| missing.iter().position(|m| m[row] == 0).unwrap_or(arguments.len()))
            }
            Expr::Apply(function, arguments) => apply(*function, &arguments.iter().map(of).collect::<Vec<_>>(), rows),
            Expr::Predictor(model, inputs) => {
                let inputs: Vec<_> = inputs.iter().map(of).collect();
                let inputs: Vec<_> = inputs.iter().map(|x| x.numbers(rows)).collect();
                Vector::Number(predict(model, &inputs, rows))
            }
            Expr::Link(link, bits, x) => {
                let value = |&x: &f64| if x.is_nan() { x } else { link.value(x, *bits) };
                Vector::Number(numbers_only(&of(x), rows).iter().map(value).collect())
            }
        })
    }
}

const NOT: [u8; 3] = [1, 0, 2];
const AND: [[u8; 3]; 3] = [[0, 0, 0], [0, 1, 2], [0, 2, 2]];
const OR: [[u8; 3]; 3] = [[0, 1, 2], [1, 1, 1], [2, 1, 2]];

fn both(table: &[[u8; 3]; 3], x: &Vector, y: &Vector, rows: usize) -> Vector {
    let (x, y) = (x.truths(rows), y.truths(rows));
    Vector::Truth(x.iter().zip(y.iter()).map(|(&x, &y)| table[x as usize][y as usize]).collect())
}

fn finite(x: f64) -> f64 {
    if x.is_finite() { x + 0.0 } else { f64::NAN }
}

fn numbers_only(vector: &Vector, rows: usize) -> Cow<'_, [f64]> {
    match vector {
        Vector::Number(values) => Cow::Borrowed(values),
        Vector::Truth(_) | Vector::Text { .. } | Vector::Null(_) => Cow::Owned(vec![f64::NAN; rows]),
    }
}

fn constant(value: &Value, rows: usize) -> Vector {
    match value {
        Value::Null => Vector::Null(rows),
        Value::Truth(truth) => Vector::Truth(vec![u8::from(*truth); rows]),
        Value::Number(number) => Vector::Number(vec![*number; rows]),
        Value::Text(text) => Vector::Text { codes: vec![0; rows], levels: [text.clone()].into() },
    }
}

fn is_null(vector: &Vector, rows: usize) -> Vec<u8> {
    match vector {
        Vector::Number(values) => values.iter().map(|x| u8::from(x.is_nan())).collect(),
        Vector::Truth(values) => values.iter().map(|&x| u8::from(x == TRUTH_UNKNOWN)).collect(),
        Vector::Text { codes, .. } => codes.iter().map(|&x| u8::from(x == NO_TEXT)).collect(),
        Vector::Null(_) => vec![1; rows],
    }
}

fn code(order: Option<Ordering>, by: Order) -> u8 {
    order.map_or(TRUTH_UNKNOWN, |order| u8::from(by.holds(order)))
}

fn compare_columns(by: Order, x: &Vector, y: &Vector, rows: usize) -> Vector {
    Vector::Truth(match (x, y) {
        (Vector::Number(x), Vector::Number(y)) => x.iter().zip(y).map(|(x, y)| code(x.partial_cmp(y), by)).collect(),
        (Vector::Truth(x), Vector::Truth(y)) => {
            let order = |x: u8, y: u8| (x != TRUTH_UNKNOWN && y != TRUTH_UNKNOWN).then(|| x.cmp(&y));
            x.iter().zip(y).map(|(&x, &y)| code(order(x, y), by)).collect()
        }
        (Vector::Text { .. }, Vector::Text { levels: one, codes })
            if one.len() == 1 && codes.iter().all(|&c| c == 0) =>
        {
            let literal = Value::Text(one[0].clone());
            return per_level(x, rows, |value| compare(by, value, &literal));
        }
        (Vector::Text { .. }, Vector::Text { .. }) => {
            let truth = |row| match compare(by, &x.get(row), &y.get(row)) {
                Value::Truth(truth) => u8::from(truth),
                _ => TRUTH_UNKNOWN,
            };
            (0..rows).map(truth).collect()
        }
        _ => vec![TRUTH_UNKNOWN; rows],
    })
}

/// A truth function of one value: computed once per level of a text.
fn per_level(x: &Vector, rows: usize, of: impl Fn(&Value) -> Value) -> Vector {
    let truth = |value: &Value| match of(value) {
        Value::Truth(truth) => u8::from(truth),
        Value::Null | Value::Number(_) | Value::Text(_) => TRUTH_UNKNOWN,
    };
    Vector::Truth(match x {
        Vector::Text { codes, levels } => {
            let table: Vec<u8> = levels.iter().map(|level| truth(&Value::Text(level.clone()))).collect();
            let null = truth(&Value::Null);
            codes.iter().map(|&c| table.get(c as usize).copied().unwrap_or(null)).collect()
        }
        Vector::Number(_) | Vector::Truth(_) | Vector::Null(_) => (0..rows).map(|row| truth(&x.get(row))).collect(),
    })
}

/// For every row the value of the chosen column; missing when the choice is beyond the last.
fn choose(of: &[Cow<'_, Vector>], rows: usize, choice: impl Fn(usize) -> usize) -> Vector {
    let numeric = of.iter().all(|x| matches!(**x, Vector::Number(_) | Vector::Null(_)));
    if numeric {
        let columns: Vec<_> = of.iter().map(|x| x.numbers(rows)).collect();
        return Vector::Number((0..rows).map(|row| columns.get(choice(row)).map_or(f64::NAN, |x| x[row])).collect());
    }
    if of.iter().all(|x| matches!(**x, Vector::Truth(_) | Vector::Null(_))) {
        let columns: Vec<_> = of.iter().map(|x| x.truths(rows)).collect();
        return Vector::Truth(
            (0..rows).map(|row| columns.get(choice(row)).map_or(TRUTH_UNKNOWN, |x| x[row])).collect(),
        );
    }
    let mut levels = Levels::default();
    let recoded: Vec<Vec<u32>> = of
        .iter()
        .map(|x| match &**x {
            Vector::Text { levels: mine, .. } => mine.iter().map(|level| levels.code(level)).collect(),
            Vector::Number(_) | Vector::Truth(_) | Vector::Null(_) => Vec::new(),
        })
        .collect();
    let code = |row: usize| {
        let at = choice(row);
        match of.get(at).map(|x| &**x) {
            Some(Vector::Text { codes, .. }) => recoded[at].get(codes[row] as usize).copied().unwrap_or(NO_TEXT),
            _ => NO_TEXT,
        }
    };
    Vector::Text { codes: (0..rows).map(code).collect(), levels: levels.list.into() }
}

fn apply(function: Function, arguments: &[Cow<'_, Vector>], rows: usize) -> Vector {
    if let ([x], Function::Abs | Function::Floor | Function::Ceil) = (arguments, function) {
        let of: fn(f64) -> f64 = match function {
            Function::Abs => f64::abs,
            Function::Floor => f64::floor,
            _ => f64::ceil,
        };
        return Vector::Number(numbers_only(x, rows).iter().map(|&x| of(x) + 0.0).collect());
    }
    if let [x] = arguments
        && let Vector::Text { codes, levels } = &**x
    {
        let table = Vector::of(levels.iter().map(|level| function.of(&[Value::Text(level.clone())])));
        return gather(&table, codes, rows);
    }
    Vector::of((0..rows).map(|row| function.of(&arguments.iter().map(|x| x.get(row)).collect::<Vec<_>>())))
}

/// The table's value for every code; missing for `NO_TEXT`.
fn gather(table: &Vector, codes: &[u32], rows: usize) -> Vector {
    let at = |c: &u32| *c as usize;
    match table {
        Vector::Number(values) => {
            Vector::Number(codes.iter().map(|c| values.get(at(c)).copied().unwrap_or(f64::NAN)).collect())
        }
        Vector::Truth(values) => {
            Vector::Truth(codes.iter().map(|c| values.get(at(c)).copied().unwrap_or(TRUTH_UNKNOWN)).collect())
        }
        Vector::Text { codes: inner, levels } => Vector::Text {
            codes: codes.iter().map(|c| inner.get(at(c)).copied().unwrap_or(NO_TEXT)).collect(),
            levels: levels.clone(),
        },
        Vector::Null(_) => Vector::Null(rows),
    }
}

/// floor(x) for |x| < 2^51, in additions: `f64::floor` is a call on processors that do not promise the instruction. NaN stays NaN.
#[inline(always)]
pub(crate) fn floor(x: f64) -> f64 {
    // Adding 1.5 x 2^52 leaves no bits for a fraction: the sum is rounded to the nearest integer.
    const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
    let nearest = (x + WHOLE) - WHOLE;
    if nearest > x { nearest - 1.0 } else { nearest }
}

/// Integer sums held in doubles: every product and partial sum is below 2^53.
fn predict(model: &Predictor, inputs: &[Cow<'_, [f64]>], rows: usize) -> Vec<f64> {
    let mut eta = vec![model.intercept as f64; rows];
    for ((input, &(lower, upper)), &b) in inputs.iter().zip(&model.bounds).zip(&model.coefficients) {
        let b = b as f64;
        if lower < upper && (upper - lower).is_finite() {
            add_term(&mut eta, input, (lower, upper), b);
            continue;
        }
        for (eta, &x) in eta.iter_mut().zip(input.iter()) {
            *eta += b * if x.is_nan() { x } else { quantise(x, lower, upper) as f64 };
        }
    }
    eta
}

wide! {
    /// Adds a coefficient times the quantised input; see `row::quantise`.
    fn add_term(eta: &mut [f64], input: &[f64], bounds: (f64, f64), b: f64) {
        let (lower, upper) = bounds;
        for (eta, &x) in eta.iter_mut().zip(input) {
            let clamped = if x < lower { lower } else { x };
            let clamped = if clamped > upper { upper } else { clamped };
            *eta += b * floor(((clamped - lower) / (upper - lower) * 2.0 - 1.0) * (1u64 << 20) as f64 + 0.5);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::Arithmetic;
    use crate::scalar::link::Link;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = Bound> {
        let leaf = prop_oneof![
            (0usize..2).prop_map(Expr::Column),
            prop_oneof![Just(0.0), Just(-1.5), Just(1e300), Just(3.0)].prop_map(|x| Expr::Literal(Value::Number(x))),
            Just(Expr::Apply(Function::ToNumber, vec![Expr::Column(3)])),
            Just(Expr::Apply(Function::Length, vec![Expr::Column(3)])),
        ];
        leaf.prop_recursive(3, 12, 2, |inner| {
            let pair = (inner.clone(), inner.clone());
            let by = prop_oneof![
                Just(Arithmetic::Add),
                Just(Arithmetic::Divide),
                Just(Arithmetic::Multiply),
                Just(Arithmetic::Subtract)
            ];
            let model = Predictor { bounds: vec![(-2.0, 5.0)], coefficients: vec![1 << 24], intercept: 77, bits: 44 };
            prop_oneof![
                (by, pair.clone()).prop_map(|(by, (x, y))| Expr::Arithmetic(by, x.into(), y.into())),
                inner.clone().prop_map(|x| Expr::Negate(x.into())),
                inner.clone().prop_map(|x| Expr::Apply(Function::Floor, vec![x])),
                inner.clone().prop_map(move |x| {
                    Expr::Link(Link::Softplus, 44, Expr::Predictor(model.clone().into(), vec![x]).into())
                }),
                (truth_over(inner.clone().boxed()), pair.clone())
                    .prop_map(|(when, (x, y))| Expr::Case(vec![(when, x)], Some(y.into()))),
                pair.prop_map(|(x, y)| Expr::Coalesce(vec![x, y])),
            ]
        })
    }

    fn truth_over(numbers: BoxedStrategy<Bound>) -> impl Strategy<Value = Bound> {
        let order =
            prop_oneof![Just(Order::Equal), Just(Order::Less), Just(Order::GreaterEqual), Just(Order::NotEqual)];
        let text = || {
            prop_oneof![Just(Expr::Column(3)), Just(Expr::Literal(Value::Text("b".into()))), Just(text_expression())]
        };
        let leaf = prop_oneof![
            Just(Expr::Column(2)),
            (order.clone(), numbers.clone(), numbers.clone()).prop_map(|(by, x, y)| Expr::Compare(
                by,
                x.into(),
                y.into()
            )),
            (order, text(), text()).prop_map(|(by, x, y)| Expr::Compare(by, x.into(), y.into())),
            Just(Expr::In(Expr::Column(3).into(), [Value::Text("a".into()), Value::Null].into())),
            Just(Expr::Apply(Function::Like, vec![Expr::Column(3), Expr::Literal(Value::Text("%1%".into()))])),
            numbers.prop_map(|x| Expr::IsNull(x.into())),
        ];
        leaf.prop_recursive(2, 6, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(x, y)| Expr::And(x.into(), y.into())),
                (inner.clone(), inner.clone()).prop_map(|(x, y)| Expr::Or(x.into(), y.into())),
                inner.prop_map(|x| Expr::Not(x.into())),
            ]
        })
    }

    fn text_expression() -> Bound {
        let upper = Expr::Apply(Function::Upper, vec![Expr::Column(3)]);
        Expr::Case(
            vec![(Expr::Column(2), upper)],
            Some(Expr::Apply(Function::Concat, vec![Expr::Column(3), Expr::Column(3)]).into()),
        )
    }

    fn rows() -> impl Strategy<Value = Vec<Vec<Value>>> {
        let number = prop_oneof![Just(Value::Null), (-4i32..4).prop_map(|x| Value::Number(f64::from(x) / 2.0))];
        let truth = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Truth)];
        let text = prop_oneof![Just(Value::Null), "[ab1]{0,2}".prop_map(|x| Value::Text(x.into()))];
        proptest::collection::vec(
            (number.clone(), number, truth, text).prop_map(|(a, b, c, d)| vec![a, b, c, d]),
            1..12,
        )
    }

    fn check(expression: &Bound, rows: &[Vec<Value>]) {
        let columns: Vec<Vector> = (0..4).map(|c| Vector::of(rows.iter().map(|row| row[c].clone()))).collect();
        let batch = expression.evaluate_batch(&columns, rows.len());
        for (i, row) in rows.iter().enumerate() {
            let (one, many) = (expression.evaluate(row), batch.get(i));
            match (&one, &many) {
                (Value::Number(x), Value::Number(y)) => assert_eq!(x.to_bits(), y.to_bits(), "{expression:?}"),
                _ => assert_eq!(one, many, "{expression:?} {row:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]
        #[test]
        fn a_batch_means_what_its_rows_mean(number in number(), truth in truth_over(number().boxed()), rows in rows()) {
            check(&number, &rows);
            check(&truth, &rows);
            check(&text_expression(), &rows);
        }
    }
}
