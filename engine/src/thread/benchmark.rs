//! The benchmark job: times training steps on random images.

use std::time::Instant;

use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::command::BenchmarkWork;
use mammoscope_engine_protocol::event::{EngineEvent, JobOutcome};
use tch::{Device, Kind, Tensor, no_grad, with_grad};

use super::job::JobContext;
use crate::learning::augmentation::{Augmentation, transform};
use crate::learning::batches::standardise;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::inference;
use crate::learning::initial_weights::initial_model;
use crate::learning::learner::{Batch, Learner};
use crate::learning::loss::CrossEntropy;
use crate::learning::memory_advice::{StepMemory, available_bytes, explain_failure, is_out_of_memory};
use mammoscope_domain::cancellation::Completion;

/// The fewest timed steps, after one warm-up step that reserves memory and selects algorithms.
const MIN_TIMED_STEPS: usize = 3;
/// The shortest time for which steps are timed, in seconds: engines that are timed side by side start their first steps
/// at different moments.
const MIN_TIMED_SECONDS: f64 = 0.5;

/// The medians of a benchmark.
struct StepSeconds {
    batch: f64,
    validation_image: f64,
}

/// Times at least three training steps and a validation pass. A configuration that would not fit into memory is rejected at
/// once.
pub fn benchmark(work: &BenchmarkWork, job: &JobContext<'_>) -> anyhow::Result<JobOutcome> {
    let config = &work.config;
    config.check()?;
    let device = select_device(work.device, job.cuda)?;
    let (precision, kind) = select_precision(config.precision, device)?;
    let threads = if config.threads == 0 { job.default_threads } else { config.threads };
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let batch_size = config.batch_size;
    let device_in_words = device_name(device);
    let started = EngineEvent::JobStarted { job: job.id, device: device_in_words, precision, batch_size, threads };
    job.events.send(started)?;
    // The memory of a GPU can only be queried after its first tensor.
    let _first = Tensor::f_zeros([1], (Kind::Uint8, device))?;
    let memory = StepMemory::new(config, kind, device, 0);
    let memory_available = available_bytes(device);
    if let Some(available) = memory_available.filter(|&available| memory.bytes() > available) {
        return Ok(JobOutcome::Failed { error: memory.advice(available) });
    }
    // An earlier job that panicked within `no_grad` has left gradients disabled on this thread.
    let timed = with_grad(|| time_steps(config, device, kind, job));
    let seconds = match timed {
        Ok(Completion::Done(seconds)) => seconds,
        Ok(Completion::Cancelled) => {
            return Ok(JobOutcome::Stopped { reason: "on request, between steps".to_owned() });
        }
        Err(error) if is_out_of_memory(&format!("{error:#}")) => {
            return Ok(JobOutcome::Failed { error: explain_failure(&format!("{error:#}"), &memory, device) });
        }
        Err(error) => return Err(error),
    };
    let timing = StepTiming {
        device: device_name(device),
        precision,
        batch_seconds: seconds.batch,
        validation_image_seconds: seconds.validation_image,
        memory_needed: memory.bytes(),
        memory_available,
        gpus: job.cuda.devices.len(),
    };
    job.events.send(EngineEvent::StepsTimed { job: job.id, timing })?;
    Ok(JobOutcome::Completed)
}

fn time_steps(
    config: &TrainingConfig,
    device: Device,
    kind: Kind,
    job: &JobContext<'_>,
) -> anyhow::Result<Completion<StepSeconds>> {
    let initial = initial_model(config.width, config.size, None, config.seed);
    let mut learner = Learner::new(config, &initial.tensors, CrossEntropy::plain(), device, kind)?;
    let augmentation = Augmentation::new(config);
    let mut seconds = Vec::new();
    let mut is_warm = false;
    while seconds.len() < MIN_TIMED_STEPS || seconds.iter().sum::<f64>() < MIN_TIMED_SECONDS {
        if job.control.is_stopped() {
            return Ok(Completion::Cancelled);
        }
        let levels = random_levels(config.batch_size, config.size, device)?;
        let start = Instant::now();
        let batch = no_grad(|| batch(&levels, augmentation.as_ref(), kind))?;
        // The rate does not affect the time; it is so small that random images do not make the weights diverge.
        let result = learner.step(1e-6, config.batch_size, std::iter::once(Ok(batch)))?;
        // Reading the loss waits for the device.
        f64::try_from(result.loss_sum)?;
        if is_warm {
            seconds.push(start.elapsed().as_secs_f64());
        }
        is_warm = true;
        job.progress.step();
    }
    seconds.sort_by(f64::total_cmp);
    if job.control.is_stopped() {
        return Ok(Completion::Cancelled);
    }
    let network = learner.for_inference(kind)?;
    let images = inference::batch_size(device, config.size);
    let input = standardise(&random_levels(images, config.size, device)?, kind)?;
    let mut validation_image = 0.0;
    // The first pass warms everything up.
    for _ in 0..2 {
        let start = Instant::now();
        let sum = no_grad(|| network.forward(&input)?.f_sum(Kind::Double))?;
        f64::try_from(sum)?;
        validation_image = start.elapsed().as_secs_f64() / images as f64;
        job.progress.step();
    }
    Ok(Completion::Done(StepSeconds { batch: seconds[seconds.len() / 2], validation_image }))
}

/// Random grey levels N×1×S×S.
fn random_levels(count: usize, size: usize, device: Device) -> anyhow::Result<Tensor> {
    let (count, side) = (count as i64, size as i64);
    Ok(Tensor::f_rand([count, 1, side, side], (Kind::Float, device))?.f_mul_scalar(255.0)?)
}

fn batch(levels: &Tensor, augmentation: Option<&Augmentation>, kind: Kind) -> Result<Batch, tch::TchError> {
    let count = levels.size4()?.0;
    let augmented = match augmentation {
        Some(augmentation) => {
            let parameters: Vec<_> = (0..count as usize).map(|position| augmentation.draw(1, position)).collect();
            Some(transform(levels, &parameters)?)
        }
        None => None,
    };
    let images = standardise(augmented.as_ref().unwrap_or(levels), kind)?;
    let labels = Tensor::f_arange(count, (Kind::Int64, levels.device()))?.f_remainder(4)?;
    Ok(Batch { images, labels, targets: None })
}
