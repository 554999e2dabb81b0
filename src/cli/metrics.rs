//! `evenhand metrics`: the cards of all metrics, and the metrics of other tools by their names there.

use std::fmt::Write;

use serde::Serialize;

use super::Output;
use crate::metric::peers::{Counterpart, DISTINCT, Ours, Peer};
use crate::metric::{Card, Needs, cards};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// As a table in Markdown, the one of the README.
    #[arg(long)]
    markdown: bool,
    /// What the metrics of another tool are here, and where they differ.
    #[arg(long, value_name = "PEER")]
    peer: Option<Named>,
}

/// The tools whose metrics are listed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Named {
    Fairlearn,
    Aif360,
    Aequitas,
}

impl Named {
    fn peer(self) -> Peer {
        match self {
            Named::Fairlearn => Peer::Fairlearn,
            Named::Aif360 => Peer::Aif360,
            Named::Aequitas => Peer::Aequitas,
        }
    }
}

/// The metrics of a peer as JSON.
#[derive(Serialize)]
struct Counterparts {
    peer: &'static str,
    metrics: &'static [Counterpart],
}

pub fn run(args: &Args, out: &Output) -> u8 {
    if let Some(peer) = args.peer.map(Named::peer) {
        match (out.json(), args.markdown) {
            (true, _) => out.result_json(&Counterparts { peer: peer.name(), metrics: peer.metrics() }),
            (false, true) => out.result(&counterparts(peer)),
            (false, false) => out.result(&names(peer)),
        }
        return 0;
    }
    match (out.json(), args.markdown) {
        (true, _) => out.result_json(&cards()),
        (false, true) => out.result(&markdown()),
        (false, false) => out.result(&human()),
    }
    0
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// README's table of metrics.
pub fn markdown() -> String {
    let mut table = String::from("| metric | formula | what it hides | needs | source |\n|---|---|---|---|---|\n");
    for card in cards() {
        let cells = [cell(card.formula), cell(card.hides), needs(&card).into(), cell(card.source)];
        let _ = writeln!(table, "| `{}` | {} |", card.id, cells.join(" | "));
    }
    table
}

/// The metrics of a peer as a table.
fn counterparts(peer: Peer) -> String {
    let mut table = format!("| {} | here | where theirs differs |\n|---|---|---|\n", peer.name());
    for Counterpart { theirs, ours, differs } in peer.metrics() {
        let ours = match ours {
            Ours::Value { metric } => format!("`{metric}`"),
            Ours::Comparison { metric, compare, against } => format!("`{metric}`, {compare} against {against}"),
            Ours::Elsewhere { .. } | Ours::LeftOut { .. } => ours.to_string(),
        };
        let _ = writeln!(table, "| {} | {} | {} |", cell(theirs), cell(&ours), cell(differs));
    }
    table
}

/// The section of DESIGN.md about the metrics of other tools.
pub fn every_metric_of_the_peers() -> String {
    let mut section = String::new();
    for peer in Peer::ALL {
        let _ = writeln!(section, "{}", counterparts(peer));
    }
    section += "| tool | what it has beyond those | here |\n|---|---|---|\n";
    for (tool, what, here) in DISTINCT {
        let _ = writeln!(section, "| {tool} | {} | {} |", cell(what), cell(here));
    }
    section
}

fn names(peer: Peer) -> String {
    let mut text = format!("{}\n\n", peer.name());
    for Counterpart { theirs, ours, differs } in peer.metrics() {
        let _ = writeln!(text, "{theirs}\n    = {ours}");
        if !differs.is_empty() {
            let _ = writeln!(text, "    theirs  {differs}");
        }
    }
    text
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
        Needs::Cohorts => "protected columns",
        Needs::Label => "label",
        Needs::Decision => "decision",
        Needs::LabelAndDecision => "label, decision",
        Needs::LabelAndScore if card.id == "log-loss" => "label, score of a model trained here",
        Needs::LabelAndScore => "label, score",
        Needs::Score => "score",
        Needs::Prediction => "numeric prediction",
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

    /// The tables of DESIGN.md are those that are printed.
    #[test]
    fn every_metric_of_the_peers_is_in_the_design() {
        let section = every_metric_of_the_peers();
        for row in section.lines().filter(|line| line.starts_with("| ")) {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
        }
        assert!(include_str!("../../DESIGN.md").contains(&section), "\n{section}");
        for peer in Peer::ALL {
            let text = names(peer);
            assert!(peer.metrics().iter().all(|of| text.contains(of.theirs)));
        }
    }
}
