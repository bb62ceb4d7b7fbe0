//! Windows: the part of the values that is spread over the grey levels (PS3.3, C.11.2.1.2).

use serde::{Deserialize, Serialize};

/// The shape of a window's transition from black to white.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WindowFunction {
    Linear,
    LinearExact,
    Sigmoid,
}

impl WindowFunction {
    /// The name in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "LINEAR",
            Self::LinearExact => "LINEAR_EXACT",
            Self::Sigmoid => "SIGMOID",
        }
    }

    /// The smallest valid width: 1 for LINEAR; the others need a width above 0.
    #[must_use]
    pub fn accepts(self, width: f64) -> bool {
        match self {
            Self::Linear => width >= 1.0,
            Self::LinearExact | Self::Sigmoid => width > 0.0,
        }
    }
}

/// A window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub center: f64,
    pub width: f64,
    pub function: WindowFunction,
}

impl Window {
    /// The grey of a value, 0 to 1.
    #[must_use]
    pub fn grey(&self, value: f64) -> f64 {
        let Self { center, width, function } = *self;
        match function {
            WindowFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
            WindowFunction::LinearExact => ((value - center) / width + 0.5).clamp(0.0, 1.0),
            WindowFunction::Linear => {
                let (middle, half) = (center - 0.5, (width - 1.0) / 2.0);
                if value <= middle - half {
                    0.0
                } else if value > middle + half {
                    1.0
                } else {
                    (value - middle) / (width - 1.0) + 0.5
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_match_the_standard() {
        let grey = |function, value| Window { center: 2048.0, width: 4096.0, function }.grey(value);
        // PS3.3, C.11.2.1.2.1, note 1: y = ((x − 2047.5) / 4095) + 0.5.
        assert!(grey(WindowFunction::Linear, 0.0).abs() < 1e-12);
        assert!((grey(WindowFunction::Linear, 4095.0) - 1.0).abs() < 1e-12);
        assert!((grey(WindowFunction::Linear, 1000.0) - ((1000.0 - 2047.5) / 4095.0 + 0.5)).abs() < 1e-12);
        assert!((grey(WindowFunction::LinearExact, 1024.0) - 0.25).abs() < 1e-12);
        assert!((grey(WindowFunction::Sigmoid, 3072.0) - 1.0 / (1.0 + (-1.0_f64).exp())).abs() < 1e-12);
        // Note 4: a width of 1 is a threshold.
        let threshold = Window { center: 100.0, width: 1.0, function: WindowFunction::Linear };
        assert_eq!((threshold.grey(99.0), threshold.grey(100.0)), (0.0, 1.0));
    }

    #[test]
    fn widths_are_checked() {
        assert!(WindowFunction::Linear.accepts(1.0) && !WindowFunction::Linear.accepts(0.5));
        assert!(WindowFunction::Sigmoid.accepts(0.5) && !WindowFunction::Sigmoid.accepts(0.0));
        assert!(!WindowFunction::LinearExact.accepts(f64::NAN));
    }
}
