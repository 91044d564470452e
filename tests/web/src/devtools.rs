//! Chromium without a window, and the DevTools protocol over its pipe: JSON with a zero byte behind.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;

/// The pipe is its file 3 to read and 4 to write; here they are what is its input and output.
const START: &str = r#"exec chromium "$@" 3<&0 4>&1 >/dev/null 2>&1 0</dev/null"#;

const FLAGS: [&str; 12] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "about:blank",
];

/// The longest that it may take for an answer; the first one waits until it has started.
const DEADLINE: Duration = Duration::from_secs(120);

/// A browser. It is killed when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Browser(Arc<Mutex<Pipe>>);

struct Pipe {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// What happened meanwhile, such as a page's messages to the console.
    events: VecDeque<Value>,
    calls: u64,
}

impl Browser {
    /// Starts one that has nothing but the folder `profile`, with these flags beside its own.
    pub(crate) fn start(profile: &Path, flags: &[&str]) -> Result<Self> {
        let mut command = Command::new("bash");
        command.args(["-c", START, "chromium"]).args(flags).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.display()));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().ok_or("no stdin")?;
        let output = child.stdout.take().ok_or("no stdout")?;
        let (send, messages) = mpsc::channel();
        thread::spawn(move || {
            let texts = BufReader::new(output).split(0).map_while(std::result::Result::ok);
            let values = texts.filter_map(|text| serde_json::from_slice(&text).ok());
            values.into_iter().try_for_each(|value: Value| send.send(value))
        });
        let events = VecDeque::new();
        Ok(Self(Arc::new(Mutex::new(Pipe { child, input, messages, events, calls: 0 }))))
    }

    /// Calls a method of the browser, or of the page of this session.
    pub(crate) fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        self.pipe().call(session, method, params)
    }

    /// Takes the events of this session that came so far.
    pub(crate) fn events(&self, session: &str) -> Vec<Value> {
        let mut pipe = self.pipe();
        let new: Vec<_> = pipe.messages.try_iter().collect();
        pipe.events.extend(new);
        let is_theirs = |event: &Value| event["sessionId"].as_str() == Some(session);
        let (theirs, rest): (Vec<_>, Vec<_>) = pipe.events.drain(..).partition(is_theirs);
        pipe.events = rest.into();
        theirs
    }

    fn pipe(&self) -> MutexGuard<'_, Pipe> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Result<Value> {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": params });
        if let (Some(session), Some(call)) = (session, call.as_object_mut()) {
            call.insert("sessionId".to_owned(), session.into());
        }
        write!(self.input, "{call}\0")?;
        self.input.flush()?;
        loop {
            let answer = self.messages.recv_timeout(DEADLINE);
            let mut answer = answer.map_err(|error| format!("chromium: {method}: {error}"))?;
            if answer["id"] != self.calls {
                self.events.push_back(answer);
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(format!("chromium: {method}: {error}").into()),
                None => Ok(answer["result"].take()),
            };
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Its own processes would outlive it.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}
