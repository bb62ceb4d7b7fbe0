//! The engine, its libtorch and its CUDA.

use super::{Check, State};
use mammoscope_domain::text::printable::{printable, printable_path};
use mammoscope_engine_client::engine_location::{EngineLocation, EngineNotFound, FoundBy};
use mammoscope_engine_client::engine_probe::ProbeFailure;
use mammoscope_engine_protocol::engine_facts::{CudaState, EngineFacts};
use mammoscope_engine_protocol::{PROTOCOL_VERSION, VERSION, is_same_build};

const SET_UP: &str = "in the checkout: `cargo xtask setup`, then `cargo build --release`";

/// The checks of the engine, libtorch and CUDA.
pub(super) fn checks(
    location: &Result<EngineLocation, EngineNotFound>,
    probed: Option<&Result<EngineFacts, ProbeFailure>>,
) -> Vec<Check> {
    let (engine, libtorch) = match (location, probed) {
        (Ok(location), Some(Ok(facts))) => (engine_ok(location, facts), libtorch_ok(facts)),
        (Ok(location), Some(Err(failure))) => failed(location, failure),
        (location, _) => {
            let reason = location.as_ref().err().map_or_else(|| "not probed".to_owned(), ToString::to_string);
            let advice = format!(
                "{SET_UP}; or copy mammoscope-engine beside this program, or set MAMMOSCOPE_ENGINE to its path"
            );
            (Check::new("engine", State::Missing, reason).advise(advice), unknown("libtorch"))
        }
    };
    let cuda = match probed {
        Some(Ok(facts)) => cuda(facts),
        _ => unknown("CUDA"),
    };
    vec![engine, libtorch, cuda]
}

fn unknown(name: &'static str) -> Check {
    Check::new(name, State::Missing, "unknown without the engine")
}

fn engine_ok(location: &EngineLocation, facts: &EngineFacts) -> Check {
    let by = match location.found_by {
        FoundBy::Variable => "named by MAMMOSCOPE_ENGINE",
        FoundBy::BesideThisProgram => "beside this program",
    };
    let version = printable(&facts.engine_version);
    let found = format!("{version}, {by}: {}", printable_path(&location.path));
    if is_same_build(facts.protocol, &facts.engine_version) {
        Check::new("engine", State::Ok, found)
    } else {
        let found = format!("{found}; protocol {}, this program has {VERSION} and {PROTOCOL_VERSION}", facts.protocol);
        Check::new("engine", State::Missing, found).advise("build both together: cargo build --release")
    }
}

fn libtorch_ok(facts: &EngineFacts) -> Check {
    Check::new("libtorch", State::Ok, format!("{} in {}", printable(&facts.libtorch), printable(&facts.library_folder)))
}

fn failed(location: &EngineLocation, failure: &ProbeFailure) -> (Check, Check) {
    let found = format!("{}: {failure}", printable_path(&location.path));
    let engine = Check::new("engine", State::Missing, found);
    match failure {
        ProbeFailure::LibraryNotFound(library) => {
            let libtorch = Check::new("libtorch", State::Missing, format!("the system's loader cannot find {library}"));
            (engine.advise(SET_UP), libtorch)
        }
        ProbeFailure::Start(_) => {
            (engine.advise("it must be an executable program for this machine"), unknown("libtorch"))
        }
        ProbeFailure::NotUnderstood { .. } | ProbeFailure::Silent => {
            (engine.advise("it is not an engine of this version: build both together"), unknown("libtorch"))
        }
        ProbeFailure::Failed { .. } | ProbeFailure::Crashed { .. } | ProbeFailure::TimedOut(_) => {
            let program = printable_path(&location.path);
            (engine.advise(format!("`{program} probe` shows more")), unknown("libtorch"))
        }
    }
}

