//! `mammoscope man`: the manual pages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::arguments::Arguments;
use super::console::{Console, Outcome};
use mammoscope_domain::text::printable::printable_path;
use mammoscope_storage::atomic_file::write_atomically;

/// Write the manual pages, one per subcommand, to a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mammoscope man ~/.local/share/man/man1
  man mammoscope-evaluate")]
pub(super) struct ManArguments {
    /// The folder; created if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn run(arguments: &ManArguments, console: &Console) -> anyhow::Result<Outcome> {
    let folder = &arguments.folder;
    let count = write_pages(folder)?;
    console.note(format!("{count} manual pages written to {}", printable_path(folder)));
    Ok(Outcome::Done)
}

/// Writes all pages and returns their number.
fn write_pages(folder: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(folder).with_context(|| format!("make the folder {}", printable_path(folder)))?;
    let mut program = Arguments::command();
    program.build();
    let mut count = 0;
    let mut pending = vec![program];
    while let Some(command) = pending.pop() {
        pending.extend(command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help").cloned());
        let man = Man::new(command);
        let mut page = Vec::new();
        man.render(&mut page).context("lay out a manual page")?;
        let path = folder.join(man.get_filename());
        write_atomically(&path, &page).with_context(|| format!("write {}", printable_path(&path)))?;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let pages = folder.path().join("man1");
        let count = write_pages(&pages).unwrap();
        assert_eq!(fs::read_dir(&pages).unwrap().count(), count);
        let first = fs::read_to_string(pages.join("mammoscope.1")).unwrap();
        assert!(first.contains(".TH mammoscope 1"), "{first}");
        for subcommand in Arguments::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let page = fs::read_to_string(pages.join(format!("mammoscope-{}.1", subcommand.get_name()))).unwrap();
            let name = subcommand.get_name();
            assert!(page.contains(&format!("mammoscope {name}")) || page.contains(&format!("mammoscope\\-{name}")));
        }
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_named_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, b"").unwrap();
        let error = format!("{:#}", write_pages(&file).unwrap_err());
        assert!(error.contains("taken"), "{error}");
    }
}
