//! Lines between the sessions of a store. Frames take their time, and the world may cut a line.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::clock::elapsed;
use super::random::below;
use super::schedule::{self, Again, JobId, Removed};

type EndId = u64;

/// One end of a line between two sessions. Dropping the last clone closes it.
#[derive(Clone)]
pub(crate) struct Line(Arc<Handle>);

struct Handle(EndId);

/// What happens on a line.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// The other end sent this.
    Frame(Vec<u8>),
    /// The line is closed. This happens once, and nothing happens after it.
    Closed { reason: String },
}

/// Called with what happens on a line, from a job of its own.
pub(crate) type OnLine = Box<dyn FnMut(LineEvent) + Send>;

type Accept = Arc<Mutex<dyn FnMut(Line) -> OnLine + Send>>;

/// Accepts lines from other sessions. Dropping it ends all its lines, too.
pub(crate) struct Listener {
    folder: PathBuf,
    id: u64,
}

/// What is on its way to an end.
enum Packet {
    /// The other end has dialled.
    Open,
    Frame(Vec<u8>),
    /// Nothing comes after it.
    End(&'static str),
}

struct Listening {
    id: u64,
    owner: u64,
    accept: Accept,
}

struct End {
    peer: EndId,
    owner: u64,
    job: JobId,
    folder: PathBuf,
    /// The listener that it belongs to, if it was dialled.
    listener: Option<u64>,
    /// What arrives when, in order.
    incoming: VecDeque<(Duration, Packet)>,
    /// Not there before the line is accepted, and while it is called.
    on_event: Option<OnLine>,
    /// Nothing is sent any more.
    is_closed: bool,
}

#[derive(Default)]
struct Carrier {
    listeners: BTreeMap<PathBuf, Listening>,
    ends: BTreeMap<EndId, End>,
    delay: Duration,
}

thread_local! {
    static CARRIER: RefCell<Carrier> = RefCell::default();
    /// A number is never used twice, in no world: what is left of one may still be dropped.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Listens for other sessions of the store in `folder`, and calls `accept` with each line from one.
#[expect(clippy::unnecessary_wraps, reason = "other edges can fail")]
pub(crate) fn listen(
    folder: &Path,
    accept: impl FnMut(Line) -> OnLine + Send + 'static,
) -> io::Result<Listener> {
    let (id, folder) = (new_id(), folder.to_owned());
    let accept: Accept = Arc::new(Mutex::new(accept));
    let listening = Listening { id, owner: schedule::owner(), accept };
    drop(with(|carrier| carrier.listeners.insert(folder.clone(), listening)));
    Ok(Listener { folder, id })
}

/// Connects to the session that listens for the store in `folder`.
///
/// # Errors
/// `NotFound` when nobody listens.
pub(crate) fn dial(folder: &Path, on_event: impl FnOnce(Line) -> OnLine) -> io::Result<Line> {
    let (ours, theirs) = (new_id(), new_id());
    let dialled = with(|carrier| {
        let listening = carrier.listeners.get(folder)?;
        let (listener, owner) = (listening.id, listening.owner);
        carrier.add(ours, theirs, schedule::owner(), None, folder);
        carrier.add(theirs, ours, owner, Some(listener), folder);
        carrier.send(theirs, Packet::Open);
        Some(())
    });
    dialled.flatten().ok_or(io::ErrorKind::NotFound)?;
    let line = Line(Arc::new(Handle(ours)));
    let on_event = on_event(line.clone());
    with(|carrier| {
        if let Some(end) = carrier.ends.get_mut(&ours) {
            end.on_event = Some(on_event);
        }
    });
    Ok(line)
}

/// Sets how long a frame takes, at most; one in sixteen takes up to eight times that.
pub fn set_line_delay(delay: Duration) {
    with(|carrier| carrier.delay = delay);
}

/// Cuts some of the lines between sessions of the stores below this folder. In each direction, some of
/// what is on its way is lost, perhaps in the middle of a message, and the two ends notice at different
/// times. Returns the number of lines.
pub fn cut_lines(below_folder: &Path) -> usize {
    with(|carrier| carrier.cut(below_folder)).unwrap_or_default()
}

/// The owner that listens for other sessions of the store in this folder.
pub fn listener_of(folder: &Path) -> Option<u64> {
    with(|carrier| carrier.listeners.get(folder).map(|listening| listening.owner)).flatten()
}

/// An owner's process is gone: its ends close. What it has sent still arrives.
pub(super) fn end_owner(owner: u64) {
    let gone = with(|carrier| {
        let lines: Vec<_> = carrier.ends.iter().filter(|(_, end)| end.owner == owner).collect();
        let ids: Vec<_> = lines.into_iter().map(|(id, _)| *id).collect();
        let ends: Vec<_> = ids.into_iter().filter_map(|id| carrier.remove(id)).collect();
        let is_gone = |_: &PathBuf, listening: &mut Listening| listening.owner == owner;
        (ends, carrier.listeners.extract_if(.., is_gone).collect::<Vec<_>>())
    });
    drop(gone);
}

pub(super) fn reset() {
    drop(with(std::mem::take));
}

impl Line {
    /// Sends the frames of a message.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        for frame in frames {
            with(|carrier| carrier.send_from(self.0.0, Packet::Frame(frame)));
        }
    }

