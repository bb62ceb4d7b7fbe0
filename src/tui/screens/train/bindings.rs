//! The keys of the screen Train, and what they do.

use super::fields::{Field, Row};
use super::{Editing, Pane, TrainScreen};
use crate::terminal::input::{Key, Mouse};
use crate::tui::model::Model;
use crate::tui::protocol::binding::{Action, Binding};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::train::TrainAction;
use crate::tui::widgets::scroll_list::ScrollList;
use crate::tui::widgets::text_field::TextField;

const fn act(action: TrainAction) -> Action {
    Action::Train(action)
}

/// In the form.
pub(super) const FORM: &[Binding] = &[
    Binding::new(act(TrainAction::Edit), &[Key::Enter], "edit", "edit the field, or take its next choice"),
    Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "start", "start the training"),
    Binding::new(act(TrainAction::Outlook), &[Key::Char('w')], "outlook", "show all of what will happen"),
    Binding::new(act(TrainAction::Layers), &[Key::Char('m')], "model", "show the network, layer by layer"),
    Binding::new(act(TrainAction::Filter), &[Key::Char('/')], "filter", "find fields by their name"),
    Binding::new(act(TrainAction::Reset), &[Key::Delete, Key::Backspace], "reset", "reset the field to the preset"),
    Binding::quiet(act(TrainAction::Toggle), &[Key::Char(' ')], "check the view, or take the next choice"),
    Binding::quiet(act(TrainAction::AllViews), &[Key::Char('a')], "check all views"),
    Binding::quiet(act(TrainAction::Next), &[Key::Right, Key::Char('l')], "take the next choice"),
    Binding::quiet(act(TrainAction::Previous), &[Key::Left, Key::Char('h')], "take the choice before"),
    Binding::quiet(act(TrainAction::ResetAll), &[Key::Char('R')], "reset all fields to the preset"),
    Binding::quiet(act(TrainAction::TimeAgain), &[Key::Char('t')], "time three steps again"),
    Binding::quiet(act(TrainAction::Move(Key::Up)), &[Key::Up, Key::Char('k')], "move up"),
    Binding::quiet(act(TrainAction::Move(Key::Down)), &[Key::Down, Key::Char('j')], "move down"),
    Binding::quiet(act(TrainAction::Move(Key::PageUp)), &[Key::PageUp], "move up a page"),
    Binding::quiet(act(TrainAction::Move(Key::PageDown)), &[Key::PageDown], "move down a page"),
    Binding::quiet(act(TrainAction::Move(Key::Home)), &[Key::Home, Key::Char('g')], "move to the first field"),
    Binding::quiet(act(TrainAction::Move(Key::End)), &[Key::End, Key::Char('G')], "move to the last field"),
    Binding::quiet(act(TrainAction::Back), &[Key::Escape], "show all fields again"),
];

/// While a field is typed.
pub(super) const EDITING: &[Binding] = &[
    Binding::new(act(TrainAction::Take), &[Key::Enter], "take", "take the value"),
    Binding::new(act(TrainAction::Back), &[Key::Escape], "restore", "leave the value as it was"),
    Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "take and start", "take the value and start the training"),
];

/// In the panes that are only read.
pub(super) const READING: &[Binding] = &[
    Binding::new(act(TrainAction::Back), &[Key::Escape], "back to the form", "go back to the form"),
    Binding::new(act(TrainAction::Start), &[Key::Ctrl('s')], "start", "start the training"),
    Binding::new(act(TrainAction::Outlook), &[Key::Char('w')], "outlook", "show all of what will happen"),
    Binding::new(act(TrainAction::Layers), &[Key::Char('m')], "model", "show the network, layer by layer"),
    Binding::quiet(act(TrainAction::Move(Key::Up)), &[Key::Up, Key::Char('k')], "move up"),
    Binding::quiet(act(TrainAction::Move(Key::Down)), &[Key::Down, Key::Char('j')], "move down"),
    Binding::quiet(act(TrainAction::Move(Key::PageUp)), &[Key::PageUp], "move up a page"),
    Binding::quiet(act(TrainAction::Move(Key::PageDown)), &[Key::PageDown, Key::Char(' ')], "move down a page"),
    Binding::quiet(act(TrainAction::Move(Key::Home)), &[Key::Home, Key::Char('g')], "move to the beginning"),
    Binding::quiet(act(TrainAction::Move(Key::End)), &[Key::End, Key::Char('G')], "move to the end"),
];

impl TrainScreen {
    pub(super) fn do_action(&mut self, action: TrainAction, model: &Model) -> Vec<Effect> {
        let before = self.form.clone();
        match action {
            TrainAction::Start => {
                // What is being typed counts.
                let taken = if self.editing.is_some() { self.take(model) } else { Vec::new() };
                if self.editing.is_some() {
                    return taken;
                }
                return taken.into_iter().chain(self.start()).collect();
            }
            TrainAction::Take => return self.take(model),
            TrainAction::Edit | TrainAction::Toggle => match self.field() {
                Some(Field::Views) => self.form.views[self.view_cursor] ^= true,
                Some(field) if field.is_choice() => {
                    self.form.choose(field, true);
                }
                Some(field) if action == TrainAction::Edit => {
                    self.editing = Some(Editing { field, typed: TextField::new(self.form.text(field)) });
                    return Vec::new();
                }
                _ => return Vec::new(),
            },
            TrainAction::Previous | TrainAction::Next => {
                let forwards = action == TrainAction::Next;
                match self.field() {
                    Some(Field::Views) => {
                        self.view_cursor = (self.view_cursor + if forwards { 1 } else { 3 }) % 4;
                        return Vec::new();
                    }
                    Some(field) => {
                        self.form.choose(field, forwards);
                    }
                    None => {}
                }
            }
            TrainAction::AllViews => self.form.views = [true; 4],
            TrainAction::Reset => {
                if let Some(field) = self.field() {
                    self.form.reset(field);
                }
            }
            TrainAction::ResetAll => self.form.config = self.form.preset.config.clone(),
            TrainAction::TimeAgain => {
                let mut effects = Vec::new();
                self.forget_timing(&mut effects);
                return effects;
            }
            TrainAction::Filter => {
                self.filters = true;
                return Vec::new();
            }
            TrainAction::Layers => return self.turn(Pane::Layers),
            TrainAction::Outlook => return self.turn(Pane::Outlook),
            TrainAction::Move(key) => {
                self.move_by(key);
                return Vec::new();
            }
            TrainAction::Back => {
                self.back();
                return Vec::new();
            }
        }
        if self.form == before { Vec::new() } else { self.after_change(&before, model) }
    }

