//! The order of a tile's packets (T.800 B.12).

use super::geometry::Resolution;
use super::parameters::{Order, Parameters, Volume};
use crate::codec::codec_error::CodecError;

/// A packet: its layer, resolution and precinct.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketPlace {
    pub(super) layer: usize,
    pub(super) resolution: usize,
    pub(super) precinct: usize,
}

/// Calls a function for each packet in the order of the codestream. With changes of the order, a packet may come twice.
pub(super) fn for_each_packet(
    resolutions: &[Resolution],
    parameters: &Parameters,
    mut packet: impl FnMut(PacketPlace) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let coding = &parameters.coding;
    let whole =
        [Volume { order: coding.order, first_resolution: 0, end_resolution: usize::MAX, end_layer: usize::MAX }];
    let volumes = if parameters.volumes.is_empty() { &whole } else { &parameters.volumes[..] };
    for volume in volumes {
        let layers = 0..volume.end_layer.min(coding.layers);
        let end = volume.end_resolution.min(resolutions.len());
        let numbers = volume.first_resolution.min(end)..end;
        let precincts = |resolution: usize| 0..resolutions[resolution].precincts.len();
        match volume.order {
            Order::LayerResolution => {
                for layer in layers {
                    for resolution in numbers.clone() {
                        for precinct in precincts(resolution) {
                            packet(PacketPlace { layer, resolution, precinct })?;
                        }
                    }
                }
            }
            Order::ResolutionLayer => {
                for resolution in numbers {
                    for layer in layers.clone() {
                        for precinct in precincts(resolution) {
                            packet(PacketPlace { layer, resolution, precinct })?;
                        }
                    }
                }
            }
            Order::ResolutionPosition | Order::Position => {
                let all = numbers.flat_map(|resolution| precincts(resolution).map(move |index| (resolution, index)));
                let mut all: Vec<_> = all.collect();
                if volume.order == Order::Position {
                    all.sort_by_key(|&(resolution, index)| resolutions[resolution].precincts[index].position);
                }
                for (resolution, precinct) in all {
                    for layer in layers.clone() {
                        packet(PacketPlace { layer, resolution, precinct })?;
                    }
                }
            }
        }
    }
    Ok(())
}
