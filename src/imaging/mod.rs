//! Bytes to pixels, and pixels to pixels.

pub mod decode;
mod jpeg_end;
pub mod network_input;
pub mod raster;
pub mod resize;
