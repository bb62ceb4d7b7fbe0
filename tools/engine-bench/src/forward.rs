//! Images per second of the forward pass.

use mammoscope_domain::network::network_plan::{REFERENCE_SIZE, WidthFactor};
use mammoscope_engine::learning::folded_resnet::FoldedResNet;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::resnet::ResNet;
use mammoscope_engine_protocol::engine_facts::CudaFacts;
use tch::{Device, Tensor, no_grad};

use super::cases::{Cases, Report, Work};

/// Times the folded network at width 1 with random weights. The cases are named `forward`, or `forward_b1` for batches
/// of one.
pub(crate) fn forward(cases: &Cases, cuda: &CudaFacts) -> anyhow::Result<Report> {
    let model = initial_model(WidthFactor::ONE, REFERENCE_SIZE, None, 1);
    let work = Work {
        name: |batch| if batch == 1 { "forward_b1" } else { "forward" },
        prepare: |device, kind| {
            let network = no_grad(|| ResNet::from_model(&model, device))?;
            Ok(no_grad(|| FoldedResNet::new(&network, kind))?)
        },
        run: |network: &FoldedResNet, input: &Tensor| {
            let logits = no_grad(|| network.forward(input))?;
            // Reading a value waits for the device.
            logits.f_to(Device::Cpu).map(drop)
        },
    };
    cases.time(cuda, &work)
}
