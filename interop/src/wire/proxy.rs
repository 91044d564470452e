//! A TCP proxy.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::{message, traps};
use crate::Result;
use crate::backend::Address;

/// One client's way to the backend. It is cut when dropped.
pub(crate) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    backend: Address,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_cut: bool,
    is_over: bool,
    /// Both ends of every connection there was, to end them.
    ends: Vec<TcpStream>,
    /// The bytes that the client sent, by connection.
    sent: Vec<Vec<u8>>,
}

impl Wire {
    /// A wire to wherever the backend is when a client connects.
    pub(crate) fn to(backend: Address) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { backend, state: Mutex::default() });
        let for_thread = Arc::clone(&shared);
        thread::spawn(move || for_thread.accept(&listener));
        Ok(Self { address, shared })
    }

    /// Where a client connects to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection, and each new one at once.
    pub(crate) fn cut(&self) {
        let mut state = self.shared.state();
        state.is_cut = true;
        for end in state.ends.drain(..) {
            // It may have ended by itself.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub(crate) fn mend(&self) {
        self.shared.state().is_cut = false;
    }

    /// How often the client asked the backend for something: HTTP requests, upgrades among them.
    pub(crate) fn requests(&self) -> usize {
        self.shared.state().sent.iter().map(|sent| message::heads(sent)).sum()
    }

    /// Whether the client has acknowledged a page of a pull. Over HTTP there is no such message.
    pub(crate) fn has_acknowledged(&self) -> bool {
        self.shared.state().sent.iter().any(|sent| message::has_ack(sent))
    }

    /// Whether all that the client sent is such that LiveStore's backend lives on.
    pub(crate) fn check_traps(&self) -> Result {
        self.shared.state().sent.iter().try_for_each(|sent| traps::check(sent))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.cut();
        // Wakes the thread that accepts; if it has gone already, so much the better.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.state().is_over {
                return;
            }
            // A connection that fails is one that was cut.
            let _ = client.and_then(|client| self.connect(client));
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> std::io::Result<()> {
        let address = *self.backend.lock().unwrap_or_else(PoisonError::into_inner);
        if self.state().is_cut {
            return client.shutdown(Shutdown::Both);
        }
        let backend = TcpStream::connect(address)?;
        client.set_nodelay(true)?;
        backend.set_nodelay(true)?;
        let (client_in, backend_in) = (client.try_clone()?, backend.try_clone()?);
        let Some(connection) = self.enter(client.try_clone()?, backend.try_clone()?) else {
            return client.shutdown(Shutdown::Both);
        };
        let shared = Arc::clone(self);
        thread::spawn(move || {
            pump(client_in, backend, |bytes| {
                message::refuse_compression(bytes);
                shared.record(connection, bytes);
            });
        });
        thread::spawn(move || pump(backend_in, client, |_| ()));
        Ok(())
    }

    /// The number of the new connection, unless the wire was cut meanwhile.
    fn enter(&self, client: TcpStream, backend: TcpStream) -> Option<usize> {
        let mut state = self.state();
        if state.is_cut {
            return None;
        }
        state.ends.extend([client, backend]);
        state.sent.push(Vec::new());
        Some(state.sent.len() - 1)
    }

    fn record(&self, connection: usize, bytes: &[u8]) {
        if let Some(sent) = self.state().sent.get_mut(connection) {
            sent.extend_from_slice(bytes);
        }
    }
}

/// Carries bytes until one end is gone, and then ends the other.
fn pump(mut from: TcpStream, mut to: TcpStream, mut see: impl FnMut(&mut [u8])) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get_mut(..length).unwrap_or_default();
        see(bytes);
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
