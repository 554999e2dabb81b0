//! Tests of the outbox on a real file.

use super::*;
use crate::finding::Outcome;
use crate::store::{FILE, RunRow};

fn letter(key: &str) -> Letter {
    Letter {
        pipeline: "p".into(),
        run_id: "r".into(),
        post: Post::Mail,
        key: key.into(),
        recipient: "a@example.test".into(),
        secret: None,
        body: vec![0, 255, 13, 10],
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("new").join(FILE)).unwrap();
    (folder, store)
}

const NOON: &str = "2026-11-25T12:00:00Z";

fn states(store: &mut Store) -> Vec<(String, Standing)> {
    store.undelivered("p").unwrap().into_iter().map(|of| (of.key, of.state)).collect()
}

#[test]
fn a_key_is_one_message() {
    let (_folder, mut store) = open();
    store.queue(&[letter("a"), letter("b"), letter("a")], at(NOON)).unwrap();
    store.queue(&[letter("b")], at(NOON)).unwrap();
    assert_eq!(states(&mut store), [("a".into(), Standing::Queued), ("b".into(), Standing::Queued)]);
    assert!(store.letters("p").unwrap() == [letter("a"), letter("b")]);
    // Another message of the same key: nothing of the batch is queued, and the first stays.
    let other = Letter { body: b"other".to_vec(), ..letter("a") };
    let refused = store.queue(&[letter("c"), other], at(NOON)).unwrap_err().to_string();
    assert!(refused.contains("another message"), "{refused}");
    assert!(store.letters("p").unwrap() == [letter("a"), letter("b")]);
}

#[test]
fn each_is_given_out_once_in_order_and_when_it_is_due() {
    let (_folder, mut store) = open();
    store.queue(&[letter("a"), letter("b")], at(NOON)).unwrap();
    assert!(store.claim("other", 0, true, at(NOON)).unwrap().is_none());
    assert!(store.claim("p", 0, false, at("2026-11-25T11:59:59Z")).unwrap().is_none());
    let first = store.claim("p", 0, false, at(NOON)).unwrap().unwrap();
    assert_eq!((first.letter == letter("a"), first.attempts, first.since), (true, 1, at(NOON)));
    let second = store.claim("p", 0, false, at(NOON)).unwrap().unwrap();
    assert_eq!(second.letter.key, "b");
    assert!(store.claim("p", 0, true, at(NOON)).unwrap().is_none());
    let end = End { why: Some("cut"), next: at("2026-11-25T12:01:00Z"), ..End::of(Ending::Later, at(NOON)) };
    store.settle("a", &end, at(NOON)).unwrap();
    store.settle("b", &End::of(Ending::Sent, at(NOON)), at(NOON)).unwrap();
    assert!(store.claim("p", 0, false, at("2026-11-25T12:00:59Z")).unwrap().is_none());
    assert_eq!(store.claim("p", 0, true, at(NOON)).unwrap().unwrap().attempts, 2);
    assert_eq!(states(&mut store), [("a".into(), Standing::Sending)]);
    assert_eq!(store.delivered("p", 9).unwrap()[0].key, "b");
}

#[test]
fn what_a_process_left_is_put_back_in_doubt_and_the_doubt_stays() {
    let (_folder, mut store) = open();
    store.queue(&[letter("a")], at(NOON)).unwrap();
    store.claim("p", 0, false, at(NOON)).unwrap().unwrap();
    assert_eq!(store.interrupted("other", at(NOON)).unwrap(), 0);
    assert_eq!(store.interrupted("p", at(NOON)).unwrap(), 1);
    assert_eq!(store.interrupted("p", at(NOON)).unwrap(), 0);
    let left = store.undelivered("p").unwrap().remove(0);
    assert_eq!(
        (left.state, left.possibly_twice, left.last_error.as_deref()),
        (Standing::Queued, true, Some("interrupted"))
    );
    store.claim("p", 0, false, at(NOON)).unwrap().unwrap();
    store.settle("a", &End::of(Ending::Sent, at(NOON)), at(NOON)).unwrap();
    let sent = store.delivered("p", 1).unwrap().remove(0);
    assert_eq!((sent.state, sent.possibly_twice, sent.attempts, sent.last_error), (Standing::Sent, true, 2, None));
    assert!(!store.has_post("p").unwrap());
}

#[test]
fn nothing_is_changed_or_taken_away_behind_its_back() {
    let (_folder, mut store) = open();
    store.queue(&[letter("a"), letter("b")], at(NOON)).unwrap();
    store.claim("p", 0, false, at(NOON)).unwrap().unwrap();
    store.settle("a", &End { doubt: true, ..End::of(Ending::Sent, at(NOON)) }, at(NOON)).unwrap();
    for statement in [
        "UPDATE outbox SET body = x'00'",
        "UPDATE outbox SET recipient = 'x@y' WHERE key = 'b'",
        "UPDATE outbox SET state = 'queued' WHERE key = 'a'",
        "UPDATE outbox SET possibly_twice = 0 WHERE key = 'a'",
        "UPDATE outbox SET state = 'lost' WHERE key = 'b'",
        "DELETE FROM outbox",
        "INSERT OR REPLACE INTO outbox SELECT * FROM outbox",
        "UPDATE outbox_attempts SET result = 'dead'",
        "DELETE FROM outbox_attempts",
        "INSERT OR REPLACE INTO outbox_attempts SELECT * FROM outbox_attempts",
    ] {
        let refused = store.runtime.block_on(sqlx::query(statement).execute(&mut store.connection));
        assert!(refused.is_err(), "{statement}");
    }
    assert_eq!(states(&mut store), [("b".into(), Standing::Queued)]);
}

#[test]
fn a_run_is_recorded_with_its_messages_or_not_at_all() {
    let (_folder, mut store) = open();
    let run = RunRow {
        run_id: "r".into(),
        pipeline: "p".into(),
        started_at: NOON.into(),
        finished_at: NOON.into(),
        outcome: Outcome::Pass,
        exit_code: 0,
        report_sha256: "x".into(),
        spec_sha256: "x".into(),
        folder: "p/r".into(),
        rows_read: 1,
        rows_kept: 1,
        rows_measured: 1,
    };
    let other = Letter { body: b"other".to_vec(), ..letter("a") };
    assert!(store.record_with(&run, &[], &[], (&[letter("a"), other], at(NOON))).is_err());
    assert!(store.latest("p").unwrap().is_none() && states(&mut store).is_empty());
    store.record_with(&run, &[], &[], (&[letter("a")], at(NOON))).unwrap();
    assert!(store.latest("p").unwrap().is_some());
    assert_eq!(states(&mut store), [("a".into(), Standing::Queued)]);
    // The run again: its messages are not queued a second time.
    assert!(store.record_with(&run, &[], &[], (&[letter("b")], at(NOON))).is_err());
    assert_eq!(states(&mut store).len(), 1);
}
