//! Colour maps for explanation maps.

use std::fmt;
use std::str::FromStr;

/// A colour map for values from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Colormap {
    /// Black through violet and orange to light yellow; perceptually uniform. Smith and van der Walt 2015.
    #[default]
    Inferno,
    /// Violet through green to yellow; perceptually uniform, also with red–green deficiency. Smith and van der Walt 2015.
    Viridis,
    /// Blue through white to red: matplotlib's `seismic`, which the reference uses. It is not perceptually uniform, and
    /// both of its ends are dark.
    Seismic,
    /// Black to white.
    Grey,
}

/// The nodes of matplotlib's `seismic`, a quarter apart.
const SEISMIC: [[f64; 3]; 5] = [[0.0, 0.0, 0.3], [0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.5, 0.0, 0.0]];

impl Colormap {
    /// All colour maps, the default first.
    pub const ALL: [Self; 4] = [Self::Inferno, Self::Viridis, Self::Seismic, Self::Grey];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inferno => "inferno",
            Self::Viridis => "viridis",
            Self::Seismic => "seismic",
            Self::Grey => "grey",
        }
    }

    /// Red, green and blue of a value. Values outside 0 to 1 are clamped; NaN counts as 0.
    #[must_use]
    pub fn color(self, value: f32) -> [u8; 3] {
        let value = if value.is_nan() { 0.0 } else { f64::from(value.clamp(0.0, 1.0)) };
        match self {
            Self::Inferno => colorous::INFERNO.eval_continuous(value).into_array(),
            Self::Viridis => colorous::VIRIDIS.eval_continuous(value).into_array(),
            Self::Seismic => {
                let place = value * (SEISMIC.len() - 1) as f64;
                let below = (place as usize).min(SEISMIC.len() - 2);
                let (from, to) = (SEISMIC[below], SEISMIC[below + 1]);
                let weight = place - below as f64;
                std::array::from_fn(|at| (255.0 * (from[at] + weight * (to[at] - from[at]))).round() as u8)
            }
            Self::Grey => [(255.0 * value).round() as u8; 3],
        }
    }
}

impl fmt::Display for Colormap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error for a name that is not a colour map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown colormap; available are inferno, viridis, seismic and grey")]
pub struct UnknownColormap;

impl FromStr for Colormap {
    type Err = UnknownColormap;

    fn from_str(name: &str) -> Result<Self, UnknownColormap> {
        Self::ALL.into_iter().find(|map| map.name().eq_ignore_ascii_case(name)).ok_or(UnknownColormap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_match_matplotlib() {
        // From matplotlib's tables of 256 colours.
        let ends = |map: Colormap| [0.0, 1.0].map(|value| map.color(value));
        assert_eq!(ends(Colormap::Inferno), [[0, 0, 4], [252, 255, 164]]);
        assert_eq!(ends(Colormap::Viridis), [[68, 1, 84], [253, 231, 37]]);
        assert_eq!(ends(Colormap::Seismic), [[0, 0, 77], [128, 0, 0]]);
        assert_eq!([0.25, 0.5, 0.75].map(|value| Colormap::Seismic.color(value)), [[0, 0, 255], [255; 3], [255, 0, 0]]);
        assert_eq!([-3.0, f32::NAN, 7.0].map(|value| Colormap::Grey.color(value)[0]), [0, 0, 255]);
    }

    #[test]
    fn lightness_increases_monotonically() {
        let lightness = |[r, g, b]: [u8; 3]| 2126 * u32::from(r) + 7152 * u32::from(g) + 722 * u32::from(b);
        for map in [Colormap::Inferno, Colormap::Viridis, Colormap::Grey] {
            let steps: Vec<_> = (0..=50_u8).map(|step| lightness(map.color(f32::from(step) / 50.0))).collect();
            assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{map}: {steps:?}");
        }
    }

    #[test]
    fn names_round_trip() {
        for map in Colormap::ALL {
            assert_eq!(map.name().to_uppercase().parse(), Ok(map));
        }
        let message = "jet".parse::<Colormap>().unwrap_err().to_string();
        assert!(Colormap::ALL.iter().all(|map| message.contains(map.name())), "{message}");
    }
}
