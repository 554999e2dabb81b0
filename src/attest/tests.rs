//! Run folders of a few files, signed, changed and verified.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::audit::{Exit, RUN_VERSION};
use crate::finding::Outcome;
use crate::world::Entropy;

fn key(seed: u64) -> PrivateKey {
    PrivateKey::generate(Entropy::Fixed(seed)).unwrap()
}

fn by(signers: &[PublicKey]) -> Keys<'_> {
    Keys { signers, reviewers: &[] }
}

fn at() -> jiff::Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn record(run_id: &str) -> Record {
    Record {
        run_version: RUN_VERSION,
        run_id: run_id.into(),
        pipeline: "hiring".into(),
        generator: "evenhand".into(),
        outcome: Outcome::Pass,
        exits: Vec::<Exit>::new(),
        started_at: String::new(),
        finished_at: String::new(),
        engine: String::new(),
        threads: 1,
        passes_planned: 1,
        passes_run: 1,
        usage: Vec::new(),
        previous: None,
        edition: None,
        commitment_sha256: None,
        commitment_salt: None,
        ledger: None,
        price: Vec::new(),
        attacks: None,
        changes: None,
        since: Vec::new(),
        history: Vec::new(),
        signed_by: None,
        inputs: Vec::new(),
        files: Vec::new(),
    }
}

const FILES: [(&str, &str); 3] = [("report.json", "{}"), ("evidence/a.csv", "a\n1\n"), ("evidence-2.csv", "")];

/// A signed folder, in a folder of runs.
fn signed(runs: &Path, run_id: &str, before: Option<&str>, seed: u64) -> PathBuf {
    let files: Vec<FileDigest> = FILES
        .iter()
        .map(|(name, text)| FileDigest { name: (*name).into(), bytes: 0, sha256: sha256(text.as_bytes()) })
        .collect();
    let signer = Signer { key: key(seed), minisign: true };
    let attested = run(&signer, &record(run_id), ("s", 1), previous(runs, before), &files).unwrap();
    let own = FILES.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
    world::publish(runs, run_id, &own.chain(attested).collect::<Vec<_>>()).unwrap()
}

fn review(decision: Decision) -> Review {
    let conditions = if decision == Decision::Conditional { vec!["Look again in May".into()] } else { vec![] };
    Review { reviewer: "Li Wei 李伟".into(), decision, conditions }
}

/// Kinds and files of everything that is wrong.
fn wrong(folder: &Path, keys: &[PublicKey]) -> Vec<(&'static str, String)> {
    let found = verify(folder, keys).unwrap();
    found.problems.iter().map(|problem| (problem.kind.word(), problem.file.clone())).collect()
}

