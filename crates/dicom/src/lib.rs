//! Reading, judging and rendering of DICOM mammograms.

pub mod codec;
