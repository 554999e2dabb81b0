//! SMTP (RFC 5321) command by command, so that of every attempt it is known how far it got: until the dot behind the text is written a server
//! has no message, after it only the reply tells.
//!
//! TLS always: STARTTLS (RFC 3207) or from the first byte (RFC 8314). AUTH PLAIN or LOGIN (RFC 4954, RFC 4616), after TLS only.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use rustls::ClientConfig;

use super::failure::{Failure, Stage, Why};
use super::wire::{Reply, Wire};
use crate::plan::spec::{self, Encryption};
use crate::world;

/// A text that is not shown.
#[derive(Clone)]
struct Secret(String);

/// Where mail is handed over, ready to connect.
pub struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<(String, Secret)>,
    config: Arc<ClientConfig>,
    sender: Address,
    timeout: Duration,
}

/// A connection over which one message after another is handed over.
pub struct Session {
    wire: Wire,
    sender: Address,
    utf8: bool,
    eight_bit: bool,
    timeout: Duration,
}

/// Longest line of a message without its end (RFC 5322, 2.1.1).
const LINE_MAX: usize = 998;

impl Server {
    /// Reads what `[smtp]` names; paths are relative to `folder`.
    pub fn new(smtp: &spec::Smtp, folder: &Path) -> Result<Server, Failure> {
        let fault = |why| Failure::at(Stage::Settings, why);
        let (_, sender) = spec::mailbox(&smtp.from).ok_or(fault(Why::BadSender))?;
        let sender = sender.parse().map_err(|_| fault(Why::BadSender))?;
        let credentials = match &smtp.user {
            Some(user) => Some((user.clone(), password(smtp, folder).ok_or(fault(Why::PasswordMissing))?)),
            None => None,
        };
        let ca_file: Option<PathBuf> = smtp.ca_file.as_ref().map(|file| folder.join(file));
        Ok(Server {
            host: smtp.host.clone(),
            port: smtp.port(),
            encryption: smtp.tls,
            credentials,
            config: super::tls::client(ca_file.as_deref())?,
            sender,
            timeout: Duration::from_secs(smtp.timeout_s.into()),
        })
    }

    /// Connects, encrypts, and says who is there.
    pub fn connect(&self) -> Result<Session, Failure> {
        let at = |stage| move |why| Failure::at(stage, why);
        let mut wire = Wire::connect(&self.host, self.port, self.timeout).map_err(at(Stage::Connect))?;
        if self.encryption == Encryption::Implicit {
            wire = wire.encrypt(self.config.clone(), &self.host).map_err(at(Stage::Tls))?;
        }
        greeted(wire.reply().map_err(at(Stage::Greeting))?)?;
        let mut offers = hello(&mut wire)?;
        if self.encryption == Encryption::Starttls {
            if !offers.iter().any(|offer| offer == "STARTTLS") {
                return Err(Failure::at(Stage::Tls, Why::NoStarttls));
            }
            let reply = command(&mut wire, "STARTTLS", Stage::Tls)?;
            accepted(&reply, 2, Stage::Tls, Why::NoStarttls)?;
            wire = wire.encrypt(self.config.clone(), &self.host).map_err(at(Stage::Tls))?;
            offers = hello(&mut wire)?;
        }
        // Nothing of the rest may go out in the clear, whatever comes before it.
        if !wire.is_encrypted() {
            return Err(Failure::at(Stage::Tls, Why::TlsFailed));
        }
        if let Some((user, password)) = &self.credentials {
            authenticate(&mut wire, &offers, user, password)?;
        }
        let offered = |name: &str| offers.iter().any(|offer| offer == name);
        let (utf8, eight_bit) = (offered("SMTPUTF8"), offered("8BITMIME"));
        Ok(Session { wire, sender: self.sender.clone(), utf8, eight_bit, timeout: self.timeout })
    }
}

