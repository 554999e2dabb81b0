//! What is posted to a webhook: our own JSON, the shape of Slack's incoming webhooks, an adaptive card for a workflow of Teams.
//!
//! Sources: api.slack.com/messaging/webhooks and api.slack.com/reference/surfaces/formatting (escaping); adaptivecards.io, version 1.4, in a
//! message with attachments as workflows of Teams take it. Texts are cut so that each is below 20 kB.

use serde_json::{Value, json};

use super::{Frame, Notice};
use crate::report::document::{Finding, Report, Run};
use crate::report::language::text;
use crate::report::view::mail::{Counts, Line, MailView, line, shown};

/// Version of our own JSON; grows when a key changes its meaning or goes away.
pub const MESSAGE_VERSION: u32 = 1;

/// Pairs of attribute and level of one cohort.
const PAIRS_MAX: usize = 6;

/// Figures as numbers, for a program.
pub fn json(report: &Report, run: &Run, view: &MailView, frame: &Frame) -> Value {
    let Counts { all, evaluated, blocking, warnings } = view.counts;
    let findings: Vec<Value> = shown(report).map(finding_json).collect();
    let runs: Vec<Value> = match &frame.notice {
        Notice::Digest { runs } => runs
            .iter()
            .take(view.runs.len())
            .map(|past| json!({ "run_id": line(&past.run_id), "outcome": past.outcome, "day": line(&past.day) }))
            .collect(),
        Notice::Run | Notice::Quiet { .. } => Vec::new(),
    };
    json!({
        "message_version": MESSAGE_VERSION,
        "notice": match &frame.notice {
            Notice::Run => "run",
            Notice::Digest { .. } => "digest",
            Notice::Quiet { .. } => "quiet",
        },
        "subject": view.subject,
        "pipeline": line(&run.pipeline),
        "title": view.title,
        "run_id": view.run_id,
        "finished_at": line(&run.finished_at),
        "edition": run.edition,
        "outcome": report.outcome,
        "previous": run.previous.as_ref().map(|before| json!({ "run_id": line(&before.run_id), "outcome": before.outcome })),
        "reason": view.sentence,
        "criteria": { "all": all, "evaluated": evaluated, "blocking": blocking, "warnings": warnings },
        "epsilon": run.ledger.as_ref().map(|ledger| json!({ "spent": ledger.epsilon_spent, "granted": ledger.epsilon_granted })),
        "findings": findings,
        "more": view.more,
        "runs": runs,
        "link": if view.link.is_empty() { Value::Null } else { json!(view.link) },
        "report_sha256": view.sha256,
    })
}

fn finding_json(finding: &Finding) -> Value {
    let cohort: serde_json::Map<String, Value> = finding
        .cohort
        .pairs
        .iter()
        .take(PAIRS_MAX)
        .map(|(attribute, level)| (line(attribute), json!(line(level))))
        .collect();
    let estimate = finding.measured.as_ref().and_then(|measured| measured.estimate());
    let gate = finding.gate.as_ref();
    json!({
        "code": line(&finding.code),
        "cohort": cohort,
        "verdict": finding.verdict,
        "level": finding.level,
        "point": estimate.map(|estimate| estimate.point),
        "lower": estimate.and_then(|estimate| estimate.interval.lower),
        "upper": estimate.and_then(|estimate| estimate.interval.upper),
        "at_most": gate.and_then(|gate| gate.at_most),
        "at_least": gate.and_then(|gate| gate.at_least),
        "reason": line(&finding.reason),
    })
}

/// Characters of a header of Slack.
const HEADER_CHARS: usize = 150;

/// Blocks: header, the sentence, the numbers, the findings, where from.
pub fn slack(view: &MailView) -> Value {
    let section = |text: String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    let fields: Vec<Value> = view
        .tiles
        .iter()
        .map(|tile| json!({ "type": "mrkdwn", "text": format!("*{}*\n{}", mrkdwn(&tile.value), mrkdwn(&tile.label)) }))
        .collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": header(&view.subject), "emoji": false } }),
        section(sentences(view).map(|text| mrkdwn(text)).collect::<Vec<_>>().join("\n")),
        json!({ "type": "section", "fields": fields }),
    ];
    let said = |of: &Line| format!("*{}*  {}", mrkdwn(&of.badge.word), mrkdwn(&of.text));
    let lines: Vec<String> = lines(view).map(said).collect();
    blocks.extend((!lines.is_empty()).then(|| section(lines.join("\n"))));
    if !view.link.is_empty() {
        blocks.push(section(format!("<{}|{}>", mrkdwn(&view.link).replace('|', "%7C"), mrkdwn(&text!("mail-open")))));
    }
    let foot: Vec<Value> = foot(view).iter().map(|text| json!({ "type": "mrkdwn", "text": mrkdwn(text) })).collect();
    blocks.push(json!({ "type": "context", "elements": foot }));
    json!({ "text": mrkdwn(&view.subject), "blocks": blocks })
}

/// The three characters that Slack gives a meaning to; without them there is neither link nor mention.
fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A text that is escaped and still no longer than a header may be.
fn header(text: &str) -> String {
    let mut chars = HEADER_CHARS;
    loop {
        let escaped = mrkdwn(&crate::report::svg::cut(text, chars));
        let over = escaped.chars().count().saturating_sub(HEADER_CHARS);
        if over == 0 || chars == 0 {
            return escaped;
        }
        // An escape is five characters at most.
        chars = chars.saturating_sub(over.div_ceil(5));
    }
}

/// A card: what a mail says, from top to bottom.
pub fn teams(view: &MailView) -> Value {
    let colour = match view.verdict.kind {
        "pass" => "accent",
        "fail" => "attention",
        "warn" => "warning",
        _ => "default",
    };
    let block = |text: String| json!({ "type": "TextBlock", "text": text, "wrap": true });
    let mut body = vec![
        json!({ "type": "TextBlock", "text": markdown(&view.subject), "wrap": true, "size": "large", "weight": "bolder", "color": colour }),
    ];
    body.extend(sentences(view).map(|text| block(markdown(text))));
    let facts: Vec<Value> = view
        .tiles
        .iter()
        .map(|tile| json!({ "title": markdown(&tile.value), "value": markdown(&tile.label) }))
        .collect();
    body.push(json!({ "type": "FactSet", "facts": facts }));
    body.extend(lines(view).map(|of| block(format!("**{}** {}", markdown(&of.badge.word), markdown(&of.text)))));
    body.extend(foot(view).iter().map(
        |text| json!({ "type": "TextBlock", "text": markdown(text), "wrap": true, "size": "small", "isSubtle": true }),
    ));
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if !view.link.is_empty() {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": text!("mail-open"), "url": view.link }]);
    }
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card }],
    })
}

/// A text in which no character has a meaning of Markdown.
fn markdown(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '[' | ']' | '*' | '_' | '`' | '<' | '>' | '#' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn sentences(view: &MailView) -> impl Iterator<Item = &String> {
    [&view.title, &view.sentence, &view.quiet, &view.changed].into_iter().filter(|text| !text.is_empty())
}

fn lines(view: &MailView) -> impl Iterator<Item = &Line> {
    view.runs.iter().chain(&view.findings)
}

fn foot(view: &MailView) -> Vec<String> {
    let more = [&view.runs_more, &view.more, &view.edition].into_iter().filter(|text| !text.is_empty()).cloned();
    let run = format!("{} {}", text!("mail-run"), view.run_id);
    let digest = format!("{} {}", text!("mail-sha256"), view.sha256);
    more.chain([run, digest]).collect()
}
