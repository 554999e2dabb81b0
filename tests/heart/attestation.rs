//! Signed runs from the pipeline file to the reader's desk: three runs in a chain, two editions, the real openssl and minisign.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use evenhand::attest;
use evenhand::budget::UNITS;
use evenhand::budget::ledger::Grant;
use evenhand::engine::reference::Reference;
use evenhand::plan::expression;
use evenhand::plan::spec::Spec;
use evenhand::run::{DeliverError, Delivered, Pipeline, Progress, Request, deliver};
use evenhand::store::Store;
use evenhand::world::{Clock, Entropy};
use serde_json::Value;

const PIPELINE: &str = r#"
    pipeline.name = "p"
    ingest.path = "t.csv"
    report.folder = "reports"
    measure.across = [["sex"]]
    [schema]
    sex = { roles = ["protected"], levels = ["f", "m"] }
    granted = { roles = ["prediction"], levels = ["no", "yes"], positive = "yes" }
    [[judge]]
    metric = "selection-rate"
    at_least = 0.1
    [sign]
    key_file = "keys/own.key.pem"
"#;

struct Quiet;

impl Progress for Quiet {
    fn pass(&self, _: &str, _: u32, _: u32) {}
    fn rows(&self) -> &(dyn Fn(u64) + Sync) {
        &|_| {}
    }
    fn done(&self, _: Option<u64>) {}
}

/// A folder with data and a key.
fn house() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..400).map(|n| format!("{},{}\n", ["f", "m"][n % 2], ["yes", "no"][n % 3 / 2])).collect();
    fs::write(folder.path().join("t.csv"), format!("sex,granted\n{rows}")).unwrap();
    assert!(evenhand(folder.path(), &["keygen", "--out", "keys/own"]).status.success());
    assert!(evenhand(folder.path(), &["keygen", "--out", "keys/reviewer"]).status.success());
    folder
}

fn run(folder: &Path, pipeline: &str, at: &str) -> Result<Delivered, DeliverError> {
    let spec: Spec = toml::from_str(pipeline).unwrap();
    let parse = |text: &str| expression::parse(text).map_err(|e| e.to_string());
    let request = Request {
        pipeline: Pipeline { spec: &spec, spec_sha256: &"5".repeat(64), folder, parse: &parse },
        engine: &Reference,
        engine_name: "reference",
        threads: 1,
        clock: Clock::Fixed(at.parse().unwrap()),
        entropy: Entropy::Fixed(7),
        progress: &Quiet,
        fail_on_warn: false,
    };
    // A program that another test starts holds copies of open files for a moment, the lock of a run that has ended among them.
    let again = |result: &Result<Delivered, DeliverError>| matches!(result, Err(DeliverError::Locked(_)));
    let mut result = deliver(&request);
    for _ in 0..40 {
        if again(&result) {
            std::thread::sleep(std::time::Duration::from_millis(50));
            result = deliver(&request);
        }
    }
    result
}

fn evenhand(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_evenhand"));
    command.args(arguments).current_dir(folder).env_clear().output().unwrap()
}

