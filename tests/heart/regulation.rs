//! The views of rules against reference values, on COMPAS and Adult.

use evenhand::audit::bias::regulation::{Cell, Regulation, Table};
#[cfg(feature = "sql")]
use evenhand::estimate::{Measured, Why};
#[cfg(feature = "sql")]
use evenhand::finding::Verdict;
use evenhand::metric::{Against, Comparison};
use serde_json::Value;

use crate::audit::{Audited, audit, ends, point};
use crate::cases::tables;
use crate::expressions::{DEGREE, FLIPPED, NOT_FLAGGED};
use crate::golden::with_unknowns;
use crate::pipelines::{adult, compas};
use crate::reference::{Task, reference};

const EXACT: f64 = 1e-12;

/// A rule, to be put after the derived decision.
fn with_rule(pipeline: &str, rule: &str, score: &str) -> String {
    let read =
        if score.is_empty() && pipeline.contains("compas") { "[schema.decile_score]\nas = \"number\"" } else { score };
    format!("{pipeline}\n{read}\n[[measure.regulation]]\nrule = \"{rule}\"\nsex = \"sex\"\nrace = \"race\"\n")
}

fn view(audited: &Audited) -> &Regulation {
    let view = &audited.measurement.bias.regulation[0];
    assert_eq!(view.not_measured, "");
    view
}

fn table<'a>(view: &'a Regulation, key: &str) -> &'a Table {
    let title = if key == "intersectional" { "race × sex" } else { key };
    view.tables.iter().find(|table| table.title == title).unwrap_or_else(|| panic!("no table {title}"))
}

/// Every value of a task: applicants, share, number, rate, ratio, exclusion, unknowns.
fn local_law_144(audited: &Audited, json: &Value) {
    let mut task = Task::new(json["id"].as_str().unwrap());
    let (results, view) = (&json["results"], view(audited));
    let scoring = !results["median_score_all_rows"].is_null();
    let (number, rate) = if scoring { ("Above the median", "Scoring rate") } else { ("Selected", "Selection rate") };
    if let Some(median) = results["median_score_all_rows"].as_f64() {
        let said = format!("rows of unknown category included: {median}.");
        assert!(view.results[0].contains(&said), "{}", view.results[0]);
    }
    for key in ["sex", "race", "intersectional"] {
        let table = table(view, key);
        let unknown = results["unknown"][key].as_i64().unwrap();
        assert!(table.notes[0].ends_with(&format!("outside the levels: {unknown} rows.")), "{}", table.notes[0]);
        let groups = results[key].as_object().unwrap();
        assert_eq!(table.rows.len(), groups.len());
        for (group, golden) in groups {
            let cell = |heading: &str| table.cell(&group.replace('|', " x "), heading).unwrap();
            let count = |heading: &str| cell(heading).value().unwrap() as i64;
            task.count(count("Applicants"), &golden["applicants"], group);
            task.count(count(number), &golden["number"], group);
            task.near(cell("Share of all").value(), golden["share_of_all"].as_f64().unwrap(), EXACT, group);
            task.near(cell(rate).value(), golden["rate"].as_f64().unwrap(), EXACT, group);
            match golden["impact_ratio"].as_f64() {
                Some(ratio) => task.near(cell("Impact ratio").value(), ratio, EXACT, group),
                None => task.undefined(cell("Impact ratio").value(), group),
            }
            assert_eq!(golden["excluded_under_2pct"], golden["impact_ratio"].is_null());
        }
    }
}

const SETS: &str = r#"[["race"], ["race", "sex"]]"#;

#[test]
fn compas_by_the_view_of_local_law_144() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let rule = |pipeline: &str| with_rule(pipeline, "nyc-local-law-144", "");
    let selection = rule(&compas(true, NOT_FLAGGED, "1", SETS, ""));
    local_law_144(&audit(&selection, &data), &tasks["compas-ll144-selection"]);
    let folder = tempfile::tempdir().unwrap();
    let unknown = folder.path().join("compas.csv");
    with_unknowns(&data, &unknown);
    local_law_144(&audit(&selection, &unknown), &tasks["compas-ll144-selection-unknowns"]);
    let score =
        format!("points = \"{FLIPPED}\"\n[schema.points]\nroles = [\"score\"]\n[schema.decile_score]\nas = \"number\"");
    let scoring = with_rule(&compas(true, NOT_FLAGGED, "1", SETS, ""), "nyc-local-law-144", &score);
    local_law_144(&audit(&format!("{scoring}basis = \"scoring\"\n"), &data), &tasks["compas-ll144-scoring"]);
}

