//! Published examples, generated values, what must not be found, and texts that must not take long.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

use super::*;

fn found(text: &str) -> Vec<Detector> {
    Detector::ALL.into_iter().filter(|&detector| matches(detector, text)).collect()
}

/// Examples of the issuers' documents: test cards, the SWIFT registry, the tax office, NHS, Interior Ministry.
#[test]
fn published_examples_match() {
    for (detector, texts) in [
        (Detector::Email, "a@b.co|first.last+tag@mail.example.com|björn@exämple.de|x_1@a-b.museum|张三@例子.中国"),
        (
            Detector::Phone,
            "+14155552671|+49 (0)30 1234567|+86 138 0013 8000|(212) 555-0199|212-555-0199|1-212-555-0199|212.555.0199|13800138000|138 0013 8000|010-62345678|06 12 34 56 78|06.12.34.56.78|0612345678|07700 900123|020 7946 0018|030/1234567|0049 30 1234567|98765 43210|612 34 56 78",
        ),
        (
            Detector::PaymentCard,
            "4111111111111111|4111 1111 1111 1111|5555-5555-5555-4444|378282246310005|6011111111111117|30569309025904|3530111333300000|2223003122003222|4222222222222",
        ),
        (
            Detector::Iban,
            "GB29 NWBK 6016 1331 9268 19|DE89370400440532013000|fr1420041010050500013m02606|NO93 8601 1117 947|MT84 MALT 0110 0001 2345 MTLC AST0 01S|LC55 HEMM 0001 0001 0012 0012 0002 3015|KZ86 125K ZT50 0410 0100",
        ),
        (Detector::UsSocialSecurity, "078-05-1120|219 09 9999|899-99-9999"),
        (Detector::ChineseResident, "11010519491231002X|11010519491231002x|440524188001010014"),
        (Detector::UkNhs, "943 476 5919|9434765919"),
        (Detector::FrenchNir, "2 55 08 14 168 025 38"),
        (Detector::GermanTax, "86095742719|47036892816|65 929 970 489"),
        (Detector::SpanishId, "12345678Z|12345678-z|X1234567L|Y1234567X"),
        (Detector::Ipv4, "192.168.0.1|8.8.8.8|10.0.0.0/8"),
        (Detector::Ipv6, "2001:db8::1|::1|fe80::1%eth0|2001:db8::/32|::ffff:192.0.2.1"),
        (
            Detector::Url,
            "https://example.com|HTTP://example.com:8080/a?b=c#d|www.example.org/x|ftp://user@host.example/|https://[2001:db8::1]/|http://localhost:3000/",
        ),
        (Detector::Mac, "00:1A:2b:3c:4D:5e|00-1a-2b-3c-4d-5e|001a.2b3c.4d5e"),
        (
            Detector::Coordinates,
            "40.7128, -74.0060|(48.85837, 2.29448)|40.7128° N, 74.0060° W|39.9042;116.4074|POINT(116.4074 39.9042)|-33.8688 151.2093",
        ),
    ] {
        for text in texts.split('|') {
            // A birth year before 1900 is nobody who lives.
            let lives = text != "440524188001010014";
            assert_eq!(matches(detector, text), lives, "{} {text}", detector.name());
            assert_eq!(matches(detector, &format!("  {text}\n")), lives);
        }
    }
}

