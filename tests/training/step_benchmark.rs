//! Timing of training steps by the real engine: completed, cancelled between steps, and refused if they do not fit.

#![cfg(unix)]

use std::sync::atomic::{AtomicU32, Ordering};

use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::training::compute_options::{DeviceChoice, Precision};
use mammoscope_domain::training::preset::Preset;
use mammoscope_engine_client::engine_process::{EngineProcess, Timeouts};
use mammoscope_engine_client::step_benchmark::{BenchmarkError, time_steps};
use mammoscope_engine_protocol::command::{BenchmarkWork, JobId};
use mammoscope_test_support::engine;

fn work(changes: &str) -> BenchmarkWork {
    let mut config = Preset::named("quick").unwrap().config;
    config.set_all(changes).unwrap();
    BenchmarkWork { config, device: DeviceChoice::Cpu }
}

#[test]
fn steps_are_timed_cancelled_and_refused() {
    let mut engine = EngineProcess::start(&engine(), Timeouts::default(), Cancellation::never()).unwrap();
    let small = "size=64,width=0.25,batch_size=4,threads=1,precision=f32";
    let timing = time_steps(&mut engine, JobId(1), work(small), Cancellation::never()).unwrap();
    assert_eq!((timing.device.as_str(), timing.precision), ("cpu", Precision::F32));
    assert!(timing.batch_seconds > 0.0 && timing.validation_image_seconds > 0.0, "{timing:?}");
    assert!(timing.batch_seconds > timing.validation_image_seconds, "gradients take time: {timing:?}");

    // The caller cancels when asked for the third time. By then the job is running, or about to.
    let asked = AtomicU32::new(0);
    let interrupted = || asked.fetch_add(1, Ordering::Relaxed) >= 2;
    let cancelled =
        time_steps(&mut engine, JobId(2), work("size=512,batch_size=8,threads=1"), Cancellation::new(&interrupted));
    assert!(matches!(cancelled, Err(BenchmarkError::Interrupted)), "{cancelled:?}");

    // The engine takes the next job, and starts nothing that cannot fit.
    let too_large = time_steps(&mut engine, JobId(3), work("size=4096,width=8,batch_size=4096"), Cancellation::never());
    let Err(BenchmarkError::Failed(advice)) = too_large else { panic!("{too_large:?}") };
    assert!(advice.contains("batch_size=4096 at 4096 px needs about"), "{advice}");
    time_steps(&mut engine, JobId(4), work(small), Cancellation::never()).unwrap();
}
