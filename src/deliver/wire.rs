//! A connection to a mail server, in the clear until it is turned to TLS. Each reply has to be there by a deadline of its own, however
//! slowly it drips.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::failure::Why;
use crate::world::Deadline;

/// Longest reply that is read, in bytes; RFC 5321 (4.5.3.1.5) has lines of 512.
const REPLY_MAX: usize = 16 * 1024;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// An open connection.
pub struct Wire {
    stream: Stream,
    /// Bytes that came and are not read yet.
    ahead: Vec<u8>,
    timeout: Duration,
}

/// A reply: its code and what stands behind the code on each line.
pub struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Wire {
    /// Connects to the first address of the host that accepts.
    pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Wire, Why> {
        let addresses = (host, port).to_socket_addrs().map_err(|_| Why::HostUnknown)?;
        let mut why = Why::HostUnknown;
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    // Where it cannot be set, lines go out later, not otherwise.
                    let _ = stream.set_nodelay(true);
                    return Ok(Wire { stream: Stream::Plain(stream), ahead: Vec::new(), timeout });
                }
                Err(e) => {
                    why = match e.kind() {
                        ErrorKind::ConnectionRefused => Why::Refused,
                        ErrorKind::TimedOut | ErrorKind::WouldBlock => Why::TimedOut,
                        _ => Why::Unreachable,
                    }
                }
            }
        }
        Err(why)
    }

    /// Turns the connection to TLS and makes the handshake.
    pub fn encrypt(self, config: Arc<ClientConfig>, host: &str) -> Result<Wire, Why> {
        if !self.ahead.is_empty() {
            return Err(Why::PlainAfterStarttls);
        }
        let name = ServerName::try_from(host.to_string()).map_err(|_| Why::Certificate)?;
        let client = ClientConnection::new(config, name).map_err(|_| Why::TlsFailed)?;
        let Stream::Plain(socket) = self.stream else { return Err(Why::TlsFailed) };
        let mut tls = Box::new(StreamOwned::new(client, socket));
        let deadline = Deadline::after(self.timeout);
        while tls.conn.is_handshaking() {
            limit(&tls.sock, deadline).map_err(|e| why(&e))?;
            tls.conn.complete_io(&mut tls.sock).map_err(|e| why(&e))?;
        }
        Ok(Wire { stream: Stream::Tls(tls), ahead: Vec::new(), timeout: self.timeout })
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// Writes bytes, all of them.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Why> {
        let deadline = Deadline::after(self.timeout);
        // Parts of 16 KiB: each TLS record is one, and the deadline is looked at between them.
        for part in bytes.chunks(16 * 1024) {
            limit(self.socket(), deadline).map_err(|e| why(&e))?;
            let written = match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(part),
                Stream::Tls(stream) => stream.write_all(part),
            };
            written.map_err(|e| why(&e))?;
        }
        let flushed = match &mut self.stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        };
        flushed.map_err(|e| why(&e))
    }

    /// Whether something came that no command asked for: replies and commands would no longer match.
    pub fn is_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Reads one reply, within the usual time.
    pub fn reply(&mut self) -> Result<Reply, Why> {
        self.reply_within(self.timeout)
    }

    /// Reads one reply (RFC 5321, 4.2.1): lines of one code, the last without a hyphen behind it.
    pub fn reply_within(&mut self, time: Duration) -> Result<Reply, Why> {
        let deadline = Deadline::after(time);
        let (mut read, mut code, mut lines) = (0, None, Vec::new());
        loop {
            let line = self.line(deadline, &mut read)?;
            let (digits, rest) = line.split_at_checked(3).ok_or(Why::NotSmtp)?;
            let number = digits.parse::<u16>().ok().filter(|n| (200..600).contains(n)).ok_or(Why::NotSmtp)?;
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) || code.is_some_and(|code| code != number) {
                return Err(Why::NotSmtp);
            }
            code = Some(number);
            let more = match rest.as_bytes().first() {
                Some(b'-') => true,
                Some(b' ') | None => false,
                Some(_) => return Err(Why::NotSmtp),
            };
            lines.push(rest.get(1..).unwrap_or("").trim().to_string());
            if !more {
                return Ok(Reply { code: number, lines });
            }
        }
    }

    /// One line without its end. Bytes that are no UTF-8 are replaced: nothing is made of them.
    fn line(&mut self, deadline: Deadline, read: &mut usize) -> Result<String, Why> {
        loop {
            if let Some(end) = self.ahead.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.ahead.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_string());
            }
            limit(self.socket(), deadline).map_err(|e| why(&e))?;
            let mut part = [0u8; 1024];
            let n = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut part),
                Stream::Tls(stream) => stream.read(&mut part),
            };
            let n = match n {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                n => n.map_err(|e| why(&e))?,
            };
            *read = read.saturating_add(n);
            if n == 0 {
                return Err(Why::Cut);
            }
            if *read > REPLY_MAX {
                return Err(Why::NotSmtp);
            }
            self.ahead.extend_from_slice(part.get(..n).unwrap_or_default());
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        }
    }
}

/// No single read or write may outlast the deadline.
fn limit(socket: &TcpStream, deadline: Deadline) -> io::Result<()> {
    let left = deadline.left().ok_or(ErrorKind::TimedOut)?;
    socket.set_read_timeout(Some(left))?;
    socket.set_write_timeout(Some(left))
}

/// What an error of the connection means; the reason TLS gives is inside.
fn why(e: &io::Error) -> Why {
    match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => return Why::Certificate,
        Some(_) => return Why::TlsFailed,
        None => {}
    }
    match e.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Why::TimedOut,
        _ => Why::Cut,
    }
}
