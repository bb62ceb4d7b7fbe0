//! The projection and the side of a mammogram, as its header states them.

use mammoscope_domain::subject::view::{Projection, Side};

use super::finding::Finding;
use crate::file::data_set::DataSet;
use crate::file::tag;

/// A projection other than the two standard ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CodedView {
    Standard(Projection),
    Other(&'static str),
}

/// Views by their codes in SNOMED CT and in the retired SNOMED RT (SRT, SNM3, 99SDM): PS3.16, CID 4014, and by their
/// View Position (PS3.3, C.8.11.7.1.1).
const VIEWS: [(&[&str], CodedView); 12] = [
    (&["399162004", "R-10242", "CC"], CodedView::Standard(Projection::Cc)),
    (&["399368009", "R-10226", "MLO"], CodedView::Standard(Projection::Mlo)),
    (&["399260004", "R-10224", "ML"], CodedView::Other("ML")),
    (&["399352003", "R-10228", "LM"], CodedView::Other("LM")),
    (&["399099002", "R-10230", "LMO"], CodedView::Other("LMO")),
    (&["399196006", "R-10244", "FB"], CodedView::Other("FB")),
    (&["399188001", "R-102D0", "SIO"], CodedView::Other("SIO")),
    (&["441555000", "R-40AAA", "ISO"], CodedView::Other("ISO")),
    (&["XCC"], CodedView::Other("XCC")),
    (&["399192008", "R-1024A", "XCCL"], CodedView::Other("XCCL")),
    (&["399101009", "R-1024B", "XCCM"], CodedView::Other("XCCM")),
    (&["127457009", "G-8310"], CodedView::Other("tissue specimen")),
];

/// Modifiers of a view: PS3.16, CID 4015.
const MODIFIERS: [(&[&str], Modifier); 14] = [
    (&["399163009", "R-102D6"], Modifier::Refused("magnification")),
    (&["399055006", "R-102D7"], Modifier::Refused("spot compression")),
    (&["399161006", "R-102D2"], Modifier::Refused("cleavage")),
    (&["399011000", "R-102D1"], Modifier::Refused("axillary tail")),
    (&["442580003", "R-40AB2"], Modifier::Refused("axillary tissue")),
    (&["399197002", "R-102D3"], Modifier::Refused("rolled lateral")),
    (&["399226006", "R-102D4"], Modifier::Refused("rolled medial")),
    (&["414493004", "R-102CA"], Modifier::Refused("rolled inferior")),
    (&["415670009", "R-102C9"], Modifier::Refused("rolled superior")),
    (&["399110001", "R-102C2"], Modifier::Refused("tangential")),
    (&["399209000", "R-102D5"], Modifier::ImplantDisplaced),
    (&["442581004", "R-40AB3"], Modifier::Harmless),
    (&["441752004", "P2-00161"], Modifier::Harmless),
    (&["442593008", "R-40ABE"], Modifier::Harmless),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modifier {
    Refused(&'static str),
    ImplantDisplaced,
    /// Nipple in profile, anterior compression, inframammary fold: still the whole breast.
    Harmless,
}

/// A statement and the attribute that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated<T> {
    pub value: T,
    pub source: &'static str,
}

/// A reason why an image does not show one of the two standard projections.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewFault {
    #[error("no view in the file: neither View Code Sequence nor View Position state one")]
    Missing,
    #[error("view {0} is neither CC nor MLO")]
    Other(String),
    #[error("not a standard view: {}", .0.join(", "))]
    Modified(Vec<String>),
}

/// The directions of rows and columns in comparison with the usual display.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mirroring {
    /// Rows run towards the chest wall where they should run away from it, or the reverse.
    pub horizontal: bool,
    /// Columns run upwards.
    pub vertical: bool,
}

