//! SQL text to [`Scalar`]: the stated subset, and a named refusal for the rest.
//!
//! Accepted: columns (`age`, `"hours-per-week"`), numbers, `'texts'`, `TRUE`, `FALSE`, `NULL`; `+ - * /`, `= <> < <= > >=`, `AND OR NOT`,
//! `IS [NOT] NULL`, `[NOT] IN (literals)`, `[NOT] BETWEEN`, `[NOT] LIKE`, `||`, both forms of `CASE`, `COALESCE`, `NULLIF`, `ABS`, `FLOOR`,
//! `CEIL`, `LOWER`, `UPPER`, `TRIM`, `LENGTH`, `SUBSTR(text, from, count)`, `CAST(... AS DOUBLE | TEXT)`. A column's name is taken exactly
//! as written, capitals included.
//!
//! Refused: whatever reads other rows (subqueries, aggregates, windows), whatever changes between runs (now, random), and `LEAST` and
//! `GREATEST`, which treat a missing value differently from engine to engine.

use std::ops::Range;
use std::sync::Arc;

use sqlparser::ast::{
    self, BinaryOperator, CastKind, CeilFloorKind, DataType, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned,
    UnaryOperator,
};
use sqlparser::dialect::AnsiDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use crate::scalar::{Arithmetic, Expr, Function, Order, Scalar, Value, parse_number};

/// Longest text and deepest tree.
const BYTES_MAX: usize = 8 << 10;
const TOKENS_MAX: usize = 2000;
const DEPTH_MAX: usize = 200;

/// Why a text is no expression of the subset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    pub message: String,
    /// Bytes of the text.
    pub at: Range<usize>,
    pub remedy: Option<String>,
}

/// Reads an expression.
pub fn parse(text: &str) -> Result<Scalar, ExpressionError> {
    let whole = |message: String| ExpressionError { message, at: 0..text.len(), remedy: None };
    if text.len() > BYTES_MAX {
        return Err(whole(format!("an expression may have {BYTES_MAX} bytes")));
    }
    let tokens = Tokenizer::new(&AnsiDialect {}, text).tokenize_with_location().map_err(|e| ExpressionError {
        message: format!("not SQL: {}", e.message),
        at: point(text, e.location),
        remedy: None,
    })?;
    if tokens.len() > TOKENS_MAX {
        return Err(whole(format!("an expression may have {TOKENS_MAX} words and signs")));
    }
    let mut parser = Parser::new(&AnsiDialect {}).with_recursion_limit(50).with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(|e| match e {
        ParserError::RecursionLimitExceeded => whole("nested too deeply".into()),
        ParserError::ParserError(why) | ParserError::TokenizerError(why) => {
            whole(format!("not SQL: {}", without_place(&why)))
        }
    })?;
    let next = parser.peek_token();
    if next.token != Token::EOF {
        let message = "the expression ends before this".to_string();
        return Err(ExpressionError {
            message,
            at: point(text, next.span.start),
            remedy: Some("join the parts with AND, OR or an operator".into()),
        });
    }
    Reader { text }.scalar(&tree, 0)
}

fn without_place(why: &str) -> &str {
    why.split(" at Line").next().unwrap_or(why)
}

