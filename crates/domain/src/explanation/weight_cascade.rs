//! The cascading randomisation of a network's weights, from the head down.

/// The parts of the network in the order in which the cascade randomises them (Adebayo et al., "Sanity checks for
/// saliency maps", NeurIPS 2018): after `n` steps the first `n` parts are random and the others unchanged.
pub const CASCADE: [&str; 6] = ["dense layer", "stage 4", "stage 3", "stage 2", "stage 1", "first convolution"];

/// The step of the cascade, 1 to 6, that randomises a residual block, 1 to 12, or the first convolution (`None`).
#[must_use]
pub fn cascade_step_of_block(block: Option<usize>) -> usize {
    const BLOCKS_PER_STAGE: usize = 3;
    // Stage 4 is the second step, stage 1 the fifth.
    block.map_or(CASCADE.len(), |block| CASCADE.len() - block.div_ceil(BLOCKS_PER_STAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_comes_first_and_the_first_convolution_last() {
        let steps = [Some(12), Some(10), Some(9), Some(6), Some(3), Some(1), None].map(cascade_step_of_block);
        assert_eq!(steps, [2, 2, 3, 4, 5, 5, 6]);
        assert_eq!(steps.map(|step| CASCADE[step - 1])[0], "stage 4");
        assert_eq!(CASCADE[cascade_step_of_block(None) - 1], "first convolution");
    }
}
