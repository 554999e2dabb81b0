//! An expression over one row, with one meaning on every engine.
//!
//! - A value is missing, a truth value, a finite number or a text. NaN and infinity do not exist: an operation that would give one gives a
//!   missing value, division by zero included. -0 is 0.
//! - Truth has three values, as in SQL: a comparison with a missing value is missing; `AND`, `OR`, `NOT` follow Kleene.
//! - Texts compare by their UTF-8 bytes. `LOWER` and `UPPER` change ASCII letters only; `TRIM` removes spaces.
//! - `LIKE` knows `%` and `_` and has no escape. `LENGTH` and `SUBSTR` count characters.
//!
//! [`Expr`] is generic over how a column is named: by name in a plan ([`Scalar`]), by position when bound to rows ([`Bound`]). `row` gives
//! the meaning for one row, `batch` the same for columns; a property test holds them together.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

mod batch;
pub mod link;
mod number;
mod row;
mod text;
mod wide;

#[cfg(feature = "polars")]
pub(crate) use batch::floor;
pub use batch::{NO_TEXT, TRUTH_UNKNOWN, Vector};
pub use link::Link;
#[cfg(feature = "polars")]
pub(crate) use number::write_number;
pub use number::{format_number, parse_number};
#[cfg(feature = "polars")]
pub(crate) use wide::wide;

/// A value of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Truth(bool),
    /// Finite.
    Number(f64),
    Text(Arc<str>),
}

/// What values an expression has, besides missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Truth,
    Number,
    Text,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Truth => "truth value",
            Kind::Number => "number",
            Kind::Text => "text",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Functions of numbers and texts. A missing argument gives a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Floor,
    Ceil,
    Lower,
    Upper,
    Trim,
    Length,
    /// Text, first character from 1, number of characters.
    Substring,
    Concat,
    Like,
    ToNumber,
    ToText,
}

/// An expression; `C` names a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr<C> {
    Column(C),
    Literal(Value),
    Negate(Box<Expr<C>>),
    Not(Box<Expr<C>>),
    IsNull(Box<Expr<C>>),
    Arithmetic(Arithmetic, Box<Expr<C>>, Box<Expr<C>>),
    Compare(Order, Box<Expr<C>>, Box<Expr<C>>),
    And(Box<Expr<C>>, Box<Expr<C>>),
    Or(Box<Expr<C>>, Box<Expr<C>>),
    /// Equal to one of the literals.
    In(Box<Expr<C>>, Arc<[Value]>),
    /// The first branch whose condition is true; else the last; missing without one.
    Case(Vec<(Expr<C>, Expr<C>)>, Option<Box<Expr<C>>>),
    /// The first that is not missing.
    Coalesce(Vec<Expr<C>>),
    Apply(Function, Vec<Expr<C>>),
    /// The integer linear predictor of a model, one input per coefficient; missing when an input is.
    Predictor(Arc<Predictor>, Vec<Expr<C>>),
    /// A tabulated function of a number in units of 2^-bits; see `link`.
    Link(Link, u32, Box<Expr<C>>),
}

/// An expression as written: columns by name.
pub type Scalar = Expr<Arc<str>>;
/// An expression bound to the positions of a row.
pub type Bound = Expr<usize>;

/// A linear model in integers: eta = intercept + sum of coefficient x q(input), q at 2^-20 on the input's bounds (see `demand::Fixed`).
/// The sum of the absolute coefficients is at most 2^32, so eta is exact in a double.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    pub bounds: Vec<(f64, f64)>,
    pub coefficients: Vec<i64>,
    pub intercept: i64,
    /// eta is in units of 2^-bits.
    pub bits: u32,
}

/// Bits of the inputs of a predictor.
pub const INPUT_BITS: u32 = 20;

impl Predictor {
    /// The coefficients of inputs on [-1, 1] and the intercept that the integers stand for.
    pub fn floats(&self) -> (Vec<f64>, f64) {
        let bits = self.bits as i32;
        let b = self.coefficients.iter().map(|&c| c as f64 * 2f64.powi(INPUT_BITS as i32 - bits)).collect();
        (b, self.intercept as f64 * 2f64.powi(-bits))
    }
}

