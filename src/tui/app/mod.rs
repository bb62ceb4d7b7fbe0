//! The state of the workbench and its update by messages. There is no I/O here; side effects are returned.

mod commands;
mod drawing;
mod jobs;
mod look;
mod notices;
mod preparation;
mod run_ends;
mod screens_by_id;

use chrono::{DateTime, Utc};
use run_ends::NotedSilence;
use screens_by_id::Screens;

use super::frame::{FrameAreas, tab_at};
use super::popups::Popup;
use super::popups::confirm::ConfirmPopup;
use super::popups::help::HelpPopup;
use super::popups::messages::MessagesPopup;
use super::popups::palette::PalettePopup;
use super::popups::settings::SettingsPopup;
use super::popups::viewer::ViewerPopup;
use super::shared_state::SharedState;
use super::view_state::ViewState;
use crate::terminal::input::{Input, Key, Mouse, MouseKind};
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::app_action::{APP_BINDINGS, AppAction, POPUP_BINDINGS};
use crate::tui::protocol::binding::{Action, action_of};
use crate::tui::protocol::datasets::DatasetsEffect;
use crate::tui::protocol::effect::{Destination, Effect, Notice};
use crate::tui::protocol::jobs::JobEffect;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::screen_id::ScreenId;

/// The state of the workbench.
pub(super) struct App {
    pub(super) shared: SharedState,
    pub(super) screen: ScreenId,
    pub(super) screens: Screens,
    /// The last one is on top and gets the input.
    pub(super) popups: Vec<Popup>,
    pub(super) notice: Option<(DateTime<Utc>, Notice)>,
    /// The latest notices, but for the quiet ones.
    messages: Vec<(DateTime<Utc>, Notice)>,
    /// The runs whose silence has been noted.
    noted_silence: NotedSilence,
    /// The hint at another keyboard layout has been given.
    layout_hinted: bool,
    /// The areas of the last drawing, for the mouse.
    areas: FrameAreas,
}

impl App {
    /// The workbench in its saved state.
    pub(super) fn new(mut shared: SharedState, view: ViewState) -> Self {
        let screen = view.screen;
        shared.window = view.window;
        let screens = Screens::new(view);
        let mut app = Self {
            shared,
            screen,
            screens,
            popups: Vec::new(),
            notice: None,
            messages: Vec::new(),
            noted_silence: NotedSilence::default(),
            layout_hinted: false,
            areas: FrameAreas::default(),
        };
        app.apply_theme();
        app
    }

    /// The state to save.
    pub(super) fn view_state(&self) -> ViewState {
        self.screens.view_state(self.screen, self.shared.window)
    }

