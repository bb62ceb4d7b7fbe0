//! Images, data sets, imported models and metrics against references.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod breast_mask;
mod explanation_pictures;
mod figures_of_merit;
mod folders;
mod fuzz_corpus;
mod image_decoders;
mod images;
mod keras_import;
mod keras_wiring;
mod map_zoom_parity;
mod phantom;
mod phantom_classes;
mod phantom_shortcuts;
mod picture_regions;
