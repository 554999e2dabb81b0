//! What is queued arrives: with a mail server as Debian has it, and with one that fails at every point a server can fail at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use evenhand::deliver::{FlushError, Kind, Parcel, Settings, Summary, Why, flush};
use evenhand::plan::spec::Smtp;
use evenhand::store::{Attempt, Ending, FILE, Letter, Listed, Standing, Store};
use evenhand::world::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};
use mail_parser::MessageParser;

#[path = "post/ground.rs"]
mod ground;
#[path = "post/hooks.rs"]
mod hooks;
#[path = "post/scripted.rs"]
mod scripted;

use ground::{Certificates, Chasquid, free_port};
use scripted::{Act, Scripted};

/// A store and the files `[smtp]` names.
struct Desk {
    folder: tempfile::TempDir,
    store: Store,
    smtp: Smtp,
    now: Timestamp,
}

const PASSWORD: &str = "s3cret";

impl Desk {
    fn new(port: u16) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        fs::copy(Certificates::usual().ca(), folder.path().join("ca.pem")).unwrap();
        let store = Store::open(&folder.path().join(FILE)).unwrap();
        let smtp = toml::from_str(&section(port)).unwrap();
        Desk { folder, store, smtp, now: "2026-11-25T12:00:00Z".parse().unwrap() }
    }

    fn queue(&mut self, parcels: &[Parcel]) {
        let letters: Vec<Letter> = parcels.iter().map(Letter::from).collect();
        self.store.queue(&letters, self.now).unwrap();
    }

    fn flush(&mut self) -> Summary {
        self.flush_with(false)
    }

    fn flush_with(&mut self, all: bool) -> Summary {
        let settings = settings(self.folder.path(), &self.smtp, all);
        flush(&mut self.store, &settings, Clock::Fixed(self.now), Entropy::Fixed(1)).unwrap()
    }

    fn later(&mut self, hours: i64) {
        self.now = self.now.checked_add(SignedDuration::from_hours(hours)).unwrap();
    }

    fn waiting(&mut self) -> Vec<Listed> {
        self.store.undelivered("p").unwrap()
    }

    /// Result, stage, code and reason of every attempt.
    #[allow(clippy::type_complexity, reason = "compared with tables of the same tuples")]
    fn attempts(&mut self, key: &str) -> Vec<(Ending, Option<String>, Option<u16>, Option<String>)> {
        let attempts = self.store.attempts(key).unwrap();
        attempts.into_iter().map(|Attempt { result, stage, code, why, .. }| (result, stage, code, why)).collect()
    }

    fn sent(&mut self) -> Vec<Listed> {
        self.store.delivered("p", 100).unwrap()
    }
}

fn section(port: u16) -> String {
    format!(
        "host = \"localhost\"\nport = {port}\nuser = \"auditor@example.test\"\npassword_file = \"password\"\nca_file = \"ca.pem\"\n\
         from = \"Audit \u{5ba1}\u{8ba1} <auditor@example.test>\"\ntimeout_s = 2\n"
    )
}

fn settings<'a>(folder: &'a Path, smtp: &'a Smtp, all: bool) -> Settings<'a> {
    let (pipeline, patience) = ("p", Duration::from_secs(20));
    Settings { pipeline, folder, smtp: Some(smtp), webhook_ca_file: None, reports: folder, all, patience }
}

fn parcel(n: u32, to: &str) -> Parcel {
    let key = format!("run-1.{n}@evenhand.test");
    let body = format!(
        "From: Audit <auditor@example.test>\r\nTo: {to}\r\nMessage-ID: <{key}>\r\nDate: Wed, 25 Nov 2026 12:00:00 +0000\r\n\
         Subject: =?utf-8?B?{}?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n\u{5224}\u{5b9a}\u{ff1a}\u{8fdd}\u{53cd}\r\n.\r\n..two dots\r\nend {n}\r\n",
        "RkFJTCDkv6HotLc="
    );
    let (pipeline, run_id) = ("p".into(), "run-1".into());
    Parcel { pipeline, run_id, kind: Kind::Mail, key, to: to.into(), secret: None, body: body.into_bytes() }
}

const COMPLIANCE: &str = "compliance@example.test";

fn word(why: Why) -> Option<String> {
    Some(why.word().into())
}