#[test]
fn adult_by_the_view_of_local_law_144() {
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let selection = with_rule(&adult(DEGREE, "", SETS, ""), "nyc-local-law-144", "");
    local_law_144(&audit(&selection, &data), &tasks["adult-ll144-selection"]);
    let scored =
        adult(DEGREE, "", SETS, "").replace("[schema.education-num]", "[schema.education-num]\nroles = [\"score\"]");
    let scoring = with_rule(&scored, "nyc-local-law-144", "");
    local_law_144(&audit(&format!("{scoring}basis = \"scoring\"\n"), &data), &tasks["adult-ll144-scoring"]);
}

/// The tests of the guidelines are against the highest; SciPy's are against a reference group. Where the two are one, every value is compared.
#[test]
fn sexes_by_the_view_of_the_guidelines() {
    let Some((data, tasks)) = reference("compas/compas.csv", "compas") else { return };
    let pipeline = with_rule(&compas(true, NOT_FLAGGED, "1", SETS, ""), "ugesp", "");
    guidelines(&audit(&pipeline, &data), &tasks["compas-tests-sex"], "Male");
    let Some((data, tasks)) = reference("adult/adult.csv", "adult") else { return };
    let pipeline = with_rule(&adult(DEGREE, "", SETS, ""), "ugesp", "");
    guidelines(&audit(&pipeline, &data), &tasks["adult-tests-sex"], "Female");
}

fn guidelines(audited: &Audited, json: &Value, cohort: &str) {
    let mut task = Task::new(json["id"].as_str().unwrap());
    assert_eq!(json["reference_group"], json["highest_rate_group"]);
    let (golden, table) = (&json["results"][cohort], table(view(audited), "sex"));
    let cell = |heading: &str| table.cell(cohort, heading).unwrap();
    task.count(cell("Applicants").value().unwrap() as i64, &golden["n"], "n");
    task.count(cell("Selected").value().unwrap() as i64, &golden["favourable"], "favourable");
    for (heading, key, tolerance) in [
        ("Selection rate", "rate", EXACT),
        ("Ratio to the highest", "AIR_vs_highest_rate_group", EXACT),
        ("Standard deviations", "z_pooled_two_prop", 1e-9),
        ("p-value", "z_p_two_sided", 1e-9),
        ("Shortfall in people", "shortfall_persons", 1e-9),
    ] {
        let (ours, theirs) = (cell(heading).value().unwrap(), golden[key].as_f64().unwrap());
        assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "{heading}: {ours}, not {theirs}");
    }
    let yes = |heading: &str, key: &str| {
        let text = format!("{:?}", cell(heading));
        assert_eq!(text.contains("\"yes\""), golden[key].as_bool().unwrap(), "{heading}");
    };
    yes("Below the limit", "four_fifths_flag");
    yes("One person turns it", "flip_one_reverses");
}

/// A file of these lines in a folder of its own.
fn written(lines: impl Iterator<Item = String>) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    (folder, path)
}

const WORKED: &str = r#"
[pipeline]
name = "worked"
[ingest]
path = "rows.csv"
[schema.sex]
roles = ["protected"]
levels = ["F", "M"]
[schema.race]
roles = ["protected"]
levels = ["A", "B", "C"]
[schema.hired]
roles = ["prediction"]
positive = "1"
"#;
const COLUMNS: &str = "sex = \"sex\"\nrace = \"race\"\n";

fn rule(name: &str) -> String {
    format!("{WORKED}[[measure.regulation]]\nrule = \"{name}\"\n{COLUMNS}")
}

