//! The four standard views of a mammographic examination.

use serde::{Deserialize, Serialize};

use crate::text::named_choice::named_choice;

/// The imaged breast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The right breast; its chest wall is at the right edge of the image.
    Right,
    /// The left breast; its chest wall is at the left edge of the image.
    Left,
}

impl Side {
    /// Both sides, right first as in the reference.
    pub const ALL: [Self; 2] = [Self::Right, Self::Left];

    /// The name of the side's evaluation set, `right` or `left`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
        }
    }

    #[must_use]
    pub const fn views(self) -> [View; 2] {
        match self {
            Self::Right => [View::CcR, View::MloR],
            Self::Left => [View::CcL, View::MloL],
        }
    }
}

/// The direction of the X-ray beam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Projection {
    /// Cranio-caudal.
    Cc,
    /// Medio-lateral oblique; shows the pectoral muscle.
    Mlo,
}

/// One of the four standard views; each has a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum View {
    /// Cranio-caudal, right.
    #[serde(rename = "CC_R")]
    CcR,
    /// Cranio-caudal, left.
    #[serde(rename = "CC_L")]
    CcL,
    /// Medio-lateral oblique, right.
    #[serde(rename = "MLO_R")]
    MloR,
    /// Medio-lateral oblique, left.
    #[serde(rename = "MLO_L")]
    MloL,
}

impl View {
    pub const ALL: [Self; 4] = [Self::CcR, Self::CcL, Self::MloR, Self::MloL];

    /// The view's name, as in folders and files: `CC_R`, `CC_L`, `MLO_R`, `MLO_L`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CcR => "CC_R",
            Self::CcL => "CC_L",
            Self::MloR => "MLO_R",
            Self::MloL => "MLO_L",
        }
    }

    /// The view of a projection and a side.
    #[must_use]
    pub const fn of(projection: Projection, side: Side) -> Self {
        match (projection, side) {
            (Projection::Cc, Side::Right) => Self::CcR,
            (Projection::Cc, Side::Left) => Self::CcL,
            (Projection::Mlo, Side::Right) => Self::MloR,
            (Projection::Mlo, Side::Left) => Self::MloL,
        }
    }

    #[must_use]
    pub const fn side(self) -> Side {
        match self {
            Self::CcR | Self::MloR => Side::Right,
            Self::CcL | Self::MloL => Side::Left,
        }
    }

    #[must_use]
    pub const fn projection(self) -> Projection {
        match self {
            Self::CcR | Self::CcL => Projection::Cc,
            Self::MloR | Self::MloL => Projection::Mlo,
        }
    }
}

/// A text that does not name a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a view; the views are CC_R, CC_L, MLO_R and MLO_L")]
pub struct UnknownView(pub String);

named_choice!(View by name, str::eq_ignore_ascii_case, UnknownView);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sides_and_projections_agree() {
        for view in View::ALL {
            assert_eq!(view.name().to_lowercase().parse(), Ok(view));
            assert!(view.side().views().contains(&view));
            assert_eq!(View::of(view.projection(), view.side()), view);
            assert_eq!(view.projection() == Projection::Mlo, view.name().starts_with("MLO"));
            assert_eq!(serde_json::to_string(&view).expect("a unit variant"), format!("\"{view}\""));
        }
        assert!("CC".parse::<View>().is_err());
    }
}
