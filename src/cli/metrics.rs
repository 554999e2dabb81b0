//! `evenhand metrics`: the cards of all metrics.

use std::fmt::Write;

use super::Output;
use crate::metric::{Card, Needs, cards};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// As a table in Markdown, the one of the README.
    #[arg(long)]
    markdown: bool,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    match (out.json(), args.markdown) {
        (true, _) => out.result_json(&cards()),
        (false, true) => out.result(&markdown()),
        (false, false) => out.result(&human()),
    }
    0
}

/// README's table of metrics.
pub fn markdown() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut table = String::from("| metric | formula | what it hides | needs | source |\n|---|---|---|---|---|\n");
    for card in cards() {
        let cells = [cell(card.formula), cell(card.hides), needs(&card).into(), cell(card.source)];
        let _ = writeln!(table, "| `{}` | {} |", card.id, cells.join(" | "));
    }
    table
}

fn human() -> String {
    let mut text = String::new();
    for card in cards() {
        let Card { id, name, formula, hides, source, .. } = card;
        let _ = writeln!(
            text,
            "{id}: {name}\n    = {formula}\n    needs   {}\n    hides   {hides}\n    source  {source}",
            needs(&card)
        );
    }
    text
}

fn needs(card: &Card) -> &'static str {
    match card.needs {
        Needs::Label => "label",
        Needs::Decision => "decision",
        Needs::LabelAndDecision => "label, decision",
        Needs::LabelAndScore if card.id == "log-loss" => "label, score of a model trained here",
        Needs::LabelAndScore => "label, score",
        Needs::NumberAndPrediction => "numeric target, numeric prediction",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_one_row_of_five_cells() {
        let table = markdown();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows.len(), cards().len());
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        }
    }
}
