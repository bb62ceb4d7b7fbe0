//! The bad lines of a table, summarised in one line.

use std::path::Path;

use crate::text::printable::{printable, printable_path};

/// The number of bad lines that are spelled out; the rest are counted.
const MAX_LISTED: usize = 10;

/// `t.csv:3: column subject: empty; t.csv:4: …; and 2 more bad lines`, from line numbers and reasons.
#[must_use]
pub fn bad_lines<'l>(path: &Path, lines: impl ExactSizeIterator<Item = (u64, &'l str)>) -> String {
    let path = printable_path(path);
    let more = match lines.len().saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!("; and {more} more bad lines"),
    };
    let shown: Vec<_> =
        lines.take(MAX_LISTED).map(|(line, reason)| format!("{path}:{line}: {}", printable(reason))).collect();
    format!("{}{more}", shown.join("; "))
}