    /// Sends the frames of messages that the other session waits for.
    pub(crate) fn send_answer(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        self.send(frames);
    }

    /// Closes the line.
    pub(crate) fn close(&self) {
        close(self.0.0, "this session closed the connection");
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        close(self.0, "this session closed the connection");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let gone = with(|carrier| {
            let is_ours = |listening: &Listening| listening.id == self.id;
            let was = carrier.listeners.get(&self.folder).is_some_and(is_ours);
            let listening = was.then(|| carrier.listeners.remove(&self.folder));
            let ends = carrier.ends.iter().filter(|(_, end)| end.listener == Some(self.id));
            (listening, ends.map(|(id, _)| *id).collect::<Vec<_>>())
        });
        let Some((listening, ends)) = gone else { return };
        drop(listening);
        for end in ends {
            close(end, "the session that accepted it stopped listening");
        }
    }
}

/// What has not arrived here is lost; what was sent arrives.
fn close(id: EndId, reason: &'static str) {
    let lost = with(|carrier| {
        let end = carrier.ends.get_mut(&id).filter(|end| !end.is_closed)?;
        end.is_closed = true;
        let now = elapsed();
        let lost = std::mem::replace(&mut end.incoming, [(now, Packet::End(reason))].into());
        let (peer, job) = (end.peer, end.job);
        schedule::set_deadline(job, now);
        carrier.send(peer, Packet::End("the other session closed the connection"));
        Some(lost)
    });
    drop(lost);
}

/// What a job does of a line: it handles what arrives next.
fn turn(id: EndId) -> Again {
    let next = with(|carrier| carrier.next(id)).flatten();
    match next {
        Some((Packet::Open, _)) => accept(id),
        Some((Packet::Frame(frame), Some(mut on_event))) => {
            on_event(LineEvent::Frame(frame));
            let left = with(|carrier| match carrier.ends.get_mut(&id) {
                Some(end) => {
                    end.on_event = Some(on_event);
                    None
                }
                None => Some(on_event),
            });
            drop(left);
        }
        Some((Packet::End(reason), on_event)) => {
            drop(with(|carrier| carrier.remove(id)));
            if let Some(mut on_event) = on_event {
                on_event(LineEvent::Closed { reason: reason.to_owned() });
            }
        }
        Some((Packet::Frame(_), None)) | None => {}
    }
    let deadline = with(|carrier| Some(carrier.ends.get(&id)?.incoming.front()?.0)).flatten();
    Again { now: false, deadline }
}

