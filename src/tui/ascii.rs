//! Conversion of a drawing to ASCII, for terminals and fonts without other characters.

use ratatui::buffer::Buffer;

/// Characters of pictures, which stay: kitty's placeholder and half-blocks.
const OF_PICTURES: [char; 3] = ['\u{10EEEE}', '▀', '▄'];

/// Replaces every other character by an ASCII one; those without a likeness become question marks.
pub(super) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() || symbol.contains(OF_PICTURES) {
            continue;
        }
        let likeness = likeness(symbol.chars().next().unwrap_or(' '));
        cell.set_symbol(likeness);
    }
}

const fn likeness(sign: char) -> &'static str {
    match sign {
        '…' => "~",
        '–' | '—' | '−' | '·' | '─' | '━' | '→' | '▃' => "-",
        '×' => "x",
        'κ' => "k",
        '±' => "+",
        '•' | '★' | '▆' => "*",
        '°' => "'",
        '≤' | '‹' | '◂' | '←' => "<",
        '≥' | '›' | '▸' => ">",
        '│' | '┤' | '├' => "|",
        '└' => "`",
        '▁' => "_",
        '▂' => ".",
        '▅' => "=",
        '▇' => "%",
        '▲' | '↑' => "^",
        '▼' | '▾' | '↓' => "v",
        '█' | '▌' | '▎' => "#",
        '²' => "2",
        'ä' | 'á' | 'à' | 'â' => "a",
        'é' | 'è' | 'ê' => "e",
        'ö' | 'ó' => "o",
        'µ' | 'ü' | 'ú' => "u",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn every_cell_is_ascii_except_pictures() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 1));
        buffer.set_string(0, 0, "128×128 · 3 °C – 狗 ▀\u{10EEEE}", Style::new());
        to_ascii(&mut buffer);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text.trim_end(), "128x128 - 3 'C - ?  ▀\u{10EEEE}");
    }
}
