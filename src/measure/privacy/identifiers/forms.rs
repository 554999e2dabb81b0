//! Identifiers known by their form: addresses of people, machines and places.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A local part of at most 64 places and a domain (RFC 5321); no quoted local parts.
pub fn email(text: &str) -> bool {
    if text.len() > 254 {
        return false;
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let allowed = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_domain(domain)
}

/// Labels with dots between them, the last of letters.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = text.rsplit_once('.') else { return false };
    let top = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    text.len() <= 253 && top && text.split('.').all(label)
}

/// Digits in groups.
struct Groups {
    plus: bool,
    dots: bool,
    lengths: [usize; 8],
    groups: usize,
    digits: [u8; 15],
    len: usize,
}

impl Groups {
    /// At most 15 digits (E.164) in at most 8 groups, with blanks, hyphens, dots, slashes or brackets between them.
    fn of(text: &str) -> Option<Groups> {
        if text.len() > 28 {
            return None;
        }
        let mut found = Groups { plus: false, dots: false, lengths: [0; 8], groups: 0, digits: [0; 15], len: 0 };
        let mut inside = false;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    found.groups += usize::from(!inside);
                    inside = true;
                    *found.lengths.get_mut(found.groups - 1)? += 1;
                    *found.digits.get_mut(found.len)? = byte - b'0';
                    found.len += 1;
                }
                b'+' if at == 0 => found.plus = true,
                b' ' | b'-' | b'.' | b'/' | b'(' | b')' if at > 0 || byte == b'(' => {
                    found.dots |= byte == b'.';
                    inside = false;
                }
                _ => return None,
            }
        }
        (inside && text.matches('(').count() == text.matches(')').count()).then_some(found)
    }

    fn is_grouped(&self, lengths: &[usize]) -> bool {
        self.lengths[..self.groups] == *lengths
    }
}

/// International with a plus sign or 00, and forms of North America, China, India, Spain and countries with a trunk 0.
pub fn phone(text: &str) -> bool {
    let Some(groups) = Groups::of(text) else { return false };
    let (digits, len) = (&groups.digits, groups.len);
    // A decimal number has one dot.
    if groups.dots && groups.groups < 3 {
        return false;
    }
    if groups.plus {
        return digits[0] > 0 && len >= 8;
    }
    let from = |first: u8, last: u8| (first..=last).contains(&digits[0]);
    let north_america =
        |skip: usize| digits[skip] > 1 && digits[skip + 3] > 1 && (digits[skip + 1], digits[skip + 2]) != (1, 1);
    let trunk = digits[0] == 0
        && digits[1] > 0
        && (9..=12).contains(&len)
        && match groups.groups {
            1 => matches!(len, 10 | 11),
            // A social security number is written in 3, 2 and 4 digits.
            _ => {
                groups.lengths[..groups.groups].iter().all(|length| *length >= 2)
                    && !groups.is_grouped(&[3, 2, 4])
                    && !(groups.dots && groups.groups < 4)
            }
        };
    trunk
        || (digits[..2] == [0, 0] && digits[2] > 0 && groups.groups > 1 && (11..=15).contains(&len))
        || (groups.is_grouped(&[3, 3, 4]) && north_america(0))
        || (groups.is_grouped(&[1, 3, 3, 4]) && digits[0] == 1 && north_america(1))
        || ((groups.is_grouped(&[11]) || groups.is_grouped(&[3, 4, 4])) && digits[0] == 1 && digits[1] >= 3)
        || (groups.is_grouped(&[5, 5]) && from(6, 9))
        || (groups.is_grouped(&[3, 2, 2, 2]) && from(6, 9))
}

/// With or without the length of a prefix.
pub fn ipv4(text: &str) -> bool {
    address(text, 32, |text| text.parse::<Ipv4Addr>().is_ok())
}

/// With or without a zone and the length of a prefix.
pub fn ipv6(text: &str) -> bool {
    address(text, 128, |text| {
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        text.len() > 2 && text.parse::<Ipv6Addr>().is_ok()
    })
}

fn address(text: &str, bits: u8, is_address: impl Fn(&str) -> bool) -> bool {
    if text.len() > 80 {
        return false;
    }
    match text.split_once('/') {
        Some((text, prefix)) => is_address(text) && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= bits),
        None => is_address(text),
    }
}

/// A scheme of the web or of files and a host, or `www.` and a domain; no blanks.
pub fn url(text: &str) -> bool {
    const SCHEMES: [&str; 6] = ["http", "https", "ftp", "ftps", "ws", "wss"];
    if text.len() > 8192 || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => rest,
        None if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) => text,
        _ => return false,
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if let Some(inside) = host.strip_prefix('[') {
        return inside.split_once(']').is_some_and(|(address, _)| ipv6(address));
    }
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => host,
    };
    host.eq_ignore_ascii_case("localhost") || ipv4(host) || is_domain(host)
}

/// Six pairs of hexadecimal digits, or three groups of four.
pub fn mac(text: &str) -> bool {
    if text.len() > 17 {
        return false;
    }
    let groups = |separator: char, many: usize, digits: usize| {
        let hexadecimal = |group: &str| group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit());
        text.split(separator).count() == many && text.split(separator).all(hexadecimal)
    };
    groups(':', 6, 2) || groups('-', 6, 2) || groups('.', 3, 4)
}

/// Latitude and longitude in degrees with at least four decimals, about ten metres; or `POINT(longitude latitude)`.
pub fn coordinates(text: &str) -> bool {
    if text.len() > 64 {
        return false;
    }
    let point = text.get(..5).filter(|start| start.eq_ignore_ascii_case("point")).and_then(|_| text.get(5..));
    let inside = point.unwrap_or(text).trim();
    let inside = inside.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(inside);
    let pair = match point {
        Some(_) => inside.split_once(' ').map(|(longitude, latitude)| (latitude, longitude)),
        None => inside.split_once([',', ';']).or_else(|| inside.split_once(' ')),
    };
    pair.is_some_and(|(latitude, longitude)| {
        degrees(latitude.trim(), 90.0, ['N', 'S']) && degrees(longitude.trim(), 180.0, ['E', 'W'])
    })
}

fn degrees(text: &str, most: f64, sides: [char; 2]) -> bool {
    let text = text.strip_suffix(|c: char| sides.contains(&c.to_ascii_uppercase())).unwrap_or(text).trim_end();
    let text = text.strip_suffix('°').unwrap_or(text);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((whole, decimals)) = unsigned.split_once('.') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&whole.len())
        && (4..=17).contains(&decimals.len())
        && digits(whole)
        && digits(decimals)
        && unsigned.parse::<f64>().is_ok_and(|degrees| degrees <= most)
}
