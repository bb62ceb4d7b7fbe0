//! The layers whose feature maps can be explained.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::network::network_plan::{BlockPlan, NetworkPlan, WidthFactor};

/// The sum of a residual block, before its last activation: `add_1` to `add_12` of the reference.
///
/// A stage has three blocks; `stage1` to `stage4` are other names for the sum of its last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ExplainedLayer {
    block: usize,
}

impl ExplainedLayer {
    pub const BLOCKS: usize = 12;
    const BLOCKS_PER_STAGE: usize = 3;
    /// The last layer before the head, `add_12`, which the reference explains.
    pub const LAST: Self = Self { block: Self::BLOCKS };

    /// All layers, from the input to the head.
    #[must_use]
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        (1..=Self::BLOCKS).map(|block| Self { block })
    }

    /// The last layers of the four stages.
    #[must_use]
    pub fn stages() -> [Self; 4] {
        std::array::from_fn(|stage| Self { block: (stage + 1) * Self::BLOCKS_PER_STAGE })
    }

    /// The number of the block, 1 to 12.
    #[must_use]
    pub fn block(self) -> usize {
        self.block
    }

    /// The stage that the block belongs to, 1 to 4.
    #[must_use]
    pub fn stage(self) -> usize {
        self.block.div_ceil(Self::BLOCKS_PER_STAGE)
    }

    /// True if only the head (global average and dense layer) follows.
    #[must_use]
    pub fn is_last(self) -> bool {
        self == Self::LAST
    }

    /// The rows (and columns) of the layer's feature maps for a square input of `size` pixels.
    #[must_use]
    pub fn side(self, size: usize) -> usize {
        let plan = NetworkPlan::new(WidthFactor::ONE);
        let name = self.to_string();
        plan.layers(size).iter().find(|row| row.name == name).expect("a block of the network").output[0]
    }
}

impl Default for ExplainedLayer {
    fn default() -> Self {
        Self::LAST
    }
}

impl fmt::Display for ExplainedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("add_{}", self.block))
    }
}

/// A text that does not name a layer that can be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a layer that can be explained; layers are {sums}, or stage1 to stage4", sums = sums())]
pub struct UnknownLayer(pub String);

fn sums() -> String {
    let plan = NetworkPlan::new(WidthFactor::ONE);
    plan.blocks.iter().map(BlockPlan::sum_name).collect::<Vec<_>>().join(", ")
}

impl FromStr for ExplainedLayer {
    type Err = UnknownLayer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| digits.parse().ok();
        let block = match (text.strip_prefix("add_"), text.strip_prefix("stage")) {
            (Some(digits), _) => number(digits),
            (_, Some(digits)) => number(digits).map(|stage: usize| stage.saturating_mul(Self::BLOCKS_PER_STAGE)),
            _ => None,
        };
        block
            .filter(|block| (1..=Self::BLOCKS).contains(block))
            .map(|block| Self { block })
            .ok_or_else(|| UnknownLayer(text.to_owned()))
    }
}

impl From<ExplainedLayer> for String {
    fn from(layer: ExplainedLayer) -> Self {
        layer.to_string()
    }
}

impl TryFrom<String> for ExplainedLayer {
    type Error = UnknownLayer;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_the_block_sums_of_the_network() {
        let names: Vec<String> = ExplainedLayer::all().map(|layer| layer.to_string()).collect();
        let plan = NetworkPlan::new(WidthFactor::ONE);
        assert_eq!(names, plan.blocks.iter().map(BlockPlan::sum_name).collect::<Vec<_>>());
        for layer in ExplainedLayer::all() {
            assert_eq!(layer.to_string().parse(), Ok(layer));
        }
        assert_eq!(ExplainedLayer::stages().map(|layer| layer.side(650)), [163, 82, 41, 21]);
        assert_eq!(ExplainedLayer::stages().map(ExplainedLayer::stage), [1, 2, 3, 4]);
        assert_eq!("stage4".parse(), Ok(ExplainedLayer::LAST));
        assert_eq!("stage1".parse::<ExplainedLayer>().map(ExplainedLayer::block), Ok(3));
    }

    #[test]
    fn an_unknown_layer_is_refused_with_the_known_ones() {
        for text in ["add_0", "add_13", "stage5", "stage0", "conv2d_1", "", "stage99999999999999999999"] {
            let error = text.parse::<ExplainedLayer>().unwrap_err().to_string();
            assert!(error.contains("add_1, add_2") && error.contains("add_12") && error.contains("stage4"), "{error}");
        }
    }
}
