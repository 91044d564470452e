//! Connections between the sessions of a store: local sockets, by which only this user's processes
//! reach each other.
//!
//! Windows has Unix domain sockets, too. Unlike its named pipes, they can be shut down while a thread
//! reads from them.

mod address;
mod frame;
mod line;
#[cfg(unix)]
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use self::line::End;
pub(crate) use self::line::{Line, LineEvent, OnLine};
use super::disk::FileIdentity;
use socket2::{Domain, SockAddr, Socket, Type};

/// How many sessions may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How long the listener waits before it tries again when the system has no file or memory left.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts lines from other sessions on a thread of its own. Dropping it ends all its lines, too.
pub(crate) struct Listener(Arc<Shared>);

struct Shared {
    socket: Socket,
    path: PathBuf,
    /// The socket file; unknown on Windows.
    file: Option<FileIdentity>,
    /// The lines that were accepted; `None` once the listener is dropped.
    lines: Mutex<Option<Vec<Weak<End>>>>,
    ended: Condvar,
}

/// Listens for other sessions of the store in `folder`, and calls `accept` with each line from one.
/// Only the owner of the directory lock may call this: a socket file that is there already is
/// stale, and is removed.
///
/// # Errors
/// When no socket can be made, or no thread.
pub(crate) fn listen(
    folder: &Path,
    accept: impl FnMut(Line) -> OnLine + Send + 'static,
) -> io::Result<Listener> {
    let (socket, path) = bind(folder)?;
    let file = FileIdentity::at(&path).ok();
    let lines = Mutex::new(Some(Vec::new()));
    let listener = Listener(Arc::new(Shared { socket, path, file, lines, ended: Condvar::new() }));
    let shared = Arc::clone(&listener.0);
    let builder = std::thread::Builder::new().name("livestore-listener".to_owned());
    builder.spawn(move || shared.accept_all(accept))?;
    Ok(listener)
}

/// Connects to the session that listens for the store in `folder`.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` when nobody listens; `WouldBlock` when whoever does has not
/// accepted anybody for so long that its queue is full.
pub(crate) fn dial(folder: &Path, on_event: impl FnOnce(Line) -> OnLine) -> io::Result<Line> {
    let mut nobody = io::Error::from(io::ErrorKind::NotFound);
    for path in address::to_dial(folder)? {
        match connect(&path) {
            Ok(socket) => return End::new(socket).start(on_event),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => nobody = error,
            Err(error) => return Err(error),
        }
    }
    Err(nobody)
}

/// Connects without waiting for a session that hangs, where the system can.
fn connect(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(cfg!(unix))?;
    socket.connect(&SockAddr::unix(path)?)?;
    socket.set_nonblocking(false)?;
    Ok(socket)
}

/// A listening socket at the first address where there can be one.
fn bind(folder: &Path) -> io::Result<(Socket, PathBuf)> {
    let mut refused = io::Error::from(io::ErrorKind::NotFound);
    for path in address::to_listen(folder)? {
        match bind_at(&path) {
            Ok(socket) => return Ok((socket, path)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn bind_at(path: &Path) -> io::Result<Socket> {
    address::remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // Nobody can connect before it listens.
    address::make_private(path)?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

impl Shared {
    fn accept_all(&self, mut accept: impl FnMut(Line) -> OnLine) {
        loop {
            let accepted = self.socket.accept();
            if self.has_ended() {
                return;
            }
            match accepted {
                Ok((socket, _)) => self.accept(socket, &mut accept),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, path = %self.path.display(), "no session can be accepted");
                    self.pause();
                }
            }
        }
    }

    fn accept(&self, socket: Socket, accept: &mut impl FnMut(Line) -> OnLine) {
        let end = End::new(socket);
        match &mut *self.lines() {
            Some(lines) => {
                lines.retain(|line| line.strong_count() > 0);
                lines.push(Arc::downgrade(&end));
            }
            None => return,
        }
        if let Err(error) = end.start(accept) {
            tracing::warn!(%error, path = %self.path.display(), "a session was not accepted");
        }
    }

    /// Waits a moment, or until the listener is dropped.
    fn pause(&self) {
        let lines = self.lines();
        if lines.is_some() {
            drop(self.ended.wait_timeout(lines, PAUSE));
        }
    }

    fn has_ended(&self) -> bool {
        self.lines().is_none()
    }

    fn lines(&self) -> MutexGuard<'_, Option<Vec<Weak<End>>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does not wait for the threads: `accept` and the lines' events may want a lock that is held here.
impl Drop for Listener {
    fn drop(&mut self) {
        let shared = &self.0;
        let lines = shared.lines().take();
        shared.ended.notify_all();
        let is_ours = || FileIdentity::at(&shared.path).ok() == shared.file;
        // Linux ends `accept` at this; other systems need somebody to accept.
        if shared.socket.shutdown(Shutdown::Both).is_err() && is_ours() {
            let _ = connect(&shared.path);
        }
        if is_ours() {
            let _ = std::fs::remove_file(&shared.path);
        }
        for line in lines.into_iter().flatten().filter_map(|line| line.upgrade()) {
            line.close("the session that accepted it stopped listening");
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("path", &self.0.path).finish_non_exhaustive()
    }
}
