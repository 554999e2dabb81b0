//! A first draft of a pipeline file from a sample of the rows: roles by the names and values of the columns, each with its reason.
//!
//! Nothing here is certain. Every guess carries `# check`, what cannot be guessed `# fill in`. Levels and bounds are those of the sample:
//! whatever else the data holds is counted as outside.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::check::{basic as text, proposed_name, quoted};
use crate::scalar::parse_number;
use crate::schema::Role;

/// Rows that are looked at.
pub const SAMPLE_ROWS: usize = 50_000;

/// Most levels that are written out.
const LEVELS_MAX: usize = 50;
/// Distinct values that are kept per column.
const DISTINCT_MAX: usize = 1_000;
/// Longest level, in bytes.
const LEVEL_BYTES_MAX: usize = 80;

/// Texts that often stand for a missing value.
const MARKERS: [&str; 10] = ["?", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "NaN", "nan", "None"];

/// Where the sample comes from.
pub struct Sample<'a> {
    /// As the pipeline file will name it.
    pub path: &'a str,
    /// Stem of the file's name.
    pub stem: &'a str,
    /// Written out when it is not what the extension tells.
    pub delimiter: Option<char>,
    pub header: &'a [String],
}

/// Writes a draft from the first rows.
pub fn draft<E>(sample: &Sample, rows: impl Iterator<Item = Result<Vec<String>, E>>) -> Result<String, E> {
    let mut columns: Vec<Seen> = sample.header.iter().map(|name| Seen::new(name)).collect();
    let (mut count, mut whole) = (0, true);
    for row in rows {
        if count == SAMPLE_ROWS {
            whole = false;
            break;
        }
        for (column, value) in columns.iter_mut().zip(row?) {
            column.add(&value);
        }
        count += 1;
    }
    let guesses = guess(&columns);
    Ok(write(sample, &columns, &guesses, count, whole).unwrap_or_default())
}

/// What was seen of a column.
struct Seen {
    name: String,
    distinct: BTreeSet<String>,
    /// A value occurred twice before too many were seen.
    repeated: bool,
    too_many: bool,
    long: bool,
    markers: BTreeSet<&'static str>,
    /// Least and greatest, while every value is a number.
    range: Option<(f64, f64)>,
    numeric: bool,
}

impl Seen {
    fn new(name: &str) -> Seen {
        let (distinct, markers) = (BTreeSet::new(), BTreeSet::new());
        Seen {
            name: name.into(),
            distinct,
            repeated: false,
            too_many: false,
            long: false,
            markers,
            range: None,
            numeric: true,
        }
    }

    fn add(&mut self, value: &str) {
        if let Some(marker) = MARKERS.iter().find(|marker| **marker == value) {
            self.markers.insert(marker);
            return;
        }
        if value.is_empty() {
            return;
        }
        self.long |= value.len() > LEVEL_BYTES_MAX;
        match parse_number(value, '.') {
            Some(x) => self.range = Some(self.range.map_or((x, x), |(lower, upper)| (lower.min(x), upper.max(x)))),
            None => self.numeric = false,
        }
        if self.distinct.contains(value) {
            self.repeated = true;
        } else if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(value.into());
        } else {
            self.too_many = true;
        }
    }

    fn numeric(&self) -> Option<(f64, f64)> {
        // Bounds must ascend: texts that all stand for one number are no numeric column.
        self.range.filter(|(lower, upper)| self.numeric && lower < upper)
    }

    /// The values in the order of a report, when they can be written out.
    fn levels(&self) -> Option<Vec<&String>> {
        if self.too_many || self.long || self.distinct.len() > LEVELS_MAX {
            return None;
        }
        let mut levels: Vec<&String> = self.distinct.iter().collect();
        if self.numeric {
            let number = |text: &str| parse_number(text, '.').unwrap_or(0.0);
            levels.sort_by(|a, b| number(a).total_cmp(&number(b)));
        }
        Some(levels)
    }

    fn two_valued(&self) -> bool {
        self.distinct.len() == 2
    }

    /// True when the words of the name include one of these.
    fn named(&self, words: &[&str]) -> bool {
        let lower = self.name.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word))
    }
}

