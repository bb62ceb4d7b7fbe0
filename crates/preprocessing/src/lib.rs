//! Preparation of mammograms: from the files of scanners and digitisers to the images that networks are trained on.

mod assignment;
pub mod candidate;
pub mod dicom_examination;
pub mod manifest;
pub mod merge;
pub mod original;
pub mod output;
mod output_lock;
mod part;
pub mod picture;
pub mod preparation;
pub mod pseudonym;
pub mod record;
pub mod replay;
pub mod review;
pub mod run;
pub mod settings;
pub mod source;
pub mod stated_class;
mod summary;
