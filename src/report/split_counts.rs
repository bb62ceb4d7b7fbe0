//! The numbers of subjects and images in each part of a split, as plain text.

use std::fmt::Write as _;

use mammoscope_dataset::subject_split::Part;
use mammoscope_domain::subject::density::DensityClass;

/// The numbers of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartSize {
    /// Subjects by their densest class.
    pub subjects: [usize; DensityClass::COUNT],
    pub images: usize,
}

impl PartSize {
    #[must_use]
    pub fn all_subjects(&self) -> usize {
        self.subjects.iter().sum()
    }
}

/// A line per part, and one for all of them.
#[must_use]
pub fn split_counts_text(parts: &[(Part, PartSize)]) -> String {
    let mut text = format!("{:<12}", "subjects");
    for class in DensityClass::ALL {
        let _ = write!(text, "{class:>7}");
    }
    let _ = writeln!(text, "{:>8}{:>9}", "all", "images");
    let mut total = PartSize::default();
    for (part, size) in parts {
        let name = match part {
            Part::Split(split) => split.to_string(),
            Part::Fold(fold) => format!("fold {fold}"),
        };
        add_line(&mut text, &name, size);
        for (sum, count) in total.subjects.iter_mut().zip(size.subjects) {
            *sum += count;
        }
        total.images += size.images;
    }
    add_line(&mut text, "all", &total);
    text
}

fn add_line(text: &mut String, name: &str, size: &PartSize) {
    let _ = write!(text, "{name:<12}");
    for count in size.subjects {
        let _ = write!(text, "{count:>7}");
    }
    let _ = writeln!(text, "{:>8}{:>9}", size.all_subjects(), size.images);
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammoscope_domain::subject::split::Split;

    #[test]
    fn parts_are_listed_with_their_sum() {
        let parts = [
            (Part::Fold(1), PartSize { subjects: [1, 2, 3, 4], images: 40 }),
            (Part::Split(Split::Test), PartSize { subjects: [0, 1, 0, 1], images: 8 }),
        ];
        assert_eq!(
            split_counts_text(&parts),
            "subjects          A      B      C      D     all   images\n\
             fold 1            1      2      3      4      10       40\n\
             test              0      1      0      1       2        8\n\
             all               1      3      3      5      12       48\n"
        );
    }
}
