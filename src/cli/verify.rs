//! `evenhand verify RUN`: whether a run folder is as it was signed, and by whom as far as keys were given.
//!
//! Exit codes: 0 as signed, 1 not verified, 2 usage.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Output, USAGE};
use crate::attest::{self, Attestation, Chain, Fact, Keys, Problem, PublicKey, SignatureState, Verification};

#[derive(Debug, clap::Args)]
#[command(after_help = LIMITS)]
pub struct Args {
    /// The run's folder, or a copy of it.
    pub run: PathBuf,
    /// A public key that may have signed; repeat it for each. Without one only what is in the folder is compared with itself.
    #[arg(long = "key", value_name = "PUB")]
    pub keys: Vec<PathBuf>,
    /// A reviewer's public key; repeat it for each. It is good for sign-offs only, and then --key for everything else only.
    #[arg(long = "reviewer-key", value_name = "PUB")]
    pub reviewer_keys: Vec<PathBuf>,
    /// Verify every earlier run of the pipeline too. Their folders lie beside this one.
    #[arg(long)]
    pub chain: bool,
}

const LIMITS: &str = "Each attestation names the one before it, so that none can be changed or taken out of the middle. Nothing names \
                      the last: the last sign-off can be taken away unseen by whoever holds the folder. Ask the reviewer, or keep a \
                      copy elsewhere.";

/// Problems printed at most; `--format json` has all.
const PRINTED_MAX: usize = 50;
/// Characters of a name that are printed.
const NAME_MAX: usize = 200;

const UNKNOWN_SIGNER: &str = "no key was given: only integrity under the key in the folder was checked, which says nothing of who signed; \
                              give the signer's public key with --key";

pub fn run(args: &Args, out: &Output) -> u8 {
    let given = keys(&args.keys).and_then(|signers| Ok((signers, keys(&args.reviewer_keys)?)));
    let verified = given.and_then(|(signers, reviewers)| {
        let (folder, keys) = (&args.run, Keys { signers: &signers, reviewers: &reviewers });
        let failed = |e: std::io::Error| format!("{e}; name the folder of a run");
        let found = attest::verify_by(folder, keys).map_err(failed)?;
        let chain = args.chain.then(|| attest::chain(folder, &found, keys)).transpose().map_err(failed)?;
        Ok((found, chain))
    });
    let (found, chain) = match verified {
        Ok(verified) => verified,
        Err(why) => {
            out.error(&why);
            return USAGE;
        }
    };
    let given = !args.keys.is_empty();
    match out.json() {
        true => out.result_json(&document(&found, chain.as_ref(), given)),
        false => out.result(&text(&found, chain.as_ref(), given)),
    }
    u8::from(!holds(&found, chain.as_ref()))
}

fn keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, String> {
    paths.iter().map(|path| attest::public_key(path)).collect()
}

fn holds(found: &Verification, chain: Option<&Chain>) -> bool {
    found.holds() && chain.is_none_or(Chain::holds)
}

fn document(found: &Verification, chain: Option<&Chain>, given: bool) -> Value {
    let run = found.run();
    json!({
        "verified": holds(found, chain),
        "checked": if given { "keys-given" } else { "integrity-only" },
        "note": if given { Value::Null } else { UNKNOWN_SIGNER.into() },
        "pipeline": run.map(|run| &run.pipeline),
        "run_id": run.map(|run| &run.run_id),
        "outcome": run.map(|run| run.outcome),
        "edition": run.and_then(|run| run.edition),
        "attestation_sha256": found.sha256,
        "files": found.files,
        "attestations": found.attestations.iter().map(attestation).collect::<Vec<_>>(),
        "problems": found.problems,
        "chain": chain,
    })
}

