//! The wrong lines of a table in one line: the first few, and how many more there are.

use std::path::Path;

use crate::text::printable::{printable, printable_path};

/// How many bad lines are spelled out; the rest are counted.
const LISTED: usize = 10;

/// `t.csv:3: column subject: empty; t.csv:4: …; and 2 more bad lines`, from numbers of lines and what is wrong with them.
#[must_use]
pub fn bad_lines<'l>(path: &Path, lines: impl ExactSizeIterator<Item = (u64, &'l str)>) -> String {
    let path = printable_path(path);
    let more = match lines.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!("; and {more} more bad lines"),
    };
    let shown: Vec<_> =
        lines.take(LISTED).map(|(line, reason)| format!("{path}:{line}: {}", printable(reason))).collect();
    format!("{}{more}", shown.join("; "))
}