#[test]
fn a_real_server_gets_each_mail_once() {
    let chasquid = Chasquid::start();
    let mut desk = Desk::new(chasquid.submission);
    desk.queue(&[parcel(1, COMPLIANCE), parcel(2, COMPLIANCE)]);
    desk.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(desk.waiting().len(), 2);
    assert_eq!(desk.flush(), Summary { sent: 2, ..Summary::default() });
    assert_eq!(desk.flush_with(true), Summary::default());
    desk.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(desk.flush(), Summary::default());
    assert_eq!(desk.attempts("run-1.1@evenhand.test"), [(Ending::Sent, None, None, None)]);
    // TLS from the first byte, over the other port.
    (desk.smtp.port, desk.smtp.tls) = (Some(chasquid.implicit), evenhand::plan::spec::Encryption::Implicit);
    desk.queue(&[parcel(3, COMPLIANCE)]);
    assert_eq!(desk.flush().sent, 1);
    let mut ids = Vec::new();
    for mail in chasquid.inbox("compliance", 3) {
        let parsed = MessageParser::default().parse(&mail[..]).unwrap();
        assert_eq!(parsed.subject(), Some("FAIL \u{4fe1}\u{8d37}"));
        let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        assert!(text.starts_with("\u{5224}\u{5b9a}\u{ff1a}\u{8fdd}\u{53cd}\n.\n..two dots\nend "), "{text:?}");
        let received = parsed.header_raw("Received").unwrap().to_string();
        assert!(received.contains("ESMTPSA") || received.contains("TLS"), "{received}");
        ids.push(parsed.message_id().unwrap().to_string());
    }
    ids.sort();
    assert_eq!(ids, ["run-1.1@evenhand.test", "run-1.2@evenhand.test", "run-1.3@evenhand.test"]);
}

#[test]
fn what_is_wrong_here_waits_until_it_is_mended() {
    let chasquid = Chasquid::start();
    let mut desk = Desk::new(chasquid.submission);
    desk.queue(&[parcel(1, COMPLIANCE), parcel(2, COMPLIANCE)]);
    fs::write(desk.folder.path().join("password"), "wrong").unwrap();
    let summary = desk.flush();
    assert_eq!((summary.waiting, summary.reasons()), (2, vec![(Why::PasswordRefused, 2)]));
    for n in [1, 2] {
        let key = format!("run-1.{n}@evenhand.test");
        let expected = (Ending::Configuration, Some("auth".into()), Some(535), word(Why::PasswordRefused));
        assert_eq!(desk.attempts(&key), [expected]);
    }
    // No hammering: the next flush does not try again, one an hour later does.
    assert_eq!(desk.flush(), Summary::default());
    desk.later(2);
    let other = Certificates::make();
    fs::copy(other.ca(), desk.folder.path().join("ca.pem")).unwrap();
    assert_eq!(desk.flush().reasons(), [(Why::Certificate, 2)]);
    fs::write(desk.folder.path().join("ca.pem"), "no certificate").unwrap();
    assert_eq!(desk.flush_with(true).reasons(), [(Why::CaUnreadable, 2)]);
    fs::copy(Certificates::usual().ca(), desk.folder.path().join("ca.pem")).unwrap();
    fs::remove_file(desk.folder.path().join("password")).unwrap();
    // Long after any other message would have been given up.
    desk.later(1000);
    assert_eq!(desk.flush_with(true).reasons(), [(Why::PasswordMissing, 2)]);
    chasquid.inbox("compliance", 0);
    fs::write(desk.folder.path().join("password"), PASSWORD).unwrap();
    assert_eq!(desk.flush_with(true).sent, 2);
    chasquid.inbox("compliance", 2);
}