#[test]
fn what_looks_alike_does_not_match() {
    for (detector, texts) in [
        (Detector::Email, "a@b|@b.co|a@|a b@c.de|a..b@c.de|.a@b.co|a@b..co|a@-b.co|a@b.c|price @ 3.50|a@b.12"),
        (
            Detector::Phone,
            "12345678|2020-01-02|01.02.2003|0.123456789|1234567890|3.14159265358|+1234.5678|-5|555-0199|078-05-1120|(212 555-0199|911-555-0199x|112-555-0199|2024/01/02|0000012345|1700000000|+0123456789",
        ),
        (
            Detector::PaymentCard,
            "4111111111111112|1111111111111117|411111111111111|0000000000000000|4111--1111-1111-1111",
        ),
        (
            Detector::Iban,
            "GB29 NWBK 6016 1331 9268 18|ZZ89370400440532013000|DE8937040044053201300|GB29NWBK60161331926819X|DEXX370400440532013000",
        ),
        (
            Detector::UsSocialSecurity,
            "078051120|000-12-3456|666-12-3456|900-12-3456|123-00-4567|123-45-0000|078-05 1120|07-805-1120",
        ),
        (
            Detector::ChineseResident,
            "110105194912310021|11010519491331002X|99010519491231002X|11010519490229002X|1101051949123100X2",
        ),
        (Detector::UkNhs, "943 476 5918|0000000000|94347659190"),
        (Detector::FrenchNir, "2 55 08 14 168 025 39|5 55 08 14 168 025 38|255081416802538 1"),
        (Detector::GermanTax, "86095742718|01234567890|11145678900|12345678901"),
        (Detector::SpanishId, "12345678A|1234567Z|W1234567L|123456789Z"),
        (Detector::IndianAadhaar, "123412341234|023412341234|2341 2341"),
        (Detector::Ipv4, "256.1.1.1|1.2.3|1.2.3.4.5|3.14|10.0.0.0/33|01.02.03.04"),
        (Detector::Ipv6, "12:30:45|::|a:b|1:2:3:4:5:6:7:8:9|2001:db8::/129"),
        (
            Detector::Url,
            "example.com|http://|javascript:alert(1)|http://a b.com|file:///etc/x|mailto:a@b.co|www.|http://x_y.com",
        ),
        (Detector::Mac, "12:30:45|001a2b3c4d5e|00:1A:2b:3c:4D:5g|00:1A-2b:3c:4D:5e"),
        (
            Detector::Coordinates,
            "40.71, -74.00|95.1234, 10.1234|10.1234, 190.1234|1,234.5678|40.7128|1.0000|40.7128, -74.0060, 12.0000",
        ),
    ] {
        for text in texts.split('|') {
            assert!(!matches(detector, text), "{} {text}", detector.name());
        }
    }
}

/// Columns without identifiers: no finding from 2,000 rows of each.
#[test]
fn columns_of_other_things_are_not_findings() {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let words =
        ["the", "loan", "was", "paid", "late", "3", "times", "Dr.", "see", "note", "12", "€", "on", "2021-05-06"];
    let mut columns: Vec<(String, Vec<String>)> = Vec::new();
    let mut column = |name: &str, text: &mut dyn FnMut(u64) -> String| {
        columns.push((name.into(), (0..2000).map(text).collect()));
    };
    for length in 1..=20 {
        column(&format!("{length} digits"), &mut |_| {
            (0..length).map(|_| char::from(b'0' + random.random_range(0..10u8))).collect()
        });
        column(&format!("{length} digits from 1"), &mut |_| {
            let first = random.random_range(1..10u8);
            std::iter::once(first)
                .chain((1..length).map(|_| random.random_range(0..10u8)))
                .map(|d| char::from(b'0' + d))
                .collect()
        });
    }
    column("counter", &mut |row| (4_000_000_000_000_000 + row).to_string());
    column("padded counter", &mut |row| format!("{row:010}"));
    column("date", &mut |_| {
        format!(
            "{}-{:02}-{:02}",
            random.random_range(1940..2030),
            random.random_range(1..13),
            random.random_range(1..29)
        )
    });
    column("German date", &mut |_| {
        format!(
            "{:02}.{:02}.{}",
            random.random_range(1..29),
            random.random_range(1..13),
            random.random_range(1940..2030)
        )
    });
    column("date and time", &mut |_| {
        format!(
            "2021-{:02}-{:02} {:02}:{:02}:{:02}",
            random.random_range(1..13),
            random.random_range(1..29),
            random.random_range(0..24),
            random.random_range(0..60),
            random.random_range(0..60)
        )
    });
    column("compact date", &mut |_| {
        format!("{}{:02}{:02}", random.random_range(1940..2030), random.random_range(1..13), random.random_range(1..29))
    });
    column("share", &mut |_| random.random::<f64>().to_string());
    column("amount", &mut |_| format!("{:.2}", random.random_range(-1e6..1e6)));
    column("grouped amount", &mut |_| {
        format!(
            "{},{:03}.{:02}",
            random.random_range(1..999),
            random.random_range(0..1000),
            random.random_range(0..100)
        )
    });
    column("prose", &mut |_| (0..12).map(|_| words[random.random_range(0..words.len())]).collect::<Vec<_>>().join(" "));
    column("hash", &mut |_| format!("{:016x}", random.random::<u64>()));
    column("uuid", &mut |_| {
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            random.random::<u32>(),
            random.random::<u16>(),
            random.random_range(0..4096),
            random.random_range(0..4096),
            random.random_range(0..1u64 << 48)
        )
    });
    column("seconds", &mut |_| random.random_range(1_500_000_000..1_800_000_000).to_string());
    column("milliseconds", &mut |_| random.random_range(1_500_000_000_000u64..1_800_000_000_000).to_string());
    column("version", &mut |_| {
        format!("{}.{}.{}", random.random_range(0..9), random.random_range(0..99), random.random_range(0..99))
    });
    column("time", &mut |_| {
        format!("{:02}:{:02}:{:02}", random.random_range(0..24), random.random_range(0..60), random.random_range(0..60))
    });
    for (name, texts) in &columns {
        let mut looks = Looks::default();
        texts.iter().for_each(|text| looks.look(text));
        for suspicion in looks.suspicions(name) {
            assert!(!suspicion.is_finding(), "{name}: {} in {} of 2000", suspicion.detector.name(), suspicion.matched);
        }
    }
}