/// An expression that has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    #[error("there is no column {0:?}")]
    NoColumn(String),
    #[error("{of} is a {found} where a {expected} is needed{remedy}", remedy = cast(*expected, *found))]
    Wrong { of: String, expected: Kind, found: Kind },
    #[error("{left} is a {left_kind} and {right} is a {right_kind}; both sides must be of one kind")]
    Mixed { left: String, left_kind: Kind, right: String, right_kind: Kind },
    #[error("{0} is always missing; its kind is unknown; write CAST(NULL AS TEXT)")]
    Unknown(String),
}

fn cast(expected: Kind, found: Kind) -> &'static str {
    match (expected, found) {
        (Kind::Number, Kind::Text) => "; CAST(... AS DOUBLE) makes a number of it",
        (Kind::Text, _) => "; CAST(... AS TEXT) makes a text of it",
        (Kind::Truth, _) => "; compare it with something",
        (Kind::Number, _) => "; CASE WHEN ... THEN 1 ELSE 0 END makes a number of it",
    }
}

impl Scalar {
    pub fn column(name: &str) -> Scalar {
        Expr::Column(name.into())
    }

    pub fn number(value: f64) -> Scalar {
        Expr::Literal(Value::Number(value))
    }

    pub fn text(value: &str) -> Scalar {
        Expr::Literal(Value::Text(value.into()))
    }

    /// The names of the columns it reads.
    pub fn columns(&self) -> BTreeSet<Arc<str>> {
        let mut names = BTreeSet::new();
        self.visit(&mut |name| {
            names.insert(name.clone());
        });
        names
    }

    /// The values that are written in it.
    pub fn literals(&self) -> Vec<&Value> {
        let mut values = Vec::new();
        self.walk(&mut |part| match part {
            Expr::Literal(value) => values.push(value),
            Expr::In(_, listed) => values.extend(listed.iter()),
            _ => {}
        });
        values
    }

    /// The same expression with others in the place of columns.
    pub fn replaced(self, by: &dyn Fn(&str) -> Option<Scalar>) -> Scalar {
        match self {
            Expr::Column(name) => by(&name).unwrap_or(Expr::Column(name)),
            other => other.with_arguments(&mut |argument| argument.replaced(by)),
        }
    }

    /// The kind of its values.
    pub fn kind(&self, kinds: &dyn Fn(&str) -> Option<Kind>) -> Result<Kind, TypeError> {
        self.kind_or_null(kinds)?.ok_or_else(|| TypeError::Unknown(self.to_string()))
    }

    /// Replaces names by positions.
    pub fn bind(&self, position: impl Fn(&str) -> Option<usize>) -> Result<Bound, TypeError> {
        self.map(&|name: &Arc<str>| position(name).ok_or_else(|| TypeError::NoColumn(name.to_string())))
    }

