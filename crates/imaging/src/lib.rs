//! Decoding, analysis and rendering of mammograms.

pub mod breast_mask;
pub mod colormap;
mod components;
pub mod contour;
pub mod decode;
pub mod decoded_image;
pub mod dense_tissue;
pub mod explanation_picture;
pub mod filled_pectoral;
pub mod image_error;
pub mod image_examination;
mod image_facts;
pub mod image_header;
pub mod image_limits;
pub mod intensity_sd;
pub mod intensity_window;
pub mod map_zoom;
pub mod mask;
pub mod network_input;
pub mod overlay;
pub mod picture_regions;
pub mod picture_signature;
pub mod pixel_checksum;
pub mod random_map;
pub mod raster;
pub mod resize;
pub mod skin_band;
