//! Occlusion: the drop of the logit when a patch of the image is covered.

use mammoscope_domain::explanation::explanation_method::occlusion_grid;
use tch::{Device, TchError, Tensor, no_grad};

use crate::learning::folded_resnet::FoldedResNet;
use mammoscope_domain::cancellation::{Cancellation, Completion};

/// The map of one image 1×3×S×S: for every position of the patch, the logit of the whole image minus that of the image
/// with the patch covered. A patch is centred on its grid cell, two cells wide, and filled with zero, the image's mean.
/// `batch` covered copies are computed at once. Zeiler and Fergus 2014.
pub fn occlusion(
    network: &FoldedResNet,
    image: &Tensor,
    class: i64,
    batch: usize,
    cancellation: Cancellation<'_>,
) -> Result<Completion<Tensor>, TchError> {
    no_grad(|| {
        let (_, _, size, _) = image.size4()?;
        let cells = occlusion_grid(size as usize);
        let whole = network.forward(image)?.f_double_value(&[0, class])?;
        let mut drops = Vec::with_capacity(cells * cells);
        let positions: Vec<(usize, usize)> = (0..cells * cells).map(|cell| (cell / cells, cell % cells)).collect();
        for positions in positions.chunks(batch.max(1)) {
            if cancellation.is_cancelled() {
                return Ok(Completion::Cancelled);
            }
            let copies = Tensor::f_cat(&vec![image; positions.len()], 0)?;
            for (copy, &(row, column)) in positions.iter().enumerate() {
                let (top, height) = extent(row, cells, size);
                let (left, width) = extent(column, cells, size);
                let _ = copies.f_get(copy as i64)?.f_narrow(1, top, height)?.f_narrow(2, left, width)?.f_zero_()?;
            }
            let logits = network.forward(&copies)?.f_select(1, class)?.f_to(Device::Cpu)?;
            drops.extend(Vec::<f32>::try_from(logits)?.into_iter().map(|logit| (whole - f64::from(logit)) as f32));
        }
        Tensor::f_from_slice(&drops)?.f_reshape([cells as i64; 2]).map(Completion::Done)
    })
}

/// The first pixel and the length in pixels of the patch around a cell: the cell and half a cell on either side.
fn extent(cell: usize, cells: usize, size: i64) -> (i64, i64) {
    let pixel = |half_cells: i64| (half_cells.clamp(0, 2 * cells as i64) * size) / (2 * cells as i64);
    let (first, end) = (pixel(2 * cell as i64 - 1), pixel(2 * cell as i64 + 3));
    (first, end - first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_cover_the_image_and_stay_within_it() {
        for (size, cells) in [(650, 12), (32, 8), (64, 12)] {
            assert_eq!(occlusion_grid(size as usize), cells);
            let patches: Vec<(i64, i64)> = (0..cells).map(|cell| extent(cell, cells, size)).collect();
            assert_eq!(patches[0].0, 0);
            assert_eq!(patches[cells - 1].0 + patches[cells - 1].1, size);
            assert!(patches.windows(2).all(|pair| pair[1].0 > pair[0].0 && pair[1].0 <= pair[0].0 + pair[0].1));
        }
    }
}