/// Changes a fresh copy of a folder that has all kinds of attestations, and says what is found then.
#[track_caller]
fn expect(change: impl Fn(&Path), expected: &[(&'static str, &str)]) {
    let runs = tempfile::tempdir().unwrap();
    let folder = full(runs.path());
    change(&folder);
    let found = wrong(&folder, &[]);
    assert_eq!(found, expected.iter().map(|(kind, file)| (*kind, file.to_string())).collect::<Vec<_>>());
}

/// A run with two sign-offs and a PDF.
fn full(runs: &Path) -> PathBuf {
    let folder = signed(runs, "r1", None, 1);
    sign_off(&folder, &key(2), &review(Decision::Conditional), at()).unwrap();
    add_file(&folder, "report.pdf", b"%PDF-", &key(1), at()).unwrap();
    sign_off(&folder, &key(3), &review(Decision::Approved), at()).unwrap();
    folder
}

#[test]
fn a_folder_holds_wherever_it_is() {
    let runs = tempfile::tempdir().unwrap();
    let folder = full(runs.path());
    let moved = runs.path().join("copied far away");
    fs::rename(&folder, &moved).unwrap();
    let found = verify(&moved, &[]).unwrap();
    assert_eq!(found.problems, []);
    assert_eq!(found.files, 4);
    let names: Vec<&str> = found.attestations.iter().map(|of| of.file.as_str()).collect();
    assert_eq!(names, [NAME, "signoff-0001.dsse.json", "pdf.dsse.json", "signoff-0002.dsse.json"]);
    let states: Vec<SignatureState> = found.attestations.iter().map(|of| of.signatures[0].state).collect();
    assert_eq!(states, [SignatureState::OwnKey; 4]);
    let all: Vec<PublicKey> = [1, 2, 3].map(|seed| key(seed).public()).into();
    let found = verify(&moved, &all).unwrap();
    assert!(found.holds() && found.attestations.iter().all(|of| of.signatures[0].state == SignatureState::Good));
}

#[test]
fn a_signer_that_was_not_given_is_named() {
    let runs = tempfile::tempdir().unwrap();
    let folder = full(runs.path());
    let strange = |keys: &[PublicKey], files: &[&str]| {
        assert_eq!(wrong(&folder, keys), files.iter().map(|file| ("key", file.to_string())).collect::<Vec<_>>());
    };
    strange(&[key(1).public()], &["signoff-0001.dsse.json", "signoff-0002.dsse.json"]);
    strange(&[key(2).public(), key(3).public()], &[NAME, "pdf.dsse.json"]);
    strange(&[key(9).public()], &[NAME, "pdf.dsse.json", "signoff-0001.dsse.json", "signoff-0002.dsse.json"]);
    let found = verify(&folder, &[key(1).public()]).unwrap();
    assert_eq!(found.attestations[1].signatures[0].state, SignatureState::OtherKey);
    assert_eq!(found.attestations[1].signatures[0].key_id, key(2).public().id().as_str());
}

#[test]
fn changes_of_files_are_named() {
    let write =
        |name: &'static str, text: &'static str| move |folder: &Path| fs::write(folder.join(name), text).unwrap();
    let remove = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    expect(|_| (), &[]);
    expect(write("report.json", "{ }"), &[("changed", "report.json")]);
    expect(write("evidence-2.csv", "x"), &[("changed", "evidence-2.csv")]);
    expect(write("report.pdf", "%PDF+"), &[("changed", "report.pdf")]);
    expect(remove("evidence/a.csv"), &[("missing", "evidence/a.csv"), ("extra", "evidence")]);
    expect(remove("report.pdf"), &[("missing", "report.pdf")]);
    expect(write("evidence/b.csv", ""), &[("extra", "evidence/b.csv")]);
    expect(write("evidence/attestation.dsse.json", ""), &[("extra", "evidence/attestation.dsse.json")]);
    expect(write(".hidden", ""), &[("extra", ".hidden")]);
    expect(|folder| fs::create_dir(folder.join("empty")).unwrap(), &[("extra", "empty")]);
    expect(
        |folder| fs::rename(folder.join("report.json"), folder.join("Report.json")).unwrap(),
        &[("missing", "report.json"), ("extra", "Report.json")],
    );
}

#[test]
fn changes_of_attestations_are_named() {
    let remove = |name: &'static str| move |folder: &Path| fs::remove_file(folder.join(name)).unwrap();
    let write =
        |name: &'static str, text: &'static str| move |folder: &Path| fs::write(folder.join(name), text).unwrap();
    let later = ["pdf.dsse.json", "signoff-0001.dsse.json", "signoff-0002.dsse.json"];
    let apart = later.map(|file| ("chain", file));
    let first = |kind, file| [&[(kind, file)][..], &apart].concat();
    expect(remove(NAME), &first("unsigned", NAME));
    expect(write(NAME, "{"), &first("damaged", NAME));
    expect(
        remove("signoff-0001.dsse.json"),
        &[
            ("chain", "pdf.dsse.json"),
            ("chain", "signoff-0002.dsse.json"),
            ("extra", "report.pdf"),
            ("extra", "signoff-0001.dsse.json.minisig"),
        ],
    );
    expect(
        |folder| fs::rename(folder.join(later[1]), folder.join("signoff-0003.dsse.json")).unwrap(),
        &[
            ("chain", "pdf.dsse.json"),
            ("chain", "signoff-0002.dsse.json"),
            ("missing", "signoff-0003.dsse.json.minisig"),
            ("extra", "report.pdf"),
            ("extra", "signoff-0001.dsse.json.minisig"),
        ],
    );
    expect(
        |folder| assert!(fs::copy(folder.join(later[2]), folder.join("signoff-0003.dsse.json")).is_ok()),
        &[("chain", "signoff-0003.dsse.json"), ("missing", "signoff-0003.dsse.json.minisig")],
    );
    expect(
        |folder| assert!(fs::copy(folder.join(NAME), folder.join("x.dsse.json")).is_ok()),
        &[("damaged", "x.dsse.json")],
    );
    expect(remove("attestation.dsse.json.minisig"), &[("missing", "attestation.dsse.json.minisig")]);
    expect(write("attestation.dsse.json.minisig", ""), &[("signature", "attestation.dsse.json.minisig")]);
    expect(write("x.dsse.json", "{}"), &[("damaged", "x.dsse.json")]);
    expect(write("x.dsse.json.minisig", "{}"), &[("extra", "x.dsse.json.minisig")]);
    let huge = |folder: &Path| fs::File::create(folder.join(NAME)).unwrap().set_len(BYTES_MAX + 1).unwrap();
    expect(huge, &first("damaged", NAME));
}

#[test]
fn an_attestation_of_another_run_or_key_is_found() {
    let swap = |folder: &Path| {
        let other = signed(folder.parent().unwrap(), "r2", None, 1);
        for name in [NAME.to_string(), format!("{NAME}.minisig")] {
            fs::copy(other.join(&name), folder.join(&name)).unwrap();
        }
    };
    // The files of both are the same: what comes later was signed for another.
    expect(
        swap,
        &[
            ("chain", "pdf.dsse.json"),
            ("chain", "signoff-0001.dsse.json"),
            ("chain", "signoff-0002.dsse.json"),
            ("extra", "report.pdf"),
        ],
    );
    // Another's payload under a signature, and a good signature under another's id.
    let runs = tempfile::tempdir().unwrap();
    let folder = signed(runs.path(), "r1", None, 1);
    let sealed = fs::read_to_string(folder.join(NAME)).unwrap();
    let opened = envelope::open(sealed.as_bytes()).unwrap();
    let (own, other) = (key(1).public().id(), key(2).public().id());
    fs::write(folder.join(NAME), sealed.replace(own.as_str(), other.as_str())).unwrap();
    assert_eq!(wrong(&folder, &[])[0], ("signature", NAME.into()));
    fs::write(folder.join(NAME), envelope::seal(&opened.payload, &key(2)).unwrap()).unwrap();
    let found = wrong(&folder, &[key(2).public()]);
    assert!(found.contains(&("signature", NAME.into())), "the key in it did not sign: {found:?}");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let replace = |name: &'static str| {
        move |folder: &Path| {
            let away = folder.with_file_name("away");
            fs::rename(folder.join(name), &away).unwrap();
            symlink(&away, folder.join(name)).unwrap();
        }
    };
    expect(replace("report.json"), &[("changed", "report.json")]);
    expect(replace("evidence"), &[("missing", "evidence/a.csv"), ("extra", "evidence")]);
    expect(replace("signoff-0002.dsse.json"), &[("damaged", "signoff-0002.dsse.json")]);
    expect(replace("signoff-0002.dsse.json.minisig"), &[("damaged", "signoff-0002.dsse.json.minisig")]);
    expect(|folder| symlink("/etc/passwd", folder.join("x")).unwrap(), &[("extra", "x")]);
    expect(|folder| symlink(folder, folder.join("round")).unwrap(), &[("extra", "round")]);
    // Would be waited for without end if it were opened.
    let pipe = |folder: &Path| {
        fs::remove_file(folder.join("report.json")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.join("report.json")).status().unwrap();
        assert!(made.success());
    };
    expect(pipe, &[("changed", "report.json")]);
    let odd = |folder: &Path| {
        use std::os::unix::ffi::OsStrExt;
        fs::write(folder.join(std::ffi::OsStr::from_bytes(b"a\xff")), "").unwrap();
    };
    expect(odd, &[("extra", "a\u{fffd}")]);
}

#[test]
fn what_comes_later_changes_nothing_that_is_there() {
    let runs = tempfile::tempdir().unwrap();
    let folder = signed(runs.path(), "r1", None, 1);
    let before: Vec<(world::Entry, Vec<u8>)> = files(&folder);
    sign_off(&folder, &key(2), &review(Decision::Rejected), at()).unwrap();
    add_file(&folder, "report.pdf", b"%PDF-", &key(1), at()).unwrap();
    let after = files(&folder);
    assert!(before.iter().all(|file| after.contains(file)));
    assert_eq!(after.len(), before.len() + 5);
    let refused = add_file(&folder, "report.pdf", b"other", &key(1), at()).unwrap_err();
    assert!(matches!(refused, LaterError::Attested(_)));
    assert!(matches!(add_file(&folder, "report.json", b"", &key(1), at()).unwrap_err(), LaterError::Attested(_)));
    for name in ["../x.pdf", "x.dsse.json", "pdf", "", "x.", "a/b.pdf", "x.PDF"] {
        assert!(matches!(add_file(&folder, name, b"", &key(1), at()).unwrap_err(), LaterError::Text(_)), "{name}");
    }
    assert_eq!(files(&folder), after);
}

fn files(folder: &Path) -> Vec<(world::Entry, Vec<u8>)> {
    let entries = world::tree(folder).unwrap().into_iter().filter(|entry| entry.kind == world::Kind::File);
    entries.map(|entry| (entry.clone(), fs::read(folder.join(&entry.name)).unwrap())).collect()
}

#[test]
fn a_run_that_is_not_as_it_was_signed_is_not_signed_off() {
    let runs = tempfile::tempdir().unwrap();
    let folder = signed(runs.path(), "r1", None, 1);
    let sign = |review: Review| sign_off(&folder, &key(2), &review, at());
    let bare = |decision, conditions: &[&str]| Review {
        conditions: conditions.iter().map(|text| text.to_string()).collect(),
        ..review(decision)
    };
    assert!(matches!(sign(bare(Decision::Conditional, &[])), Err(LaterError::Conditions)));
    assert!(matches!(sign(bare(Decision::Approved, &["x"])), Err(LaterError::Conditions)));
    for text in ["", " ", "a\nb", "a\u{1b}b", &"x".repeat(2_001)] {
        assert!(matches!(sign(bare(Decision::Conditional, &[text])), Err(LaterError::Text(_))), "{text:.9}");
        let named = Review { reviewer: text.into(), ..review(Decision::Approved) };
        assert!(matches!(sign(named), Err(LaterError::Text(_))));
    }
    // What a try that was cut short left behind does not stand in the way.
    for left in ["signoff-0001.dsse.json.minisig", ".partial-signoff-0001.dsse.json"] {
        fs::write(folder.join(left), "x").unwrap();
        assert!(!verify(&folder, &[]).unwrap().holds());
    }
    sign(review(Decision::Approved)).unwrap();
    assert_eq!(wrong(&folder, &[]), []);
    fs::write(folder.join("report.pdf"), "half").unwrap();
    add_file(&folder, "report.pdf", b"whole", &key(1), at()).unwrap();
    assert_eq!(wrong(&folder, &[]), []);
    let lock = world::lock_there(&folder.join(NAME)).unwrap();
    assert!(matches!(sign(review(Decision::Approved)), Err(LaterError::Busy)));
    drop(lock);
    fs::write(folder.join("report.json"), "x").unwrap();
    assert!(matches!(sign(review(Decision::Approved)), Err(LaterError::NotAsSigned(_))));
    fs::remove_file(folder.join(NAME)).unwrap();
    assert!(matches!(sign(review(Decision::Approved)), Err(LaterError::Unsigned)));
}

#[test]
fn the_runs_of_a_pipeline_are_a_chain() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path();
    signed(runs, "r1", None, 1);
    signed(runs, "r2", Some("r1"), 1);
    let last = signed(runs, "r3", Some("r2"), 1);
    let follow = |folder: &Path| chain(folder, &verify(folder, &[]).unwrap(), by(&[])).unwrap();
    let found = follow(&last);
    assert!(found.holds());
    let ids: Vec<&str> = found.links.iter().map(|link| link.run_id.as_str()).collect();
    assert_eq!((ids, found.end), (vec!["r2", "r1"], ChainEnd::First));
    // A change in a run before is found, and the chain goes on.
    fs::write(runs.join("r1/report.json"), "x").unwrap();
    let found = follow(&last);
    assert!(!found.holds() && found.links[0].problems.is_empty() && found.links[1].problems.len() == 1);
    fs::write(runs.join("r1/report.json"), "{}").unwrap();
    // Another run in the place of one.
    fs::rename(runs.join("r2"), runs.join("away")).unwrap();
    assert_eq!(follow(&last).end, ChainEnd::Broken);
    signed(runs, "r2", None, 1);
    assert_eq!((follow(&last).end, follow(&last).holds()), (ChainEnd::Broken, false));
    // A run whose predecessor is gone, one whose predecessor is not signed, a key that changed.
    let gone = signed(runs, "r4", Some("r9"), 1);
    assert_eq!(follow(&gone).end, ChainEnd::Missing);
    assert!(!follow(&gone).holds() && verify(&gone, &[]).unwrap().holds());
    fs::create_dir(runs.join("bare")).unwrap();
    fs::write(runs.join("bare/run.json"), "{}").unwrap();
    let begins = signed(runs, "r5", Some("bare"), 1);
    assert_eq!((follow(&begins).end, follow(&begins).holds()), (ChainEnd::Unsigned, true));
    let turned = signed(runs, "r6", Some("r5"), 2);
    let with = |keys: &[PublicKey]| chain(&turned, &verify(&turned, keys).unwrap(), by(keys)).unwrap();
    assert!(with(&[key(1).public(), key(2).public()]).holds());
    assert!(!with(&[key(2).public()]).holds());
    assert_eq!(previous(runs, Some("../r1")).state, PreviousState::Missing);
}

