//! The findings of an audit: their codes, severities and texts.

use serde::Serialize;

/// The weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Results on these images would be wrong.
    Error,
    /// Something to look at before training.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Defines [`FindingCode`] from its variants, in the order in which findings are listed.
macro_rules! finding_codes {
    ($($variant:ident $name:literal,)*) => {
        /// The kind of a finding. The words are stable; `docs/audit.md` explains them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum FindingCode {
            $(#[serde(rename = $name)] $variant,)*
        }

        impl FindingCode {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code's word, in kebab case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

finding_codes! {
    NoImages "no-images",
    Unreadable "unreadable",
    SubjectInTwoSplits "subject-in-two-splits",
    SameFile "same-file",
    SamePixels "same-pixels",
    Recompressed "recompressed",
    Mirrored "mirrored",
    SideAgainstPixels "side-against-pixels",
    ClassAgainstName "class-against-name",
    ClassAgainstTable "class-against-table",
    ViewAgainstName "view-against-name",
    ViewAgainstTable "view-against-table",
    FolderAgainstFolder "folder-against-folder",
    ClassesContradict "classes-contradict",
    GreyRange "grey-range",
    Inverted "inverted",
    OneGreyLevel "one-grey-level",
    NoBreast "no-breast",
    Saturated "saturated",
    ScannerWithClass "scanner-with-class",
    WindowWithClass "window-with-class",
    SizeWithClass "size-with-class",
    AspectWithClass "aspect-with-class",
    DepthWithClass "depth-with-class",
    FormatWithClass "format-with-class",
    BackgroundWithClass "background-with-class",
    MarksWithClass "marks-with-class",
    MuscleWithClass "muscle-with-class",
    MixedMuscle "mixed-muscle",
    IdSpelling "id-spelling",
    NoIds "no-ids",
    ClassChanges "class-changes",
    ReadersDisagree "readers-disagree",
    RepeatedView "repeated-view",
    MissingViews "missing-views",
    OddSize "odd-size",
    OddDepth "odd-depth",
    DigitisedFilm "digitised-film",
    GreyBackground "grey-background",
    Synthesised2d "synthesised-2d",
    Implant "implant",
    BurnedInLetters "burned-in-letters",
    PreprocessNote "preprocess-note",
    PreprocessLost "preprocess-lost",
    DicomFile "dicom-file",
    LeftOut "left-out",
    MasksLeftOut "masks-left-out",
    LeftoverFiles "leftover-files",
    Unlabelled "unlabelled",
    UnknownView "unknown-view",
    OutsideSplits "outside-splits",
    NotInSplitTable "not-in-split-table",
    NotInData "not-in-data",
}

/// One finding about some files of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub code: FindingCode,
    /// The files, relative to the data set's root with `/` as the separator; empty if it is about none in particular.
    pub files: Vec<String>,
    /// The fault in one line that is safe to print.
    pub message: String,
    /// What to do about it, in one line.
    pub fix: String,
}

impl Finding {
    pub(super) fn error(code: FindingCode, files: Vec<String>, message: impl Into<String>, fix: &str) -> Self {
        Self { severity: Severity::Error, code, files, message: message.into(), fix: fix.to_owned() }
    }

    pub(super) fn warning(code: FindingCode, files: Vec<String>, message: impl Into<String>, fix: &str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, files, message, fix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_kebab_case_words_in_the_documentation() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md");
        let table = std::fs::read_to_string(path).unwrap();
        for (at, code) in FindingCode::ALL.iter().enumerate() {
            let name = code.name();
            assert!(FindingCode::ALL[..at].iter().all(|other| other.name() != name), "{name} occurs twice");
            assert!(name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit()));
            assert_eq!(serde_json::to_value(code).unwrap(), name);
            assert!(table.contains(&format!("| `{name}` |")), "docs/audit.md does not explain {name}");
        }
    }
}
