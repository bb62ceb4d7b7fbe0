//! The adaptive statistics of JPEG-LS: one context per class of gradients, and two of interrupted runs (T.87 A.2, A.6).

use super::parameters::Parameters;

/// The statistics of prediction errors in a context.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    /// The sum of absolute errors.
    pub(super) magnitude: i64,
    /// The sum of errors.
    pub(super) bias: i64,
    /// The correction of predictions.
    pub(super) correction: i32,
    /// The number of samples.
    pub(super) count: i32,
}

/// The statistics of samples that end a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunContext {
    pub(super) magnitude: i64,
    pub(super) count: i32,
    /// The number of negative errors.
    pub(super) negative: i32,
}

/// The smallest exponent of a Golomb code with which `count` codes cover `magnitude`.
#[inline]
fn golomb_exponent(count: i32, magnitude: i64) -> u32 {
    let mut exponent = 0;
    while i64::from(count) << exponent < magnitude {
        exponent += 1;
    }
    exponent
}

impl Context {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { magnitude: initial_magnitude(parameters), bias: 0, correction: 0, count: 1 }
    }

    #[inline]
    pub(super) fn exponent(&self) -> u32 {
        golomb_exponent(self.count, self.magnitude)
    }

    /// The error that a mapped, non-negative code stands for.
    #[inline]
    pub(super) fn unmapped(&self, mapped: i32, exponent: u32, near: i32) -> i32 {
        let error = if mapped & 1 == 0 { mapped >> 1 } else { -((mapped + 1) >> 1) };
        // In a context with a negative bias, the codes of an error and its complement are exchanged.
        if near == 0 && exponent == 0 && 2 * self.bias <= -i64::from(self.count) { -error - 1 } else { error }
    }

    #[inline]
    pub(super) fn update(&mut self, error: i32, parameters: &Parameters) {
        self.bias += i64::from(error * (2 * parameters.near + 1));
        self.magnitude += i64::from(error.abs());
        if self.count == parameters.reset {
            self.magnitude >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        let count = i64::from(self.count);
        if self.bias <= -count {
            self.bias = (self.bias + count).max(1 - count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

impl RunContext {
    pub(super) fn new(parameters: &Parameters) -> Self {
        Self { magnitude: initial_magnitude(parameters), count: 1, negative: 0 }
    }

    pub(super) fn exponent(&self, like_left: bool) -> u32 {
        let extra = if like_left { i64::from(self.count >> 1) } else { 0 };
        golomb_exponent(self.count, self.magnitude + extra)
    }

    /// The error that a mapped code stands for.
    pub(super) fn unmapped(&self, mapped: i32, exponent: u32, like_left: bool) -> i32 {
        let code = mapped + i32::from(like_left);
        let odd = code & 1;
        let size = (code + odd) >> 1;
        let negative_is_odd = exponent != 0 || 2 * self.negative >= self.count;
        if negative_is_odd == (odd == 1) { -size } else { size }
    }

    pub(super) fn update(&mut self, error: i32, mapped: i32, like_left: bool, parameters: &Parameters) {
        self.negative += i32::from(error < 0);
        self.magnitude += i64::from((mapped + 1 - i32::from(like_left)) >> 1);
        if self.count == parameters.reset {
            self.magnitude >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}

fn initial_magnitude(parameters: &Parameters) -> i64 {
    i64::from(((parameters.range + 32) / 64).max(2))
}
