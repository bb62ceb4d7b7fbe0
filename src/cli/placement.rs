//! The choice of how many runs train side by side, with its messages.

use std::path::Path;

use super::console::{Console, Interrupted};
use super::interruption::Interruption;
use mammoscope_domain::cancellation::Cancellation;
use mammoscope_domain::text::counted::counted;
use mammoscope_domain::training::placement::Placement;
use mammoscope_domain::training::placement_limits::Candidate;
use mammoscope_runs::placement_choice::PlacementRequest;

/// Chooses a placement and reports it.
pub(super) fn choose_placement(
    request: &PlacementRequest<'_>,
    engine: &Path,
    console: &Console,
) -> anyhow::Result<Placement> {
    let interruption = Interruption::watch()?;
    let mut is_timed = false;
    let mut announce = |candidates: &[Candidate]| {
        is_timed = true;
        console.note(format!("timing {} of runs and threads …", counted(candidates.len(), "combination")));
    };
    let chosen = request
        .choose(engine, Cancellation::new(&|| interruption.requested()), &mut announce)
        .map_err(|_| Interrupted)?;
    if let Some(failure) = &chosen.failure {
        console.warn(format!("nothing could be timed: {failure}"));
    }
    // A single run with the requested threads needs no explanation.
    if is_timed || chosen.failure.is_some() || chosen.placement.jobs > 1 {
        console.note(&chosen.placement);
    }
    if let Some(shortage) = &chosen.shortage {
        console.note(shortage);
    }
    Ok(chosen.placement)
}
