//! The colours of charts. Those of lines and text have counterparts for a dark ground, which a page substitutes.

use plotters::style::RGBColor;

use mammoscope_domain::subject::view::View;

pub(super) const INK: RGBColor = RGBColor(0x1F, 0x29, 0x33);
pub(super) const FAINT: RGBColor = RGBColor(0x5F, 0x6B, 0x78);
pub(super) const GRID: RGBColor = RGBColor(0xE3, 0xE7, 0xEB);
pub(super) const BAND: RGBColor = RGBColor(0xEE, 0xE3, 0xC8);
/// Distinguishable with every common colour blindness (after Okabe and Ito), and 3 to 1 or more against white.
pub(super) const BLUE: RGBColor = RGBColor(0x00, 0x72, 0xB2);
pub(super) const ORANGE: RGBColor = RGBColor(0xC8, 0x55, 0x00);
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x85, 0x60);
pub(super) const PURPLE: RGBColor = RGBColor(0xAA, 0x33, 0x77);

/// The colours of the four classes, and of other series of four.
pub(super) const FOUR: [RGBColor; 4] = [BLUE, GREEN, ORANGE, PURPLE];

/// The colour of a view.
pub(super) const fn of_view(view: View) -> RGBColor {
    match view {
        View::CcR => BLUE,
        View::CcL => GREEN,
        View::MloR => ORANGE,
        View::MloL => PURPLE,
    }
}

/// CSS rules that give the charts below `.chart` the colours for a dark ground.
pub const DARK_RULES: &str = "\
.chart [fill=\"#1F2933\"]{fill:#E6EAEE}.chart [stroke=\"#1F2933\"]{stroke:#E6EAEE}\
.chart [fill=\"#5F6B78\"]{fill:#A3AEBA}.chart [stroke=\"#5F6B78\"]{stroke:#A3AEBA}\
.chart [stroke=\"#E3E7EB\"]{stroke:#303A45}\
.chart [fill=\"#EEE3C8\"]{fill:#3D3523}\
.chart [fill=\"#0072B2\"]{fill:#5CB8F0}.chart [stroke=\"#0072B2\"]{stroke:#5CB8F0}\
.chart [fill=\"#C85500\"]{fill:#F5924A}.chart [stroke=\"#C85500\"]{stroke:#F5924A}\
.chart [fill=\"#008560\"]{fill:#3CCB9F}.chart [stroke=\"#008560\"]{stroke:#3CCB9F}\
.chart [fill=\"#AA3377\"]{fill:#EB8CC2}.chart [stroke=\"#AA3377\"]{stroke:#EB8CC2}";

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG 2.1.
    fn luminance(color: [u8; 3]) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color[0]) + 0.7152 * linear(color[1]) + 0.0722 * linear(color[2])
    }

    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn hex(color: RGBColor) -> String {
        format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
    }

    /// The colour that a rule substitutes on a dark ground.
    fn dark(color: RGBColor) -> [u8; 3] {
        let rule = DARK_RULES.split_once(&format!("[fill=\"{}\"]{{fill:#", hex(color))).expect("a rule for the fill").1;
        assert!(color == BAND || DARK_RULES.contains(&format!("[stroke=\"{}\"]", hex(color))), "a rule for the stroke");
        std::array::from_fn(|at| u8::from_str_radix(&rule[2 * at..2 * at + 2], 16).unwrap())
    }

    #[test]
    fn lines_and_text_stand_out_on_both_grounds() {
        const DARK_GROUND: [u8; 3] = [0x14, 0x1A, 0x21];
        for (color, least) in [(INK, 4.5), (FAINT, 4.5), (BLUE, 3.0), (ORANGE, 3.0), (GREEN, 3.0), (PURPLE, 3.0)] {
            let light = [color.0, color.1, color.2];
            for found in [contrast(light, [255; 3]), contrast(dark(color), DARK_GROUND)] {
                assert!(found >= least, "{}: {found:.2}", hex(color));
            }
            // Text and lines also cross the band.
            let band = [BAND.0, BAND.1, BAND.2];
            for found in [contrast(light, band), contrast(dark(color), dark(BAND))] {
                assert!(found >= least.min(3.0), "{} on the band: {found:.2}", hex(color));
            }
        }
    }
}
