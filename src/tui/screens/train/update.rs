//! The screen Train's response to actions, keys and the mouse.

use super::fields::{Field, Row};
use super::form::TrainForm;
use super::typing::{Editing, FieldFilter};
use super::{Pane, TrainScreen};
use crate::terminal::input::{Key, Mouse};
use crate::tui::protocol::effect::Effect;
use crate::tui::protocol::list_motion::ListMotion;
use crate::tui::protocol::train::TrainAction;
use crate::tui::shared_state::SharedState;
use crate::tui::widgets::scroll_list::ScrollList;

impl TrainScreen {
    pub(super) fn update(&mut self, action: TrainAction, shared: &SharedState) -> Vec<Effect> {
        let before = self.form.clone();
        match action {
            TrainAction::Start => {
                // A value that is being typed is applied first.
                let applied = if self.editing.is_some() { self.apply(shared) } else { Vec::new() };
                if self.editing.is_some() {
                    return applied;
                }
                return applied.into_iter().chain(self.start()).collect();
            }
            TrainAction::Apply => return self.apply(shared),
            TrainAction::Copy => return self.copy_command(shared),
            TrainAction::Edit | TrainAction::Toggle | TrainAction::Previous | TrainAction::Next
                if self.section().is_some() =>
            {
                return self.open_or_close(action);
            }
            TrainAction::Edit | TrainAction::Toggle => match self.field() {
                Some(Field::Views) => self.form.views[self.view_cursor] ^= true,
                Some(field) if field.is_choice() => {
                    self.form.choose(field, true);
                }
                Some(field) if action == TrainAction::Edit => {
                    self.editing = Some(Editing::new(field, self.form.text(field)));
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
                self.filter.is_typing = true;
                return Vec::new();
            }
            TrainAction::Layers => return self.toggle_pane(Pane::Layers),
            TrainAction::Estimate => return self.toggle_pane(Pane::Estimate),
            TrainAction::Back => {
                self.back();
                return Vec::new();
            }
        }
        if self.form == before { Vec::new() } else { self.after_change(&before, shared) }
    }

    /// Opens or closes the section whose heading is under the cursor.
    fn open_or_close(&mut self, action: TrainAction) -> Vec<Effect> {
        let Some(title) = self.section() else { return Vec::new() };
        let opens = match action {
            TrainAction::Next => true,
            TrainAction::Previous => false,
            _ => !self.open.contains(title),
        };
        if opens {
            self.open.insert(title.to_owned());
        } else {
            self.open.remove(title);
        }
        vec![Effect::SaveView]
    }

    fn back(&mut self) {
        match self.pane {
            Pane::Form if self.editing.take().is_some() => {}
            Pane::Form => self.clear_filter(),
            Pane::Estimate | Pane::Layers => self.pane = Pane::Form,
        }
    }

    /// Ends the search; the cursor stays on its field, whose section is opened.
    fn clear_filter(&mut self) {
        let field = self.field();
        self.filter = FieldFilter::default();
        let of_field = super::fields::sections()
            .into_iter()
            .find(|(_, fields)| field.is_some_and(|field| fields.contains(&field)));
        if let Some((title, _)) = of_field.filter(|_| field.is_some_and(|field| !self.form.is_changed(field))) {
            self.open.insert(title.to_owned());
        }
        let place = field.and_then(|field| self.rows().iter().position(|row| *row == Row::Field(field)));
        self.list.cursor = place.unwrap_or(1);
    }

    /// Shows a pane, or the form if the pane is shown already.
    fn toggle_pane(&mut self, pane: Pane) -> Vec<Effect> {
        self.pane = if self.pane == pane { Pane::Form } else { pane };
        Vec::new()
    }

    pub(super) fn move_by(&mut self, motion: ListMotion) {
        match self.pane {
            Pane::Form => {
                let rows = self.rows();
                let from = self.list.cursor;
                self.list.move_by(motion, rows.len());
                let forwards = self.list.cursor >= from;
                skip_headings(&mut self.list, &rows, forwards);
            }
            // Without a visible cursor, the first row counts as such.
            Pane::Estimate | Pane::Layers => {
                let length = self.pane_length();
                let reading = &mut self.reading;
                let list = if self.pane == Pane::Layers { &mut reading.layers } else { &mut reading.estimate };
                list.move_by(motion, length);
            }
        }
    }

    pub(super) fn scroll(&mut self, rows: isize, mouse: Mouse) {
        let motion = if rows < 0 { ListMotion::Up } else { ListMotion::Down };
        if self.editing.is_some() || (self.pane == Pane::Form && !self.list.is_under(mouse)) {
            return;
        }
        for _ in 0..rows.unsigned_abs() {
            self.move_by(motion);
        }
    }

    pub(super) fn click(&mut self, mouse: Mouse, shared: &SharedState) -> Vec<Effect> {
        if self.areas.button.contains((mouse.column, mouse.row).into()) {
            return self.update(TrainAction::Start, shared);
        }
        if self.pane != Pane::Form || self.editing.is_some() {
            return Vec::new();
        }
        let rows = self.rows();
        let Some(row) = self.list.row_at(mouse, rows.len()) else { return Vec::new() };
        let again = self.list.cursor == row;
        let field = match rows[row] {
            Row::Heading(_) => return Vec::new(),
            Row::Section(_) => {
                self.list.cursor = row;
                return self.update(TrainAction::Edit, shared);
            }
            Row::Field(field) => field,
        };
        self.list.cursor = row;
        if field == Field::Views
            && let Some(view) = self.areas.view_at(mouse)
        {
            self.view_cursor = view;
            return self.update(TrainAction::Toggle, shared);
        }
        if again { self.update(TrainAction::Edit, shared) } else { Vec::new() }
    }

    /// Applies the typed value; an invalid one stays in the field, an implausible one until it is applied again.
    fn apply(&mut self, shared: &SharedState) -> Vec<Effect> {
        let Some(editing) = &mut self.editing else { return Vec::new() };
        let before = self.form.clone();
        let typed = editing.typed.text();
        if let Some(key) = editing.field.key().filter(|_| TrainForm::doubt(editing.field, typed).is_some()) {
            if editing.doubted.as_deref() != Some(typed) {
                editing.doubted = Some(typed.to_owned());
                return Vec::new();
            }
            if let Ok(value) = key.parse(typed.trim()) {
                self.accepted.insert(key.name, value.to_string());
            }
        }
        match self.form.put(editing.field, editing.typed.text()) {
            Ok(()) => {
                // Read again even if the path is the same: its files may have changed.
                if editing.field == Field::Data {
                    self.data.state = super::DataState::Unknown;
                }
                self.editing = None;
                self.after_change(&before, shared)
            }
            Err(error) => vec![Effect::failed(error)],
        }
    }

    pub(super) fn type_into_field(&mut self, key: Key, shared: &SharedState) -> Vec<Effect> {
        let Some(editing) = &mut self.editing else { return Vec::new() };
        match key {
            Key::Enter => return self.update(TrainAction::Apply, shared),
            Key::Escape => self.editing = None,
            Key::Ctrl('s') => return self.update(TrainAction::Start, shared),
            key => {
                editing.typed.press(key);
            }
        }
        Vec::new()
    }

    /// Returns `false` for a key that is not for the filter.
    pub(super) fn type_into_filter(&mut self, key: Key) -> bool {
        if let Some(motion) = ListMotion::while_typing(key) {
            self.move_by(motion);
            return true;
        }
        match key {
            Key::Escape => self.clear_filter(),
            Key::Enter => self.filter.is_typing = false,
            Key::Ctrl('s') => return false,
            key => {
                if self.filter.field.press(key) {
                    self.list.cursor = 0;
                    let rows = self.rows();
                    skip_headings(&mut self.list, &rows, true);
                }
            }
        }
        true
    }
}

/// Moves the cursor from a heading that does nothing to another row, if possible in the direction of the move.
fn skip_headings(list: &mut ScrollList, rows: &[Row], forwards: bool) {
    let is_useful = |place: &usize| matches!(rows.get(*place), Some(Row::Field(_) | Row::Section(_)));
    let after = (list.cursor..rows.len()).find(is_useful);
    let before = (0..=list.cursor.min(rows.len().saturating_sub(1))).rev().find(is_useful);
    list.cursor = if forwards { after.or(before) } else { before.or(after) }.unwrap_or(0);
}