/// A column with a tenth of e-mail addresses, and one too short to tell.
#[test]
fn the_decision_looks_at_the_lower_limit() {
    let suspicion = |detector, matched, looked_at| Suspicion { column: "c".into(), detector, matched, looked_at };
    assert!(suspicion(Detector::Email, 150, 1000).is_finding());
    assert!(!suspicion(Detector::Email, 100, 1000).is_finding());
    assert!(suspicion(Detector::Iban, 3, 3).is_finding());
    assert!(!suspicion(Detector::Phone, 3, 3).is_finding());
    assert!(suspicion(Detector::Phone, 10, 10).is_finding());
    assert!(!suspicion(Detector::Email, 0, 0).is_finding());
    assert_eq!(suspicion(Detector::Email, 0, 0).rate(), None);
    // z = 2.5758: 10 / (10 + z^2).
    assert!((suspicion(Detector::Phone, 10, 10).lower().unwrap() - 10.0 / (10.0 + 6.634_896_601_021_214)).abs() < 1e-9);
}

#[test]
fn counts_merge_and_hold_no_text() {
    let (mut one, mut other, mut both) = (Looks::default(), Looks::default(), Looks::default());
    for (half, text) in [(0, "a@b.co"), (1, "4111111111111111"), (0, " "), (1, "c@d.co"), (0, "x")] {
        if half == 0 { &mut one } else { &mut other }.look(text);
        both.look(text);
    }
    one.merge(&other);
    assert_eq!(one, both);
    let found = one.suspicions("c");
    assert_eq!(
        found.iter().map(|s| (s.detector, s.matched, s.looked_at)).collect::<Vec<_>>(),
        [(Detector::Email, 2, 4), (Detector::PaymentCard, 1, 4)]
    );
    let written = format!("{one:?}{found:?}");
    assert!(!written.contains("4111") && !written.contains('@'));
}

