//! Tables for a terminal: aligned by what the characters take up, stacked where the terminal is narrow, with nothing raw from outside.

use std::io::IsTerminal;

use crate::world;

/// Longest text of a cell.
const CELL_CHARS: usize = 48;
/// Columns of a terminal that does not say how many it has.
const WIDTH: usize = 110;

/// A table that is printed once.
#[derive(Debug, Clone)]
pub struct Table {
    pub head: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// How a text looks on stdout.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns of the terminal (`COLUMNS`).
    pub width: usize,
    /// A terminal, and neither `NO_COLOR` nor a dumb one.
    pub colour: bool,
    /// The locale writes UTF-8 (`LC_ALL`, `LC_CTYPE`, `LANG`; the first that is set).
    pub unicode: bool,
}

impl Look {
    pub fn now() -> Look {
        let wanted = world::variable("NO_COLOR").is_none() && world::variable("TERM").is_none_or(|term| term != "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| world::variable(name)).unwrap_or_default();
        let locale = locale.to_lowercase();
        Look {
            width: world::variable("COLUMNS").and_then(|n| n.parse().ok()).filter(|n| *n >= 20).unwrap_or(WIDTH),
            colour: wanted && std::io::stdout().is_terminal(),
            unicode: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    /// The text in bold.
    pub fn bold(&self, text: &str) -> String {
        if self.colour { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.into() }
    }
}

impl Table {
    pub fn new(head: &[&'static str]) -> Table {
        Table { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; whatever is from outside is made visible and cut.
    pub fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| cut(&visible(cell))).collect());
    }

    /// Columns side by side, or one below the other where they do not fit.
    pub fn text(&self, look: &Look) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|i| {
                let cells = self.rows.iter().filter_map(|row| row.get(i)).map(|cell| wide(cell));
                cells.chain([self.head[i].len()]).max().unwrap_or(0)
            })
            .collect();
        let whole = widths.iter().sum::<usize>() + 2 * widths.len();
        if whole > look.width { self.stacked(look) } else { self.aligned(&widths, look) }
    }

    fn aligned(&self, widths: &[usize], look: &Look) -> String {
        let line = |cells: &[String]| {
            let padded = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("  {cell}{}", " ".repeat(width.saturating_sub(wide(cell)))));
            padded.collect::<String>().trim_end().to_string()
        };
        let head: Vec<String> = self.head.iter().map(|name| name.to_string()).collect();
        let mut lines = vec![look.bold(&line(&head))];
        lines.extend(self.rows.iter().map(|row| line(row)));
        lines.join("\n")
    }

    fn stacked(&self, look: &Look) -> String {
        let mut lines = Vec::new();
        for row in &self.rows {
            for (i, (name, cell)) in self.head.iter().zip(row).enumerate().filter(|(_, (_, cell))| !cell.is_empty()) {
                lines.push(match i {
                    0 => look.bold(&format!("  {cell}")),
                    _ => format!("    {name}: {cell}"),
                });
            }
        }
        lines.join("\n")
    }
}

/// The text with every character that a terminal would obey, or that turns or hides what follows, written out: `\u{1b}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        );
        match c.is_control() || hidden {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// The text, at most so long; a longer one ends in dots.
fn cut(text: &str) -> String {
    match text.chars().count() > CELL_CHARS {
        true => text.chars().take(CELL_CHARS - 2).chain("..".chars()).collect(),
        false => text.into(),
    }
}

/// Columns a text takes: none for combining characters, two for those of East Asia and pictures (Unicode, UAX 11, in broad ranges).
fn wide(text: &str) -> usize {
    let of = |c: char| match u32::from(c) {
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f | 0x1ab0..=0x1aff => 0,
        0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    };
    text.chars().map(of).sum()
}

/// A row of values as blocks of eight heights; `_` to `^` where the locale is not UTF-8. A value that is not there is a gap.
pub fn sparkline(values: &[Option<f64>], look: &Look) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const PLAIN: [char; 5] = ['_', '.', '-', '=', '^'];
    let marks: &[char] = if look.unicode { &BLOCKS } else { &PLAIN };
    let known: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
    let (least, most) = known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    let top = marks.len() - 1;
    let mark = |value: &Option<f64>| match value.filter(|value| value.is_finite()) {
        None => ' ',
        // Halves, so that the distance of two finite numbers is finite.
        Some(value) if most > least => {
            let share = (value / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0);
            marks[((share * top as f64).round().max(0.0) as usize).min(top)]
        }
        Some(_) => marks[top / 2],
    };
    values.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { width: 80, colour: false, unicode: true };

    #[test]
    fn nothing_a_terminal_obeys_is_printed() {
        let hostile = "\u{1b}[31mred\u{1b}]0;t\u{7}\r\n\u{9b}2J\u{202e}x\u{200b}\0\u{2028}\u{feff}<script>名前";
        let shown = visible(hostile);
        assert!(shown.chars().all(|c| !c.is_control()), "{shown}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{2028}', '\u{feff}', '\u{9b}']), "{shown}");
        assert!(
            shown.starts_with("\\u{1b}[31mred\\u{1b}]0;t\\u{7}\\r\\n\\u{9b}2J\\u{202e}x")
                && shown.ends_with("<script>名前")
        );
        let mut table = Table::new(&["name", "n"]);
        table.row(&[&"\u{1b}".repeat(10_000), "1"]);
        let text = table.text(&LOOK);
        assert!(text.len() < 200 && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn columns_line_up_by_what_characters_take_and_stack_where_they_do_not_fit() {
        let mut table = Table::new(&["cohort", "n"]);
        table.row(&["女性", "1"]);
        table.row(&["e\u{301}lan", "22"]);
        assert_eq!(table.text(&LOOK), "  cohort  n\n  女性    1\n  e\u{301}lan    22");
        assert_eq!(table.text(&Look { width: 10, ..LOOK }), "  女性\n    n: 1\n  e\u{301}lan\n    n: 22");
        assert!(table.text(&Look { colour: true, ..LOOK }).starts_with("\u{1b}[1m"));
    }

    #[test]
    fn a_sparkline_has_a_mark_for_every_value() {
        let values = [Some(0.0), Some(1.0), None, Some(0.5), Some(f64::NAN), Some(1.0)];
        assert_eq!(sparkline(&values, &LOOK), "▁█ ▅ █");
        assert_eq!(sparkline(&values, &Look { unicode: false, ..LOOK }), "_^ - ^");
        assert_eq!(sparkline(&[Some(2.0), Some(2.0)], &LOOK), "▄▄");
        assert_eq!(sparkline(&[Some(f64::MAX), Some(f64::MIN)], &LOOK), "█▁");
        assert_eq!(sparkline(&[], &LOOK), "");
    }
}
