//! Bytes to pixels, and pixels to pixels.

pub mod breast_mask;
mod components;
pub mod decode;
pub mod grey_deviation;
pub mod grey_sixel;
mod image_error;
mod image_facts;
pub mod image_header;
pub mod intensity_window;
mod jpeg_end;
pub mod mask;
pub mod network_input;
pub mod pixel_checksum;
pub mod raster;
pub mod resize;
