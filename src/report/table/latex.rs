//! A report in LaTeX, with a `tabular` of the package booktabs for each table.

use std::fmt::Write as _;

use super::{Align, Block, Column, Spanner, Table, joined};

const PREAMBLE: &str = "% The document needs \\usepackage{booktabs}.\n";

pub(super) fn text(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().filter_map(part).collect();
    [PREAMBLE, &parts.join("\n")].join("\n")
}

fn part(block: &Block) -> Option<String> {
    match block {
        Block::Heading { title, below } => {
            let below = below.as_ref().map(|below| format!(" ({below})")).unwrap_or_default();
            Some(format!("% {}\n", joined(&format!("{title}{below}"))))
        }
        Block::Notes { notes, .. } => {
            let lines: Vec<String> = notes.iter().map(|note| escaped(&joined(note))).collect();
            Some(format!("{{\\footnotesize\\noindent\n{}\\par}}\n", lines.join("\\par\\noindent\n")))
        }
        Block::Table(table) => Some(float(table)),
        Block::Line(_) | Block::Numbers(_) | Block::Gap => None,
    }
}

fn float(table: &Table) -> String {
    let set = table.set.map(|set| format!("{}-", set.name().to_lowercase().replace('_', "-"))).unwrap_or_default();
    let letters: String = table.columns.iter().map(letter).collect();
    let mut text = format!(
        "\\begin{{table}}[htbp]\n  \\centering\n  \\caption{{{}}}\n  \\label{{tab:{set}{}}}\n  \
         \\begin{{tabular}}{{{letters}}}\n    \\toprule\n",
        escaped(&table.caption),
        table.topic
    );
    if let Some(spanner) = &table.spanner {
        let _ = write!(text, "    {}", spanner_rows(spanner, table.columns.len()));
    }
    row(&mut text, table.columns.iter().map(|column| escaped(&column.title)));
    text.push_str("    \\midrule\n");
    for cells in &table.rows {
        row(&mut text, cells.iter().zip(&table.columns).map(|(cell, column)| cell_text(&cell.text, column)));
    }
    text.push_str("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
    text
}

fn letter(column: &Column) -> char {
    match column.align {
        Align::Left => 'l',
        Align::Right => 'r',
    }
}

fn spanner_rows(Spanner { title, columns, .. }: &Spanner, count: usize) -> String {
    let (before, after) = ("& ".repeat(columns.start), " &".repeat(count.saturating_sub(columns.end)));
    format!(
        "{before}\\multicolumn{{{}}}{{c}}{{{}}}{after} \\\\\n    \\cmidrule(lr){{{}-{}}}\n",
        columns.len(),
        escaped(title),
        columns.start + 1,
        columns.end
    )
}

fn row(text: &mut String, cells: impl Iterator<Item = String>) {
    // A bracket after the end of a row would be read as the argument of `\\`.
    let cells = cells.collect::<Vec<_>>().join(" & ");
    let guard = if cells.starts_with(['[', '*']) { "{}" } else { "" };
    let _ = writeln!(text, "    {guard}{cells} \\\\");
}

fn cell_text(text: &str, column: &Column) -> String {
    let text = escaped(text.trim());
    // Numbers stand on the right, and have minus signs where words have hyphens.
    if column.align == Align::Right { text.replace('-', "$-$") } else { text }
}

/// A text in which no character means anything to LaTeX.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            'κ' => escaped.push_str("$\\kappa$"),
            '−' => escaped.push_str("$-$"),
            '–' => escaped.push_str("\\textendash{}"),
            '…' => escaped.push_str("\\ldots{}"),
            // Two in a row would become a dash, an opening or a closing quote, or another letter.
            '-' | '`' | '\'' | ',' if previous == character => {
                escaped.push_str("{}");
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
        previous = character;
    }
    escaped
}
