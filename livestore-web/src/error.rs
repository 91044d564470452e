//! Why a store cannot be opened in a page.

/// Why [`open`](crate::open) has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// As elsewhere.
    #[error(transparent)]
    Store(#[from] livestore::store::OpenError),
    /// The worker, which has the files, could not be loaded.
    #[error(
        "the worker that stores events could not be loaded from {url}: {reason}; if that is not the \
         JavaScript file of `wasm-bindgen --target web`, call `livestore_web::set_module_url`"
    )]
    WorkerNotLoaded {
        /// The JavaScript file.
        url: String,
        /// The reason, for people.
        reason: String,
    },
    /// `main` does not call [`worker`](crate::worker) for this schema.
    #[error(
        "the worker has no store of this schema: call `livestore_web::worker` first in `main`, and \
         return if it is true"
    )]
    NoWorker,
    /// The worker could not open the store.
    #[error("the worker could not open the store: {reason}")]
    Worker {
        /// The reason, for people.
        reason: String,
    },
    /// Another tab has the store's files, and does not answer.
    #[error(
        "the tab that has the store's files open does not answer: close it or reload it, or try again"
    )]
    Unresponsive,
    /// The module's URL is not known.
    #[error(
        "the URL of this WebAssembly module's JavaScript is not known: call \
         `livestore_web::set_module_url`"
    )]
    NoModuleUrl,
    /// This is the worker: only a page opens a store.
    #[error("a worker cannot open a store as a page does: `livestore_web::worker` opens it there")]
    InWorker,
}
