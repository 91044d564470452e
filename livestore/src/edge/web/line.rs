//! Connections between the sessions of a store: pages and workers of one browser profile.
//!
//! Everybody who has to do with a store is on its channel: there a session asks to be connected, and a
//! leader says that it leads. Each connection has a channel of its own, which two ends are on. A
//! channel does not say that the other end is gone; so a session has a Web Lock for as long as it has
//! its end, and the leader waits in line for that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::channel::{Channel, Message};
use super::event_loop::soon;
use super::fill_random;
use super::locks::{IfHeld, WebLock, request_lock};

/// One end of a connection between two sessions. Dropping the last clone closes it.
#[derive(Clone)]
pub(crate) struct Line(Arc<Handle>);

/// What happens on a line.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// The other end sent this.
    Frame(Vec<u8>),
    /// The other end closed the line, or is gone. Nothing happens after it.
    Closed { reason: String },
}

/// Called with what happens on a line.
pub(crate) type OnLine = Box<dyn FnMut(LineEvent) + Send>;

/// Accepts lines from other sessions. Dropping it ends all its lines, too.
pub(crate) struct Listener(u64);

struct Handle(u64);

/// One end of a line, which stays on its thread.
struct End {
    channel: Rc<Channel>,
    /// Not there while it runs.
    on_event: Option<OnLine>,
    /// What is sent once the code that runs now is done, and the line is accepted: a message costs more
    /// than its bytes.
    outgoing: Vec<Vec<u8>>,
    is_accepted: bool,
    /// The listener that accepted it.
    listener: Option<u64>,
    /// What the end that asked has until it ends: its lock, and its place on the store's channel.
    asked: Option<(Rc<Channel>, Option<WebLock>)>,
}

#[derive(Default)]
struct Ends {
    /// The number of ends and listeners so far.
    count: u64,
    ends: BTreeMap<u64, End>,
    listeners: BTreeMap<u64, Channel>,
}

thread_local! {
    static ENDS: RefCell<Ends> = RefCell::default();
}

/// Words on a store's channel; a line's name follows the first one.
const DIAL: &str = "dial ";
const LEADS: &str = "leads";

/// Words on a line.
const ACCEPTED: &str = "accepted";
const CLOSED: &str = "closed";

/// Listens for other sessions of the store in `folder`, and calls `accept` with each line from one.
/// Lines to an earlier listener end. Only the session that leads may call this.
///
/// # Errors
/// When there are no channels here.
pub(crate) fn listen(
    folder: &Path,
    mut accept: impl FnMut(Line) -> OnLine + Send + 'static,
) -> io::Result<Listener> {
    let listener = with(Ends::next);
    let store = store(folder);
    let theirs = store.clone();
    let channel = Channel::join(&store, move |message| {
        if let Message::Word(word) = message
            && let Some(name) = word.strip_prefix(DIAL)
            && let Err(error) = accept_line(listener, &line(&theirs, name), &mut accept)
        {
            tracing::warn!(%error, "a session was not accepted");
        }
    })?;
    channel.send_word(LEADS);
    with(|ends| ends.listeners.insert(listener, channel));
    Ok(Listener(listener))
}

/// Asks the session that leads the store in `folder` for a line. If nobody leads, the line ends as soon
/// as somebody does.
///
/// # Errors
/// When there are no channels or locks here.
pub(crate) fn dial(folder: &Path, on_event: impl FnOnce(Line) -> OnLine) -> io::Result<Line> {
    let id = with(Ends::next);
    let (store, name) = (store(folder), random_name());
    let line_name = line(&store, &name);
    let channel = Channel::join(&line_name, move |message| receive(id, message))?;
    let on_store = Channel::join(&store, move |message| {
        if matches!(&message, Message::Word(word) if word == LEADS) {
            end(id, "another session leads now");
        }
    })?;
    let on_store = Rc::new(on_store);
    let handle = Line(Arc::new(Handle(id)));
    let new = End {
        channel: Rc::new(channel),
        on_event: Some(on_event(handle.clone())),
        outgoing: Vec::new(),
        is_accepted: false,
        listener: None,
        asked: Some((Rc::clone(&on_store), None)),
    };
    with(|ends| ends.ends.insert(id, new));
    request_lock(&line_name, IfHeld::GiveUp, move |lock| {
        // Whoever accepts waits for the lock: it is taken first.
        let is_there = with(|ends| {
            let asked = ends.ends.get_mut(&id).and_then(|end| end.asked.as_mut());
            asked.map(|(_, slot)| *slot = lock).is_some()
        });
        if is_there {
            on_store.send_word(&format!("{DIAL}{name}"));
        }
    })?;
    Ok(handle)
}

