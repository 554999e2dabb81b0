//! Why a message was not delivered, what becomes of it, and what to do. Made of words of its own: a server's text, which may repeat an address,
//! never gets here.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// How far an attempt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Settings,
    Connect,
    Tls,
    Greeting,
    Auth,
    Sender,
    Recipient,
    /// The text was on its way, its end not yet told.
    Data,
    /// The end of the text was told (SMTP), or the request may have left (HTTP).
    End,
}

impl Stage {
    pub fn word(self) -> &'static str {
        match self {
            Stage::Settings => "settings",
            Stage::Connect => "connect",
            Stage::Tls => "tls",
            Stage::Greeting => "greeting",
            Stage::Auth => "auth",
            Stage::Sender => "sender",
            Stage::Recipient => "recipient",
            Stage::Data => "data",
            Stage::End => "end",
        }
    }
}

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Becomes {
    /// It was not delivered and is tried again.
    Later,
    /// Whether it was delivered is not known; it is tried again.
    Unseen,
    /// It is tried again, and will fail until something here is mended.
    Configuration,
    /// It is not tried again.
    Dead,
}

/// Makes the enum and its table from one list, so that no reason is without words.
macro_rules! reasons {
    ($($why:ident $word:literal $becomes:ident $text:literal;)*) => {
        /// Why.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Why {
            $($why,)*
        }

        /// Every reason, its word, what becomes of the message, what it means and what to do.
        const REASONS: &[(Why, &str, Becomes, &str)] = &[$((Why::$why, $word, Becomes::$becomes, $text),)*];
    };
}

reasons! {
    HostUnknown "host-unknown" Later
        "the server's name is not known to the resolver; look at the name and at the network";
    Refused "refused" Later
        "the server does not accept connections; it may be down, or the port is another";
    Unreachable "unreachable" Later
        "the server cannot be reached; look at the network and at the firewall";
    TimedOut "timed-out" Later
        "the server did not answer in time";
    Cut "cut" Later
        "the connection ended before the message was handed over";
    NotSmtp "not-smtp" Later
        "the answer is none of SMTP; look at host, port and tls of [smtp]";
    Deferred "deferred" Later
        "the server asks to try again later";
    ReplyUnseen "reply-unseen" Unseen
        "the message was handed over and the reply was not seen; it is sent again with the same Message-ID";
    GivenUp "given-up" Dead
        "it could not be delivered in the time that [smtp] give_up_after_h allows";
    RecipientRefused "recipient-refused" Dead
        "the server refuses the recipient; correct the address for later runs";
    MessageRefused "message-refused" Dead
        "the receiver refuses the message";
    BadAddress "bad-address" Dead
        "the recipient is no mail address";
    BadMessage "bad-message" Dead
        "the message is not one: a line without CRLF, or more than 998 bytes long; this is a defect of evenhand, please report it";
    NeedsSmtputf8 "needs-smtputf8" Dead
        "an address or header is not ASCII and the server does not take that";
    NoSmtp "no-smtp" Configuration
        "there is no section [smtp] in the pipeline file or its policy file";
    BadSender "bad-sender" Configuration
        "from of [smtp] is no mail address";
    PasswordMissing "password-missing" Configuration
        "the variable or file that [smtp] names for the password is not there or is empty";
    PasswordRefused "password-refused" Configuration
        "the server refuses user or password; correct them, then: evenhand send --flush --all";
    NoAuth "no-auth" Configuration
        "the server offers neither AUTH PLAIN nor LOGIN; leave user out of [smtp] if it needs none";
    AuthNeeded "auth-needed" Configuration
        "the server asks for a password; add user and password_env to [smtp]";
    SenderRefused "sender-refused" Configuration
        "the server refuses the sender; correct from of [smtp]";
    ServerRefused "server-refused" Configuration
        "the server refuses to talk to this machine; ask whoever runs it";
    NoStarttls "no-starttls" Configuration
        "the server offers no STARTTLS and nothing is sent in the clear; try tls = \"implicit\" with port 465";
    PlainAfterStarttls "plain-after-starttls" Configuration
        "there was plain text behind the answer to STARTTLS, as somebody on the way would put it there; nothing was sent";
    Certificate "certificate" Configuration
        "the server's certificate is not trusted; look at host, or name the authority's certificate in ca_file of [smtp]";
    TlsFailed "tls-failed" Configuration
        "no TLS connection came about; look at port and tls of [smtp]";
    CaUnreadable "ca-unreadable" Configuration
        "no certificate of an authority could be read; name a PEM file in ca_file, or install ca-certificates";
    UrlMissing "url-missing" Configuration
        "the variable with the URL is not set, or holds none";
    UrlInsecure "url-insecure" Configuration
        "the URL is not https";
    SecretMissing "secret-missing" Configuration
        "the variable with the secret of the signature is not set";
    Moved "moved" Configuration
        "the receiver answers with a redirect, which is not followed; set the variable to the new URL";
}

impl Why {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Why> {
        REASONS.iter().map(|(why, ..)| *why)
    }

    fn entry(self) -> (&'static str, Becomes, &'static str) {
        let entry = REASONS.iter().find(|(why, ..)| *why == self);
        entry.map_or(("unknown", Becomes::Later, ""), |(_, word, becomes, text)| (word, *becomes, text))
    }

    /// As it is stored.
    pub fn word(self) -> &'static str {
        self.entry().0
    }

    pub fn becomes(self) -> Becomes {
        self.entry().1
    }

    /// What it means and what to do.
    pub fn text(self) -> &'static str {
        self.entry().2
    }

    /// The reason that was stored, with or without a code behind it.
    pub fn of_word(stored: &str) -> Option<Why> {
        let word = stored.split(' ').next()?;
        REASONS.iter().find(|(_, other, ..)| *other == word).map(|(why, ..)| *why)
    }
}

/// One failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub why: Why,
    pub stage: Stage,
    /// Code of the reply, SMTP or HTTP.
    pub code: Option<u16>,
    /// How long the receiver asks to wait.
    pub wait: Option<Duration>,
}

impl Failure {
    pub fn at(stage: Stage, why: Why) -> Failure {
        Failure { why, stage, code: None, wait: None }
    }

    pub fn becomes(&self) -> Becomes {
        self.why.becomes()
    }
}

/// Its word.
impl Serialize for Why {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} ({code}, at {}): {}", self.why.word(), self.stage.word(), self.why.text()),
            None => write!(f, "{} (at {}): {}", self.why.word(), self.stage.word(), self.why.text()),
        }
    }
}

impl std::error::Error for Failure {}
