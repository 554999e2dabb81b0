//! What a text field means, in one place for every engine.

use std::sync::Arc;

use crate::scalar::{Value, parse_number};
use crate::scan::{Reading, Source, parse_truth};

/// The value of a field of delimited text. The empty field and the declared null markers are missing.
pub fn value(text: &str, reading: Reading, source: &Source) -> Value {
    if is_null(text, source) {
        return Value::Null;
    }
    let number = |text| parse_number(text, source.decimal);
    match reading {
        Reading::Text => Value::Text(Arc::from(text)),
        Reading::Number => number(text).map_or(Value::Null, Value::Number),
        Reading::Truth => parse_truth(text).map_or(Value::Null, Value::Truth),
        Reading::NoNumber => Value::Truth(number(text).is_none()),
        Reading::NoTruth => Value::Truth(parse_truth(text).is_none()),
    }
}

/// True for a missing value.
pub fn is_null(text: &str, source: &Source) -> bool {
    text.is_empty() || source.null_values.iter().any(|marker| marker == text)
}