/// What a column is taken for.
#[derive(Clone, PartialEq)]
struct Guess {
    role: Option<Role>,
    reason: &'static str,
    /// A column of age bands is derived from it.
    bands: bool,
}

fn is(role: Role, reason: &'static str) -> Guess {
    Guess { role: Some(role), reason, bands: false }
}
fn none(reason: &'static str) -> Guess {
    Guess { role: None, reason, bands: false }
}

const PROTECTED: [&str; 11] = [
    "sex",
    "gender",
    "race",
    "ethnicity",
    "ethnic",
    "religion",
    "disability",
    "disabled",
    "nationality",
    "age",
    "pregnancy",
];
const IDENTIFIERS: [&str; 12] =
    ["id", "uuid", "guid", "ssn", "email", "phone", "passport", "name", "surname", "firstname", "lastname", "account"];
const WEIGHTS: [&str; 6] = ["weight", "weights", "wgt", "wt", "fnlwgt", "pweight"];
const TARGETS: [&str; 16] = [
    "target",
    "label",
    "outcome",
    "y",
    "income",
    "approved",
    "default",
    "defaulted",
    "hired",
    "accepted",
    "granted",
    "churn",
    "repaid",
    "recid",
    "paid",
    "premium",
];
const PREDICTIONS: [&str; 7] = ["pred", "prediction", "predicted", "decision", "decided", "selected", "yhat"];
const SCORES: [&str; 5] = ["score", "probability", "prob", "proba", "likelihood"];
const TIMES: [&str; 4] = ["date", "time", "timestamp", "datetime"];

fn guess(columns: &[Seen]) -> Vec<Guess> {
    let mut guesses: Vec<Guess> = columns.iter().map(by_name).collect();
    // One target, one decision, one score, one weight, one time: the first of each, targets by the order of the words.
    for role in [Role::Target, Role::Prediction, Role::Score, Role::Weight, Role::Time] {
        let rank = |i: &usize| TARGETS.iter().position(|word| columns[*i].named(&[word])).unwrap_or(usize::MAX);
        let mut found: Vec<usize> = (0..guesses.len()).filter(|&i| guesses[i].role == Some(role)).collect();
        if role == Role::Target {
            found.sort_by_key(rank);
        }
        for &i in found.iter().skip(1) {
            guesses[i] = none("another column has the role its name suggests");
        }
    }
    guesses
}

fn by_name(column: &Seen) -> Guess {
    let two = column.two_valued();
    let numeric = column.numeric();
    if column.distinct.len() < 2 {
        return is(Role::Ignored, "fewer than two values in the sample: it tells nothing");
    }
    if column.named(&PROTECTED) {
        return match (column.named(&["age"]), numeric, column.levels()) {
            (true, Some(_), _) => Guess {
                role: None,
                reason: "read for its bands; to train on it, give it the role \"feature\"",
                bands: true,
            },
            (_, _, Some(_)) => is(Role::Protected, "the name suggests a protected attribute"),
            (_, _, None) => {
                none("the name suggests a protected attribute, but there are too many values: derive a coarser column")
            }
        };
    }
    if column.named(&WEIGHTS) && numeric.is_some_and(|(lower, _)| lower >= 0.0) {
        return is(Role::Weight, "the name suggests a sampling weight; [] if it is none");
    }
    if column.named(&PREDICTIONS) && (two || numeric.is_some()) {
        return is(Role::Prediction, "the name suggests the decision under audit");
    }
    if column.named(&SCORES) && numeric.is_some_and(|(lower, upper)| lower >= 0.0 && upper <= 1.0) {
        return is(Role::Score, "the name and the range suggest a score");
    }
    if column.named(&TARGETS) && (two || numeric.is_some()) {
        return is(Role::Target, "the name suggests the true outcome");
    }
    if column.named(&TIMES) {
        return is(Role::Time, "the name suggests a time");
    }
    let unique = !column.repeated && column.distinct.len() > 20;
    if column.named(&IDENTIFIERS) && (unique || column.levels().is_none()) {
        return is(Role::Identifier, "the name suggests an identifier");
    }
    if unique && numeric.is_none() {
        return is(Role::Identifier, "every value occurs once");
    }
    match (numeric.is_some(), column.levels()) {
        (false, None) => none("too many or too long values for a list of levels: derive a coarser column to use it"),
        _ => is(Role::Feature, ""),
    }
}

