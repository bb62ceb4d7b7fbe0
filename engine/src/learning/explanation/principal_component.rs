//! EigenCAM: the first principal component of a layer's feature maps.

use tch::{Kind, TchError, Tensor};

/// Projects each image's feature maps onto their first principal component: N×K×H×W → N×H×W. Muhammad and Yeasin, IJCNN
/// 2020.
///
/// The sign of a component is arbitrary; it is chosen so that the map correlates positively with the mean over the
/// channels. The K×K covariance is decomposed in f64 instead of the H·W×K matrix itself. Feature maps that are not
/// finite give a map of NaN.
pub fn eigen_cam(feature_maps: &Tensor) -> Result<Tensor, TchError> {
    let (images, channels, rows, columns) = feature_maps.size4()?;
    let maps = (0..images)
        .map(|image| {
            let matrix = feature_maps.f_get(image)?.f_reshape([channels, rows * columns])?.f_to_kind(Kind::Double)?;
            let map = match first_component(&matrix)? {
                Some(component) => component,
                None => matrix.f_get(0)?.f_full_like(f64::NAN)?,
            };
            map.f_to_kind(Kind::Float)?.f_reshape([rows, columns])
        })
        .collect::<Result<Vec<_>, _>>()?;
    Tensor::f_stack(&maps, 0)
}

/// K×P → P; `None` if a value is not finite, since the decomposition would fail.
fn first_component(matrix: &Tensor) -> Result<Option<Tensor>, TchError> {
    if !bool::try_from(matrix.f_isfinite()?.f_all()?)? {
        return Ok(None);
    }
    let centred = matrix.f_sub(&matrix.f_mean_dim([1_i64].as_slice(), true, Kind::Double)?)?;
    let covariance = centred.f_matmul(&centred.f_transpose(0, 1)?)?;
    // Eigenvalues ascend.
    let (_, vectors) = covariance.f_linalg_eigh("L")?;
    let component = vectors.f_select(1, -1)?.f_matmul(&centred)?;
    let mean = centred.f_mean_dim([0_i64].as_slice(), false, Kind::Double)?;
    let agreement = f64::try_from(component.f_dot(&mean)?)?;
    if agreement < 0.0 { component.f_neg().map(Some) } else { Ok(Some(component)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_pattern_is_recovered_with_its_sign() {
        // Channels are multiples of one pattern, 3, −1 and 1: the first component is the pattern times √11.
        let pattern = Tensor::from_slice(&[-1.0_f32, 0.0, 1.0, 4.0, -2.0, -2.0]).reshape([1, 2, 3]);
        let scales = Tensor::from_slice(&[3.0_f32, -1.0, 1.0]).reshape([3, 1, 1]);
        let maps = (scales * &pattern + 7.0).unsqueeze(0);
        let map = eigen_cam(&maps).expect("a map");
        let difference = (&map - pattern * 11.0_f64.sqrt()).abs().max().double_value(&[]);
        assert!(difference < 1e-5, "{difference}");
    }

    #[test]
    fn a_nan_gives_a_map_of_nan_instead_of_an_error() {
        let maps = Tensor::from_slice(&[1.0_f32, f32::NAN, 0.0, 2.0]).reshape([1, 2, 1, 2]);
        let map = Vec::<f32>::try_from(eigen_cam(&maps).expect("a map").flatten(0, -1)).expect("f32");
        assert!(map.len() == 2 && map.iter().all(|value| value.is_nan()));
    }
}