#[test]
fn a_refused_recipient_is_a_dead_letter_and_keeps_no_other_back() {
    let chasquid = Chasquid::start();
    let mut desk = Desk::new(chasquid.submission);
    desk.queue(&[
        parcel(1, "nobody-here@example.test"),
        parcel(2, COMPLIANCE),
        parcel(3, "no address"),
        parcel(4, "a@b\r\nRCPT TO:<x@y>"),
        parcel(5, "auditor@example.test"),
    ]);
    let summary = desk.flush();
    assert_eq!((summary.sent, summary.dead, summary.waiting), (2, 3, 0));
    let expected = (Ending::Dead, Some("recipient".into()), Some(550), word(Why::RecipientRefused));
    assert_eq!(desk.attempts("run-1.1@evenhand.test"), [expected]);
    assert_eq!(desk.attempts("run-1.3@evenhand.test")[0].3, word(Why::BadAddress));
    let dead = desk.waiting();
    assert!(dead.len() == 3 && dead.iter().all(|of| of.state == Standing::Dead && !of.possibly_twice));
    assert_eq!(desk.flush_with(true), Summary::default());
    // A person may have it tried again.
    assert!(desk.store.retry("run-1.1@evenhand.test", desk.now).unwrap());
    assert!(!desk.store.retry("run-1.2@evenhand.test", desk.now).unwrap());
    assert_eq!(desk.flush().dead, 1);
    let results: Vec<Ending> = desk.attempts("run-1.1@evenhand.test").into_iter().map(|of| of.0).collect();
    assert_eq!(results, [Ending::Dead, Ending::Retried, Ending::Dead]);
    chasquid.inbox("compliance", 1);
    chasquid.inbox("auditor", 1);
}

#[test]
fn a_server_that_is_down_three_times_gets_it_the_fourth() {
    let mut chasquid = Chasquid::start();
    chasquid.down();
    let mut desk = Desk::new(chasquid.submission);
    desk.queue(&[parcel(1, COMPLIANCE)]);
    let mut next = Vec::new();
    for _ in 0..3 {
        assert_eq!(desk.flush().reasons(), [(Why::Refused, 1)]);
        assert_eq!(desk.flush(), Summary::default());
        next.push(desk.waiting()[0].next_at.parse::<Timestamp>().unwrap().duration_since(desk.now).as_secs());
        desk.later(5);
    }
    // One, two and four minutes, a quarter more or less.
    for (wait, minutes) in next.iter().zip([1, 2, 4]) {
        assert!((45 * minutes..=75 * minutes).contains(wait), "{next:?}");
    }
    chasquid.up();
    assert_eq!(desk.flush().sent, 1);
    assert_eq!(desk.attempts("run-1.1@evenhand.test").len(), 4);
    assert!(!desk.sent()[0].possibly_twice);
    chasquid.inbox("compliance", 1);
}

#[test]
fn two_flushes_at_once_send_nothing_twice() {
    let chasquid = Chasquid::start();
    let mut desk = Desk::new(chasquid.submission);
    let parcels: Vec<Parcel> = (0..12).map(|n| parcel(n, COMPLIANCE)).collect();
    desk.queue(&parcels);
    let work = |patience| {
        let mut store = Store::open(&desk.folder.path().join(FILE)).unwrap();
        let settings = Settings { patience, ..settings(desk.folder.path(), &desk.smtp, true) };
        flush(&mut store, &settings, Clock::Fixed(desk.now), Entropy::Fixed(1))
    };
    let summaries: Vec<Result<Summary, FlushError>> = std::thread::scope(|scope| {
        let patience = [Duration::from_secs(20), Duration::from_secs(20), Duration::ZERO, Duration::ZERO];
        let flushes: Vec<_> = patience.into_iter().map(|patience| scope.spawn(move || work(patience))).collect();
        flushes.into_iter().map(|flush| flush.join().unwrap()).collect()
    });
    let sent: u32 = summaries.iter().flatten().map(|summary| summary.sent).sum();
    assert_eq!(sent, 12, "{summaries:?}");
    assert!(summaries.iter().flatten().all(|summary| summary.interrupted == 0), "{summaries:?}");
    assert!(summaries.iter().filter_map(|of| of.as_ref().err()).all(|e| e.exit_code() == 75), "{summaries:?}");
    assert!(desk.sent().iter().all(|of| of.attempts == 1 && !of.possibly_twice));
    chasquid.inbox("compliance", 12);
}

