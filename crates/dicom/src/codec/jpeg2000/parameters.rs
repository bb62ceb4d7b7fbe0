//! The coding and quantization parameters of a tile (T.800 A.6).

use super::byte_reader::ByteReader;
use super::failure::{damaged, unsupported};
use crate::codec::codec_error::CodecError;

/// The order of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    LayerResolution,
    ResolutionLayer,
    ResolutionPosition,
    /// By position first; the two orders that do so are the same for one component.
    Position,
}

impl Order {
    fn read(byte: u8) -> Result<Self, CodecError> {
        match byte {
            0 => Ok(Self::LayerResolution),
            1 => Ok(Self::ResolutionLayer),
            2 => Ok(Self::ResolutionPosition),
            3 | 4 => Ok(Self::Position),
            _ => Err(damaged("an unknown progression order")),
        }
    }
}

/// A part of the packets in one order: resolutions and layers up to the given ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    pub(super) order: Order,
    pub(super) first_resolution: usize,
    pub(super) end_resolution: usize,
    pub(super) end_layer: usize,
}

/// How code blocks are coded, the bits of table A.19.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BlockStyle(u8);

impl BlockStyle {
    pub(super) fn bypass(self) -> bool {
        self.0 & 1 != 0
    }
    pub(super) fn resets_contexts(self) -> bool {
        self.0 & 2 != 0
    }
    pub(super) fn terminates_each_pass(self) -> bool {
        self.0 & 4 != 0
    }
    pub(super) fn vertically_causal(self) -> bool {
        self.0 & 8 != 0
    }
    pub(super) fn segmentation_symbols(self) -> bool {
        self.0 & 32 != 0
    }
    pub(super) fn high_throughput(self) -> bool {
        self.0 & 64 != 0
    }
}

/// The parameters of coding.
#[derive(Clone, Debug)]
pub(super) struct Coding {
    pub(super) order: Order,
    pub(super) layers: usize,
    pub(super) start_markers: bool,
    pub(super) header_markers: bool,
    pub(super) levels: usize,
    /// Exponents of a code block's width and height.
    pub(super) block: (u32, u32),
    pub(super) style: BlockStyle,
    pub(super) reversible: bool,
    /// Exponents of the precincts' width and height per resolution.
    pub(super) precincts: Vec<(u32, u32)>,
}

impl Coding {
    /// Reads the default of all components, COD.
    pub(super) fn read(segment: &[u8]) -> Result<Self, CodecError> {
        let mut reader = ByteReader(segment);
        let style = reader.u8()?;
        let order = Order::read(reader.u8()?)?;
        let layers = usize::from(reader.u16()?);
        let _component_transform = reader.u8()?;
        if layers == 0 {
            return Err(damaged("it has no layers"));
        }
        let mut coding = Self {
            order,
            layers,
            start_markers: style & 2 != 0,
            header_markers: style & 4 != 0,
            levels: 0,
            block: (0, 0),
            style: BlockStyle::default(),
            reversible: true,
            precincts: Vec::new(),
        };
        coding.read_component(&mut reader, style & 1 != 0)?;
        Ok(coding)
    }

    /// Reads what is stated for one component, COC.
    pub(super) fn read_override(&mut self, segment: &[u8]) -> Result<(), CodecError> {
        let mut reader = ByteReader(segment);
        let (component, style) = (reader.u8()?, reader.u8()?);
        if component == 0 { self.read_component(&mut reader, style & 1 != 0) } else { Ok(()) }
    }

    fn read_component(&mut self, reader: &mut ByteReader<'_>, stated_precincts: bool) -> Result<(), CodecError> {
        self.levels = usize::from(reader.u8()?);
        let exponent = |value: u8| u32::from(value & 15) + 2;
        self.block = (exponent(reader.u8()?), exponent(reader.u8()?));
        let style = reader.u8()?;
        self.style = BlockStyle(style);
        let transform = reader.u8()?;
        if self.levels > 32 || self.block.0 > 10 || self.block.1 > 10 || self.block.0 + self.block.1 > 12 {
            return Err(damaged("code blocks or decomposition levels out of range"));
        }
        if style & 0x80 != 0 {
            return Err(unsupported("high-throughput and other code blocks mixed"));
        }
        if transform > 1 {
            return Err(unsupported("an unknown wavelet"));
        }
        self.reversible = transform == 1;
        self.precincts = vec![(15, 15); self.levels + 1];
        if stated_precincts {
            for (resolution, precinct) in self.precincts.iter_mut().enumerate() {
                let byte = u32::from(reader.u8()?);
                *precinct = (byte & 15, byte >> 4);
                if resolution > 0 && (precinct.0 == 0 || precinct.1 == 0) {
                    return Err(damaged("a precinct without width or height"));
                }
            }
        }
        Ok(())
    }
}