/// The rows of the worked case.
fn worked() -> (tempfile::TempDir, std::path::PathBuf) {
    let tables = tables(include_str!("../cases/regulation.md"));
    let rows = &tables.iter().find(|table| table.section == "Rows").unwrap().rows;
    let lines = rows.iter().flat_map(|row| {
        let of = |hired: &str, n: &str| {
            let line = format!("{},{},{hired}", row[0], row[1]);
            std::iter::repeat_n(line, n.parse().unwrap())
        };
        of("1", row[2]).chain(of("0", row[3])).collect::<Vec<_>>()
    });
    written(std::iter::once("sex,race,hired".to_string()).chain(lines))
}

#[test]
fn the_worked_case_of_local_law_144() {
    let (_folder, data) = worked();
    let audited = audit(&rule("nyc-local-law-144"), &data);
    let view = view(&audited);
    let cases = tables(include_str!("../cases/regulation.md"));
    let case = cases.iter().find(|table| table.section == "Local Law 144, selection").unwrap();
    for row in &case.rows {
        let table = view.tables.iter().find(|table| table.title == row[0]).unwrap();
        let cell = |heading: &str| table.cell(row[1], heading).unwrap().value();
        for (heading, written) in
            [("Applicants", row[2]), ("Selected", row[3]), ("Selection rate", row[4]), ("Impact ratio", row[5])]
        {
            match written.parse::<f64>() {
                Ok(written) => assert!((cell(heading).unwrap() - written).abs() < 1e-14, "{heading} of {}", row[1]),
                Err(_) => assert_eq!(cell(heading), None, "{heading} of {}", row[1]),
            }
        }
    }
    assert_eq!(case.rows.len(), view.tables.iter().map(|table| table.rows.len()).sum::<usize>());
    let unknown: Vec<bool> = view.tables.iter().map(|table| table.notes[0].contains(": 8 rows")).collect();
    assert_eq!(unknown, [false, true, true]);
    assert!(view.tables[1].notes[1].ends_with("Justification of the auditor: not stated."));
    // No category is left out, and the one of two people is the highest.
    let all = audit(&format!("{}excluded_below = 0.0\n", rule("nyc-local-law-144")), &data);
    assert_eq!(all.measurement.bias.regulation[0].tables[1].cell("C", "Impact ratio").unwrap().value(), Some(1.0));
}

#[test]
fn the_worked_case_of_the_guidelines() {
    let (_folder, data) = worked();
    let audited = audit(&rule("ugesp"), &data);
    let view = view(&audited);
    let cases = tables(include_str!("../cases/regulation.md"));
    let row = &cases.iter().find(|table| table.section == "Guidelines").unwrap().rows[0];
    let cell = |heading: &str| view.tables[0].cell(row[0], heading).unwrap();
    for (heading, written) in [("Standard deviations", row[1]), ("Shortfall in people", row[3])] {
        assert!((cell(heading).value().unwrap() - written.parse::<f64>().unwrap()).abs() < 1e-12, "{heading}");
    }
    for (heading, written) in [("Below the limit", row[2]), ("One person turns it", row[4])] {
        assert_eq!(cell(heading), &Cell::words(written), "{heading}");
    }
    assert!(view.results[0].contains("ratio 0.728, limit 0.8"), "{}", view.results[0]);
    assert!(view.results[0].contains("not beyond chance"), "{}", view.results[0]);
    // The category of two people is in its table and compared with nobody.
    assert!(view.tables[1].cell("C", "Ratio to the highest").unwrap().value().is_none());
}

#[test]
fn medians_of_the_worked_case() {
    for (scores, median, above) in [(&[1, 2, 2, 3, 3, 3, 4, 5, 6][..], "3. Rows", 3), (&[1, 2, 4, 8], "3. Rows", 2)] {
        let lines = scores.iter().map(|score| format!("F,A,{score}"));
        let (_folder, data) = written(std::iter::once("sex,race,score".to_string()).chain(lines));
        let scored = rule("nyc-local-law-144").replace(
            "[schema.hired]\nroles = [\"prediction\"]\npositive = \"1\"",
            "[schema.score]\nroles = [\"score\"]",
        );
        let audited = audit(&scored, &data);
        let view = view(&audited);
        assert!(view.results[0].contains(median), "{}", view.results[0]);
        assert_eq!(view.tables[0].cell("F", "Above the median").unwrap().value(), Some(f64::from(above)));
    }
}