/// A mail through one faulty connection and then a good one: what the attempts were, how often it was taken, and whether that is in doubt.
#[track_caller]
fn faulty(act: Act, why: Why, ending: Ending, stage: &str, taken: usize, possibly_twice: bool) {
    for implicit in [false, true] {
        let server = Scripted::start(&[act], implicit);
        let mut desk = Desk::new(server.port);
        if implicit {
            desk.smtp.tls = evenhand::plan::spec::Encryption::Implicit;
        }
        let sent = parcel(1, COMPLIANCE);
        desk.queue(std::slice::from_ref(&sent));
        let summary = desk.flush();
        assert_eq!(summary.reasons(), [(why, 1)], "{act:?}");
        assert_eq!((summary.sent, summary.waiting, summary.dead), (0, 1, 0), "{act:?}");
        assert_eq!(desk.waiting()[0].possibly_twice, possibly_twice, "{act:?}");
        desk.later(5);
        assert_eq!(desk.flush().sent, 1, "{act:?}");
        let attempts = desk.attempts(&sent.key);
        assert_eq!(attempts.len(), 2, "{act:?}");
        assert_eq!(attempts[0].0, ending, "{act:?}");
        assert!(stage.split('|').any(|stage| attempts[0].1.as_deref() == Some(stage)), "{act:?}: {attempts:?}");
        assert_eq!(attempts[1], (Ending::Sent, None, None, None), "{act:?}");
        assert!(desk.waiting().is_empty() && desk.sent()[0].possibly_twice == possibly_twice, "{act:?}");
        // The same bytes each time.
        assert_eq!(server.texts(), vec![sent.body.clone(); taken], "{act:?}");
    }
}

#[test]
fn nothing_is_lost_and_only_an_unseen_reply_repeats_a_mail() {
    faulty(Act::Say("RCPT", "451 later"), Why::Deferred, Ending::Later, "recipient", 1, false);
    faulty(Act::Say("MAIL", "421 busy"), Why::Deferred, Ending::Later, "sender", 1, false);
    faulty(Act::Say("AUTH", "454 later"), Why::Deferred, Ending::Later, "auth", 1, false);
    faulty(Act::Greet("421 busy"), Why::Deferred, Ending::Later, "greeting", 1, false);
    faulty(Act::DotSay("451 later"), Why::Deferred, Ending::Later, "end", 2, false);
    faulty(Act::CutAt("MAIL"), Why::Cut, Ending::Later, "sender", 1, false);
    faulty(Act::CutAt("DATA"), Why::Cut, Ending::Later, "data", 1, false);
    faulty(Act::CutAfterDot, Why::ReplyUnseen, Ending::Unseen, "end", 2, true);
    faulty(Act::DotSay("what"), Why::ReplyUnseen, Ending::Unseen, "end", 2, true);
    faulty(Act::DotSay("354 more"), Why::ReplyUnseen, Ending::Unseen, "end", 2, true);
    faulty(Act::Silent, Why::TimedOut, Ending::Later, "greeting|tls", 1, false);
}

#[test]
fn a_text_that_is_cut_off_is_not_in_doubt() {
    let server = Scripted::start(&[Act::CutInText], false);
    let mut desk = Desk::new(server.port);
    let mut sent = parcel(1, COMPLIANCE);
    // More than the buffers between the two hold: the end is never written.
    sent.body.extend_from_slice("0123456789abcdef\r\n".repeat(1_000_000).as_bytes());
    desk.queue(std::slice::from_ref(&sent));
    assert_eq!(desk.flush().reasons(), [(Why::Cut, 1)]);
    assert!(server.texts().is_empty());
    assert_eq!(desk.attempts(&sent.key)[0].1.as_deref(), Some("data"));
    assert!(!desk.waiting()[0].possibly_twice);
    // A short one was written whole before the cut was seen: that is a doubt, and still no loss.
    let short = Scripted::start(&[Act::CutInText], false);
    let mut other = Desk::new(short.port);
    other.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(other.flush().waiting, 1);
    other.later(5);
    assert_eq!(other.flush().sent, 1);
    assert_eq!(short.texts(), [parcel(1, COMPLIANCE).body]);
}

