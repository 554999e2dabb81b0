//! Tests of what needs no server; servers are in `tests/heart/post.rs`.

use proptest::prelude::*;

use super::*;

#[test]
fn every_reason_has_a_word_of_its_own_and_says_what_to_do() {
    let mut words: Vec<&str> = Why::all().map(Why::word).collect();
    assert!(Why::all().all(|why| Why::of_word(why.word()) == Some(why) && !why.text().is_empty()));
    assert_eq!(Why::of_word("refused (550)"), Some(Why::Refused));
    assert_eq!(Why::of_word("no such word"), None);
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Why::all().count());
}

#[test]
fn the_wait_doubles_up_to_four_hours_a_quarter_more_or_less() {
    for (attempts, seconds) in [(1, 60), (2, 120), (3, 240), (8, 7680), (9, 14_400), (40, 14_400), (u32::MAX, 14_400)] {
        let waits: Vec<u64> =
            (0..200).map(|seed| back_off(attempts, Entropy::Fixed(seed)).unwrap().as_secs()).collect();
        assert!(waits.iter().all(|wait| (seconds * 3 / 4..=seconds * 5 / 4).contains(wait)), "{attempts}: {waits:?}");
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(most - least > seconds / 3, "{attempts}: {least} {most}");
    }
}

#[test]
fn without_a_section_the_mail_waits() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join(crate::store::FILE)).unwrap();
    let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    store.queue(&[Letter::from(&parcel("a@example.test", "key"))], now).unwrap();
    let settings = Settings { all: true, ..settings(folder.path(), None) };
    for _ in 0..2 {
        let summary = flush(&mut store, &settings, Clock::Fixed(now), Entropy::Fixed(1)).unwrap();
        assert_eq!(summary.reasons(), [(Why::NoSmtp, 1)]);
    }
    let failed: Vec<Ending> = store.attempts("key").unwrap().into_iter().map(|of| of.result).collect();
    assert_eq!(failed, [Ending::Configuration, Ending::Configuration]);
}

fn settings<'a>(folder: &'a Path, smtp: Option<&'a spec::Smtp>) -> Settings<'a> {
    let patience = Duration::ZERO;
    Settings { pipeline: "p", folder, smtp, webhook_ca_file: None, reports: folder, all: false, patience }
}

fn parcel(to: &str, key: &str) -> Parcel {
    Parcel {
        pipeline: "p".into(),
        run_id: "r".into(),
        kind: Kind::Mail,
        key: key.into(),
        to: to.into(),
        secret: None,
        body: b"Subject: x\r\n\r\nx\r\n".to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Whatever the settings and the message are, what is said of a failure repeats none of it.
    #[test]
    fn no_error_repeats_what_it_is_about(noise in "[ -~]{0,12}", webhook: bool) {
        let mark = format!("mark-7f3a{noise}");
        let folder = tempfile::tempdir().unwrap();
        let smtp = spec::Smtp {
            // A name that no resolver is asked about.
            host: format!("{mark} "),
            port: Some(1),
            tls: spec::Encryption::Implicit,
            user: Some(mark.clone()),
            password_env: None,
            password_file: Some("password".into()),
            ca_file: Some("ca.pem".into()),
            from: format!("{mark} <mark-7f3a@example.test>"),
            timeout_s: 1,
            give_up_after_h: 1,
        };
        std::fs::write(folder.path().join("password"), &mark).unwrap();
        std::fs::write(folder.path().join("ca.pem"), &mark).unwrap();
        let mut store = Store::open(&folder.path().join(crate::store::FILE)).unwrap();
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let kind = if webhook { Kind::Webhook } else { Kind::Mail };
        let sent = Parcel { kind, secret: Some(mark.clone()), ..parcel(&mark, &mark) };
        store.queue(&[Letter::from(&sent)], now).unwrap();
        let other = Parcel { body: b"mark-7f3a".to_vec(), ..sent.clone() };
        let twice = store.queue(&[Letter::from(&other)], now).unwrap_err();
        let summary = flush(&mut store, &settings(folder.path(), Some(&smtp)), Clock::Fixed(now), Entropy::Fixed(1)).unwrap();
        let server = smtp::Server::new(&smtp, folder.path()).err().unwrap();
        let failure = webhook::post(&Letter::from(&sent), None, now).unwrap_err();
        let busy = FlushError::from(twice);
        for said in [
            format!("{sent:?} {busy} {busy:?} {summary:?} {server} {server:?} {failure} {failure:?}"),
            format!("{:?} {:?}", store.attempts(&mark).unwrap(), store.undelivered("p").unwrap()[0].last_error),
            serde_json::to_string(&summary).unwrap(),
        ] {
            prop_assert!(!said.contains("mark-7f3a"), "{}", said);
        }
    }
}
