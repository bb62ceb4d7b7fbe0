//! The kind of an image: mammogram, digitised film, tomosynthesis, or something else.

use super::finding::Finding;
use crate::file::data_set::DataSet;
use crate::file::tag;

const TOMOSYNTHESIS: &str = "1.2.840.10008.5.1.4.1.1.13.1.3";
const MAMMOGRAPHY: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.1.2.1"];
const MAMMOGRAPHY_FOR_PROCESSING: &str = "1.2.840.10008.5.1.4.1.1.1.2.1";

/// Modalities of digitised films of a breast.
const FILM: [&str; 4] = ["RG", "CR", "DX", "OT"];

/// A reason why an image is not one that the networks are meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KindFault {
    #[error("DICOMDIR: a directory of files, not an image")]
    Directory,
    #[error("not a mammogram (modality {})", .0.as_deref().unwrap_or("not stated"))]
    NotMammography(Option<String>),
    #[error(
        "FOR PROCESSING: raw detector values, which the networks are not trained for; use the image FOR PRESENTATION of \
         the same exposure"
    )]
    ForProcessing,
    #[error("tomosynthesis, {0} frames; use the 2D view of the same examination")]
    Tomosynthesis(u64),
}

/// Faults of the kind of image, the gravest first, and findings about it.
pub fn kind_faults(header: &DataSet<'_>, frames: u64, findings: &mut Vec<Finding>) -> Vec<KindFault> {
    let sop_class = header.text(tag::SOP_CLASS_UID).unwrap_or_default();
    let modality = header.text(tag::MODALITY).map(|text| short_word(&text));
    let image_type = header.texts(tag::IMAGE_TYPE);
    let has_type = |words: &[&str]| image_type.iter().any(|value| words.contains(&value.as_str()));
    let mut faults = Vec::new();
    let mammography = modality.as_deref() == Some("MG") || MAMMOGRAPHY.contains(&sop_class.as_str());
    if !mammography && sop_class != TOMOSYNTHESIS {
        let body_part = header.text(tag::BODY_PART_EXAMINED).map(|text| text.to_ascii_uppercase());
        let film = modality.clone().filter(|modality| FILM.contains(&modality.as_str()));
        match film {
            Some(modality) if body_part.as_deref() == Some("BREAST") => {
                findings.push(Finding::DigitisedFilm { modality });
            }
            _ => faults.push(KindFault::NotMammography(modality)),
        }
    }
    if sop_class == TOMOSYNTHESIS || frames > 1 || has_type(&["TOMOSYNTHESIS"]) {
        faults.push(KindFault::Tomosynthesis(frames));
    }
    let intent = header.text(tag::PRESENTATION_INTENT_TYPE).unwrap_or_default();
    if intent.eq_ignore_ascii_case("FOR PROCESSING") || sop_class == MAMMOGRAPHY_FOR_PROCESSING {
        faults.push(KindFault::ForProcessing);
    }
    if has_type(&["GENERATED_2D", "TOMO_2D", "SYNTHETIC_2D", "TOMO"]) && sop_class != TOMOSYNTHESIS {
        findings.push(Finding::Synthesised);
    }
    let says_yes = |tag| header.text(tag).is_some_and(|text| text.eq_ignore_ascii_case("YES"));
    for (tag, finding) in [
        (tag::BREAST_IMPLANT_PRESENT, Finding::Implant),
        (tag::PARTIAL_VIEW, Finding::PartialView),
        (tag::BURNED_IN_ANNOTATION, Finding::BurnedInAnnotation),
    ] {
        if says_yes(tag) {
            findings.push(finding);
        }
    }
    if header.text(tag::LOSSY_IMAGE_COMPRESSION).as_deref() == Some("01") {
        findings.push(Finding::Lossy);
    }
    faults
}

/// A defined term of up to 16 letters, without anything else that a file may have in its place.
fn short_word(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).take(16).collect()
}
