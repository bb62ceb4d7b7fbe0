//! Findings in the pictures: unreadable files, the wrong side, film, letters, muscles, and what preprocessing recorded.

use std::collections::{BTreeMap, HashSet};

use mammoscope_domain::image::image_findings::ImageDoubt;
use mammoscope_domain::subject::view::Projection;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::printable::printable;

use super::audited_image::AuditedImage;
use super::finding::{Finding, FindingCode, Severity};
use super::folder_findings::dicom_files;
use super::image_measures::Pectoral;
use super::preprocess_manifest::{PREPROCESS_MANIFEST, PreprocessManifest};

/// The reason why an image cannot be read.
pub(super) struct UnreadableImage {
    pub(super) file: String,
    pub(super) reason: String,
    pub(super) is_dicom: bool,
}

/// The findings for unreadable images, one per reason.
pub(super) fn unreadable(images: Vec<UnreadableImage>) -> Vec<Finding> {
    let (dicom, others): (Vec<_>, Vec<_>) = images.into_iter().partition(|image| image.is_dicom);
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for image in others {
        by_reason.entry(image.reason).or_default().push(image.file);
    }
    let of_reason = |(reason, files): (String, Vec<String>)| {
        // Some reasons end with advice.
        let (reason, fix) =
            reason.split_once("; ").unwrap_or((&reason, "copy or export it again from its source, or remove it"));
        let message = match files.len() {
            1 => format!("a file {reason}"),
            count => format!("{count} files, each of which {reason}"),
        };
        Finding::error(FindingCode::Unreadable, files, message, fix)
    };
    let dicom: Vec<String> = dicom.into_iter().map(|image| image.file).collect();
    by_reason.into_iter().map(of_reason).chain((!dicom.is_empty()).then(|| dicom_files(dicom))).collect()
}

/// A property of single images that is a finding.
struct Property {
    code: FindingCode,
    severity: Severity,
    /// The property in words, after the number of images.
    text: &'static str,
    fix: &'static str,
    holds: fn(&AuditedImage<'_>) -> bool,
}

const PROPERTIES: [Property; 10] = [
    Property {
        code: FindingCode::SideAgainstPixels,
        severity: Severity::Error,
        text: "with the chest wall at the wrong edge (left breasts have it at the left)",
        fix: "find out whether the picture is mirrored or the side is wrong in the name; mirror it back, or rename it",
        holds: |image| image.laterality_agrees() == Some(false),
    },
    Property {
        code: FindingCode::Inverted,
        severity: Severity::Error,
        text: "with a bright background, as if inverted (MONOCHROME1)",
        fix: "invert the picture, or export it again from its DICOM file with `mammoscope preprocess`",
        holds: |image| doubted(image, ImageDoubt::Inverted),
    },
    Property {
        code: FindingCode::OneGreyLevel,
        severity: Severity::Error,
        text: "of one grey level only",
        fix: "export the picture again, or remove it",
        holds: |image| doubted(image, ImageDoubt::OneLevel),
    },
    Property {
        code: FindingCode::NoBreast,
        severity: Severity::Warning,
        text: "in which no breast is found",
        fix: "look at it; export it again or remove it if it is not a mammogram",
        holds: |image| doubted(image, ImageDoubt::NoBreast),
    },
    Property {
        code: FindingCode::Saturated,
        severity: Severity::Warning,
        text: "with large parts of the breast saturated",
        fix: "export it again with a wider window, or with `mammoscope preprocess`",
        holds: |image| doubted(image, ImageDoubt::Saturated),
    },
    Property {
        code: FindingCode::DigitisedFilm,
        severity: Severity::Warning,
        text: "of digitised film, or with a noisy background",
        fix: "keep film and digital images apart; remove the background with `mammoscope preprocess`",
        holds: |image| {
            let measured = image.measures.as_ref().and_then(|measures| measures.background);
            measured.is_some_and(|background| background.is_noisy()) || recorded(image, Recorded::Film)
        },
    },
    Property {
        code: FindingCode::GreyBackground,
        severity: Severity::Warning,
        text: "with a background that is not black",
        fix: "set everything outside the breast to 0 in all images, for example with `mammoscope preprocess`",
        holds: |image| {
            let measured = image.measures.as_ref().and_then(|measures| measures.background);
            measured.is_some_and(|background| background.is_grey() && !background.is_noisy())
        },
    },
    Property {
        code: FindingCode::Synthesised2d,
        severity: Severity::Warning,
        text: "synthesised from tomosynthesis",
        fix: "keep them apart from acquired 2D images: their texture and contrast differ",
        holds: |image| recorded(image, Recorded::Synthesised),
    },
    Property {
        code: FindingCode::Implant,
        severity: Severity::Warning,
        text: "with an implant",
        fix: "leave them out, or use the implant-displaced views: an implant looks like dense tissue",
        holds: |image| recorded(image, Recorded::Implant),
    },
    Property {
        code: FindingCode::BurnedInLetters,
        severity: Severity::Warning,
        text: "with letters, tape or other bright marks outside the breast",
        fix: "black them out, for example with `mammoscope preprocess`; check that they name no one",
        holds: |image| {
            let measured = image.measures.as_ref().and_then(|measures| measures.background);
            measured.is_some_and(|background| background.marks > 0) || recorded(image, Recorded::BurnedIn)
        },
    },
];

fn doubted(image: &AuditedImage<'_>, doubt: ImageDoubt) -> bool {
    image.measures.as_ref().is_some_and(|measures| measures.doubts.contains(&doubt))
}

/// A finding of preprocessing that has a code of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Film,
    Synthesised,
    Implant,
    BurnedIn,
}

