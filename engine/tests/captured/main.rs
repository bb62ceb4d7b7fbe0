//! Steps recorded as CUDA graphs, with a stand-in for libtorch's CUDA library: the order of the calls, and what happens
//! when one fails or is missing. A process of its own, because the stand-in's symbols are seen everywhere in it.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use std::ffi::{CStr, CString, c_char, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mammoscope_domain::training::preset::Preset;
use mammoscope_domain::training::training_config::TrainingConfig;
use mammoscope_engine::learning::initial_weights::initial_model;
use mammoscope_engine::learning::learner::{Batch, BatchSource, Learner};
use mammoscope_engine::learning::libtorch_ext::cuda_graph::check_graphs;
use mammoscope_engine::learning::loss::CrossEntropy;
use mammoscope_engine::learning::replay::{Captured, Eager, Replay, StepPart};
use tch::{Device, Kind, TchError, Tensor};

const SYMBOLS: [&str; 7] = ["CUDAGraphC1", "CUDAGraphD1", "capture_begin", "capture_end", "replay", "reset", "pool"];

/// The stand-in in this process.
struct StandIn(*mut c_void);

impl StandIn {
    /// Compiles it without one of the symbols, counted from 1, or with all of them, and loads it.
    fn load(folder: &Path, without: usize) -> Self {
        let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/captured/stand_in.cpp");
        let library = folder.join(format!("stand-in-{without}.so"));
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
        let mut compile = Command::new(compiler);
        compile.args(["-std=c++17", "-O1", "-shared", "-fPIC", "-fno-gnu-unique"]).arg(format!("-DWITHOUT={without}"));
        assert!(compile.arg(source).arg("-o").arg(&library).status().unwrap().success());
        let path = CString::new(library.as_os_str().as_bytes()).unwrap();
        // SAFETY: the path is NUL-terminated, and the library has no initialisers.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        assert!(!handle.is_null(), "{}", library.display());
        Self(handle)
    }

    /// The calls since the last time. From now on the call `failing` fails.
    fn calls(&self, failing: &CStr) -> String {
        // SAFETY: the library is loaded and has this function.
        unsafe {
            let function = libc::dlsym(self.0, c"stand_in_calls".as_ptr());
            let function: unsafe extern "C" fn(*const c_char) -> *const c_char = std::mem::transmute(function);
            CStr::from_ptr(function(failing.as_ptr())).to_str().unwrap().to_owned()
        }
    }
}

/// Runs a part once and says whether its operations were carried out or recorded by a call.
fn run(replay: &mut Captured, part: StepPart) -> usize {
    let mut times = 0;
    replay
        .run(part, &mut || {
            times += 1;
            Ok(())
        })
        .unwrap();
    times
}

/// Which symbol is missing in a process that [`every_symbol_is_needed`] starts, counted from 1.
const MISSING: &str = "MAMMOSCOPE_TEST_MISSING_SYMBOL";

/// Each in a process of its own: what is loaded once stays.
#[test]
fn every_symbol_is_needed() {
    if let Some(number) = std::env::var(MISSING).ok().and_then(|number| number.parse().ok()) {
        let folder = tempfile::tempdir().unwrap();
        let _stand_in = StandIn::load(folder.path(), number);
        return assert_missing(SYMBOLS[number - 1]);
    }
    assert!(check_graphs().unwrap_err().to_string().contains(SYMBOLS[0]));
    for number in 1..=SYMBOLS.len() {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "every_symbol_is_needed"]).env(MISSING, number.to_string());
        let output = process.output().unwrap();
        assert!(output.status.success(), "{number}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
}

