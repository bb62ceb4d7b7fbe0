//! A map as computed: one number per position of the layer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::map_status::MapStatus;

/// A signed map, before ReLU, at the resolution of its layer.
///
/// Serialised as the base64 of little-endian f32 bytes, since a layer of an early stage has 26,569 values and JSON has
/// no NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "SerialisedMap", try_from = "SerialisedMap")]
pub struct ExplanationMap {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl ExplanationMap {
    /// A map of `rows` × `columns` values, row by row.
    ///
    /// # Panics
    /// If the number of values differs from `rows` × `columns`, or is 0.
    #[must_use]
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Self {
        assert!(!values.is_empty() && values.len() == rows * columns, "{} values", values.len());
        Self { rows, columns, values }
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The owned values, row by row.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The smallest value, ignoring NaN; NaN if all values are.
    #[must_use]
    pub fn minimum(&self) -> f32 {
        self.values.iter().copied().fold(f32::NAN, f32::min)
    }

    /// The largest value, ignoring NaN; NaN if all values are.
    #[must_use]
    pub fn maximum(&self) -> f32 {
        self.values.iter().copied().fold(f32::NAN, f32::max)
    }

    #[must_use]
    pub fn status(&self) -> MapStatus {
        MapStatus::of(&self.values)
    }

    /// The map after ReLU, as papers show it.
    #[must_use]
    pub fn rectified(&self) -> Self {
        let values = self.values.iter().map(|value| value.max(0.0)).collect();
        Self { values, ..*self }
    }
}

/// The serialised form of a map.
#[derive(Serialize, Deserialize)]
struct SerialisedMap {
    rows: usize,
    columns: usize,
    f32_base64: String,
}

impl From<ExplanationMap> for SerialisedMap {
    fn from(map: ExplanationMap) -> Self {
        let bytes: Vec<u8> = map.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { rows: map.rows, columns: map.columns, f32_base64: STANDARD.encode(bytes) }
    }
}

/// The reason a serialised map cannot be read.
#[derive(Debug, thiserror::Error)]
enum MalformedMap {
    #[error("a map that is not base64: {0}")]
    NotBase64(#[from] base64::DecodeError),
    #[error("a map of {rows} × {columns} values in {bytes} bytes")]
    WrongSize { rows: usize, columns: usize, bytes: usize },
}

impl TryFrom<SerialisedMap> for ExplanationMap {
    type Error = MalformedMap;

    fn try_from(map: SerialisedMap) -> Result<Self, MalformedMap> {
        let SerialisedMap { rows, columns, f32_base64 } = map;
        let bytes = STANDARD.decode(f32_base64)?;
        let (numbers, rest) = bytes.as_chunks();
        if !rest.is_empty() || numbers.is_empty() || rows.checked_mul(columns) != Some(numbers.len()) {
            return Err(MalformedMap::WrongSize { rows, columns, bytes: bytes.len() });
        }
        Ok(Self { rows, columns, values: numbers.iter().map(|&number| f32::from_le_bytes(number)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_survives_json() {
        let values = vec![1.5, -0.0, f32::NAN, f32::NEG_INFINITY, f32::MIN_POSITIVE / 2.0, 3.0e38];
        let map = ExplanationMap::new(2, 3, values.clone());
        let back: ExplanationMap = serde_json::from_str(&serde_json::to_string(&map).unwrap()).unwrap();
        assert_eq!((back.rows(), back.columns()), (2, 3));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(back.values()), bits(&values));
        assert!((map.maximum() - 3.0e38).abs() < 1e32 && map.minimum() == f32::NEG_INFINITY);
        assert_eq!(map.status(), MapStatus::NotFinite);
    }

    #[test]
    fn a_map_whose_size_does_not_match_is_refused() {
        for json in [
            r#"{"rows":2,"columns":1,"f32_base64":"AACAPw=="}"#,
            r#"{"rows":0,"columns":0,"f32_base64":""}"#,
            r#"{"rows":1,"columns":1,"f32_base64":"AACA"}"#,
            r#"{"rows":1,"columns":1,"f32_base64":"?"}"#,
        ] {
            assert!(serde_json::from_str::<ExplanationMap>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn negative_values_are_cut_off() {
        assert_eq!(ExplanationMap::new(1, 2, vec![-1.0, 2.0]).rectified().values(), [0.0, 2.0]);
    }
}
