//! A budget: what is spent of what is granted, one bar for each account, its end marked and written beside it.

use super::{Anchor, Canvas, Scale};

const WIDTH: f64 = 520.0;
const LEFT: f64 = 2.0;
const RIGHT: f64 = 506.0;
const ROW: f64 = 40.0;
const BAR: f64 = 13.0;
const AXIS: f64 = 22.0;

/// One account.
#[derive(Debug, Clone)]
pub struct Account {
    /// What it is, and its figures: written above the bar.
    pub words: String,
    pub spent: f64,
    /// Where it ends; none for what has no end of its own.
    pub granted: Option<f64>,
}

#[derive(Debug, Clone)]
pub struct Gauge {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    pub description: String,
    pub scale: Scale,
    pub accounts: Vec<Account>,
}

/// The gauge as SVG.
pub fn draw(gauge: &Gauge) -> String {
    let bottom = ROW * gauge.accounts.len() as f64 + 2.0;
    let mut canvas = Canvas::new(&gauge.id, &gauge.title, &gauge.description, (WIDTH, bottom + AXIS));
    let x = |value: f64| LEFT + (RIGHT - LEFT) * gauge.scale.share(value);
    for (i, (at, label)) in gauge.scale.ticks.iter().enumerate() {
        let at = x(*at);
        // Beside the words of an account there is none.
        let bars: String =
            (0..gauge.accounts.len()).map(|i| format!("M{at:.1} {}v20", ROW * i as f64 + 18.0)).collect();
        canvas.path("k-grid", format_args!("{bars}M{at:.1} {}v3", bottom - 3.0));
        let anchor = if i == 0 { Anchor::Start } else { Anchor::Middle };
        canvas.text("k-tick", (at, bottom + 15.0), anchor, label, 60.0);
    }
    for (i, account) in gauge.accounts.iter().enumerate() {
        let top = ROW * i as f64;
        canvas.text("k-label", (LEFT, top + 15.0), Anchor::Start, &account.words, RIGHT - LEFT);
        let (bar, to) = (top + 20.0, x(account.spent));
        if let Some(granted) = account.granted {
            let end = x(granted);
            canvas.rectangle("k-before", (LEFT, bar), (end - LEFT, BAR));
            canvas.path("k-limit", format_args!("M{end:.1} {:.1}V{:.1}", bar - 4.0, bar + BAR + 4.0));
        }
        canvas.rectangle("k-after", (LEFT, bar), (to - LEFT, BAR));
    }
    canvas.finish()
}