impl Session {
    /// Hands one message over. After a failure at the end of the text only its reply says whether the server has it.
    pub fn send(&mut self, to: &str, body: &[u8]) -> Result<(), Failure> {
        let to: Address = to.parse().map_err(|_| Failure::at(Stage::Recipient, Why::BadAddress))?;
        let text = stuffed(body).ok_or(Failure::at(Stage::Data, Why::BadMessage))?;
        let ascii = self.sender.to_string().is_ascii() && to.to_string().is_ascii();
        if (!ascii && !self.utf8) || (!body.is_ascii() && !self.eight_bit) {
            return Err(Failure::at(Stage::Settings, Why::NeedsSmtputf8));
        }
        let mut from = format!("MAIL FROM:<{}>", self.sender);
        from.push_str(if body.is_ascii() { "" } else { " BODY=8BITMIME" });
        from.push_str(if ascii { "" } else { " SMTPUTF8" });
        let reply = command(&mut self.wire, &from, Stage::Sender)?;
        accepted(&reply, 2, Stage::Sender, Why::SenderRefused)?;
        let reply = command(&mut self.wire, &format!("RCPT TO:<{to}>"), Stage::Recipient)?;
        accepted(&reply, 2, Stage::Recipient, Why::RecipientRefused)?;
        let reply = command(&mut self.wire, "DATA", Stage::Data)?;
        accepted(&reply, 3, Stage::Data, Why::MessageRefused)?;
        self.wire.write(&text).map_err(|why| Failure::at(Stage::Data, why))?;
        // From here on the server may have the message: what is not a reply leaves that open.
        let unseen = |_| Failure::at(Stage::End, Why::ReplyUnseen);
        self.wire.write(b".\r\n").map_err(unseen)?;
        // RFC 5321 (4.5.3.2.6): up to 10 minutes, so that a slow server gets nothing twice.
        let time = self.timeout.saturating_mul(10).min(Duration::from_secs(600));
        let reply = self.wire.reply_within(time).map_err(unseen)?;
        match reply.code {
            200..300 => Ok(()),
            400..600 => accepted(&reply, 2, Stage::End, Why::MessageRefused),
            _ => Err(Failure { code: Some(reply.code), ..Failure::at(Stage::End, Why::ReplyUnseen) }),
        }
    }

    /// Makes ready for the next message after one that was refused.
    pub fn reset(&mut self) -> Result<(), Failure> {
        accepted(&command(&mut self.wire, "RSET", Stage::Sender)?, 2, Stage::Sender, Why::ServerRefused)
    }

    /// Says goodbye. What the server makes of it does not matter.
    pub fn close(mut self) {
        let _ = self.wire.write(b"QUIT\r\n");
        let _ = self.wire.reply_within(Duration::from_secs(1));
    }
}

fn password(smtp: &spec::Smtp, folder: &Path) -> Option<Secret> {
    let text = match (&smtp.password_env, &smtp.password_file) {
        (Some(name), _) => world::variable(name)?,
        (None, Some(file)) => String::from_utf8(world::read(&folder.join(file)).ok()??).ok()?,
        (None, None) => return None,
    };
    let text = text.trim_end_matches(['\r', '\n']);
    (!text.is_empty()).then(|| Secret(text.to_string()))
}

