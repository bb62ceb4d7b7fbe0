//! A native map enlarged to the input's size, against keras-vis with SciPy.

use mammoscope_imaging::map_zoom::{cubic_spline_zoom, normalised};
use mammoscope_imaging::raster::{Channels, Raster};
use mammoscope_storage::tables::map_file::{MapTable, read_table};
use mammoscope_test_support::shared;

fn grey(width: usize, values: &[f32]) -> Raster<f32> {
    Raster::new(width, values.len() / width, Channels::Grey, values.to_vec())
}

fn largest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap()
}

#[test]
fn the_zoomed_map_equals_that_of_keras_vis() {
    let Some(folder) = shared("reference/cams") else { return };
    let MapTable { shape, values } = read_table(&folder.join("cam21_route2_relu.npy")).unwrap();
    assert_eq!(shape, [8, 21, 21]);
    let expected = read_table(&folder.join("full650_route2_1251_1_A_CC_R_normalised.npy")).unwrap();
    assert_eq!(expected.shape, [650, 650]);
    // 1251_1_A_CC_R is the first of the eight images.
    let found = normalised(&cubic_spline_zoom(&grey(21, &values[..441]), 650, 650));
    assert!(found.samples().iter().all(|value| value.is_finite()));
    let difference = found.samples().iter().zip(&expected.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    eprintln!("largest difference from SciPy: {difference:e}");
    assert!(difference < 1e-5, "{difference}");
    assert_eq!(largest(found.samples()), largest(&expected.values));
}
