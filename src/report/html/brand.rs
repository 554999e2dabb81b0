//! `brand.css`: colours and fonts of the house, and nothing else.
//!
//! The file is two blocks of custom properties, `:root { --link: #0a5689; }` and the same within
//! `@media (prefers-color-scheme: dark) { ... }`. What it says is written anew, so nothing else of it reaches the page. The colours of
//! the verdicts are not the house's: their meaning is the same in every report. Text keeps a contrast of 4.5 (WCAG 2.2, 1.4.3).

use std::collections::BTreeMap;
use std::ops::Range;

use super::STYLE;

/// Name of the file.
pub const FILE: &str = "brand.css";

const COLOURS: [&str; 8] = ["paper", "sheet", "ink", "soft", "rule", "hair", "tint", "link"];
const FONTS: [&str; 3] = ["serif", "sans", "mono"];
const TEXTS: [&str; 8] = ["ink", "soft", "link", "pass", "warn", "fail", "open", "waived"];
const GROUNDS: [&str; 3] = ["paper", "sheet", "tint"];
const CONTRAST_MIN: f64 = 4.5;

/// What is wrong, at which bytes.
pub struct Fault {
    pub at: Range<usize>,
    pub message: String,
    pub remedy: String,
}

/// One line of a block.
struct Line<'a> {
    name: &'a str,
    value: &'a str,
    dark: bool,
    at: Range<usize>,
}

/// The style that the file adds; what is wrong in it is left out.
pub fn style(css: &str) -> String {
    let (lines, _) = read(css);
    let block = |keep: &dyn Fn(&Line) -> bool| {
        let lines: Vec<String> = lines
            .iter()
            .filter(|line| right(line) && keep(line))
            .map(|line| format!("--{}: {};", line.name, line.value))
            .collect();
        lines.join(" ")
    };
    let fonts = block(&|line| FONTS.contains(&line.name) && !line.dark);
    let light = block(&|line| COLOURS.contains(&line.name) && !line.dark);
    let dark = block(&|line| COLOURS.contains(&line.name) && line.dark);
    format!(
        "html:root {{ {fonts} }}\n@media screen and (prefers-color-scheme: light) {{ :root {{ {light} }} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    )
}

/// Everything that is wrong with the file.
pub fn faults(css: &str) -> Vec<Fault> {
    let (lines, mut faults) = read(css);
    for line in &lines {
        if !COLOURS.contains(&line.name) && !FONTS.contains(&line.name) {
            let names = [COLOURS.as_slice(), FONTS.as_slice()].concat().join(", --");
            faults.push(Fault {
                at: line.at.clone(),
                message: format!("--{} is none of the page's to change", line.name),
                remedy: format!("possible: --{names}"),
            });
        } else if !right(line) {
            let remedy = match COLOURS.contains(&line.name) {
                true => "write a colour as #rrggbb",
                false => "write names of fonts, separated by commas; a name with blanks in double quotes",
            };
            let message = format!("--{} has a value that is none", line.name);
            faults.push(Fault { at: line.at.clone(), message, remedy: remedy.into() });
        } else if line.dark && FONTS.contains(&line.name) {
            let message = format!("--{} is the same in the light and in the dark", line.name);
            faults.push(Fault { at: line.at.clone(), message, remedy: "move it to the first :root block".into() });
        }
    }
    for dark in [false, true] {
        faults.extend(faint(&lines, dark));
    }
    faults
}

/// Texts that do not stand out from what is behind them.
fn faint(lines: &[Line], dark: bool) -> Option<Fault> {
    let of = |line: &&Line| line.dark == dark && COLOURS.contains(&line.name) && right(line);
    let own: Vec<&Line> = lines.iter().filter(of).collect();
    let last = own.last()?;
    let mut colours = palette(dark);
    colours.extend(own.iter().map(|line| (line.name, line.value)));
    let (text, ground, contrast) = TEXTS
        .iter()
        .flat_map(|text| GROUNDS.iter().map(move |ground| (*text, *ground)))
        .filter_map(|(text, ground)| Some((text, ground, contrast(colours.get(text)?, colours.get(ground)?)?)))
        .min_by(|a, b| a.2.total_cmp(&b.2))?;
    (contrast < CONTRAST_MIN).then(|| Fault {
        at: last.at.clone(),
        message: format!(
            "{}: --{text} on --{ground} has a contrast of {contrast:.1}, and text needs {CONTRAST_MIN}",
            if dark { "in the dark" } else { "in the light" }
        ),
        remedy: "take a darker or a lighter colour".into(),
    })
}

/// The colours of the page itself.
fn palette(dark: bool) -> BTreeMap<&'static str, &'static str> {
    let block = STYLE.split(":root {").nth(if dark { 2 } else { 1 }).and_then(|rest| rest.split('}').next());
    let lines =
        block.unwrap_or_default().split(';').filter_map(|line| line.trim().strip_prefix("--")?.split_once(": "));
    lines.filter(|(_, value)| value.starts_with('#')).collect()
}

/// Contrast of two colours (WCAG 2.2), 1 to 21.
fn contrast(a: &str, b: &str) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn luminance(colour: &str) -> Option<f64> {
    let digits = colour.strip_prefix('#')?;
    let channel = |i: usize| {
        let byte = match digits.len() {
            3 => u8::from_str_radix(&digits.get(i..i + 1)?.repeat(2), 16),
            _ => u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16),
        };
        let c = f64::from(byte.ok()?) / 255.0;
        Some(if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) })
    };
    Some(0.2126 * channel(0)? + 0.7152 * channel(1)? + 0.0722 * channel(2)?)
}

