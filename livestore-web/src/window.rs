//! A tab's own id: a reload keeps it, and a duplicated tab gets another.

use livestore::__private::web::IfHeld;

use crate::locks::lock;
use crate::recovery::random_id;

const KEY: &str = "livestore window";

/// Returns this tab's id. While the tab is open, no other has it.
pub(crate) async fn id() -> String {
    let stored = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    if let Some(id) = stored
        && own(&id).await
    {
        return id;
    }
    let id = random_id();
    own(&id).await;
    if let Some(storage) = storage() {
        // Without it, a reload makes another window of this one.
        let _ = storage.set_item(KEY, &id);
    }
    id
}

/// Whether no other tab has this id. A tab that was duplicated has the storage of the first one.
async fn own(id: &str) -> bool {
    thread_local! {
        static OWNED: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    if OWNED.with(|owned| owned.borrow().iter().any(|known| known == id)) {
        return true;
    }
    let Some(lock) = lock(&format!("{KEY} {id}"), IfHeld::GiveUp).await else { return false };
    // For as long as there is the page.
    std::mem::forget(lock);
    OWNED.with(|owned| owned.borrow_mut().push(id.to_owned()));
    true
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok()?
}
