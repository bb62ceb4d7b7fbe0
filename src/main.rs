//! The `mammoscope` program.

use std::process::ExitCode;

use mammoscope::cli::WorkbenchRequest;
use mammoscope::tui::{self, WorkbenchOptions};

fn main() -> ExitCode {
    // The command line and the workbench do not depend on each other; they meet here.
    mammoscope::cli::main(&|request| {
        let WorkbenchRequest { workspace, graphics, ascii, run } = request;
        tui::run(WorkbenchOptions { workspace, graphics, ascii, run })
    })
}
