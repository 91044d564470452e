//! The worker: it opens the store once no other leads, and leads then.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use livestore::__private::web::{IfHeld, folder_of, install_disk, open_in_worker};
use livestore::ErrorChain;
use livestore::Store;
use livestore::schema::Schema;
use livestore::store::Builder;
use sqlite_wasm_rs::WasmOsCallback;
use sqlite_wasm_vfs::sahpool::{OpfsSAHPoolCfgBuilder, install};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::DedicatedWorkerGlobalScope;

use crate::WorkerRequest;
use crate::disk::{WorkerDisk, directory};
use crate::js;
use crate::locks::lock;
use crate::worker::{PAGE, SERVED, Said, WorkerName};

/// The most files that SQLite has at once: the log, its WAL, and a journal before there is a WAL.
const FILES: usize = 3;

/// How often the files are tried to be opened: a browser takes its time to close those of a worker that
/// is gone.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Returns whether this is a worker of a store; if it is one of this schema, opens that store.
pub(crate) fn serve<S: Schema>(builder: impl FnOnce(WorkerRequest) -> Builder<S>) -> bool {
    let Some(scope) = scope() else { return false };
    let Some(name) = WorkerName::parse(&scope.name()) else { return false };
    if name.is_of::<S>() {
        let page_url = js::member(&scope, PAGE).and_then(|url| url.as_string());
        let store_id = name.store_id.clone();
        let request = WorkerRequest { store_id, page_url: page_url.unwrap_or_default() };
        let _ = js_sys::Reflect::set(&scope, &SERVED.into(), &JsValue::TRUE);
        wasm_bindgen_futures::spawn_local(lead(builder(request), name.store_id));
    }
    true
}

/// Whether this is a worker of a store.
pub(crate) fn is_worker() -> bool {
    scope().is_some_and(|scope| WorkerName::parse(&scope.name()).is_some())
}

fn scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

fn say(said: &Said) {
    if let Some(scope) = scope() {
        let _ = scope.post_message(&said.to_js());
    }
}

async fn lead<S: Schema>(builder: Builder<S>, store_id: String) {
    let path = match folder_of(&store_id) {
        Ok(folder) => format!("livestore{}", folder.display()),
        Err(error) => return say(&Said::Failed(error.to_string())),
    };
    if let Err(reason) = directory(&path).await {
        return say(&Said::Denied(reason));
    }
    say(&Said::Ready);
    let Some(lock) = lock(&format!("livestore leads {path}"), IfHeld::Wait).await else {
        return say(&Said::Denied("there are no Web Locks".to_owned()));
    };
    say(&Said::Leads);
    match open(builder, &path).await {
        // For as long as there is this worker.
        Ok(store) => OPEN.with(|open| *open.borrow_mut() = Some(Box::new((store, lock)))),
        Err(reason) => say(&Said::Failed(reason)),
    }
}

thread_local! {
    /// The store, and the lock that lets it lead.
    static OPEN: RefCell<Option<Box<dyn std::any::Any>>> = const { RefCell::new(None) };
}

async fn open<S: Schema>(builder: Builder<S>, path: &str) -> Result<Store<S>, String> {
    let mut attempts = 0;
    let disk = loop {
        match open_files(path).await {
            Ok(disk) => break disk,
            Err(reason) if attempts == ATTEMPTS => return Err(reason),
            Err(_) => attempts += 1,
        }
        js::sleep(PAUSE).await;
    };
    install_disk(Some(Rc::new(disk)));
    // It does not wait for a first sync: whoever opens it in a page does.
    open_in_worker(builder).await.map_err(|error| ErrorChain::new(&error).to_string())
}

/// Opens the files: those that SQLite has, and the snapshot's.
async fn open_files(path: &str) -> Result<WorkerDisk, String> {
    let directory = directory(path).await?;
    let disk = WorkerDisk::open(&directory).await.map_err(|error| js::text(&error))?;
    let options = OpfsSAHPoolCfgBuilder::new().directory(path).initial_capacity(FILES).build();
    let installed = install::<WasmOsCallback>(&options, true).await;
    installed.map_err(|error| error.to_string())?;
    Ok(disk)
}
