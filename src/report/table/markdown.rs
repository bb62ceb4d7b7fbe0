//! A report in Markdown, with the pipe tables of GitHub and pandoc.

use std::fmt::Write as _;

use super::{Align, Block, Table, joined};

/// The characters that mean something within a line of Markdown.
const SPECIAL: &str = "\\`*_{}[]<>#|~$^&!";

pub(super) fn text(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().filter_map(part).collect();
    parts.join("\n")
}

fn part(block: &Block) -> Option<String> {
    match block {
        Block::Heading { title, below } => {
            let below = below.as_ref().map(|below| format!("\n{}\n", escaped(below)));
            Some(format!("## {}\n{}", escaped(title), below.unwrap_or_default()))
        }
        Block::Notes { notes, .. } => {
            let paragraphs = notes.iter().map(|note| format!("{}\n", escaped(&joined(note))));
            Some(paragraphs.collect::<Vec<_>>().join("\n"))
        }
        Block::Table(table) => Some(table_text(table)),
        Block::Line(_) | Block::Numbers(_) | Block::Gap => None,
    }
}

fn table_text(table: &Table) -> String {
    let titles = table.columns.iter().enumerate().map(|(place, column)| match &table.spanner {
        Some(spanner) if spanner.columns.contains(&place) => escaped(&format!("{} {}", spanner.title, column.title)),
        _ => escaped(&column.title),
    });
    let mut lines: Vec<Vec<String>> = vec![titles.collect()];
    lines.extend(table.rows.iter().map(|row| row.iter().map(|cell| escaped(&cell.text)).collect()));
    let width = |place: usize| lines.iter().map(|cells| cells[place].chars().count()).max().unwrap_or(0).max(4);
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    // pandoc takes the relative widths of the columns of a wide table from the dashes.
    let rule = table.columns.iter().zip(&widths).map(|(column, width)| match column.align {
        Align::Left => format!(":{}", "-".repeat(width - 1)),
        Align::Right => format!("{}:", "-".repeat(width - 1)),
    });
    lines.insert(1, rule.collect());
    let mut text = format!("**{}**\n\n", escaped(&table.caption));
    for cells in lines {
        let padded = cells.iter().zip(&widths).zip(&table.columns).map(|((cell, width), column)| match column.align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        let _ = writeln!(text, "| {} |", padded.collect::<Vec<_>>().join(" | "));
    }
    text
}

/// A text in which no character means anything to Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if SPECIAL.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