#[test]
fn nothing_goes_out_in_the_clear_and_nobody_answers_for_the_server() {
    for (act, why) in [
        (Act::NoStarttls, Why::NoStarttls),
        (Act::Inject, Why::PlainAfterStarttls),
        (Act::Say("STARTTLS", "502 no"), Why::NoStarttls),
        (Act::Greet("554 not you"), Why::ServerRefused),
        (Act::Auth("XOAUTH2"), Why::NoAuth),
        (Act::Say("MAIL", "530 log in"), Why::AuthNeeded),
        (Act::Say("MAIL", "553 not you"), Why::SenderRefused),
    ] {
        let server = Scripted::start(&[act], false);
        let mut desk = Desk::new(server.port);
        desk.queue(&[parcel(1, COMPLIANCE)]);
        let summary = desk.flush();
        assert_eq!((summary.reasons(), summary.waiting), (vec![(why, 1)], 1), "{act:?}");
        assert_eq!(desk.attempts("run-1.1@evenhand.test")[0].0, Ending::Configuration, "{act:?}");
        let plain = server.plain();
        assert!(plain.iter().all(|command| command.starts_with("EHLO") || command == "STARTTLS"), "{act:?}: {plain:?}");
        assert!(server.texts().is_empty());
        assert_eq!(desk.flush_with(true).sent, 1, "{act:?}");
    }
    // A name that the certificate is not for.
    let server = Scripted::start_at("127.0.0.2", &[], false);
    let mut desk = Desk::new(server.port);
    desk.smtp.host = "127.0.0.2".into();
    desk.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(desk.flush().reasons(), [(Why::Certificate, 1)]);
    // A server that speaks TLS from the start and is asked for STARTTLS, and the other way round.
    let server = Scripted::start(&[], true);
    let mut desk = Desk::new(server.port);
    desk.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(desk.flush().reasons(), [(Why::TimedOut, 1)]);
    let server = Scripted::start(&[], false);
    let mut desk = Desk::new(server.port);
    desk.smtp.tls = evenhand::plan::spec::Encryption::Implicit;
    desk.queue(&[parcel(1, COMPLIANCE)]);
    assert_eq!(desk.flush().reasons(), [(Why::TlsFailed, 1)]);
}

