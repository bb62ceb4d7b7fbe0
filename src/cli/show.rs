//! `mammoscope show`: images in the terminal, with facts from their files and names.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use terminal_size::terminal_size_of;

use super::console::{Console, Outcome, print_result};
use super::data_arguments::GreyArguments;
use super::terminal_picture::{Graphics, PicturePrinter};
use crate::cli::shown_window::ShownWindow;
use mammoscope_domain::image::grey_range::{GreyRange, values_in_words};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::subject_id::SampleName;
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_imaging::decode::{DecodedImage, ImageError, Samples, decode_file};

/// Separates the parts of a line of facts.
const SEPARATOR: &str = " · ";
/// Replaces the separator where the line is broken.
const CONTINUATION: &str = "\n  ";

/// Show images in the terminal
///
/// Every image is drawn as large as the terminal allows, followed by one line with its name, size in pixels, depth and
/// format, and the subject, exam, class and view from its name. If stdout is not a terminal, only these lines are
/// written. 8-bit images are shown unchanged (sixel specifies greys in per cent: 101 levels, without dithering). For
/// 16-bit images the line gives the range of values and the bits they need; this range is shown, or with --bits the
/// range that a network sees. Images that are not mammograms as expected are reported: inverted, saturated, a single
/// grey level, or no breast found.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mammoscope show testset/CC_R/C/3_1_C_CC_R.png
  mammoscope show --graphics halfblocks *.png
  mammoscope show --bits 12 export/*.png
  mammoscope show testset/*/*/*.png | grep 16-bit")]
pub(super) struct ShowArguments {
    /// PNG, JPEG or TIFF images
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Protocol for drawing pictures; unsupported ones fall back to half-blocks
    #[arg(long, value_enum, default_value_t = Graphics::Auto, value_name = "MODE")]
    graphics: Graphics,
    #[command(flatten)]
    grey: GreyArguments,
}

pub(super) fn run(arguments: &ShowArguments, console: &Console) -> anyhow::Result<Outcome> {
    let mut printer = PicturePrinter::new(arguments.graphics, console);
    let mut outcome = Outcome::Done;
    let range = arguments.grey.range();
    for path in &arguments.files {
        let image = match decode_file(path).and_then(|image| checked(image, range)) {
            Ok(image) => image,
            Err(error) => {
                console.error(&anyhow::anyhow!("{}: {error}", printable_path(path)));
                outcome = Outcome::Failed;
                continue;
            }
        };
        for doubt in image.doubts() {
            console.warn(format!("{}: {doubt}", printable_path(path)));
        }
        let mut line = facts_line(path, &image);
        if let Some(printer) = &mut printer {
            let window = ShownWindow::of(&image.samples, range);
            line.push_str(&window.note());
            line.push_str(&printer.note());
            printer.print(image.samples, window, &within_terminal(&line)).context("draw in the terminal")?;
        }
        print_result(&(within_terminal(&line) + "\n"))?;
    }
    Ok(outcome)
}

/// Wraps a line to the width of the terminal; leaves it whole for `grep` and the like if stdout is not a terminal.
fn within_terminal(line: &str) -> String {
    match terminal_size_of(io::stdout()) {
        Some((width, _)) if width.0 > 0 => wrapped(line, usize::from(width.0)),
        _ => line.to_owned(),
    }
}

/// Breaks a line of facts between its parts at `columns`, which only a longer part exceeds; continuation lines are
/// indented.
fn wrapped(line: &str, columns: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for part in line.split(SEPARATOR) {
        let width = part.chars().count();
        let separator = match column {
            0 => "",
            before if before + SEPARATOR.chars().count() + width <= columns => SEPARATOR,
            _ => {
                column = 0;
                CONTINUATION
            }
        };
        lines.push_str(separator);
        lines.push_str(part);
        column += separator.trim_start_matches('\n').chars().count() + width;
    }
    lines
}

/// Checks that an image's values are within the given range.
fn checked(image: DecodedImage, range: GreyRange) -> Result<DecodedImage, ImageError> {
    if !range.is_auto() && matches!(image.samples, Samples::Depth16(_)) {
        range.white_for(image.largest())?;
    }
    Ok(image)
}

/// `145_1_C_CC_R.png · 1283 × 2255 · 8-bit grey · PNG · subject 145 · exam 1 · class C · view CC_R`
fn facts_line(path: &Path, image: &DecodedImage) -> String {
    let file = path.file_name().map_or_else(|| printable_path(path), |name| printable_path(Path::new(name)));
    let mut line = format!("{file} · {}", image.facts);
    if let Samples::Depth16(raster) = &image.samples {
        let (low, high) = (raster.samples().iter().copied().min().unwrap_or(0), image.largest());
        if low < high {
            let _ = write!(line, " · {}", values_in_words(low, high));
        }
    }
    if let Some(name) = path.file_stem().and_then(OsStr::to_str).and_then(SampleName::parse) {
        let SampleName { subject, exam, class, view, .. } = name;
        let (subject, exam) = (printable(&subject.0), printable(&exam.0));
        let class = class.map_or("unknown", DensityClass::letter);
        let _ = write!(line, " · subject {subject} · exam {exam} · class {class} · view {view}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_imaging::raster::{Channels, Raster};

    #[test]
    fn lines_break_between_their_parts() {
        let line = "145_1_C_CC_R.png · 1283 × 2255 · 8-bit grey · PNG · subject 145 · exam 1 · class C · view CC_R";
        let length = line.chars().count();
        assert_eq!(wrapped(line, length), line);
        assert_eq!(
            wrapped(line, 80),
            "145_1_C_CC_R.png · 1283 × 2255 · 8-bit grey · PNG · subject 145 · exam 1\n  class C · view CC_R"
        );
        for columns in 1..length {
            let lines = wrapped(line, columns);
            let longest_part = "145_1_C_CC_R.png".len() + CONTINUATION.len();
            assert!(lines.lines().all(|line| line.chars().count() <= columns.max(longest_part)), "{columns}: {lines}");
            assert_eq!(lines.replace(CONTINUATION, SEPARATOR), line, "nothing is lost");
        }
    }

    #[test]
    fn sixteen_bits_are_drawn_from_their_smallest_to_their_largest_value() {
        let deep = Samples::Depth16(Raster::new(3, 1, Channels::Grey, vec![1000, 3000, 5000]));
        let window = ShownWindow::of(&deep, GreyRange::Auto);
        assert_eq!(window, ShownWindow::Range { low: 1000, high: 5000 });
        assert_eq!([1000, 3000, 5000].map(|sample| window.level(sample)), [0, 128, 255]);
        assert!(window.note().contains("1000") && window.note().contains("5000"));
        let stated = ShownWindow::of(&deep, GreyRange::of_bits(14));
        assert_eq!(stated, ShownWindow::Range { low: 0, high: 16_383 });
        let flat = ShownWindow::Range { low: 7, high: 7 };
        assert_eq!(flat.level(7), 0);
        let bytes = Samples::Depth8(Raster::new(1, 1, Channels::Grey, vec![7]));
        assert_eq!(ShownWindow::of(&bytes, GreyRange::of_bits(12)), ShownWindow::Whole);
    }
}
