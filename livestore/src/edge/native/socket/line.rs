//! One end of a connection.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use super::frame;
use socket2::Socket;

/// The most bytes of messages that may wait when another one is sent.
const MAX_QUEUE: usize = 64 << 20;

/// How long `send` waits for the thread that writes, where it cannot write itself without the danger
/// of blocking: bytes that were written survive the process.
const WRITE_WAIT: Option<Duration> =
    if cfg!(windows) { Some(Duration::from_millis(20)) } else { None };

/// One end of a connection between two sessions. Dropping the last clone closes it.
#[derive(Clone)]
pub(crate) struct Line(Arc<Handle>);

/// What happens on a line.
#[derive(Debug)]
pub(crate) enum LineEvent {
    /// The other end sent this.
    Frame(Vec<u8>),
    /// The line is closed. This happens once, and nothing happens after it.
    Closed { reason: String },
}

/// Called with what happens on a line, on the line's thread.
pub(crate) type OnLine = Box<dyn FnMut(LineEvent) + Send>;

struct Handle(Arc<End>);

/// What a line shares with its threads.
pub(super) struct End {
    socket: Socket,
    outgoing: Mutex<Outgoing>,
    /// The queue became empty, or the line closed.
    written: Condvar,
}

#[derive(Default)]
struct Outgoing {
    queue: VecDeque<Queued>,
    /// The number of bytes in the queue that count.
    bytes: usize,
    /// A thread writes what is queued.
    is_writing: bool,
    /// The other end reads no more; it may have sent something before, which is still to be read.
    is_broken: bool,
    /// Why this end closed the line.
    closed: Option<String>,
}

struct Queued {
    bytes: Vec<u8>,
    limit: Limit,
}

/// Whether bytes count towards [`MAX_QUEUE`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Counted,
    Uncounted,
}

impl Line {
    /// Sends the frames of a message. What the system's buffer has room for has left this process when
    /// this returns; the rest is queued. If too much of earlier messages is still queued, the line
    /// closes: the other session hangs.
    pub(crate) fn send(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        self.0.0.send(frames, Limit::Counted);
    }

    /// Sends the frames of messages that the other session waits for, however much that is.
    pub(crate) fn send_answer(&self, frames: impl IntoIterator<Item = Vec<u8>>) {
        self.0.0.send(frames, Limit::Uncounted);
    }

    /// Closes the line. What is still queued is not sent.
    pub(crate) fn close(&self) {
        self.0.0.close("this session closed the connection");
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        !self.0.0.outgoing().is_writing
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close("this session closed the connection");
    }
}

impl End {
    pub(super) fn new(socket: Socket) -> Arc<Self> {
        Arc::new(Self { socket, outgoing: Mutex::default(), written: Condvar::new() })
    }

    /// Reads on a thread of its own. If there is none to be had, `on_event` is not called.
    pub(super) fn start(
        self: Arc<Self>,
        on_event: impl FnOnce(Line) -> OnLine,
    ) -> io::Result<Line> {
        let (give, receive) = mpsc::sync_channel::<OnLine>(1);
        let end = Arc::clone(&self);
        spawn("livestore-line", move || {
            if let Ok(on_event) = receive.recv() {
                end.read_all(on_event);
            }
        })?;
        let line = Line(Arc::new(Handle(self)));
        let _ = give.send(on_event(line.clone()));
        Ok(line)
    }

    fn read_all(&self, mut on_event: OnLine) {
        let _guard = CloseOnPanic(self);
        let mut reader = BufReader::with_capacity(64 << 10, &self.socket);
        let end = loop {
            let frame = frame::read(&mut reader);
            if self.outgoing().closed.is_some() {
                break String::new();
            }
            match frame {
                Ok(frame) => on_event(LineEvent::Frame(frame)),
                Err(frame::FrameError::Io(error)) => break error.to_string(),
                Err(error) => break error.to_string(),
            }
        };
        let reason = self.close(&end);
        on_event(LineEvent::Closed { reason });
    }

