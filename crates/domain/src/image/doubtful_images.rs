//! A one-line summary of the images of a data set that are not mammograms as expected.

use std::collections::BTreeMap;
use std::fmt;

use super::image_findings::ImageDoubt;
use crate::text::printable::printable;

/// The number of files that are named for each doubt; the rest are counted.
const MAX_NAMED: usize = 3;

/// Counts of images by doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DoubtfulImages {
    images: usize,
    doubtful: usize,
    by_doubt: BTreeMap<ImageDoubt, Occurrences>,
}

/// The images with one doubt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Occurrences {
    count: usize,
    /// The first files, safe to print.
    examples: Vec<String>,
}

impl DoubtfulImages {
    /// Counts an image with its doubts.
    pub fn add(&mut self, file: &str, doubts: &[ImageDoubt]) {
        self.images += 1;
        self.doubtful += usize::from(!doubts.is_empty());
        for doubt in doubts {
            let found = self.by_doubt.entry(*doubt).or_default();
            found.count += 1;
            if found.examples.len() < MAX_NAMED {
                found.examples.push(printable(file));
            }
        }
    }

    /// True if all images are as expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.doubtful == 0
    }

    /// The number of images with a doubt.
    #[must_use]
    pub fn count(&self) -> usize {
        self.doubtful
    }
}

impl fmt::Display for DoubtfulImages {
    /// `2 of 4 images are not mammograms as expected: bright background … in 1 (a.png); no breast found in 1 (b.png)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self.by_doubt.iter().map(|(doubt, Occurrences { count, examples })| {
            let more = if *count > examples.len() { ", …" } else { "" };
            format!("{doubt} in {count} ({}{more})", examples.join(", "))
        });
        let kinds: Vec<_> = kinds.collect();
        let are = if self.doubtful == 1 { "is not a mammogram" } else { "are not mammograms" };
        write!(f, "{} of {} images {are} as expected: {}", self.doubtful, self.images, kinds.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_summarised_with_counts_and_examples() {
        let mut found = DoubtfulImages::default();
        found.add("fine.png", &[]);
        assert!(found.is_empty());
        found.add("a.png", &[ImageDoubt::NoBreast]);
        assert_eq!(found.to_string(), "1 of 2 images is not a mammogram as expected: no breast found in 1 (a.png)");
        for number in 0..4 {
            found.add(&format!("{number}\n.png"), &[ImageDoubt::Inverted]);
        }
        assert_eq!((found.count(), found.is_empty()), (5, false));
        assert_eq!(
            found.to_string(),
            "5 of 6 images are not mammograms as expected: bright background, as if inverted (MONOCHROME1) in 4 (0\\n.png, \
             1\\n.png, 2\\n.png, …); no breast found in 1 (a.png)"
        );
    }
}