impl Line {
    /// Sends the frames of a message.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        let id = self.0.0;
        let is_due = with(|ends| {
            let end = ends.ends.get_mut(&id)?;
            let was_empty = end.outgoing.is_empty();
            end.outgoing.extend(frames);
            Some(end.is_accepted && was_empty && !end.outgoing.is_empty())
        });
        if is_due == Some(true) {
            soon(move || send_all(id));
        }
    }

    /// Sends the frames of messages that the other session waits for.
    pub(crate) fn send_answer(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        self.send(frames);
    }

    /// Closes the line. Nothing happens on it any more.
    pub(crate) fn close(&self) {
        close(self.0.0);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        close(self.0);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let (channel, lines) = with(|ends| {
            let lines = ends.ends.iter().filter(|(_, end)| end.listener == Some(self.0));
            let lines: Vec<_> = lines.map(|(id, _)| *id).collect();
            (ends.listeners.remove(&self.0), lines)
        });
        drop(channel);
        lines.into_iter().for_each(close);
    }
}

fn accept_line(
    listener: u64,
    name: &str,
    accept: &mut impl FnMut(Line) -> OnLine,
) -> io::Result<()> {
    let id = with(Ends::next);
    let channel = Rc::new(Channel::join(name, move |message| receive(id, message))?);
    let on_event = Some(accept(Line(Arc::new(Handle(id)))));
    let listener = Some(listener);
    let new = End {
        channel: Rc::clone(&channel),
        on_event,
        outgoing: Vec::new(),
        is_accepted: true,
        listener,
        asked: None,
    };
    with(|ends| ends.ends.insert(id, new));
    request_lock(name, IfHeld::Wait, move |_| end(id, "the session is gone"))?;
    channel.send_word(ACCEPTED);
    Ok(())
}

fn receive(id: u64, message: Message) {
    match message {
        Message::Frames(frames) => {
            frames.into_iter().for_each(|frame| happen(id, LineEvent::Frame(frame)));
        }
        Message::Word(word) if word == ACCEPTED => {
            with(|ends| {
                if let Some(end) = ends.ends.get_mut(&id) {
                    end.is_accepted = true;
                }
            });
            send_all(id);
        }
        Message::Word(word) if word == CLOSED => end(id, "the other session closed the line"),
        Message::Word(_) => {}
    }
}

/// Sends what waits for that.
fn send_all(id: u64) {
    let outgoing = with(|ends| {
        let end = ends.ends.get_mut(&id)?;
        Some((Rc::clone(&end.channel), std::mem::take(&mut end.outgoing)))
    });
    if let Some((channel, frames)) = outgoing
        && !frames.is_empty()
    {
        channel.send_frames(&frames);
    }
}

fn happen(id: u64, event: LineEvent) {
    let taken = with(|ends| ends.ends.get_mut(&id)?.on_event.take());
    let Some(mut on_event) = taken else { return };
    on_event(event);
    with(|ends| match ends.ends.get_mut(&id) {
        Some(end) => {
            end.on_event = Some(on_event);
            None
        }
        // It was closed meanwhile.
        None => Some(on_event),
    });
}

/// The other end has ended the line.
fn end(id: u64, reason: &str) {
    let ended = with(|ends| ends.ends.remove(&id));
    if let Some(End { on_event: Some(mut on_event), .. }) = ended {
        on_event(LineEvent::Closed { reason: reason.to_owned() });
    }
}

fn close(id: u64) {
    // Dropping an end may drop other lines.
    if let Some(end) = with(|ends| ends.ends.remove(&id)) {
        if end.is_accepted && !end.outgoing.is_empty() {
            end.channel.send_frames(&end.outgoing);
        }
        end.channel.send_word(CLOSED);
    }
}

fn with<R>(change: impl FnOnce(&mut Ends) -> R) -> R {
    ENDS.with(|ends| change(&mut ends.borrow_mut()))
}

fn store(folder: &Path) -> String {
    format!("livestore {}", folder.display())
}

fn line(store: &str, name: &str) -> String {
    format!("{store} {name}")
}

fn random_name() -> String {
    let mut bytes = [0; 16];
    fill_random(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ends {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}
