//! A JSON body posted to a URL, signed so that the receiver knows who sent it and that it is not an old one sent again.
//!
//! `X-Evenhand-Signature: t=SECONDS,v1=HEX` with HEX the HMAC-SHA256 (RFC 2104) of `SECONDS.BODY` under the secret; `Idempotency-Key` is the
//! same whenever the call is repeated. The URL is a secret too: it is in an environment variable and never in a message.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Timeout};

use super::failure::{Failure, Stage, Why};
use super::tls;
use crate::store::Letter;
use crate::world;

/// For each step of a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait a receiver can ask for.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// Posts one call. `ca_file` is trusted alone when it is named.
pub fn post(letter: &Letter, ca_file: Option<&Path>, now: Timestamp) -> Result<(), Failure> {
    let fault = |why| Failure::at(Stage::Settings, why);
    let url = world::variable(&letter.recipient).ok_or(fault(Why::UrlMissing))?;
    let uri: Uri = url.trim().parse().map_err(|_| fault(Why::UrlMissing))?;
    let host = uri.host().ok_or(fault(Why::UrlMissing))?;
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if is_loopback(host) => false,
        Some("http") => return Err(fault(Why::UrlInsecure)),
        _ => return Err(fault(Why::UrlMissing)),
    };
    let signature = match &letter.secret {
        Some(name) => {
            let secret = world::variable(name).ok_or(fault(Why::SecretMissing))?;
            Some(signature(secret.as_bytes(), now.as_second(), &letter.body).ok_or(fault(Why::SecretMissing))?)
        }
        None => None,
    };
    let agent = agent(ca_file, secure)?;
    let mut request =
        agent.post(&uri).header("Content-Type", "application/json").header("Idempotency-Key", &letter.key);
    if let Some(signature) = signature {
        request = request.header("X-Evenhand-Signature", signature);
    }
    match request.send(&letter.body[..]) {
        Ok(reply) => {
            let wait = reply.headers().get("retry-after").and_then(|value| value.to_str().ok());
            judged(reply.status().as_u16(), wait.and_then(|text| wait_of(text, now)))
        }
        Err(e) => Err(failed(&e)),
    }
}

/// The header that proves who sent a body.
pub fn signature(secret: &[u8], seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("t={seconds},v1={hex}"))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn agent(ca_file: Option<&Path>, secure: bool) -> Result<Agent, Failure> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .https_only(secure)
        .user_agent(concat!("evenhand/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(TIMEOUT))
        .timeout_connect(Some(TIMEOUT))
        .timeout_send_request(Some(TIMEOUT))
        .timeout_send_body(Some(TIMEOUT))
        .timeout_recv_response(Some(TIMEOUT));
    if secure {
        let roots = tls::authorities(ca_file)?;
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(tls::provider());
        config = config.tls_config(tls.build());
    } else {
        // A call to this machine goes through no other.
        config = config.proxy(None);
    }
    Ok(config.build().new_agent())
}

/// What a status means (RFC 9110, 15).
fn judged(status: u16, wait: Option<Duration>) -> Result<(), Failure> {
    let why = match status {
        200..300 => return Ok(()),
        300..400 => Why::Moved,
        408 | 425 | 429 => Why::Deferred,
        400..500 => Why::MessageRefused,
        _ => Why::Deferred,
    };
    let wait = wait.filter(|_| why == Why::Deferred);
    Err(Failure { why, stage: Stage::End, code: Some(status).filter(|code| (100..1000).contains(code)), wait })
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
fn wait_of(text: &str, now: Timestamp) -> Option<Duration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
            u64::try_from(at.as_second().saturating_sub(now.as_second())).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}

/// What an error means: before the request left nothing was delivered; after that nobody knows.
fn failed(e: &ureq::Error) -> Failure {
    let rustls = |inner: &rustls::Error| match inner {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Why::Certificate,
        _ => Why::TlsFailed,
    };
    let (stage, why) = match e {
        ureq::Error::Rustls(inner) => (Stage::Tls, rustls(inner)),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) => (Stage::Tls, Why::TlsFailed),
        ureq::Error::HostNotFound => (Stage::Connect, Why::HostUnknown),
        ureq::Error::ConnectionFailed => (Stage::Connect, Why::Unreachable),
        ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => (Stage::Connect, Why::TimedOut),
        ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl | ureq::Error::Http(_) => {
            (Stage::Settings, Why::UrlMissing)
        }
        ureq::Error::RequireHttpsOnly(_) => (Stage::Settings, Why::UrlInsecure),
        ureq::Error::Io(e) => match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(inner) => (Stage::Tls, rustls(inner)),
            None if e.kind() == std::io::ErrorKind::ConnectionRefused => (Stage::Connect, Why::Refused),
            None => (Stage::End, Why::ReplyUnseen),
        },
        _ => (Stage::End, Why::ReplyUnseen),
    };
    Failure::at(stage, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256_of_time_and_body() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let expected = "t=1700000000,v1=a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03";
        assert_eq!(signature(b"key", 1_700_000_000, b"{\"a\":1}").unwrap(), expected);
    }

    #[test]
    fn a_status_decides() {
        let why = |status| judged(status, None).map_err(|failure| failure.why);
        assert_eq!((why(200), why(204)), (Ok(()), Ok(())));
        for (status, expected) in [
            (301, Why::Moved),
            (308, Why::Moved),
            (400, Why::MessageRefused),
            (401, Why::MessageRefused),
            (408, Why::Deferred),
            (410, Why::MessageRefused),
            (425, Why::Deferred),
            (429, Why::Deferred),
            (500, Why::Deferred),
            (503, Why::Deferred),
        ] {
            assert_eq!(why(status), Err(expected), "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let wait = |text| wait_of(text, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("Wed, 25 Nov 2026 12:05:00 GMT"), Some(300));
        assert_eq!(wait("Wed, 25 Nov 2026 11:05:00 GMT"), Some(0));
        assert_eq!(wait("99999999999"), Some(86_400));
        assert_eq!((wait("soon"), wait("-1"), wait("")), (None, None, None));
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("localhost.example", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
