//! Validation of a data set's grey range before any computation.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::image::grey_range::{
    GreyRange, PLAIN_FROM, SIXTEEN_FROM, WHITE_OF_8_BITS, depth_of, white_in_words,
};
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::image_header::read_header;

/// The number of 16-bit images decoded at first, spread over the data set. If one of them is in doubt, all are decoded.
const SAMPLED: usize = 32;

/// The grey range of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyFacts {
    /// The sample that is white: 255 if all images have 8 bits.
    pub white: u16,
    /// Number of 16-bit images.
    pub deep: usize,
    /// The brightest of the decoded images and its largest sample.
    pub brightest: Option<(PathBuf, u16)>,
}

/// A one-line reason why the samples of a data set cannot be converted to grey levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GreyRangeError {
    /// 16-bit images whose samples may have fewer bits.
    InDoubt {
        /// Number of 16-bit images, all of which were decoded.
        deep: usize,
        /// The largest sample and its file.
        largest: u16,
        file: PathBuf,
    },
    /// 16-bit images of different depths.
    Mixed {
        /// Number of 16-bit images.
        deep: usize,
        /// Number of 16-bit images whose samples may have fewer bits.
        dark: usize,
        /// One of the dark images and its largest sample.
        file: PathBuf,
        largest: u16,
        /// The largest sample of all images.
        brightest: u16,
    },
    /// A sample is brighter than the specified white.
    AboveWhite { file: PathBuf, value: u16, white: u16 },
    /// The check was interrupted.
    Interrupted,
}

/// The words in which advice refers to the setting of the grey range.
#[derive(Clone, Copy, Debug)]
pub struct AdviceWording {
    /// The words before a number of bits.
    pub say: &'static str,
    /// The words before an alternative number of bits.
    pub or: &'static str,
    /// The name of the white value.
    pub white: &'static str,
}

impl AdviceWording {
    /// The wording for the command line.
    pub const OPTIONS: Self = Self { say: "say --bits", or: "--bits", white: "the --white" };
}

impl GreyRangeError {
    /// The message with advice in the given wording.
    #[must_use]
    pub fn advice(&self, wording: AdviceWording) -> String {
        let AdviceWording { say, or, white: stated_white } = wording;
        let number = |value: u16| grouped(usize::from(value));
        let full = number(u16::MAX);
        match self {
            Self::InDoubt { deep, largest, file } => {
                let (images, file, bits) = (deep_images(*deep), printable_path(file), depth_of(*largest));
                let largest = number(*largest);
                format!(
                    "the largest value of the {images} is {largest} ({file}), which fits in {bits} bits: {say} {bits}, \
                     or {or} 16 if {full} is white"
                )
            }
            Self::Mixed { deep, dark, file, largest, brightest } => format!(
                "{dark} of {deep} 16-bit images stay below {} ({}: {}), others reach {}: {say} 16 if {full} is white in all of \
                 them, or keep images of fewer bits separate",
                number(PLAIN_FROM),
                printable_path(file),
                number(*largest),
                number(*brightest)
            ),
            Self::AboveWhite { file, value, white } => format!(
                "{} has the value {}, above {}: {say} {}, or {stated_white} that is meant",
                printable_path(file),
                number(*value),
                white_in_words(*white),
                depth_of(*value)
            ),
            Self::Interrupted => "interrupted while reading images".to_owned(),
        }
    }
}

impl fmt::Display for GreyRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.advice(AdviceWording::OPTIONS))
    }
}

impl std::error::Error for GreyRangeError {}

fn deep_images(count: usize) -> String {
    if count == 1 { "16-bit image".to_owned() } else { format!("{count} 16-bit images") }
}

/// Checks a specified grey range against the images.
///
/// The headers of all images are read. Only 16-bit images can be in doubt: some of them are decoded, and all if one of
/// those is in doubt. Unreadable images are ignored here. `cancellation` is polled.
pub fn check_grey_range(
    paths: &[&Path],
    range: GreyRange,
    cancellation: Cancellation<'_>,
) -> Result<GreyFacts, GreyRangeError> {
    let stopped = AtomicBool::new(false);
    let should_continue = || {
        if cancellation.is_cancelled() {
            stopped.store(true, Ordering::Relaxed);
        }
        !stopped.load(Ordering::Relaxed)
    };
    let is_deep = |path: &&Path| should_continue() && read_header(path).is_ok_and(|header| header.facts.bits > 8);
    let deep: Vec<&Path> = paths.par_iter().copied().filter(is_deep).collect();
    let largest_of = |paths: &[&Path]| -> Vec<(PathBuf, u16)> {
        let largest = |path: &&Path| {
            if !should_continue() {
                return None;
            }
            Some((path.to_path_buf(), decode_file(path).ok()?.largest()))
        };
        paths.par_iter().filter_map(largest).collect()
    };
    let is_sampled = |index: usize| {
        let count = deep.len().min(SAMPLED);
        // Evenly spaced, starting with the first.
        (index * count).div_ceil(deep.len()) * deep.len() / count.max(1) == index
    };
    let chosen = |sampled: bool| -> Vec<&Path> {
        let chosen = deep.iter().enumerate().filter(|(index, _)| is_sampled(*index) == sampled);
        chosen.map(|(_, path)| *path).collect()
    };
    let mut found = largest_of(&chosen(true));
    if range == GreyRange::Auto && found.iter().any(|(_, largest)| *largest < SIXTEEN_FROM) {
        found.extend(largest_of(&chosen(false)));
    }
    if stopped.load(Ordering::Relaxed) {
        return Err(GreyRangeError::Interrupted);
    }
    let brightest = found.iter().max_by_key(|(_, largest)| *largest).cloned();
    let Some((file, largest)) = brightest.clone() else {
        return Ok(GreyFacts { white: WHITE_OF_8_BITS, deep: deep.len(), brightest: None });
    };
    let white = match range {
        GreyRange::White(white) if largest > white => {
            return Err(GreyRangeError::AboveWhite { file, value: largest, white });
        }
        GreyRange::White(white) => white,
        GreyRange::Auto if largest < SIXTEEN_FROM => {
            return Err(GreyRangeError::InDoubt { deep: deep.len(), largest, file });
        }
        GreyRange::Auto => u16::MAX,
    };
    let dark: Vec<_> = found.iter().filter(|(_, largest)| *largest < PLAIN_FROM).collect();
    if let (GreyRange::Auto, Some((file, below))) = (range, dark.iter().max_by_key(|(_, largest)| *largest)) {
        let (file, below) = (file.clone(), *below);
        return Err(GreyRangeError::Mixed {
            deep: deep.len(),
            dark: dark.len(),
            file,
            largest: below,
            brightest: largest,
        });
    }
    Ok(GreyFacts { white, deep: deep.len(), brightest })
}

