//! `evenhand init FILE`: a commented draft of a pipeline file from a sample of the data.

use std::fs::File;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use super::{Output, USAGE, load::unfinished};
use crate::engine::EngineError;
use crate::ingest::csv::Records;
use crate::plan::draft::{Sample, draft};
use crate::plan::format_of;
use crate::plan::spec::Format;
use crate::scan::Source;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The data: delimited text with a header line.
    file: PathBuf,
    /// The pipeline file to write; stdout when absent. Never overwritten.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    let other = match format_of(&args.file) {
        Some(Format::Parquet) => Some("Parquet"),
        Some(Format::Ndjson) => Some("NDJSON"),
        Some(Format::Ipc) => Some("Arrow IPC"),
        Some(Format::Csv | Format::Tsv) | None => None,
    };
    if let Some(format) = other {
        out.error(&format!(
            "{}: init reads CSV and TSV only, this is {format}; export the first rows as CSV",
            args.file.display()
        ));
        return USAGE;
    }
    if let Some(packed @ ("gz" | "zst")) = args.file.extension().and_then(|extension| extension.to_str()) {
        let unpack = if packed == "gz" { "gunzip -k" } else { "unzstd" };
        out.error(&format!("{0}: init does not read compressed files; first: {unpack} {0}", args.file.display()));
        return USAGE;
    }
    let text = match sample(&args.file, args.out.as_deref()) {
        Ok(text) => text,
        Err(e) => return unfinished(out, &e.to_string()),
    };
    let Some(path) = &args.out else {
        out.result(&text);
        return 0;
    };
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            out.result(&format!(
                "{0} is written. Next: fill in the lines marked `# fill in`, then evenhand check {0}",
                path.display()
            ));
            0
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            out.error(&format!("{} exists and is not overwritten; choose another name", path.display()));
            USAGE
        }
        Err(e) => unfinished(out, &format!("{}: cannot be written: {e}", path.display())),
    }
}

/// Drafts from a file. The path in the draft is relative to the folder the draft will be in.
fn sample(file: &Path, out: Option<&Path>) -> Result<String, EngineError> {
    let (mut records, delimiter) = open(file)?;
    let header = records.header().to_vec();
    let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = relative(file, out.and_then(Path::parent).unwrap_or(Path::new("")));
    let sample = Sample { path: &path, stem: stem.split('.').next().unwrap_or(""), delimiter, header: &header };
    let rows = std::iter::from_fn(|| {
        let row = records.next_record().transpose()?;
        Some(row.map(|row| row.into_iter().map(str::to_string).collect()))
    });
    draft(&sample, rows)
}

/// Opens the file with the separator its header line suggests; it is told when the extension does not say so.
fn open(file: &Path) -> Result<(Records, Option<char>), EngineError> {
    let usual = if format_of(file) == Some(Format::Tsv) { b'\t' } else { b',' };
    let with = |delimiter| {
        let source = Source {
            paths: vec![file.to_path_buf()],
            format: Format::Csv,
            delimiter,
            decimal: '.',
            null_values: Vec::new(),
            hive: false,
        };
        Records::open(file, &source)
    };
    let records = with(usual)?;
    if records.header().len() == 1 {
        for delimiter in [b';', b'\t', b'|', b','] {
            if delimiter != usual && records.header().iter().any(|name| name.contains(char::from(delimiter))) {
                return Ok((with(delimiter)?, Some(delimiter.into())));
            }
        }
    }
    Ok((records, None))
}

