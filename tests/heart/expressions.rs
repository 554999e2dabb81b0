//! The expressions of the audits in this binary, as trees: the heart is built without the SQL parser.
//!
//! Where the parser is built too, every text is parsed and must give the same tree.

use evenhand::scalar::{Arithmetic, Expr, Order, Scalar, Value};

pub const PROPUBLICA: &str = "days_b_screening_arrest BETWEEN -30 AND 30 AND is_recid <> '-1' AND c_charge_degree <> 'O' AND score_text <> 'N/A'";
pub const FLAGGED: &str = "decile_score >= 5";
pub const NOT_FLAGGED: &str = "decile_score < 5";
/// `11 - decile_score` above its median over all rows, 7.
pub const ABOVE_THE_MEDIAN: &str = "decile_score < 4";
/// Higher is better.
pub const FLIPPED: &str = "11 - decile_score";
pub const PROBABILITY: &str = "(decile_score - 0.5) / 10";
pub const CAUCASIAN: &str = "CASE WHEN race = 'Caucasian' THEN 'Caucasian' ELSE 'rest' END";
pub const WHITE: &str = "CASE WHEN race = 'White' THEN 'White' ELSE 'rest' END";
pub const FIRST: &str = "CASE WHEN g = 'A' THEN 'A' ELSE 'rest' END";
pub const DEGREE: &str = "\"education-num\" >= 13";
pub const ABOVE_TEN: &str = "\"education-num\" > 10";
/// A condition that keeps one race; `{}` stands for it.
const RACE: &str = "race = '";

fn boxed(scalar: Scalar) -> Box<Scalar> {
    Box::new(scalar)
}

fn compare(order: Order, column: &str, with: Scalar) -> Scalar {
    Expr::Compare(order, boxed(Scalar::column(column)), boxed(with))
}

fn and(left: Scalar, right: Scalar) -> Scalar {
    Expr::And(boxed(left), boxed(right))
}

fn split(column: &str, level: &str) -> Scalar {
    let is = compare(Order::Equal, column, Scalar::text(level));
    Expr::Case(vec![(is, Scalar::text(level))], Some(boxed(Scalar::text("rest"))))
}

/// The condition that keeps one race.
pub fn race(level: &str) -> String {
    format!("{RACE}{level}'")
}

/// The tree of one of the texts above.
pub fn tree(text: &str) -> Result<Scalar, String> {
    let number = Scalar::number;
    Ok(match text {
        PROPUBLICA => {
            let days = "days_b_screening_arrest";
            let near =
                and(compare(Order::GreaterEqual, days, number(-30.0)), compare(Order::LessEqual, days, number(30.0)));
            let unlike = |column: &str, value: &str| compare(Order::NotEqual, column, Scalar::text(value));
            and(and(and(near, unlike("is_recid", "-1")), unlike("c_charge_degree", "O")), unlike("score_text", "N/A"))
        }
        FLAGGED => compare(Order::GreaterEqual, "decile_score", number(5.0)),
        NOT_FLAGGED => compare(Order::Less, "decile_score", number(5.0)),
        ABOVE_THE_MEDIAN => compare(Order::Less, "decile_score", number(4.0)),
        PROBABILITY => {
            let shifted =
                Expr::Arithmetic(Arithmetic::Subtract, boxed(Scalar::column("decile_score")), boxed(number(0.5)));
            Expr::Arithmetic(Arithmetic::Divide, boxed(shifted), boxed(number(10.0)))
        }
        CAUCASIAN => split("race", "Caucasian"),
        WHITE => split("race", "White"),
        FIRST => split("g", "A"),
        DEGREE => compare(Order::GreaterEqual, "education-num", number(13.0)),
        FLIPPED => Expr::Arithmetic(Arithmetic::Subtract, boxed(number(11.0)), boxed(Scalar::column("decile_score"))),
        ABOVE_TEN => compare(Order::Greater, "education-num", number(10.0)),
        _ => match text.strip_prefix(RACE).and_then(|rest| rest.strip_suffix('\'')) {
            Some(level) => compare(Order::Equal, "race", Scalar::text(level)),
            None => return Err(format!("no tree is written for {text}")),
        },
    })
}

#[cfg(feature = "sql")]
#[test]
fn the_parser_reads_the_same_trees() {
    let white = race("White");
    let texts = [
        PROPUBLICA,
        FLAGGED,
        NOT_FLAGGED,
        ABOVE_THE_MEDIAN,
        FLIPPED,
        PROBABILITY,
        CAUCASIAN,
        WHITE,
        FIRST,
        DEGREE,
        ABOVE_TEN,
        white.as_str(),
    ];
    for text in texts {
        assert_eq!(evenhand::plan::expression::parse(text).unwrap(), tree(text).unwrap(), "{text}");
    }
}

#[test]
fn an_unwritten_text_is_an_error() {
    assert!(tree("1 = 1").is_err());
    assert_eq!(tree("race = 'x'").unwrap(), compare(Order::Equal, "race", Expr::Literal(Value::Text("x".into()))));
}
