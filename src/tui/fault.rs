//! The panic hook of the workbench, which restores the terminal and writes a report.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::{fs, panic, thread};

use chrono::Utc;

use super::terminal_guard;
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::contained_panic::unless_contained;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The report of the last panic, in the workspace.
const REPORT: &str = "workbench_fault.txt";

/// Installs the hook. A panic of this thread restores the terminal and prints where the report is; a panic of another
/// thread is reported in the footer, since the rest of the workbench continues.
pub(super) fn report_panics(workspace: PathBuf, inbox: Sender<UiMessage>) {
    let drawing = thread::current().id();
    panic::set_hook(unless_contained(Box::new(move |fault| {
        let written = write_report(&workspace, fault);
        if thread::current().id() == drawing {
            terminal_guard::leave();
            eprintln!("The workbench has crashed; training runs continue: {}{written}", payload_text(fault));
        } else {
            let _ = inbox
                .send(UiMessage::Fault(format!("a part of the workbench failed: {}{written}", payload_text(fault))));
        }
    })));
}

/// Writes the report; returns a sentence about its place, empty if it cannot be written.
fn write_report(workspace: &Path, fault: &PanicHookInfo<'_>) -> String {
    let path = workspace.join(REPORT);
    let mut text = format!("mammoscope {}, {}\n", env!("CARGO_PKG_VERSION"), Utc::now().to_rfc3339());
    let _ = writeln!(text, "{fault}\n\n{}", Backtrace::force_capture());
    fs::write(&path, text).map_or_else(|_| String::new(), |()| format!(" The report is in {}", printable_path(&path)))
}

fn payload_text(fault: &PanicHookInfo<'_>) -> String {
    let payload = fault.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown reason");
    format!("{}.", printable(text))
}
