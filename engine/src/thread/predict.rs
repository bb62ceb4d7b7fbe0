//! The prediction job: images are decoded ahead on other threads while the network computes.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context as _;
use mammoscope::client::protocol::{EngineEvent, JobId, JobOutcome, PredictWork};
use mammoscope::domain::density::DensityClass;
use mammoscope::domain::engine_facts::CudaFacts;
use mammoscope::domain::input_route::InputRoute;
use mammoscope::domain::printable::printable_path;
use mammoscope::imaging::network_input::{NetworkInput, load_input};
use mammoscope::storage::model_file::Model;
use rayon::prelude::*;
use tch::Device;

use super::job_control::JobControl;
use super::outlet::EventSender;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::inference::Predictor;

/// Images at once where nobody says otherwise: larger batches gain nothing on a CPU and much on a GPU.
const CPU_BATCH: usize = 4;
const GPU_BATCH: usize = 32;

type DecodedImage = Result<NetworkInput, String>;
type Logits = [f32; DensityClass::COUNT];

/// Predicts all images in their order and sends an answer for each.
pub fn predict(
    job: JobId,
    work: PredictWork,
    cuda: &CudaFacts,
    control: &JobControl,
    events: &EventSender,
) -> anyhow::Result<JobOutcome> {
    let path = PathBuf::from(work.model);
    let model = Model::read(&path).with_context(|| format!("model {}", printable_path(&path)))?;
    let device = select_device(work.device, cuda)?;
    let (precision, kind) = select_precision(work.precision, device)?;
    if let Some(threads) = work.threads {
        tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    }
    let predictor = Predictor::new(&model, device, kind)?;
    let default_batch = if device == Device::Cpu { CPU_BATCH } else { GPU_BATCH };
    let batch_size = work.batch_size.unwrap_or(default_batch).max(1);
    events.send(EngineEvent::JobStarted { job, device: device_name(device), precision, batch_size })?;

    let samples: Vec<PathBuf> = work.samples.into_iter().map(PathBuf::from).collect();
    let source = ImageSource { samples: &samples, size: model.metadata.size, route: model.metadata.input_route };
    thread::scope(|scope| {
        // One batch in work, one ready, one being decoded: memory does not grow with the number of images.
        let (sender, batches) = sync_channel(1);
        scope.spawn(move || source.decode_batches(batch_size, &sender));
        answer_batches(job, &predictor, &batches, control, events)
    })
}

fn answer_batches(
    job: JobId,
    predictor: &Predictor,
    batches: &Receiver<Vec<DecodedImage>>,
    control: &JobControl,
    events: &EventSender,
) -> anyhow::Result<JobOutcome> {
    let mut index = 0;
    for batch in batches {
        if control.is_stopped() {
            return Ok(JobOutcome::Stopped { reason: format!("as asked, after {index} images") });
        }
        for result in answer(predictor, batch)? {
            events.send(EngineEvent::SampleDone { job, index, result })?;
            index += 1;
        }
    }
    Ok(JobOutcome::Completed)
}

/// Answers for a batch: images that could not be read keep their reason, the others go through the network together.
fn answer(predictor: &Predictor, batch: Vec<DecodedImage>) -> anyhow::Result<Vec<Result<Logits, String>>> {
    let readable: Vec<&NetworkInput> = batch.iter().filter_map(|image| image.as_ref().ok()).collect();
    let mut logits = predictor.logits(&readable)?.into_iter();
    Ok(batch
        .into_iter()
        .map(|image| {
            image?;
            let logits = logits.next().expect("as many answers as readable images");
            if logits.iter().all(|logit| logit.is_finite()) {
                Ok(logits)
            } else {
                Err("the network's answer is not finite".to_owned())
            }
        })
        .collect())
}

struct ImageSource<'a> {
    samples: &'a [PathBuf],
    size: usize,
    route: InputRoute,
}

impl ImageSource<'_> {
    /// Decodes batch after batch, the images of a batch side by side, until all are done or nobody wants them.
    fn decode_batches(&self, batch_size: usize, sender: &SyncSender<Vec<DecodedImage>>) {
        for batch in self.samples.chunks(batch_size) {
            let decoded = batch
                .par_iter()
                .map(|path| load_input(path, self.size, self.route).map_err(|error| error.to_string()))
                .collect();
            if sender.send(decoded).is_err() {
                return;
            }
        }
    }
}