    fn send(self: &Arc<Self>, frames: impl IntoIterator<Item = Vec<u8>>, limit: Limit) {
        let mut outgoing = self.outgoing();
        if limit == Limit::Counted && outgoing.bytes > MAX_QUEUE {
            drop(outgoing);
            self.close("the other session hangs: it does not read what is sent to it");
            return;
        }
        for frame in frames {
            let bytes = match frame::encode(frame) {
                Ok(bytes) => bytes,
                Err(error) => {
                    drop(outgoing);
                    self.close(&error.to_string());
                    return;
                }
            };
            if outgoing.is_over() {
                return;
            }
            let frame = Queued { bytes, limit };
            match outgoing.is_writing {
                true => outgoing.push(frame),
                false => self.write_or_queue(&mut outgoing, frame),
            }
        }
        if let Some(most) = WRITE_WAIT {
            let is_queued = |outgoing: &mut Outgoing| outgoing.is_writing && !outgoing.is_over();
            drop(self.written.wait_timeout_while(outgoing, most, is_queued));
        }
    }

    /// Writes what can be written now, and has a thread write the rest.
    fn write_or_queue(self: &Arc<Self>, outgoing: &mut Outgoing, mut frame: Queued) {
        match write_now(&self.socket, &frame.bytes) {
            Ok(written) if written == frame.bytes.len() => return,
            Ok(written) => drop(frame.bytes.drain(..written)),
            Err(error) => return self.fail(outgoing, &error),
        }
        outgoing.push(frame);
        outgoing.is_writing = true;
        let end = Arc::clone(self);
        if let Err(error) = spawn("livestore-writer", move || end.write_queue()) {
            self.fail(outgoing, &error);
        }
    }

    fn write_queue(&self) {
        while let Some(bytes) = self.next_queued() {
            if let Err(error) = write_all(&self.socket, &bytes) {
                self.fail(&mut self.outgoing(), &error);
            }
        }
    }

    fn next_queued(&self) -> Option<Vec<u8>> {
        let mut outgoing = self.outgoing();
        let Some(next) = outgoing.queue.pop_front() else {
            outgoing.is_writing = false;
            self.written.notify_all();
            return None;
        };
        outgoing.bytes -= next.counted();
        Some(next.bytes)
    }

    /// Nothing can be written any more.
    fn fail(&self, outgoing: &mut Outgoing, error: &io::Error) {
        outgoing.clear();
        outgoing.is_broken = true;
        self.written.notify_all();
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) {
            outgoing.closed.get_or_insert_with(|| error.to_string());
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }

    /// Closes the line, unless it is closed, and returns the first reason.
    pub(super) fn close(&self, reason: &str) -> String {
        let mut outgoing = self.outgoing();
        outgoing.clear();
        let reason = outgoing.closed.get_or_insert_with(|| reason.to_owned()).clone();
        self.written.notify_all();
        let _ = self.socket.shutdown(Shutdown::Both);
        reason
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outgoing {
    fn is_over(&self) -> bool {
        self.is_broken || self.closed.is_some()
    }

    fn push(&mut self, frame: Queued) {
        self.bytes += frame.counted();
        self.queue.push_back(frame);
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.bytes = 0;
    }
}

impl Queued {
    fn counted(&self) -> usize {
        if self.limit == Limit::Counted { self.bytes.len() } else { 0 }
    }
}

/// The other end must not wait for a thread that is gone.
struct CloseOnPanic<'a>(&'a End);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        self.0.close("the handler of the connection panicked");
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}

/// Writes what the system takes without waiting, and returns the number of bytes.
#[cfg(unix)]
fn write_now(socket: &Socket, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match rustix::net::send(socket, rest, flags() | rustix::net::SendFlags::DONTWAIT) {
            Ok(count) => written += count,
            Err(rustix::io::Errno::INTR) => {}
            // A full buffer; some systems say it in the second way.
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::NOBUFS) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(written)
}

#[cfg(unix)]
fn write_all(socket: &Socket, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::net::send(socket, bytes, flags()) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// No signal when the other end is gone. Apple's systems have a socket option for it, which is set.
#[cfg(unix)]
fn flags() -> rustix::net::SendFlags {
    #[cfg(not(target_vendor = "apple"))]
    return rustix::net::SendFlags::NOSIGNAL;
    #[cfg(target_vendor = "apple")]
    return rustix::net::SendFlags::empty();
}

/// Nothing: Windows cannot write without waiting while another thread waits to read.
#[cfg(windows)]
fn write_now(_: &Socket, _: &[u8]) -> io::Result<usize> {
    Ok(0)
}

#[cfg(windows)]
fn write_all(mut socket: &Socket, bytes: &[u8]) -> io::Result<()> {
    io::Write::write_all(&mut socket, bytes)
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
