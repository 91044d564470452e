//! Opening a new store from an image of its state, which the backend has made: see
//! [`InitialSync::Image`](crate::sync::InitialSync::Image).
//!
//! The image's last event is the first one of the log, behind its [`Base`](crate::eventlog::Base), and the
//! image is the first snapshot. From then on it is a store like any other, but for the events before. If
//! the snapshot is lost, or of no use to a new schema, no state can be made: then the log
//! [begins again](begin_again), with all that is not synced, and everything else is pulled.

mod request;

pub(super) use request::Wanted;

use crate::ambient::new_id;
use crate::error::ErrorChain;
use crate::event::SeqNum;
use crate::eventlog::{CommandNotes, Eventlog, EventlogError, LogChange, Upstream};
use crate::schema::SchemaDef;
use crate::state::{Image, ImageError, Snapshot, State};
use crate::sync::merge::{SyncState, renumber};

/// The bytes of an image, or the reason why there is none.
pub(super) type Answer = Result<Vec<u8>, String>;

/// What a store was opened with.
#[derive(Default)]
pub(super) struct Opened {
    /// The state of an image, which the log begins with.
    pub(super) state: Option<State>,
    /// The reason why there is none, although the app wanted one.
    pub(super) no_image: Option<String>,
}

/// A store that an image may be for.
#[derive(Clone, Copy)]
pub(super) struct NewStore<'a> {
    pub(super) store_id: &'a str,
    pub(super) log: &'a Eventlog,
    pub(super) snapshot: Option<&'a Snapshot>,
    pub(super) schema: &'static SchemaDef,
    pub(super) schema_hash: i64,
    pub(super) max_state_bytes: u64,
}

/// Why an image is not used.
#[derive(Debug, thiserror::Error)]
enum NotInstalled {
    #[error("{0}")]
    NotSent(String),
    #[error("the store has got events meanwhile")]
    NotNew,
    #[error("the image is of another backend than the log")]
    OtherBackend,
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the image takes {0} bytes, more than the state may")]
    TooLarge(u64),
    #[error(transparent)]
    Eventlog(#[from] EventlogError),
}

impl NewStore<'_> {
    /// Has the log begin with the image, if it can be used. Otherwise nothing has happened.
    pub(super) fn open_with(self, image: Answer) -> Opened {
        match self.install(image) {
            Ok(state) => Opened { state: Some(state), no_image: None },
            Err(error) => {
                let reason = ErrorChain::new(&error).to_string();
                tracing::warn!(reason, "the store is not opened from an image: it replays");
                Opened { state: None, no_image: Some(reason) }
            }
        }
    }

    fn install(self, image: Answer) -> Result<State, NotInstalled> {
        let bytes = image.map_err(NotInstalled::NotSent)?;
        let known = self.log.upstream()?.unwrap_or_default();
        if self.log.head()? != SeqNum::ROOT || known.head > 0 {
            return Err(NotInstalled::NotNew);
        }
        let image = Image::decode(bytes, self.store_id, self.schema_hash)?;
        if known.backend_id.is_some_and(|known| known != image.backend_id()) {
            return Err(NotInstalled::OtherBackend);
        }
        let size = image.body().len() as u64;
        if size > self.max_state_bytes {
            return Err(NotInstalled::TooLarge(size));
        }
        let state = image.state(self.schema)?;
        let upstream = Upstream {
            backend_id: Some(image.backend_id().to_owned()),
            head: state.head.global,
            generation: known.generation,
        };
        self.log.begin_at(image.base(), &image.last(), &upstream)?;
        if let Some(snapshot) = self.snapshot
            && let Err(error) = snapshot.write_body(self.schema_hash, state.head, image.body())
        {
            let error = ErrorChain::new(&error);
            tracing::warn!(%error, "the image was not stored: the next open pulls all events");
        }
        tracing::info!(head = %state.head, bytes = size, "the store was opened from an image");
        Ok(state)
    }
}

/// Gives up what is synced of a log that does not have its first events, so that all of it is pulled. What
/// is not synced comes first then: pending events, and client-only ones.
pub(super) fn begin_again(log: &Eventlog) -> Result<(), EventlogError> {
    let Some(base) = log.base()? else { return Ok(()) };
    let (state, backend_id) = SyncState::read(log)?;
    let mut left = Vec::new();
    let mut pages = log.pages(base.place(), state.confirmed_head);
    loop {
        let page = pages.next_page()?;
        if page.is_empty() {
            break;
        }
        left.extend(page.into_iter().filter(|event| event.is_client_only()));
    }
    left.extend(state.pending);
    let generation = state.local_head.generation + 1;
    let left = renumber(left.iter(), SeqNum::ROOT, generation);
    let (first, _) = SeqNum::ROOT.next(true);
    log.change(&LogChange {
        confirmed: Vec::new(),
        remove_from: Some(first),
        append: left.iter().collect(),
        upstream: Some(&Upstream { backend_id, head: 0, generation }),
        confirmed_head: SeqNum::ROOT,
        commands: CommandNotes::default(),
        new_history: Some(new_id()),
    })
}
