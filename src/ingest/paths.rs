//! Which files a path, a glob or a folder of hive partitions is.
//!
//! - A file is itself.
//! - A folder is all data files below it: names with the extension of a format, compressed or not.
//! - A glob has `*` (any characters), `?` (one), `[a-z]`, `[!a-z]` (one of, none of) within a name and `**` for any number of folders. The longest
//!   start of the path that exists is taken as written, so a folder may be called `[2024]`. A folder that matches is read as a folder.
//!
//! Names that start with a dot or an underscore (`_SUCCESS`, `_metadata`) are passed over unless written out; `_name=value` is a partition.
//! Files are sorted by the bytes of their path. A file or folder that links reach twice is read once, under the path found first.

use std::collections::BTreeSet;
use std::fs::{self, FileType};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::engine::near;
use crate::plan::format_of;

/// The files of a source, sorted by name.
pub fn expand(path: &Path) -> Result<Vec<PathBuf>, String> {
    let (base, rest) = existing(path)?;
    let mut found = Found::default();
    match rest.first() {
        None => found.take(base.clone())?,
        Some(name) if !rest.iter().any(|name| is_pattern(name)) => return Err(not_there(path, &base, name)),
        Some(_) if !base.is_dir() => return Err(not_there(path, &base, "")),
        Some(_) => found.matching(&base, &rest.iter().map(String::as_str).collect::<Vec<_>>())?,
    }
    found.files.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    match (found.files.is_empty(), rest.is_empty()) {
        (false, _) => same_format(found.files),
        (true, true) => Err(format!(
            "{}: there is no data file below this folder (csv, tsv, parquet, ndjson, arrow; also .gz and .zst); files of other names are \
             read when a glob names them: {}",
            path.display(),
            path.join("*").display()
        )),
        (true, false) => Err(format!(
            "{}: no file matches; the folder {} exists, look at the names in it",
            path.display(),
            base.display()
        )),
    }
}

/// The hive partitions of a file below a root: name and value of every folder `name=value`, percent-encoding undone. The value that stands for
/// a missing one is the empty text.
pub fn partitions(root: &Path, path: &Path) -> Vec<(String, String)> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let folders = below.parent().unwrap_or(Path::new("")).components();
    let pair = |folder: Component| {
        let folder = folder.as_os_str().to_str()?.to_string();
        let (name, value) = folder.split_once('=')?;
        let value = if value == HIVE_NULL { String::new() } else { decoded(value) };
        (!name.is_empty()).then(|| (decoded(name), value))
    };
    folders.filter_map(pair).collect()
}

/// How a file is packed, by its extension in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Gzip,
    Zstandard,
}

/// The packing an extension tells; none for a plain file.
pub fn packing(path: &Path) -> Option<Packing> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "gz" => Some(Packing::Gzip),
        "zst" => Some(Packing::Zstandard),
        _ => None,
    }
}

const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Undoes percent-encoding; a text that is none stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if digit(*high).is_some() && digit(*low).is_some() => {
                bytes.push(digit(*high).unwrap_or(0) << 4 | digit(*low).unwrap_or(0));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.into())
}

/// The longest start of a path that exists, and the names after it.
fn existing(path: &Path) -> Result<(PathBuf, Vec<String>), String> {
    let mut base = PathBuf::new();
    let mut names = path.components().peekable();
    while let Some(name) = names.peek() {
        let longer = base.join(name);
        match fs::symlink_metadata(&longer) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => return Err(unreadable(&longer, &e)),
            Err(_) => break,
        }
        base = longer;
        names.next();
    }
    let rest = names.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
    if base.as_os_str().is_empty() {
        base.push(".");
    }
    Ok((base, rest))
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

/// Files found so far.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Where links lead, so that nothing is read twice and a loop ends.
    seen: BTreeSet<PathBuf>,
}

impl Found {
    /// A path that was written out or matched: a file, or all data files below a folder.
    fn take(&mut self, path: PathBuf) -> Result<(), String> {
        match kind(&path)? {
            kind if kind.is_dir() => self.below(&path, &|name| format_of(Path::new(name)).is_some()),
            kind if kind.is_file() => self.file(path),
            _ => Err(format!(
                "{}: is no regular file; the rows are read more than once: copy them into a file first",
                path.display()
            )),
        }
    }

    fn file(&mut self, path: PathBuf) -> Result<(), String> {
        if self.seen.insert(real(&path)?) {
            self.files.push(path);
        }
        Ok(())
    }

