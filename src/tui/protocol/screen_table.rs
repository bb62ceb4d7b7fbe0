//! The table of screens, from which everything that knows all screens is generated.

/// Passes the table to a macro: one entry per screen, in the order of the tabs.
///
/// To add a screen, add a folder in `screens`, its vocabulary here in `protocol`, the service that performs its
/// effects, and an entry in this table. The entry has the module's name, the screen's name, its key and its types:
/// screen, saved view, action, effect, message and service.
macro_rules! for_each_screen {
    ($apply:ident) => {
        $apply! {
            datasets: Datasets '1' "go to Datasets",
                DatasetsScreen DatasetsView DatasetsAction DatasetsEffect DatasetsMessage DatasetsService;
            train: Train '2' "go to Train",
                TrainScreen TrainView TrainAction TrainEffect TrainMessage TrainService;
            runs: Runs '3' "go to Runs",
                RunsScreen RunsView RunsAction RunsEffect RunsMessage RunsService;
            evaluate: Evaluate '4' "go to Evaluate",
                EvaluateScreen EvaluateView EvaluateAction EvaluateEffect EvaluateMessage EvaluateService;
            explain: Explain '5' "go to Explain",
                ExplainScreen ExplainView ExplainAction ExplainEffect ExplainMessage ExplainService;
        }
    };
}

pub(in crate::tui) use for_each_screen;
