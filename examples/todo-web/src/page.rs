//! The page: its elements, what people do with them, and what they show.

use std::cell::RefCell;
use std::collections::BTreeMap;

use livestore_web::Storage;
use todo_schema::{Filter, Todo};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlInputElement, Window};

use crate::view::View;

type Result<T, E = String> = std::result::Result<T, E>;

/// What people do.
pub(crate) enum Action {
    Type(String),
    Add,
    Toggle(String),
    Delete(String),
    Show(Filter),
    ClearCompleted,
    PauseOrResume,
}

/// The elements of `index.html` that change.
pub(crate) struct Page {
    window: Window,
    document: Document,
    form: HtmlElement,
    text: HtmlInputElement,
    list: HtmlElement,
    empty: HtmlElement,
    left: HtmlElement,
    clear: HtmlElement,
    sync: HtmlElement,
    sync_text: HtmlElement,
    notice: HtmlElement,
    filters: HtmlElement,
    /// The todos that are shown, by their ids.
    rows: RefCell<BTreeMap<String, Row>>,
}

struct Row {
    item: HtmlElement,
    done: HtmlInputElement,
    text: HtmlElement,
}

impl Page {
    pub(crate) fn find() -> Result<Self> {
        let window = web_sys::window().ok_or("there is no window")?;
        let document = window.document().ok_or("there is no document")?;
        Ok(Self {
            form: element(&document, "new")?,
            text: element(&document, "text")?,
            list: element(&document, "todos")?,
            empty: element(&document, "empty")?,
            left: element(&document, "left")?,
            clear: element(&document, "clear")?,
            sync: element(&document, "sync")?,
            sync_text: element(&document, "sync-text")?,
            notice: element(&document, "storage")?,
            filters: element(&document, "filters")?,
            rows: RefCell::default(),
            window,
            document,
        })
    }

    /// The page's address.
    pub(crate) fn url(&self) -> Result<String> {
        self.window.location().href().map_err(thrown)
    }

    pub(crate) fn show_storage(&self, storage: &Storage) {
        if let Storage::Memory { reason } = storage {
            self.notice.set_title(reason);
            self.notice.set_hidden(false);
        }
    }

    /// Passes everything that people do to `act`, for as long as there is the page.
    pub(crate) fn listen(
        &self,
        act: impl Fn(Action) -> Result<()> + Clone + 'static,
    ) -> Result<()> {
        let text = self.text.clone();
        on(&self.text, "input", &act, move |_| Some(Action::Type(text.value())))?;
        on(&self.form, "submit", &act, |event| {
            event.prevent_default();
            Some(Action::Add)
        })?;
        on(&self.list, "change", &act, |event| Some(Action::Toggle(todo_of(event)?)))?;
        on(&self.list, "click", &act, |event| {
            let is_delete = target(event)?.closest(".delete").ok()??.is_connected();
            is_delete.then_some(Action::Delete(todo_of(event)?))
        })?;
        on(&self.filters, "click", &act, |event| Some(Action::Show(filter_of(&target(event)?)?)))?;
        on(&self.clear, "click", &act, |_| Some(Action::ClearCompleted))?;
        on(&self.sync, "click", &act, |_| Some(Action::PauseOrResume))
    }

    pub(crate) fn show(&self, view: &View) -> Result<()> {
        if self.text.value() != view.ui.new_todo_text {
            self.text.set_value(&view.ui.new_todo_text);
        }
        self.show_todos(view)?;
        self.empty.set_hidden(!view.todos.is_empty());
        let things = if view.active == 1 { "thing" } else { "things" };
        set_text(&self.left, &format!("{} {things} to do", view.active));
        self.clear.set_hidden(view.completed == 0);
        for filter in [Filter::All, Filter::Active, Filter::Completed] {
            let button: HtmlElement = element(&self.document, name_of(filter))?;
            let is_pressed = (filter == view.ui.filter).to_string();
            button.set_attribute("aria-pressed", &is_pressed).map_err(thrown)?;
        }
        self.sync.dataset().set("state", view.sync.state).map_err(thrown)?;
        self.sync.set_title(&view.sync.details);
        set_text(&self.sync_text, &view.sync.text);
        Ok(())
    }

