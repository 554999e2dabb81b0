//! `evenhand schema`: the JSON Schema of pipeline files. `schema/pipeline.schema.json` is this text; a test keeps it true.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Output;
use crate::plan::spec::Spec;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: &Args, out: &Output) -> u8 {
    out.result(&text());
    0
}

/// The schema as the committed file has it.
pub fn text() -> String {
    let mut schema = schemars::schema_for!(Spec);
    schema.insert("title".into(), "evenhand pipeline".into());
    // Serialising a tree of JSON values cannot fail.
    serde_json::to_string_pretty(&sorted(schema.to_value())).unwrap_or_default() + "\n"
}

/// Keys in one order, whatever order the JSON library of this build keeps.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<String, Value> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(map.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_true() {
        let committed = include_str!("../../schema/pipeline.schema.json");
        assert!(committed == text(), "write it anew: evenhand schema > schema/pipeline.schema.json");
    }
}
