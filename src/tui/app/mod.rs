//! The state of the workbench, and how a message changes it: no I/O here; what is wanted of the world is returned.

mod screens_by_id;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::Frame;
use screens_by_id::Screens;

use super::frame::{FrameAreas, draw_frame, tab_at};
use super::model::Model;
use super::popups::Popup;
use super::popups::confirm::ConfirmPopup;
use super::popups::help::HelpPopup;
use super::popups::palette::PalettePopup;
use super::popups::viewer::ViewerPopup;
use super::view_state::ViewState;
use super::widgets::picture::PictureView;
use crate::terminal::input::{Input, Key, Mouse, MouseKind};
use crate::tui::frame::MIN_SIZE;
use crate::tui::popups::outcome::PopupOutcome;
use crate::tui::protocol::app_action::{APP_BINDINGS, AppAction};
use crate::tui::protocol::binding::{Action, action_of};
use crate::tui::protocol::effect::{Destination, Effect, Notice};
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::runs::RunsEffect;
use crate::tui::protocol::screen_id::ScreenId;

/// How long a notice stays.
const NOTICE_TIME: TimeDelta = TimeDelta::seconds(8);

/// The workbench.
pub(super) struct App {
    pub(super) model: Model,
    pub(super) screen: ScreenId,
    pub(super) screens: Screens,
    /// The last gets keys first.
    pub(super) popups: Vec<Popup>,
    pub(super) notice: Option<(DateTime<Utc>, Notice)>,
    /// Where things were drawn last, for the mouse.
    areas: FrameAreas,
}

impl App {
    /// The workbench as it was left.
    pub(super) fn new(model: Model, view: ViewState) -> Self {
        let screen = view.screen;
        let screens = Screens::new(view);
        Self { model, screen, screens, popups: Vec::new(), notice: None, areas: FrameAreas::default() }
    }

    /// What is shown, to be restored the next time.
    pub(super) fn view_state(&self) -> ViewState {
        self.screens.view_state(self.screen)
    }

    /// The first effects of all.
    pub(super) fn start(&mut self) -> Vec<Effect> {
        let mut effects = vec![Effect::QueryTerminal];
        effects.extend(self.screens.start(&self.model));
        let entered = self.screens.get(self.screen).enter(&self.model);
        effects.extend(entered);
        self.resolve(effects)
    }

    /// Takes a message; what is to be done comes back.
    pub(super) fn update(&mut self, message: UiMessage, now: DateTime<Utc>) -> Vec<Effect> {
        self.model.now = now;
        if self.notice.as_ref().is_some_and(|(since, _)| now - *since > NOTICE_TIME) {
            self.notice = None;
        }
        let effects = match message {
            UiMessage::Input(Input::Key(key)) => self.press(key),
            UiMessage::Input(Input::Mouse(mouse)) => self.mouse(mouse),
            UiMessage::Input(Input::Paste(text)) => self.paste(&text),
            UiMessage::Input(Input::Reply(reply)) => {
                self.model.graphics.on_reply(&reply);
                self.model.theme.light = self.model.graphics.light_background();
                self.model.graphics.take_fallback().map(Effect::failed).into_iter().collect()
            }
            UiMessage::QueryOver => {
                self.model.graphics.resolve();
                self.model.graphics.take_fallback().map(Effect::failed).into_iter().collect()
            }
            UiMessage::Input(Input::End) | UiMessage::Terminate => vec![Effect::Quit],
            UiMessage::Resized => Vec::new(),
            UiMessage::Resume => vec![Effect::Redraw],
            UiMessage::Suspend => vec![Effect::Suspend],
            UiMessage::Tick => self.screens.get(self.screen).tick(&self.model),
            UiMessage::Runs(message) => self.screens.runs.on_message(message, &mut self.model),
            UiMessage::Datasets(message) => self.screens.datasets.on_message(message, &self.model),
            UiMessage::Train(message) => self.screens.train.on_message(message, &self.model),
            UiMessage::Evaluate(message) => self.screens.evaluate.on_message(message, &self.model),
            UiMessage::Explain(message) => self.screens.explain.on_message(message, &self.model),
            UiMessage::Fault(text) => vec![Effect::failed(text)],
            UiMessage::Machine(sample) => {
                self.model.machine = sample;
                Vec::new()
            }
            UiMessage::Picture(message) => self.on_picture(&message),
        };
        self.resolve(effects)
    }

