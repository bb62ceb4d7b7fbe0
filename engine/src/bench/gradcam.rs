//! `mammoscope-engine bench gradcam`: Grad-CAM maps per second.

use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use serde::Serialize;
use tch::{Device, Kind, TchError, Tensor, no_grad};

use super::timing::{Timing, time};
use crate::learning::device::{cpu_has_bf16, device_name, select_device, select_precision};
use crate::learning::explanation::explainer::{Cancellation, Explainer, MapRequest};
use crate::learning::initial_weights::initial_model;
use crate::learning::libtorch_ext::channels_last;

/// What to measure.
#[derive(Clone, Debug)]
pub struct GradCamBench {
    /// Input heights and widths in pixels.
    pub sizes: Vec<i64>,
    /// Batch sizes; the peers explain one image at a time.
    pub batches: Vec<i64>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Precisions; bf16 is left out where the CPU has no instructions for it.
    pub precisions: Vec<Precision>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct GradCamReport {
    /// The device in words.
    pub device: String,
    /// CPU threads.
    pub threads: i32,
    /// One entry a size, batch and precision.
    pub results: Vec<GradCamTiming>,
}

/// The time of one case.
#[derive(Clone, Debug, Serialize)]
pub struct GradCamTiming {
    /// `gradcam`.
    pub name: &'static str,
    /// Input height and width in pixels.
    pub size: i64,
    /// Images a pass.
    pub batch: i64,
    /// f32 or bf16.
    pub precision: Precision,
    /// Median over the passes, in seconds.
    pub median_s: f64,
    /// The fastest pass, in seconds.
    pub min_s: f64,
    /// Maps a second, by the median.
    pub img_per_s: f64,
}

/// Times Grad-CAM of the last layer for class A, keras-vis' scaling included, at width 1 with random weights and inputs
/// that are on the device already. As in the peers' scripts a run ends with the map at the input's size, scaled to 0–1
/// and on the host: cubic interpolation by libtorch stands for the program's own splines.
pub fn gradcam(bench: &GradCamBench, cuda: &CudaFacts) -> anyhow::Result<GradCamReport> {
    let device = select_device(bench.device, cuda)?;
    let model = initial_model(WidthFactor::ONE, REFERENCE_SIZE, None, 1);
    let has_bf16 = device.is_cuda() || cpu_has_bf16();
    let mut report =
        GradCamReport { device: device_name(device), threads: tch::get_num_threads(), results: Vec::new() };
    for &precision in &bench.precisions {
        if precision == Precision::Bf16 && !has_bf16 {
            eprintln!("skipped: bf16, for which this CPU has no instructions");
            continue;
        }
        let (_, kind) = select_precision(precision, device)?;
        let explainer = Explainer::new(&model, device, kind)?;
        for &size in &bench.sizes {
            for &batch in &bench.batches {
                let input = channels_last(&(Tensor::f_randn([batch, 3, size, size], (Kind::Float, device))? * 0.25))?;
                let Timing { median_s, min_s } = time(size, || full_size_maps(&explainer, &input).map(drop))?;
                let img_per_s = batch as f64 / median_s;
                report.results.push(GradCamTiming {
                    name: "gradcam",
                    size,
                    batch,
                    precision,
                    median_s,
                    min_s,
                    img_per_s,
                });
            }
        }
    }
    Ok(report)
}

fn full_size_maps(explainer: &Explainer, input: &Tensor) -> Result<Tensor, TchError> {
    let (images, _, rows, columns) = input.size4()?;
    let seeds = vec![0; images as usize];
    let request = MapRequest { keras_vis: true, ..MapRequest::default() };
    let choose = |logits: &[[f32; DensityClass::COUNT]]| vec![DensityClass::A; logits.len()];
    let maps = explainer.maps(input, &seeds, request, &choose, &Cancellation(&|| true))?;
    let maps = maps.expect("nobody stops a measurement").maps;
    no_grad(|| {
        let large = maps.f_relu()?.f_unsqueeze(1)?.f_upsample_bicubic2d([rows, columns], true, None, None)?;
        let low = large.f_amin([2_i64, 3].as_slice(), true)?;
        let range = large.f_amax([2_i64, 3].as_slice(), true)?.f_sub(&low)?.f_add_scalar(1e-7)?;
        large.f_sub(&low)?.f_div(&range)?.f_to(Device::Cpu)
    })
}