#[test]
fn headers() {
    for (header, detector) in [
        ("name", Some(Detector::PersonName)),
        ("First Name", Some(Detector::PersonName)),
        ("customer_last_name", Some(Detector::PersonName)),
        ("patientName", Some(Detector::PersonName)),
        ("Nachname", Some(Detector::PersonName)),
        ("prénom", Some(Detector::PersonName)),
        ("Apellidos", Some(Detector::PersonName)),
        ("客户姓名", Some(Detector::PersonName)),
        ("E-Mail", Some(Detector::Email)),
        ("Adresse e-mail", Some(Detector::Email)),
        ("correo electrónico", Some(Detector::Email)),
        ("home_phone_1", Some(Detector::Phone)),
        ("Téléphone", Some(Detector::Phone)),
        ("手机号码", Some(Detector::Phone)),
        ("身份证号", Some(Detector::ChineseResident)),
        ("SSN", Some(Detector::UsSocialSecurity)),
        ("ip_address", Some(Detector::Ipv4)),
        ("Längengrad", Some(Detector::Coordinates)),
        ("creditCardNumber", Some(Detector::PaymentCard)),
        ("product_name", None),
        ("has_email", None),
        ("email_opt_in", None),
        ("mobile_user", None),
        ("nombre_hijos", None),
        ("customer", None),
        ("id", None),
        ("number", None),
        ("", None),
        ("___", None),
        ("renamed", None),
        ("panel", None),
    ] {
        assert_eq!(by_header(header), detector, "{header}");
    }
    assert_eq!(by_header(&"name ".repeat(100_000)), None);
}

