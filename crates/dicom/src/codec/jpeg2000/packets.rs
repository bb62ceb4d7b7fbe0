//! Reading of packets: which code blocks get how many passes, in how many bytes (T.800 B.9, B.10).

use super::failure::{ENDS_EARLY, damaged};
use super::geometry::{Block, Precinct, Resolution, Segment};
use super::packet_bits::PacketBits;
use super::parameters::{BlockStyle, Coding, Parameters};
use super::progression::for_each_packet;
use crate::codec::codec_error::CodecError;

/// More zero bit planes than any code block can have.
const TOO_MANY_PLANES: u32 = 40;

/// Reads all packets of a tile. Data that are missing, or left over, are errors.
pub(super) fn read(data: &[u8], resolutions: &mut [Resolution], parameters: &Parameters) -> Result<(), CodecError> {
    let mut order = Vec::new();
    for_each_packet(resolutions, parameters, |place| {
        order.push(place);
        Ok(())
    })?;
    let mut position = 0;
    for place in order {
        let precinct = &mut resolutions[place.resolution].precincts[place.precinct];
        // A packet of an earlier volume is not repeated.
        if place.layer < precinct.layers_read {
            continue;
        }
        if place.layer > precinct.layers_read {
            return Err(damaged("a change of the progression order leaves out a layer"));
        }
        precinct.layers_read += 1;
        position = read_packet(data, position, precinct, &parameters.coding, place.layer)?;
    }
    if resolutions
        .iter()
        .flat_map(|resolution| &resolution.precincts)
        .any(|precinct| precinct.layers_read < parameters.coding.layers)
    {
        return Err(damaged("the progression orders leave out packets"));
    }
    if data[position..].iter().any(|&byte| byte != 0 && byte != 0xFF) {
        return Err(damaged("data are left over after the last packet"));
    }
    Ok(())
}

/// Reads a packet and returns the position after it.
fn read_packet(
    data: &[u8],
    mut position: usize,
    precinct: &mut Precinct,
    coding: &Coding,
    layer: usize,
) -> Result<usize, CodecError> {
    if coding.start_markers && data[position..].starts_with(&[0xFF, 0x91]) {
        position += 6;
    }
    let mut bits = PacketBits::new(data.get(position..).ok_or(ENDS_EARLY)?);
    let mut contributions = Vec::new();
    if bits.bit() == 1 {
        for (band, part) in precinct.bands.iter_mut().enumerate() {
            for index in 0..part.blocks.len() {
                let leaf = (index % part.across, index / part.across);
                let block = &mut part.blocks[index];
                if block.included {
                    if bits.bit() == 0 {
                        continue;
                    }
                } else {
                    if part.inclusion.value_below(leaf, layer as u32 + 1, &mut bits).is_none() {
                        continue;
                    }
                    block.included = true;
                    let planes = part.zero_planes.value_below(leaf, TOO_MANY_PLANES, &mut bits);
                    if bits.overran() {
                        return Err(ENDS_EARLY);
                    }
                    block.zero_planes = planes.ok_or_else(|| damaged("a code block without bit planes"))?;
                }
                let bytes = read_lengths(block, coding.style, &mut bits)?;
                contributions.push((band, index, bytes));
            }
        }
    }
    position += bits.finish().ok_or(ENDS_EARLY)?;
    if coding.header_markers && data[position..].starts_with(&[0xFF, 0x92]) {
        position += 2;
    }
    for (band, index, bytes) in contributions {
        if bytes > data.len() - position {
            return Err(ENDS_EARLY);
        }
        if bytes > 0 {
            precinct.bands[band].blocks[index].chunks.push((position, bytes));
        }
        position += bytes;
    }
    Ok(position)
}

/// Reads the number of passes and the lengths of their codewords; returns the sum of the lengths.
fn read_lengths(block: &mut Block, style: BlockStyle, bits: &mut PacketBits<'_>) -> Result<usize, CodecError> {
    let mut passes = read_passes(bits);
    while bits.bit() == 1 {
        block.length_bits += 1;
        if block.length_bits > 32 {
            return Err(damaged("a code block is too long"));
        }
    }
    let mut sum = 0_usize;
    while passes > 0 {
        let full = |segment: &Segment| segment.passes >= capacity(style, block.passes - segment.passes);
        if block.segments.last().is_none_or(full) {
            block.segments.push(Segment::default());
        }
        let segment = block.segments.last_mut().expect("a segment");
        let added = passes.min(capacity(style, block.passes - segment.passes) - segment.passes);
        let width = block.length_bits + added.ilog2();
        if width > 32 {
            return Err(damaged("a code block is too long"));
        }
        let bytes = bits.bits(width) as usize;
        if bits.overran() {
            return Err(ENDS_EARLY);
        }
        segment.passes += added;
        segment.bytes += bytes;
        block.passes += added;
        passes -= added;
        sum += bytes;
    }
    Ok(sum)
}

/// The number of passes in a codeword whose first pass has this number.
fn capacity(style: BlockStyle, first_pass: u32) -> u32 {
    const UNLIMITED: u32 = u32::MAX;
    if style.terminates_each_pass() {
        1
    } else if style.high_throughput() {
        if first_pass == 0 { 1 } else { UNLIMITED }
    } else if style.bypass() {
        match first_pass {
            0 => 10,
            _ if first_pass % 3 == 1 => 2,
            _ => 1,
        }
    } else {
        UNLIMITED
    }
}

/// The number of passes, 1 to 164 (T.800 table B.4).
fn read_passes(bits: &mut PacketBits<'_>) -> u32 {
    if bits.bit() == 0 {
        return 1;
    }
    if bits.bit() == 0 {
        return 2;
    }
    match bits.bits(2) {
        3 => match bits.bits(5) {
            31 => 37 + bits.bits(7),
            more => 6 + more,
        },
        more => 3 + more,
    }
}
