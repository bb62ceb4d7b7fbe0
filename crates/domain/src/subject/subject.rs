//! Who and what an image shows, as its file name tells: `124_1_A_CC_L` is subject 124, exam 1, class A, view CC_L.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::density::DensityClass;
use super::view::View;

/// A subject (a woman examined); everything that must not straddle splits or be counted twice is keyed on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(pub String);

/// An examination of a subject, unique within the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExamId(pub String);

impl SubjectId {
    /// The subject that a text names, whatever wrote it: without blanks around it, and letters with accents in one form
    /// (Unicode NFC), since macOS takes names apart (NFD) that others leave whole.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(id_text(text))
    }
}

impl ExamId {
    /// The examination that a text names, as [`SubjectId::new`] has it.
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

/// What a file name of the reference's form `<subject>_<exam>_<class>_<view>` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleName {
    /// The subject.
    pub subject: SubjectId,
    /// The examination of the subject.
    pub exam: ExamId,
    /// The density class.
    pub class: DensityClass,
    /// The view.
    pub view: View,
}

impl SampleName {
    /// Reads a file name without its extension, in either case; `None` when it is not of the form
    /// `<subject>_<exam>_<class>_<view>`. The subject may itself hold underscores.
    #[must_use]
    pub fn parse(stem: &str) -> Option<Self> {
        let mut parts = stem.rsplitn(5, '_');
        let (side, projection) = (parts.next()?, parts.next()?);
        let view = format!("{projection}_{side}").parse().ok()?;
        let class = parts.next()?.parse().ok()?;
        let exam = Some(ExamId::new(parts.next()?)).filter(|exam| !exam.0.is_empty())?;
        let subject = Some(SubjectId::new(parts.next()?)).filter(|subject| !subject.0.is_empty())?;
        Some(Self { subject, exam, class, view })
    }
}

impl fmt::Display for SampleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}_{}", self.subject, self.exam, self.class, self.view)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_form_of_the_reference() {
        let name = SampleName::parse("124_1_A_CC_L").expect("the reference's form");
        assert_eq!(name.subject.0, "124");
        assert_eq!(name.exam.0, "1");
        assert_eq!(name.class, DensityClass::A);
        assert_eq!(name.view, View::CcL);
        let name = SampleName::parse("clinic_7_2_d_mlo_r").expect("underscores in the subject, lower case");
        assert_eq!((name.subject.0.as_str(), name.exam.0.as_str()), ("clinic_7", "2"));
    }

    #[test]
    fn refuses_everything_else() {
        for stem in
            ["", "IMG_0001", "124_1_E_CC_L", "124_A_CC_L", "_1_A_CC_L", "124__A_CC_L", "124_1_A_CC", "124_1_A_XX_L"]
        {
            assert_eq!(SampleName::parse(stem), None, "{stem}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(subject in "[A-Za-z0-9_]{0,9}[A-Za-z0-9]", exam in "[A-Za-z0-9]{1,4}", class in 0_usize..4, view in 0_usize..4) {
            let name = SampleName {
                subject: SubjectId(subject),
                exam: ExamId(exam),
                class: DensityClass::ALL[class],
                view: View::ALL[view],
            };
            prop_assert_eq!(SampleName::parse(&name.to_string()), Some(name));
        }
    }
}