/// A tool the test cannot do without.
fn tool(name: &str, folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(name).args(arguments).current_dir(folder).output();
    output.unwrap_or_else(|e| panic!("{name}: {e}; install it with: apt-get update && apt-get install -y {name}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `verify` says: exit code and JSON.
fn verify(folder: &Path, run: &Path, more: &[&str]) -> (i32, Value) {
    let arguments = [&["verify", run.to_str().unwrap(), "--format", "json"], more].concat();
    let output = evenhand(folder, &arguments);
    let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    (output.status.code().unwrap(), value)
}

/// The statement of a run's attestation.
fn statement(run: &Path) -> Value {
    use base64::Engine;
    let envelope: Value = serde_json::from_slice(&fs::read(run.join(attest::NAME)).unwrap()).unwrap();
    let payload = base64::engine::general_purpose::STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

#[test]
fn three_runs_are_a_chain_that_is_verified_wherever_it_was_copied_to() {
    let house = house();
    let folder = house.path();
    let days = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"];
    let runs: Vec<Delivered> = days.iter().map(|day| run(folder, PIPELINE, day).unwrap()).collect();
    let last = &runs[2].folder;
    let of = statement(last);
    assert_eq!(of["predicate"]["previous"]["run_id"], runs[1].record.run_id.as_str());
    assert_eq!(of["predicate"]["spec_sha256"], "5".repeat(64));
    assert_eq!(statement(&runs[0].folder)["predicate"]["previous"], serde_json::json!({ "state": "first" }));
    let run_json = json(last.join("run.json"));
    assert_eq!(run_json["signed_by"], of["predicate"]["signed_by"]["key_id"]);
    let page = fs::read_to_string(last.join("report.html")).unwrap();
    let id = &run_json["signed_by"].as_str().unwrap()[..16];
    assert!(page.contains(id) && page.contains("check it with: evenhand verify"));
    let subjects: Vec<&str> = of["subject"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert!(subjects.is_sorted() && subjects.contains(&"run.json") && subjects.contains(&"report.html"));

    let away = tempfile::tempdir().unwrap();
    copy(&folder.join("reports/p"), &away.path().join("copy"));
    let copied = away.path().join("copy").join(&runs[2].record.run_id);
    let key = ["--key", "keys/own.pub.pem"];
    let (code, said) = verify(folder, &copied, &[&key[..], &["--chain"]].concat());
    assert_eq!((code, &said["verified"], &said["checked"]), (0, &true.into(), &"keys-given".into()), "{said}");
    assert_eq!(said["chain"]["links"].as_array().unwrap().len(), 2);
    assert_eq!(said["files"], subjects.len());
    assert_eq!(said["attestations"][0]["signatures"][0]["state"], "good");

    let (code, said) = verify(folder, &copied, &[]);
    assert_eq!((code, &said["checked"]), (0, &"integrity-only".into()));
    let plain = text(&evenhand(folder, &["verify", copied.to_str().unwrap()]).stdout);
    assert!(plain.starts_with("UNCHANGED") && plain.contains("only integrity under the key in the folder was checked"));
    assert!(!plain.to_lowercase().contains("trust"), "{plain}");
    let (code, said) = verify(folder, &copied, &["--key", "keys/reviewer.pub.pem"]);
    assert_eq!((code, &said["problems"][0]["kind"]), (1, &"key".into()));

    // A run in the middle changed, then gone.
    let middle = away.path().join("copy").join(&runs[1].record.run_id);
    fs::write(middle.join("report.json"), "{}").unwrap();
    let (code, said) = verify(folder, &copied, &["--chain"]);
    assert_eq!((code, &said["chain"]["links"][0]["problems"][0]["kind"]), (1, &"changed".into()));
    assert_eq!(verify(folder, &copied, &[]).0, 0);
    fs::remove_dir_all(&middle).unwrap();
    let (code, said) = verify(folder, &copied, &["--chain"]);
    assert_eq!((code, &said["chain"]["end"]), (1, &"broken".into()));

    // A run before that is gone when the next is made; one that is not signed.
    fs::remove_dir_all(last).unwrap();
    let next = run(folder, PIPELINE, "2026-01-04T00:00:00Z").unwrap();
    assert_eq!(statement(&next.folder)["predicate"]["previous"]["state"], "missing");
    let unsigned = PIPELINE.split("[sign]").next().unwrap();
    let bare = run(folder, unsigned, "2026-01-05T00:00:00Z").unwrap();
    assert!(bare.record.signed_by.is_none() && !bare.folder.join(attest::NAME).exists());
    let (code, said) = verify(folder, &bare.folder, &key);
    assert_eq!((code, &said["problems"][0]["kind"]), (1, &"unsigned".into()));
    let next = run(folder, PIPELINE, "2026-01-06T00:00:00Z").unwrap();
    assert_eq!(statement(&next.folder)["predicate"]["previous"]["state"], "unsigned");
    assert_eq!(verify(folder, &next.folder, &["--chain"]).0, 0);
}

#[test]
fn openssl_and_minisign_read_the_keys_and_check_the_signatures() {
    let house = house();
    let folder = house.path();
    let delivered = run(folder, PIPELINE, "2026-01-01T00:00:00Z").unwrap();
    let attestation = delivered.folder.join(attest::NAME);

    // openssl: the same public key from the private file, and the signature over the encoded payload.
    let public = tool("openssl", folder, &["pkey", "-in", "keys/own.key.pem", "-pubout"]);
    assert!(public.status.success(), "{}", text(&public.stderr));
    assert_eq!(text(&public.stdout), fs::read_to_string(folder.join("keys/own.pub.pem")).unwrap());
    let der = tool("openssl", folder, &["pkey", "-pubin", "-in", "keys/own.pub.pem", "-outform", "DER"]).stdout;
    fs::write(folder.join("own.der"), der).unwrap();
    let id = text(&tool("openssl", folder, &["dgst", "-sha256", "-r", "own.der"]).stdout);
    assert!(id.starts_with(delivered.record.signed_by.as_deref().unwrap()));
    use base64::Engine;
    let decode = |of: &Value| base64::engine::general_purpose::STANDARD.decode(of.as_str().unwrap()).unwrap();
    let envelope = json(attestation.clone());
    let payload = decode(&envelope["payload"]);
    let message = [format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).as_bytes(), &payload].concat();
    fs::write(folder.join("message"), &message).unwrap();
    fs::write(folder.join("signature"), decode(&envelope["signatures"][0]["sig"])).unwrap();
    let check = [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "keys/own.pub.pem",
        "-rawin",
        "-in",
        "message",
        "-sigfile",
        "signature",
    ];
    assert!(tool("openssl", folder, &check).status.success());
    fs::write(folder.join("message"), [&message[..], b" "].concat()).unwrap();
    assert!(!tool("openssl", folder, &check).status.success());

    // A key made by openssl signs.
    assert!(tool("openssl", folder, &["genpkey", "-algorithm", "ed25519", "-out", "keys/made.pem"]).status.success());
    let public = tool("openssl", folder, &["pkey", "-in", "keys/made.pem", "-pubout", "-out", "keys/made.pub.pem"]);
    assert!(public.status.success());
    let other = run(folder, &PIPELINE.replace("own.key.pem", "made.pem"), "2026-01-02T00:00:00Z").unwrap();
    assert_eq!(verify(folder, &other.folder, &["--key", "keys/made.pub.pem"]).0, 0);
    assert_eq!(verify(folder, &other.folder, &["--key", "keys/made.pub.pem", "--chain"]).0, 1);
    let both = ["--key", "keys/made.pub.pem", "--chain", "--key", "keys/own.pub.pem"];
    assert_eq!(verify(folder, &other.folder, &both).0, 0);

    // minisign: the file, its comment, and a file that was changed.
    let check = ["-V", "-p", "keys/own.minisign.pub", "-m", attestation.to_str().unwrap()];
    let said = tool("minisign", folder, &check);
    assert!(said.status.success(), "{}", text(&said.stderr));
    assert!(text(&said.stdout).contains(&format!("evenhand: run {} of p", delivered.record.run_id)));
    let signature = delivered.folder.join("attestation.dsse.json.minisig");
    let written = fs::read_to_string(&signature).unwrap();
    fs::write(&signature, written.replace("evenhand: run", "evenhand: ran")).unwrap();
    assert!(!tool("minisign", folder, &check).status.success());
    fs::write(&signature, written).unwrap();
    let mut longer = fs::read(&attestation).unwrap();
    longer.push(b'\n');
    fs::write(&attestation, longer).unwrap();
    assert!(!tool("minisign", folder, &check).status.success());
    let without = PIPELINE.to_string() + "\n    minisign = false\n";
    let without = run(folder, &without, "2026-01-03T00:00:00Z").unwrap();
    assert!(!without.folder.join("attestation.dsse.json.minisig").exists());
    assert_eq!(verify(folder, &without.folder, &[]).0, 0);
}

#[test]
fn a_reviewer_signs_off_and_a_pdf_is_added() {
    let house = house();
    let folder = house.path();
    let delivered = run(folder, PIPELINE, "2026-01-01T00:00:00Z").unwrap();
    let place = delivered.folder.to_str().unwrap();
    let sign = |more: &[&str]| {
        let fixed = ["sign", place, "--key", "keys/reviewer.key.pem", "--reviewer", "李伟 <x>", "--decision"];
        evenhand(folder, &[&fixed, more].concat()).status.code().unwrap()
    };
    assert_eq!(sign(&["approved", "--condition", "none is due"]), 2);
    assert_eq!(sign(&["conditional"]), 2);
    assert_eq!(sign(&["perhaps"]), 2);
    assert_eq!(sign(&["conditional", "--condition", "Look again in May"]), 0);
    // Into the folder of a signed run no report is written; a file comes in with a signature.
    for inside in ["report.pdf", "evidence/../report.html"] {
        let place = delivered.folder.join(inside);
        fs::create_dir_all(delivered.folder.join("evidence")).unwrap();
        let refused = evenhand(
            folder,
            &["report", delivered.folder.to_str().unwrap(), "--as", "pdf", "--out", place.to_str().unwrap()],
        );
        let why = text(&refused.stderr);
        assert!(refused.status.code() == Some(2) && why.contains("evenhand sign") && why.contains("--file"), "{why}");
    }
    let _ = fs::remove_dir(delivered.folder.join("evidence"));
    let page = ["report", place, "--as", "markdown", "--out", "report.md"];
    assert_eq!(evenhand(folder, &page).status.code(), Some(0));
    fs::write(folder.join("report.pdf"), "%PDF-").unwrap();
    let add = |more: &[&str]| {
        let fixed = ["sign", place, "--key", "keys/own.key.pem", "--file"];
        evenhand(folder, &[&fixed, more].concat()).status.code().unwrap()
    };
    assert_eq!(add(&["nothing.pdf"]), 2);
    assert_eq!(add(&["report.pdf", "--decision", "approved"]), 2);
    assert_eq!(add(&["report.pdf"]), 0);
    assert_eq!(fs::read(delivered.folder.join("report.pdf")).unwrap(), b"%PDF-");
    assert_eq!(add(&["report.pdf"]), 3);
    assert_eq!(evenhand(folder, &["sign", place, "--key", "keys/own.key.pem"]).status.code(), Some(2));
    assert_eq!(sign(&["approved"]), 0);
    let both = ["--key", "keys/own.pub.pem", "--key", "keys/reviewer.pub.pem"];
    let (code, said) = verify(folder, &delivered.folder, &both);
    assert_eq!(code, 0, "{said}");
    let files: Vec<&str> =
        said["attestations"].as_array().unwrap().iter().map(|of| of["file"].as_str().unwrap()).collect();
    assert_eq!(files, [attest::NAME, "signoff-0001.dsse.json", "pdf.dsse.json", "signoff-0002.dsse.json"]);
    assert_eq!(said["attestations"][1]["conditions"][0], "Look again in May");
    let plain = text(&evenhand(folder, &[&["verify", place][..], &both].concat()).stdout);
    assert!(plain.starts_with("VERIFIED") && plain.contains("conditional by 李伟 <x>"), "{plain}");
    for name in ["signoff-0001.dsse.json", "signoff-0002.dsse.json"] {
        let path = delivered.folder.join(name);
        let check = ["-V", "-p", "keys/reviewer.minisign.pub", "-m", path.to_str().unwrap()];
        assert!(tool("minisign", folder, &check).status.success());
    }
    let (code, said) = verify(folder, &delivered.folder, &both[..2]);
    assert_eq!((code, said["problems"].as_array().unwrap().len()), (1, 2));
    // A reviewer's key is good for sign-offs and for nothing else.
    let (own, reviewer) = ("keys/own.pub.pem", "keys/reviewer.pub.pem");
    let of = |signer: &[&str], reviewers: &[&str]| {
        let keys = signer.iter().flat_map(|key| ["--key", key]);
        let words: Vec<&str> = keys.chain(reviewers.iter().flat_map(|key| ["--reviewer-key", key])).collect();
        let (code, said) = verify(folder, &delivered.folder, &words);
        (code, said["problems"].as_array().unwrap().len(), said["checked"].as_str().unwrap().to_string())
    };
    let checked = |code, problems, how: &str| (code, problems, how.to_string());
    assert_eq!(of(&[own], &[reviewer]), checked(0, 0, "keys-given"));
    assert_eq!(of(&[own], &[own, reviewer]), checked(0, 0, "keys-given"));
    assert_eq!(of(&[own], &[own]), checked(1, 2, "keys-given"));
    assert_eq!(of(&[own, reviewer], &[own]), checked(1, 2, "keys-given"));
    assert_eq!(of(&[reviewer], &[reviewer]), checked(1, 2, "keys-given"));
    assert_eq!(of(&[], &[reviewer]), checked(0, 0, "integrity-only"));
    let help = text(&evenhand(folder, &["verify", "--help"]).stdout);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("--reviewer-key") && help.contains("the last sign-off can be taken away unseen"), "{help}");
    fs::remove_file(delivered.folder.join("signoff-0001.dsse.json")).unwrap();
    let (code, said) = verify(folder, &delivered.folder, &both);
    assert_eq!((code, &said["problems"][0]["kind"]), (1, &"chain".into()));
    assert_eq!(sign(&["approved"]), 1);
}

#[test]
fn keys_are_not_overwritten_and_not_shown() {
    let house = house();
    let folder = house.path();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name: &str| fs::metadata(folder.join("keys").join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("own.key.pem"), mode("own.pub.pem")), (0o600, 0o644));
    }
    let key = fs::read_to_string(folder.join("keys/own.key.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    for out in ["keys/own", "keys/../keys/own"] {
        assert_eq!(evenhand(folder, &["keygen", "--out", out]).status.code(), Some(2));
    }
    fs::write(folder.join("keys/half.minisign.pub"), "").unwrap();
    assert_eq!(evenhand(folder, &["keygen", "--out", "keys/half"]).status.code(), Some(2));
    assert!(!folder.join("keys/half.key.pem").exists());
    assert_eq!(fs::read_to_string(folder.join("keys/own.key.pem")).unwrap(), key);

    let delivered = run(folder, PIPELINE, "2026-01-01T00:00:00Z").unwrap();
    let grep = Command::new("grep").args(["-r", secret, delivered.folder.to_str().unwrap()]).output().unwrap();
    assert_eq!(grep.status.code(), Some(1));
    let output = evenhand(folder, &["verify", delivered.folder.to_str().unwrap(), "--key", "keys/own.key.pem"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("is a private key") && !said.contains(secret), "{said}");
    // A key that cannot be read ends the run before a row is read.
    for (key, why) in [
        ("key_file = \"nowhere.pem\"", "no such file"),
        ("key_file = \"keys/own.pub.pem\"", "is a public key"),
        ("key_file = \"t.csv\"", "is no PEM file"),
        ("key_env = \"EVENHAND_NO_KEY\"", "EVENHAND_NO_KEY is not set"),
    ] {
        let pipeline = PIPELINE.replace("key_file = \"keys/own.key.pem\"", key).replace("t.csv\"\n", "gone.csv\"\n");
        let refused =
            run(folder, &pipeline.replace("key_file = \"gone.csv", "key_file = \"t.csv"), "2026-01-02T00:00:00Z");
        let refused = refused.unwrap_err();
        assert!(refused.to_string().contains(why) && refused.exit_code() == 3, "{refused}");
    }
}

#[test]
fn each_edition_has_its_own_chain_and_the_public_one_says_nothing_more() {
    let house = house();
    let folder = house.path();
    let pipeline = PIPELINE
        .replace("[schema]", "[schema]\n    person.roles = [\"privacy-unit\"]")
        .replace("measure.across", "privacy = { population = \"people\", epsilon = 4.0 }\n    measure.across");
    let rows: String = (0..400).map(|n| format!("{n},{},{}\n", ["f", "m"][n % 2], ["yes", "no"][n % 3 / 2])).collect();
    fs::write(folder.join("t.csv"), format!("person,sex,granted\n{rows}")).unwrap();
    let mut store = Store::open(&folder.join("reports/evenhand.db")).unwrap();
    let grant = Grant { epsilon: 100 * UNITS, delta: UNITS / 1000, window: None };
    store.grant("people", grant, Clock::Fixed("2026-01-01T00:00:00Z".parse().unwrap())).unwrap();
    store.close().unwrap();
    let first = run(folder, &pipeline, "2026-01-02T00:00:00Z").unwrap();
    let second = run(folder, &pipeline, "2026-01-03T00:00:00Z").unwrap();
    let internal = |of: &Delivered| folder.join("reports/p.internal").join(&of.record.run_id);
    for run in [second.folder.clone(), internal(&second)] {
        let (code, said) = verify(folder, &run, &["--chain", "--key", "keys/own.pub.pem"]);
        assert_eq!((code, &said["chain"]["end"]), (0, &"first".into()), "{said}");
        assert_eq!(said["chain"]["links"].as_array().unwrap().len(), 1);
    }
    let (public, inside) = (statement(&second.folder), statement(&internal(&second)));
    assert_eq!(
        (&public["predicate"]["edition"], &inside["predicate"]["edition"]),
        (&"public".into(), &"internal".into())
    );
    assert_ne!(public["predicate"]["previous"]["sha256"], inside["predicate"]["previous"]["sha256"]);

    // All that the public attestation says, its files say too, or it is their digest, or the chain.
    let (report, run) = (json(second.folder.join("report.json")), json(second.folder.join("run.json")));
    let mut of = public["predicate"].as_object().unwrap().clone();
    for (key, value) in [
        ("pipeline", &run["pipeline"]),
        ("run_id", &run["run_id"]),
        ("generator", &run["generator"]),
        ("outcome", &run["outcome"]),
        ("edition", &run["edition"]),
        ("spec_sha256", &report["pipeline"]["spec_sha256"]),
        ("report_version", &report["report_version"]),
    ] {
        assert_eq!(of.remove(key).as_ref(), Some(value), "{key}");
    }
    for (key, value) in of.remove("ledger").unwrap().as_object().unwrap() {
        assert_eq!(*value, run["ledger"][key], "{key}");
    }
    assert_eq!(of["previous"]["run_id"], run["previous"]["run_id"]);
    assert_eq!(of["signed_by"]["key_id"], run["signed_by"]);
    assert_eq!(of.keys().collect::<Vec<_>>(), ["minisign", "previous", "signed_by"]);
    for subject in public["subject"].as_array().unwrap() {
        let bytes = fs::read(second.folder.join(subject["name"].as_str().unwrap())).unwrap();
        assert_eq!(subject["digest"]["sha256"], evenhand::report::sha256(&bytes));
    }
    // When the files were written tells nothing: the attestation is dated like the rest.
    let date = |name: &str| fs::metadata(second.folder.join(name)).unwrap().modified().unwrap();
    assert_eq!(date(attest::NAME), date("report.json"));
    assert_eq!(date("attestation.dsse.json.minisig"), date("report.json"));
    assert!(first.record.signed_by.is_some());
}