impl GreyFacts {
    /// A note on a specified range that does not seem to match the images.
    #[must_use]
    pub fn note(&self, range: GreyRange) -> Option<String> {
        let GreyRange::White(white) = range else { return None };
        match &self.brightest {
            None if white != WHITE_OF_8_BITS => {
                Some(format!("{} has no effect: no image is stored with 16 bits", white_in_words(white)))
            }
            Some((file, largest)) if depth_of(*largest) < depth_of(white) => Some(format!(
                "the largest value of the sampled 16-bit images is {} ({}), which fits in {} bits, while {} is specified",
                grouped(usize::from(*largest)),
                printable_path(file),
                depth_of(*largest),
                white_in_words(white)
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Luma};

    use super::*;

    fn write(folder: &Path, name: &str, largest: u16) -> PathBuf {
        let path = folder.join(name);
        ImageBuffer::from_fn(8, 8, |x, _| Luma([largest / 8 * (x as u16 + 1)])).save(&path).unwrap();
        path
    }

    fn check(paths: &[PathBuf], range: &str) -> Result<GreyFacts, String> {
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        check_grey_range(&paths, range.parse().unwrap(), Cancellation::never())
            .map_err(|error| error.to_string().replace(&format!("{}/", paths[0].parent().unwrap().display()), ""))
    }

    #[test]
    fn clear_ranges_are_accepted_and_doubtful_ones_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let shallow = folder.path().join("8.png");
        GrayImage::from_pixel(8, 8, Luma([9])).save(&shallow).unwrap();
        let facts = check(std::slice::from_ref(&shallow), "auto").unwrap();
        assert_eq!((facts.white, facts.deep), (255, 0));
        assert!(
            check(std::slice::from_ref(&shallow), "12")
                .unwrap()
                .note(GreyRange::of_bits(12))
                .unwrap()
                .contains("has no effect")
        );

        let full = write(folder.path(), "full.png", 65_528);
        let facts = check(&[shallow.clone(), full.clone()], "auto").unwrap();
        assert_eq!((facts.white, facts.deep, facts.note(GreyRange::Auto)), (u16::MAX, 1, None));
        assert_eq!(
            check(&[shallow, full.clone()], "12").unwrap_err(),
            "full.png has the value 65,528, above white 4,095 (12 bits): say --bits 16, or the --white that is meant"
        );

        let dark = ["a.png", "b.png"].map(|name| write(folder.path(), name, if name == "a.png" { 4088 } else { 2000 }));
        assert_eq!(
            check(&dark, "auto").unwrap_err(),
            "the largest value of the 2 16-bit images is 4,088 (a.png), which fits in 12 bits: say --bits 12, or \
             --bits 16 if 65,535 is white"
        );
        assert_eq!(check(&dark, "12").unwrap().white, 4095);
        assert!(
            check(&dark, "14")
                .unwrap()
                .note(GreyRange::of_bits(14))
                .unwrap()
                .contains("which fits in 12 bits, while white 16,383")
        );
        let mixed = [dark[0].clone(), full];
        assert!(
            check(&mixed, "auto")
                .unwrap_err()
                .starts_with("1 of 2 16-bit images stay below 16,384 (a.png: 4,088), others")
        );
        assert_eq!(check(&mixed, "16").unwrap().white, u16::MAX);
    }

    #[test]
    fn a_dark_image_among_the_sampled_ones_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths: Vec<_> = (0..100).map(|number| write(folder.path(), &format!("{number}.png"), 60_000)).collect();
        assert_eq!(check(&paths, "auto").unwrap().deep, 100);
        // The first image is always sampled; being in doubt, it causes all to be decoded.
        paths[0] = write(folder.path(), "dark.png", 20_000);
        assert_eq!(
            check(&paths, "auto").unwrap().white,
            u16::MAX,
            "dark, but its values exceed every depth below 16 and other images are brighter"
        );
        paths[0] = write(folder.path(), "darker.png", 1000);
        assert!(check(&paths, "auto").unwrap_err().starts_with("1 of 100 16-bit images stay below"));
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        assert_eq!(
            check_grey_range(&paths, GreyRange::Auto, Cancellation::new(&|| true)),
            Err(GreyRangeError::Interrupted)
        );
    }
}
