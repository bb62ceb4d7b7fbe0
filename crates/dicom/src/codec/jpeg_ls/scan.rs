//! Decoding of the rows of a JPEG-LS scan (T.87 annex A).

use super::bit_reader::BitReader;
use super::contexts::{Context, RunContext};
use super::parameters::Parameters;
use super::{ENDS_EARLY, damaged};
use crate::codec::{CodecError, FrameLayout};

/// Classes of gradients, one of each pair that differ in sign only.
const CONTEXTS: usize = 365;

/// The order of run lengths per run index: a full run is 2^order samples.
const RUN_ORDERS: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The state of decoding, which begins again at restart markers.
pub(super) struct ScanDecoder {
    parameters: Parameters,
    columns: usize,
    /// Class per gradient, from −`max_value` to `max_value`.
    classes: Vec<i8>,
    contexts: Vec<Context>,
    /// Of a sample unlike and like its left neighbour's row.
    run_contexts: [RunContext; 2],
    run_index: usize,
    /// The rows, each with one sample more at both ends.
    above: Vec<i32>,
    row: Vec<i32>,
    pub(super) samples: Vec<i32>,
}

/// An invalid code.
struct Invalid;

impl ScanDecoder {
    pub(super) fn new(parameters: Parameters, layout: FrameLayout) -> Self {
        let classes = (-parameters.max_value..=parameters.max_value).map(|gradient| class(gradient, &parameters));
        Self {
            parameters,
            columns: layout.columns,
            classes: classes.collect(),
            contexts: Vec::new(),
            run_contexts: [RunContext::new(&parameters); 2],
            run_index: 0,
            above: Vec::new(),
            row: Vec::new(),
            samples: Vec::with_capacity(layout.pixels()),
        }
    }

    /// Decodes the rows of one segment.
    pub(super) fn decode(&mut self, segment: &[u8], rows: usize, cut_off: bool) -> Result<(), CodecError> {
        self.contexts = vec![Context::new(&self.parameters); CONTEXTS];
        self.run_contexts = [RunContext::new(&self.parameters); 2];
        self.run_index = 0;
        self.above = vec![0; self.columns + 2];
        self.row = vec![0; self.columns + 2];
        let mut reader = BitReader::new(segment);
        for _ in 0..rows {
            std::mem::swap(&mut self.above, &mut self.row);
            self.above[self.columns + 1] = self.above[self.columns];
            self.row[0] = self.above[1];
            let decoded = self.decode_row(&mut reader);
            let number = self.samples.len() / self.columns + 1;
            if reader.overran() {
                return Err(if cut_off { ENDS_EARLY } else { damaged("a marker cuts the scan's data off") });
            }
            decoded.map_err(|Invalid| damaged(format!("an invalid code in row {number}")))?;
            self.samples.extend_from_slice(&self.row[1..=self.columns]);
        }
        if !reader.only_padding_is_left() {
            return Err(damaged("data are left over after the last sample"));
        }
        Ok(())
    }

    fn decode_row(&mut self, reader: &mut BitReader<'_>) -> Result<(), Invalid> {
        let center = self.parameters.max_value;
        let mut at = 1;
        while at <= self.columns {
            let (left, above) = (self.row[at - 1], self.above[at]);
            let (corner, right) = (self.above[at - 1], self.above[at + 1]);
            let class = |gradient: i32| i32::from(self.classes[(gradient + center) as usize]);
            let context = (class(right - above) * 9 + class(above - corner)) * 9 + class(corner - left);
            if context == 0 {
                at += self.decode_run(reader, at)?;
            } else {
                self.row[at] = self.decode_sample(reader, context, [left, above, corner])?;
                at += 1;
            }
        }
        Ok(())
    }

    /// Decodes a sample in regular mode.
    #[inline]
    fn decode_sample(
        &mut self,
        reader: &mut BitReader<'_>,
        context: i32,
        [left, above, corner]: [i32; 3],
    ) -> Result<i32, Invalid> {
        let parameters = &self.parameters;
        let sign = context.signum();
        let statistics = &mut self.contexts[context.unsigned_abs() as usize];
        let predicted = median_edge(left, above, corner) + sign * statistics.correction;
        let predicted = predicted.clamp(0, parameters.max_value);
        let exponent = statistics.exponent();
        let mapped = golomb(reader, exponent, parameters.limit, parameters)?;
        let error = statistics.unmapped(mapped, exponent, parameters.near);
        statistics.update(error, parameters);
        Ok(reconstructed(predicted, sign * error, parameters))
    }

