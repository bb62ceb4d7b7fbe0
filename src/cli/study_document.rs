//! The progress and the ranking of a study as JSON.

use serde_json::{Value, json};

use mammoscope_domain::study::study_progress::StudyProgress;
use mammoscope_domain::study::study_ranking::StudyRanking;

/// The counts of runs by condition, and the estimated seconds until the last one ends.
pub(super) fn progress_document(progress: &StudyProgress) -> Value {
    json!({
        "runs": progress.total,
        "completed": progress.completed,
        "active": progress.active,
        "queued": progress.queued,
        "failed": progress.failed,
        "stopped": progress.stopped,
        "interrupted": progress.interrupted,
        "stale": progress.stale,
        "damaged": progress.unreadable,
        "eta_s": progress.remaining_seconds(),
    })
}

/// The points from best to worst, and the effects of the swept keys.
pub(super) fn ranking_document(ranking: &StudyRanking) -> Value {
    let points: Vec<Value> = ranking
        .points
        .iter()
        .map(|point| {
            json!({
                "point": point.point,
                "values": point.values,
                "completed": point.runs.0,
                "runs": point.runs.1,
                "mean": point.mean,
                "repetitions": point.repetitions,
                "sd_seeds": point.sd_seeds,
                "sd_folds": point.sd_folds,
            })
        })
        .collect();
    let keys: Vec<Value> = ranking
        .keys
        .iter()
        .map(|effect| json!({ "key": effect.key, "explained": effect.explained, "by_value": effect.by_value }))
        .collect();
    json!({ "metric": ranking.monitor.name(), "points": points, "keys": keys })
}
