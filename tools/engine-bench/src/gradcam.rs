//! Grad-CAM maps per second.

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_domain::subject::density::DensityClass;
use mammoscope_engine::learning::explanation::explainer::{Explainer, MapRequest};
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use tch::{Device, TchError, Tensor, no_grad};

use super::cases::{Cases, Report, Work};

/// Times Grad-CAM of the last layer for class A, including keras-vis' scaling, at width 1 with random weights. As in
/// the scripts for the other tools, a run ends with the map at the input's size, scaled to 0–1 and on the host;
/// libtorch's cubic interpolation stands in for the program's own splines.
pub(crate) fn gradcam(cases: &Cases, cuda: &CudaFacts) -> anyhow::Result<Report> {
    let model = initial_model(WidthFactor::ONE, REFERENCE_SIZE, None, 1);
    let work = Work {
        name: |_| "gradcam",
        prepare: |device, kind| Ok(Explainer::new(&model, device, kind)?),
        run: |explainer: &Explainer, input: &Tensor| full_size_maps(explainer, input).map(drop),
    };
    cases.time(cuda, &work)
}

fn full_size_maps(explainer: &Explainer, input: &Tensor) -> Result<Tensor, TchError> {
    let (images, _, rows, columns) = input.size4()?;
    let seeds = vec![0; images as usize];
    let request = MapRequest { keras_vis: true, ..MapRequest::default() };
    let choose = |logits: &[[f32; DensityClass::COUNT]]| vec![DensityClass::A; logits.len()];
    let maps = explainer.maps(input, &seeds, request, &choose, Cancellation::never())?;
    let maps = maps.done().expect("a benchmark is never cancelled").maps;
    no_grad(|| {
        let large = maps.f_relu()?.f_unsqueeze(1)?.f_upsample_bicubic2d([rows, columns], true, None, None)?;
        let low = large.f_amin([2_i64, 3].as_slice(), true)?;
        let range = large.f_amax([2_i64, 3].as_slice(), true)?.f_sub(&low)?.f_add_scalar(1e-7)?;
        large.f_sub(&low)?.f_div(&range)?.f_to(Device::Cpu)
    })
}
