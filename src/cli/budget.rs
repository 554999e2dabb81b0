//! `evenhand budget`: what populations were granted and what was spent on them. Prints limits, costs and names of statistics, never a value.
//!
//! Exit codes: 0, 2 usage, 3 a ledger that does not hold or cannot be read, 4 nothing granted.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::{Output, USAGE, load, load::unfinished};
use crate::budget::Charge;
use crate::budget::accounting::{amount, rho_of, units_down, units_up, written};
use crate::budget::ledger::{Balance, Entry, Grant, Head, Missing, Spent, Window};
use crate::run::reports_folder;
use crate::store::{self, LedgerError, Store};
use crate::world::Clock;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what is granted, spent and left.
    Show(Show),
    /// Set the limits of a population. What was spent stays spent.
    Grant(GrantArgs),
    /// Recompute every hash and compare the ledger with heads known from reports.
    Verify(Verify),
    /// Mark what a ledger lost as spent, and take it into use again.
    Restore(Restore),
}

/// Which ledger.
#[derive(Debug, clap::Args)]
struct Place {
    /// A pipeline file with a section [privacy]: its ledger and its population.
    #[arg(required_unless_present = "ledger")]
    pipeline: Option<PathBuf>,
    /// The ledger itself, often reports/evenhand.db.
    #[arg(long, value_name = "FILE", conflicts_with = "pipeline")]
    ledger: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
    /// Only this population.
    #[arg(long, value_name = "NAME")]
    population: Option<String>,
}

#[derive(Debug, clap::Args)]
struct GrantArgs {
    #[command(flatten)]
    place: Place,
    /// The population; that of the pipeline when absent.
    #[arg(long, value_name = "NAME")]
    population: Option<String>,
    /// What may be spent in all.
    #[arg(long, value_parser = units)]
    epsilon: u64,
    /// Probability left out of the claim; 0 allows nothing but Laplace noise.
    #[arg(long, value_parser = units, default_value = "0")]
    delta: u64,
    /// Days within which no more than the epsilon of the window may be spent.
    #[arg(long, value_name = "N", requires = "window_epsilon")]
    window_days: Option<u32>,
    /// What may be spent within those days.
    #[arg(long, value_name = "EPSILON", value_parser = units, requires = "window_days")]
    window_epsilon: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    place: Place,
    /// A head the ledger must contain, from a report or `budget show`.
    #[arg(long, value_name = "SEQUENCE:HASH")]
    head: Vec<Head>,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("missing").required(true).args(["all", "epsilon", "rho", "nothing"])))]
struct Restore {
    #[command(flatten)]
    place: Place,
    /// The populations that lack entries; all of them when absent.
    #[arg(long, value_name = "NAME")]
    population: Vec<String>,
    /// What is missing is not known: the whole grant of each population is marked as spent, as the ledger has it. Where a larger grant is
    /// among what was lost, say the cost instead.
    #[arg(long)]
    all: bool,
    /// The pure epsilon that is missing, or with --delta the epsilon of Gaussian releases.
    #[arg(long, value_parser = units)]
    epsilon: Option<u64>,
    /// The delta at which the missing Gaussian releases cost that epsilon.
    #[arg(long, value_parser = units, requires = "epsilon")]
    delta: Option<u64>,
    /// The rho that is missing.
    #[arg(long, value_parser = units)]
    rho: Option<u64>,
    /// The ledger was moved and nothing is missing; --head is its last head at the old place.
    #[arg(long, requires = "head")]
    nothing: bool,
    /// The latest head that is known of the lost entries.
    #[arg(long, value_name = "SEQUENCE:HASH")]
    head: Option<Head>,
    /// Why; it stays in the ledger.
    #[arg(long)]
    reason: String,
}

/// Entries shown of each population.
const SHOWN: usize = 10;

pub fn run(args: &Args, out: &Output) -> u8 {
    match &args.verb {
        Verb::Show(args) => show(args, out),
        Verb::Grant(args) => grant(args, out),
        Verb::Verify(args) => verify(args, out),
        Verb::Restore(args) => restore(args, out),
    }
}

/// A decimal number in units of 10^-12, rounded down.
fn units(text: &str) -> Result<u64, String> {
    let units = text.parse().ok().and_then(units_down);
    units.ok_or_else(|| "not a number from 0 to 9,000,000".to_string())
}

