//! The way in which the positions of a map are drawn.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Maps with at most this many columns and rows are coarse: interpolated, they would show hot spots that are not there.
const COARSE: usize = 7;

/// How the positions of a map are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MapLook {
    /// As cells if the map is coarse, and otherwise interpolated.
    #[default]
    #[serde(alias = "usual")]
    Auto,
    /// Each position as a cell of one colour.
    Cells,
    /// Interpolated between the positions.
    Smooth,
}

impl MapLook {
    const ALL: [(Self, &'static str); 3] = [(Self::Auto, "auto"), (Self::Cells, "cells"), (Self::Smooth, "smooth")];

    /// True if a map of this many columns and rows is drawn as cells.
    #[must_use]
    pub fn is_cells(self, (columns, rows): (usize, usize)) -> bool {
        match self {
            Self::Auto => columns.max(rows) <= COARSE,
            Self::Cells => true,
            Self::Smooth => false,
        }
    }
}

impl fmt::Display for MapLook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(look, _)| look == self).map_or("auto", |(_, name)| name);
        formatter.pad(name)
    }
}

impl FromStr for MapLook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(look, _)| *look).ok_or_else(|| "expected auto, cells or smooth".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarse_maps_are_drawn_as_cells_unless_another_look_is_chosen() {
        for (look, coarse, fine) in
            [(MapLook::Auto, true, false), (MapLook::Cells, true, true), (MapLook::Smooth, false, false)]
        {
            assert_eq!((look.is_cells((7, 7)), look.is_cells((8, 8))), (coarse, fine), "{look}");
            assert_eq!(look.to_string().parse(), Ok(look));
        }
        assert!("blurred".parse::<MapLook>().is_err());
        assert_eq!(serde_json::from_str::<MapLook>("\"usual\"").unwrap(), MapLook::Auto, "as it was saved once");
    }
}
