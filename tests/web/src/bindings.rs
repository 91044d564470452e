//! The examples of the bindings for browsers: the same todos with each framework, as somebody uses them.

use crate::page::{Page, Profile};
use crate::scenario::is_quiet;
use crate::tracker::texts;
use crate::world::World;
use crate::{Result, wait};

const PAGE: &str = "<!doctype html><meta charset=utf-8><link rel=icon href=data:,><body><div id=main></div>\
                    <script type=module>import start from './NAME.js'; await start();</script>";

pub(crate) fn dioxus(world: &mut World<'_>) -> Result {
    todos(world, "todos-dioxus")
}

pub(crate) fn leptos(world: &mut World<'_>) -> Result {
    todos(world, "todos-leptos")
}

pub(crate) fn yew(world: &mut World<'_>) -> Result {
    todos(world, "todos-yew")
}

fn todos(world: &World<'_>, name: &str) -> Result {
    let file = format!("{name}.html");
    std::fs::write(world.programs.site.join(&file), PAGE.replace("NAME", name))?;
    let profile = Profile::new(&world.browser)?;
    let page = Page::open(&world.browser, &profile, &world.address_of(&file))?;
    wait_for_text(&page, "todos")?;
    page.eval("document.querySelector('form input').focus()")?;
    for todo in ["Milk", "Bread and butter"] {
        page.type_text(todo)?;
        page.press("Enter")?;
        wait::until("an empty field", &"".into(), || page.eval("document.activeElement.value"))?;
    }
    wait_for_todos(&page, &["Milk", "Bread and butter"])?;
    wait_for_text(&page, "2 open")?;
    page.click("li input")?;
    wait_for_text(&page, "1 open")?;
    let tab = page.open_tab()?;
    wait_for_todos(&tab, &["Milk", "Bread and butter"])?;
    tab.click("li:last-child button")?;
    wait_for_todos(&page, &["Milk"])?;
    tab.close()?;
    page.load_again()?;
    wait_for_todos(&page, &["Milk"])?;
    wait::until("its mark", &true.into(), || {
        page.eval("document.querySelector('li input').checked")
    })?;
    is_quiet(&page)
}

fn wait_for_todos(page: &Page, wanted: &[&str]) -> Result {
    let wanted: Vec<_> = wanted.iter().map(|text| format!("{text} ×")).collect();
    wait::until("the todos", &wanted, || texts(page, "li"))
}

fn wait_for_text(page: &Page, text: &str) -> Result {
    let is_there = || page.eval(&format!("document.body?.innerText.includes('{text}') ?? false"));
    wait::until(text, &true.into(), is_there)
}