/// The ledger's path, and the population of the pipeline.
fn resolve(place: &Place, out: &Output) -> Result<(PathBuf, Option<String>), u8> {
    let pipeline = match (&place.ledger, &place.pipeline) {
        (Some(ledger), _) => return Ok((ledger.clone(), None)),
        (None, Some(pipeline)) => pipeline,
        (None, None) => return Err(usage(out, "name a pipeline file, or the ledger with --ledger FILE")),
    };
    let loaded = load(pipeline).map_err(|failure| failure.print(out))?;
    let Some(privacy) = &loaded.spec.privacy else {
        let why = "has no section [privacy], so it spends no budget; name the ledger with --ledger FILE";
        return Err(usage(out, &format!("{}: {why}", pipeline.display())));
    };
    let path = match &privacy.ledger {
        Some(ledger) => loaded.folder.join(ledger),
        None => reports_folder(&loaded.spec, &loaded.folder).join(store::FILE),
    };
    Ok((path, Some(privacy.population.clone())))
}

fn usage(out: &Output, why: &str) -> u8 {
    out.error(why);
    USAGE
}

fn failed(out: &Output, e: &LedgerError) -> u8 {
    out.error(&e.to_string());
    e.exit_code()
}

/// Opens a ledger that is there. One of which only the head file is left is opened too, to be refused.
fn open(path: &Path, out: &Output) -> Result<Store, u8> {
    let there = path.exists() || store::head_path(path).exists();
    if !there {
        let why = "there is no ledger; the first grant makes one: evenhand budget grant";
        return Err(usage(out, &format!("{}: {why}", path.display())));
    }
    Store::open(path).map_err(|e| unfinished(out, &e.to_string()))
}

fn show(args: &Show, out: &Output) -> u8 {
    let shown = resolve(&args.place, out).and_then(|(path, own)| {
        let mut store = open(&path, out)?;
        let read = read(&mut store, args.population.clone().or(own));
        read.map(|read| (path, read)).map_err(|e| failed(out, &e))
    });
    let (path, (head, accounts)) = match shown {
        Ok(shown) => shown,
        Err(code) => return code,
    };
    if out.json() {
        let accounts: Vec<_> =
            accounts.iter().map(|(balance, entries)| json!({"balance": balance, "entries": entries})).collect();
        out.result_json(&json!({"ledger": path, "head": head, "unit": 1e-12, "populations": accounts}));
        return 0;
    }
    out.result(&human(head.as_ref(), &accounts));
    0
}

fn human(head: Option<&Head>, accounts: &Accounts) -> String {
    let mut text = String::new();
    for (balance, entries) in accounts {
        account(&mut text, balance, entries);
    }
    let _ = match head {
        Some(head) => writeln!(
            text,
            "head {head}\n  keep it: evenhand budget verify --head tells later whether entries were taken back"
        ),
        None => writeln!(text, "the ledger is empty: evenhand budget grant"),
    };
    text
}

type Accounts = Vec<(Balance, Vec<Entry>)>;

/// The head, and the populations asked for. All when none is named, those without a grant left out.
fn read(store: &mut Store, population: Option<String>) -> Result<(Option<Head>, Accounts), LedgerError> {
    let (now, one) = (Clock::System.now(), population.is_some());
    let names = match population {
        Some(name) => vec![name],
        None => store.populations()?,
    };
    let mut accounts = Vec::new();
    for name in names {
        match store.balance(&name, now) {
            Ok(balance) => accounts.push((balance, store.entries(&name, SHOWN)?)),
            Err(LedgerError::NoGrant { .. }) if !one => {}
            Err(e) => return Err(e),
        }
    }
    Ok((store.verify(&[])?, accounts))
}

fn account(text: &mut String, balance: &Balance, entries: &[Entry]) {
    let Balance { population, grant, lifetime, window, renews, entries: count, .. } = balance;
    let _ = writeln!(text, "population {population}");
    let _ = writeln!(text, "  granted  {}", limits(grant));
    let _ = writeln!(text, "  spent    {}; entries: {count}", spent(lifetime));
    let _ = writeln!(text, "  left     {}", left(lifetime));
    if let Some((window, spending)) = grant.window.zip(window.as_ref()) {
        let renews = renews.map(|at| format!("; the oldest leaves at {at}")).unwrap_or_default();
        let _ = writeln!(text, "  within {} days", window.days);
        let _ = writeln!(text, "    spent  {}{renews}", spent(spending));
        let _ = writeln!(text, "    left   {}", left(spending));
    }
    let _ = writeln!(text, "  entries{}", if *count as usize > SHOWN { ", the last" } else { "" });
    for entry in entries {
        let what = match (&entry.grant, &entry.reason) {
            (Some(grant), _) => limits(grant),
            (None, Some(reason)) => format!("{}  {reason}", cost(entry.charge)),
            (None, None) => format!("{}  {}, {}", cost(entry.charge), entry.pipeline, released(entry)),
        };
        let _ = writeln!(text, "    {}  {}  {}  {what}", entry.sequence, entry.at, entry.kind.word());
    }
    text.push('\n');
}

