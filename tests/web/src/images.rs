//! New clients in a browser that open from an image of the state. The backend is the probe's, which knows
//! the schema, and is a client, too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::page::{Page, Profile};
use crate::tabs::{deny_storage, in_workers};
use crate::world::{World, beside_this_program};
use crate::{Result, wait};

/// The number of events that the backend has at first.
const EVENTS: u64 = 3_000;

/// The bytes that the server has sent over WebSockets.
const SENT: &str = "livestore_bytes_sent_total";

/// The backend, and the client beside it.
struct Peer {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    url: String,
}

/// A page, or the peer: somebody who has the store.
trait Client {
    /// Has it obey a command, and returns what the store is then.
    fn ask(&mut self, command: &str) -> Result<Value>;
}

impl Peer {
    fn start(events: u64) -> Result<Self> {
        let mut probe = Command::new(beside_this_program("livestore-web-probe")?);
        probe.args(["backend", &events.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = probe.spawn()?;
        let commands = child.stdin.take().ok_or("no stdin")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut peer = Self { child, commands, answers, url: String::new() };
        let line = peer.line()?;
        line.rsplit(' ').next().unwrap_or_default().clone_into(&mut peer.url);
        Ok(peer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// What the server has counted under this name.
    fn count(&self, name: &str) -> Result<u64> {
        let address = self.url.trim_start_matches("ws://");
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let count = answer.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        count.ok_or_else(|| format!("the server does not count {name}").into())
    }

    /// The address of a page that waits this many seconds for an image.
    fn page_url(&self, world: &World<'_>, seconds: u32) -> String {
        format!("{}?images={}&wait={seconds}", world.plain_url(), self.url)
    }

    /// Opens a page in a profile of its own, in which this JavaScript runs first.
    fn open_page(&self, world: &World<'_>, seconds: u32, script: &str) -> Result<Page> {
        let (profile, url) = (Profile::new(&world.browser)?, self.page_url(world, seconds));
        let page = Page::open_with(&world.browser, &profile, &url, script)?;
        load(&page)?;
        Ok(page)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client for Peer {
    fn ask(&mut self, command: &str) -> Result<Value> {
        writeln!(self.commands, "{command}")?;
        Ok(serde_json::from_str(&self.line()?)?)
    }
}

impl Client for Page {
    fn ask(&mut self, command: &str) -> Result<Value> {
        let answer = self.eval(&format!("answer({})", json!(command)))?;
        let answer: Value = serde_json::from_str(answer.as_str().unwrap_or_default())?;
        match answer["failed"].as_str() {
            Some(failed) => Err(format!("{command}: {failed}").into()),
            None => Ok(answer),
        }
    }
}

/// Loads the program that answers commands, once the page is there.
fn load(page: &Page) -> Result {
    let is_there = || page.eval("document.readyState");
    wait::until("the page", &Value::from("complete"), is_there)?;
    crate::probe::start(page, "images")?;
    wait::until("the program", &Value::from("function"), || page.eval("typeof answer"))
}

/// Waits until both have all events of both, and the same state.
fn agree(one: &mut dyn Client, other: &mut dyn Client, words: u64) -> Result {
    let wanted = json!([words, true, true]);
    wait::until("both to agree", &wanted, || {
        let (one, other) = (one.ask("look")?, other.ask("look")?);
        let is_synced = one["isSynced"] == true && other["isSynced"] == true;
        Ok(json!([one["words"], is_synced, one["hash"] == other["hash"]]))
    })
}

/// The store was opened from an image: only the last event is here.
fn is_from_image(store: &Value, first: u64) -> Result {
    let missing = format!("only the events after e{}", first - 1);
    let is_said = store["missing"].as_str().is_some_and(|text| text.contains(&missing));
    match is_said && store["noImage"].is_null() && store["events"] == 0 {
        true => Ok(()),
        false => Err(format!("it has more than the image of e{first}: {store}").into()),
    }
}

fn has_events(store: &Value, count: u64) -> Result {
    match store["events"] == count && store["missing"].is_null() {
        true => Ok(()),
        false => Err(format!("it does not have {count} events: {store}").into()),
    }
}

pub(crate) fn opens_from_an_image(world: &mut World<'_>) -> Result {
    let mut peer = Peer::start(EVENTS)?;
    let before = peer.count(SENT)?;
    let mut page = peer.open_page(world, 20, "")?;
    is_from_image(&page.ask("open")?, EVENTS + 1)?;
    agree(&mut page, &mut peer, EVENTS)?;
    let sent = peer.count(SENT)? - before;
    if peer.count("livestore_images_total")? != 1 || sent > EVENTS * 20 {
        return Err(format!("the events were sent, too: {sent} bytes").into());
    }

    // Both write; a second tab is a session of the same client.
    page.ask("say from the page")?;
    peer.ask("say from the other side")?;
    let mut tab = page.open_tab()?;
    load(&tab)?;
    tab.ask("open")?;
    tab.ask("say from the tab")?;
    let words = EVENTS + 3;
    agree(&mut page, &mut peer, words)?;
    agree(&mut tab, &mut peer, words)?;

    // What is stored is there again, and still begins with the image.
    page.load_again()?;
    load(&page)?;
    let again = page.ask("open")?;
    if again["missing"].is_null() || again["words"] != words {
        return Err(format!("it was not opened from what is stored: {again}").into());
    }
    agree(&mut page, &mut peer, words)?;

    // The history, for a tab whose worker does not lead, and then for the other one.
    has_events(&tab.ask("history")?, words)?;
    has_events(&page.ask("history")?, words)?;
    tab.close()?;
    page.ask("say again")?;
    page.load_again()?;
    load(&page)?;
    page.ask("open")?;
    agree(&mut page, &mut peer, words + 1)?;
    has_events(&page.ask("history")?, words + 1)
}

/// A second tab waits, too, for as long as the first one's worker waits for an image.
pub(crate) fn is_slow(world: &mut World<'_>) -> Result {
    let mut peer = Peer::start(EVENTS)?;
    let script = in_workers(&instead_of_images(SLOW));
    let mut page = peer.open_page(world, 60, &script)?;
    page.eval("globalThis.opening = answer('open'); 0")?;
    wait::until("the first tab to lead", &Value::Bool(true), || page.eval(LEADS))?;
    let mut tab = page.open_tab()?;
    load(&tab)?;
    is_from_image(&tab.ask("open")?, EVENTS + 1)?;
    page.eval("opening.then(() => 0)")?;
    agree(&mut page, &mut peer, EVENTS)?;
    agree(&mut tab, &mut peer, EVENTS)
}

/// All of an image, in eight parts, and each after 5 seconds.
const SLOW: &str = "new Response(new ReadableStream({ async start(answer) { \
                      for (let part = 0; part < 8; part++) { \
                        await new Promise(done => setTimeout(done, 5000)); \
                        const [from, to] = [part, part + 1].map(n => n * bytes.length / 8); \
                        answer.enqueue(bytes.slice(from, to)) \
                      } \
                      answer.close() \
                    } }))";

/// Whether a worker of this origin has the lock of a leader.
const LEADS: &str = "navigator.locks.query() \
                     .then(({ held }) => held.some(lock => lock.name.startsWith('livestore leads')))";

/// What a worker gets instead of an image.
const BROKEN: [(&str, &str); 5] = [
    ("cut short", "new Response(bytes.slice(0, bytes.length / 2))"),
    ("flipped", "(bytes[bytes.length >> 1] ^= 16, new Response(bytes))"),
    ("a web page", "new Response(\"<!doctype html>\")"),
    ("refused", "new Response(\"not today\", { status: 503 })"),
    ("late", "await new Promise(() => {})"),
];

fn instead_of_images(answer: &str) -> String {
    format!(
        "const get = fetch; \
         self.fetch = async (url, ...rest) => {{ \
           const got = await get(url, ...rest); \
           if (!String(url).includes('/image?')) return got; \
           const bytes = new Uint8Array(await got.arrayBuffer()); \
           return {answer} \
         }}"
    )
}

pub(crate) fn broken_images_are_not_used(world: &mut World<'_>) -> Result {
    let mut peer = Peer::start(EVENTS)?;
    for (what, answer) in BROKEN {
        let script = in_workers(&instead_of_images(answer));
        let seconds = if what == "late" { 2 } else { 20 };
        let mut page = peer.open_page(world, seconds, &script)?;
        let opened = page.ask("open")?;
        if opened["noImage"].is_null() {
            return Err(format!("{what}: it was used: {opened}").into());
        }
        agree(&mut page, &mut peer, EVENTS).map_err(|error| format!("{what}: {error}"))?;
        has_events(&page.ask("history")?, EVENTS)?;
        page.close()?;
    }
    Ok(())
}

pub(crate) fn in_memory(world: &mut World<'_>) -> Result {
    let mut peer = Peer::start(EVENTS)?;
    let mut page = peer.open_page(world, 20, &in_workers(deny_storage()))?;
    is_from_image(&page.ask("open")?, EVENTS)?;
    agree(&mut page, &mut peer, EVENTS)?;
    has_events(&page.ask("history")?, EVENTS)
}

/// Without the backend, what is stored of the image opens, and the history does not come: a tab says so.
pub(crate) fn without_the_backend(world: &mut World<'_>) -> Result {
    let peer = Peer::start(EVENTS)?;
    let mut page = peer.open_page(world, 1, "")?;
    page.ask("open")?;
    drop(peer);
    page.load_again()?;
    load(&page)?;
    let opened = page.ask("open")?;
    if opened["words"] != EVENTS {
        return Err(format!("it was not opened from what is stored: {opened}").into());
    }
    let failed = page.ask("history").map(|store| store.to_string());
    match failed {
        Err(error) if error.to_string().contains("could not load the history") => Ok(()),
        other => Err(format!("the history has come: {other:?}").into()),
    }
}
