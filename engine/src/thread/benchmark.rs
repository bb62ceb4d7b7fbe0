//! The benchmark job: times training steps on random images.

use std::time::Instant;

use mammoscope_domain::training::step_timing::StepTiming;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine_protocol::command::BenchmarkWork;
use mammoscope_engine_protocol::event::{EngineEvent, JobOutcome};
use tch::{Device, Kind, TchError, Tensor, no_grad, with_grad};

use super::job::JobContext;
use crate::learning::augmentation::{Augmentation, SamplingTerms};
use crate::learning::batches::standardise;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::inference;
use crate::learning::initial_weights::initial_model;
use crate::learning::learner::{Batch, BatchSource, Learner};
use crate::learning::libtorch_ext::cuda_graph::use_own_stream;
use crate::learning::loss::CrossEntropy;
use crate::learning::memory_advice::{StepMemory, available_bytes, explain_failure, is_out_of_memory};
use crate::learning::replay::replay_on;
use mammoscope_domain::cancellation::Completion;

/// The fewest timed steps, after those that reserve memory, select algorithms and are recorded.
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
    use_own_stream(device)?;
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
    let mut batches = RandomBatches::new(config, device, kind)?;
    let mut replay = replay_on(device);
    let mut seconds = Vec::new();
    let mut steps = 0;
    while seconds.len() < MIN_TIMED_STEPS || seconds.iter().sum::<f64>() < MIN_TIMED_SECONDS {
        if job.control.is_stopped() {
            return Ok(Completion::Cancelled);
        }
        let start = Instant::now();
        // The rate does not affect the time; it is so small that random images do not make the weights diverge.
        learner.step(1e-6, &[config.batch_size], &mut batches, replay.as_mut())?;
        // Reading the loss waits for the device.
        learner.results(1)?;
        steps += 1;
        if steps > replay.warm_ups() {
            seconds.push(start.elapsed().as_secs_f64());
        }
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
    Ok(Tensor::f_rand([count, 1, side, side], (Kind::Float, Device::Cpu))?.f_mul_scalar(255.0)?.f_to(device)?)
}

/// The same random images in every step, transformed if the configuration wants it.
struct RandomBatches {
    /// N×1×S×S of f32.
    levels: Tensor,
    /// N of i64.
    labels: Tensor,
    sampling: Option<SamplingTerms>,
    kind: Kind,
}

impl RandomBatches {
    fn new(config: &TrainingConfig, device: Device, kind: Kind) -> anyhow::Result<Self> {
        let &TrainingConfig { batch_size, size, .. } = config;
        let sampling = Augmentation::new(config).map(|augmentation| {
            let drawn: Vec<_> = (0..batch_size).map(|position| augmentation.draw(1, position)).collect();
            SamplingTerms::new(&drawn, size, device)
        });
        Ok(Self {
            levels: random_levels(batch_size, size, device)?,
            labels: Tensor::f_arange(batch_size as i64, (Kind::Int64, device))?.f_remainder(4)?,
            sampling: sampling.transpose()?,
            kind,
        })
    }
}

impl BatchSource for RandomBatches {
    fn prepare(&mut self, _count: usize) -> Result<(), TchError> {
        Ok(())
    }

    fn batch(&self, _count: usize) -> Result<Batch, TchError> {
        let transformed = self.sampling.as_ref().map(|sampling| sampling.transform(&self.levels)).transpose()?;
        let images = standardise(transformed.as_ref().unwrap_or(&self.levels), self.kind)?;
        Ok(Batch { images, labels: self.labels.shallow_clone(), targets: None })
    }
}