/// Bands of an age within the range seen.
fn bands(lower: f64, upper: f64) -> Vec<(f64, &'static str)> {
    let all = [(25.0, "under 25"), (40.0, "25 to 39"), (60.0, "40 to 59"), (f64::INFINITY, "60 and over")];
    let mut from = f64::NEG_INFINITY;
    let mut bands = Vec::new();
    for (end, name) in all {
        if lower < end && upper >= from {
            bands.push((end, name));
        }
        from = end;
    }
    bands
}

/// What the draft trains and judges.
#[derive(Clone, Copy, PartialEq)]
enum Audit {
    /// Decisions or scores are given.
    Given,
    Logistic,
    Linear,
    Unknown,
}

fn audit(columns: &[Seen], guesses: &[Guess]) -> Audit {
    let with = |role| columns.iter().zip(guesses).find(|(_, guess)| guess.role == Some(role)).map(|(column, _)| column);
    match with(Role::Target) {
        _ if with(Role::Prediction).or(with(Role::Score)).is_some() => Audit::Given,
        None => Audit::Unknown,
        Some(target) if target.two_valued() => Audit::Logistic,
        Some(_) => Audit::Linear,
    }
}

fn write(
    sample: &Sample,
    columns: &[Seen],
    guesses: &[Guess],
    count: usize,
    whole: bool,
) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    let of = if whole { format!("all {count} rows") } else { format!("the first {count} rows") };
    writeln!(out, "# Drafted from {of}. Every guess is marked `# check`, what you must decide `# fill in`.")?;
    writeln!(out, "# Then: evenhand check FILE, evenhand plan FILE, evenhand run FILE.\n")?;
    writeln!(out, "[pipeline]\nname = {}  # check", text(&proposed_name(sample.stem)))?;
    writeln!(
        out,
        "owner = \"\"  # fill in: who answers for this audit\npurpose = \"\"  # fill in: what the model or process decides\n"
    )?;
    writeln!(out, "[ingest]\npath = {}", text(sample.path))?;
    if let Some(delimiter) = sample.delimiter {
        writeln!(out, "delimiter = {}  # check", text(&delimiter.to_string()))?;
    }
    let markers: BTreeSet<&str> = columns.iter().flat_map(|column| column.markers.iter().copied()).collect();
    if !markers.is_empty() {
        writeln!(out, "null_values = {}  # check: seen in the sample", list(markers.iter()))?;
    }
    let audit = audit(columns, guesses);
    derive(&mut out, columns, guesses)?;
    for (column, guess) in columns.iter().zip(guesses) {
        schema(&mut out, column, guess, audit)?;
    }
    closing(&mut out, audit)?;
    Ok(out)
}

fn band_name(column: &Seen) -> String {
    format!("{}_band", column.name)
}

