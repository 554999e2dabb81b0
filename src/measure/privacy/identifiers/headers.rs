//! Identifiers known by the header of their column, in English, Chinese, German, French and Spanish.
//!
//! A header is cut into words at signs and at changes from small to capital letters; accents are taken off. Words before that say whose it is
//! ("customer", "patient") and words after that say nothing ("number", "1") are left out; the rest must be an entry of the table, so "product
//! name" and "has email" are not suspected. Chinese entries are looked for anywhere in the header.

use super::Detector;

/// Headers, without blanks and accents.
const WORDS: [(Detector, &[&str]); 17] = [
    (
        Detector::PersonName,
        &[
            "name",
            "names",
            "firstname",
            "lastname",
            "surname",
            "fullname",
            "givenname",
            "familyname",
            "middlename",
            "maidenname",
            "forename",
            "forenames",
            "fname",
            "lname",
            "vorname",
            "nachname",
            "familienname",
            "zuname",
            "geburtsname",
            "rufname",
            "nom",
            "prenom",
            "prenoms",
            "nomdefamille",
            "nomdenaissance",
            "nomcomplet",
            "nombre",
            "nombres",
            "apellido",
            "apellidos",
            "primerapellido",
            "segundoapellido",
            "nombrecompleto",
            "nombreyapellidos",
        ],
    ),
    (
        Detector::Email,
        &[
            "email",
            "emails",
            "emailaddress",
            "mail",
            "mailaddress",
            "mailadresse",
            "emailadresse",
            "courriel",
            "adressemail",
            "adresseemail",
            "correo",
            "correoelectronico",
        ],
    ),
    (
        Detector::Phone,
        &[
            "phone",
            "phones",
            "phonenumber",
            "telephone",
            "tel",
            "mobile",
            "mobilephone",
            "cell",
            "cellphone",
            "fax",
            "telefon",
            "telefonnummer",
            "handy",
            "handynummer",
            "rufnummer",
            "mobilnummer",
            "portable",
            "telephoneportable",
            "telefono",
            "movil",
            "celular",
            "telefonomovil",
        ],
    ),
    (
        Detector::PaymentCard,
        &[
            "cardnumber",
            "creditcard",
            "creditcardnumber",
            "debitcard",
            "paymentcard",
            "pan",
            "ccnumber",
            "cardno",
            "kreditkarte",
            "kreditkartennummer",
            "cartebancaire",
            "numerodecarte",
            "tarjeta",
            "numerodetarjeta",
        ],
    ),
    (Detector::Iban, &["iban", "bankaccount", "accountiban", "kontonummer", "bankverbindung", "cuentabancaria"]),
    (Detector::UsSocialSecurity, &["ssn", "socialsecurity", "socialsecuritynumber", "socsec"]),
    (Detector::ChineseResident, &["residentid", "idcard", "chineseid", "citizenid"]),
    (Detector::UkNhs, &["nhs", "nhsnumber", "nhsno"]),
    (Detector::FrenchNir, &["nir", "insee", "numeroinsee", "numerodesecuritesociale", "securitesociale"]),
    (Detector::GermanTax, &["steuerid", "steuernummer", "steueridentifikationsnummer", "idnr", "taxid"]),
    (Detector::SpanishId, &["dni", "nie", "nif"]),
    (Detector::IndianAadhaar, &["aadhaar", "aadhar", "uidai"]),
    (Detector::Ipv4, &["ip", "ipv4", "ipaddress", "ipaddr", "ipadresse", "adresseip", "direccionip"]),
    (Detector::Ipv6, &["ipv6"]),
    (Detector::Url, &["url", "website", "homepage", "webpage", "webseite", "siteweb", "sitioweb"]),
    (Detector::Mac, &["mac", "macaddress", "macaddr"]),
    (
        Detector::Coordinates,
        &[
            "gps",
            "latitude",
            "longitude",
            "lat",
            "lon",
            "lng",
            "latlon",
            "latlng",
            "latlong",
            "coordinates",
            "geolocation",
            "geopoint",
            "breitengrad",
            "langengrad",
            "koordinaten",
            "coordonnees",
            "latitud",
            "longitud",
            "coordenadas",
        ],
    ),
];

/// Chinese headers, with what they contain.
const CHINESE: [(Detector, &[&str]); 8] = [
    (Detector::ChineseResident, &["身份证", "身分证", "证件号"]),
    (Detector::PersonName, &["姓名", "姓氏", "名字"]),
    (Detector::Phone, &["手机", "电话", "传真"]),
    (Detector::Email, &["邮箱", "电子邮件"]),
    (Detector::PaymentCard, &["银行卡", "信用卡号", "卡号"]),
    (Detector::Ipv4, &["ip地址", "IP地址"]),
    (Detector::Url, &["网址"]),
    (Detector::Coordinates, &["经度", "纬度", "经纬度"]),
];

/// Whose it is.
const BEFORE: [&str; 48] = [
    "customer",
    "client",
    "patient",
    "employee",
    "user",
    "applicant",
    "contact",
    "person",
    "member",
    "guest",
    "student",
    "borrower",
    "subject",
    "holder",
    "cardholder",
    "owner",
    "partner",
    "spouse",
    "mother",
    "father",
    "parent",
    "child",
    "doctor",
    "physician",
    "candidate",
    "participant",
    "home",
    "work",
    "private",
    "personal",
    "primary",
    "secondary",
    "business",
    "billing",
    "shipping",
    "emergency",
    "last",
    "kunde",
    "kunden",
    "patienten",
    "mitarbeiter",
    "privat",
    "cliente",
    "paciente",
    "empleado",
    "salarie",
    "my",
    "the",
];

/// What says nothing.
const AFTER: [&str; 12] = ["number", "no", "nr", "num", "nummer", "numero", "text", "str", "value", "raw", "s", "id"];

/// Headers longer than this are sentences.
const LENGTH_MAX: usize = 120;

/// The kind of identifier a header names; none when it names none.
pub fn by_header(name: &str) -> Option<Detector> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    if let Some((detector, _)) = CHINESE.iter().find(|(_, words)| words.iter().any(|word| name.contains(word))) {
        return Some(*detector);
    }
    let words = words(name);
    let known = |from: usize, to: usize| {
        let joined = words.get(from..to)?.concat();
        WORDS.iter().find(|(_, entries)| entries.contains(&joined.as_str())).map(|(detector, _)| *detector)
    };
    let before = words.iter().take_while(|word| BEFORE.contains(&word.as_str())).count();
    let says_nothing =
        |word: &&String| AFTER.contains(&word.as_str()) || word.bytes().all(|byte| byte.is_ascii_digit());
    let after = words.iter().rev().take_while(says_nothing).count();
    // Fewest words left out first: "last name" is an entry, and so is "name".
    (0..=after).find_map(|after| (0..=before).find_map(|before| known(before, words.len().checked_sub(after)?)))
}

/// Small letters without accents, cut at signs and where a capital follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_small) {
            words.push(String::new());
        }
        was_small = c.is_lowercase();
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase().map(plain));
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn plain(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    }
}
