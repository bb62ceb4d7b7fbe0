//! The two ways of the reference from an image to the network's input.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How an image becomes the network's input. The reference implementation does not do the same in training and in its
/// Grad-CAM notebook; a network is to be given what it was trained on, so [`InputRoute::One`] is the default everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputRoute {
    /// Training and prediction: nearest neighbour as PIL does it, × 1/255, minus the mean.
    #[default]
    #[serde(rename = "training")]
    One,
    /// The Grad-CAM notebook: bilinear without anti-aliasing, minus the mean, / 255.
    #[serde(rename = "grad-cam-notebook")]
    Two,
}

impl InputRoute {
    /// Both routes.
    pub const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The route's name in files and options: `training` or `grad-cam-notebook`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "training",
            Self::Two => "grad-cam-notebook",
        }
    }
}

impl fmt::Display for InputRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no input route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no input route; the routes are training and grad-cam-notebook")]
pub struct UnknownRoute(pub String);

impl FromStr for InputRoute {
    type Err = UnknownRoute;

    /// Reads a route's name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|route| route.name() == text).ok_or_else(|| UnknownRoute(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_text_and_json() {
        for route in InputRoute::ALL {
            assert_eq!(route.to_string().parse(), Ok(route));
            assert_eq!(serde_json::to_string(&route).expect("a unit variant"), format!("\"{route}\""));
        }
        assert!("one".parse::<InputRoute>().is_err());
    }
}