    /// Goes somewhere, as if a screen had asked for it.
    pub(super) fn arrive(&mut self, place: Destination) -> Vec<Effect> {
        self.resolve(vec![Effect::Navigate(place)])
    }

    /// Carries out what the application does itself; the rest is for the world.
    fn resolve(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut remaining = Vec::new();
        for effect in effects {
            match effect {
                Effect::Navigate(place) => {
                    let further = self.go(place);
                    remaining.extend(self.resolve(further));
                }
                Effect::Notice(notice) => self.notice = Some((self.model.now, notice)),
                Effect::Ask(question) => self.popups.push(Popup::Confirm(ConfirmPopup::new(question))),
                effect => {
                    match &effect {
                        Effect::Redraw | Effect::Suspend => self.forget_pictures(),
                        Effect::Runs(RunsEffect::Ask { run, verb }) => self.screens.runs.on_asked(run, *verb),
                        _ => {}
                    }
                    remaining.push(effect);
                }
            }
        }
        remaining
    }

    fn go(&mut self, place: Destination) -> Vec<Effect> {
        match place {
            Destination::Run(run) => {
                let mut effects = self.show(ScreenId::Runs);
                effects.extend(self.screens.runs.select(&run, &self.model));
                effects
            }
            Destination::Evaluation(run) => {
                let mut effects = self.show(ScreenId::Evaluate);
                effects.extend(self.screens.evaluate.open(run, &self.model));
                effects
            }
            Destination::NewTraining { data } => {
                let mut effects = self.show(ScreenId::Train);
                effects.extend(self.screens.train.set_data(data, &self.model));
                effects
            }
            Destination::Explanation(list) => {
                let mut effects = self.show(ScreenId::Explain);
                effects.extend(self.screens.explain.open(list, &self.model));
                effects
            }
            Destination::Screen(screen) => self.show(screen),
            Destination::Viewer(images) => {
                self.popups.push(Popup::Viewer(Box::new(ViewerPopup::open(images))));
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
        let mut effects = self.screens.get(screen).enter(&self.model);
        effects.push(Effect::SaveView);
        effects
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        // Whatever is open, these work.
        match key {
            Key::Ctrl('c') => return vec![Effect::Quit],
            Key::Ctrl('z') => return vec![Effect::Suspend],
            Key::Ctrl('l') => return vec![Effect::Redraw],
            _ => {}
        }
        if let (Some(Popup::Viewer(viewer)), Key::Char('?')) = (self.popups.last(), key) {
            let help = HelpPopup::new("Picture", viewer.bindings());
            self.popups.push(Popup::Help(help));
            return Vec::new();
        }
        if let Some(popup) = self.popups.last_mut() {
            let outcome = popup.press(key, &self.model);
            return self.after_popup(outcome);
        }
        if let Some(effects) = self.screens.get(self.screen).type_key(key, &self.model) {
            return effects;
        }
        let table = self.screens.get(self.screen).bindings(&self.model);
        match action_of(key, &[table, APP_BINDINGS]) {
            Some(action) => self.act(action),
            None => Vec::new(),
        }
    }

    fn after_popup(&mut self, outcome: PopupOutcome) -> Vec<Effect> {
        match outcome {
            PopupOutcome::Stay(effects) => effects,
            PopupOutcome::Close(effects) => {
                self.popups.pop();
                effects
            }
            PopupOutcome::Act(action) => {
                self.popups.pop();
                self.act(action)
            }
        }
    }

    /// Does what was asked for by a key or by name.
    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        if let Action::App(action) = action {
            return self.act_everywhere(action);
        }
        // A command of another screen is done there.
        let mut effects = match action.screen() {
            Some(screen) if screen != self.screen => self.show(screen),
            _ => Vec::new(),
        };
        effects.extend(self.screens.get(self.screen).act(action, &self.model));
        effects
    }

    fn act_everywhere(&mut self, action: AppAction) -> Vec<Effect> {
        match action {
            AppAction::Show(screen) => self.show(screen),
            AppAction::NextScreen => self.show(self.neighbour(1)),
            AppAction::PreviousScreen => self.show(self.neighbour(ScreenId::ALL.len() - 1)),
            AppAction::Help => {
                let title = self.screen.title();
                let table = self.screens.get(self.screen).bindings(&self.model);
                self.popups.push(Popup::Help(HelpPopup::new(title, table)));
                Vec::new()
            }
            AppAction::Palette => {
                let table = self.screens.get(self.screen).bindings(&self.model);
                let others: Vec<ScreenId> = ScreenId::ALL.into_iter().filter(|id| *id != self.screen).collect();
                let others = others.into_iter().map(|id| (id, self.screens.get(id).bindings(&self.model))).collect();
                self.popups.push(Popup::Palette(PalettePopup::new(table, others)));
                Vec::new()
            }
            AppAction::Redraw => vec![Effect::Redraw],
            AppAction::Suspend => vec![Effect::Suspend],
            AppAction::Quit => vec![Effect::Quit],
        }
    }

    fn neighbour(&self, distance: usize) -> ScreenId {
        let place = ScreenId::ALL.iter().position(|screen| *screen == self.screen).unwrap_or(0);
        ScreenId::ALL[(place + distance) % ScreenId::ALL.len()]
    }

    fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        if let Some(popup) = self.popups.last_mut() {
            let outcome = popup.mouse(mouse, &self.model);
            return self.after_popup(outcome);
        }
        if mouse.kind == MouseKind::Press
            && let Some(screen) = tab_at(&self.areas, mouse)
        {
            return self.show(screen);
        }
        self.screens.get(self.screen).mouse(mouse, &self.model)
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.popups.last_mut() {
            Some(popup) => {
                for character in text.chars().filter(|character| !character.is_control()) {
                    popup.press(Key::Char(character), &self.model);
                }
                Vec::new()
            }
            None => self.screens.get(self.screen).paste(text, &self.model),
        }
    }