/// Protected columns that tell nothing, or too much: tables or a reason, and no panic.
#[test]
fn odd_columns_have_tables_or_reasons() {
    for (name, rows) in [
        ("one level", vec!["F,A,1"; 40]),
        ("all unknown", vec![",,1"; 40]),
        ("nobody selected", [vec!["F,A,0"; 40], vec!["M,B,0"; 40]].concat()),
        ("no decision", vec!["F,A,"; 40]),
        ("no rows", vec![]),
    ] {
        let lines = rows.into_iter().map(str::to_string);
        let (_folder, data) = written(std::iter::once("sex,race,hired".to_string()).chain(lines));
        for of in ["nyc-local-law-144", "ugesp"] {
            let audited = audit(&rule(of), &data);
            let view = &audited.measurement.bias.regulation[0];
            assert!(view.tables.len() == 3 || !view.not_measured.is_empty(), "{name}: {of}");
        }
    }
    // Five hundred levels are more pairs than are compared with sex; alone they are a table.
    let levels: Vec<String> = (0..400).map(|i| format!("L{i:03}")).collect();
    let many = rule("nyc-local-law-144").replace("[\"A\", \"B\", \"C\"]", &format!("{levels:?}"));
    let lines =
        levels.iter().flat_map(|level| ["F", "M"].map(|sex| format!("{sex},{level},{}", i32::from(sex == "F"))));
    let (_folder, data) = written(std::iter::once("sex,race,hired".to_string()).chain(lines));
    let audited = audit(&many, &data);
    assert_eq!(view(&audited).tables.iter().map(|table| table.rows.len()).collect::<Vec<_>>(), [2, 400, 800]);
}

const INFERRED: &str = r#"
[pipeline]
name = "inferred"
[ingest]
path = "rows.csv"
key = ["id"]
[schema.id]
[schema.white]
as = "number"
[schema.black]
as = "number"
[schema.weight]
as = "number"
[schema.hired]
roles = ["prediction"]
positive = "1"
[measure]
support_min = 30
[measure.inferred.race]
columns = { White = "white", Black = "black" }
reference = "White"
"#;

/// The rows of the worked case and more.
fn probabilities(more: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let tables = tables(include_str!("../cases/inferred.md"));
    let rows = &tables.iter().find(|table| table.section == "Rows").unwrap().rows;
    let lines = rows.iter().flat_map(|row| {
        let (selected, all): (usize, usize) = (row[2].parse().unwrap(), row[3].parse().unwrap());
        (0..all).map(move |i| format!("{},{},2,{}", row[0], row[1], i32::from(i < selected)))
    });
    let missing = ["0.5,,2,1", ",0.5,2,1", ",,2,0"].map(str::to_string);
    let more = more.iter().map(|line| line.to_string());
    let all = lines.chain(missing).chain(more).enumerate().map(|(id, line)| format!("r{id},{line}"));
    written(std::iter::once("id,white,black,weight,hired".to_string()).chain(all))
}

#[test]
fn the_worked_case_of_probabilities() {
    let (_folder, data) = probabilities(&[]);
    let cases = tables(include_str!("../cases/inferred.md"));
    let case = |column: &str| cases.iter().find(|table| table.columns[0] == column).unwrap();
    for weighted in [false, true] {
        let text = match weighted {
            false => INFERRED.to_string(),
            true => INFERRED.replace("[schema.weight]", "[schema.weight]\nroles = [\"weight\"]"),
        };
        let audited = audit(&text, &data);
        let of = &audited.measurement.bias.inferred[0];
        assert_eq!((of.not_measured.as_str(), of.rows.used, of.rows.missing), ("", Some(160), Some(3)));
        for row in &case("level").rows {
            let level = of.levels.iter().find(|level| level.level == row[0]).unwrap();
            let number = |text: &str| text.parse::<f64>().unwrap();
            let scale = if weighted { 2.0 } else { 1.0 };
            assert_eq!(level.expected, Some(scale * number(row[1])));
            assert!((level.n_effective.unwrap() - number(row[2])).abs() < 1e-10);
            let value = point(audited.value("selection-rate", &["race"], row[0])).unwrap();
            assert!((value - number(row[3])).abs() < 1e-15);
        }
        for row in &case("comparison with White").rows {
            let compare = if row[0] == "ratio" { Comparison::Ratio } else { Comparison::Difference };
            let of = audited.contrast("selection-rate", &["race"], compare, Against::Reference, Some("Black"));
            assert!((point(of).unwrap() - row[1].parse::<f64>().unwrap()).abs() < 1e-14);
            assert!(ends(of).lower.is_some() && ends(of).upper.is_some());
        }
    }
}

