//! Keyed codes: pseudonyms, the days a unit's dates move by, and format-preserving encryption. Feature `seal`.
//!
//! HMAC-SHA-256 (RFC 2104). Each purpose and domain has a key of its own, HMAC(key, purpose || 0 || domain), so that codes of two domains
//! cannot be joined and a pseudonym says nothing about an offset. FF1 is that of NIST SP 800-38G with AES-256 and an empty tweak.

use std::collections::HashMap;

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret key of 32 bytes or more. It is wiped when dropped, and cannot be printed or serialised:
///
/// ```compile_fail
/// fn leak(key: evenhand::deidentify::transform::key::Key) { println!("{key:?}"); }
/// ```
/// ```compile_fail
/// fn leak(key: evenhand::deidentify::transform::key::Key) { serde_json::to_string(&key).unwrap(); }
/// ```
pub struct Key(Zeroizing<Vec<u8>>);

/// Bytes a key has at least: a shorter one can be guessed.
pub const KEY_BYTES_MIN: usize = 32;

impl Key {
    /// The bytes without a line break at their end; none when they are too few.
    pub fn new(mut bytes: Vec<u8>) -> Option<Key> {
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.pop();
        }
        let key = Key(Zeroizing::new(bytes));
        (key.0.len() >= KEY_BYTES_MIN).then_some(key)
    }

    fn derived(&self, purpose: &str, domain: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&self.0, &[purpose.as_bytes(), &[0], domain.as_bytes()]))
    }
}

/// HMAC-SHA-256 of the parts joined.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// A text of 128 bits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    bytes.iter().take(16).flat_map(digits).collect()
}

/// Equal values have equal pseudonyms within a domain. 128 bits: among 10^9 values two share one with probability 1.5e-21.
pub struct Pseudonym(Zeroizing<[u8; 32]>);

impl Pseudonym {
    pub fn new(key: &Key, domain: &str) -> Pseudonym {
        Pseudonym(key.derived("pseudonym", domain))
    }

    pub fn of(&self, text: &str) -> String {
        hex(&hmac(&self.0[..], &[text.as_bytes()]))
    }
}

/// Days by which all dates of a unit move: never 0, for then they would be true.
pub struct Offset {
    key: Zeroizing<[u8; 32]>,
    days_max: u32,
}

impl Offset {
    pub fn new(key: &Key, domain: &str, days_max: u32) -> Offset {
        Offset { key: key.derived("date-shift", domain), days_max: days_max.max(1) }
    }

    /// Within -days_max..=-1 and 1..=days_max; each as likely up to 2^-100.
    pub fn of(&self, unit: &str) -> i64 {
        let code = hmac(&self.key[..], &[unit.as_bytes()]);
        let drawn = code.iter().take(16).fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
        let days = i64::from(self.days_max);
        let at = i64::try_from(drawn % (2 * u128::from(self.days_max))).unwrap_or(0);
        if at < days { at - days } else { at - days + 1 }
    }
}

/// Encrypts the characters of an alphabet among themselves.
pub struct FormatPreserving {
    ff1: FF1<Aes256>,
    alphabet: Vec<char>,
    position: HashMap<char, u16>,
}

impl FormatPreserving {
    /// None for an alphabet of fewer than 2 or more than 65,536 characters.
    pub fn new(key: &Key, domain: &str, alphabet: &str) -> Option<FormatPreserving> {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let position: Option<HashMap<char, u16>> =
            alphabet.iter().enumerate().map(|(at, c)| Some((*c, u16::try_from(at).ok()?))).collect();
        let ff1 = FF1::new(&key.derived("format-preserving", domain)[..], u32::try_from(alphabet.len()).ok()?).ok()?;
        Some(FormatPreserving { ff1, position: position?, alphabet })
    }

    /// The encrypted text. None where fewer than a million texts have this form (SP 800-38G), or where a letter or digit is not of the
    /// alphabet: it would stay as it is.
    pub fn of(&self, text: &str) -> Option<String> {
        self.replaced(text, &|numerals| self.ff1.encrypt(&[], numerals).ok())
    }

    /// The text that was encrypted, for the holder of the key.
    pub fn undone(&self, text: &str) -> Option<String> {
        self.replaced(text, &|numerals| self.ff1.decrypt(&[], numerals).ok())
    }

