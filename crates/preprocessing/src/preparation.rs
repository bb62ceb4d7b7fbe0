//! The preparation of one picture: breast, crop, background and pectoral muscle.

use mammoscope_domain::subject::view::{Projection, Side, View};
use mammoscope_imaging::anatomy::{
    PectoralCurve, PectoralFinding, PixelBox, fill, find_breast, find_pectoral, skin_box,
};
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::raster::{Channels, Raster};

use crate::picture::Picture;
use crate::record::{PectoralRecord, PectoralState};
use crate::settings::PectoralTreatment;

/// The margin around the breast that keeps its grey, as a share of the shorter side; the skin line is faint.
const MARGIN: f64 = 0.015;

/// A picture without a breast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreparationFault {
    #[error("no breast is found in the picture")]
    NoBreast,
    #[error("the muscle covers the whole breast; there is no grey to fill it with")]
    NothingButMuscle,
}

/// A prepared picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    pub picture: Picture,
    /// The part of the original picture.
    pub crop: PixelBox,
    pub pectoral: PectoralRecord,
}

/// The muscle's treatment: by the settings, or along a curve that is known from a review or a manifest.
#[derive(Clone, Copy, Debug)]
pub enum MusclePlan<'a> {
    Find(PectoralTreatment),
    Along(&'a PectoralCurve),
    /// Left as it is, whatever it is.
    Untouched,
}

/// Crops a picture at the skin, blackens everything beside the breast, and treats the muscle.
pub fn prepare(picture: &Picture, view: View, muscle: MusclePlan<'_>) -> Result<Prepared, PreparationFault> {
    let breast = find_breast(&picture.grey).ok_or(PreparationFault::NoBreast)?;
    let crop = skin_box(&breast, view.side()).ok_or(PreparationFault::NoBreast)?;
    let cropped = picture.cropped(crop);
    let breast = crop.cropped_mask(&breast);
    let (picture, pectoral) = treat_muscle(cropped, &breast, view, muscle)?;
    let margin = (MARGIN * breast.width().min(breast.height()) as f64).ceil() as usize;
    let visible = breast.dilated(margin);
    let picture = Picture {
        grey: blackened(&picture.grey, &visible),
        deep: picture.deep.as_ref().map(|deep| blackened(deep, &visible)),
    };
    Ok(Prepared { picture, crop, pectoral })
}

fn treat_muscle(
    picture: Picture,
    breast: &Mask,
    view: View,
    plan: MusclePlan<'_>,
) -> Result<(Picture, PectoralRecord), PreparationFault> {
    let untouched = |state| PectoralRecord { state, curve: None, confidence: None, reason: None, fill: None };
    if view.projection() == Projection::Cc {
        return Ok((picture, untouched(PectoralState::None)));
    }
    let treatment = match plan {
        MusclePlan::Untouched => return Ok((picture, untouched(PectoralState::Kept))),
        MusclePlan::Along(curve) => {
            let (picture, level) = filled(&picture, breast, curve, view.side())?;
            let curve = Some(curve.clone());
            return Ok((picture, PectoralRecord { curve, fill: Some(level), ..untouched(PectoralState::Filled) }));
        }
        MusclePlan::Find(treatment) => treatment,
    };
    let (curve, confidence, reason) = match find_pectoral(&picture.grey, breast, view.side()) {
        PectoralFinding::Filled(_) => return Ok((picture, untouched(PectoralState::AlreadyFilled))),
        PectoralFinding::None => return Ok((picture, untouched(PectoralState::None))),
        PectoralFinding::Muscle { curve, confidence } => (Some(curve), confidence, None),
        PectoralFinding::Uncertain { curve, confidence, reason } => (curve, confidence, Some(reason.to_string())),
    };
    // Rounded, so that a manifest gives the same number again.
    let confidence = Some((confidence * 1000.0).round() / 1000.0);
    let record = |state, fill| PectoralRecord { state, curve: curve.clone(), confidence, reason: reason.clone(), fill };
    match (&curve, treatment) {
        (_, PectoralTreatment::Keep) => Ok((picture, record(PectoralState::Kept, None))),
        (Some(edge), _) if reason.is_none() || treatment == PectoralTreatment::Fill => {
            let (picture, level) = filled(&picture, breast, edge, view.side())?;
            Ok((picture, record(PectoralState::Filled, Some(level))))
        }
        _ => Ok((picture, record(PectoralState::Uncertain, None))),
    }
}

/// The picture with its muscle filled, and the grey of the fill at the output's depth.
fn filled(
    picture: &Picture,
    breast: &Mask,
    curve: &PectoralCurve,
    side: Side,
) -> Result<(Picture, u16), PreparationFault> {
    let muscle = curve.mask(picture.grey.width(), picture.grey.height(), side);
    let nothing = |_| PreparationFault::NothingButMuscle;
    let grey = fill(&picture.grey, &muscle, breast).map_err(nothing)?;
    let deep = picture.deep.as_ref().map(|deep| fill(deep, &muscle, breast)).transpose().map_err(nothing)?;
    let level = match &deep {
        Some(deep) => deep.level[0],
        None => grey.level[0].into(),
    };
    Ok((Picture { grey: grey.image, deep: deep.map(|deep| deep.image) }, level))
}

fn blackened<S: Copy + Default>(image: &Raster<S>, visible: &Mask) -> Raster<S> {
    let samples = image.samples().iter().zip(visible.pixels());
    let samples = samples.map(|(&sample, &visible)| if visible { sample } else { S::default() });
    Raster::new(image.width(), image.height(), Channels::Grey, samples.collect())
}
