//! The command line: one file per verb. The result goes to stdout, complaints, progress and log to stderr.
//!
//! Exit codes, the first that applies: 75 another run holds the lock, 2 usage or pipeline file, 3 could not finish, 1 a criterion of
//! level `deny` is breached, 4 one is undetermined or not measured, 5 stored but not delivered, 0 all met.

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

mod budget;
mod check;
mod complaints;
mod completions;
mod demo_data;
mod diff;
mod doctor;
#[cfg(feature = "schedule")]
mod due;
mod history;
mod init;
#[cfg(feature = "sign")]
mod keygen;
mod load;
mod log;
#[cfg(feature = "mail")]
mod mail;
mod man;
mod metrics;
mod output;
mod plan;
mod progress;
mod report;
mod run;
#[cfg(feature = "schedule")]
mod schedule;
mod schema;
#[cfg(feature = "mail")]
mod send;
#[cfg(feature = "sign")]
mod sign;
mod stored;
mod table;
#[cfg(feature = "sign")]
mod verify;

pub use load::{Failure, Loaded, load};
pub use metrics::{every_metric_of_the_peers, markdown};
pub use output::Output;
pub use run::summary;

/// Usage or pipeline file is wrong.
pub const USAGE: u8 = 2;
/// The work could not be finished.
pub const UNFINISHED: u8 = 3;

/// Turns a dataset and one TOML file into an audit report on privacy, fairness, reliability and resource use.
#[derive(Debug, Parser)]
#[command(name = "evenhand", version, propagate_version = true, after_help = AFTER)]
struct Cli {
    /// Say nothing but the result and errors.
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Form of the result on stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER: &str = "First steps: evenhand init DATA.csv --out pipelines/NAME.toml, then check, plan and run it.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Json,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented draft of a pipeline file from a sample of the data.
    Init(init::Args),
    /// Say everything that is wrong with a pipeline file.
    Check(check::Args),
    /// Say what a run will read, count, measure and judge. No row is read.
    Plan(plan::Args),
    /// Audit: read, train, measure, judge, write the report.
    Run(run::Args),
    /// Render the report of a finished run again.
    Report(report::Args),
    /// Say what differs between two runs.
    Diff(diff::Args),
    /// List the runs of a pipeline, and how a judged value went.
    History(history::Args),
    /// Make a key that signs runs.
    #[cfg(feature = "sign")]
    Keygen(keygen::Args),
    /// Check that a run folder is as it was signed. Needs no network and no store.
    #[cfg(feature = "sign")]
    Verify(verify::Args),
    /// Sign off a run as a reviewer, or add a signed file to it. Nothing that is there is changed.
    #[cfg(feature = "sign")]
    Sign(sign::Args),
    /// Write the mail of a finished run to files. Nothing is sent.
    #[cfg(feature = "mail")]
    Mail(mail::Args),
    /// Show, grant, verify or restore the privacy budget of populations.
    Budget(budget::Args),
    /// Send the mails and webhook calls that wait, or list them.
    #[cfg(feature = "mail")]
    Send(send::Args),
    /// List the metrics: formula, what each hides, source.
    Metrics(metrics::Args),
    /// Print what cron or systemd needs, the next due times, and whether a run is late.
    #[cfg(feature = "schedule")]
    Schedule(schedule::Args),
    /// Print the JSON Schema of pipeline files, report.json or run.json.
    Schema(schema::Args),
    /// Write synthetic data with documented facts planted in it.
    DemoData(demo_data::Args),
    /// Say what is missing on this machine and the command that mends it.
    Doctor(doctor::Args),
    /// Print the completions of a shell.
    Completions(completions::Args),
    /// Write the manual pages.
    #[command(hide = true)]
    Man(man::Args),
}

/// Runs a command line, program name first; the exit code.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are results: code 0.
            let _ = e.print();
            return u8::try_from(e.exit_code()).unwrap_or(USAGE);
        }
    };
    let out = Output::new(cli.format, cli.quiet);
    match cli.verb {
        Verb::Init(args) => init::run(&args, &out),
        Verb::Check(args) => check::run(&args, &out),
        Verb::Plan(args) => plan::run(&args, &out),
        Verb::Run(args) => run::run(&args, &out),
        Verb::Report(args) => report::run(&args, &out),
        Verb::Diff(args) => diff::run(&args, &out),
        Verb::History(args) => history::run(&args, &out),
        #[cfg(feature = "sign")]
        Verb::Keygen(args) => keygen::run(&args, &out),
        #[cfg(feature = "sign")]
        Verb::Verify(args) => verify::run(&args, &out),
        #[cfg(feature = "sign")]
        Verb::Sign(args) => sign::run(&args, &out),
        #[cfg(feature = "mail")]
        Verb::Mail(args) => mail::run(&args, &out),
        Verb::Budget(args) => budget::run(&args, &out),
        #[cfg(feature = "mail")]
        Verb::Send(args) => send::run(&args, &out),
        Verb::Metrics(args) => metrics::run(&args, &out),
        #[cfg(feature = "schedule")]
        Verb::Schedule(args) => schedule::run(&args, &out),
        Verb::Schema(args) => schema::run(&args, &out),
        Verb::DemoData(args) => demo_data::run(&args, &out),
        Verb::Doctor(args) => doctor::run(&args, &out),
        Verb::Completions(args) => completions::run(&args, &out),
        Verb::Man(args) => man::run(&args, &out),
    }
}

/// A panic is a defect of the program; its message may hold a value of the data, so only its place is printed from now on.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        eprintln!("error: a defect in the program{place}; please report it");
    }));
}

/// The engine of this build and its name.
fn engine() -> (Box<dyn crate::engine::Engine>, &'static str) {
    #[cfg(feature = "polars")]
    return (Box::new(crate::engine::polars::Polars { threads: crate::world::threads() }), "polars");
    #[cfg(not(feature = "polars"))]
    (Box::new(crate::engine::reference::Reference), "reference")
}

/// The whole command line, for completions and manual pages.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn usage_errors_are_2_and_help_is_0() {
        assert_eq!(run(["evenhand", "chekc"]), USAGE);
        assert_eq!(run(["evenhand"]), USAGE);
        assert_eq!(run(["evenhand", "--version"]), 0);
        assert_eq!(run(["evenhand", "check", "/nowhere/x.toml"]), USAGE);
    }
}