    fn replaced(
        &self,
        text: &str,
        by: &dyn Fn(&FlexibleNumeralString) -> Option<FlexibleNumeralString>,
    ) -> Option<String> {
        let mut numerals = Vec::new();
        for c in text.chars() {
            match self.position.get(&c) {
                Some(at) => numerals.push(*at),
                None if c.is_ascii_punctuation() || c == ' ' => {}
                None => return None,
            }
        }
        let mut replaced = Vec::<u16>::from(by(&FlexibleNumeralString::from(numerals))?).into_iter();
        let one = |c: char| match self.position.contains_key(&c) {
            true => replaced.next().and_then(|at| self.alphabet.get(usize::from(at)).copied()),
            false => Some(c),
        };
        text.chars().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(fill: u8) -> Key {
        Key::new(vec![fill; 32]).unwrap()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
    }

    fn golden() -> Option<serde_json::Value> {
        let folder = std::env::var("EVENHAND_REFERENCE_DATA").ok()?;
        let text = std::fs::read_to_string(format!("{folder}/golden/privacy.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    #[test]
    fn hmac_and_ff1_are_those_of_the_standards() {
        // RFC 4231, test case 1.
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hmac(&[0x0b; 20], &[b"Hi ", b"There"]).to_vec(), bytes(expected));
        let Some(golden) = golden() else { return };
        for row in golden["hmac_sha256"]["rows"].as_array().unwrap() {
            let of = |name: &str| row[name].as_str().unwrap().to_string();
            assert_eq!(hmac(&bytes(&of("key_hex")), &[of("msg").as_bytes()]).to_vec(), bytes(&of("hex")));
        }
        for row in golden["ff1_nist_samples"]["rows"].as_array().unwrap() {
            let of = |name: &str| row[name].as_str().unwrap().to_string();
            let ff1 = FF1::<aes::Aes128>::new(&bytes(&of("key")), row["radix"].as_u64().unwrap() as u32).unwrap();
            let numerals =
                |text: String| -> Vec<u16> { text.chars().map(|c| c.to_digit(36).unwrap() as u16).collect() };
            let plain = FlexibleNumeralString::from(numerals(of("pt")));
            let found: Vec<u16> = ff1.encrypt(&bytes(&of("tweak")), &plain).unwrap().into();
            assert_eq!(found, numerals(of("ct")));
        }
    }

    #[test]
    fn short_keys_and_small_domains_are_refused() {
        assert!(Key::new(vec![1; 31]).is_none() && Key::new(b"0123456789012345678901234567890\n".to_vec()).is_none());
        let ff1 = FormatPreserving::new(&key(1), "a", "0123456789").unwrap();
        assert!(ff1.of("12345").is_none() && ff1.of("123456").is_some());
        assert!(ff1.of("1234567 Ann").is_none(), "letters would stay");
        assert!(FormatPreserving::new(&key(1), "a", "0").is_none());
    }

    #[test]
    fn offsets_are_never_zero_and_of_every_other_value() {
        let offset = Offset::new(&key(1), "unit", 3);
        let found: std::collections::BTreeSet<i64> = (0..1000).map(|unit| offset.of(&unit.to_string())).collect();
        assert_eq!(found, [-3, -2, -1, 1, 2, 3].into());
    }

    proptest! {
        #[test]
        fn equal_pseudonyms_of_equal_values_alone(a in ".{0,20}", b in ".{0,20}", domain in "[a-z]{1,4}") {
            let of = |key: &Key, domain: &str, text: &str| Pseudonym::new(key, domain).of(text);
            prop_assert_eq!(of(&key(1), &domain, &a) == of(&key(1), &domain, &b), a == b);
            prop_assert_ne!(of(&key(1), &domain, &a), of(&key(1), "another", &a));
            prop_assert_ne!(of(&key(1), &domain, &a), of(&key(2), &domain, &a));
        }

        /// Encryption is undone, keeps the form, and takes no two texts to one.
        #[test]
        fn ff1_round_trip(a in "[0-9]{3}-[0-9]{2}-[0-9]{4}", b in "[0-9]{3}-[0-9]{2}-[0-9]{4}") {
            let ff1 = FormatPreserving::new(&key(1), "account", "0123456789").unwrap();
            let (sealed, other) = (ff1.of(&a).unwrap(), ff1.of(&b).unwrap());
            prop_assert_eq!(ff1.undone(&sealed).unwrap(), a.clone());
            prop_assert_eq!(sealed == other, a == b);
            let keeps_form = sealed.chars().enumerate().all(|(at, c)| if at == 3 || at == 6 { c == '-' } else { c.is_ascii_digit() });
            prop_assert!(keeps_form);
        }
    }
}