    /// Rows that stay are not touched: their focus and their animations go on.
    fn show_todos(&self, view: &View) -> Result<()> {
        let mut rows = self.rows.borrow_mut();
        let mut gone = std::mem::take(&mut *rows);
        let mut next = self.list.first_element_child();
        for todo in view.todos.iter() {
            let row = match gone.remove(&todo.id) {
                Some(row) => row,
                None => self.new_row(&todo.id).map_err(thrown)?,
            };
            row.show(todo)?;
            match &next {
                Some(here) if row.item.is_same_node(Some(here)) => {
                    next = here.next_element_sibling();
                }
                here => {
                    let here = here.as_ref().map(AsRef::as_ref);
                    self.list.insert_before(&row.item, here).map_err(thrown)?;
                }
            }
            rows.insert(todo.id.clone(), row);
        }
        gone.into_values().for_each(|row| row.item.remove());
        Ok(())
    }

    fn new_row(&self, id: &str) -> Result<Row, JsValue> {
        let create = |name: &str| self.document.create_element(name);
        let item: HtmlElement = create("li")?.unchecked_into();
        item.dataset().set("id", id)?;
        let label = create("label")?;
        let done: HtmlInputElement = create("input")?.unchecked_into();
        done.set_type("checkbox");
        let text: HtmlElement = create("span")?.unchecked_into();
        let delete: HtmlElement = create("button")?.unchecked_into();
        delete.set_class_name("delete");
        delete.set_attribute("type", "button")?;
        delete.set_text_content(Some("×"));
        label.append_child(&done)?;
        label.append_child(&text)?;
        item.append_child(&label)?;
        item.append_child(&delete)?;
        Ok(Row { item, done, text })
    }
}

impl Row {
    fn show(&self, todo: &Todo) -> Result<()> {
        self.done.set_checked(todo.completed);
        self.item.class_list().toggle_with_force("done", todo.completed).map_err(thrown)?;
        set_text(&self.text, &todo.text);
        if let Some(delete) = self.item.last_element_child() {
            let label = format!("Delete “{}”", todo.text);
            delete.set_attribute("aria-label", &label).map_err(thrown)?;
        }
        Ok(())
    }
}

/// Says that something went wrong, on the page and in the console.
pub(crate) fn complain(problem: &str) {
    web_sys::console::error_1(&problem.into());
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(place) = document.and_then(|document| document.get_element_by_id("problem")) {
        place.set_text_content(Some(problem));
        let _ = place.remove_attribute("hidden");
    }
}

fn element<E: JsCast>(document: &Document, id: &str) -> Result<E> {
    let found = document.get_element_by_id(id).and_then(|found| found.dyn_into().ok());
    found.ok_or_else(|| format!("the page has no `{id}`"))
}

/// Has `act` do what `action` makes of each event.
fn on(
    element: &EventTarget,
    event: &str,
    act: &(impl Fn(Action) -> Result<()> + Clone + 'static),
    action: impl Fn(&Event) -> Option<Action> + 'static,
) -> Result<()> {
    let act = act.clone();
    let listener: Closure<dyn FnMut(Event)> = Closure::new(move |event| {
        if let Some(action) = action(&event)
            && let Err(error) = act(action)
        {
            complain(&error);
        }
    });
    let listener = listener.into_js_value();
    element.add_event_listener_with_callback(event, listener.unchecked_ref()).map_err(thrown)
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// The id of the todo in whose row it happened.
fn todo_of(event: &Event) -> Option<String> {
    let item: HtmlElement = target(event)?.closest("li").ok()??.dyn_into().ok()?;
    item.dataset().get("id")
}

fn name_of(filter: Filter) -> &'static str {
    match filter {
        Filter::All => "all",
        Filter::Active => "active",
        Filter::Completed => "completed",
    }
}

fn filter_of(button: &Element) -> Option<Filter> {
    let filters = [Filter::All, Filter::Active, Filter::Completed];
    filters.into_iter().find(|filter| name_of(*filter) == button.id())
}

fn set_text(element: &HtmlElement, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

fn thrown(exception: JsValue) -> String {
    format!("{exception:?}")
}