    fn kind_or_null(&self, kinds: &dyn Fn(&str) -> Option<Kind>) -> Result<Option<Kind>, TypeError> {
        let must = |of: &Scalar, expected: Kind| match of.kind_or_null(kinds)? {
            Some(found) if found != expected => Err(TypeError::Wrong { of: of.to_string(), expected, found }),
            _ => Ok(()),
        };
        Ok(Some(match self {
            Expr::Column(name) => kinds(name).ok_or_else(|| TypeError::NoColumn(name.to_string()))?,
            Expr::Literal(value) => return Ok(value.kind()),
            Expr::Negate(of) | Expr::Link(_, _, of) => must(of, Kind::Number).map(|()| Kind::Number)?,
            Expr::Not(of) => must(of, Kind::Truth).map(|()| Kind::Truth)?,
            Expr::IsNull(of) => of.kind_or_null(kinds).map(|_| Kind::Truth)?,
            Expr::Arithmetic(_, left, right) => {
                must(left, Kind::Number)?;
                must(right, Kind::Number).map(|()| Kind::Number)?
            }
            Expr::And(left, right) | Expr::Or(left, right) => {
                must(left, Kind::Truth)?;
                must(right, Kind::Truth).map(|()| Kind::Truth)?
            }
            Expr::Compare(_, left, right) => same(&[left.as_ref(), right], kinds).map(|_| Kind::Truth)?,
            Expr::In(of, values) => {
                let literals: Vec<Scalar> = values.iter().map(|value| Expr::Literal(value.clone())).collect();
                same(&std::iter::once(of.as_ref()).chain(&literals).collect::<Vec<_>>(), kinds).map(|_| Kind::Truth)?
            }
            Expr::Case(branches, otherwise) => {
                branches.iter().try_for_each(|(condition, _)| must(condition, Kind::Truth))?;
                return same(
                    &branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()).collect::<Vec<_>>(),
                    kinds,
                );
            }
            Expr::Coalesce(of) => return same(&of.iter().collect::<Vec<_>>(), kinds),
            Expr::Apply(function, of) => {
                let (expected, result) = function.kinds();
                for (argument, expected) in of.iter().zip(expected) {
                    if let Some(expected) = expected {
                        must(argument, *expected)?;
                    } else {
                        argument.kind_or_null(kinds)?;
                    }
                }
                result
            }
            Expr::Predictor(_, inputs) => {
                for input in inputs {
                    if input.kind_or_null(kinds)? == Some(Kind::Text) {
                        let of = input.to_string();
                        return Err(TypeError::Wrong { of, expected: Kind::Number, found: Kind::Text });
                    }
                }
                Kind::Number
            }
        }))
    }
}

/// The common kind of expressions; none when all are missing.
fn same(of: &[&Scalar], kinds: &dyn Fn(&str) -> Option<Kind>) -> Result<Option<Kind>, TypeError> {
    let mut first: Option<(&Scalar, Kind)> = None;
    for scalar in of {
        match (first, scalar.kind_or_null(kinds)?) {
            (None, Some(kind)) => first = Some((scalar, kind)),
            (Some((left, left_kind)), Some(right_kind)) if left_kind != right_kind => {
                return Err(TypeError::Mixed {
                    left: left.to_string(),
                    left_kind,
                    right: scalar.to_string(),
                    right_kind,
                });
            }
            _ => {}
        }
    }
    Ok(first.map(|(_, kind)| kind))
}

impl Value {
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Value::Null => None,
            Value::Truth(_) => Some(Kind::Truth),
            Value::Number(_) => Some(Kind::Number),
            Value::Text(_) => Some(Kind::Text),
        }
    }

    /// The number, with infinity and NaN missing and -0 as 0.
    pub(crate) fn finite(number: f64) -> Value {
        if number.is_finite() { Value::Number(number + 0.0) } else { Value::Null }
    }
}

impl Function {
    /// Kinds of the arguments (none: any) and of the result.
    fn kinds(self) -> (&'static [Option<Kind>], Kind) {
        use Kind::{Number, Text};
        match self {
            Function::Abs | Function::Floor | Function::Ceil => (&[Some(Number)], Number),
            Function::Lower | Function::Upper | Function::Trim => (&[Some(Text)], Text),
            Function::Length => (&[Some(Text)], Number),
            Function::Substring => (&[Some(Text), Some(Number), Some(Number)], Text),
            Function::Concat => (&[Some(Text), Some(Text)], Text),
            Function::Like => (&[Some(Text), Some(Text)], Kind::Truth),
            Function::ToNumber => (&[None], Number),
            Function::ToText => (&[None], Text),
        }
    }
}

impl<C> Expr<C> {
    fn visit<'a>(&'a self, column: &mut dyn FnMut(&'a C)) {
        self.walk(&mut |part| {
            if let Expr::Column(name) = part {
                column(name);
            }
        });
    }