#[test]
fn login_is_spoken_where_plain_is_not_and_one_connection_serves_all() {
    let server = Scripted::start(&[Act::Auth("LOGIN")], false);
    let mut desk = Desk::new(server.port);
    desk.queue(&(0..5).map(|n| parcel(n, COMPLIANCE)).collect::<Vec<_>>());
    assert_eq!(desk.flush().sent, 5);
    assert_eq!(server.connections(), 1);
    // printf auditor@example.test | base64; printf s3cret | base64
    let login = "LOGIN YXVkaXRvckBleGFtcGxlLnRlc3Q= czNjcmV0";
    assert!(server.encrypted().iter().any(|command| command == login), "{:?}", server.encrypted());
    // A server that is down is asked once for all of them.
    let server = Scripted::start(&[Act::CutAt("EHLO"); 9], false);
    desk.smtp.port = Some(server.port);
    desk.queue(&(10..15).map(|n| parcel(n, COMPLIANCE)).collect::<Vec<_>>());
    assert_eq!(desk.flush().reasons(), [(Why::Cut, 5)]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_slow_server_has_so_long_for_a_whole_reply() {
    let server = Scripted::start(&[Act::Drip], false);
    let mut desk = Desk::new(server.port);
    desk.queue(&[parcel(1, COMPLIANCE)]);
    let from = std::time::Instant::now();
    assert_eq!(desk.flush().reasons(), [(Why::TimedOut, 1)]);
    assert!(from.elapsed() < Duration::from_secs(4), "{:?}", from.elapsed());
}

#[test]
fn what_cannot_be_delivered_for_three_days_is_given_up_and_kept() {
    let mut desk = Desk::new(free_port());
    desk.queue(&[parcel(1, COMPLIANCE)]);
    desk.later(71);
    assert_eq!(desk.flush().waiting, 1);
    desk.later(2);
    desk.later(3);
    let summary = desk.flush();
    assert_eq!((summary.dead, summary.waiting), (1, 0));
    let dead = desk.waiting();
    assert_eq!((dead[0].state, dead[0].last_error.as_deref()), (Standing::Dead, Some("given-up")));
    // A person's retry begins the three days again.
    assert!(desk.store.retry("run-1.1@evenhand.test", desk.now).unwrap());
    assert_eq!(desk.flush().waiting, 1);
    // In doubt to the end: that is kept too.
    let server = Scripted::start(&[Act::CutAfterDot], false);
    desk.smtp.port = Some(server.port);
    desk.later(80);
    assert_eq!(desk.flush().dead, 1);
    assert!(desk.waiting()[0].possibly_twice);
}

/// A pipeline file with `[smtp]`, and the store beside it.
fn pipeline(folder: &Path, smtp: &str) -> PathBuf {
    let text = format!(
        "[pipeline]\nname = \"p\"\n[ingest]\npath = \"t.csv\"\n[report]\nfolder = \"reports\"\n\
         [schema.sex]\nroles = [\"protected\"]\nlevels = [\"f\", \"m\"]\n\
         [schema.hired]\nroles = [\"prediction\"]\nlevels = [\"no\", \"yes\"]\npositive = \"yes\"\n\
         [measure]\nacross = [[\"sex\"]]\n[[judge]]\nmetric = \"selection-rate\"\nacross = []\nat_least = 0.01\n[smtp]\n{smtp}"
    );
    let rows: String = (0..400).map(|i| format!("{},{}\n", ["f", "m"][i % 2], ["no", "yes"][i / 2 % 2])).collect();
    fs::write(folder.join("t.csv"), format!("sex,hired\n{rows}")).unwrap();
    fs::write(folder.join("password"), PASSWORD).unwrap();
    fs::copy(Certificates::usual().ca(), folder.join("ca.pem")).unwrap();
    let path = folder.join("p.toml");
    fs::write(&path, text).unwrap();
    path
}

fn evenhand() -> Command {
    Command::new(env!("CARGO_BIN_EXE_evenhand"))
}

#[test]
fn a_process_that_is_killed_while_it_sends_leaves_the_mail_and_the_doubt() {
    let server = Scripted::start(&[Act::SilentAfterDot], false);
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path(), &section(server.port));
    let reports = folder.path().join("reports");
    let mut store = Store::open(&reports.join(FILE)).unwrap();
    let sent = parcel(1, COMPLIANCE);
    store.queue(&[Letter::from(&sent)], "2026-11-25T12:00:00Z".parse().unwrap()).unwrap();
    let mut child = evenhand().args(["send", "--flush"]).arg(&path).spawn().unwrap();
    server.wait_for_texts(1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(store.undelivered("p").unwrap()[0].state, Standing::Sending);
    let flushed = evenhand().args(["--format", "json", "send", "--flush"]).arg(&path).output().unwrap();
    assert_eq!(flushed.status.code(), Some(0), "{flushed:?}");
    let result: serde_json::Value = serde_json::from_slice(&flushed.stdout).unwrap();
    assert_eq!((&result[0]["flush"]["sent"], &result[0]["flush"]["interrupted"]), (&1.into(), &1.into()));
    assert_eq!(server.texts(), [sent.body.clone(), sent.body.clone()]);
    let delivered = store.delivered("p", 9).unwrap();
    assert!(delivered[0].possibly_twice && delivered[0].state == Standing::Sent);
    let results: Vec<Ending> = store.attempts(&sent.key).unwrap().into_iter().map(|of| of.result).collect();
    assert_eq!(results, [Ending::Interrupted, Ending::Sent]);
    let list = evenhand().args(["send", "--list"]).arg(&path).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("sent     run-1.1@evenhand.test") && list.contains("possibly twice"), "{list}");
}

#[test]
fn a_run_whose_post_is_not_delivered_ends_with_5_and_the_list_says_why() {
    let server = Scripted::start(&[Act::Say("RCPT", "550 nobody of that name")], false);
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path(), &section(server.port));
    let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
    store.queue(&[Letter::from(&parcel(1, COMPLIANCE))], "2026-11-25T12:00:00Z".parse().unwrap()).unwrap();
    let run = || evenhand().args(["--quiet", "run"]).arg(&path).output().unwrap();
    let first = run();
    let text = String::from_utf8(first.stdout.clone()).unwrap();
    assert_eq!(first.status.code(), Some(5), "{first:?}");
    assert!(text.contains("PASS") && text.contains("exit 5: ") && text.contains("recipient-refused"), "{text}");
    // The run folder was there before and does not change; the run is in the history.
    let runs = store.runs("p", 9).unwrap();
    assert_eq!((runs.len(), runs[0].exit_code), (1, 0));
    let list = evenhand().args(["send", "--list"]).arg(&path).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("dead") && list.contains("recipient-refused (550)") && list.contains(COMPLIANCE), "{list}");
    // What was given up is in the list; it is no reason for every later run.
    assert_eq!(run().status.code(), Some(0));
    let retried = evenhand().args(["send", "--retry", "run-1.1@evenhand.test"]).arg(&path).status().unwrap();
    assert_eq!(retried.code(), Some(0));
    let unknown = evenhand().args(["send", "--retry", "other"]).arg(&path).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    let out = folder.path().join("out");
    let dry = evenhand().args(["send", "--dry-run"]).arg(&out).arg(&path).output().unwrap();
    assert_eq!(dry.status.code(), Some(0), "{dry:?}");
    assert_eq!(fs::read(out.join("run-1.1@evenhand.test.eml")).unwrap(), parcel(1, COMPLIANCE).body);
    assert!(server.texts().is_empty());
    assert_eq!(evenhand().args(["send", "--flush"]).arg(&path).status().unwrap().code(), Some(0));
    assert_eq!(server.texts(), [parcel(1, COMPLIANCE).body]);
}

