//! Jobs of the workbench: commands of this program, each under a process of its own that outlives the workbench and keeps
//! the command's output in a folder of the workspace.

pub mod job_folder;
mod output_lines;
mod progress_terminal;
pub mod supervisor;
