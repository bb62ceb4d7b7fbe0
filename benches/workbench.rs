//! Times frames of the Runs screen with long curves, each of another range, with the pyramids already built. Prints
//! percentiles: a mean hides the slow frames.

use std::time::Duration;

use mammoscope::tui::frame_timing::FrameStage;

const FRAMES: usize = 1000;
/// Two runs are overlaid in five charts.
const RUNS: usize = 2;

fn main() -> std::io::Result<()> {
    for (points, size) in [(100_000, (120, 40)), (1_000_000, (120, 40)), (1_000_000, (200, 50))] {
        let mut screen = FrameStage::new(RUNS, points, size)?;
        // The first frame fills the screen.
        screen.draw(8)?;
        let drawn = screen.draw(FRAMES)?;
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
