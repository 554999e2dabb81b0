//! A message to one recipient: finished bytes, and where they go.

use std::fmt;

use crate::store::{Letter, Post};

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Mail,
    Webhook,
}

/// One message to one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    pub pipeline: String,
    pub run_id: String,
    pub kind: Kind,
    /// Message-ID without angle brackets, or the id of a webhook call: unique, and the same whenever the message is.
    pub key: String,
    /// One address; for a webhook the name of the environment variable that holds the URL.
    pub to: String,
    /// Environment variable of the HMAC secret of a webhook.
    pub secret: Option<String>,
    /// RFC 5322 message with CRLF, or JSON.
    pub body: Vec<u8>,
}

/// Without the address and the text.
impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel {{ kind: {:?}, run_id: {:?}, {} bytes }}", self.kind, self.run_id, self.body.len())
    }
}

impl From<&Parcel> for Letter {
    fn from(parcel: &Parcel) -> Letter {
        Letter {
            pipeline: parcel.pipeline.clone(),
            run_id: parcel.run_id.clone(),
            post: match parcel.kind {
                Kind::Mail => Post::Mail,
                Kind::Webhook => Post::Webhook,
            },
            key: parcel.key.clone(),
            recipient: parcel.to.clone(),
            secret: parcel.secret.clone(),
            body: parcel.body.clone(),
        }
    }
}