/// A megabyte of anything is read in a moment: the limits on length stop every detector but the trimming.
#[test]
fn long_and_broken_texts_take_no_time() {
    let texts = [
        "1".repeat(1 << 20),
        "1 ".repeat(1 << 19),
        " ".repeat(1 << 20),
        "@".repeat(1 << 20),
        format!("{}@{}.com", "a".repeat(1 << 19), "b.".repeat(1 << 18)),
        "http://".repeat(1 << 17),
        format!("http://{}", "a".repeat(1 << 20)),
        ":".repeat(1 << 20),
        "é".repeat(1 << 19),
        "😀".repeat(1 << 18),
        "1.0000,".repeat(1 << 17),
        "(".repeat(1 << 20),
    ];
    let start = Instant::now();
    for text in &texts {
        assert!(found(text).is_empty());
        by_header(text);
        let mut looks = Looks::default();
        looks.look(text);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// Every text cut at every place, with letters of several bytes.
#[test]
fn no_boundary_of_a_letter_breaks_a_detector() {
    for text in [
        "1101051949123100é",
        "point°°°°",
        "www😀.com",
        "POINé(1 2)",
        "X123456é7L",
        "40.7128°N",
        "２１２-555",
        "http://é",
        "\u{0}\u{202e}@x.co",
    ] {
        for (at, _) in text.char_indices() {
            found(&text[at..]);
            found(&text[..at]);
            found(&format!("{}{}", text[..at].repeat(3), &text[at..]));
        }
    }
}

/// The check digits of a body that the detector takes.
fn checks(detector: Detector, body: &str) -> Vec<u8> {
    (0..10).filter(|check| matches(detector, &format!("{body}{check}"))).collect()
}

/// The digits of a text with two neighbours exchanged.
fn exchanged(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes.swap(at, at + 1);
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn cards_have_one_check_digit(body in "4[0-9]{14}|5[1-5][0-9]{13}|35[3-8][0-9]{12}|3[47][0-9]{12}|62[0-9]{16}") {
        // The textbook: double from the right, add the digits of the doubles.
        let sum: u32 = body.bytes().rev().enumerate().map(|(place, byte)| {
            let digit = u32::from(byte - b'0') * if place % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        }).sum();
        prop_assert_eq!(checks(Detector::PaymentCard, &body), [((10 - sum % 10) % 10) as u8]);
    }

    #[test]
    fn ibans_have_one_pair_of_check_digits(country in 0usize..4, account in "[0-9A-Z]{24}") {
        let (code, length) = [("DE", 22), ("FR", 27), ("NO", 15), ("MT", 31)][country];
        let account: String = account.chars().cycle().take(length - 4).collect();
        // 98 less the rest with 00 as check digits, digit by digit.
        let digits: String = format!("{account}{code}00").chars().map(|c| c.to_digit(36).unwrap().to_string()).collect();
        let rest = digits.bytes().fold(0, |rest, byte| (rest * 10 + u32::from(byte - b'0')) % 97);
        let valid = format!("{code}{:02}{account}", 98 - rest);
        prop_assert!(matches(Detector::Iban, &valid));
        for wrong in (2..98).filter(|check| *check != 98 - rest) {
            let wrong = format!("{code}{wrong:02}{account}");
            prop_assert!(!matches(Detector::Iban, &wrong));
        }
        let grouped: Vec<String> = valid.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into()).collect();
        prop_assert!(matches(Detector::Iban, &grouped.join(" ")));
    }

    #[test]
    fn chinese_ids_by_the_weights_of_the_standard(area in "(11|31|44|54|81)[0-9]{4}", year in 1900u32..2100, month in 1u32..13, day in 1u32..29, order in 0u32..1000) {
        let body = format!("{area}{year}{month:02}{day:02}{order:03}");
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: usize = body.bytes().zip(weights).map(|(byte, weight)| usize::from(byte - b'0') * weight).sum();
        for (rest, check) in "10X98765432".chars().enumerate() {
            let text = format!("{body}{check}");
            prop_assert_eq!(matches(Detector::ChineseResident, &text), rest == sum % 11);
        }
    }

    #[test]
    fn nhs_numbers_by_their_rule(body in "[1-9][0-9]{8}") {
        let sum: u32 = body.bytes().enumerate().map(|(place, byte)| u32::from(byte - b'0') * (10 - place as u32)).sum();
        let expected = match 11 - sum % 11 { 11 => vec![0], 10 => vec![], check => vec![check as u8] };
        prop_assert_eq!(checks(Detector::UkNhs, &body), expected);
    }

    #[test]
    fn nirs_by_their_rule(sex in 1u64..3, year in 0u64..100, month in 1u64..13, department in 1u64..96, rest in 0u64..1_000_000) {
        let body = format!("{sex}{year:02}{month:02}{department:02}{rest:06}");
        let key = 97 - body.parse::<u64>().unwrap() % 97;
        let text = format!("{body}{key:02}");
        prop_assert!(matches(Detector::FrenchNir, &text));
        let other = format!("{body}{:02}", key % 97 + 1);
        prop_assert!(!matches(Detector::FrenchNir, &other));
        // Corsica: 2A is computed as 19, 2B as 18.
        for (letters, digits) in [("2A", "19"), ("2B", "18")] {
            let key = 97 - format!("{}{digits}{rest:06}", &body[..5]).parse::<u64>().unwrap() % 97;
            let text = format!("{}{letters}{rest:06}{key:02}", &body[..5]);
            prop_assert!(matches(Detector::FrenchNir, &text));
        }
    }

    #[test]
    fn tax_ids_and_aadhaar_have_one_check_digit(order in Just((0..10).collect::<Vec<u8>>()).prop_shuffle(), from in 0usize..9, body in "[2-9][0-9]{10}") {
        // Nine different digits and one of them again; not in the first place if it is 0.
        let mut digits = order[..9].to_vec();
        digits.push(order[from]);
        let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        prop_assert_eq!(checks(Detector::GermanTax, &text).len(), usize::from(digits[0] > 0));
        let different: String = order.iter().map(|digit| char::from(b'0' + digit)).collect();
        prop_assert!(checks(Detector::GermanTax, &different).is_empty());
        let valid = checks(Detector::IndianAadhaar, &body);
        prop_assert_eq!(valid.len(), 1);
        let text = format!("{body}{}", valid[0]);
        for at in (1..11).filter(|&at| text.as_bytes()[at] != text.as_bytes()[at + 1]) {
            prop_assert!(!matches(Detector::IndianAadhaar, &exchanged(&text, at)));
        }
    }

    #[test]
    fn spanish_letters(number in 0u32..100_000_000) {
        let letter = "TRWAGMYFPDXBNJZSQVHLCKE".as_bytes()[(number % 23) as usize] as char;
        for other in 'A'..='Z' {
            let text = format!("{number:08}{other}");
            prop_assert_eq!(matches(Detector::SpanishId, &text), other == letter);
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>(), digits in "[0-9 +().:/@-]{0,40}", cut in 0usize..40) {
        found(&text);
        found(&digits);
        found(digits.get(cut..).unwrap_or(""));
        by_header(&text);
    }
}
