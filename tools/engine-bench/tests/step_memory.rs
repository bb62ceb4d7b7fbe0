//! The memory estimate of a training step against the measured peak of a process.

#![allow(clippy::unwrap_used, reason = "a failing unwrap fails the test")]

use std::process::Command;

use mammoscope_domain::network::network_plan::WidthFactor;
use mammoscope_domain::training::preset::Preset;
use mammoscope_engine::learning::device::cpu_has_bf16;
use mammoscope_engine::learning::memory_advice::StepMemory;
use tch::{Device, Kind};

#[test]
fn the_estimate_is_close_to_the_peak_of_a_process() {
    let cases = [(128, 4, 1.0, "f32"), (256, 4, 1.0, "f32"), (256, 4, 1.0, "bf16"), (256, 8, 0.5, "f32")];
    for (size, batch_size, width, precision) in cases {
        if precision == "bf16" && !cpu_has_bf16() {
            continue;
        }
        let mut config = Preset::named("seed").unwrap().config;
        (config.size, config.batch_size, config.width) = (size, batch_size, WidthFactor::new(width).unwrap());
        let kind = if precision == "bf16" { Kind::BFloat16 } else { Kind::Float };
        let estimate = StepMemory::new(&config, kind, Device::Cpu, 0).bytes() as f64;
        let mut engine = Command::new(env!("CARGO_BIN_EXE_mammoscope-engine-bench"));
        engine.args(["ten-steps", "--steps", "2", "--device", "cpu", "--precision", precision]);
        engine.args(["--size", &size.to_string(), "--batch", &batch_size.to_string(), "--width", &width.to_string()]);
        let output = engine.env("OMP_WAIT_POLICY", "PASSIVE").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let peak = report["run"]["host_peak_bytes"].as_f64().unwrap();
        // The bounds are wide because the memory of convolutions depends on the processor.
        let ratio = estimate / peak;
        assert!((0.75..1.35).contains(&ratio), "{size} px, batch {batch_size}, {precision}: {estimate} for {peak}");
    }
}

#[test]
fn the_same_steps_on_the_same_device_agree() {
    let mut engine = Command::new(env!("CARGO_BIN_EXE_mammoscope-engine-bench"));
    engine.args(["ten-steps", "--device", "cpu", "--against", "cpu", "--size", "64", "--width", "0.125"]);
    // One thread, so that the order of summation is fixed.
    let output = engine.args(["--steps", "3"]).env("OMP_NUM_THREADS", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let losses: Vec<f64> = serde_json::from_value(report["run"]["losses"].clone()).unwrap();
    assert!(losses.len() == 3 && losses.iter().all(|loss| (0.01..10.0).contains(loss)), "{losses:?}");
    assert_eq!(report["largest_loss_difference"], 0.0);
    assert_eq!(report["largest_weight_difference"][0], 0.0);
}
