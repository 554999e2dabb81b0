//! Webhook calls to an HTTPS server of this test: signature, repeats, refusals.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use evenhand::deliver::{Kind, Parcel, signature};
use evenhand::store::{Ending, FILE, Letter, Standing, Store};
use rustls::{ServerConnection, StreamOwned};

use super::ground::Certificates;
use super::scripted::config;
use super::{evenhand, pipeline, section};

/// A request that came.
#[derive(Debug, Clone)]
struct Call {
    line: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// Answers call after call with these texts; an empty one hangs up.
fn receiver(answers: &[&'static str]) -> (u16, Arc<Mutex<Vec<Call>>>) {
    receiver_at("127.0.0.1", answers)
}

fn receiver_at(address: &str, answers: &[&'static str]) -> (u16, Arc<Mutex<Vec<Call>>>) {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (answers, seen, config) = (answers.to_vec(), calls.clone(), config());
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for socket in listener.incoming() {
            let tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket.unwrap());
            let mut stream = BufReader::new(tls);
            // A handshake that fails is no call.
            let Some(call) = read(&mut stream) else { continue };
            seen.lock().unwrap().push(call);
            let answer = answers.next().unwrap_or("200 OK\r\n");
            if !answer.is_empty() {
                let text = format!("HTTP/1.1 {answer}Content-Length: 0\r\nConnection: close\r\n\r\n");
                stream.get_mut().write_all(text.as_bytes()).unwrap();
                stream.get_mut().conn.send_close_notify();
                let _ = stream.get_mut().flush();
            }
        }
    });
    (port, calls)
}

fn read(stream: &mut impl BufRead) -> Option<Call> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_string()),
            None => break,
        };
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    Some(Call { line: line.trim_end().into(), headers, body })
}

fn call(n: u32) -> Parcel {
    let body = format!("{{\"outcome\":\"FAIL\",\"title\":\"\u{4fe1}\u{8d37}\",\"n\":{n}}}");
    Parcel {
        pipeline: "p".into(),
        run_id: "run-1".into(),
        kind: Kind::Webhook,
        key: format!("run-1-hook-{n}"),
        to: "TEST_HOOK_URL".into(),
        secret: Some("TEST_HOOK_SECRET".into()),
        body: body.into_bytes(),
    }
}

struct Desk {
    folder: tempfile::TempDir,
    store: Store,
    port: u16,
}

const SECRET: &str = "hook-secret-marker";

impl Desk {
    fn new(port: u16, calls: &[Parcel]) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        pipeline(folder.path(), &section(1));
        let mut store = Store::open(&folder.path().join("reports").join(FILE)).unwrap();
        let letters: Vec<Letter> = calls.iter().map(Letter::from).collect();
        store.queue(&letters, "2026-11-25T12:00:00Z".parse().unwrap()).unwrap();
        Desk { folder, store, port }
    }

    fn flush(&self) -> Output {
        self.flush_to(&format!("https://localhost:{}/hook/url-marker", self.port), Some(SECRET))
    }

    fn flush_to(&self, url: &str, secret: Option<&str>) -> Output {
        let mut command = evenhand();
        command.args(["send", "--flush", "--all"]).arg(self.folder.path().join("p.toml"));
        command.env("SSL_CERT_FILE", Certificates::usual().ca()).env("TEST_HOOK_URL", url).env_remove("SSL_CERT_DIR");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        if let Some(secret) = secret {
            command.env("TEST_HOOK_SECRET", secret);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).to_string();
        assert!(!said.contains("marker"), "{said}");
        output
    }

    fn endings(&mut self, n: u32) -> Vec<(Ending, Option<u16>, String)> {
        let attempts = self.store.attempts(&format!("run-1-hook-{n}")).unwrap();
        attempts.into_iter().map(|of| (of.result, of.code, of.why.unwrap_or_default())).collect()
    }
}

