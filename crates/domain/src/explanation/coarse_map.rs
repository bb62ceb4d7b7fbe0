//! Maps with too few positions to locate anything within the breast.

use std::fmt;

use super::explained_layer::ExplainedLayer;

/// Maps with fewer positions per side are coarse: one position covers a quarter of the breast or more.
const COARSE_BELOW: usize = 5;
/// A layer with at least this many positions per side is suggested instead.
const FINE_FROM: usize = 8;

/// A layer whose maps are coarse at an input size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoarseMap {
    pub layer: ExplainedLayer,
    /// The side of the network's input, in pixels.
    pub size: usize,
}

impl CoarseMap {
    /// Checks the maps of a layer; `None` if they are fine enough.
    #[must_use]
    pub fn of(layer: ExplainedLayer, size: usize) -> Option<Self> {
        (layer.side(size) < COARSE_BELOW).then_some(Self { layer, size })
    }

    /// The positions per side of a map.
    #[must_use]
    pub fn side(self) -> usize {
        self.layer.side(self.size)
    }

    /// The last layer with fine enough maps; `None` if the input is too small for any.
    #[must_use]
    pub fn finer(self) -> Option<ExplainedLayer> {
        ExplainedLayer::all().rev().find(|layer| layer.side(self.size) >= FINE_FROM)
    }
}

impl fmt::Display for CoarseMap {
    /// `maps of add_12 have 4 × 4 positions at 128 px, too few to locate …: use --layer add_9 (8 × 8)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer, size } = *self;
        let side = self.side();
        write!(
            f,
            "maps of {layer} have {side} × {side} positions at {size} px, too few to locate anything in the breast"
        )?;
        match self.finer() {
            Some(finer) => write!(f, ": use --layer {finer} ({side} × {side})", side = finer.side(size)),
            None => f.write_str(": use a model for larger images"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_inputs_have_coarse_maps() {
        let text = |size| CoarseMap::of(ExplainedLayer::LAST, size).map(|coarse| coarse.to_string());
        assert_eq!(text(650), None);
        assert_eq!(text(160), None, "5 × 5");
        assert_eq!(
            text(128).unwrap(),
            "maps of add_12 have 4 × 4 positions at 128 px, too few to locate anything in the breast: use --layer add_9 \
             (8 × 8)"
        );
        assert!(text(64).unwrap().contains("2 × 2") && text(64).unwrap().contains("add_6 (8 × 8)"), "{:?}", text(64));
        assert_eq!(CoarseMap::of(CoarseMap { layer: ExplainedLayer::LAST, size: 64 }.finer().unwrap(), 64), None);
        assert!(text(16).unwrap().ends_with("use a model for larger images"), "{:?}", text(16));
    }
}