/// The byte range of a place; lines and columns count characters from 1.
fn point(text: &str, location: Location) -> Range<usize> {
    let line_start: usize =
        text.split_inclusive('\n').take(location.line.saturating_sub(1) as usize).map(str::len).sum();
    let rest = text.get(line_start..).unwrap_or("");
    let column = rest.char_indices().nth(location.column.saturating_sub(1) as usize).map_or(rest.len(), |(at, _)| at);
    let at = (line_start + column).min(text.len());
    at..text.len().min(at + 1)
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, of: &ast::Expr, message: impl Into<String>, remedy: Option<&str>) -> ExpressionError {
        let span = of.span();
        let (from, to) = (point(self.text, span.start).start, point(self.text, span.end).start);
        let at = if span.start.line == 0 || to <= from { 0..self.text.len() } else { from..to };
        ExpressionError { message: message.into(), at, remedy: remedy.map(Into::into) }
    }

    fn scalar(&self, of: &ast::Expr, depth: usize) -> Result<Scalar, ExpressionError> {
        if depth > DEPTH_MAX {
            return Err(self.refuse(of, "nested too deeply", Some("split it over several derived columns")));
        }
        let one = |of: &ast::Expr| self.scalar(of, depth + 1);
        let boxed = |of: &ast::Expr| one(of).map(Box::new);
        let unless = |negated: bool, scalar: Scalar| if negated { Expr::Not(Box::new(scalar)) } else { scalar };
        Ok(match of {
            ast::Expr::Identifier(name) => Scalar::column(&name.value),
            ast::Expr::Nested(inner) => one(inner)?,
            ast::Expr::Value(value) => Expr::Literal(self.literal(of, &value.value)?),
            ast::Expr::IsNull(x) => Expr::IsNull(boxed(x)?),
            ast::Expr::IsNotNull(x) => Expr::Not(Box::new(Expr::IsNull(boxed(x)?))),
            ast::Expr::UnaryOp { op: UnaryOperator::Not, expr } => Expr::Not(boxed(expr)?),
            ast::Expr::UnaryOp { op: UnaryOperator::Plus, expr } => one(expr)?,
            ast::Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match one(expr)? {
                Expr::Literal(Value::Number(x)) if x > 0.0 => Scalar::number(-x),
                x => Expr::Negate(Box::new(x)),
            },
            ast::Expr::BinaryOp { left, op, right } => self.binary(of, one(left)?, op, one(right)?)?,
            ast::Expr::InList { expr, list, negated } => {
                let values = list.iter().map(|item| match one(item)? {
                    Expr::Literal(value) => Ok(value),
                    _ => Err(self.refuse(item, "IN takes a list of literals", Some("compare with = and OR"))),
                });
                let values: Vec<Value> = values.collect::<Result<_, _>>()?;
                unless(*negated, Expr::In(boxed(expr)?, values.into()))
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let low = Expr::Compare(Order::GreaterEqual, boxed(expr)?, boxed(low)?);
                let high = Expr::Compare(Order::LessEqual, boxed(expr)?, boxed(high)?);
                unless(*negated, Expr::And(Box::new(low), Box::new(high)))
            }
            ast::Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                unless(*negated, Expr::Apply(Function::Like, vec![one(expr)?, one(pattern)?]))
            }
            ast::Expr::Case { operand, conditions, else_result, .. } => {
                let branch = |when: &ast::CaseWhen| {
                    let condition = match operand {
                        Some(x) => Expr::Compare(Order::Equal, boxed(x)?, boxed(&when.condition)?),
                        None => one(&when.condition)?,
                    };
                    Ok((condition, one(&when.result)?))
                };
                Expr::Case(
                    conditions.iter().map(branch).collect::<Result<_, _>>()?,
                    else_result.as_deref().map(boxed).transpose()?,
                )
            }
            ast::Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None } => {
                Expr::Apply(self.cast(of, data_type)?, vec![one(expr)?])
            }
            ast::Expr::Ceil { expr, field } if plain(field) => Expr::Apply(Function::Ceil, vec![one(expr)?]),
            ast::Expr::Floor { expr, field } if plain(field) => Expr::Apply(Function::Floor, vec![one(expr)?]),
            ast::Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters: None } => {
                Expr::Apply(Function::Trim, vec![one(expr)?])
            }
            ast::Expr::Substring { expr, substring_from: Some(from), substring_for: Some(count), .. } => {
                Expr::Apply(Function::Substring, vec![one(expr)?, one(from)?, one(count)?])
            }
            ast::Expr::Function(function) => self.function(of, function, depth)?,
            _ => return Err(self.unaccepted(of)),
        })
    }

    fn unaccepted(&self, of: &ast::Expr) -> ExpressionError {
        let (message, remedy) = match of {
            ast::Expr::Subquery(_) | ast::Expr::InSubquery { .. } | ast::Expr::Exists { .. } => {
                ("a subquery reads other rows; an expression sees one row", None)
            }
            ast::Expr::CompoundIdentifier(_) => {
                ("a name with a dot must be quoted", Some("write \"table.column\" in double quotes"))
            }
            _ => ("this is not among the accepted expressions", Some("see the list in docs/expressions.md")),
        };
        self.refuse(of, message, remedy)
    }

    fn literal(&self, of: &ast::Expr, value: &ast::Value) -> Result<Value, ExpressionError> {
        Ok(match value {
            ast::Value::Number(text, false) => Value::Number(
                parse_number(text, '.').ok_or_else(|| self.refuse(of, "the number is out of range", None))?,
            ),
            ast::Value::SingleQuotedString(text) => Value::Text(Arc::from(text.as_str())),
            ast::Value::Boolean(truth) => Value::Truth(*truth),
            ast::Value::Null => Value::Null,
            _ => {
                return Err(self.refuse(
                    of,
                    "this kind of literal is not accepted",
                    Some("write numbers plainly and texts in 'single quotes'"),
                ));
            }
        })
    }

    fn binary(
        &self,
        of: &ast::Expr,
        left: Scalar,
        op: &BinaryOperator,
        right: Scalar,
    ) -> Result<Scalar, ExpressionError> {
        let (left, right) = (Box::new(left), Box::new(right));
        Ok(match op {
            BinaryOperator::Plus => Expr::Arithmetic(Arithmetic::Add, left, right),
            BinaryOperator::Minus => Expr::Arithmetic(Arithmetic::Subtract, left, right),
            BinaryOperator::Multiply => Expr::Arithmetic(Arithmetic::Multiply, left, right),
            BinaryOperator::Divide => Expr::Arithmetic(Arithmetic::Divide, left, right),
            BinaryOperator::Eq => Expr::Compare(Order::Equal, left, right),
            BinaryOperator::NotEq => Expr::Compare(Order::NotEqual, left, right),
            BinaryOperator::Lt => Expr::Compare(Order::Less, left, right),
            BinaryOperator::LtEq => Expr::Compare(Order::LessEqual, left, right),
            BinaryOperator::Gt => Expr::Compare(Order::Greater, left, right),
            BinaryOperator::GtEq => Expr::Compare(Order::GreaterEqual, left, right),
            BinaryOperator::And => Expr::And(left, right),
            BinaryOperator::Or => Expr::Or(left, right),
            BinaryOperator::StringConcat => Expr::Apply(Function::Concat, vec![*left, *right]),
            _ => {
                return Err(self.refuse(
                    of,
                    format!("the operator {op} is not accepted"),
                    Some("accepted: + - * / = <> < <= > >= AND OR ||"),
                ));
            }
        })
    }

    fn cast(&self, of: &ast::Expr, to: &DataType) -> Result<Function, ExpressionError> {
        match to {
            DataType::Double(_)
            | DataType::DoublePrecision
            | DataType::Float(_)
            | DataType::Float64
            | DataType::Real => Ok(Function::ToNumber),
            DataType::Text | DataType::String(_) | DataType::Varchar(None) => Ok(Function::ToText),
            _ => Err(self.refuse(of, format!("CAST to {to} is not accepted"), Some("cast to DOUBLE or TEXT"))),
        }
    }

    fn function(&self, of: &ast::Expr, function: &ast::Function, depth: usize) -> Result<Scalar, ExpressionError> {
        let name = function.name.to_string().to_uppercase();
        let arguments = self.arguments(of, function, depth)?;
        let known = |function: Function, arguments: Vec<Scalar>| {
            let expected = if function == Function::Substring { 3 } else { 1 };
            match arguments.len() == expected {
                true => Ok(Expr::Apply(function, arguments)),
                false => Err(self.refuse(of, format!("{name} takes {expected} argument(s)"), None)),
            }
        };
        match name.as_str() {
            "ABS" => known(Function::Abs, arguments),
            "FLOOR" => known(Function::Floor, arguments),
            "CEIL" | "CEILING" => known(Function::Ceil, arguments),
            "LOWER" => known(Function::Lower, arguments),
            "UPPER" => known(Function::Upper, arguments),
            "TRIM" => known(Function::Trim, arguments),
            "LENGTH" | "CHAR_LENGTH" => known(Function::Length, arguments),
            "SUBSTR" | "SUBSTRING" => known(Function::Substring, arguments),
            "COALESCE" if !arguments.is_empty() => Ok(Expr::Coalesce(arguments)),
            "NULLIF" => match <[Scalar; 2]>::try_from(arguments) {
                Ok([x, y]) => {
                    let equal = Expr::Compare(Order::Equal, Box::new(x.clone()), Box::new(y));
                    Ok(Expr::Case(vec![(equal, Expr::Literal(Value::Null))], Some(Box::new(x))))
                }
                Err(_) => Err(self.refuse(of, "NULLIF takes 2 arguments", None)),
            },
            "LEAST" | "GREATEST" => Err(self.refuse(
                of,
                format!("{name} treats a missing value differently from engine to engine"),
                Some("write CASE WHEN a < b THEN a ELSE b END"),
            )),
            "SUM" | "AVG" | "COUNT" | "MIN" | "MAX" => {
                Err(self.refuse(of, format!("{name} reads other rows; an expression sees one row"), None))
            }
            "NOW" | "RANDOM" | "RAND" | "CURRENT_DATE" | "CURRENT_TIMESTAMP" => Err(self.refuse(
                of,
                format!("{name} changes from run to run; the same input must give the same bytes"),
                None,
            )),
            _ => {
                let names =
                    ["ABS", "FLOOR", "CEIL", "LOWER", "UPPER", "TRIM", "LENGTH", "SUBSTR", "COALESCE", "NULLIF"];
                let near = names
                    .iter()
                    .filter(|known| strsim::damerau_levenshtein(known, &name) <= 2)
                    .min_by_key(|known| strsim::damerau_levenshtein(known, &name));
                Err(self.refuse(
                    of,
                    format!("the function {} is not known", name.chars().take(40).collect::<String>()),
                    near.map(|known| format!("did you mean {known}?")).as_deref(),
                ))
            }
        }
    }

    fn arguments(
        &self,
        of: &ast::Expr,
        function: &ast::Function,
        depth: usize,
    ) -> Result<Vec<Scalar>, ExpressionError> {
        let plain = function.filter.is_none() && function.over.is_none() && function.within_group.is_empty();
        match &function.args {
            FunctionArguments::None => Ok(Vec::new()),
            FunctionArguments::List(list) if plain && list.duplicate_treatment.is_none() && list.clauses.is_empty() => {
                let argument = |argument: &FunctionArg| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(x)) => self.scalar(x, depth + 1),
                    _ => Err(self.refuse(of, "only plain arguments are accepted", None)),
                };
                list.args.iter().map(argument).collect()
            }
            _ => Err(self.refuse(
                of,
                "window functions and aggregates read other rows; an expression sees one row",
                None,
            )),
        }
    }
}

