//! Are the pages that ship true: README's table of metrics, the example report?

use std::fs;
use std::path::Path;

use evenhand::cli::markdown;
use evenhand::report::html;

fn shipped(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_readme_has_the_metrics_that_there_are() {
    let readme = String::from_utf8(shipped("README.md")).unwrap();
    let start = readme.find("<!-- metrics: evenhand metrics --markdown -->\n").unwrap();
    let table = readme[start..].split("<!-- end of metrics -->").next().unwrap();
    let table = table.split_once('\n').unwrap().1;
    assert_eq!(table.trim(), markdown().trim(), "write it anew: evenhand metrics --markdown");
}

/// The example is what the shipped hiring pipeline finds today, and its page is made from its two documents.
#[test]
fn the_example_report_is_true() {
    let (report, run) = (shipped("reports/example/report.json"), shipped("reports/example/run.json"));
    let page = html(&report, &run).unwrap();
    let refresh = "write it anew: evenhand run pipelines/hiring.toml, then copy report.json, run.json and report.html";
    assert!(page.as_bytes() == shipped("reports/example/report.html"), "{refresh}");
    let house = super::program::House::new();
    house.evenhand(&["run", "pipelines/hiring.toml"]);
    let today = fs::read(house.runs("hiring").remove(0).join("report.json")).unwrap();
    assert!(today == report, "{refresh}");
}

/// The examples of the page on expressions are expressions.
#[test]
fn the_examples_of_expressions_are_read() {
    let page = String::from_utf8(shipped("docs/expressions.md")).unwrap();
    let examples = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(examples.lines().count(), 5);
    for example in examples.lines() {
        evenhand::plan::expression::parse(example).unwrap_or_else(|e| panic!("{example}: {e}"));
    }
}
