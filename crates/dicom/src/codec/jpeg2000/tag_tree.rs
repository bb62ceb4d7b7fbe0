//! Tag trees: quad trees of minima in packet headers (T.800 B.10.2).

use super::packet_bits::PacketBits;

/// A tag tree; each node's value becomes known step by step.
#[derive(Clone, Debug)]
pub(super) struct TagTree {
    /// Per level from the leaves to the root: the width, and the index of the first node.
    levels: Vec<(usize, usize)>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// A lower bound, or the value itself if `known`.
    value: u32,
    known: bool,
}

impl TagTree {
    /// Makes a tree with this number of leaves across and down.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (mut levels, mut size, mut first) = (Vec::new(), (width, height), 0);
        loop {
            levels.push((size.0, first));
            first += size.0 * size.1;
            if size.0 * size.1 <= 1 {
                break;
            }
            size = (size.0.div_ceil(2), size.1.div_ceil(2));
        }
        Self { levels, nodes: vec![Node::default(); first] }
    }

    /// Reads bits until the leaf's value is known or known not to be below `threshold`; the value in the first case.
    pub(super) fn value_below(
        &mut self,
        (column, row): (usize, usize),
        threshold: u32,
        bits: &mut PacketBits<'_>,
    ) -> Option<u32> {
        let mut least = 0;
        for (level, &(width, first)) in self.levels.iter().enumerate().rev() {
            let node = &mut self.nodes[first + (row >> level) * width + (column >> level)];
            node.value = node.value.max(least);
            while !node.known && node.value < threshold {
                if bits.bit() == 1 {
                    node.known = true;
                } else {
                    node.value += 1;
                }
            }
            least = node.value;
            if level == 0 {
                return (node.known && node.value < threshold).then_some(node.value);
            }
        }
        None
    }
}
