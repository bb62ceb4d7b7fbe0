//! Frames of the screen Runs with long curves, each with another range, the pyramids built before. Prints percentiles:
//! what matters of a frame is not its mean.

use std::time::Duration;

use mammoscope::tui::frame_timing::FrameStage;

const FRAMES: usize = 1000;
/// Two runs over each other, in five charts.
const RUNS: usize = 2;

fn main() -> std::io::Result<()> {
    for (points, size) in [(100_000, (120, 40)), (1_000_000, (120, 40)), (1_000_000, (200, 50))] {
        let mut stage = FrameStage::new(RUNS, points, size)?;
        // The first one fills the screen.
        stage.draw(8)?;
        let drawn = stage.draw(FRAMES)?;
        let mut times = drawn.times;
        times.sort_unstable();
        let percentile = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
        println!(
            "{}×{} cells, {RUNS} runs of {points} reports in 5 charts: p50 {} p99 {} largest {} ms, {} bytes a frame",
            size.0,
            size.1,
            milliseconds(percentile(0.5)),
            milliseconds(percentile(0.99)),
            milliseconds(percentile(1.0)),
            drawn.bytes / FRAMES
        );
    }
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}
