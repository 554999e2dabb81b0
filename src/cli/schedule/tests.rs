//! What is printed for a scheduler, and what is late.

use std::fs;

use super::*;
use crate::cli::Format;

const PIPELINE: &str = "[pipeline]\nname = \"p\"\n[ingest]\npath = \"x.csv\"\n[schema]\n\
    sex = { roles = [\"protected\"], levels = [\"f\", \"m\"] }\n\
    hired = { roles = [\"prediction\"], levels = [\"0\", \"1\"], positive = \"1\" }\n\
    [report]\nfolder = \"reports\"\n[schedule]\ncron = \"0 3 * * *\"\nlate_after_min = 30\n";

const OUT: Output = Output { format: Format::Human, quiet: true, colour: false, journal: false };

fn pipeline(more: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.csv"), "sex,hired\nf,1\n").unwrap();
    let file = folder.path().join("p.toml");
    fs::write(&file, format!("{PIPELINE}{more}")).unwrap();
    (folder, file)
}

/// Prints into a folder: the exit code, and the files with their texts.
fn printed(scheduler: For, file: &Path, user: Option<&str>) -> (u8, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let args = Print {
        scheduler,
        pipeline: file.into(),
        program: Some("/usr/local/bin/evenhand".into()),
        user: user.map(String::from),
        log_file: None,
        out: Some(folder.path().into()),
    };
    let code = print(&args, &OUT).unwrap_or_else(|code| code);
    let files = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()));
    let mut named: Vec<_> = named.collect();
    named.sort();
    (code, named)
}

#[test]
fn files_have_names_their_schedulers_read() {
    let (_folder, file) = pipeline("");
    let names = |scheduler| printed(scheduler, &file, Some("audit")).1.into_iter().map(|(name, _)| name);
    // run-parts(8): cron reads names of letters, digits, _ and - only.
    assert_eq!(names(For::Cron).collect::<Vec<_>>(), ["evenhand-p"]);
    assert_eq!(names(For::Systemd).collect::<Vec<_>>(), ["evenhand-p.service", "evenhand-p.timer"]);
}

#[test]
fn an_account_is_one_word() {
    let (_folder, file) = pipeline("");
    let long = "a".repeat(33);
    for user in ["x\n* * * * * root touch /tmp/pwn", "", "a b", "-r", "1st", "a%", "é", &long, "root\n", "r\u{202e}"] {
        for scheduler in [For::Cron, For::Systemd] {
            assert_eq!(printed(scheduler, &file, Some(user)), (USAGE, Vec::new()), "{user:?}");
        }
    }
    for user in ["audit", "_audit", "A.b-c_1", &long[..32]] {
        let (code, files) = printed(For::Cron, &file, Some(user));
        assert!(code == 0 && files[0].1.lines().last().unwrap().starts_with(&format!("*/5 * * * * {user} /usr")));
    }
}