#[test]
fn a_run_that_was_signed_and_is_not_any_more_is_missing_and_not_unsigned() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path();
    let state = |id: Option<&str>| previous(runs, id).state;
    assert_eq!((state(None), previous(&runs.join("none"), None).state), (PreviousState::First, PreviousState::First));
    let folder = runs.join("20260101T000000Z-00000000");
    fs::create_dir(&folder).unwrap();
    let id = Some("20260101T000000Z-00000000");
    let cases = [
        (Some("{}"), PreviousState::Unsigned),
        (Some("{\"signed_by\": null}"), PreviousState::Unsigned),
        (Some("{\"signed_by\": \"ab\"}"), PreviousState::Missing),
        (Some("{\"signed_by\": "), PreviousState::Missing),
        (Some("[]"), PreviousState::Missing),
        (None, PreviousState::Missing),
    ];
    for (run_json, expected) in cases {
        match run_json {
            Some(text) => fs::write(folder.join("run.json"), text).unwrap(),
            None => fs::remove_file(folder.join("run.json")).unwrap(),
        }
        assert_eq!(state(id), expected, "{run_json:?}");
    }
    // No run is recorded, and folders of runs are there: the latest of them is named.
    for name in ["20260102T000000Z-00000000", "20260103T000000Z-00000000", ".partial-20260104T000000Z-00000000"] {
        fs::create_dir(runs.join(name)).unwrap();
        fs::write(runs.join(name).join("run.json"), "{}").unwrap();
    }
    fs::create_dir(runs.join("notes")).unwrap();
    let found = previous(runs, None);
    assert_eq!((found.state, found.run_id.as_deref()), (PreviousState::Missing, Some("20260103T000000Z-00000000")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever bit of whatever file is flipped, and whatever byte is cut off or added: it is found, without a panic.
    #[test]
    fn any_change_is_found(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8, how in 0..3) {
        thread_local! {
            static FOLDER: (tempfile::TempDir, PathBuf) = {
                let runs = tempfile::tempdir().unwrap();
                let folder = full(runs.path());
                (runs, folder)
            };
        }
        FOLDER.with(|(_, folder)| {
            let all = files(folder);
            let (entry, bytes) = file.get(&all);
            let mut changed = bytes.clone();
            match how {
                0 if !bytes.is_empty() => changed[at.index(bytes.len())] ^= 1 << bit,
                1 if !bytes.is_empty() => drop(changed.remove(at.index(bytes.len()))),
                _ => changed.insert(at.index(bytes.len() + 1), b'0' + bit),
            }
            let path = folder.join(&entry.name);
            fs::write(&path, changed).unwrap();
            let found = verify(folder, &[]).unwrap();
            fs::write(&path, bytes).unwrap();
            prop_assert!(!found.holds(), "{}", entry.name);
            prop_assert!(found.problems.iter().any(|problem| problem.file == entry.name), "{:?}", found.problems);
            Ok(())
        })?;
    }
}