    /// Decodes a run of samples like the left one, and the sample that ends it; returns their number.
    fn decode_run(&mut self, reader: &mut BitReader<'_>, start: usize) -> Result<usize, Invalid> {
        let left = self.row[start - 1];
        let rest = self.columns + 1 - start;
        let mut length = 0;
        loop {
            reader.refill();
            let order = RUN_ORDERS[self.run_index];
            if reader.take(1) == 0 {
                length += reader.take(order) as usize;
                break;
            }
            let full = 1_usize << order;
            if full <= rest - length {
                self.run_index = (self.run_index + 1).min(RUN_ORDERS.len() - 1);
            }
            length = (length + full).min(rest);
            if length == rest {
                self.row[start..start + rest].fill(left);
                return Ok(rest);
            }
        }
        if length >= rest {
            return Err(Invalid);
        }
        self.row[start..start + length].fill(left);
        self.row[start + length] = self.decode_run_end(reader, left, self.above[start + length])?;
        self.run_index = self.run_index.saturating_sub(1);
        Ok(length + 1)
    }

    /// Decodes the sample that ends a run.
    fn decode_run_end(&mut self, reader: &mut BitReader<'_>, left: i32, above: i32) -> Result<i32, Invalid> {
        let parameters = &self.parameters;
        let like_left = (left - above).abs() <= parameters.near;
        let statistics = &mut self.run_contexts[usize::from(like_left)];
        let exponent = statistics.exponent(like_left);
        let limit = parameters.limit - RUN_ORDERS[self.run_index] - 1;
        let mapped = golomb(reader, exponent, limit, parameters)?;
        let error = statistics.unmapped(mapped, exponent, like_left);
        statistics.update(error, mapped, like_left, parameters);
        let (predicted, error) = match like_left {
            true => (left, error),
            false if left > above => (above, -error),
            false => (above, error),
        };
        Ok(reconstructed(predicted, error, parameters))
    }
}

/// The class of a gradient, −4 to 4 (T.87 A.3.3).
fn class(gradient: i32, parameters: &Parameters) -> i8 {
    let size = gradient.abs();
    let [low, middle, high] = parameters.thresholds;
    let class = match size {
        _ if size <= parameters.near => 0,
        _ if size < low => 1,
        _ if size < middle => 2,
        _ if size < high => 3,
        _ => 4,
    };
    if gradient < 0 { -class } else { class }
}

/// The prediction from the left, above and in the corner between: the median edge detector.
#[inline]
fn median_edge(left: i32, above: i32, corner: i32) -> i32 {
    if corner >= left.max(above) {
        left.min(above)
    } else if corner <= left.min(above) {
        left.max(above)
    } else {
        left + above - corner
    }
}

/// Takes a limited-length Golomb code (T.87 A.5.3).
#[inline]
fn golomb(reader: &mut BitReader<'_>, exponent: u32, limit: u32, parameters: &Parameters) -> Result<i32, Invalid> {
    reader.refill();
    let escape = limit - parameters.error_bits - 1;
    let zeros = reader.take_zeros(escape + 1).ok_or(Invalid)?;
    reader.refill();
    let mapped = if zeros < escape {
        if exponent > 24 {
            return Err(Invalid);
        }
        i64::from(zeros) << exponent | i64::from(reader.take(exponent))
    } else {
        i64::from(reader.take(parameters.error_bits)) + 1
    };
    // An error is at most half the range in size, so its code is at most the range.
    if mapped > i64::from(parameters.range) + 1 {
        return Err(Invalid);
    }
    Ok(mapped as i32)
}

/// The sample from its prediction and error.
#[inline]
fn reconstructed(predicted: i32, error: i32, parameters: &Parameters) -> i32 {
    let step = 2 * parameters.near + 1;
    let mut sample = predicted + error * step;
    if sample < -parameters.near {
        sample += parameters.range * step;
    } else if sample > parameters.max_value + parameters.near {
        sample -= parameters.range * step;
    }
    sample.clamp(0, parameters.max_value)
}