fn plain(field: &CeilFloorKind) -> bool {
    matches!(field, CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_canonical_text_reads_back_to_the_same_tree() {
        for text in [
            "age >= 18 AND sex IN ('f', 'm')",
            "CASE WHEN \"hours-per-week\" > 40 THEN 'long' WHEN x IS NULL THEN NULL ELSE 'short' END",
            "CASE region WHEN 'a' THEN 1 ELSE -2.5 END",
            "NOT (a BETWEEN 1 AND 2) OR b NOT LIKE '%x_' OR c IS NOT NULL",
            "COALESCE(NULLIF(TRIM(LOWER(name)), ''), 'none') || '!' = SUBSTR(UPPER(z), 1, 3)",
            "CAST(x AS DOUBLE) / -y + FLOOR(CEIL(ABS(z))) * LENGTH(CAST(k AS TEXT)) - 1e3",
            "name = 'it''s' AND truth AND NOT FALSE",
        ] {
            let scalar = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(parse(&scalar.to_string()).unwrap(), scalar, "{scalar}");
        }
    }

    #[test]
    fn refusals_name_the_matter_and_the_place() {
        for (text, part, at) in [
            ("a + (SELECT 1)", "subquery", 5..13),
            ("LEAST(a, b)", "LEAST", 0..11),
            ("sum(a)", "other rows", 0..6),
            ("now()", "run to run", 0..5),
            ("a b", "ends before", 2..3),
            ("lenght(a)", "LENGHT", 0..9),
            ("'open", "not SQL", 0..1),
            ("", "not SQL", 0..0),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(part), "{text}: {error}");
            assert!(error.at.start <= at.start && error.at.end <= text.len(), "{text}: {:?}", error.at);
        }
        assert_eq!(parse("lenght(a)").unwrap_err().remedy.unwrap(), "did you mean LENGTH?");
    }

    #[test]
    fn depth_is_limited_before_the_stack_is() {
        assert!(parse(&format!("{}1{}", "(".repeat(900), ")".repeat(900))).is_err());
        assert!(parse(&vec!["1"; 900].join("+")).is_err());
        assert!(parse(&vec!["a = 1"; 150].join(" OR ")).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", sql in "[a-c0-9'\"()+*/<>=|. ,]{0,40}") {
            for text in [text, sql] {
                if let Ok(scalar) = parse(&text) {
                    prop_assert_eq!(parse(&scalar.to_string()).unwrap(), scalar);
                }
            }
        }
    }
}
