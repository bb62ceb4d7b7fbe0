//! The inverse wavelet transforms (T.800 annex F).

use super::geometry::Rect;

/// Lines that are transformed together.
const LANES: usize = 8;

/// One sample of each of these lines.
type Lanes<T> = [T; LANES];

/// A wavelet's synthesis of interleaved lines; `first_high` is true if the first sample is of the high band.
pub(super) trait Wavelet {
    type Sample: Copy + Default;
    fn synthesize(line: &mut [Lanes<Self::Sample>], first_high: bool);
}

/// The reversible wavelet with filters of 5 and 3 taps.
pub(super) struct Reversible;

/// The irreversible wavelet with filters of 9 and 7 taps.
pub(super) struct Irreversible;

/// Changes each second sample by its two neighbours, mirrored at the ends.
#[inline]
fn lift<T: Copy>(line: &mut [Lanes<T>], first: usize, step: impl Fn(&mut T, T, T)) {
    let last = line.len() - 1;
    for at in (first..=last).step_by(2) {
        let before = line[if at == 0 { 1 } else { at - 1 }];
        let after = line[if at == last { last - 1 } else { at + 1 }];
        for ((sample, before), after) in line[at].iter_mut().zip(before).zip(after) {
            step(sample, before, after);
        }
    }
}

impl Wavelet for Reversible {
    type Sample = i32;

    fn synthesize(line: &mut [Lanes<i32>], first_high: bool) {
        if line.len() == 1 {
            if first_high {
                line[0].iter_mut().for_each(|sample| *sample >>= 1);
            }
            return;
        }
        let (low, high) = (usize::from(first_high), usize::from(!first_high));
        lift(line, low, |sample, before, after| {
            *sample = sample.wrapping_sub(before.wrapping_add(after).wrapping_add(2) >> 2);
        });
        lift(line, high, |sample, before, after| *sample = sample.wrapping_add(before.wrapping_add(after) >> 1));
    }
}

impl Wavelet for Irreversible {
    type Sample = f32;

    fn synthesize(line: &mut [Lanes<f32>], first_high: bool) {
        const LOW_GAIN: f32 = 1.230_174_1;
        /// The lifting factors, of the low and the high samples in turn (T.800 table F.4).
        const FACTORS: [f32; 4] = [0.443_506_85, 0.882_911_1, -0.052_980_12, -1.586_134_3];
        if line.len() == 1 {
            if first_high {
                line[0].iter_mut().for_each(|sample| *sample *= 0.5);
            }
            return;
        }
        let (low, high) = (usize::from(first_high), usize::from(!first_high));
        line[low..].iter_mut().step_by(2).flatten().for_each(|sample| *sample *= LOW_GAIN);
        line[high..].iter_mut().step_by(2).flatten().for_each(|sample| *sample /= LOW_GAIN);
        for (first, factor) in [low, high, low, high].into_iter().zip(FACTORS) {
            lift(line, first, |sample, before, after| *sample -= factor * (before + after));
        }
    }
}

/// Transforms the coefficients of a tile, in rows of `stride`, into samples. `rects` are those of the resolutions.
pub(super) fn synthesize<W: Wavelet>(coefficients: &mut [W::Sample], stride: usize, rects: &[Rect]) {
    let mut line = Vec::new();
    for pair in rects.windows(2) {
        let (below, rect) = (&pair[0], &pair[1]);
        let (width, height) = (rect.width(), rect.height());
        if width == 0 || height == 0 {
            continue;
        }
        across::<W>(coefficients, stride, (width, height), below.width(), rect.left % 2 == 1, &mut line);
        down::<W>(coefficients, stride, (width, height), below.height(), rect.top % 2 == 1, &mut line);
    }
}

/// The places of low and high samples in an interleaved line.
fn interleaved(low_count: usize, length: usize, first_high: bool) -> impl Iterator<Item = usize> {
    let (low, high) = (usize::from(first_high), usize::from(!first_high));
    let lows = (0..low_count).map(move |index| 2 * index + low);
    lows.chain((0..length - low_count).map(move |index| 2 * index + high))
}

fn across<W: Wavelet>(
    coefficients: &mut [W::Sample],
    stride: usize,
    (width, height): (usize, usize),
    low_count: usize,
    first_high: bool,
    line: &mut Vec<Lanes<W::Sample>>,
) {
    line.clear();
    line.resize(width, Lanes::default());
    for top in (0..height).step_by(LANES) {
        let lanes = LANES.min(height - top);
        for lane in 0..lanes {
            let row = &coefficients[(top + lane) * stride..][..width];
            for (&sample, place) in row.iter().zip(interleaved(low_count, width, first_high)) {
                line[place][lane] = sample;
            }
        }
        W::synthesize(line, first_high);
        for lane in 0..lanes {
            let row = &mut coefficients[(top + lane) * stride..][..width];
            for (sample, lanes) in row.iter_mut().zip(line.iter()) {
                *sample = lanes[lane];
            }
        }
    }
}

fn down<W: Wavelet>(
    coefficients: &mut [W::Sample],
    stride: usize,
    (width, height): (usize, usize),
    low_count: usize,
    first_high: bool,
    line: &mut Vec<Lanes<W::Sample>>,
) {
    line.clear();
    line.resize(height, Lanes::default());
    for left in (0..width).step_by(LANES) {
        let lanes = LANES.min(width - left);
        for (row, place) in interleaved(low_count, height, first_high).enumerate() {
            line[place][..lanes].copy_from_slice(&coefficients[row * stride + left..][..lanes]);
        }
        W::synthesize(line, first_high);
        for (row, samples) in line.iter().enumerate() {
            coefficients[row * stride + left..][..lanes].copy_from_slice(&samples[..lanes]);
        }
    }
}
