//! Bytes to pixels, and pixels to pixels.

pub mod decode;
mod image_error;
mod image_facts;
mod jpeg_end;
pub mod network_input;
pub mod pixel_checksum;
pub mod raster;
pub mod resize;
