//! Personal identifiers in columns that were not declared as such: which kinds the texts of a column look like, and how many of them.
//!
//! Functions take a text and return yes or no; no text is kept. A text matches as a whole, without blanks around it: identifiers inside longer prose are
//! not looked for. The work is linear in the length of the text, and texts longer than any identifier are passed over.
//!
//! A column is suspected when the lower Wilson limit (99 %) of its share of matching texts is at least the detector's share. That share is small
//! where a check digit or a strict form makes a match by chance rare, and large where many numbers look alike. Names of people are known by the
//! header only.
//!
//! | detector | form | check |
//! |---|---|---|
//! | card | ISO/IEC 7812 issuer ranges and lengths | Luhn |
//! | IBAN | ISO 13616 lengths by country | mod 97 |
//! | US SSN | 3-2-4 digits; no area 000, 666, 900 and above, no group 00, no serial 0000 (SSA) | |
//! | Chinese resident ID | GB 11643: region, birth date | ISO 7064 mod 11-2 |
//! | UK NHS number | 10 digits | mod 11 |
//! | French NIR (INSEE) | sex, year, month, place | 97 less mod 97 |
//! | German tax ID | 11 digits, one of the first ten two or three times | ISO 7064 mod 11,10 |
//! | Spanish DNI, NIE | 8 digits, or X, Y, Z and 7 | letter by mod 23 |
//! | Indian Aadhaar | 12 digits, the first above 1 | Verhoeff 1969 |

use std::sync::Arc;

use crate::estimate::{normal, wilson};

mod forms;
mod headers;
mod numbers;

pub use headers::by_header;

/// A kind of identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detector {
    Email,
    Phone,
    PaymentCard,
    Iban,
    UsSocialSecurity,
    ChineseResident,
    UkNhs,
    FrenchNir,
    GermanTax,
    SpanishId,
    IndianAadhaar,
    Ipv4,
    Ipv6,
    Url,
    Mac,
    Coordinates,
    /// By header only.
    PersonName,
}

impl Detector {
    pub const ALL: [Detector; 17] = [
        Detector::Email,
        Detector::Phone,
        Detector::PaymentCard,
        Detector::Iban,
        Detector::UsSocialSecurity,
        Detector::ChineseResident,
        Detector::UkNhs,
        Detector::FrenchNir,
        Detector::GermanTax,
        Detector::SpanishId,
        Detector::IndianAadhaar,
        Detector::Ipv4,
        Detector::Ipv6,
        Detector::Url,
        Detector::Mac,
        Detector::Coordinates,
        Detector::PersonName,
    ];

    /// What a reader calls it.
    pub fn name(self) -> &'static str {
        match self {
            Detector::Email => "e-mail address",
            Detector::Phone => "phone number",
            Detector::PaymentCard => "payment card number",
            Detector::Iban => "IBAN",
            Detector::UsSocialSecurity => "US social security number",
            Detector::ChineseResident => "Chinese resident ID",
            Detector::UkNhs => "UK NHS number",
            Detector::FrenchNir => "French social security number (NIR)",
            Detector::GermanTax => "German tax ID",
            Detector::SpanishId => "Spanish DNI or NIE",
            Detector::IndianAadhaar => "Indian Aadhaar number",
            Detector::Ipv4 => "IPv4 address",
            Detector::Ipv6 => "IPv6 address",
            Detector::Url => "web address",
            Detector::Mac => "MAC address",
            Detector::Coordinates => "GPS coordinates",
            Detector::PersonName => "name of a person",
        }
    }

    /// Share of matching texts from which a column is suspected. Random digits of the right length match a Luhn or mod 11 number in 2 to 9 of 100
    /// cases, the stricter forms in fewer than 1.
    pub fn share_min(self) -> f64 {
        match self {
            Detector::Email
            | Detector::Iban
            | Detector::ChineseResident
            | Detector::FrenchNir
            | Detector::GermanTax
            | Detector::Ipv6
            | Detector::Url
            | Detector::Mac => 0.1,
            Detector::PaymentCard | Detector::SpanishId => 0.2,
            Detector::UkNhs | Detector::IndianAadhaar => 0.3,
            Detector::Phone | Detector::UsSocialSecurity | Detector::Ipv4 | Detector::Coordinates => 0.5,
            Detector::PersonName => 1.0,
        }
    }
}

/// True when the whole text has the form, and the check digits, of the identifier.
pub fn matches(detector: Detector, text: &str) -> bool {
    let text = text.trim();
    match detector {
        Detector::Email => forms::email(text),
        Detector::Phone => forms::phone(text),
        Detector::PaymentCard => numbers::payment_card(text),
        Detector::Iban => numbers::iban(text),
        Detector::UsSocialSecurity => numbers::us_social_security(text),
        Detector::ChineseResident => numbers::chinese_resident(text),
        Detector::UkNhs => numbers::uk_nhs(text),
        Detector::FrenchNir => numbers::french_nir(text),
        Detector::GermanTax => numbers::german_tax(text),
        Detector::SpanishId => numbers::spanish_id(text),
        Detector::IndianAadhaar => numbers::indian_aadhaar(text),
        Detector::Ipv4 => forms::ipv4(text),
        Detector::Ipv6 => forms::ipv6(text),
        Detector::Url => forms::url(text),
        Detector::Mac => forms::mac(text),
        Detector::Coordinates => forms::coordinates(text),
        Detector::PersonName => false,
    }
}

/// Counts of one column: texts looked at, and how many of them matched each detector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looks {
    looked_at: i64,
    matched: [i64; Detector::ALL.len()],
}

impl Looks {
    /// Looks at one text; a blank one is not counted.
    pub fn look(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.looked_at = self.looked_at.saturating_add(1);
        for (count, &detector) in self.matched.iter_mut().zip(&Detector::ALL) {
            *count = count.saturating_add(i64::from(matches(detector, text)));
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Looks) {
        self.looked_at = self.looked_at.saturating_add(other.looked_at);
        self.matched.iter_mut().zip(&other.matched).for_each(|(count, more)| *count = count.saturating_add(*more));
    }

    /// A suspicion for every detector that matched anything, the most frequent first.
    pub fn suspicions(&self, column: &str) -> Vec<Suspicion> {
        let column: Arc<str> = column.into();
        let mut found: Vec<Suspicion> = Detector::ALL
            .iter()
            .zip(&self.matched)
            .filter(|(_, matched)| **matched > 0)
            .map(|(&detector, &matched)| Suspicion {
                column: column.clone(),
                detector,
                matched,
                looked_at: self.looked_at,
            })
            .collect();
        found.sort_by_key(|suspicion| (-suspicion.matched, suspicion.detector));
        found
    }
}

/// How many texts of a column look like an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    pub column: Arc<str>,
    pub detector: Detector,
    pub matched: i64,
    pub looked_at: i64,
}

/// Confidence of the Wilson interval.
pub const CONFIDENCE: f64 = 0.99;

impl Suspicion {
    /// Share of the texts that match; none when no text was looked at.
    pub fn rate(&self) -> Option<f64> {
        (self.looked_at > 0).then(|| self.matched as f64 / self.looked_at as f64)
    }

    /// Lower Wilson limit of the share.
    pub fn lower(&self) -> Option<f64> {
        wilson(self.rate()?.clamp(0.0, 1.0), self.looked_at as f64, normal(CONFIDENCE)).lower
    }

    /// True when the share is surely as large as the detector demands.
    pub fn is_finding(&self) -> bool {
        self.lower().is_some_and(|lower| lower >= self.detector.share_min())
    }
}

#[cfg(test)]
mod tests;
