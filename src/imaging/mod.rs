//! Bytes to pixels, and pixels to pixels.

pub mod breast_mask;
mod components;
pub mod decode;
pub mod grey_deviation;
mod image_error;
mod image_facts;
mod jpeg_end;
pub mod mask;
pub mod network_input;
pub mod pixel_checksum;
pub mod raster;
pub mod resize;
