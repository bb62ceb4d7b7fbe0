//! The `mammoscope` program.

use std::process::ExitCode;

use mammoscope::cli::WorkbenchRequest;
use mammoscope::tui::{self, WorkbenchOptions};

fn main() -> ExitCode {
    // The command line and the workbench do not depend on each other; they meet here.
    let open = |request| {
        let WorkbenchRequest { workspace, graphics, ascii, run, settings, return_command } = request;
        tui::run(WorkbenchOptions { workspace, graphics, ascii, run, settings, return_command })
    };
    mammoscope::cli::main(&open, &tui::check_keys)
}