    /// The effects to perform when the workbench opens.
    pub(super) fn start(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::QueryTerminal];
        for screen in self.screens.all() {
            effects.extend(screen.start(&self.shared));
        }
        let entered = self.screens.get(self.screen).enter(&self.shared);
        effects.extend(entered);
        self.resolve(effects)
    }

    /// Handles a message; returns the effects to perform.
    pub(super) fn update(&mut self, message: UiMessage, now: DateTime<Utc>) -> Vec<Effect> {
        self.shared.now = now;
        self.expire_notice(now);
        // Only these messages change the list of runs, which may be long.
        let unfinished = matches!(message, UiMessage::Runs(_)).then(|| run_ends::unfinished_runs(&self.shared.runs));
        self.follow_preparation(&message);
        let mut effects = match message {
            UiMessage::Input(Input::Key(key)) => self.press(key),
            UiMessage::Input(Input::Mouse(mouse)) => self.mouse(mouse),
            UiMessage::Input(Input::Paste(text)) => self.paste(&text),
            UiMessage::Input(Input::Reply(reply)) => {
                self.shared.graphics.on_reply(&reply);
                self.apply_theme();
                self.shared.graphics.take_fallback().map(Effect::failed).into_iter().collect()
            }
            UiMessage::QueryOver => {
                self.shared.graphics.resolve();
                self.shared.graphics.take_fallback().map(Effect::failed).into_iter().collect()
            }
            UiMessage::Input(Input::End) | UiMessage::Terminate => vec![Effect::Quit],
            UiMessage::Resized => Vec::new(),
            UiMessage::Resume => vec![Effect::Redraw],
            UiMessage::Suspend => vec![Effect::Suspend],
            UiMessage::Tick => self.screens.get(self.screen).tick(&self.shared),
            UiMessage::Fault(text) => vec![Effect::failed(text)],
            UiMessage::Machine(sample) => {
                self.shared.machine = sample;
                Vec::new()
            }
            UiMessage::Picture(message) => self.on_picture(&message),
            UiMessage::Job(message) => self.on_job_message(message),
            UiMessage::Views(message) => self.on_views(&message),
            UiMessage::Thumbnail(message) => self.on_thumbnail(&message),
            message => self.screens.on_message(message, &mut self.shared),
        };
        if let Some(unfinished) = unfinished {
            effects.extend(run_ends::effects_of_ends(&unfinished, &self.shared.runs, &mut self.noted_silence));
        }
        self.resolve(effects)
    }

    /// Shows the tour of a first start.
    pub(super) fn show_tour(&mut self) {
        self.popups.push(Popup::Tour);
    }

    /// Goes to a screen or view, as if a screen had requested it.
    pub(super) fn navigate(&mut self, destination: Destination) -> Vec<Effect> {
        self.resolve(vec![Effect::Navigate(destination)])
    }

    /// Performs the effects that the application handles itself; returns the others.
    fn resolve(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut remaining = Vec::new();
        for effect in effects {
            match effect {
                Effect::Navigate(destination) => {
                    let further = self.go_to(destination);
                    remaining.extend(self.resolve(further));
                }
                Effect::Job(
                    effect @ (JobEffect::Start(_) | JobEffect::Stop(_) | JobEffect::Open(_) | JobEffect::Copy { .. }),
                ) => {
                    let further = self.perform_job(effect);
                    remaining.extend(self.resolve(further));
                }
                Effect::Notice(notice) => self.note(notice),
                Effect::Act(action) => {
                    let further = self.act(action);
                    remaining.extend(self.resolve(further));
                }
                Effect::Ask(question) => self.popups.push(Popup::Confirm(ConfirmPopup::new(question))),
                Effect::Window(window) => {
                    self.shared.window = window;
                    remaining.push(Effect::SaveView);
                }
                Effect::Copy(text) => {
                    self.note_copy(&text);
                    remaining.push(Effect::Copy(text));
                }
                effect => {
                    if matches!(effect, Effect::Redraw | Effect::Suspend) {
                        self.forget_pictures();
                    }
                    self.list_preparation(&effect);
                    self.screens.all().for_each(|screen| screen.on_effect(&effect));
                    remaining.push(effect);
                }
            }
        }
        remaining
    }

    fn go_to(&mut self, destination: Destination) -> Vec<Effect> {
        match destination {
            Destination::Run(run) => {
                let mut effects = self.show(ScreenId::Runs);
                effects.extend(self.screens.runs.select(&run, &self.shared));
                effects
            }
            Destination::Evaluation(run) => {
                let mut effects = self.show(ScreenId::Evaluate);
                effects.extend(self.screens.evaluate.open(run, &self.shared));
                effects
            }
            Destination::Predictions { folder, data } => self.open_predictions(folder, data),
            Destination::DataSet(root) => {
                let mut effects = self.show(ScreenId::Datasets);
                effects.push(Effect::Datasets(DatasetsEffect::Open(root)));
                effects
            }
            Destination::JobChoice { data } => self.choose_job(data.map(|data| data.to_string_lossy().into_owned())),
            Destination::NewTraining { data, like } => {
                let mut effects = self.show(ScreenId::Train);
                effects.extend(match like {
                    Some(run) => self.screens.train.set_like(data, run, &self.shared),
                    None => self.screens.train.set_data(data, &self.shared),
                });
                effects
            }
            Destination::Explanation(list) => {
                let mut effects = self.show(ScreenId::Explain);
                effects.extend(self.screens.explain.open(list, &self.shared));
                effects
            }
            Destination::Screen(screen) => self.show(screen),
            Destination::Viewer(images) => {
                self.popups.push(Popup::Viewer(Box::new(ViewerPopup::open(images, self.shared.window))));
                Vec::new()
            }
            Destination::Hanging(images) => {
                self.popups.push(Popup::Viewer(Box::new(ViewerPopup::hung(images, self.shared.window))));
                Vec::new()
            }
        }
    }

    fn show(&mut self, screen: ScreenId) -> Vec<Effect> {
        self.popups.clear();
        if self.screen == screen {
            return Vec::new();
        }
        self.screen = screen;
        let mut effects = self.screens.get(screen).enter(&self.shared);
        effects.push(Effect::SaveView);
        effects
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        // Any key closes the tour, and acts as usual.
        self.popups.pop_if(|popup| matches!(popup, Popup::Tour));
        // These work whatever is open.
        match key {
            Key::Ctrl('c') => return self.quit(),
            Key::Ctrl('z') => return vec![Effect::Suspend],
            Key::Ctrl('l') => return vec![Effect::Redraw],
            _ => {}
        }
        if let (Some(Popup::Viewer(viewer)), Key::Char('?')) = (self.popups.last(), key) {
            let help = HelpPopup::new("Picture", viewer.bindings(), POPUP_BINDINGS);
            self.popups.push(Popup::Help(help));
            return Vec::new();
        }
        if let Some(popup) = self.popups.last_mut() {
            let outcome = popup.press(key, &self.shared.keymap);
            if outcome == PopupOutcome::Unbound {
                return self.unbound_in_popup(key);
            }
            return self.after_popup(outcome);
        }
        if let Some(effects) = self.screens.get(self.screen).type_key(key, &self.shared) {
            return effects;
        }
        let table = self.screens.get(self.screen).bindings(&self.shared);
        match action_of(key, &self.shared.keymap, table.iter().copied().flatten().chain(APP_BINDINGS)) {
            Some(action) => self.act(action),
            None => self.unbound(key),
        }
    }

    fn after_popup(&mut self, outcome: PopupOutcome) -> Vec<Effect> {
        match outcome {
            PopupOutcome::Stay(effects) => effects,
            PopupOutcome::Close(effects) => {
                self.popups.pop();
                effects
            }
            PopupOutcome::Unbound => Vec::new(),
            PopupOutcome::Act(action) => {
                self.popups.pop();
                self.act(action)
            }
        }
    }

    /// Performs an action that was chosen by key or by name.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        if let Action::App(action) = action {
            return self.act_globally(action);
        }
        // An action of another screen is performed there.
        let mut effects = match action.screen() {
            Some(screen) if screen != self.screen => self.show(screen),
            _ => Vec::new(),
        };
        let screen = self.screens.get(self.screen);
        effects.extend(match action {
            Action::Move(motion) => screen.move_cursor(motion, &self.shared),
            action => screen.act(action, &self.shared),
        });
        effects
    }

    fn act_globally(&mut self, action: AppAction) -> Vec<Effect> {
        match action {
            AppAction::Show(screen) => self.show(screen),
            AppAction::NextScreen => self.show(self.neighbour(1)),
            AppAction::PreviousScreen => self.show(self.neighbour(ScreenId::ALL.len() - 1)),
            AppAction::Help => {
                let title = self.screen.title();
                let table = self.screens.get(self.screen).bindings(&self.shared);
                self.popups.push(Popup::Help(HelpPopup::new(title, table, APP_BINDINGS)));
                Vec::new()
            }
            AppAction::Palette => {
                let commands = commands::commands_of(&mut self.screens, self.screen, &self.shared);
                self.popups.push(Popup::Palette(PalettePopup::new(commands)));
                Vec::new()
            }
            AppAction::Settings => {
                self.popups.push(Popup::Settings(SettingsPopup::default()));
                Vec::new()
            }
            AppAction::Messages => {
                self.popups.push(Popup::Messages(MessagesPopup::new(self.messages.clone())));
                Vec::new()
            }
            AppAction::CopyMessage => self.copy_message(),
            AppAction::Theme(theme) => self.choose_theme(theme),
            AppAction::ToggleMouse => self.toggle_mouse(),
            AppAction::Redraw => vec![Effect::Redraw],
            AppAction::Suspend => vec![Effect::Suspend],
            AppAction::Quit => self.quit(),
            AppAction::Jobs => self.open_jobs(),
            AppAction::NewJob(kind) => self.fill_job(kind),
        }
    }

    fn neighbour(&self, distance: usize) -> ScreenId {
        let place = ScreenId::ALL.iter().position(|screen| *screen == self.screen).unwrap_or(0);
        ScreenId::ALL[(place + distance) % ScreenId::ALL.len()]
    }

    fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        if mouse.kind == MouseKind::Press {
            self.popups.pop_if(|popup| matches!(popup, Popup::Tour));
        }
        if let Some(popup) = self.popups.last_mut() {
            let outcome = popup.mouse(mouse);
            return self.after_popup(outcome);
        }
        if mouse.kind == MouseKind::Press
            && let Some(screen) = tab_at(&self.areas, mouse)
        {
            return self.show(screen);
        }
        self.screens.get(self.screen).mouse(mouse, &self.shared)
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.popups.last_mut() {
            Some(popup) => {
                for character in text.chars().filter(|character| !character.is_control()) {
                    popup.press(Key::Char(character), &self.shared.keymap);
                }
                Vec::new()
            }
            None => self.screens.get(self.screen).paste(text, &self.shared),
        }
    }
}

#[cfg(test)]
mod palette_tests;
#[cfg(test)]
mod popup_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verb_document_tests;