/// The projection that a header states: the code first, then View Position.
pub fn projection(header: &DataSet<'_>, findings: &mut Vec<Finding>) -> Result<Stated<Projection>, ViewFault> {
    let code = header.items(tag::VIEW_CODE_SEQUENCE).first();
    let coded = code.and_then(|item| item.text(tag::CODE_VALUE));
    let position = header.text(tag::VIEW_POSITION).map(|text| text.to_ascii_uppercase());
    let by_code = coded.as_deref().map(known_view);
    let by_position = position.as_deref().map(known_view);
    let modifiers = refused_modifiers(code, position.as_deref(), header, findings);
    let (stated, source, text) = match (by_code, by_position) {
        (Some(Some(view)), other) => {
            if let (CodedView::Standard(code), Some(Some(CodedView::Standard(position)))) = (view, other)
                && code != position
            {
                findings.push(Finding::ViewContradiction { code: name(code), position: name(position) });
            }
            (Some(view), "View Code Sequence", coded)
        }
        // An unknown code: View Position, if it is a known one.
        (Some(None), Some(Some(view))) => (Some(view), "View Position", position),
        (Some(None), _) => (None, "View Code Sequence", coded),
        (None, Some(view)) => (view, "View Position", position),
        (None, None) => return Err(ViewFault::Missing),
    };
    match stated {
        Some(CodedView::Standard(_)) if !modifiers.is_empty() => Err(ViewFault::Modified(modifiers)),
        Some(CodedView::Standard(value)) => Ok(Stated { value, source }),
        Some(CodedView::Other(name)) => Err(ViewFault::Other(name.to_owned())),
        None => Err(ViewFault::Other(safe_code(text.as_deref().unwrap_or_default()))),
    }
}

/// The name of a projection, `CC` or `MLO`.
#[must_use]
pub const fn name(projection: Projection) -> &'static str {
    match projection {
        Projection::Cc => "CC",
        Projection::Mlo => "MLO",
    }
}

/// The side that a header states: Image Laterality first, then Laterality; `None` if neither says left or right.
pub fn side(header: &DataSet<'_>, findings: &mut Vec<Finding>) -> Option<Stated<Side>> {
    let of = |tag| match header.text(tag)?.to_ascii_uppercase().as_str() {
        "L" => Some(Side::Left),
        "R" => Some(Side::Right),
        _ => None,
    };
    match (of(tag::IMAGE_LATERALITY), of(tag::LATERALITY)) {
        (Some(value), other) => {
            if other.is_some_and(|other| other != value) {
                findings.push(Finding::LateralityContradiction);
            }
            Some(Stated { value, source: "Image Laterality" })
        }
        (None, Some(value)) => Some(Stated { value, source: "Laterality" }),
        (None, None) => None,
    }
}

/// The mirroring that Patient Orientation states for a side.
///
/// Usually rows run from the chest wall to the nipple (anterior) in left breasts and the other way in right ones, and
/// columns run towards the middle of the body and, in MLO views, towards the feet. An orientation that is that of the
/// other breast contradicts the side rather than stating a mirroring, and so does a CC view that would have to be turned
/// by 180°, which looks the same.
#[must_use]
pub fn mirroring(header: &DataSet<'_>, projection: Projection, side: Side) -> Mirroring {
    let directions = header.texts(tag::PATIENT_ORIENTATION);
    let [row, column] = directions.as_slice() else { return Mirroring::default() };
    let runs = |direction: &str, towards: char, away: char| direction.contains(towards) && !direction.contains(away);
    let (away, towards, middle, outside) = match side {
        Side::Left => ('A', 'P', 'R', 'L'),
        Side::Right => ('P', 'A', 'L', 'R'),
    };
    let row_reversed = runs(row, towards, away);
    let (to_middle, to_outside) = (runs(column, middle, outside), runs(column, outside, middle));
    match projection {
        Projection::Cc if row_reversed && to_outside => Mirroring::default(),
        Projection::Cc => Mirroring { horizontal: row_reversed, vertical: to_outside },
        Projection::Mlo => {
            let vertical = runs(column, 'H', 'F');
            // Upside down, columns run outwards.
            let is_other_breast = if vertical { to_middle } else { to_outside };
            if is_other_breast { Mirroring::default() } else { Mirroring { horizontal: row_reversed, vertical } }
        }
    }
}

fn known_view(text: &str) -> Option<CodedView> {
    VIEWS.into_iter().find(|(names, _)| names.contains(&text)).map(|(_, view)| view)
}

/// The modifiers that change what an image shows.
fn refused_modifiers(
    code: Option<&DataSet<'_>>,
    position: Option<&str>,
    header: &DataSet<'_>,
    findings: &mut Vec<Finding>,
) -> Vec<String> {
    let items = code.map(|item| item.items(tag::VIEW_MODIFIER_CODE_SEQUENCE)).unwrap_or_default();
    let mut refused = Vec::new();
    for code in items.iter().filter_map(|item| item.text(tag::CODE_VALUE)) {
        match MODIFIERS.into_iter().find(|(names, _)| names.contains(&code.as_str())).map(|(_, modifier)| modifier) {
            Some(Modifier::Harmless) => {}
            Some(Modifier::ImplantDisplaced) => findings.push(Finding::ImplantDisplaced),
            Some(Modifier::Refused(name)) => refused.push(name.to_owned()),
            None => refused.push(format!("unknown view modifier {}", safe_code(&code))),
        }
    }
    // Some units write the modifier in front of or after the view: "MCC", "MLO SPOT".
    if let Some(position) = position
        && known_view(position).is_none()
        && ["SPOT", "MAG"].iter().any(|word| position.contains(word))
    {
        refused.push(safe_code(position));
    }
    let magnified = header.text(tag::MAGNIFICATION_FACTOR).and_then(|text| text.parse::<f64>().ok());
    if magnified.is_some_and(|factor| factor > MAX_MAGNIFICATION) && !refused.iter().any(|name| name == "magnification")
    {
        refused.push("magnification".to_owned());
    }
    refused
}

