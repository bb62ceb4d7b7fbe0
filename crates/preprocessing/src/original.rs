//! Originals: the pictures of sources before their preparation, for display beside the prepared images.

use mammoscope_domain::text::contained_panic::contain_panic;
use mammoscope_imaging::anatomy::find_breast;
use mammoscope_imaging::breast_mask::grey_levels;
use mammoscope_imaging::decode::decode;
use mammoscope_imaging::mask::Mask;
use mammoscope_imaging::raster::{Channels, Raster};

use crate::candidate::read;
use crate::dicom_examination::judge;
use crate::record::Record;
use crate::review::ReviewError;
use crate::settings::Settings;
use crate::source::{Source, SourceFormat};

/// A source's picture before crop and fill, in the usual orientation.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    /// At 8 bits.
    pub grey: Raster<u8>,
    /// The breast; `None` if none is found.
    pub breast: Option<Mask>,
}

/// The original of a record, rendered with the settings of the record.
///
/// # Errors
/// If the source has changed since it was prepared, or cannot be rendered.
pub fn original_of(record: &Record, source: &Source) -> Result<Original, ReviewError> {
    let (bytes, sha256) = read(source).map_err(|unsuitable| ReviewError::Refused(unsuitable.reason))?;
    if sha256 != record.source.sha256 {
        return Err(ReviewError::SourceChanged);
    }
    let settings = Settings::of_record(&record.settings);
    let rendered = contain_panic(|| match source.format {
        SourceFormat::Dicom => of_dicom(bytes, &settings),
        SourceFormat::Image(_) => of_image(bytes, &settings),
    });
    let grey = rendered.unwrap_or_else(|_| Err("crashes the decoder; please report it".to_owned()));
    let grey = grey.map_err(ReviewError::Refused)?;
    let breast = find_breast(&grey);
    Ok(Original { grey, breast })
}

fn of_dicom(bytes: Vec<u8>, settings: &Settings) -> Result<Raster<u8>, String> {
    let judged = judge(bytes, settings);
    let reason = judged.reason().map(ToString::to_string).unwrap_or_default();
    judged.picture.map(|picture| picture.grey).ok_or(reason)
}

fn of_image(bytes: Vec<u8>, settings: &Settings) -> Result<Raster<u8>, String> {
    let decoded = decode(bytes).map_err(|error| error.to_string())?;
    let levels = decoded.into_levels(settings.source_range).map_err(|error| error.to_string())?;
    let raster = levels.raster;
    Ok(Raster::new(raster.width(), raster.height(), Channels::Grey, grey_levels(&raster)))
}
