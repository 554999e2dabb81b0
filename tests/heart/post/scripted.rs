//! A mail server that does as it is told: refuses, hangs up or falls silent at a point that is given for each connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::ground::Certificates;

/// What happens on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Accept,
    /// Answers a command with a line of its own, and goes on.
    Say(&'static str, &'static str),
    /// Hangs up when a command comes.
    CutAt(&'static str),
    /// Hangs up after the first bytes of the text.
    CutInText,
    /// Takes the text, hangs up in place of the reply.
    CutAfterDot,
    /// Takes the text, answers with this.
    DotSay(&'static str),
    /// Takes the text, and never answers.
    SilentAfterDot,
    /// Says nothing from the start.
    Silent,
    /// Sends its greeting byte by byte, one a quarter of a second.
    Drip,
    /// Greets with this line.
    Greet(&'static str),
    /// Offers only this mechanism.
    Auth(&'static str),
    NoStarttls,
    /// Puts plain text behind the answer to STARTTLS.
    Inject,
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub connections: usize,
    /// Texts that came whole, dots undone.
    pub texts: Vec<Vec<u8>>,
    /// Commands, in the clear and encrypted.
    pub plain: Vec<String>,
    pub encrypted: Vec<String>,
}

pub struct Scripted {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

trait Line: Read + Write + Send {}
impl<T: Read + Write + Send> Line for T {}

impl Scripted {
    /// One act for each connection, then `Accept`.
    pub fn start(acts: &[Act], implicit: bool) -> Scripted {
        Scripted::start_at("127.0.0.1", acts, implicit)
    }

    pub fn start_at(address: &str, acts: &[Act], implicit: bool) -> Scripted {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (acts, shared, config) = (acts.to_vec(), seen.clone(), config());
        std::thread::spawn(move || {
            for (i, stream) in listener.incoming().enumerate() {
                let act = acts.get(i).copied().unwrap_or(Act::Accept);
                shared.lock().unwrap().connections += 1;
                let (seen, config) = (shared.clone(), config.clone());
                std::thread::spawn(move || talk(stream.unwrap(), act, implicit, &seen, &config));
            }
        });
        Scripted { port, seen }
    }

    pub fn texts(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().texts.clone()
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub fn plain(&self) -> Vec<String> {
        self.seen.lock().unwrap().plain.clone()
    }

    pub fn encrypted(&self) -> Vec<String> {
        self.seen.lock().unwrap().encrypted.clone()
    }

    /// Waits until so many texts came whole.
    pub fn wait_for_texts(&self, n: usize) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.texts().len() < n {
            assert!(Instant::now() < until, "{:?}", self.seen.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub fn config() -> Arc<ServerConfig> {
    let certificates = Certificates::usual();
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificates.chain()).unwrap().map(|c| c.unwrap()).collect();
    let key = PrivateKeyDer::from_pem_file(certificates.key()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

/// A line without its end; none when the other side is gone.
fn line(stream: &mut dyn Line) -> Option<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    loop {
        match stream.read(&mut byte) {
            Ok(1) if byte[0] == b'\n' => return Some(String::from_utf8_lossy(line.trim_ascii_end()).to_string()),
            Ok(1) => line.push(byte[0]),
            _ => return None,
        }
    }
}

fn talk(socket: TcpStream, act: Act, implicit: bool, seen: &Mutex<Seen>, config: &Arc<ServerConfig>) {
    let raw = socket.try_clone().unwrap();
    let encrypt = |socket| -> Box<dyn Line> {
        Box::new(StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket))
    };
    let mut encrypted = implicit;
    let mut stream: Box<dyn Line> = if implicit { encrypt(socket) } else { Box::new(socket) };
    match act {
        Act::Silent => return std::thread::sleep(Duration::from_secs(20)),
        Act::Drip => {
            for byte in b"220 slowly, slowly, slowly, slowly\r\n" {
                std::thread::sleep(Duration::from_millis(250));
                if stream.write_all(&[*byte]).and_then(|()| stream.flush()).is_err() {
                    return;
                }
            }
        }
        Act::Greet(greeting) => say(&mut *stream, greeting),
        _ => say(&mut *stream, "220 scripted"),
    }
    while let Some(command) = line(&mut *stream) {
        let mut seen_now = seen.lock().unwrap();
        if encrypted {
            seen_now.encrypted.push(command.clone())
        } else {
            seen_now.plain.push(command.clone())
        }
        drop(seen_now);
        let verb = command.split([' ', ':']).next().unwrap_or("").to_uppercase();
        match act {
            Act::CutAt(at) if at == verb => return cut(&raw),
            Act::Say(at, reply) if at == verb => {
                say(&mut *stream, reply);
                continue;
            }
            _ => {}
        }
        match verb.as_str() {
            "EHLO" => {
                let auth = if let Act::Auth(mechanism) = act { mechanism } else { "PLAIN LOGIN" };
                match (encrypted, act) {
                    (false, Act::NoStarttls) => say(&mut *stream, "250-scripted\r\n250 8BITMIME"),
                    (false, _) => say(&mut *stream, "250-scripted\r\n250 STARTTLS"),
                    (true, _) => say(&mut *stream, &format!("250-scripted\r\n250-\r\n250-AUTH {auth}\r\n250 8BITMIME")),
                }
            }
            "STARTTLS" if act == Act::Inject => say(&mut *stream, "220 go\r\n250-scripted\r\n250 AUTH PLAIN"),
            "STARTTLS" => {
                say(&mut *stream, "220 go");
                stream = encrypt(raw.try_clone().unwrap());
                encrypted = true;
            }
            "AUTH" if command.ends_with("LOGIN") => {
                say(&mut *stream, "334 VXNlcm5hbWU6");
                let user = line(&mut *stream).unwrap_or_default();
                say(&mut *stream, "334 UGFzc3dvcmQ6");
                let password = line(&mut *stream).unwrap_or_default();
                seen.lock().unwrap().encrypted.push(format!("LOGIN {user} {password}"));
                say(&mut *stream, "235 yes");
            }
            "AUTH" => say(&mut *stream, "235 yes"),
            "DATA" => {
                say(&mut *stream, "354 go");
                if !text(&mut *stream, act, seen, &raw) {
                    return;
                }
            }
            "QUIT" => {
                say(&mut *stream, "221 bye");
                return;
            }
            _ => say(&mut *stream, "250 yes"),
        }
    }
}

/// Reads a text; false when the connection is over.
fn text(stream: &mut dyn Line, act: Act, seen: &Mutex<Seen>, raw: &TcpStream) -> bool {
    if act == Act::CutInText {
        let _ = stream.read(&mut [0; 64]);
        cut(raw);
        return false;
    }
    let mut text = Vec::new();
    loop {
        let Some(line) = raw_line(stream) else { return false };
        match line.as_slice() {
            b".\r\n" => break,
            line => text.extend_from_slice(line.strip_prefix(b".").unwrap_or(line)),
        }
    }
    seen.lock().unwrap().texts.push(text);
    match act {
        Act::CutAfterDot => {
            cut(raw);
            return false;
        }
        Act::SilentAfterDot => {
            std::thread::sleep(Duration::from_secs(30));
            return false;
        }
        Act::DotSay(reply) => say(stream, reply),
        _ => say(stream, "250 taken"),
    }
    true
}

fn raw_line(stream: &mut dyn Line) -> Option<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            _ => return None,
        }
    }
    Some(line)
}

fn say(stream: &mut dyn Line, text: &str) {
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| stream.flush());
}

fn cut(raw: &TcpStream) {
    let _ = raw.shutdown(Shutdown::Both);
}
