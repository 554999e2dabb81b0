//! Messages as a mail program reads them: structure, encodings, and headers that nothing from outside can add to.

use mail_parser::{MessageParser, MimeHeaders, PartType};

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n0123456789";

fn letter<'a>() -> Letter<'a> {
    Letter {
        from: "Audit \u{5ba1}\u{8ba1} <auditor@mail.example.org>",
        to: "risk@example.org",
        pipeline: "lending",
        run_id: "20261125T013000Z-1a2b3c4d",
        about: "",
        date: "2026-11-25T01:30:02Z",
        subject: "[FAIL] \u{4fe1}\u{8d37}\u{ff1a}2 \u{9879}\u{963b}\u{65ad} - 2026-11-25",
        text: "\u{4e0d}\u{901a}\u{8fc7}\u{ff08}FAIL\u{ff09}\nsecond line\n",
        html: "<html lang=\"zh-Hans\"><p>\u{4e0d}\u{901a}\u{8fc7}</p><img src=\"cid:criteria\"></html>",
        png: Some(("criteria", PNG)),
        pdf: None,
    }
}

fn parsed(bytes: &[u8]) -> mail_parser::Message<'_> {
    MessageParser::default().parse(bytes).unwrap()
}

#[test]
fn a_message_has_its_parts_in_their_places() {
    let pdf = b"%PDF-1.7 report".as_slice();
    let (id, bytes) = message(&Letter { pdf: Some(("../lending 1.pdf", pdf)), ..letter() }).unwrap();
    let read = parsed(&bytes);
    assert_eq!(read.subject(), Some(letter().subject));
    assert_eq!(read.message_id(), Some(id.as_str()));
    assert!(id.starts_with("20261125T013000Z-1a2b3c4d.") && id.ends_with("@mail.example.org"), "{id}");
    let from = read.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Audit \u{5ba1}\u{8ba1}"), Some("auditor@mail.example.org")));
    assert_eq!(read.to().unwrap().first().unwrap().address(), Some("risk@example.org"));
    assert_eq!(read.date().unwrap().to_rfc3339(), "2026-11-25T01:30:02Z");
    assert_eq!(read.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    assert_eq!(read.header("X-Run-Id").unwrap().as_text(), Some("20261125T013000Z-1a2b3c4d"));
    assert_eq!(read.in_reply_to().as_text(), read.references().as_text());
    assert!(read.in_reply_to().as_text().unwrap().starts_with("thread."));
    assert!(read.header("List-Unsubscribe").is_none());
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), letter().text);
    assert_eq!(read.body_html(0).unwrap(), letter().html);
    let types: Vec<String> = read
        .parts
        .iter()
        .map(|part| part.content_type().map(|of| format!("{}/{}", of.ctype(), of.subtype().unwrap())).unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "application/pdf"
        ]
    );
    let children = |part: usize| match &read.parts[part].body {
        PartType::Multipart(children) => children.iter().map(|child| *child as usize).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    assert_eq!((children(0), children(1), children(3)), (vec![1, 6], vec![2, 3], vec![4, 5]));
    assert_eq!((read.parts[5].content_id(), read.parts[5].contents()), (Some("criteria"), PNG));
    assert_eq!((read.parts[6].attachment_name(), read.parts[6].contents()), (Some("_lending_1.pdf"), pdf));
}

#[test]
fn the_same_letter_is_the_same_bytes_and_every_line_ends_as_it_must() {
    let (id, bytes) = message(&letter()).unwrap();
    assert_eq!((id.clone(), bytes.clone()), message(&letter()).unwrap());
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.is_ascii());
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
    assert!(text.lines().all(|line| line.len() <= 998));
    let other = |letter: Letter| message(&letter).unwrap().0;
    assert_ne!(id, other(Letter { to: "other@example.org", ..letter() }));
    assert_ne!(id, other(Letter { run_id: "20261126T013000Z-1a2b3c4d", ..letter() }));
    assert_ne!(id, other(Letter { about: "digest", ..letter() }));
    assert_eq!(id, other(Letter { to: "RISK@example.org", ..letter() }));
}

#[test]
fn nothing_from_outside_adds_a_header_or_a_recipient() {
    let evil = "x\r\nBcc: thief@example.org\r\n\r\nbody\u{2028}Bcc: y\u{0}";
    let (id, bytes) = message(&Letter {
        subject: evil,
        pipeline: evil,
        run_id: evil,
        about: evil,
        text: evil,
        html: evil,
        ..letter()
    })
    .unwrap();
    let read = parsed(&bytes);
    assert!(read.bcc().is_none() && read.header("Bcc").is_none());
    assert!(id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c)), "{id}");
    assert_eq!(read.subject().unwrap().lines().count(), 1);
    let long = "\u{5ba1}".repeat(5000);
    let (_, bytes) = message(&Letter { subject: &long, ..letter() }).unwrap();
    assert!(String::from_utf8(bytes).unwrap().lines().all(|line| line.len() <= 998));
    for address in [evil, "", "no address", "a@b\r\nBcc: c@d", "A <a@b>\nBcc: <c@d>", "a@b, c@d"] {
        assert!(message(&Letter { to: address, ..letter() }).is_err(), "{address:?}");
        assert!(message(&Letter { from: address, ..letter() }).is_err(), "{address:?}");
    }
    assert!(matches!(message(&Letter { date: evil, ..letter() }), Err(MessageError::Date(_))));
}

#[test]
fn every_sender_that_passes_the_check_can_be_written() {
    let names = ["Audit, Risk & Compliance", "Dr. A. (Audit) \\ B; C", "审计, 风险", "a@b"];
    for name in names {
        let from = format!("{name} <a@corp.example>");
        assert!(crate::plan::spec::mailbox(&from).is_some(), "{from}");
        let (_, bytes) = message(&Letter { from: &from, ..letter() }).unwrap();
        let read = parsed(&bytes);
        let sender = read.from().unwrap().first().unwrap();
        assert_eq!((sender.address(), read.from().unwrap().iter().count()), (Some("a@corp.example"), 1), "{from}");
        assert_eq!(sender.name(), Some(name), "{from}");
    }
    let why = message(&Letter { to: "marker@no address", ..letter() }).unwrap_err().to_string();
    assert!(!why.contains("marker") && why.contains("to"), "{why}");
}