    /// The expression and all it is made of.
    fn walk<'a>(&'a self, each: &mut dyn FnMut(&'a Expr<C>)) {
        each(self);
        match self {
            Expr::Column(_) | Expr::Literal(_) => {}
            Expr::Negate(of) | Expr::Not(of) | Expr::IsNull(of) | Expr::In(of, _) | Expr::Link(_, _, of) => {
                of.walk(each)
            }
            Expr::Arithmetic(_, left, right)
            | Expr::Compare(_, left, right)
            | Expr::And(left, right)
            | Expr::Or(left, right) => {
                left.walk(each);
                right.walk(each);
            }
            Expr::Case(branches, otherwise) => {
                for (condition, then) in branches {
                    condition.walk(each);
                    then.walk(each);
                }
                otherwise.iter().for_each(|of| of.walk(each));
            }
            Expr::Coalesce(of) | Expr::Apply(_, of) | Expr::Predictor(_, of) => of.iter().for_each(|of| of.walk(each)),
        }
    }

    /// The same expression over other arguments.
    pub(crate) fn with_arguments(self, argument: &mut dyn FnMut(Expr<C>) -> Expr<C>) -> Expr<C> {
        let mut one = |of: Box<Expr<C>>| Box::new(argument(*of));
        match self {
            Expr::Column(_) | Expr::Literal(_) => self,
            Expr::Negate(of) => Expr::Negate(one(of)),
            Expr::Not(of) => Expr::Not(one(of)),
            Expr::IsNull(of) => Expr::IsNull(one(of)),
            Expr::Arithmetic(by, left, right) => Expr::Arithmetic(by, one(left), one(right)),
            Expr::Compare(by, left, right) => Expr::Compare(by, one(left), one(right)),
            Expr::And(left, right) => Expr::And(one(left), one(right)),
            Expr::Or(left, right) => Expr::Or(one(left), one(right)),
            Expr::In(of, values) => Expr::In(one(of), values),
            Expr::Case(branches, otherwise) => {
                let branches = branches.into_iter().map(|(when, then)| (argument(when), argument(then))).collect();
                Expr::Case(branches, otherwise.map(|of| Box::new(argument(*of))))
            }
            Expr::Coalesce(of) => Expr::Coalesce(of.into_iter().map(argument).collect()),
            Expr::Apply(function, of) => Expr::Apply(function, of.into_iter().map(argument).collect()),
            Expr::Predictor(model, of) => Expr::Predictor(model, of.into_iter().map(argument).collect()),
            Expr::Link(link, bits, of) => Expr::Link(link, bits, one(of)),
        }
    }

    fn map<D, E>(&self, column: &impl Fn(&C) -> Result<D, E>) -> Result<Expr<D>, E> {
        let one = |of: &Expr<C>| of.map(column).map(Box::new);
        let all = |of: &[Expr<C>]| of.iter().map(|of| of.map(column)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Expr::Column(name) => Expr::Column(column(name)?),
            Expr::Literal(value) => Expr::Literal(value.clone()),
            Expr::Negate(of) => Expr::Negate(one(of)?),
            Expr::Not(of) => Expr::Not(one(of)?),
            Expr::IsNull(of) => Expr::IsNull(one(of)?),
            Expr::Arithmetic(by, left, right) => Expr::Arithmetic(*by, one(left)?, one(right)?),
            Expr::Compare(by, left, right) => Expr::Compare(*by, one(left)?, one(right)?),
            Expr::And(left, right) => Expr::And(one(left)?, one(right)?),
            Expr::Or(left, right) => Expr::Or(one(left)?, one(right)?),
            Expr::In(of, values) => Expr::In(one(of)?, values.clone()),
            Expr::Case(branches, otherwise) => {
                let branches = branches.iter().map(|(when, then)| Ok((when.map(column)?, then.map(column)?)));
                Expr::Case(branches.collect::<Result<_, E>>()?, otherwise.as_deref().map(one).transpose()?)
            }
            Expr::Coalesce(of) => Expr::Coalesce(all(of)?),
            Expr::Apply(function, of) => Expr::Apply(*function, all(of)?),
            Expr::Predictor(model, inputs) => Expr::Predictor(model.clone(), all(inputs)?),
            Expr::Link(link, bits, of) => Expr::Link(*link, *bits, one(of)?),
        })
    }
}

impl Serialize for Expr<Arc<str>> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
