//! A report as plain text for 80 columns.

use super::{Align, Block, Column, Table};

pub(super) fn text(blocks: &[Block]) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for block in blocks {
        match block {
            Block::Heading { title, below } => {
                line(title);
                line(&"─".repeat(title.chars().count()));
                if let Some(below) = below {
                    line(below);
                }
            }
            Block::Notes { indent, notes } => {
                for of_note in notes.iter().flat_map(|note| note.lines()) {
                    line(&format!("{:indent$}{of_note}", ""));
                }
            }
            Block::Table(table) => lines(table).iter().for_each(|of_table| line(of_table)),
            Block::Line(of_block) => line(of_block),
            Block::Numbers(_) => {}
            Block::Gap => line(""),
        }
    }
    text
}

fn lines(table: &Table) -> Vec<String> {
    let Table { columns, rows, indent, spanner, .. } = table;
    let mut lines = Vec::new();
    if let Some(spanner) = spanner {
        lines.push(format!("{:>1$}", spanner.title, spanner.plain_end));
    }
    // Where rows are indented further than titles, their first column is narrower.
    let laid_out = |start, texts: &mut dyn Iterator<Item = &str>| line(columns, texts, start, indent.titles);
    lines.push(laid_out(indent.titles, &mut columns.iter().map(Column::plain_title)));
    lines.extend(rows.iter().map(|row| laid_out(indent.rows, &mut row.iter().map(|cell| cell.text.as_str()))));
    lines
}

/// The texts at the places of their columns; a text that is too long pushes the next ones aside.
fn line(columns: &[Column], texts: &mut dyn Iterator<Item = &str>, start: usize, mut edge: usize) -> String {
    let mut line = " ".repeat(start);
    for (Column { align, width, gap, .. }, text) in columns.iter().zip(texts) {
        edge += gap;
        let start = match align {
            Align::Left => edge,
            Align::Right => (edge + width).saturating_sub(text.chars().count()),
        };
        let missing = start.saturating_sub(line.chars().count());
        line.extend(std::iter::repeat_n(' ', missing));
        line.push_str(text);
        edge += width;
    }
    line.truncate(line.trim_end().len());
    line
}
