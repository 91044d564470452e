//! The issue tracker in a window of the desktop, on a screen that nobody looks at, beside two browsers.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::page::Page;
use crate::tracker::{TODO, column, texts, write};
use crate::world::{Programs, World};
use crate::{Result, wait};

/// Longer than anything moves.
const PAUSE: Duration = Duration::from_millis(700);

/// The most colours that a window has in which nothing is drawn yet.
const BLANK: usize = 50;

/// Two browsers and the window of `app` have one board, live, offline and back.
pub(crate) fn run(programs: &Programs, app: &Path) -> Result {
    let mut world = World::new(programs)?;
    let [one, two] = [world.open_tracker(10)?, world.open_tracker(10)?];
    for page in [&one, &two] {
        page.resize(1_900, 900)?;
        page.wait_for_sync("Synced")?;
        page.press("b")?;
    }
    let screen = Screen::start()?;
    let data = world.native_dir();
    let window = Window::open(&screen, app, &world.backend_url(), &data)?;
    window.write("from the window")?;
    wait_for_todos(&one, &["from the window"])?;
    write(&one, "from one")?;
    wait_for_todos(&two, &["from one", "from the window"])?;
    // The uppermost issue is selected in the window: in the end, the one that a browser has written.
    wait::until("the window to have what the browser wrote", &true, || {
        window.press(&["k", "1"])?;
        let urgent = texts(&two, ".card:has(.urgent) .title")?;
        Ok(urgent.iter().any(|title| title == "from one"))
    })?;

    world.stop_backend();
    write(&two, "offline in two")?;
    two.wait_for_sync("Offline · 1 to push")?;
    window.write("offline in the window")?;
    // It is killed while it has something to push, and opened again without a backend.
    drop(window);
    let window = Window::open(&screen, app, &world.backend_url(), &data)?;
    window.write("after a restart")?;
    world.start_backend()?;
    let all = [
        "after a restart",
        "from one",
        "from the window",
        "offline in the window",
        "offline in two",
    ];
    for page in [&one, &two] {
        page.eval("dispatchEvent(new Event('online'))")?;
        wait::until("all issues", &all.map(str::to_owned).to_vec(), || {
            let mut titles = column(page, TODO)?;
            titles.sort();
            Ok(titles)
        })?;
        page.wait_for_sync("Synced")?;
    }
    screen.at_rest()?;
    screen.picture(&programs.pictures.join("tracker-window.png"))?;
    match column(&one, TODO)? == column(&two, TODO)? {
        true => Ok(()),
        false => Err("the two boards differ".into()),
    }
}

fn wait_for_todos(page: &Page, wanted: &[&str]) -> Result {
    let wanted: Vec<_> = wanted.iter().map(|&title| title.to_owned()).collect();
    wait::until("the issues", &wanted, || column(page, TODO))
}

/// Whether a file in this folder, or below it, has the text.
fn has_text(folder: &Path, text: &str) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = match path.is_dir() {
            true => has_text(&path, text)?,
            // Files come and go.
            false => fs::read(&path).is_ok_and(|bytes| {
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            }),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A screen in memory.
struct Screen {
    server: Child,
    display: String,
}

impl Screen {
    fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x840x24", "-nolisten", "tcp"]);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut number = String::new();
        BufReader::new(server.stdout.take().ok_or("no stdout")?).read_line(&mut number)?;
        Ok(Self { server, display: format!(":{}", number.trim()) })
    }

    /// Runs a program that acts on the screen, and returns what it prints.
    fn run(&self, program: &str, args: &[&str]) -> Result<Vec<u8>> {
        let mut command = Command::new(program);
        let output = command.args(args).env("DISPLAY", &self.display).output()?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => {
                let error = String::from_utf8_lossy(&output.stderr);
                Err(format!("{program} {args:?}: {error}").into())
            }
        }
    }

    fn picture(&self, path: &Path) -> Result {
        self.run("import", &["-window", "root", &path.display().to_string()]).map(drop)
    }

    fn pixels(&self) -> Result<Vec<u8>> {
        self.run("import", &["-window", "root", "-depth", "8", "rgb:-"])
    }

    /// The pixels, once something is drawn and nothing moves.
    fn at_rest(&self) -> Result<Vec<u8>> {
        let mut last = Vec::new();
        wait::until("the screen to be at rest", &true, || {
            thread::sleep(PAUSE);
            let pixels = self.pixels()?;
            let colours: HashSet<_> = pixels.chunks(3).collect();
            let is_at_rest = colours.len() > BLANK && pixels == last;
            last = pixels;
            Ok(is_at_rest)
        })?;
        Ok(last)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The app's window. Its process is killed when this is dropped.
struct Window<'a> {
    screen: &'a Screen,
    app: Child,
    data: &'a Path,
}

impl<'a> Window<'a> {
    fn open(screen: &'a Screen, app: &Path, backend: &str, data: &'a Path) -> Result<Self> {
        let mut command = Command::new(app);
        command.args(["--sync", backend, "--sample", "10", "--dir"]).arg(data);
        command.env("DISPLAY", &screen.display).stdout(Stdio::null()).stderr(Stdio::null());
        let window = Self { screen, app: command.spawn()?, data };
        let id = || screen.run("xdotool", &["search", "--onlyvisible", "--name", "^Tracker$"]);
        wait::until("the window", &true, || Ok(id().is_ok()))?;
        // Without a window manager, keys go to where the pointer is.
        screen.run("xdotool", &["mousemove", "640", "420"])?;
        Ok(window)
    }

    /// Writes an issue, by the keyboard alone, and waits until the log has it.
    fn write(&self, title: &str) -> Result {
        let before = self.screen.at_rest()?;
        wait::until("the dialog", &true, || {
            self.press(&["Escape", "c"])?;
            thread::sleep(PAUSE);
            Ok(self.screen.pixels()? != before)
        })?;
        thread::sleep(PAUSE);
        self.press(&["ctrl+a"])?;
        self.screen.run("xdotool", &["type", "--delay", "30", title])?;
        thread::sleep(PAUSE);
        self.press(&["Return"])?;
        wait::until("the issue in the log", &true, || Ok(has_text(self.data, title)?))
    }

    fn press(&self, keys: &[&str]) -> Result {
        let args = [&["key", "--delay", "50"], keys].concat();
        self.screen.run("xdotool", &args).map(drop)
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        let _ = self.app.kill();
        let _ = self.app.wait();
    }
}