/// The text as it goes over the wire, up to the dot that ends it: a dot at the start of a line is doubled (RFC 5321, 4.5.2).
/// None for what is no message: a line that does not end with CRLF could end the text early.
fn stuffed(body: &[u8]) -> Option<Vec<u8>> {
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    let mut text = Vec::with_capacity(body.len().saturating_add(64));
    for line in body.split(|byte| *byte == b'\n') {
        text.extend_from_slice(if line.first() == Some(&b'.') { b"." } else { b"" });
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    // The last line got a line feed here, so its carriage return too.
    text.pop();
    text.extend_from_slice(b"\r\n");
    let mut lines = text.split(|byte| *byte == b'\n');
    let whole = |line: &[u8]| {
        let Some(line) = line.strip_suffix(b"\r") else { return false };
        // Without the dot that was put before it.
        let length = line.strip_prefix(b".").unwrap_or(line).len();
        length <= LINE_MAX && !line.contains(&b'\r') && !line.contains(&0)
    };
    let last = lines.next_back()?;
    (last.is_empty() && lines.all(whole)).then_some(text)
}

fn command(wire: &mut Wire, line: &str, stage: Stage) -> Result<Reply, Failure> {
    let talk = |wire: &mut Wire| {
        if wire.is_ahead() {
            return Err(Why::NotSmtp);
        }
        wire.write(format!("{line}\r\n").as_bytes())?;
        wire.reply()
    };
    talk(wire).map_err(|why| Failure::at(stage, why))
}

/// Nothing when the reply is of a class, else what it means: 4xx to try again, 5xx what is given.
fn accepted(reply: &Reply, class: u16, stage: Stage, refused: Why) -> Result<(), Failure> {
    let why = match reply.code / 100 {
        of if of == class => return Ok(()),
        4 => Why::Deferred,
        5 if reply.code == 530 => Why::AuthNeeded,
        5 if stage == Stage::Sender && matches!(reply.code, 552 | 554) => Why::MessageRefused,
        5 => refused,
        _ => Why::NotSmtp,
    };
    Err(Failure { code: Some(reply.code), ..Failure::at(stage, why) })
}

fn greeted(reply: Reply) -> Result<(), Failure> {
    accepted(&reply, 2, Stage::Greeting, Why::ServerRefused)
}

/// What the server offers, in capitals; mechanisms of AUTH as `AUTH PLAIN`.
fn hello(wire: &mut Wire) -> Result<Vec<String>, Failure> {
    // An address literal says no more of this machine than the connection does.
    let reply = command(wire, "EHLO [127.0.0.1]", Stage::Greeting)?;
    accepted(&reply, 2, Stage::Greeting, Why::ServerRefused)?;
    let mut offers = Vec::new();
    for line in reply.lines.iter().skip(1) {
        let line = line.to_ascii_uppercase();
        let mut words = line.split_whitespace();
        match words.next() {
            Some("AUTH") => offers.extend(words.map(|mechanism| format!("AUTH {mechanism}"))),
            Some(word) => offers.push(word.to_string()),
            None => {}
        }
    }
    Ok(offers)
}

fn authenticate(wire: &mut Wire, offers: &[String], user: &str, password: &Secret) -> Result<(), Failure> {
    let offered = |name: &str| offers.iter().any(|offer| offer == name);
    let reply = if offered("AUTH PLAIN") {
        let response = STANDARD.encode(format!("\0{user}\0{}", password.0));
        command(wire, &format!("AUTH PLAIN {response}"), Stage::Auth)?
    } else if offered("AUTH LOGIN") {
        let mut reply = command(wire, "AUTH LOGIN", Stage::Auth)?;
        for answer in [user, &password.0] {
            accepted(&reply, 3, Stage::Auth, Why::PasswordRefused)?;
            reply = command(wire, &STANDARD.encode(answer), Stage::Auth)?;
        }
        reply
    } else {
        return Err(Failure::at(Stage::Auth, Why::NoAuth));
    };
    accepted(&reply, 2, Stage::Auth, Why::PasswordRefused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dot_is_doubled_and_lines_that_could_end_the_text_are_no_message() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b").unwrap(), b"a\r\n..\r\n...b\r\n");
        assert_eq!(stuffed(b".\r\n").unwrap(), b"..\r\n");
        for bad in [&b"a\nb\r\n"[..], b"a\r\n.\nb", b"a\r.\r\nb", b"a\0b\r\n", &[b'a'; 999]] {
            assert_eq!(stuffed(bad), None, "{bad:?}");
        }
        assert!(stuffed(&[b'a'; 998]).is_some());
        assert!(stuffed(&[b'.'; 998]).is_some());
    }

    proptest! {
        #[test]
        fn no_text_ends_before_its_end(lines in proptest::collection::vec("[.a]{0,4}", 0..8)) {
            let body = lines.join("\r\n");
            let text = stuffed(body.as_bytes()).unwrap();
            prop_assert!(!text.starts_with(b".\r\n") && !text.windows(5).any(|part| part == b"\r\n.\r\n"));
            let undone: Vec<&str> = std::str::from_utf8(&text).unwrap().split("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
            let end = if body.ends_with("\r\n") { "" } else { "\r\n" };
            prop_assert_eq!(undone.join("\r\n"), body + end);
        }
    }
}
