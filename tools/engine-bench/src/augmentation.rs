//! From decoded images to augmented batches of the network's input.

use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use serde::Serialize;
use tch::{Device, Kind, TchError};

use super::timing::{Timing, time};
use mammoscope_engine::learning::augmentation::{Augmentation, transform};
use mammoscope_engine::learning::batches::{TrainingImages, epoch_order, standardise};
use mammoscope_engine::learning::device::{device_name, select_device};

/// The cases to time.
#[derive(Clone, Debug)]
pub(crate) struct AugmentationBench {
    /// Height and width of the images in pixels.
    pub(crate) sizes: Vec<usize>,
    /// Images per batch.
    pub(crate) batch: usize,
    pub(crate) device: DeviceChoice,
}

/// The timings of all cases.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AugmentationReport {
    pub(crate) device: String,
    /// CPU threads.
    pub(crate) threads: i32,
    /// One entry per size and precision.
    pub(crate) results: Vec<AugmentationTiming>,
}

/// The time of one case.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AugmentationTiming {
    pub(crate) name: &'static str,
    /// Height and width of the images in pixels.
    pub(crate) size: usize,
    /// Images per batch.
    pub(crate) batch: usize,
    /// f32 or bf16 of the resulting batch; the augmentation itself is always in f32.
    pub(crate) precision: Precision,
    /// Median over the epochs, in seconds.
    pub(crate) median_s: f64,
    /// The fastest epoch, in seconds.
    pub(crate) min_s: f64,
    /// Images per second, by the median.
    pub(crate) img_per_s: f64,
}

/// Times whole epochs of eight batches of in-memory grey images, with the reference's augmentation limits.
pub(crate) fn augmentation(bench: &AugmentationBench, cuda: &CudaFacts) -> anyhow::Result<AugmentationReport> {
    const BATCHES: usize = 8;
    let device = select_device(bench.device, cuda)?;
    let mut results = Vec::new();
    for &size in &bench.sizes {
        let count = bench.batch * BATCHES;
        let pixels: Vec<u8> = (0..count * size * size).map(|at| (at % 251) as u8).collect();
        let images = TrainingImages::new(pixels.chunks(size * size).collect(), size, 1, device)?;
        let limits = Augmentation { seed: 1, size, rotation: 10.0, shift: 0.2, zoom: 0.2 };
        for (precision, kind) in [(Precision::F32, Kind::Float), (Precision::Bf16, Kind::BFloat16)] {
            let mut epoch = 0;
            let Timing { median_s, min_s } = time(size as i64, || {
                epoch += 1;
                prepare_epoch(&images, &limits, epoch, bench.batch, kind)
            })?;
            let (name, batch, img_per_s) = ("augmentation", bench.batch, count as f64 / median_s);
            results.push(AugmentationTiming { name, size, batch, precision, median_s, min_s, img_per_s });
        }
    }
    Ok(AugmentationReport { device: device_name(device), threads: tch::get_num_threads(), results })
}

fn prepare_epoch(
    images: &TrainingImages<'_>,
    limits: &Augmentation,
    epoch: u32,
    batch: usize,
    kind: Kind,
) -> Result<(), TchError> {
    let order = epoch_order(limits.seed, epoch, images.count());
    for (number, indices) in order.chunks(batch).enumerate() {
        let drawn: Vec<_> = (0..indices.len()).map(|within| limits.draw(epoch, number * batch + within)).collect();
        let input = standardise(&transform(&images.batch(indices)?, &drawn)?, kind)?;
        // Reading a value waits for the device.
        let _ = input.f_get(0)?.f_get(0)?.f_get(0)?.f_get(0)?.f_to(Device::Cpu)?;
    }
    Ok(())
}