#[test]
fn wrong_probabilities_are_counted_and_beyond_the_share_nothing_is_measured() {
    let (_folder, data) = probabilities(&["0.5,0.2,2,1", "1.5,-0.5,2,1", "0.5,0.495,2,1"]);
    let audited = audit(INFERRED, &data);
    let of = &audited.measurement.bias.inferred[0];
    assert!(of.not_measured.starts_with("2 of 166 rows have probabilities"), "{}", of.not_measured);
    assert!(of.metrics.is_empty() && audited.measurement.readings.iter().all(|reading| reading.across.is_empty()));
    let lenient = INFERRED.replace("reference =", "sum_wrong_share_max = 0.1\nreference =");
    let audited = audit(&lenient, &data);
    let rows = &audited.measurement.bias.inferred[0].rows;
    // A sum of 0.995 is one within 0.01.
    assert_eq!((rows.used, rows.missing, rows.out_of_range, rows.sum_wrong), (Some(161), Some(3), Some(1), Some(1)));
    let value = point(audited.value("selection-rate", &["race"], "White")).unwrap();
    assert!((value - 42.0 / 80.5).abs() < 1e-6);
}

#[test]
fn insurance_reads_the_probabilities() {
    let (_folder, data) = probabilities(&[]);
    let audited =
        audit(&format!("{INFERRED}[[measure.regulation]]\nrule = \"us-insurance\"\ninferred = \"race\"\n"), &data);
    let view = view(&audited);
    let cell = |heading: &str| view.tables[0].cell("Black", heading).unwrap().value().unwrap();
    assert!((cell("AIR to the reference") - 20.5 / 41.5).abs() < 1e-14);
    assert!((cell("Marginal effect, percentage points") - 26.25).abs() < 1e-12);
    let odds = |p: f64| (1.0 - p) / p;
    assert!((cell("Odds ratio of denial") - odds(0.25625) / odds(0.51875)).abs() < 1e-12);
    // 26 points with an error of about 7: far beyond 5 points and a p-value of 0.05.
    assert!(cell("p-value") < 0.01 && view.results.len() == 1);
}

#[test]
fn lending_compares_with_the_reference() {
    let (_folder, data) = worked();
    let text = format!(
        "{}[[measure.regulation]]\nrule = \"us-lending\"\n",
        WORKED.replace("[\"F\", \"M\"]", "[\"F\", \"M\"]\nreference = \"M\"")
    );
    let audited = audit(&text, &data);
    let view = view(&audited);
    assert_eq!(view.tables.len(), 1);
    let cell = |heading: &str| view.tables[0].cell("F", heading).unwrap().value();
    assert!((cell("AIR to the reference").unwrap() - 3294.0 / 4524.0).abs() < 1e-14);
    assert!((cell("Marginal effect, percentage points").unwrap() - 12.9255989911728).abs() < 1e-10);
    // Odds 27/51 over 58/64.
    assert!((cell("Odds ratio").unwrap() - 27.0 * 64.0 / (51.0 * 58.0)).abs() < 1e-14);
    assert_eq!(cell("SMD, s of all scores"), None);
    assert!(view.results.iter().any(|text| text.starts_with("race: not compared")));
}

