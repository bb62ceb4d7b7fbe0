//! The tables of an evaluation as HTML.

use maud::{Markup, html};

use crate::report::table::{Align, Block, Table, joined};

/// The tables and notes of a report; titles stand elsewhere.
pub(super) fn blocks(blocks: &[Block]) -> Markup {
    html! {
        @for block in blocks {
            @match block {
                Block::Table(found) => (table(found)),
                Block::Notes { notes, .. } => {
                    @for note in notes { p.note { (joined(note)) } }
                },
                Block::Heading { .. } | Block::Line(_) | Block::Numbers(_) | Block::Gap => {},
            }
        }
    }
}

/// A table; the first cell of a row is its heading.
pub(super) fn table(table: &Table) -> Markup {
    let aligned = |place: usize| (table.columns[place].align == Align::Right).then_some("right");
    html! {
        div.scroll tabindex="0" role="region" aria-label=(table.caption) {
            table {
                caption { (table.caption) }
                thead {
                    @if let Some(spanner) = &table.spanner {
                        tr {
                            td colspan=(spanner.columns.start) {}
                            th.over scope="colgroup" colspan=(spanner.columns.len()) { (spanner.title) }
                            td colspan=(table.columns.len() - spanner.columns.end) {}
                        }
                    }
                    tr {
                        @for (place, column) in table.columns.iter().enumerate() {
                            @if column.title.is_empty() { td {} } @else {
                                th scope="col" class=[aligned(place)] { (column.title) }
                            }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (place, cell) in row.iter().enumerate() {
                                @if place == 0 { th scope="row" { (cell.text) } } @else {
                                    td class=[aligned(place)] { (cell.text) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A table of texts; columns from `right` on are numbers.
pub(super) fn plain_table(caption: &str, titles: &[&str], right: usize, rows: &[Vec<String>]) -> Markup {
    let aligned = |place: usize| (place >= right).then_some("right");
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for (place, title) in titles.iter().enumerate() { th scope="col" class=[aligned(place)] { (title) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (place, cell) in row.iter().enumerate() {
                                @if place == 0 { th scope="row" { (cell) } } @else { td class=[aligned(place)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