/// The largest geometric magnification of a contact view, whose breast lies a few centimetres above the detector.
const MAX_MAGNIFICATION: f64 = 1.3;

/// A code, without anything else that a file may have in its place.
fn safe_code(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | ' ')).take(24).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::test_elements::with_texts;

    fn with<T>(
        texts: &[(tag::Tag, &str)],
        read: impl FnOnce(&DataSet<'_>, &mut Vec<Finding>) -> T,
    ) -> (T, Vec<Finding>) {
        let mut findings = Vec::new();
        let found = with_texts(texts, |header| read(header, &mut findings));
        (found, findings)
    }

    #[test]
    fn orientations_of_all_views_are_understood() {
        let usual = Mirroring::default();
        let mirrored = Mirroring { horizontal: true, vertical: false };
        let upside_down = Mirroring { horizontal: false, vertical: true };
        let turned = Mirroring { horizontal: true, vertical: true };
        for (projection, side, orientation, expected) in [
            (Projection::Cc, Side::Left, "A\\R", usual),
            (Projection::Cc, Side::Right, "P\\L", usual),
            (Projection::Cc, Side::Left, "P\\R", mirrored),
            (Projection::Cc, Side::Right, "A\\L", mirrored),
            (Projection::Cc, Side::Left, "A\\L", upside_down),
            // Of the other breast, or turned: it cannot be said.
            (Projection::Cc, Side::Left, "P\\L", usual),
            (Projection::Mlo, Side::Left, "A\\FR", usual),
            (Projection::Mlo, Side::Right, "P\\FL", usual),
            (Projection::Mlo, Side::Right, "P\\F", usual),
            (Projection::Mlo, Side::Left, "P\\FR", mirrored),
            (Projection::Mlo, Side::Left, "P\\F", mirrored),
            (Projection::Mlo, Side::Right, "A\\FR", usual),
            (Projection::Mlo, Side::Right, "P\\HR", upside_down),
            (Projection::Mlo, Side::Right, "A\\HR", turned),
            (Projection::Mlo, Side::Left, "", usual),
            (Projection::Mlo, Side::Left, "P", usual),
        ] {
            let (found, _) =
                with(&[(tag::PATIENT_ORIENTATION, orientation)], |header, _| mirroring(header, projection, side));
            assert_eq!(found, expected, "{projection:?} {side:?} {orientation}");
        }
    }

    #[test]
    fn views_by_position_modifiers_and_magnification() {
        let view = |position: &str| with(&[(tag::VIEW_POSITION, position)], projection).0;
        assert_eq!(view("CC").unwrap(), Stated { value: Projection::Cc, source: "View Position" });
        assert_eq!(view("mlo").unwrap().value, Projection::Mlo);
        assert_eq!(view("XCCL"), Err(ViewFault::Other("XCCL".to_owned())));
        assert_eq!(view(""), Err(ViewFault::Missing));
        let magnified = [(tag::MAGNIFICATION_FACTOR, "1.8"), (tag::VIEW_POSITION, "CC")];
        assert_eq!(with(&magnified, projection).0, Err(ViewFault::Modified(vec!["magnification".to_owned()])));
        let contact = [(tag::MAGNIFICATION_FACTOR, "1.07"), (tag::VIEW_POSITION, "CC")];
        assert!(with(&contact, projection).0.is_ok());
    }

    #[test]
    fn the_side_comes_from_image_laterality_first() {
        let (both, findings) = with(&[(tag::LATERALITY, "R"), (tag::IMAGE_LATERALITY, "L")], side);
        assert_eq!(both, Some(Stated { value: Side::Left, source: "Image Laterality" }));
        assert_eq!(findings, [Finding::LateralityContradiction]);
        assert_eq!(with(&[(tag::LATERALITY, "R")], side).0.map(|stated| stated.value), Some(Side::Right));
        assert_eq!(with(&[(tag::IMAGE_LATERALITY, "B")], side).0, None);
    }
}
