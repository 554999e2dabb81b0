//! Canonical text of an expression: parses back to the same tree.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::{Arithmetic, Expr, Function, Link, Order, Value, format_number};

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Truth(truth) => f.write_str(if *truth { "TRUE" } else { "FALSE" }),
            Value::Number(number) => f.write_str(&format_number(*number)),
            Value::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

impl Display for Expr<Arc<str>> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Column(name) => write!(f, "\"{}\"", name.replace('"', "\"\"")),
            Expr::Literal(value) => write!(f, "{value}"),
            Expr::Negate(of) => write!(f, "(- {of})"),
            Expr::Not(of) => write!(f, "(NOT {of})"),
            Expr::IsNull(of) => write!(f, "({of} IS NULL)"),
            Expr::Arithmetic(by, left, right) => write!(f, "({left} {} {right})", by.symbol()),
            Expr::Compare(by, left, right) => write!(f, "({left} {} {right})", by.symbol()),
            Expr::And(left, right) => write!(f, "({left} AND {right})"),
            Expr::Or(left, right) => write!(f, "({left} OR {right})"),
            Expr::In(of, values) => {
                write!(f, "({of} IN ")?;
                list(f, values)?;
                f.write_str(")")
            }
            Expr::Case(branches, otherwise) => {
                f.write_str("CASE")?;
                for (condition, then) in branches {
                    write!(f, " WHEN {condition} THEN {then}")?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " ELSE {otherwise}")?;
                }
                f.write_str(" END")
            }
            Expr::Coalesce(of) => {
                f.write_str("COALESCE")?;
                list(f, of)
            }
            Expr::Apply(function, of) => apply(f, *function, of),
            Expr::Predictor(model, inputs) => {
                write!(f, "PREDICTOR[{} coefficients, 2^-{}]", model.coefficients.len(), model.bits)?;
                list(f, inputs)
            }
            Expr::Link(Link::Sigmoid, bits, of) => write!(f, "SIGMOID[2^-{bits}]({of})"),
            Expr::Link(Link::Softplus, bits, of) => write!(f, "SOFTPLUS[2^-{bits}]({of})"),
        }
    }
}

fn list(f: &mut Formatter<'_>, of: &[impl Display]) -> fmt::Result {
    f.write_str("(")?;
    for (i, of) in of.iter().enumerate() {
        write!(f, "{}{of}", if i > 0 { ", " } else { "" })?;
    }
    f.write_str(")")
}

fn apply(f: &mut Formatter<'_>, function: Function, of: &[Expr<Arc<str>>]) -> fmt::Result {
    match (function, of) {
        (Function::Concat, [left, right]) => write!(f, "({left} || {right})"),
        (Function::Like, [left, right]) => write!(f, "({left} LIKE {right})"),
        (Function::ToNumber, [of]) => write!(f, "CAST({of} AS DOUBLE)"),
        (Function::ToText, [of]) => write!(f, "CAST({of} AS TEXT)"),
        (_, of) => {
            f.write_str(function.name())?;
            list(f, of)
        }
    }
}

impl Arithmetic {
    pub fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
        }
    }
}

impl Order {
    pub fn symbol(self) -> &'static str {
        match self {
            Order::Equal => "=",
            Order::NotEqual => "<>",
            Order::Less => "<",
            Order::LessEqual => "<=",
            Order::Greater => ">",
            Order::GreaterEqual => ">=",
        }
    }

    /// Whether two values in this order satisfy the comparison.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Order::Equal => order.is_eq(),
            Order::NotEqual => order.is_ne(),
            Order::Less => order.is_lt(),
            Order::LessEqual => order.is_le(),
            Order::Greater => order.is_gt(),
            Order::GreaterEqual => order.is_ge(),
        }
    }
}

impl Function {
    pub fn name(self) -> &'static str {
        match self {
            Function::Abs => "ABS",
            Function::Floor => "FLOOR",
            Function::Ceil => "CEIL",
            Function::Lower => "LOWER",
            Function::Upper => "UPPER",
            Function::Trim => "TRIM",
            Function::Length => "LENGTH",
            Function::Substring => "SUBSTR",
            Function::Concat => "CONCAT",
            Function::Like => "LIKE",
            Function::ToNumber => "DOUBLE",
            Function::ToText => "TEXT",
        }
    }
}
