//! `evenhand completions SHELL`.

use super::Output;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn run(args: &Args, out: &Output) -> u8 {
    out.result(&script(args.shell));
    0
}

fn script(shell: clap_complete::Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "evenhand", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_completes() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let script = script(shell);
            for verb in ["init", "check", "plan", "run", "budget", "demo-data", "doctor"] {
                assert!(script.contains(verb), "{shell}: {verb}");
            }
        }
    }
}
