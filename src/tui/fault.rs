//! What happens when a part of the workbench panics: the terminal is put back, and a report is left.

use std::backtrace::Backtrace;
use std::fmt::Write as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::{fs, panic, thread};

use chrono::Utc;

use super::terminal;
use crate::tui::protocol::message::UiMessage;
use mammoscope_domain::text::contained_panic::unless_contained;
use mammoscope_domain::text::printable::{printable, printable_path};

/// The report of the last fault, in the workspace.
const REPORT: &str = "workbench_fault.txt";

/// From now on a panic of this thread gives the terminal back and says where its report is; one of another thread is told
/// in the footer, since the rest goes on.
pub(super) fn report_panics(workspace: PathBuf, inbox: Sender<UiMessage>) {
    let drawing = thread::current().id();
    panic::set_hook(unless_contained(Box::new(move |fault| {
        let written = write_report(&workspace, fault);
        if thread::current().id() == drawing {
            terminal::leave();
            eprintln!("The workbench has a fault and ends; trainings go on: {}{written}", what(fault));
        } else {
            let _ = inbox.send(UiMessage::Fault(format!("a part of the workbench failed: {}{written}", what(fault))));
        }
    })));
}

/// Where the report is, in words; nothing where it cannot be written.
fn write_report(workspace: &Path, fault: &PanicHookInfo<'_>) -> String {
    let path = workspace.join(REPORT);
    let mut text = format!("mammoscope {}, {}\n", env!("CARGO_PKG_VERSION"), Utc::now().to_rfc3339());
    let _ = writeln!(text, "{fault}\n\n{}", Backtrace::force_capture());
    fs::write(&path, text).map_or_else(|_| String::new(), |()| format!(" Its report is {}", printable_path(&path)))
}

fn what(fault: &PanicHookInfo<'_>) -> String {
    let payload = fault.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("for a reason unknown");
    format!("{}.", printable(text))
}
