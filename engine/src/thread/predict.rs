//! The prediction job: images are decoded ahead on other threads while the network computes.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context as _;
use mammoscope::client::protocol::{EngineEvent, JobOutcome, PredictWork};
use mammoscope::domain::density::DensityClass;
use mammoscope::domain::input_route::InputRoute;
use mammoscope::domain::printable::printable_path;
use mammoscope::imaging::network_input::{NetworkInput, load_input};
use mammoscope::storage::model_file::Model;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::job::JobContext;
use super::progress::Progress;
use crate::learning::device::{device_name, select_device, select_precision};
use crate::learning::inference::{self, Predictor};

type DecodedImage = Result<NetworkInput, String>;
type Logits = [f32; DensityClass::COUNT];

/// Predicts all images in their order and sends an answer for each.
pub fn predict(work: PredictWork, job: &JobContext<'_>) -> anyhow::Result<JobOutcome> {
    let path = PathBuf::from(work.model);
    let model = Model::read(&path).with_context(|| format!("model {}", printable_path(&path)))?;
    let device = select_device(work.device, job.cuda)?;
    let (precision, kind) = select_precision(work.precision, device)?;
    let threads = work.threads.unwrap_or(job.default_threads);
    tch::set_num_threads(i32::try_from(threads).unwrap_or(i32::MAX));
    let decoders = ThreadPoolBuilder::new().num_threads(threads).build().context("start decoding threads")?;
    let predictor = Predictor::new(&model, device, kind)?;
    let batch_size = work.batch_size.unwrap_or_else(|| inference::batch_size(device)).max(1);
    job.events.send(EngineEvent::JobStarted { job: job.id, device: device_name(device), precision, batch_size })?;

    let samples: Vec<PathBuf> = work.samples.into_iter().map(PathBuf::from).collect();
    let source = ImageSource {
        samples: &samples,
        size: model.metadata.size,
        route: model.metadata.input_route,
        decoders: &decoders,
        progress: job.progress,
    };
    thread::scope(|scope| {
        // One batch in work, one ready, one being decoded: memory does not grow with the number of images.
        let (sender, batches) = sync_channel(1);
        scope.spawn(move || source.decode_batches(batch_size, &sender));
        answer_batches(&predictor, &batches, job)
    })
}

fn answer_batches(
    predictor: &Predictor,
    batches: &Receiver<Vec<DecodedImage>>,
    job: &JobContext<'_>,
) -> anyhow::Result<JobOutcome> {
    let mut index = 0;
    for batch in batches {
        if job.control.is_stopped() {
            return Ok(JobOutcome::Stopped { reason: format!("as asked, after {index} images") });
        }
        for result in answer(predictor, batch)? {
            job.events.send(EngineEvent::SampleDone { job: job.id, index, result })?;
            index += 1;
        }
        job.progress.step();
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
    decoders: &'a ThreadPool,
    progress: &'a Progress,
}

impl ImageSource<'_> {
    /// Decodes batch after batch, the images of a batch side by side, until all are done or nobody wants them.
    fn decode_batches(&self, batch_size: usize, sender: &SyncSender<Vec<DecodedImage>>) {
        for batch in self.samples.chunks(batch_size) {
            let decoded = self.decoders.install(|| batch.par_iter().map(|path| self.decode(path)).collect());
            if sender.send(decoded).is_err() {
                return;
            }
        }
    }

    fn decode(&self, path: &Path) -> DecodedImage {
        // A decoder that gives up on a damaged file costs that file, not the job.
        let (size, route) = (self.size, self.route);
        let decoded = catch_unwind(|| load_input(path, size, route))
            .map_err(|_| "the decoder gave up on it".to_owned())
            .and_then(|input| input.map_err(|error| error.to_string()));
        self.progress.step();
        decoded
    }
}
