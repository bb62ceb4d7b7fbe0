//! Pictures: decoded, shrunk and encoded for the terminal off the main thread; the latest request of a place wins.

mod encoding;
mod library;

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use encoding::Encoder;
use library::PictureLibrary;

use crate::tui::protocol::message::UiMessage;
use crate::tui::protocol::pictures::{EncodedPicture, PictureEffect, PictureMessage, PicturePlace, PictureRequest};

/// A request waits so long for a later one, while a selection moves.
const DEBOUNCE: Duration = Duration::from_millis(35);
/// A selection moves where a place had another request so shortly before; the first one is served at once.
const MOVING: Duration = Duration::from_millis(100);

/// Decodes and encodes pictures.
pub(in crate::tui) struct PictureService {
    inbox: Sender<UiMessage>,
    requests: Option<Sender<PictureEffect>>,
}

impl PictureService {
    pub(in crate::tui) fn new(inbox: Sender<UiMessage>) -> Self {
        Self { inbox, requests: None }
    }

    pub(in crate::tui) fn perform(&mut self, effect: PictureEffect) {
        let requests = self.requests.get_or_insert_with(|| {
            let (sender, receiver) = channel();
            let inbox = self.inbox.clone();
            thread::spawn(move || work(&receiver, &inbox));
            sender
        });
        // The thread lives as long as this.
        let _ = requests.send(effect);
    }
}

/// Takes requests until nobody makes any.
fn work(requests: &Receiver<PictureEffect>, inbox: &Sender<UiMessage>) {
    let mut library = PictureLibrary::default();
    let mut encoder = Encoder::default();
    let mut guesses: VecDeque<PictureRequest> = VecDeque::new();
    let mut asked = Asked::default();
    loop {
        // While there is something to guess, it is not waited.
        let first = if guesses.is_empty() {
            requests.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            requests.try_recv()
        };
        match first {
            Ok(first) => {
                guesses.clear();
                for PictureEffect::Show { request, neighbours } in latest(first, requests, &mut asked) {
                    let outcome = picture(&request, &mut library, &mut encoder);
                    guesses.extend(neighbours.into_iter().map(|path| PictureRequest { path, ..request.clone() }));
                    if inbox.send(UiMessage::Picture(PictureMessage { request, outcome })).is_err() {
                        return;
                    }
                }
            }
            Err(TryRecvError::Empty) => {
                if let Some(guess) = guesses.pop_front()
                    && let Ok(known) = library.picture(&guess.path)
                {
                    let (pixels, _) = guess.look.fit(known.size(), guess.room);
                    library.shrunk(&guess.path, &known, pixels);
                }
            }
            Err(TryRecvError::Disconnected) => return,
        }
    }
}

/// When each place asked last.
#[derive(Default)]
struct Asked([Option<Instant>; PicturePlace::COUNT]);

impl Asked {
    /// How long a request that has just come is to wait for a later one.
    fn timeout(&mut self, PictureEffect::Show { request, .. }: &PictureEffect) -> Duration {
        let before = self.0[request.place.index()].replace(Instant::now());
        if before.is_some_and(|before| before.elapsed() < MOVING) { DEBOUNCE } else { Duration::ZERO }
    }
}

/// Of each place the latest request, when none has come for a while.
fn latest(first: PictureEffect, requests: &Receiver<PictureEffect>, asked: &mut Asked) -> Vec<PictureEffect> {
    let mut timeout = asked.timeout(&first);
    let mut wanted = vec![first];
    while let Ok(next) = requests.recv_timeout(timeout) {
        timeout = timeout.max(asked.timeout(&next));
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
) -> Result<EncodedPicture, String> {
    if let Some(painted) = &request.painted {
        let (pixels, cells) = request.look.fit(painted.size(), request.room);
        let drawing = encoder.encode(request, &painted.drawn(request.window, pixels), cells)?;
        return Ok(EncodedPicture { drawing, facts: None });
    }
    let known = library.picture(&request.path)?;
    let (pixels, cells) = request.look.fit(known.size(), request.room);
    let shrunk = library.shrunk(&request.path, &known, pixels);
    let facts = known.facts(request.window);
    let drawing = encoder.encode(request, &shrunk.windowed(facts.window), cells)?;
    Ok(EncodedPicture { drawing, facts: Some(facts) })
}

#[cfg(test)]
mod tests;