fn accept(id: EndId) {
    let accept = with(|carrier| {
        let end = carrier.ends.get(&id)?;
        let listening = carrier.listeners.get(&end.folder)?;
        (end.listener == Some(listening.id)).then(|| Arc::clone(&listening.accept))
    });
    let Some(accept) = accept.flatten() else {
        return close(id, "nobody listens any more");
    };
    let line = Line(Arc::new(Handle(id)));
    let on_event = accept.lock().unwrap_or_else(PoisonError::into_inner)(line);
    let left = with(|carrier| match carrier.ends.get_mut(&id) {
        Some(end) => {
            end.on_event = Some(on_event);
            None
        }
        None => Some(on_event),
    });
    drop(left);
}

impl Carrier {
    fn add(&mut self, id: EndId, peer: EndId, owner: u64, listener: Option<u64>, folder: &Path) {
        let job = schedule::add_for(owner, "livestore-line", Box::new(move || turn(id)));
        let end = End {
            peer,
            owner,
            job,
            folder: folder.to_owned(),
            listener,
            incoming: VecDeque::new(),
            on_event: None,
            is_closed: false,
        };
        self.ends.insert(id, end);
    }

    fn send_from(&mut self, id: EndId, packet: Packet) {
        if let Some(end) = self.ends.get(&id).filter(|end| !end.is_closed) {
            self.send(end.peer, packet);
        }
    }

    fn send(&mut self, to: EndId, packet: Packet) {
        let at = self.arrival();
        let Some(end) = self.ends.get_mut(&to) else { return };
        if let Some((_, Packet::End(_))) = end.incoming.back() {
            return;
        }
        let at = end.incoming.back().map_or(at, |(last, _)| at.max(*last));
        end.incoming.push_back((at, packet));
        if let Some((first, _)) = end.incoming.front() {
            schedule::set_deadline(end.job, *first);
        }
    }

    fn arrival(&self) -> Duration {
        let most = u64::try_from(self.delay.as_micros()).unwrap_or(u64::MAX).max(1);
        let most = if below(16) == 0 { most.saturating_mul(8) } else { most };
        elapsed() + Duration::from_micros(1 + below(most))
    }

    /// What has arrived, with the function that wants to know.
    fn next(&mut self, id: EndId) -> Option<(Packet, Option<OnLine>)> {
        let end = self.ends.get_mut(&id)?;
        if end.incoming.front()?.0 > elapsed() {
            return None;
        }
        let (_, packet) = end.incoming.pop_front()?;
        Some((packet, end.on_event.take()))
    }

    /// Removes an end, and its job; the other one is closed in a moment.
    fn remove(&mut self, id: EndId) -> Option<(End, Option<Removed>)> {
        let end = self.ends.remove(&id)?;
        let job = schedule::take(end.job);
        self.send(end.peer, Packet::End("the other session closed the connection"));
        Some((end, job))
    }

    fn cut(&mut self, below_folder: &Path) -> usize {
        let dialling = self.ends.iter().filter(|(_, end)| {
            end.listener.is_none() && !end.is_closed && end.folder.starts_with(below_folder)
        });
        let lines: Vec<_> = dialling.map(|(id, end)| (*id, end.peer)).collect();
        let mut count = 0;
        for (ours, theirs) in lines {
            if below(3) == 0 {
                continue;
            }
            count += 1;
            for id in [ours, theirs] {
                self.lose(id);
                self.send(id, Packet::End("the connection broke"));
            }
        }
        count
    }

    fn lose(&mut self, id: EndId) {
        if let Some(end) = self.ends.get_mut(&id) {
            let left = below(end.incoming.len() as u64 + 1);
            end.incoming.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
    }
}

fn new_id() -> u64 {
    LAST.set(LAST.get() + 1);
    LAST.get()
}

/// `None` when the thread is ending.
fn with<R>(work: impl FnOnce(&mut Carrier) -> R) -> Option<R> {
    CARRIER.try_with(|carrier| work(&mut carrier.borrow_mut())).ok()
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("folder", &self.folder).finish_non_exhaustive()
    }
}