fn derive(out: &mut String, columns: &[Seen], guesses: &[Guess]) -> std::fmt::Result {
    let banded = columns.iter().zip(guesses).filter(|(_, guess)| guess.bands);
    for (i, (column, _)) in banded.enumerate() {
        let Some((lower, upper)) = column.numeric() else { continue };
        if i == 0 {
            writeln!(out, "\n[derive]")?;
        }
        let word = column.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && column.name.starts_with(|c: char| c.is_ascii_alphabetic());
        let name = if word { column.name.clone() } else { format!("\"{}\"", column.name.replace('"', "\"\"")) };
        let bands = bands(lower, upper);
        let mut sql = String::from("CASE");
        for (end, band) in &bands {
            match end.is_finite() {
                true => write!(sql, " WHEN {name} < {end} THEN '{band}'")?,
                false => write!(sql, " WHEN {name} >= 60 THEN '{band}'")?,
            }
        }
        sql.push_str(" END");
        writeln!(out, "{} = {}  # check: bands", quoted(&band_name(column)), text(&sql))?;
    }
    Ok(())
}

fn schema(out: &mut String, column: &Seen, guess: &Guess, audit: Audit) -> std::fmt::Result {
    let trains = matches!(audit, Audit::Logistic | Audit::Linear);
    // A model that is trained here sees every row once: a weight would be refused by `check`.
    let role = guess.role.filter(|role| if trains { *role != Role::Weight } else { *role != Role::Feature });
    let roles = role.map_or("[]".into(), |role| format!("[\"{role}\"]"));
    let reason = match (guess.reason, guess.role, trains) {
        ("", Some(Role::Feature), false) => ": not read by the audit of given decisions",
        (_, Some(Role::Weight), true) => ": the name suggests a sampling weight, which training does not take",
        (reason, _, _) => &format!(": {reason}"),
    };
    writeln!(out, "\n[schema.{}]\nroles = {roles}  # check{}", quoted(&column.name), reason.trim_end_matches(": "))?;
    match (guess.role, column.numeric(), column.levels()) {
        (Some(Role::Identifier | Role::Time | Role::Ignored), _, _) => {}
        (Some(Role::Weight), _, _) => writeln!(out, "as = \"number\"")?,
        (Some(Role::Score), _, _) => writeln!(out, "bounds = [0, 1]")?,
        (Some(Role::Target | Role::Prediction), _, Some(levels)) if column.two_valued() => {
            writeln!(out, "levels = {}", list(levels.iter()))?;
            let last = levels.last().map_or("", |level| level);
            writeln!(
                out,
                "# positive = {}  # fill in: the value that counts as 1 (favourable), then remove the first #",
                text(last)
            )?;
        }
        (Some(Role::Protected), _, Some(levels)) => {
            writeln!(out, "levels = {}  # check: those of the sample", list(levels.iter()))?
        }
        (_, Some((lower, upper)), _) if lower < upper => {
            writeln!(out, "bounds = [{lower}, {upper}]  # check: least and greatest possible")?
        }
        (Some(Role::Feature), None, Some(levels)) => {
            writeln!(out, "levels = {}  # check: those of the sample", list(levels.iter()))?
        }
        _ => {}
    }
    if let (true, Some((lower, upper))) = (guess.bands, column.numeric()) {
        let levels = bands(lower, upper).into_iter().map(|(_, band)| band);
        writeln!(out, "\n[schema.{}]\nroles = [\"protected\"]  # check: bands of an age", quoted(&band_name(column)))?;
        writeln!(out, "levels = {}", list(levels))?;
    }
    Ok(())
}

fn closing(out: &mut String, audit: Audit) -> std::fmt::Result {
    match audit {
        Audit::Logistic => {
            writeln!(out, "\n[train]\nmodel = \"logistic\"  # check: a two-valued target, and no decision is given")?
        }
        Audit::Linear => {
            writeln!(out, "\n[train]\nmodel = \"linear\"  # check: a numeric target, and no prediction is given")?
        }
        Audit::Given | Audit::Unknown => {}
    }
    match audit {
        Audit::Logistic | Audit::Given => writeln!(
            out,
            "\n# The limit is a matter of policy and law; 0.8 is the four-fifths rule of US employment guidelines (29 CFR 1607.4 D).\n[[judge]]\nmetric = \"selection-rate\"  # check\ncompare = \"ratio\"\nagainst = \"worst-pair\"\nat_least = 0.8  # check\nlevel = \"warn\"  # check: \"deny\" makes a breach exit with 1"
        ),
        Audit::Linear => writeln!(
            out,
            "\n# [[judge]]  # fill in a limit in the target's unit, then remove the #\n# metric = \"mean-residual\"\n# compare = \"difference\"\n# against = \"worst-pair\"\n# at_most = 1.0"
        ),
        Audit::Unknown => writeln!(
            out,
            "\n# fill in: no column looks like an outcome or a decision. Give one the role \"target\" or \"prediction\" with positive = \"...\"."
        ),
    }?;
    writeln!(out, "\n[report]\nfolder = \"../reports\"  # check: of the run folders, relative to this file")
}