    /// Files below a folder whose names are wanted.
    fn below(&mut self, folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<(), String> {
        if !self.seen.insert(real(folder)?) {
            return Ok(());
        }
        for name in names(folder)?.iter().filter(|name| !is_hidden(name)) {
            let path = folder.join(name);
            match kind(&path) {
                Ok(kind) if kind.is_dir() => self.below(&path, wanted)?,
                _ if wanted(name) => self.take(path)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Paths below a folder that match the patterns, one per name.
    fn matching(&mut self, folder: &Path, patterns: &[&str]) -> Result<(), String> {
        match patterns {
            [] => self.take(folder.into()),
            ["**"] => self.below(folder, &|_| true),
            ["**", rest @ ..] => self.deep(folder, rest, &mut BTreeSet::new()),
            [name, rest @ ..] if !is_pattern(name) => {
                let path = folder.join(name);
                if fs::symlink_metadata(&path).is_ok() { self.matching(&path, rest) } else { Ok(()) }
            }
            [pattern, rest @ ..] => {
                let written_out = |name: &str| !is_hidden(name) || pattern.chars().next() == name.chars().next();
                for name in names(folder)?.iter().filter(|name| written_out(name) && matches(pattern, name)) {
                    let path = folder.join(name);
                    if rest.is_empty() || path.is_dir() {
                        self.matching(&path, rest)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The patterns in this folder and in every folder below it. `walked` ends loops.
    fn deep(&mut self, folder: &Path, patterns: &[&str], walked: &mut BTreeSet<PathBuf>) -> Result<(), String> {
        if !walked.insert(real(folder)?) {
            return Ok(());
        }
        self.matching(folder, patterns)?;
        for name in names(folder)?.iter().filter(|name| !is_hidden(name)) {
            let path = folder.join(name);
            if path.is_dir() {
                self.deep(&path, patterns, walked)?;
            }
        }
        Ok(())
    }
}

/// Names in a folder, sorted by their bytes.
fn names(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|e| unreadable(folder, &e))?.file_name();
        match name.to_str() {
            Some(name) => names.push(name.to_string()),
            None => return Err(format!("{}: holds a name that is not UTF-8; rename it", folder.display())),
        }
    }
    names.sort();
    Ok(names)
}

/// What a path is, links followed.
fn kind(path: &Path) -> Result<FileType, String> {
    fs::metadata(path).map(|metadata| metadata.file_type()).map_err(|e| match e.kind() {
        io::ErrorKind::PermissionDenied => unreadable(path, &e),
        _ if path.is_symlink() => format!("{}: the link leads nowhere; mend or remove it", path.display()),
        _ => unreadable(path, &e),
    })
}

fn real(path: &Path) -> Result<PathBuf, String> {
    fs::canonicalize(path).map_err(|e| unreadable(path, &e))
}

fn unreadable(path: &Path, e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::PermissionDenied => {
            format!(
                "{}: cannot be read: permission denied; give the account that runs evenhand the right to read it",
                path.display()
            )
        }
        _ => format!("{}: cannot be read: {e}", path.display()),
    }
}

fn not_there(path: &Path, base: &Path, name: &str) -> String {
    if !base.is_dir() {
        return format!("{}: there is no such file; {} is a file, not a folder", path.display(), base.display());
    }
    let like = near(name, names(base).unwrap_or_default().iter());
    let like =
        if like.is_empty() { String::new() } else { format!("; names like {name:?} in it: {}", like.join(", ")) };
    format!("{}: there is no such file; the nearest folder that exists is {}{like}", path.display(), base.display())
}

/// Files of one source have one format.
fn same_format(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, String> {
    let other = files.iter().zip(files.iter().skip(1)).find(|(a, b)| format_of(a) != format_of(b));
    match other {
        None => Ok(files),
        Some((a, b)) => Err(format!(
            "{} and {} are of different formats; name the files of one format with a glob, such as *.csv",
            a.display(),
            b.display()
        )),
    }
}

/// True when a name matches a pattern of `*`, `?` and `[...]`. A bracket that is not closed stands for itself.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where to go on when what follows the last star does not match: that star takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        let next = match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
                continue;
            }
            Some('?') => Some(at + 1),
            Some('[') => class(&pattern[at..], name[from])
                .map_or_else(|| (name[from] == '[').then_some(at + 1), |(length, holds)| holds.then_some(at + length)),
            Some(&literal) => (literal == name[from]).then_some(at + 1),
            None => None,
        };
        (at, from) = match (next, star) {
            (Some(next), _) => (next, from + 1),
            (None, Some((star_at, star_from))) => {
                star = Some((star_at, star_from + 1));
                (star_at + 1, star_from + 1)
            }
            (None, None) => return false,
        };
    }
    pattern[at..].iter().all(|&c| c == '*')
}

/// Length of the bracket a pattern starts with, and whether a character is in it; none when it is not closed.
fn class(pattern: &[char], of: char) -> Option<(usize, bool)> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let first = 1 + usize::from(negated);
    // A bracket right after the opening one is a member.
    let length = first + 1 + pattern.get(first + 1..)?.iter().position(|&c| c == ']')?;
    let members = &pattern[first..length];
    let mut holds = false;
    let mut i = 0;
    while let Some(&lower) = members.get(i) {
        match (members.get(i + 1), members.get(i + 2)) {
            (Some('-'), Some(&upper)) => {
                holds |= (lower..=upper).contains(&of);
                i += 3;
            }
            _ => {
                holds |= lower == of;
                i += 1;
            }
        }
    }
    Some((length + 1, holds != negated))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "a\n1\n").unwrap();
        }
        folder
    }

    fn found(folder: &tempfile::TempDir, path: &str) -> Vec<String> {
        let files = expand(&folder.path().join(path)).unwrap();
        files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_string()).collect()
    }

    fn refused(folder: &tempfile::TempDir, path: &str) -> String {
        expand(&folder.path().join(path)).unwrap_err().replace(folder.path().to_str().unwrap(), "ROOT")
    }

    #[test]
    fn a_folder_is_all_data_files_below_it() {
        let tree = folder(&[
            "d/b.csv",
            "d/a.csv.gz",
            "d/B.csv.zst",
            "d/README.md",
            "d/_SUCCESS",
            "d/.hidden.csv",
            "d/_tmp/x.csv",
            "d/.tmp/x.csv",
            "d/_sex=f/y.csv",
            "d/a/z.csv",
        ]);
        assert_eq!(found(&tree, "d"), ["d/B.csv.zst", "d/_sex=f/y.csv", "d/a.csv.gz", "d/a/z.csv", "d/b.csv"]);
        assert_eq!(found(&tree, "d/b.csv"), ["d/b.csv"]);
        assert_eq!(found(&tree, "d/.hidden.csv"), ["d/.hidden.csv"]);
    }

    #[test]
    fn a_glob_matches_within_names_and_across_folders() {
        let tree = folder(&["y=1/m=1/a.csv", "y=1/m=2/b.csv", "y=2/m=1/c.csv", "top.csv", "[x]/q.csv", ".h/e.csv"]);
        assert_eq!(found(&tree, "*.csv"), ["top.csv"]);
        assert_eq!(found(&tree, "y=*/m=1/?.csv"), ["y=1/m=1/a.csv", "y=2/m=1/c.csv"]);
        assert_eq!(found(&tree, "**/[ac].csv"), ["y=1/m=1/a.csv", "y=2/m=1/c.csv"]);
        assert_eq!(
            found(&tree, "**/*.csv"),
            ["[x]/q.csv", "top.csv", "y=1/m=1/a.csv", "y=1/m=2/b.csv", "y=2/m=1/c.csv"]
        );
        assert_eq!(found(&tree, "y=1/**"), ["y=1/m=1/a.csv", "y=1/m=2/b.csv"]);
        assert_eq!(found(&tree, "y=1/m*"), ["y=1/m=1/a.csv", "y=1/m=2/b.csv"]);
        assert_eq!(found(&tree, "[x]/*.csv"), ["[x]/q.csv"]);
        assert_eq!(found(&tree, ".h/*.csv"), [".h/e.csv"]);
        assert_eq!(found(&tree, "y=1/**/m=2/*.csv"), ["y=1/m=2/b.csv"]);
    }

    #[test]
    fn patterns_of_one_name() {
        let cases = [
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("?", "\u{e9}", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            ("*.csv", "a.csv.gz", false),
            ("*a", "aaab", false),
            ("[", "[", true),
            ("[!", "[!", true),
            ("[c-a]", "b", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let hostile = "*a".repeat(200);
        assert!(!matches(&hostile, &format!("{}b", "a".repeat(400))));
    }

    #[test]
    fn links_are_read_once_and_loops_end() {
        let tree = folder(&["d/2024.csv", "d/sub/x.csv", "elsewhere/y.csv"]);
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(tree.path().join(to), tree.path().join(at)).unwrap();
        link("d/2024.csv", "d/latest.csv");
        link("d", "d/sub/loop");
        link("elsewhere", "d/w");
        assert_eq!(found(&tree, "d"), ["d/2024.csv", "d/sub/x.csv", "d/w/y.csv"]);
        assert_eq!(found(&tree, "d/**/*.csv"), ["d/2024.csv", "d/sub/x.csv", "d/w/y.csv"]);
        link("d/self.csv", "d/self.csv");
        assert_eq!(refused(&tree, "d"), "ROOT/d/self.csv: the link leads nowhere; mend or remove it");
        fs::remove_file(tree.path().join("d/self.csv")).unwrap();
        link("gone.csv", "d/dangling.csv");
        assert_eq!(refused(&tree, "d"), "ROOT/d/dangling.csv: the link leads nowhere; mend or remove it");
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let tree = folder(&["data/lending.csv", "empty/note.txt", "mixed/a.csv", "mixed/b.parquet"]);
        assert_eq!(
            refused(&tree, "data/landing.csv"),
            "ROOT/data/landing.csv: there is no such file; the nearest folder that exists is ROOT/data; names like \"landing.csv\" in it: lending.csv"
        );
        assert_eq!(
            refused(&tree, "x/y/z.csv"),
            "ROOT/x/y/z.csv: there is no such file; the nearest folder that exists is ROOT"
        );
        assert_eq!(
            refused(&tree, "data/lending.csv/x"),
            "ROOT/data/lending.csv/x: there is no such file; ROOT/data/lending.csv is a file, not a folder"
        );
        assert_eq!(
            refused(&tree, "data/*.parquet"),
            "ROOT/data/*.parquet: no file matches; the folder ROOT/data exists, look at the names in it"
        );
        assert!(refused(&tree, "empty").starts_with("ROOT/empty: there is no data file below this folder"));
        assert!(refused(&tree, "mixed").contains("a.csv and ROOT/mixed/b.parquet are of different formats"));
        assert!(refused(&tree, "data/lending.csv/*").contains("is a file, not a folder"));
        assert!(expand(Path::new("/dev/null")).unwrap_err().contains("no regular file"));
    }

    const CHILD: &str = "EVENHAND_FOLDER_OF_UNPRIVILEGED_CHILD";

    /// Root may read everything: then the test runs again as nobody.
    #[test]
    fn what_may_not_be_read_is_named_with_the_remedy() {
        use std::os::unix::{fs::PermissionsExt, process::CommandExt};
        let check = |root: &Path| {
            for path in ["locked", "locked/b.csv", "*/*.csv", "**/b.csv", ""] {
                let why = expand(&root.join(path)).unwrap_err();
                assert!(why.contains("/locked"), "{why}");
                assert!(
                    why.contains("permission denied; give the account that runs evenhand the right to read it"),
                    "{why}"
                );
            }
        };
        if let Some(root) = std::env::var_os(CHILD) {
            return check(Path::new(&root));
        }
        let root = tempfile::tempdir_in("/tmp").unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let locked = root.path().join("locked");
        fs::create_dir(&locked).unwrap();
        fs::write(locked.join("b.csv"), "a\n1\n").unwrap();
        mode(root.path(), 0o755);
        mode(&locked, 0);
        if fs::read_dir(&locked).is_err() {
            check(root.path());
        } else {
            let mut nobody = std::process::Command::new(std::env::current_exe().unwrap());
            nobody.args(["--exact", "ingest::paths::tests::what_may_not_be_read_is_named_with_the_remedy"]);
            match nobody.uid(65534).gid(65534).env(CHILD, root.path()).stdout(std::process::Stdio::null()).status() {
                Ok(status) => assert!(status.success()),
                Err(e) => eprintln!(
                    "not tested: this program cannot be started as nobody ({e}); build it in a folder others may read"
                ),
            }
        }
        mode(&locked, 0o755);
    }

    #[test]
    fn partitions_are_the_folders_below_the_root() {
        let pairs = |root: &str, path: &str| partitions(Path::new(root), Path::new(path));
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(pairs("/r", "/r/y=2024/m=1/a=b.csv"), [pair("y", "2024"), pair("m", "1")]);
        assert_eq!(pairs("/r/y=2024", "/r/y=2024/m=1/x.csv"), [pair("m", "1")]);
        assert_eq!(pairs("/r", "/r/plain/x.csv"), []);
        assert_eq!(pairs("", "/q/p%20q=a%2Fb%3D/x.csv"), [pair("p q", "a/b=")]);
        assert_eq!(pairs("", "q=100%/r=%zz/s=%ff/=x/x.csv"), [pair("q", "100%"), pair("r", "%zz"), pair("s", "%ff")]);
        assert_eq!(
            pairs("", "t=a=b/u=/v=__HIVE_DEFAULT_PARTITION__/x.csv"),
            [pair("t", "a=b"), pair("u", ""), pair("v", "")]
        );
    }
}
