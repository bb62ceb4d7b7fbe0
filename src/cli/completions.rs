//! `mammoscope completions`: scripts that let a shell complete subcommands and options.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::arguments::Arguments;
use super::console::{Outcome, print_result};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope completions bash \\
    > ~/.local/share/bash-completion/completions/mammoscope
  mammoscope completions zsh > ~/.zfunc/_mammoscope        (a folder in fpath)
  mammoscope completions fish > ~/.config/fish/completions/mammoscope.fish")]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &CompletionsArguments) -> anyhow::Result<Outcome> {
    print_result(&script(arguments.shell))?;
    Ok(Outcome::Done)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mammoscope", &mut script);
    String::from_utf8(script).expect("the names of subcommands and options are UTF-8")
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_script_covers_every_subcommand() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for subcommand in Arguments::command().get_subcommands() {
                assert!(script.contains(subcommand.get_name()), "{shell}: {}", subcommand.get_name());
            }
        }
    }
}