fn released(entry: &Entry) -> String {
    load::counted(entry.what.len(), "statistic")
}

fn limits(grant: &Grant) -> String {
    let window =
        grant.window.map(|Window { days, epsilon }| format!("; epsilon {} within {days} days", written(epsilon)));
    format!("epsilon {}, delta {}{}", written(grant.epsilon), written(grant.delta), window.unwrap_or_default())
}

fn cost(charge: Charge) -> String {
    let delta = if charge.delta > 0 { format!(", delta {}", written(charge.delta)) } else { String::new() };
    match charge.epsilon {
        Some(epsilon) => format!("epsilon {}{delta}", written(epsilon)),
        None => format!("rho {}{delta}", written(charge.rho)),
    }
}

fn spent(spent: &Spent) -> String {
    let epsilon = spent.epsilon.map_or("beyond every".to_string(), written);
    format!("epsilon {epsilon} of {} ({})", written(spent.limit), cost(spent.cost))
}

fn left(spent: &Spent) -> String {
    format!("one release of epsilon {} or of rho {}", written(spent.left.epsilon), written(spent.left.rho))
}

fn grant(args: &GrantArgs, out: &Output) -> u8 {
    let (path, own) = match resolve(&args.place, out) {
        Ok(resolved) => resolved,
        Err(code) => return code,
    };
    let Some(population) = args.population.clone().or(own) else {
        return usage(out, "name the population: --population NAME");
    };
    let window = args.window_days.zip(args.window_epsilon).map(|(days, epsilon)| Window { days, epsilon });
    let grant = Grant { epsilon: args.epsilon, delta: args.delta, window };
    if let Some(fault) = grant.fault() {
        return usage(out, fault);
    }
    let mut store = match Store::open(&path) {
        Ok(store) => store,
        Err(e) => return unfinished(out, &e.to_string()),
    };
    match store.grant(&population, grant, Clock::System) {
        Err(e) => failed(out, &e),
        Ok(entry) if out.json() => {
            out.result_json(&entry);
            0
        }
        Ok(entry) => {
            let text =
                format!("{population} is granted {} in {}\nhead {}", limits(&grant), path.display(), entry.head());
            out.result(&text);
            0
        }
    }
}

fn verify(args: &Verify, out: &Output) -> u8 {
    let verified = resolve(&args.place, out).and_then(|(path, _)| {
        let mut store = open(&path, out)?;
        store.verify(&args.head).map(|head| (path, head)).map_err(|e| failed(out, &e))
    });
    let (path, head) = match verified {
        Ok(verified) => verified,
        Err(code) => return code,
    };
    match (out.json(), head) {
        (true, head) => out.result_json(&json!({"ledger": path, "head": head, "heads-known": args.head.len()})),
        (false, None) => out.result(&format!("{}: the ledger is empty", path.display())),
        (false, Some(head)) => out.result(&format!(
            "{}: every entry holds; {} known from elsewhere\nhead {head}",
            path.display(),
            load::counted(args.head.len(), "head")
        )),
    }
    0
}

fn restore(args: &Restore, out: &Output) -> u8 {
    let missing = match (args.epsilon, args.delta, args.rho) {
        (Some(epsilon), None, _) => Missing::Cost(Charge::pure(epsilon)),
        (Some(epsilon), Some(delta), _) => {
            let rho = units_up(rho_of(amount(epsilon), amount(delta)));
            let Some(rho) = rho.filter(|rho| *rho > 0) else { return usage(out, "delta must be between 0 and 1") };
            Missing::Cost(Charge::concentrated(rho))
        }
        (None, _, Some(rho)) => Missing::Cost(Charge::concentrated(rho)),
        (None, _, None) if args.nothing => Missing::Nothing,
        (None, _, None) => Missing::Grant,
    };
    let restored = resolve(&args.place, out).and_then(|(path, _)| {
        let mut store = open(&path, out)?;
        let entries = store.restore(&args.population, missing, &args.reason, args.head.as_ref(), Clock::System);
        entries.map_err(|e| failed(out, &e))
    });
    match restored {
        Err(code) => code,
        Ok(entries) if out.json() => {
            out.result_json(&entries);
            0
        }
        Ok(entries) => {
            let mut text = String::new();
            for entry in &entries {
                let _ = writeln!(text, "{}: {} is marked as spent", entry.population, cost(entry.charge));
            }
            if let Some(last) = entries.last() {
                let _ = writeln!(text, "head {}", last.head());
            }
            out.result(&text);
            0
        }
    }
}

#[cfg(test)]
mod tests;
