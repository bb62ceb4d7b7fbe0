//! GPU memory that runs out on request, in debug builds only and on any device: the tests of what follows cannot wait
//! for a GPU that is too small.
//!
//! `MAMMOSCOPE_TEST_GPU_ROOM="IMAGES STEP EVALUATED"`: from the update after `STEP` updates on, batches of more than
//! `IMAGES` images do not fit in training, and batches of more than `EVALUATED` images in evaluations.

use tch::TchError;

/// Fails in the backward pass of a training batch that is to be too large.
pub(super) fn train_on_request(step: u64, images: usize) -> Result<(), TchError> {
    match room() {
        Some([largest, from, _]) if step >= from && images as u64 > largest => Err(out_of_memory()),
        _ => Ok(()),
    }
}

/// Fails for an evaluated batch that is to be too large.
pub(super) fn evaluate_on_request(images: usize) -> Result<(), TchError> {
    match room() {
        Some([.., largest]) if images as u64 > largest => Err(out_of_memory()),
        _ => Ok(()),
    }
}

fn room() -> Option<[u64; 3]> {
    let text = std::env::var("MAMMOSCOPE_TEST_GPU_ROOM").ok()?;
    let numbers: Vec<u64> = text.split(' ').filter_map(|number| number.parse().ok()).collect();
    numbers.try_into().ok()
}

fn out_of_memory() -> TchError {
    TchError::Torch("CUDA out of memory. Tried to allocate 2.00 GiB. A test wanted this.\n#0 a frame".to_owned())
}
