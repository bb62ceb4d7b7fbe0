//! The `mammoscope` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mammoscope::cli::main()
}