fn list(values: impl Iterator<Item = impl AsRef<str>>) -> String {
    format!("[{}]", values.map(|value| text(value.as_ref())).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
#[cfg(feature = "sql")]
mod tests {
    use super::*;
    use crate::plan::check;
    use proptest::prelude::*;

    fn drafted(header: &[&str], rows: &[&[&str]]) -> String {
        let header: Vec<String> = header.iter().map(|name| name.to_string()).collect();
        let sample = Sample { path: "data/x.csv", stem: "X y", delimiter: None, header: &header };
        let rows = rows.iter().map(|row| Ok::<_, ()>(row.iter().map(|value| value.to_string()).collect()));
        draft(&sample, rows).unwrap()
    }

    fn codes(text: &str) -> Vec<&'static str> {
        check::check(("f", text), None, None, &check::sql).1.iter().map(|complaint| complaint.code).collect()
    }

    #[test]
    fn roles_follow_names_and_values() {
        let draft = drafted(
            &["id", "sex", "age", "region", "const", "weight", "approved"],
            &[&["a1", "f", "30", "n", "x", "1.5", "yes"], &["a2", "m", "70", "?", "x", "2", "no"]],
        );
        for part in [
            "name = \"x-y\"",
            "null_values = [\"?\"]",
            "age_band = ",
            "\"25 to 39\", \"40 to 59\", \"60 and over\"",
            "[schema.approved]\nroles = [\"target\"]",
            "[schema.weight]\nroles = []",
            "[schema.const]\nroles = [\"ignored\"]",
            "[schema.sex]\nroles = [\"protected\"]",
            "model = \"logistic\"",
            "[report]\nfolder = \"../reports\"  # check",
        ] {
            assert!(draft.contains(part), "{part}\n{draft}");
        }
        assert!(codes(&draft).contains(&"missing-positive"));
    }

    #[test]
    fn given_decisions_are_audited_without_training() {
        let draft = drafted(&["g", "y", "score", "pred"], &[&["A", "0", "0.3", "0"], &["B", "1", "0.7", "1"]]);
        assert!(!draft.contains("[train]") && draft.contains("[schema.score]\nroles = [\"score\"]"), "{draft}");
    }

    proptest! {
        /// Whatever the columns are called and hold, the draft is TOML and the check ends.
        #[test]
        fn any_sample_gives_a_readable_draft(names in prop::collection::vec("(\\PC{1,8}|age|sex|y|id|weight|score|pred)", 1..5), values in prop::collection::vec("(\\PC{0,6}|[0-9]{1,3}|[?]|NA)", 0..40)) {
            let mut header: Vec<String> = names;
            header.sort();
            header.dedup();
            let rows: Vec<Vec<String>> = values.chunks_exact(header.len()).map(<[String]>::to_vec).collect();
            let sample = Sample { path: "x.csv", stem: "x", delimiter: Some(';'), header: &header };
            let text = draft(&sample, rows.into_iter().map(Ok::<_, ()>)).unwrap();
            let (_, complaints) = check::check(("f", &text), None, None, &check::sql);
            for complaint in complaints {
                prop_assert!(["missing-positive", "nothing-protected", "no-criteria", "no-features", "metric-not-measured"].contains(&complaint.code), "{complaint:?}\n{text}");
            }
        }
    }
}
