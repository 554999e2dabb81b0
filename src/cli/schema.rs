//! `evenhand schema`: the JSON Schemas (2020-12) of pipeline files, `report.json` and `run.json`. The files in `schema/` are these texts; tests keep
//! them true.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Output;
use crate::audit::{Audit, Record};
use crate::plan::spec::Spec;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the schema is of
    #[arg(value_enum, default_value_t = Document::Pipeline)]
    pub document: Document,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Document {
    /// Pipeline files, as they are read
    Pipeline,
    /// report.json, as it is written
    Report,
    /// run.json, as it is written
    Run,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    out.result(&text(args.document));
    0
}

/// The schema as the committed file has it.
///
/// Of what is written, the keys that are always there are required, and keys of later programs are allowed: a document of this version stays
/// one when keys are added.
pub fn text(document: Document) -> String {
    let written = || SchemaSettings::draft2020_12().for_serialize().into_generator();
    let (mut schema, title) = match document {
        Document::Pipeline => (schemars::schema_for!(Spec), "evenhand pipeline"),
        Document::Report => (written().into_root_schema_for::<Audit>(), "evenhand report.json"),
        Document::Run => (written().into_root_schema_for::<Record>(), "evenhand run.json"),
    };
    schema.insert("title".into(), title.into());
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
    fn the_committed_schemas_are_true() {
        let committed = [
            (Document::Pipeline, "pipeline", include_str!("../../schema/pipeline.schema.json")),
            (Document::Report, "report", include_str!("../../schema/report.schema.json")),
            (Document::Run, "run", include_str!("../../schema/run.schema.json")),
        ];
        for (document, name, committed) in committed {
            let anew = format!("write it anew: evenhand schema {name} > schema/{name}.schema.json");
            assert!(committed == text(document), "{anew}");
        }
    }

    /// Two types of one name would be told apart by a number that changes with the order of the fields.
    #[test]
    fn every_definition_has_a_name_of_its_own() {
        for document in [Document::Pipeline, Document::Report, Document::Run] {
            let schema: Value = serde_json::from_str(&text(document)).unwrap();
            let names: Vec<&String> = schema["$defs"].as_object().unwrap().keys().collect();
            assert!(names.len() > 10 && !names.iter().any(|name| name.ends_with(char::is_numeric)), "{names:?}");
        }
    }
}