impl Recorded {
    /// Recognises a finding by its words.
    fn of(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if says(&["implant"]) {
            Some(Self::Implant)
        } else if says(&["synthesised", "synthesized", "tomosynthesis"]) {
            Some(Self::Synthesised)
        } else if says(&["burned-in", "burned in"]) {
            Some(Self::BurnedIn)
        } else if says(&["film"]) {
            Some(Self::Film)
        } else {
            None
        }
    }
}

fn recorded(image: &AuditedImage<'_>, kind: Recorded) -> bool {
    image.preprocessed.is_some_and(|source| source.findings.iter().any(|text| Recorded::of(text) == Some(kind)))
}

/// The findings in the pictures, one per kind.
pub(super) fn picture_findings(images: &[AuditedImage<'_>]) -> Vec<Finding> {
    let of_property = |property: &Property| {
        let files: Vec<String> =
            images.iter().filter(|image| (property.holds)(image)).map(|image| image.file.clone()).collect();
        let message = format!("{} {}", counted(files.len(), "image"), property.text);
        let finding = Finding::error(property.code, files, message, property.fix);
        (!finding.files.is_empty()).then_some(Finding { severity: property.severity, ..finding })
    };
    PROPERTIES.iter().filter_map(of_property).chain(mixed_muscle(images)).collect()
}

/// Filled and unfilled muscles in one data set; the files are those of the smaller group.
fn mixed_muscle(images: &[AuditedImage<'_>]) -> Option<Finding> {
    let is_mlo = |image: &AuditedImage<'_>| {
        let shows_muscle = image.sample.view.is_some_and(|view| view.projection() == Projection::Mlo);
        shows_muscle && image.measures.is_some()
    };
    let is = |states: &[Pectoral]| -> Vec<String> {
        let found = images.iter().filter(|image| is_mlo(image) && states.contains(&image.pectoral()));
        found.map(|image| image.file.clone()).collect()
    };
    let [filled, unfilled] = [is(&[Pectoral::Filled]), is(&[Pectoral::Muscle, Pectoral::Uncertain])];
    if filled.is_empty() || unfilled.is_empty() {
        return None;
    }
    let message = format!(
        "the pectoral muscle is filled in {} and not, or not certainly, in {}",
        counted(filled.len(), "MLO image"),
        unfilled.len()
    );
    let files = if filled.len() <= unfilled.len() { filled } else { unfilled };
    let fix = "prepare all images alike: fill the others, or use unfilled ones throughout";
    Some(Finding::warning(FindingCode::MixedMuscle, files, message, fix))
}

/// What preprocessing recorded and no other code covers, and outputs that are missing now.
pub(super) fn manifest_findings(manifest: &PreprocessManifest, images: &[AuditedImage<'_>]) -> Vec<Finding> {
    let mut by_text: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for image in images {
        for text in image.preprocessed.iter().flat_map(|source| &source.findings) {
            if Recorded::of(text).is_none() {
                by_text.entry(text).or_default().push(image.file.clone());
            }
        }
    }
    let of_text = |(text, files): (&str, Vec<String>)| {
        let message = format!("preprocessing noted of {}: {}", counted(files.len(), "image"), printable(text));
        let fix = "look at these images before they are used";
        Finding::warning(FindingCode::PreprocessNote, files, message, fix)
    };
    let mut findings: Vec<Finding> = by_text.into_iter().map(of_text).collect();
    let present: HashSet<&str> = images.iter().map(|image| image.file.as_str()).collect();
    let lost: Vec<String> =
        manifest.images.keys().filter(|output| !present.contains(output.as_str())).cloned().collect();
    if !lost.is_empty() {
        let message = format!("{PREPROCESS_MANIFEST} names {} that the data set lacks", counted(lost.len(), "image"));
        let fix = "run `mammoscope preprocess` again, which makes only what is missing";
        findings.push(Finding::warning(FindingCode::PreprocessLost, lost, message, fix));
    }
    if manifest.bad_lines > 0 {
        let lines = counted(manifest.bad_lines, "unreadable line");
        let message = format!("{PREPROCESS_MANIFEST} has {lines}");
        let fix = "run `mammoscope preprocess` again, or restore the file";
        findings.push(Finding::warning(FindingCode::PreprocessLost, Vec::new(), message, fix));
    }
    findings
}
