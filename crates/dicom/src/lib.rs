//! Reading, judging and rendering of DICOM mammograms.

pub mod codec;
pub mod examination;
pub mod file;
pub mod grey;
pub mod header;
pub mod stored_pixels;