    fn back(&mut self) {
        match self.pane {
            Pane::Form if self.editing.take().is_some() => {}
            Pane::Form => self.clear_filter(),
            Pane::Outlook | Pane::Layers => self.pane = Pane::Form,
        }
    }

    /// All fields again, the cursor on the one it was on.
    fn clear_filter(&mut self) {
        let field = self.field();
        self.filters = false;
        self.filter = TextField::default();
        let place = field.and_then(|field| self.rows().iter().position(|row| *row == Row::Field(field)));
        self.list.cursor = place.unwrap_or(1);
    }

    /// Shows a pane; the form, where it is shown already.
    fn turn(&mut self, pane: Pane) -> Vec<Effect> {
        self.pane = if self.pane == pane { Pane::Form } else { pane };
        Vec::new()
    }

    fn move_by(&mut self, key: Key) {
        match self.pane {
            Pane::Form => {
                let rows = self.rows();
                let from = self.list.cursor;
                self.list.press(key, rows.len());
                let forwards = self.list.cursor >= from;
                skip_headings(&mut self.list, &rows, forwards);
            }
            // They have no cursor that is shown: it is the first row.
            Pane::Outlook | Pane::Layers => {
                let length = self.lines_of_pane();
                let list = if self.pane == Pane::Layers { &mut self.layers } else { &mut self.outlook };
                list.press(key, length);
            }
        }
    }

    pub(super) fn scroll(&mut self, rows: isize, mouse: Mouse) {
        let key = if rows < 0 { Key::Up } else { Key::Down };
        if self.editing.is_some() || (self.pane == Pane::Form && !self.list.is_under(mouse)) {
            return;
        }
        for _ in 0..rows.unsigned_abs() {
            self.move_by(key);
        }
    }

    pub(super) fn click(&mut self, mouse: Mouse, model: &Model) -> Vec<Effect> {
        if self.areas.button.contains((mouse.column, mouse.row).into()) {
            return self.do_action(TrainAction::Start, model);
        }
        if self.pane != Pane::Form || self.editing.is_some() {
            return Vec::new();
        }
        let rows = self.rows();
        let Some(row) = self.list.row_at(mouse, rows.len()) else { return Vec::new() };
        let Row::Field(field) = rows[row] else { return Vec::new() };
        let again = self.list.cursor == row;
        self.list.cursor = row;
        if field == Field::Views
            && let Some(view) = self.areas.view_at(mouse)
        {
            self.view_cursor = view;
            return self.do_action(TrainAction::Toggle, model);
        }
        if again { self.do_action(TrainAction::Edit, model) } else { Vec::new() }
    }

    /// Takes over what was typed; a wrong value stays in the field.
    fn take(&mut self, model: &Model) -> Vec<Effect> {
        let Some(editing) = &self.editing else { return Vec::new() };
        let before = self.form.clone();
        match self.form.put(editing.field, editing.typed.text()) {
            Ok(()) => {
                // The same path once more: its files may have changed.
                if editing.field == Field::Data {
                    self.data = super::DataState::Unknown;
                }
                self.editing = None;
                self.after_change(&before, model)
            }
            Err(error) => vec![Effect::failed(error)],
        }
    }

    pub(super) fn type_into_field(&mut self, key: Key, model: &Model) -> Vec<Effect> {
        let Some(editing) = &mut self.editing else { return Vec::new() };
        match key {
            Key::Enter => return self.do_action(TrainAction::Take, model),
            Key::Escape => self.editing = None,
            Key::Ctrl('s') => return self.do_action(TrainAction::Start, model),
            key => {
                editing.typed.press(key);
            }
        }
        Vec::new()
    }

    /// `false` for a key that is not for the filter.
    pub(super) fn type_into_filter(&mut self, key: Key) -> bool {
        match key {
            Key::Escape => self.clear_filter(),
            Key::Enter => self.filters = false,
            Key::Up | Key::Down | Key::PageUp | Key::PageDown => self.move_by(key),
            Key::Ctrl('s') => return false,
            key => {
                if self.filter.press(key) {
                    self.list.cursor = 0;
                    let rows = self.rows();
                    skip_headings(&mut self.list, &rows, true);
                }
            }
        }
        true
    }
}

/// Headings are passed over, in the direction of the move where there is a field.
fn skip_headings(list: &mut ScrollList, rows: &[Row], forwards: bool) {
    let is_field = |place: &usize| matches!(rows.get(*place), Some(Row::Field(_)));
    let behind = (list.cursor..rows.len()).find(is_field);
    let before = (0..=list.cursor.min(rows.len().saturating_sub(1))).rev().find(is_field);
    list.cursor = if forwards { behind.or(before) } else { before.or(behind) }.unwrap_or(0);
}
