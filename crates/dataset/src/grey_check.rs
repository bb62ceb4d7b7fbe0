//! Looks, before anything is computed, whether the grey range of a data set is what is said of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use mammoscope_domain::image::grey_range::{
    GreyRange, PLAIN_FROM, SIXTEEN_FROM, WHITE_OF_8_BITS, depth_of, white_in_words,
};
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_domain::text::printable::printable_path;
use mammoscope_imaging::decode::decode_file;
use mammoscope_imaging::image_header::read_header;

/// So many images of 16 bits are read, spread over the data set; the others as they are needed. All are read where one of
/// these leaves a doubt.
const SAMPLED: usize = 32;

/// What is known of the grey range of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyFacts {
    /// The sample that is white: 255 where all images have 8 bits.
    pub white: u16,
    /// How many images have 16 bits.
    pub deep: usize,
    /// The brightest of those that were read, and its largest sample.
    pub brightest: Option<(PathBuf, u16)>,
}

/// Why grey levels cannot be made of a data set; one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GreyRangeError {
    /// Images of 16 bits may be of fewer.
    InDoubt {
        /// How many there are, all of which were read.
        deep: usize,
        /// The largest sample.
        largest: u16,
        /// Where.
        file: PathBuf,
    },
    /// Images of 16 bits are of different depths.
    Mixed {
        /// How many images have 16 bits.
        deep: usize,
        /// How many of them may have fewer.
        dark: usize,
        /// One of those.
        file: PathBuf,
        /// Its largest sample.
        largest: u16,
        /// The largest sample of all.
        brightest: u16,
    },
    /// A sample is brighter than what was stated to be white.
    AboveWhite {
        /// The image.
        file: PathBuf,
        /// Its largest sample.
        value: u16,
        /// What was stated.
        white: u16,
    },
    /// It was to end.
    Interrupted,
}

/// How a grey range is stated somewhere.
#[derive(Clone, Copy, Debug)]
pub struct StatingWords {
    /// Before a number of bits.
    pub say: &'static str,
    /// Before another one.
    pub or: &'static str,
    /// The value that is white.
    pub white: &'static str,
}

impl StatingWords {
    /// On the command line.
    pub const OPTIONS: Self = Self { say: "say --bits", or: "--bits", white: "the --white" };
}

impl GreyRangeError {
    /// What was seen, and what to do in the words of the place where the range is stated.
    #[must_use]
    pub fn advising(&self, words: StatingWords) -> String {
        let StatingWords { say, or, white: stated_white } = words;
        let number = |value: u16| grouped(usize::from(value));
        let full = number(u16::MAX);
        match self {
            Self::InDoubt { deep, largest, file } => {
                let (images, file, bits) = (deep_images(*deep), printable_path(file), depth_of(*largest));
                let largest = number(*largest);
                format!(
                    "the largest value of the {images} is {largest} ({file}), as of {bits} bits: {say} {bits}, or {or} 16 if \
                     {full} is white"
                )
            }
            Self::Mixed { deep, dark, file, largest, brightest } => format!(
                "{dark} of {deep} 16-bit images stay below {} ({}: {}), others reach {}: {say} 16 if {full} is white in all of \
                 them, or keep those of fewer bits apart",
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
            Self::Interrupted => "interrupted while images were read".to_owned(),
        }
    }
}

impl fmt::Display for GreyRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.advising(StatingWords::OPTIONS))
    }
}

impl std::error::Error for GreyRangeError {}

fn deep_images(count: usize) -> String {
    if count == 1 { "16-bit image".to_owned() } else { format!("{count} 16-bit images") }
}

/// Checks what is said of the grey range against the images. Headers are read of all; of images of 16 bits, the only ones
/// that can be in doubt, some are decoded, and all where one of those leaves a doubt. What cannot be read is left to those
/// who need it. `interrupted` is asked now and then.
pub fn check_grey_range(
    paths: &[&Path],
    range: GreyRange,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<GreyFacts, GreyRangeError> {
    let stopped = AtomicBool::new(false);
    let go_on = || {
        if interrupted() {
            stopped.store(true, Ordering::Relaxed);
        }
        !stopped.load(Ordering::Relaxed)
    };
    let is_deep = |path: &&Path| go_on() && read_header(path).is_ok_and(|header| header.facts.bits > 8);
    let deep: Vec<&Path> = paths.par_iter().copied().filter(is_deep).collect();
    let largest_of = |paths: &[&Path]| -> Vec<(PathBuf, u16)> {
        let largest = |path: &&Path| {
            if !go_on() {
                return None;
            }
            Some((path.to_path_buf(), decode_file(path).ok()?.largest()))
        };
        paths.par_iter().filter_map(largest).collect()
    };
    let is_sampled = |place: usize| {
        let count = deep.len().min(SAMPLED);
        // The places at even distances, the first included.
        (place * count).div_ceil(deep.len()) * deep.len() / count.max(1) == place
    };
    let chosen = |sampled: bool| -> Vec<&Path> {
        let chosen = deep.iter().enumerate().filter(|(place, _)| is_sampled(*place) == sampled);
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
    /// What is odd about a range that was stated; `None` where nothing is.
    #[must_use]
    pub fn note(&self, range: GreyRange) -> Option<String> {
        let GreyRange::White(white) = range else { return None };
        match &self.brightest {
            None if white != WHITE_OF_8_BITS => {
                Some(format!("{} changes nothing: no image is stored with 16 bits", white_in_words(white)))
            }
            Some((file, largest)) if depth_of(*largest) < depth_of(white) => Some(format!(
                "the largest value of the 16-bit images that were looked at is {} ({}), as of {} bits, while {} is stated",
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
        check_grey_range(&paths, range.parse().unwrap(), &|| false)
            .map_err(|error| error.to_string().replace(&format!("{}/", paths[0].parent().unwrap().display()), ""))
    }

    #[test]
    fn what_is_plain_is_accepted_and_what_is_in_doubt_named() {
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
                .contains("changes nothing")
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
            "the largest value of the 2 16-bit images is 4,088 (a.png), as of 12 bits: say --bits 12, or --bits 16 if 65,535 \
             is white"
        );
        assert_eq!(check(&dark, "12").unwrap().white, 4095);
        assert!(
            check(&dark, "14")
                .unwrap()
                .note(GreyRange::of_bits(14))
                .unwrap()
                .contains("as of 12 bits, while white 16,383")
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
    fn one_dark_image_of_many_is_found_when_it_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths: Vec<_> = (0..100).map(|number| write(folder.path(), &format!("{number}.png"), 60_000)).collect();
        assert_eq!(check(&paths, "auto").unwrap().deep, 100);
        // The first is among those that are read; then all are.
        paths[0] = write(folder.path(), "dark.png", 20_000);
        assert_eq!(
            check(&paths, "auto").unwrap().white,
            u16::MAX,
            "dark, but no depth below 16 has such values and others go further"
        );
        paths[0] = write(folder.path(), "darker.png", 1000);
        assert!(check(&paths, "auto").unwrap_err().starts_with("1 of 100 16-bit images stay below"));
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        assert_eq!(check_grey_range(&paths, GreyRange::Auto, &|| true), Err(GreyRangeError::Interrupted));
    }
}