fn attestation(of: &Attestation) -> Value {
    let mut value = json!({ "file": of.file, "sha256": of.sha256, "signatures": of.signatures });
    match &of.fact {
        Fact::Run(run) => value["previous"] = json!(run.previous),
        Fact::SignOff(sign_off) => {
            value["reviewer"] = json!(sign_off.reviewer);
            value["decision"] = json!(sign_off.decision);
            value["conditions"] = json!(sign_off.conditions);
            value["signed_at"] = json!(sign_off.signed_at);
            value["follows"] = json!(sign_off.follows);
        }
        Fact::File(file) => {
            value["covers"] = of.subjects.iter().map(|subject| subject.name.as_str()).collect();
            value["signed_at"] = json!(file.signed_at);
            value["follows"] = json!(file.follows);
        }
    }
    value
}

fn text(found: &Verification, chain: Option<&Chain>, given: bool) -> String {
    let verdict = match (holds(found, chain), given) {
        (false, _) => "NOT VERIFIED",
        (true, true) => "VERIFIED",
        (true, false) => "UNCHANGED",
    };
    let what = match found.run() {
        Some(run) => format!("run {} of {}: {} files as signed", shown(&run.run_id), shown(&run.pipeline), found.files),
        None => "no attestation of a run".into(),
    };
    let mut lines = vec![format!("{verdict}  {what}")];
    for attestation in &found.attestations {
        lines.push(format!("  {}{}", shown(&attestation.file), said(&attestation.fact)));
        for signature in &attestation.signatures {
            let id: String = shown(&signature.key_id).chars().take(16).collect();
            lines.push(format!("    key {id}  {}", state(signature.state)));
        }
    }
    lines.extend(problems(&found.problems, ""));
    for link in chain.into_iter().flat_map(|chain| &chain.links) {
        let word = if link.problems.is_empty() { "as signed" } else { "not as signed" };
        lines.push(format!("  chain  {}: {word}", shown(&link.run_id)));
        lines.extend(problems(&link.problems, "  "));
    }
    lines.extend(chain.map(|chain| format!("  chain  {}", shown(&chain.message))));
    if !given {
        lines.push(format!("  note: {UNKNOWN_SIGNER}"));
    }
    lines.join("\n")
}

fn problems(problems: &[Problem], indent: &str) -> Vec<String> {
    let line = |problem: &Problem| {
        format!("{indent}  {}  {}: {}", problem.kind.word(), shown(&problem.file), shown(&problem.message))
    };
    let mut lines: Vec<String> = problems.iter().take(PRINTED_MAX).map(line).collect();
    if problems.len() > PRINTED_MAX {
        lines.push(format!("{indent}  and {} more; --format json names all", problems.len() - PRINTED_MAX));
    }
    lines
}

fn said(fact: &Fact) -> String {
    match fact {
        Fact::Run(_) => String::new(),
        Fact::File(file) => format!("  file, {}", shown(&file.signed_at)),
        Fact::SignOff(of) => {
            let conditions: Vec<String> =
                of.conditions.iter().map(|text| format!("\n    condition: {}", shown(text))).collect();
            let by = shown(&of.reviewer);
            format!("  {} by {by}, {}{}", of.decision.word(), shown(&of.signed_at), conditions.concat())
        }
    }
}

fn state(state: SignatureState) -> &'static str {
    match state {
        SignatureState::Good => "good, of a key that was given",
        SignatureState::OwnKey => "good under the key in the attestation; not compared with a key of yours",
        SignatureState::OtherKey => "good under the key in the attestation, which is none of the keys given",
        SignatureState::UnknownKey => "not checked: the key is not known",
        SignatureState::Bad => "does not hold",
    }
}

/// A text of a folder nobody vouches for, for a terminal: no control characters, no marks that turn the direction, not too long.
fn shown(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let mut shown = String::new();
    for (n, c) in text.chars().enumerate() {
        match c {
            _ if n >= NAME_MAX => return shown + "...",
            c if c.is_control() || turns(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_move_the_cursor_or_turn_the_line() {
        assert_eq!(shown("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\u{a}b");
        assert_eq!(shown("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(shown("求人.csv"), "求人.csv");
        assert_eq!(shown(&"x".repeat(10_000)).len(), NAME_MAX + 3);
    }
}
