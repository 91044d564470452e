//! Processes that say things line by line, and do not outlive whoever started them.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::Result;

/// The longest that a process may take for an answer. The first one waits for node to start.
const DEADLINE: Duration = Duration::from_secs(180);

/// A process whose lines are read and to which lines are written. It is killed when dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    errors: PathBuf,
}

impl Process {
    /// Starts `command`; what it complains about goes to the file `errors`.
    pub(crate) fn start(name: &str, mut command: Command, errors: PathBuf) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(&errors)?);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child =
            command.spawn().map_err(|error| format!("{name} did not start: {error}"))?;
        let input = child.stdin.take().ok_or("no stdin")?;
        let output = child.stdout.take().ok_or("no stdout")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(std::result::Result::ok);
            lines.into_iter().try_for_each(|line| send.send(line))
        });
        Ok(Self { name: name.to_owned(), child, input, lines, errors })
    }

    /// Writes a line.
    pub(crate) fn say(&mut self, line: &str) -> Result {
        writeln!(self.input, "{line}").map_err(|error| self.failed(&error.to_string()).into())
    }

    /// The next line; `what` it is for is said when it does not come.
    pub(crate) fn read_line(&self, what: &str) -> Result<String> {
        self.lines.recv_timeout(DEADLINE).map_err(|error| {
            let why = match error {
                RecvTimeoutError::Timeout => format!("no answer to {what} within {DEADLINE:?}"),
                RecvTimeoutError::Disconnected => format!("it ended before it answered {what}"),
            };
            self.failed(&why).into()
        })
    }

    fn failed(&self, why: &str) -> String {
        format!("{}: {why}\n{}", self.name, last_lines(&self.errors))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell either way.
        #[cfg(unix)]
        let _ = kill_group(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// node's own child, workerd, would outlive it.
#[cfg(unix)]
fn kill_group(leader: u32) -> std::io::Result<std::process::ExitStatus> {
    Command::new("kill").args(["-KILL", "--", &format!("-{leader}")]).stderr(Stdio::null()).status()
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines.iter().rev().take(20).rev().map(|line| format!("    {line}\n")).collect()
}