fn cuda(facts: &EngineFacts) -> Check {
    let detail = printable(&facts.cuda.detail);
    let with_detail = |text: &str| if detail.is_empty() { text.to_owned() } else { format!("{text}: {detail}") };
    match facts.cuda.state {
        CudaState::Available => {
            let count = facts.cuda.devices.len();
            let devices = if count == 1 { "one device".to_owned() } else { format!("{count} devices") };
            let without_graphs = printable(&facts.cuda.without_graphs);
            if without_graphs.is_empty() {
                return Check::new("CUDA", State::Ok, with_detail(&devices));
            }
            let found = format!("{devices}, but training steps cannot be recorded as CUDA graphs: {without_graphs}");
            Check::new("CUDA", State::Warning, found).advise(
                "training in small batches is slower than it could be: run the engine with the libtorch that it was \
                 built with",
            )
        }
        CudaState::NoDriver => Check::new("CUDA", State::Missing, "no NVIDIA driver: computing on the CPU"),
        CudaState::NoLibrary => {
            Check::new("CUDA", State::Warning, with_detail("libtorch was built without CUDA: computing on the CPU"))
                .advise("in the checkout: `cargo xtask setup --cuda`, then `cargo build --release`")
        }
        CudaState::Error => Check::new("CUDA", State::Warning, with_detail("not usable: computing on the CPU"))
            .advise("an older driver is the usual cause: `nvidia-smi` must show CUDA 13.0 or later"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use mammoscope_engine_protocol::engine_facts::{CudaDevice, CudaFacts};

    fn location() -> EngineLocation {
        EngineLocation { path: PathBuf::from("/opt/engine"), found_by: FoundBy::Variable }
    }

    fn facts(state: CudaState) -> EngineFacts {
        let devices = vec![CudaDevice { name: "some GPU".to_owned(), memory_bytes: 1 << 34 }];
        EngineFacts {
            engine_version: "0.1.0".to_owned(),
            protocol: PROTOCOL_VERSION,
            libtorch: "2.11.0".to_owned(),
            library_folder: "/opt/\u{1b}lib".to_owned(),
            threads: 2,
            cuda: CudaFacts { state, detail: String::new(), devices, without_graphs: String::new() },
            cpu_bf16: true,
        }
    }

    fn states(checks: &[Check]) -> Vec<State> {
        checks.iter().map(|check| check.state).collect()
    }

    #[test]
    fn a_machine_without_a_gpu_is_not_at_fault() {
        let checks = checks(&Ok(location()), Some(&Ok(facts(CudaState::NoDriver))));
        assert_eq!(states(&checks), [State::Ok, State::Ok, State::Missing]);
        assert!(checks.iter().all(|check| check.advice.is_empty()));
        assert_eq!(checks[1].found, "2.11.0 in /opt/\\u{1b}lib");
    }

    #[test]
    fn an_unusable_driver_gives_a_warning_with_advice() {
        for state in [CudaState::NoLibrary, CudaState::Error] {
            let cuda = checks(&Ok(location()), Some(&Ok(facts(state)))).remove(2);
            assert_eq!(cuda.state, State::Warning);
            assert!(!cuda.advice.is_empty());
        }
        let cuda = checks(&Ok(location()), Some(&Ok(facts(CudaState::Available)))).remove(2);
        assert_eq!((cuda.state, cuda.found.as_str()), (State::Ok, "one device"));
    }

    #[test]
    fn steps_that_cannot_be_recorded_give_a_warning() {
        let mut facts = facts(CudaState::Available);
        facts.cuda.without_graphs = "some\u{1b}symbol is not in this libtorch".to_owned();
        let cuda = checks(&Ok(location()), Some(&Ok(facts))).remove(2);
        assert_eq!(cuda.state, State::Warning);
        assert!(cuda.found.ends_with("CUDA graphs: some\\u{1b}symbol is not in this libtorch"), "{}", cuda.found);
        assert!(cuda.advice[0].contains("the libtorch that it was built with"));
    }

    #[test]
    fn a_missing_library_gives_advice_on_setup() {
        let failure = ProbeFailure::LibraryNotFound("libtorch_cpu.so".to_owned());
        let checks = checks(&Ok(location()), Some(&Err(failure)));
        assert_eq!(states(&checks), [State::Missing; 3]);
        assert!(checks[0].advice[0].contains("cargo xtask setup"));
        assert!(checks[1].found.contains("libtorch_cpu.so"));
    }

    #[test]
    fn a_missing_engine_is_reported_with_the_reason() {
        let checks = checks(&Err(EngineNotFound::NotAFile(PathBuf::from("/gone"))), None);
        assert_eq!(states(&checks), [State::Missing; 3]);
        assert!(checks[0].found.contains("/gone"));
    }
}