/// Whether the value is one of its kind.
fn right(line: &Line) -> bool {
    if COLOURS.contains(&line.name) {
        let digits = line.value.strip_prefix('#').unwrap_or_default();
        return matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-' | '"');
    FONTS.contains(&line.name)
        && !line.value.is_empty()
        && line.value.len() <= 300
        && line.value.chars().all(plain)
        && line.value.matches('"').count().is_multiple_of(2)
}

/// The lines of the blocks, and what is no line of one.
fn read(css: &str) -> (Vec<Line<'_>>, Vec<Fault>) {
    const DARK: &str = "@media(prefers-color-scheme:dark)";
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let blanked = without_comments(css);
    let (mut at, mut dark) = (0, false);
    // Blocks within a block of the dark are closed by two braces.
    while let Some(part) = blanked.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let start = at + (part.len() - part.trim_start().len());
        let end = part.find(['{', '}', ';']).map_or(blanked.len(), |i| at + i);
        let sign = blanked.as_bytes().get(end).copied();
        let head: String = blanked.get(start..end).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
        at = end + 1;
        match (head.as_str(), sign) {
            (DARK, Some(b'{')) if !dark => dark = true,
            ("", Some(b'}')) if dark => dark = false,
            (":root", Some(b'{')) => {
                let close = blanked.get(at..).and_then(|rest| rest.find('}')).map_or(blanked.len(), |i| at + i);
                for (from, text) in pieces(&blanked, at, close) {
                    let span = from..from + text.len();
                    match text.split_once(':').and_then(|(name, value)| Some((name.trim().strip_prefix("--")?, value)))
                    {
                        // The text and its copy without comments have the same bytes at the same places.
                        Some((name, value)) if css.get(span.clone()) == Some(text) => {
                            let within = |part: &str| {
                                let offset = text.find(part).unwrap_or(0);
                                css.get(from + offset..from + offset + part.len()).unwrap_or_default()
                            };
                            let (name, value) = (within(name), within(value.trim()));
                            lines.push(Line { name, value, dark, at: span });
                        }
                        _ => faults.push(stray(span)),
                    }
                }
                at = close + 1;
            }
            _ => {
                faults.push(stray(start..end.max(start)));
                return (lines, faults);
            }
        }
    }
    (lines, faults)
}

fn stray(at: Range<usize>) -> Fault {
    Fault {
        at,
        message: "this is no line of a :root block".into(),
        remedy:
            "write :root { --link: #0a5689; } and, for the dark, @media (prefers-color-scheme: dark) { :root { ... } }"
                .into(),
    }
}

/// The parts between semicolons that say something, with their places.
fn pieces(text: &str, from: usize, to: usize) -> Vec<(usize, &str)> {
    let mut at = from;
    let mut pieces = Vec::new();
    for piece in text.get(from..to).unwrap_or_default().split(';') {
        let trimmed = piece.trim();
        if !trimmed.is_empty() {
            pieces.push((at + (piece.len() - piece.trim_start().len()), trimmed));
        }
        at += piece.len() + 1;
    }
    pieces
}

/// The text with blanks in the place of comments, byte for byte.
fn without_comments(css: &str) -> String {
    let mut text = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(start) = rest.find("/*") {
        let end = rest.get(start + 2..).and_then(|after| after.find("*/")).map_or(rest.len(), |i| start + i + 4);
        text.push_str(rest.get(..start).unwrap_or_default());
        text.push_str(&" ".repeat(end - start));
        rest = rest.get(end..).unwrap_or_default();
    }
    text + rest
}