/// The exponent and mantissa of a quantization step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) exponent: u32,
    pub(super) mantissa: u32,
}

/// The parameters of quantization.
#[derive(Clone, Debug)]
pub(super) struct Quantization {
    guard_bits: u32,
    /// True if only the step of the lowest subband is stated.
    derived: bool,
    steps: Vec<Step>,
}

impl Quantization {
    /// Reads QCD, or QCC after the component's number.
    pub(super) fn read(segment: &[u8]) -> Result<Self, CodecError> {
        let mut reader = ByteReader(segment);
        let style = reader.u8()?;
        let (kind, guard_bits) = (style & 31, u32::from(style >> 5));
        let mut steps = Vec::new();
        while !reader.is_empty() {
            steps.push(if kind == 0 {
                Step { exponent: u32::from(reader.u8()? >> 3), mantissa: 0 }
            } else {
                let step = u32::from(reader.u16()?);
                Step { exponent: step >> 11, mantissa: step & 0x7FF }
            });
        }
        if kind > 2 || steps.is_empty() {
            return Err(damaged("unusable quantization steps"));
        }
        Ok(Self { guard_bits, derived: kind == 1, steps })
    }

    /// The step of a subband, given its number in the order of the steps and how far its level is above the lowest.
    pub(super) fn step(&self, band: usize, levels_above: usize) -> Result<Step, CodecError> {
        if self.derived {
            let Step { exponent, mantissa } = self.steps[0];
            let exponent = exponent.checked_sub(levels_above as u32);
            let exponent = exponent.ok_or_else(|| damaged("unusable quantization steps"))?;
            return Ok(Step { exponent, mantissa });
        }
        self.steps.get(band).copied().ok_or_else(|| damaged("too few quantization steps"))
    }

    /// The number of magnitude bits of a subband with this step.
    pub(super) fn magnitude_bits(&self, step: Step) -> u32 {
        (self.guard_bits + step.exponent).saturating_sub(1)
    }
}

/// All parameters of a tile.
#[derive(Clone, Debug)]
pub(super) struct Parameters {
    pub(super) coding: Coding,
    pub(super) quantization: Quantization,
    /// The shift of a region of interest.
    pub(super) region_shift: u32,
    /// Changes of the progression order; without any, the default order applies.
    pub(super) volumes: Vec<Volume>,
}

/// The parameters that a header states, by how specific they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Stated {
    coding: Option<Coding>,
    coding_override: Option<Vec<u8>>,
    quantization: Option<Quantization>,
    quantization_override: Option<Quantization>,
    region_shift: Option<u32>,
    volumes: Vec<Volume>,
}

impl Stated {
    /// Reads a parameter segment; returns false for other markers.
    pub(super) fn read(&mut self, marker: u8, segment: &[u8]) -> Result<bool, CodecError> {
        match marker {
            0x52 => self.coding = Some(Coding::read(segment)?),
            0x53 => self.coding_override = Some(segment.to_vec()),
            0x5C => self.quantization = Some(Quantization::read(segment)?),
            0x5D if segment.first() == Some(&0) => {
                self.quantization_override = Some(Quantization::read(&segment[1..])?);
            }
            0x5D => {}
            0x5E => match *segment {
                [0, 0, shift] => self.region_shift = Some(u32::from(shift)),
                _ => return Err(unsupported("an unknown region of interest")),
            },
            0x5F => {
                let mut reader = ByteReader(segment);
                while !reader.is_empty() {
                    let (first_resolution, _) = (usize::from(reader.u8()?), reader.u8()?);
                    let (end_layer, end_resolution) = (usize::from(reader.u16()?), usize::from(reader.u8()?));
                    let (_, order) = (reader.u8()?, Order::read(reader.u8()?)?);
                    self.volumes.push(Volume { order, first_resolution, end_resolution, end_layer });
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The parameters of a tile: its own take precedence over the main header's, and a component's over the default.
    pub(super) fn for_tile(&self, tile: &Self) -> Result<Parameters, CodecError> {
        let missing = || damaged("the header has no coding or quantization parameters");
        let mut coding = tile.coding.as_ref().or(self.coding.as_ref()).cloned().ok_or_else(missing)?;
        let main = self.coding_override.as_ref().filter(|_| tile.coding.is_none());
        if let Some(segment) = tile.coding_override.as_ref().or(main) {
            coding.read_override(segment)?;
        }
        let choices =
            [&tile.quantization_override, &tile.quantization, &self.quantization_override, &self.quantization];
        let quantization = choices.into_iter().flatten().next().cloned().ok_or_else(missing)?;
        let region_shift = tile.region_shift.or(self.region_shift).unwrap_or(0);
        let volumes = if tile.volumes.is_empty() { self.volumes.clone() } else { tile.volumes.clone() };
        Ok(Parameters { coding, quantization, region_shift, volumes })
    }
}