/// A path as seen from a folder: up to what both share, and down; in full when they share nothing.
fn relative(file: &Path, folder: &Path) -> String {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (Ok(file), Ok(folder)) = (std::path::absolute(file), std::path::absolute(here)) else {
        return file.display().to_string();
    };
    let shared = file.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    if shared < 2 {
        return file.to_string_lossy().into_owned();
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(file.components().skip(shared)).collect();
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Format as Form;
    use std::fs;

    #[test]
    fn the_draft_finds_the_data_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("pipelines/data")).unwrap();
        let (file, draft) = (folder.path().join("pipelines/data/x.csv"), folder.path().join("pipelines/x.toml"));
        fs::write(&file, "sex;age;hired;test\nf;30;yes;1.5\nm;50;no;2\n").unwrap();
        let (args, out) = (Args { file, out: Some(draft.clone()) }, Output::new(Form::Human, true));
        assert_eq!(run(&args, &out), 0);
        let text = fs::read_to_string(&draft).unwrap();
        assert!(text.contains("path = \"data/x.csv\"\ndelimiter = \";\""), "{text}");
        assert_eq!(run(&args, &out), USAGE);
        fs::write(&draft, text.replace("# positive", "positive")).unwrap();
        let loaded = super::super::load(&draft).unwrap();
        assert_eq!(loaded.complaints, []);
    }

    /// A newcomer on real data: two edited lines, then it is checked, planned and measured.
    #[test]
    fn adult_needs_two_lines() {
        let Some(shared) = crate::world::variable("EVENHAND_REFERENCE_DATA") else {
            return eprintln!("EVENHAND_REFERENCE_DATA is not set: 1 test not run");
        };
        let folder = tempfile::tempdir().unwrap();
        let (data, path) = (Path::new(&shared).join("data/adult/adult.csv"), folder.path().join("adult.toml"));
        assert_eq!(run(&Args { file: data, out: Some(path.clone()) }, &Output::new(Form::Human, true)), 0);
        let draft = fs::read_to_string(&path).unwrap();
        let codes: Vec<_> =
            super::super::load(&path).unwrap_err().complaints.into_iter().map(|complaint| complaint.code).collect();
        assert_eq!(codes, ["missing-positive"]);
        let edited = draft
            .replace("# positive = \">50K\"", "positive = \">50K\"")
            .replace("purpose = \"\"", "purpose = \"credit\"");
        assert_eq!(draft.lines().zip(edited.lines()).filter(|(before, after)| before != after).count(), 2);
        fs::write(&path, edited).unwrap();
        let loaded = super::super::load(&path).unwrap();
        assert_eq!(loaded.complaints, []);
        measured(&loaded);
    }

    /// Share of incomes above 50K by sex: 1,179 of 10,771 and 6,662 of 21,790 rows before weights.
    fn measured(loaded: &super::super::Loaded) {
        use crate::engine::{Engine, reference::Reference};
        use crate::{measure, plan::Plan, privatize};
        let parse = |text: &str| crate::plan::expression::parse(text).map_err(|e| e.to_string());
        let spec = crate::plan::spec::Spec { train: None, ..loaded.spec.clone() };
        let source = loaded.source.clone().unwrap();
        let plan = Plan::of(&spec, &loaded.sha256, source, &parse, &Default::default()).unwrap();
        assert_eq!(
            plan.attributes.iter().map(|attribute| &*attribute.name).collect::<Vec<_>>(),
            ["age_band", "race", "sex"]
        );
        let subject = measure::Subject::given(&plan);
        let collected = Reference.collect(&plan.scan, &measure::demands(&plan, &subject), &|_| {}).unwrap();
        let released = privatize::release(collected.evidence);
        let measurement = measure::measure(&plan, &subject, &released).unwrap();
        let sex = measurement.cohorts.iter().find(|table| table.across == ["sex".into()]).unwrap();
        let labels: Vec<_> = sex.rows.iter().filter(|row| row.compared).map(|row| row.labels.unwrap()).collect();
        assert_eq!(labels, [[9_592, 1_179, 0], [15_128, 6_662, 0]]);
    }

    #[test]
    fn what_it_cannot_read_is_refused_before_it_is_opened() {
        for name in ["x.parquet", "x.ndjson", "x.csv.gz", "x.csv.zst"] {
            assert_eq!(run(&Args { file: name.into(), out: None }, &Output::new(Form::Human, true)), USAGE, "{name}");
        }
        assert_eq!(run(&Args { file: "absent.csv".into(), out: None }, &Output::new(Form::Human, true)), 3);
    }

    #[test]
    fn paths_lead_up_and_down() {
        assert_eq!(relative(Path::new("/a/b/x.csv"), Path::new("/a/p")), "../b/x.csv");
        assert_eq!(relative(Path::new("/a/x.csv"), Path::new("/a")), "x.csv");
        assert_eq!(relative(Path::new("/b/x.csv"), Path::new("/a")), "/b/x.csv");
        assert_eq!(relative(Path::new("data/x.csv"), Path::new("")), "data/x.csv");
    }
}
