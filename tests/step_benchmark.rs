//! Three steps of a training are timed by the real engine, given up between steps, and refused where they do not fit.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::cell::Cell;

use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::step_benchmark::{BenchmarkError, time_steps};
use mammoscope_engine_protocol::protocol::{BenchmarkWork, JobId};
use support::engine;

fn work(changes: &str) -> BenchmarkWork {
    let mut config = Preset::named("quick").unwrap().config;
    config.set_all(changes).unwrap();
    BenchmarkWork { config, device: DeviceChoice::Cpu }
}

#[test]
fn steps_are_timed_given_up_and_refused() {
    let mut engine = EngineProcess::start(&engine(), Timeouts::default(), &|| false).unwrap();
    let small = "size=64,width=0.25,batch_size=4,threads=1,precision=f32";
    let timing = time_steps(&mut engine, JobId(1), work(small), &|| false).unwrap();
    assert_eq!((timing.device.as_str(), timing.precision), ("cpu", Precision::F32));
    assert!(timing.batch_seconds > 0.0 && timing.validation_image_seconds > 0.0, "{timing:?}");
    assert!(timing.batch_seconds > timing.validation_image_seconds, "gradients take time: {timing:?}");

    // Asked for the third time, the caller wants no more; the job is at work by then, or about to be.
    let asked = Cell::new(0);
    let interrupted = || asked.replace(asked.get() + 1) >= 2;
    let given_up = time_steps(&mut engine, JobId(2), work("size=512,batch_size=8,threads=1"), &interrupted);
    assert!(matches!(given_up, Err(BenchmarkError::Interrupted)), "{given_up:?}");

    // The engine is there for the next, and begins nothing that cannot fit.
    let too_large = time_steps(&mut engine, JobId(3), work("size=4096,width=8,batch_size=4096"), &|| false);
    let Err(BenchmarkError::Failed(advice)) = too_large else { panic!("{too_large:?}") };
    assert!(advice.contains("batch_size=4096 at 4096 px needs about"), "{advice}");
    time_steps(&mut engine, JobId(4), work(small), &|| false).unwrap();
}
