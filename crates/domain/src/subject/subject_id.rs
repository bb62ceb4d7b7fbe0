//! Ids of subjects and examinations, and file names that state them: `124_1_A_CC_L` is subject 124, exam 1, class A,
//! view CC_L.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::density::DensityClass;
use super::view::View;

/// The id of a subject (an examined woman). Splits never divide a subject's images, and intervals are bootstrapped over
/// subjects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(pub String);

/// An examination of a subject, unique within the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExamId(pub String);

impl SubjectId {
    /// Reads an id: surrounding white space is dropped, and accented letters are composed (Unicode NFC), since macOS
    /// decomposes file names (NFD) and other systems do not.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(id_text(text))
    }
}

impl ExamId {
    /// Reads an id in the same way as [`SubjectId::new`].
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(id_text(text))
    }
}

fn id_text(text: &str) -> String {
    text.trim().nfc().collect()
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for ExamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The word in the place of the class in names and folders of images without one.
pub const UNLABELLED: &str = "unlabelled";

/// A file name of the reference's form `<subject>_<exam>_<class>_<view>`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleName {
    pub subject: SubjectId,
    pub exam: ExamId,
    /// `None` if the word `unlabelled` is in its place.
    pub class: Option<DensityClass>,
    pub view: View,
    /// 1 for the first image of the view; further ones have their number after the view, `124_1_A_CC_L_2`.
    pub acquisition: u32,
}

impl SampleName {
    /// Reads a file name without its extension, in either case; `None` if it does not have the form
    /// `<subject>_<exam>_<class>_<view>` or `<subject>_<exam>_<class>_<view>_<number>`. The subject may itself contain
    /// underscores.
    #[must_use]
    pub fn parse(stem: &str) -> Option<Self> {
        let further = stem.rsplit_once('_').and_then(|(first, number)| {
            let acquisition = number.parse().ok().filter(|&number| number >= 2)?;
            Some(Self { acquisition, ..Self::parse_first(first)? })
        });
        further.or_else(|| Self::parse_first(stem))
    }

    fn parse_first(stem: &str) -> Option<Self> {
        let mut parts = stem.rsplitn(5, '_');
        let (side, projection) = (parts.next()?, parts.next()?);
        let view = format!("{projection}_{side}").parse().ok()?;
        let class = parts.next()?;
        let class = if class.eq_ignore_ascii_case(UNLABELLED) { None } else { Some(class.parse().ok()?) };
        let exam = Some(ExamId::new(parts.next()?)).filter(|exam| !exam.0.is_empty())?;
        let subject = Some(SubjectId::new(parts.next()?)).filter(|subject| !subject.0.is_empty())?;
        Some(Self { subject, exam, class, view, acquisition: 1 })
    }
}

impl fmt::Display for SampleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = self.class.map_or(UNLABELLED, DensityClass::letter);
        write!(f, "{}_{}_{class}_{}", self.subject, self.exam, self.view)?;
        if self.acquisition > 1 { write!(f, "_{}", self.acquisition) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_reference_are_read() {
        let name = SampleName::parse("124_1_A_CC_L").expect("the reference's form");
        assert_eq!(name.subject.0, "124");
        assert_eq!(name.exam.0, "1");
        assert_eq!(name.class, Some(DensityClass::A));
        assert_eq!(name.view, View::CcL);
        let name = SampleName::parse("clinic_7_2_d_mlo_r").expect("underscores in the subject, lower case");
        assert_eq!((name.subject.0.as_str(), name.exam.0.as_str()), ("clinic_7", "2"));
        let name = SampleName::parse("124_1_A_CC_L_2").expect("a second image of the view");
        assert_eq!((name.subject.0.as_str(), name.exam.0.as_str(), name.acquisition), ("124", "1", 2));
        assert_eq!(SampleName::parse("124_1_unlabelled_CC_L").map(|name| name.class), Some(None));
    }

    #[test]
    fn other_names_are_refused() {
        for stem in
            ["", "IMG_0001", "124_1_E_CC_L", "124_A_CC_L", "_1_A_CC_L", "124__A_CC_L", "124_1_A_CC", "124_1_A_XX_L"]
        {
            assert_eq!(SampleName::parse(stem), None, "{stem}");
        }
    }

    proptest! {
        #[test]
        fn written_names_are_read_back(subject in "[A-Za-z0-9_]{0,9}[A-Za-z0-9]", exam in "[A-Za-z0-9]{1,4}", class in 0_usize..5, view in 0_usize..4, acquisition in 1_u32..12) {
            let name = SampleName {
                subject: SubjectId(subject),
                exam: ExamId(exam),
                class: DensityClass::ALL.get(class).copied(),
                view: View::ALL[view],
                acquisition,
            };
            prop_assert_eq!(SampleName::parse(&name.to_string()), Some(name));
        }
    }
}