#[test]
fn the_pdf_is_printed_before_anything_of_the_run_is_there() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path(), &section(1));
    let rule = "\n[[notify]]\nmail = [\"desk@example.test\"]\non = [\"always\"]\nattach = \"pdf\"\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + rule).unwrap();
    let program = folder.path().join("printer");
    let run = |ending: &str| {
        let script = format!(
            "#!/bin/sh\nls '{0}/reports/p' > '{0}/seen'\nfor a; do case $a in --print-to-pdf=*) out=${{a#*=}};; esac; done\n{ending}\n",
            folder.path().display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut run = evenhand();
        run.env("EVENHAND_CHROMIUM", &program).args(["--quiet", "run"]).arg(&path).output().unwrap()
    };
    let runs = || {
        fs::read_dir(folder.path().join("reports/p"))
            .unwrap()
            .filter_map(|of| of.unwrap().file_name().into_string().ok())
    };
    // The process that prints ends the one that runs: no folder without a record, no record without a folder.
    assert_eq!(run("kill -9 $PPID").status.code(), None);
    assert_eq!(runs().filter(|name| !name.starts_with('.')).count(), 0);
    let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
    assert_eq!((store.runs("p", 9).unwrap().len(), store.letters("p").unwrap().len()), (0, 0));
    let output = run("printf '%%PDF-1.7 marker' > \"$out\"");
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert_eq!(fs::read_to_string(folder.path().join("seen")).unwrap(), "");
    let recorded = store.runs("p", 9).unwrap();
    assert_eq!((recorded.len(), runs().any(|name| name == recorded[0].run_id)), (1, true));
    let letters = store.letters("p").unwrap();
    let mail = mail_parser::MessageParser::default().parse(&letters[0].body).unwrap();
    assert!(letters.len() == 1 && mail.attachments().any(|part| part.contents() == b"%PDF-1.7 marker"));
}

#[test]
fn no_secret_and_no_address_is_in_what_is_said() {
    const MARK: &str = "hunter2-marker";
    let marked = format!("{MARK}@example.test");
    let faults = [
        Act::Say("AUTH", "535 5.7.8 hunter2-marker is wrong"),
        Act::Say("RCPT", "550 5.1.1 hunter2-marker@example.test is unknown"),
        Act::Say("RCPT", "450 hunter2-marker@example.test is greylisted"),
        Act::Say("MAIL", "553 hunter2-marker may not send"),
        Act::Greet("554 hunter2-marker"),
        Act::Greet("hunter2-marker"),
        Act::DotSay("554 hunter2-marker"),
        Act::CutAfterDot,
        Act::CutAt("DATA"),
    ];
    for act in faults {
        let server = Scripted::start(&[act], false);
        let folder = tempfile::tempdir().unwrap();
        let path = pipeline(folder.path(), &section(server.port).replace("auditor@", &format!("{MARK}@")));
        fs::write(folder.path().join("password"), MARK).unwrap();
        let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
        let sent = Parcel { secret: Some(MARK.into()), ..parcel(1, &marked) };
        assert!(!format!("{sent:?}").contains(MARK));
        store.queue(&[Letter::from(&sent)], "2026-11-25T12:00:00Z".parse().unwrap()).unwrap();
        let output = evenhand().args(["send", "--flush"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).to_string();
        assert_eq!(output.status.code(), Some(5), "{act:?}: {said}");
        assert!(said.contains("p: ") && !said.contains(MARK), "{act:?}: {said}");
        for of in store.attempts(&sent.key).unwrap() {
            assert!(!format!("{of:?}").contains(MARK));
        }
        let stored = store.undelivered("p").unwrap().remove(0).last_error.unwrap();
        assert!(!stored.contains(MARK), "{stored}");
    }
}
