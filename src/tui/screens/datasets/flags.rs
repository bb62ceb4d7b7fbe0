//! The flags of an image: reasons to check it.

use std::path::PathBuf;

use mammoscope_dataset::folder_listing::FolderContext;
use mammoscope_dataset::subject_audit::{SubjectAudit, sample_name};
use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::subject::split::Split;
use mammoscope_domain::subject::view::View;

/// A reason to check an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    /// It cannot be read, for this reason.
    Unreadable(String),
    /// It does not look like a mammogram as expected.
    Doubtful(ImageDoubt),
    /// Another file of the data set has the same content: its path below the root.
    SameAs(PathBuf),
    /// Its name gives another class than its folder.
    NamedClass(DensityClass),
    /// Its name gives another view than its folder.
    NamedView(View),
    /// Its subject is also in these splits.
    AlsoIn(Vec<Split>),
    /// Its examination lacks these views.
    Missing(Vec<View>),
}

impl Flag {
    /// True if it harms training rather than being merely worth a look.
    pub(super) fn is_bad(&self) -> bool {
        !matches!(self, Self::Missing(_))
    }

    /// The flag in a few words.
    pub(super) fn text(&self) -> String {
        let names = |names: Vec<&str>| names.join(" ");
        match self {
            // The details in brackets are left to the sentence.
            Self::Unreadable(problem) => problem.split(" (").next().unwrap_or_default().to_owned(),
            Self::Doubtful(doubt) => doubt.short().to_owned(),
            Self::SameAs(other) => {
                format!("same as {}", other.file_stem().unwrap_or_default().to_string_lossy())
            }
            Self::NamedClass(class) => format!("named {class}"),
            Self::NamedView(view) => format!("named {view}"),
            Self::AlsoIn(splits) => format!("also in {}", names(splits.iter().map(|split| split.name()).collect())),
            Self::Missing(views) => format!("lacks {}", names(views.iter().map(|view| view.name()).collect())),
        }
    }

    /// The flag as a sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::Unreadable(problem) => format!("the file {problem}"),
            Self::Doubtful(doubt) => doubt.text().to_owned(),
            Self::SameAs(other) => format!("the file is the same as {}", other.display()),
            Self::NamedClass(class) => format!("its name says class {class}; the folder counts"),
            Self::NamedView(view) => format!("its name says view {view}; the folder counts"),
            Self::AlsoIn(_) => format!("its subject is {}", self.text()),
            Self::Missing(_) => format!("exam {}", self.text()),
        }
    }
}

/// The flags that follow from an image's name and folders.
pub(super) fn flags_of(file: &str, context: FolderContext, audit: &SubjectAudit) -> Vec<Flag> {
    let mut flags = Vec::new();
    let Some(name) = sample_name(file) else { return flags };
    if let (Some(folder), Some(class)) = (context.class, name.class)
        && folder != class
    {
        flags.push(Flag::NamedClass(class));
    }
    if context.view.is_some_and(|view| view != name.view) {
        flags.push(Flag::NamedView(name.view));
    }
    let splits = audit.other_splits(&name, context.split);
    if !splits.is_empty() {
        flags.push(Flag::AlsoIn(splits));
    }
    let missing = audit.missing_views(&name);
    if !missing.is_empty() {
        flags.push(Flag::Missing(missing));
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_contradicts_its_folders_is_flagged() {
        let context = FolderContext { view: Some(View::CcR), split: None, class: Some(DensityClass::C) };
        let texts = |file| -> Vec<String> {
            flags_of(file, context, &SubjectAudit::default()).iter().map(Flag::text).collect()
        };
        assert_eq!(texts("1_1_C_CC_R.png"), Vec::<String>::new());
        assert_eq!(texts("1_1_B_MLO_R.png"), ["named B", "named MLO_R"]);
        assert_eq!(texts("holiday.png"), Vec::<String>::new());
    }
}
