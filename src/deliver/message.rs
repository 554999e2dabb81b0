//! A mail as the bytes of a message (RFC 5322), the same bytes for the same letter.
//!
//! `multipart/mixed( alternative( plain, related( html, png ) ) [, pdf ] )`. Boundaries, Message-ID and date follow from run and recipient, so a
//! message that is sent twice is the same message. Texts are made of one line before they become headers.

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use crate::plan::spec;

/// A mail to one recipient.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// `Name <address>` or an address.
    pub from: &'a str,
    /// An address.
    pub to: &'a str,
    pub pipeline: &'a str,
    pub run_id: &'a str,
    /// What the mail is about besides its run: `digest-weekly`, `quiet-30`; empty for a mail on its run.
    pub about: &'a str,
    /// RFC 3339: the end of the run.
    pub date: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// Name the HTML shows the picture by, and its bytes.
    pub png: Option<(&'a str, &'a [u8])>,
    /// File name and bytes of the report.
    pub pdf: Option<(&'a str, &'a [u8])>,
}

/// Why a letter is no message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// Without the address: errors are written to logs.
    #[error("the address of {which} cannot be written into a mail")]
    Address { which: &'static str },
    #[error("{0:?} is no time of RFC 3339")]
    Date(String),
    #[error("the message cannot be made: {0}")]
    Made(String),
}

/// Message-ID without angle brackets, and the message.
pub fn message(letter: &Letter) -> Result<(String, Vec<u8>), MessageError> {
    let (from, to) = (mailbox("from", letter.from)?, mailbox("to", letter.to)?);
    let domain = from.email.domain().to_string();
    let id = format!("{}@{domain}", key(letter.run_id, letter.about, letter.to));
    let thread = format!("<thread.{}@{domain}>", short(&[letter.pipeline]));
    let date: Timestamp = letter.date.parse().map_err(|_| MessageError::Date(one_line(letter.date)))?;
    let boundary = |part: &str| format!("{part}.{}", short(&[&id, part]));
    let picture = letter.png.map(|(name, png)| {
        let file = format!("{name}.png");
        Attachment::new_inline_with_name(name.into(), file).body(png.to_vec(), media("image/png"))
    });
    let html = SinglePart::html(letter.html.to_string());
    let related = MultiPart::related().boundary(boundary("related")).singlepart(html);
    let related = picture.into_iter().fold(related, MultiPart::singlepart);
    let alternative = MultiPart::alternative()
        .boundary(boundary("alternative"))
        .singlepart(SinglePart::plain(letter.text.to_string()))
        .multipart(related);
    let mut mixed = MultiPart::mixed().boundary(boundary("mixed")).multipart(alternative);
    if let Some((name, pdf)) = letter.pdf {
        mixed = mixed.singlepart(Attachment::new(file_name(name)).body(pdf.to_vec(), media("application/pdf")));
    }
    let made = Message::builder()
        .from(from)
        .to(to)
        .date(date.into())
        .message_id(Some(format!("<{id}>")))
        .in_reply_to(thread.clone())
        .references(thread)
        .subject(one_line(letter.subject))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .raw_header(header("X-Run-Id", &token(letter.run_id)))
        .multipart(mixed)
        .map_err(|e| MessageError::Made(e.to_string()))?;
    Ok((id, made.formatted()))
}

/// Unique per run, matter and recipient, and the same each time.
pub fn key(run_id: &str, about: &str, to: &str) -> String {
    let to = short(&[&to.to_lowercase()]);
    match about {
        "" => format!("{}.{to}", token(run_id)),
        about => format!("{}.{}.{to}", token(run_id), token(about)),
    }
}

/// What a message is about, by its key; empty for one on its run.
pub fn about(key: &str) -> &str {
    let own = key.split('@').next().unwrap_or_default();
    let mut parts = own.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(about), Some(_)) => about,
        _ => "",
    }
}

/// The address as the check of a pipeline file reads it, so that what passes there can be written here.
fn mailbox(which: &'static str, text: &str) -> Result<Mailbox, MessageError> {
    let failed = MessageError::Address { which };
    let Some((name, address)) = spec::mailbox(text) else { return Err(failed) };
    let Ok(address) = address.parse::<Address>() else { return Err(failed) };
    Ok(Mailbox::new(name.map(one_line), address))
}

/// No control characters, no line or paragraph separators: nothing that ends a header.
fn one_line(text: &str) -> String {
    let ends = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().map(|c| if ends(c) { ' ' } else { c }).take(400).collect::<String>().trim().into()
}

/// A name of letters, digits, dots and hyphens, as identifiers of messages may hold it.
fn token(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    text.chars().map(safe).take(80).collect()
}

fn file_name(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let name: String = name.chars().map(safe).take(80).collect();
    name.trim_start_matches('.').into()
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.into())
}

fn media(name: &str) -> ContentType {
    ContentType::parse(name).unwrap_or(ContentType::TEXT_PLAIN)
}

/// 16 hexadecimal digits that stand for the parts.
fn short(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