    fn on_picture(&mut self, message: &crate::tui::protocol::pictures::PictureMessage) -> Vec<Effect> {
        // Each picture knows its own.
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                viewer.on_message(message);
            }
        }
        self.screens.datasets.on_picture(message);
        self.screens.explain.on_picture(message);
        Vec::new()
    }

    /// What is wanted by what was drawn: only then the rows on screen and the room of a picture are known.
    pub(super) fn after_draw(&mut self) -> Vec<Effect> {
        let mut effects = self.screens.datasets.take_wanted();
        effects.extend(self.screens.explain.take_wanted());
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                effects.extend(viewer.take_wanted());
            }
        }
        effects
    }

    /// The terminal has lost the pictures that it was sent.
    fn forget_pictures(&mut self) {
        self.screens.datasets.picture().forget();
        self.screens.explain.pictures().for_each(PictureView::forget);
        for popup in &mut self.popups {
            if let Popup::Viewer(viewer) = popup {
                viewer.picture.forget();
            }
        }
    }

    /// Draws everything.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        self.draw_everything(frame);
        if self.model.theme.ascii {
            super::ascii::to_ascii(frame.buffer_mut());
        }
    }

    fn draw_everything(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
            super::frame::draw_too_small(frame, area);
            return;
        }
        let table = match self.popups.last() {
            Some(popup) => popup.bindings(),
            None => self.screens.get(self.screen).bindings(&self.model),
        };
        let everywhere = if self.popups.is_empty() { APP_BINDINGS } else { &[] };
        let notice = self.notice.as_ref().map(|(_, notice)| notice);
        self.areas = draw_frame(frame, &self.model, self.screen, [table, everywhere], notice);
        let body = self.areas.body;
        let covered = !self.popups.is_empty();
        self.screens.datasets.picture().covered = covered;
        self.screens.explain.pictures().for_each(|picture| picture.covered = covered);
        // A full-screen picture hides all that is under it.
        let first = self.popups.iter().rposition(|popup| matches!(popup, Popup::Viewer(_)));
        if first.is_none() {
            self.screens.get(self.screen).draw(frame, body, &self.model);
        }
        let first = first.unwrap_or(0);
        let last = self.popups.len().saturating_sub(1);
        for (at, popup) in self.popups.iter_mut().enumerate().skip(first) {
            if let Popup::Viewer(viewer) = popup {
                viewer.picture.covered = at < last;
            }
            popup.draw(frame, body, &self.model);
        }
    }
}

#[cfg(test)]
mod tests;