#[test]
fn a_call_is_signed_and_repeated_as_the_receiver_asks() {
    let (port, calls) = receiver(&["429 Too Many\r\nRetry-After: 7200\r\n", "", "204 No Content\r\n"]);
    let mut desk = Desk::new(port, &[call(1)]);
    assert_eq!(desk.flush().status.code(), Some(5));
    let wait = &desk.store.undelivered("p").unwrap()[0].next_at;
    let attempt = &desk.store.attempts("run-1-hook-1").unwrap()[0].at;
    let (wait, attempt): (jiff::Timestamp, jiff::Timestamp) = (wait.parse().unwrap(), attempt.parse().unwrap());
    assert!((7195..=7205).contains(&wait.duration_since(attempt).as_secs()));
    assert_eq!(desk.flush().status.code(), Some(5));
    assert_eq!(desk.flush().status.code(), Some(0));
    let expected = [
        (Ending::Later, Some(429), "deferred".to_string()),
        (Ending::Unseen, None, "reply-unseen".to_string()),
        (Ending::Sent, None, String::new()),
    ];
    assert_eq!(desk.endings(1), expected);
    assert!(desk.store.delivered("p", 1).unwrap()[0].possibly_twice);
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls.len(), 3);
    for seen in &calls {
        assert_eq!((seen.line.as_str(), &seen.body), ("POST /hook/url-marker HTTP/1.1", &call(1).body));
        assert_eq!(seen.headers["content-type"], "application/json");
        assert_eq!(seen.headers["idempotency-key"], "run-1-hook-1");
        let header = &seen.headers["x-evenhand-signature"];
        let seconds: i64 = header.strip_prefix("t=").unwrap().split(',').next().unwrap().parse().unwrap();
        assert_eq!(*header, signature(SECRET.as_bytes(), seconds, &seen.body).unwrap());
        // The same by another program.
        let file = desk.folder.path().join("signed");
        fs::write(&file, [format!("{seconds}.").as_bytes(), &seen.body].concat()).unwrap();
        let openssl = Command::new("openssl").args(["dgst", "-sha256", "-hmac", SECRET]).arg(&file).output().unwrap();
        let mut openssl = String::from_utf8(openssl.stdout).unwrap();
        openssl.retain(|c| !c.is_whitespace());
        assert!(openssl.ends_with(header.split_once("v1=").unwrap().1), "{openssl} {header}");
    }
}

#[test]
fn a_call_that_is_refused_is_dead_and_no_redirect_is_followed() {
    let (port, calls) =
        receiver(&["410 Gone\r\n", "307 Temporary\r\nLocation: /other\r\n", "500 Broken\r\n", "200 OK\r\n"]);
    let mut desk = Desk::new(port, &[call(1), call(2), call(3), call(4)]);
    assert_eq!(desk.flush().status.code(), Some(5));
    let ending = |desk: &mut Desk, n| desk.endings(n).remove(0);
    assert_eq!(ending(&mut desk, 1), (Ending::Dead, Some(410), "message-refused".into()));
    assert_eq!(ending(&mut desk, 2), (Ending::Configuration, Some(307), "moved".into()));
    assert_eq!(ending(&mut desk, 3), (Ending::Later, Some(500), "deferred".into()));
    assert_eq!(ending(&mut desk, 4), (Ending::Sent, None, "".into()));
    assert_eq!(calls.lock().unwrap().len(), 4);
    let states: Vec<Standing> = desk.store.undelivered("p").unwrap().iter().map(|of| of.state).collect();
    assert_eq!(states, [Standing::Dead, Standing::Queued, Standing::Queued]);
}

#[test]
fn a_call_without_url_secret_or_trust_waits() {
    let ((port, calls), (other, _)) = (receiver(&[]), receiver_at("127.0.0.2", &[]));
    let mut desk = Desk::new(port, &[call(1)]);
    let good = format!("https://localhost:{port}/url-marker");
    let mut expected = Vec::new();
    for (url, secret, why) in [
        ("", Some(SECRET), "url-missing"),
        ("not a url-marker", Some(SECRET), "url-missing"),
        ("ftp://localhost/url-marker", Some(SECRET), "url-missing"),
        ("http://example.test/url-marker", Some(SECRET), "url-insecure"),
        (&good, None, "secret-missing"),
        // The certificate is for localhost and 127.0.0.1.
        (&format!("https://127.0.0.2:{other}/url-marker"), Some(SECRET), "certificate"),
    ] {
        assert_eq!(desk.flush_to(url, secret).status.code(), Some(5), "{why}");
        expected.push((Ending::Configuration, None, why.to_string()));
        assert_eq!(desk.endings(1).last(), expected.last(), "{url}");
    }
    let closed = super::free_port();
    assert_eq!(desk.flush_to(&format!("https://localhost:{closed}/"), Some(SECRET)).status.code(), Some(5));
    assert_eq!(desk.endings(1).last().unwrap().2, "refused");
    assert!(calls.lock().unwrap().is_empty());
    assert_eq!(desk.flush_to(&good, Some(SECRET)).status.code(), Some(0));
    assert!(!desk.store.delivered("p", 1).unwrap()[0].possibly_twice);
}
