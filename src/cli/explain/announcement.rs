//! The announcement of how long a slow method will take.

use std::time::Instant;

use super::group_maps::{GroupMaps, Job};
use crate::report::epoch_table::seconds_text;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::explanation::explanation_method::ExplanationMethod;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::text::grouped_digits::grouped;
use mammoscope_engine_client::engine_process::EngineProcess;
use mammoscope_engine_client::image_job::{ImageJobError, PredictionEvent, run_image_job};
use mammoscope_engine_protocol::command::PredictWork;
use mammoscope_engine_protocol::wire_path::WirePath;

/// The time of a gradient method's pass, forward or backward, relative to a prediction: a backward pass takes twice as
/// long as a forward one.
const GRADIENT_PASS: f64 = 1.5;

impl GroupMaps<'_> {
    /// Prints how long a slow method will take, measured by two predictions of the first image, of which the first is a
    /// warm-up. If that image cannot be predicted, no time is given, and the error is reported when it is explained.
    pub(super) fn announce(
        &self,
        engine: &mut EngineProcess,
        job: &mut Job,
        cancellation: Cancellation<'_>,
    ) -> anyhow::Result<()> {
        let (method, samples) = (self.arguments.method, &self.group.samples);
        let Some(first) = samples.first().filter(|_| method.is_slow() && self.group.model.fault.is_none()) else {
            return Ok(());
        };
        let passes = method.passes(self.group.model.metadata.size);
        let work = PredictWork {
            model: WirePath::from(self.group.model.path.as_path()),
            samples: vec![WirePath::from(first.path.as_path()); 2],
            batch_size: Some(1),
            device: self.arguments.device,
            precision: self.arguments.precision,
            threads: self.arguments.threads.map(usize::from),
            grey_range: self.arguments.data_options.grey.range(),
            augmented: None,
        };
        let mut answers: Vec<Instant> = Vec::new();
        let result = run_image_job(engine, job.next(), work, cancellation, &mut |event| {
            if matches!(event, PredictionEvent::Image { result: Ok(_), .. }) {
                answers.push(Instant::now());
            }
            Ok(())
        });
        let time = match (result, &answers[..]) {
            (Ok(()), [warm, end]) => {
                let factor = if method == ExplanationMethod::SmoothGrad { GRADIENT_PASS } else { 1.0 };
                let seconds = end.duration_since(*warm).as_secs_f64() * (passes * samples.len()) as f64 * factor;
                format!(", about {}", seconds_text(seconds))
            }
            (Ok(()) | Err(ImageJobError::Failed(_)), _) => String::new(),
            (Err(error), _) => return self.outcome(Err(error)),
        };
        self.console.note(format!(
            "{}: {} takes {} passes per image, for {}{time}",
            self.group.name(),
            method.title(),
            grouped(passes),
            counted(samples.len(), "image")
        ));
        Ok(())
    }
}
