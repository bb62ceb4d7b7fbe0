//! The service that decodes, scales and encodes pictures off the main thread; the latest request of a place wins.

mod encoding;
mod examination_views;
mod library;
mod marks;
pub(in crate::tui) mod thumbnails;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use encoding::Encoder;
use examination_views::views_of;
use library::PictureLibrary;
use marks::marked;

use crate::tui::protocol::examination_views::ViewsMessage;
use crate::tui::protocol::failure::Failure;
use crate::tui::protocol::framing::FramedPart;
use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::painted::PaintedExplanation;
use crate::tui::protocol::pictures::{
    EncodedPicture, Painted, PictureEffect, PictureMessage, PicturePlace, PictureRequest,
};

/// The time for which a request waits for a later one while the selection is moving.
const DEBOUNCE: Duration = Duration::from_millis(35);
/// The selection counts as moving if the place made another request within this time; the first one is served at once.
const MOVING_INTERVAL: Duration = Duration::from_millis(100);

/// The service of pictures.
pub(in crate::tui) struct PictureService {
    inbox: Sender<UiMessage>,
    requests: Option<Sender<PictureEffect>>,
}

impl PictureService {
    pub(in crate::tui) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox, requests: None }
    }

    /// Looks for the other views of an image's examination.
    pub(in crate::tui) fn find_views(&self, of: PathBuf) {
        let inbox = self.inbox.clone();
        thread::spawn(move || {
            let found = views_of(&of);
            let _ = inbox.send(UiMessage::Views(ViewsMessage { of, found }));
        });
    }

    pub(in crate::tui) fn perform(&mut self, effect: PictureEffect) {
        let requests = self.requests.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            let inbox = self.inbox.clone();
            thread::spawn(move || work(&receiver, &inbox));
            sender
        });
        // The thread lives as long as this service.
        let _ = requests.send(effect);
    }
}

/// Serves requests until the service is dropped.
fn work(requests: &Receiver<PictureEffect>, inbox: &Sender<UiMessage>) {
    let mut library = PictureLibrary::default();
    let mut encoder = Encoder::default();
    let mut guesses: VecDeque<PictureRequest> = VecDeque::new();
    let mut last_requests = LastRequests::default();
    loop {
        // Without guesses to prepare, wait for a request.
        let first = if guesses.is_empty() {
            requests.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            requests.try_recv()
        };
        match first {
            Ok(first) => {
                guesses.clear();
                for PictureEffect::Show { request, neighbours } in latest(first, requests, &mut last_requests) {
                    let outcome = picture(&request, &mut library, &mut encoder);
                    guesses.extend(neighbours.into_iter().map(|path| PictureRequest { path, ..request.clone() }));
                    if inbox.send(UiMessage::Picture(PictureMessage { request, outcome })).is_err() {
                        return;
                    }
                }
            }
            Err(TryRecvError::Empty) => {
                if let Some(guess) = guesses.pop_front()
                    && let Ok(decoded) = library.picture(&guess.path)
                {
                    let part = library.part(&guess, &decoded);
                    library.scaled(&guess.path, &decoded, part);
                }
            }
            Err(TryRecvError::Disconnected) => return,
        }
    }
}

/// The time of each place's last request.
#[derive(Default)]
struct LastRequests([Option<Instant>; PicturePlace::COUNT]);

impl LastRequests {
    /// The time for which a request that has just come waits for a later one.
    fn timeout(&mut self, PictureEffect::Show { request, .. }: &PictureEffect) -> Duration {
        let before = self.0[request.place.index()].replace(Instant::now());
        if before.is_some_and(|before| before.elapsed() < MOVING_INTERVAL) { DEBOUNCE } else { Duration::ZERO }
    }
}

/// The latest request of each place, once no more are coming in.
fn latest(
    first: PictureEffect,
    requests: &Receiver<PictureEffect>,
    last_requests: &mut LastRequests,
) -> Vec<PictureEffect> {
    let mut timeout = last_requests.timeout(&first);
    let mut wanted = vec![first];
    while let Ok(next) = requests.recv_timeout(timeout) {
        timeout = timeout.max(last_requests.timeout(&next));
        let PictureEffect::Show { request: later, .. } = &next;
        wanted.retain(|PictureEffect::Show { request, .. }| request.place != later.place);
        wanted.push(next);
    }
    wanted
}

fn picture(
    request: &PictureRequest,
    library: &mut PictureLibrary,
    encoder: &mut Encoder,
) -> Result<EncodedPicture, Failure> {
    if let Some(Painted::Review(painted)) = &request.painted {
        let part = FramedPart::whole(request.look, painted.size(), request.room);
        let drawing = encoder.encode(request, &painted.drawn(part.picture), part.cells)?;
        return Ok(EncodedPicture { drawing, part, probe: None, facts: None });
    }
    let explained = match &request.painted {
        Some(Painted::Explanation(explained)) => Some(explained),
        _ => None,
    };
    let decoded = match (library.picture(&request.path), explained) {
        (Ok(decoded), _) => decoded,
        // The map was made before the file was lost.
        (Err(_), Some(explained)) => return seen_by_the_network(request, explained, encoder),
        (Err(problem), None) => return Err(problem),
    };
    let part = library.part(request, &decoded);
    let facts = decoded.facts(request.window);
    let mut picture = library.scaled(&request.path, &decoded, part).windowed(facts.window);
    if let Some(explained) = explained {
        picture = explained.drawn(picture.into_luma8(), &part);
    }
    let cursor = request.framing.cursor;
    let drawing = encoder.encode(request, &marked(picture, &part, cursor), part.cells)?;
    let probe = cursor.map(|cursor| decoded.probe(&part, cursor));
    Ok(EncodedPicture { drawing, part, probe, facts: Some(facts) })
}

/// An explanation over the picture that the network saw, for a file that can no longer be read.
fn seen_by_the_network(
    request: &PictureRequest,
    explained: &PaintedExplanation,
    encoder: &mut Encoder,
) -> Result<EncodedPicture, Failure> {
    let part = match request.framing.zoom {
        Some(zoom) => FramedPart::magnified(request.look, explained.size(), request.room, zoom),
        None => FramedPart::whole(request.look, explained.size(), request.room),
    };
    let picture = explained.drawn(explained.seen_by_the_network(request.window, &part), &part);
    let drawing = encoder.encode(request, &marked(picture, &part, request.framing.cursor), part.cells)?;
    Ok(EncodedPicture { drawing, part, probe: None, facts: None })
}

#[cfg(test)]
mod tests;