/// In a process of its own, too, by which the other test sees no symbols.
#[test]
fn steps_are_recorded_and_replayed_and_any_failure_leads_back_to_single_operations() {
    if std::env::var_os(MISSING).is_none() {
        let mut process = Command::new(std::env::current_exe().unwrap());
        let name = "steps_are_recorded_and_replayed_and_any_failure_leads_back_to_single_operations";
        let output = process.args(["--exact", name]).env(MISSING, "none").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stand_in = StandIn::load(folder.path(), 0);
    check_graphs().unwrap();
    assert_order_of_calls(&stand_in);
    assert_failures(&stand_in);
    assert_operations_that_fail(&stand_in);
    assert_steps(&stand_in);
}

fn assert_missing(symbol: &str) {
    let mut replay = Captured::new();
    let failure = replay.take_failure().unwrap_or_else(|| panic!("{symbol} is not missed"));
    assert!(failure.contains(symbol) && failure.ends_with("is not in this libtorch"), "{symbol}: {failure}");
    assert_eq!(replay.take_failure(), None, "it is said once");
    for _ in 0..6 {
        assert_eq!(run(&mut replay, StepPart::Update), 1);
    }
    assert_eq!(replay.take_failure(), None);
}

fn assert_order_of_calls(stand_in: &StandIn) {
    stand_in.calls(c"");
    let mut replay = Captured::new();
    for warm_up in 0..3 {
        assert_eq!(run(&mut replay, StepPart::FirstPass), 1, "{warm_up}");
        assert_eq!(run(&mut replay, StepPart::Update), 1, "{warm_up}");
    }
    assert_eq!(replay.warm_ups(), 4);
    assert_eq!(stand_in.calls(c""), "");
    assert_eq!(run(&mut replay, StepPart::FirstPass), 1, "what is recorded is called once");
    assert_eq!(run(&mut replay, StepPart::Update), 1);
    // The second recording uses the memory of the first one again.
    assert_eq!(stand_in.calls(c""), "new1 begin1@101 end1 replay1 new2 begin2@101 end2 replay2");
    assert_eq!(run(&mut replay, StepPart::FirstPass), 0, "what is replayed is not called");
    assert_eq!(run(&mut replay, StepPart::Update), 0);
    assert_eq!(stand_in.calls(c""), "replay1 replay2");
    assert!(Captured::new().take_failure().is_none() && !Captured::new().release());
    replay.forget();
    assert_eq!(stand_in.calls(c""), "reset1 free1 reset2 free2");
    assert_eq!(run(&mut replay, StepPart::FirstPass), 1, "it warms up again");
    assert_eq!((stand_in.calls(c""), replay.take_failure()), (String::new(), None));

    for _ in 0..3 {
        run(&mut replay, StepPart::FirstPass);
    }
    assert!(replay.release(), "there is a recording");
    assert_eq!(stand_in.calls(c""), "new1 begin1@101 end1 replay1 reset1 free1");
    for _ in 0..5 {
        assert_eq!(run(&mut replay, StepPart::FirstPass), 1);
    }
    assert!(!replay.release());
    assert_eq!((stand_in.calls(c""), replay.take_failure()), (String::new(), None));
}

fn assert_failures(stand_in: &StandIn) {
    // Where it fails, the calls of this and later steps, and how often the operations of the failed part are called: those
    // that were recorded have not been carried out.
    for (failing, calls, times) in [
        (c"new1", "new1", 1),
        (c"begin1@101", "new1 begin1@101 free1", 1),
        (c"end1", "new1 begin1@101 end1 reset1 free1", 2),
        (c"replay1", "new1 begin1@101 end1 replay1 reset1 free1", 2),
    ] {
        let mut replay = Captured::new();
        for _ in 0..3 {
            run(&mut replay, StepPart::FirstPass);
        }
        stand_in.calls(failing);
        assert_eq!(run(&mut replay, StepPart::FirstPass), times, "{failing:?}");
        let expected = format!("the stand-in fails at {}", failing.to_str().unwrap());
        assert_eq!(replay.take_failure(), Some(expected));
        assert_eq!(run(&mut replay, StepPart::FirstPass), 1);
        assert_eq!(replay.take_failure(), None, "it is said once");
        assert_eq!(stand_in.calls(c""), calls, "{failing:?}");
    }
    // A part that cannot be recorded ends the replay of the others, too.
    let mut replay = Captured::new();
    for _ in 0..4 {
        run(&mut replay, StepPart::FirstPass);
    }
    for _ in 0..3 {
        run(&mut replay, StepPart::Update);
    }
    stand_in.calls(c"end1");
    assert_eq!(run(&mut replay, StepPart::Update), 2);
    assert_eq!(run(&mut replay, StepPart::FirstPass), 1);
    assert_eq!(stand_in.calls(c""), "new1 begin1@101 end1 reset1 free1 reset1 free1");
}

/// An operation that cannot be recorded ends the recording; its error is that of the step only if it fails again.
fn assert_operations_that_fail(stand_in: &StandIn) {
    let mut replay = Captured::new();
    for _ in 0..3 {
        run(&mut replay, StepPart::FirstPass);
    }
    stand_in.calls(c"");
    let mut times = 0;
    let mut unrecordable = || {
        times += 1;
        if times == 1 { Err(TchError::Torch("not permitted when stream is capturing".to_owned())) } else { Ok(()) }
    };
    replay.run(StepPart::FirstPass, &mut unrecordable).unwrap();
    assert_eq!(times, 2);
    assert!(replay.take_failure().unwrap().contains("not permitted"));
    assert_eq!(stand_in.calls(c""), "new1 begin1@101 end1 reset1 free1");
    let error = replay.run(StepPart::FirstPass, &mut || Err(TchError::Torch("CUDA out of memory".to_owned())));
    assert!(error.unwrap_err().to_string().contains("out of memory"));
}

/// The same batch in every step.
struct Constant(Batch);

impl BatchSource for Constant {
    fn prepare(&mut self, _count: usize) -> Result<(), TchError> {
        Ok(())
    }

    fn batch(&self, count: usize) -> Result<Batch, TchError> {
        let part = |tensor: &Tensor| tensor.f_narrow(0, 0, count as i64);
        Ok(Batch { images: part(&self.0.images)?, labels: part(&self.0.labels)?, targets: None })
    }
}

fn learner(config: &TrainingConfig) -> Learner {
    let values = initial_model(config.width, config.size, None, 5).tensors;
    Learner::new(config, &values, CrossEntropy::plain(), Device::Cpu, Kind::Float).unwrap()
}

fn constant() -> Constant {
    let images = Tensor::arange(2 * 64 * 64, (Kind::Float, Device::Cpu)).sin().reshape([2, 1, 64, 64]);
    Constant(Batch { images, labels: Tensor::from_slice(&[0_i64, 2]), targets: None })
}

/// Steps of a learner: two batches each, while the momentum of the batch normalisations still changes, then recorded.
fn assert_steps(stand_in: &StandIn) {
    let mut config = Preset::named("seed").unwrap().config;
    config.set_all("size=64,width=0.125,dropout=0.2,bn_momentum=0.6,bn_warmup=true").unwrap();
    stand_in.calls(c"begin2@101");
    let mut source = constant();
    let (mut recorded, mut eager) = (learner(&config), learner(&config));
    let mut replay = Captured::new();
    for step in 0..7 {
        for (learner, replay) in [(&mut recorded, &mut replay as &mut dyn Replay), (&mut eager, &mut Eager)] {
            learner.seed_dropout(step).unwrap();
            learner.step(0.01, &[2, 2], &mut source, replay).unwrap();
        }
        let results = [&recorded, &eager].map(|learner| learner.results(1).unwrap()[0]);
        assert_eq!(results[0], results[1], "step {step}");
    }
    // Two steps with another momentum, three to warm up, then the first recording fails to begin in the second part.
    let calls = stand_in.calls(c"");
    assert_eq!(calls, "new1 begin1@101 end1 replay1 new2 begin2@101 free2 reset1 free1");
    assert!(replay.take_failure().unwrap().contains("begin2"));
}
