//! The command line.

use std::process::ExitCode;

#[cfg(feature = "cli")]
fn main() -> ExitCode {
    evenhand::cli::quiet_panics();
    evenhand::cli::run(std::env::args_os()).into()
}

#[cfg(not(feature = "cli"))]
fn main() -> ExitCode {
    eprintln!("error: this build has no command line; build with the feature `cli`");
    ExitCode::from(2)
}
