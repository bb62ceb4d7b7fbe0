//! The preprocessing of a model's input in words, exact enough to program it.

use crate::models::model_file::ModelMetadata;
use mammoscope_domain::image::grey_range::{GreyRange, SIXTEEN_FROM};
use mammoscope_domain::network::input_route::InputRoute;

/// The steps from an image file to the network's input, one per line.
pub(super) fn preprocessing_text(metadata: &ModelMetadata) -> String {
    let size = metadata.size;
    let white = match metadata.grey_range() {
        GreyRange::White(white) => format!("white = {white}; larger samples are an error"),
        GreyRange::Auto => format!(
            "white = 65535; if the largest sample of the image is below {SIXTEEN_FROM}, its depth is ambiguous and must be \
             stated"
        ),
    };
    let (resize, centre) = match metadata.input_route {
        InputRoute::Training => (
            "nearest neighbour; on each axis scale = source / target and the position starts at 0.5 * scale and grows \
             by scale, accumulated in f64; source index = floor(position), at most source - 1",
            "x = level * (1/255) in f32, minus the mean of x over all pixels and channels of the image (summed in f64)",
        ),
        InputRoute::GradCamNotebook => (
            "bilinear without anti-aliasing; on each axis position = (target index + 0.5) * source / target - 0.5, \
             clamped to the image; computed in f64 and truncated to whole levels",
            "x = (level - mean) / 255 in f64, then f32; mean is that of the levels of all pixels and channels",
        ),
    };
    format!(
        "1. Grey levels 0 to 255. 8-bit samples as stored; fewer bits are scaled to 8, palettes looked up, alpha dropped. \
         16-bit samples: (sample * 255 + white / 2) / white in integer arithmetic, {white}.\n\
         2. Resize to {size} x {size} pixels; the aspect ratio is not kept: {resize}.\n\
         3. {centre}.\n\
         4. Three channels, equal for grey images; layout N, C, H, W; f32."
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::models::model_file::grey_range_entry;
    use mammoscope_domain::network::network_plan::WidthFactor;

    #[test]
    fn the_text_names_size_white_level_and_route() {
        let mut metadata = ModelMetadata {
            width: WidthFactor::ONE,
            size: 96,
            view: None,
            input_route: InputRoute::Training,
            provenance: BTreeMap::from([grey_range_entry(GreyRange::White(4095))]),
        };
        let text = preprocessing_text(&metadata);
        assert!(text.contains("96 x 96") && text.contains("white = 4095;") && text.contains("nearest"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
        metadata.input_route = InputRoute::GradCamNotebook;
        metadata.provenance.clear();
        let text = preprocessing_text(&metadata);
        assert!(text.contains("below 32768") && text.contains("bilinear"), "{text}");
    }
}