/// Both conventions of the standardised mean difference.
#[test]
fn standardised_mean_differences_of_the_synthetic_set() {
    let Some((data, tasks)) = reference("synth-fair/synth_fair.csv", "synth") else { return };
    let mut task = Task::new("synth-score-dist");
    let golden = &tasks["synth-score-dist"]["results"];
    let text = crate::pipelines::synth(r#"[["g"]]"#) + "[[measure.regulation]]\nrule = \"us-lending\"\n";
    let audited = audit(&text, &data);
    for (heading, key) in [
        ("SMD, s of all scores", "SMD_sd_of_all_scores_ddof0"),
        ("SMD, s within the two (Cohen's d)", "SMD_pooled_within_ddof1(cohen_d)"),
    ] {
        let cell = view(&audited).tables[0].cell("C", heading).unwrap();
        task.near(cell.value(), golden[key].as_f64().unwrap(), 1e-12, heading);
    }
}

#[test]
fn a_record_says_what_is_not_stated() {
    let (_folder, data) = worked();
    let audited = audit(
        &format!("{WORKED}[[measure.regulation]]\nrule = \"eu-ai-act-article-10\"\nnecessity = \"none other\"\n"),
        &data,
    );
    let view = view(&audited);
    let fact = |term: &str| view.facts.iter().find(|(of, _)| of == term).unwrap().1.as_str();
    assert_eq!((fact("Deleted"), fact("Why other data do not serve")), ("not stated", "none other"));
    assert_eq!(view.tables.iter().map(|table| table.title.as_str()).collect::<Vec<_>>(), ["race", "sex"]);
    assert_eq!(view.tables[0].cell("(unknown)", "Rows").unwrap().value(), Some(8.0));
}

/// More distinct scores than a histogram keeps: one pass more, or two where all are in one bin, and the median of sorting.
#[cfg(feature = "sql")]
#[test]
fn the_median_of_many_scores_is_that_of_sorting() {
    let mut state = 11u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    for (rows, squeeze, passes) in [(15_001, 1.0, 2), (15_000, 1.0, 2), (15_001, 1e-9, 3)] {
        // Squeezed, all scores are in one bin of the first pass.
        let scores: Vec<f64> = (0..rows).map(|_| 0.5 + squeeze * (draw() - 0.5)).collect();
        let lines = scores.iter().enumerate().map(|(i, score)| format!("{},A,{score:?}", ["F", "M", ""][i % 3]));
        let (folder, _) = written(std::iter::once("sex,race,score".to_string()).chain(lines));
        let text = rule("nyc-local-law-144").replace(
            "[schema.hired]\nroles = [\"prediction\"]\npositive = \"1\"",
            "[schema.score]\nroles = [\"score\"]",
        );
        let audited = crate::shipped::run(&toml::from_str(&text).unwrap(), folder.path()).unwrap();
        let mut sorted = scores.clone();
        sorted.sort_by(f64::total_cmp);
        let (a, b) = (sorted[(rows - 1) / 2], sorted[rows / 2]);
        let median = a + (b - a) / 2.0;
        let view = &audited.audit.bias.regulation[0];
        assert!(view.results[0].contains(&format!("included: {median}.")), "{median}: {}", view.results[0]);
        for (sex, at) in [("F", 0), ("M", 1)] {
            let above = scores.iter().enumerate().filter(|(i, score)| i % 3 == at && **score > median).count();
            assert_eq!(view.tables[0].cell(sex, "Above the median").unwrap().value(), Some(above as f64));
        }
        assert_eq!((audited.passes_planned, audited.passes_run), (passes, passes), "{rows} {squeeze}");
        assert_eq!(audited.audit.method.passes.len(), passes as usize);
        assert!(audited.audit.method.passes.iter().any(|pass| pass.starts_with("median: ")));
    }
    // Few distinct scores: the pass is not made, and not listed.
    let (folder, _) =
        written(std::iter::once("sex,race,score".to_string()).chain((0..50).map(|i| format!("F,A,0.{i:02}"))));
    let text = rule("nyc-local-law-144")
        .replace("[schema.hired]\nroles = [\"prediction\"]\npositive = \"1\"", "[schema.score]\nroles = [\"score\"]");
    let audited = crate::shipped::run(&toml::from_str(&text).unwrap(), folder.path()).unwrap();
    assert_eq!((audited.passes_planned, audited.passes_run, audited.audit.method.passes.len()), (1, 1, 1));
}

/// A weight below 0 ends the run with a reason; weights that are all 0 leave no rate.
#[cfg(feature = "sql")]
#[test]
fn weights_that_are_none() {
    let text = INFERRED.replace(
        "[schema.weight]",
        "[schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n[schema.weight]\nroles = [\"weight\"]",
    );
    let text = &text[..text.find("[measure.inferred").unwrap()];
    let run = |weight: &dyn Fn(usize) -> String| {
        let lines = (0..90).map(|i| format!("r{i},{},{},{}", ["f", "m"][i % 2], weight(i), i % 3 % 2));
        let (folder, _) = written(std::iter::once("id,sex,weight,hired".to_string()).chain(lines));
        let text = text.replace("[schema.white]\nas = \"number\"\n[schema.black]\nas = \"number\"\n", "");
        crate::shipped::run(&toml::from_str(&text).unwrap(), folder.path())
    };
    let negative = run(&|i| if i == 7 { "-1".into() } else { "1".into() }).err().unwrap().to_string();
    assert!(negative.contains("schema.weight.outside_share_max") && negative.contains("1 of 90"), "{negative}");
    let none = run(&|_| "0".into()).unwrap().audit;
    let rate = |audit: &evenhand::audit::Audit| {
        audit.readings.iter().find(|reading| &*reading.metric == "selection-rate").unwrap().measured.clone()
    };
    assert_eq!(rate(&none), Measured::Undefined { why: Why::NoWeight });
    let missing = run(&|i| if i < 30 { "NaN".into() } else { "1".into() }).unwrap().audit;
    assert_eq!(rate(&missing).estimate().map(|estimate| estimate.point > 0.0), Some(true));
    let column = missing.data.columns.iter().find(|column| &*column.name == "weight").unwrap();
    assert_eq!(column.missing, Some(30));
}

/// A criterion over probabilities is judged like any other, and its cohort says that it is inferred.
#[cfg(feature = "sql")]
#[test]
fn inferred_cohorts_are_judged() {
    let judge = "[[judge]]\nmetric = \"selection-rate\"\ncompare = \"ratio\"\nagainst = \"reference\"\nacross = [\"race\"]\nat_least = 0.9\n";
    let finding = |more: &[&str]| {
        let (folder, _data) = probabilities(more);
        let spec = toml::from_str(&format!("{INFERRED}{judge}")).unwrap();
        crate::shipped::run(&spec, folder.path()).unwrap().audit.findings.remove(0)
    };
    let breached = finding(&[]);
    assert_eq!(breached.verdict, Verdict::Breached, "{}", breached.reason);
    assert_eq!(breached.cohort.to_string(), "race (inferred) = Black");
    let none = finding(&["0.5,0.2,2,1"]);
    assert_eq!(none.verdict, Verdict::NotMeasured);
}

/// Without a criterion too: what was asked for and not measured is a finding, so the run does not pass in silence.
#[cfg(feature = "sql")]
#[test]
fn what_could_not_be_measured_is_a_finding() {
    let codes = |more: &[&str]| {
        let (folder, _data) = probabilities(more);
        let found = crate::shipped::run(&toml::from_str(INFERRED).unwrap(), folder.path()).unwrap().audit.findings;
        found.iter().map(|of| (of.code.to_string(), of.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(codes(&["0.5,0.2,2,1"]), [("inferred/race".to_string(), Verdict::NotMeasured)]);
    assert!(codes(&[]).is_empty());
}

/// Below the publication limit nothing of a table is shown, nor of the probabilities.
#[test]
fn small_counts_are_withheld() {
    let (_folder, data) = worked();
    let limited =
        |text: String| text.replace("[[measure.regulation]]", "[measure]\nsuppress_below = 5\n[[measure.regulation]]");
    let audited = audit(&limited(rule("nyc-local-law-144")), &data);
    let view = &audited.measurement.bias.regulation[0];
    assert!(view.not_measured.starts_with("withheld") && view.tables.is_empty());
    let audited = audit(&limited(rule("ugesp")), &data);
    let view = &audited.measurement.bias.regulation[0];
    assert!(view.results.iter().any(|text| text.contains("withheld")) && view.tables.len() < 3);
    let (_folder, data) = probabilities(&[]);
    let audited = audit(&INFERRED.replace("support_min = 30", "support_min = 30\nsuppress_below = 10"), &data);
    let of = &audited.measurement.bias.inferred[0];
    assert!(of.not_measured.starts_with("withheld") && of.levels.is_empty() && of.metrics.is_empty());
    assert_eq!((of.rows.used, of.rows.missing, of.rows.out_of_range), (None, None, None));
    assert!(audited.measurement.readings.iter().all(|reading| reading.across.is_empty()));
}
