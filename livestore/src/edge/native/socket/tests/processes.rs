//! Lines between two processes: the test's program runs itself again.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, getpid, kill_process};

use super::*;

const ROLE: &str = "LIVESTORE_SOCKET_ROLE";
const FOLDER: &str = "LIVESTORE_SOCKET_FOLDER";
const NAME: &str = "edge::native::socket::tests::processes::other_process";

/// How many frames the dying process sends: less than a socket's buffer has room for.
const LAST_FRAMES: usize = 100;

/// Killed when the test is over, however it ends.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Other {
    fn start(role: &str, folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", NAME, "--ignored", "--nocapture"]);
        command.env(ROLE, role).env(FOLDER, folder).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits until it has printed this.
    fn wait_for(&mut self, text: &str) {
        let output = BufReader::new(self.0.stdout.take().unwrap());
        assert!(output.lines().any(|line| line.unwrap().contains(text)), "no {text:?}");
    }
}

#[test]
#[ignore = "the other process of the other tests"]
fn other_process() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("run by the other tests only"));
    match std::env::var(ROLE).unwrap().as_str() {
        "dies" => send_and_die(&folder),
        "echoes" => {
            let _listener = echo(&folder);
            println!("listening");
            std::thread::park();
        }
        "receives" => {
            let (line, events) = dial_recorded(&folder).unwrap();
            line.send([b"here".to_vec()]);
            loop {
                match events.recv().unwrap() {
                    LineEvent::Frame(frame) => line.send([frame.len().to_le_bytes().to_vec()]),
                    LineEvent::Closed { reason } => return println!("{reason}"),
                }
            }
        }
        role => panic!("no role {role:?}"),
    }
}

fn send_and_die(folder: &Path) {
    let (line, _events) = dial_recorded(folder).unwrap();
    for n in 0..LAST_FRAMES {
        line.send([vec![u8::try_from(n).unwrap(); 200]]);
    }
    assert!(line.is_idle(), "not all of it was written");
    kill_process(getpid(), Signal::KILL).unwrap();
}

#[test]
fn frames_go_to_another_process_and_back_until_it_is_killed() {
    let folder = folder();
    let mut other = Other::start("echoes", folder.path());
    other.wait_for("listening");
    let (line, events) = dial_recorded(folder.path()).unwrap();
    for size in [0, 200, 1 << 20, 10 << 20] {
        line.send([vec![5; size]]);
        assert_eq!(frame(&events).len(), size);
    }
    other.signal(Signal::KILL);
    assert!(closed(&events).contains("the other session"));
    other.0.wait().unwrap();
    // Its socket is still there.
    let error = dial_recorded(folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    let _listener = echo(folder.path());
    let (line, events) = dial_recorded(folder.path()).unwrap();
    line.send([vec![1]]);
    assert_eq!(frame(&events), [1]);
}

/// Nothing is read before the process is dead.
#[test]
fn what_a_process_sent_arrives_after_it_was_killed() {
    let folder = folder();
    let (sender, events) = channel();
    let (dead, is_dead) = channel::<()>();
    let mut is_dead = Some(is_dead);
    let _listener = listen(folder.path(), move |line| {
        is_dead.take().unwrap().recv().unwrap();
        let sender = sender.clone();
        Box::new(move |event| sender.send((line.clone(), event)).unwrap())
    })
    .unwrap();
    let mut other = Other::start("dies", folder.path());
    assert_eq!(other.0.wait().unwrap().signal(), Some(9));
    dead.send(()).unwrap();
    for n in 0..LAST_FRAMES {
        let (_line, event) = events.recv().unwrap();
        let expected = vec![u8::try_from(n).unwrap(); 200];
        assert!(matches!(event, LineEvent::Frame(frame) if frame == expected), "frame {n}");
    }
    let (_line, event) = events.recv().unwrap();
    assert!(matches!(event, LineEvent::Closed { .. }), "{event:?}");
}

#[test]
fn a_process_that_stops_receives_all_once_it_goes_on() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let mut other = Other::start("receives", folder.path());
    let (line, events) = lines.recv().unwrap();
    assert_eq!(frame(&events), b"here");
    other.signal(Signal::STOP);
    for _ in 0..40 {
        line.send([vec![1; 1 << 20]]);
    }
    assert!(!line.is_idle(), "a stopped process read 40 MiB");
    other.signal(Signal::CONT);
    for _ in 0..40 {
        assert_eq!(frame(&events), (1_usize << 20).to_le_bytes());
    }
    line.close();
    other.wait_for("the other session closed the connection");
}

#[test]
fn a_process_that_stays_stopped_is_given_up() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let mut other = Other::start("receives", folder.path());
    let (line, events) = lines.recv().unwrap();
    assert_eq!(frame(&events), b"here");
    other.signal(Signal::STOP);
    for _ in 0..100 {
        line.send([vec![1; 1 << 20]]);
    }
    assert!(closed(&events).contains("hangs"));
    other.signal(Signal::CONT);
    other.wait_for("the other session was gone in the middle of a frame");
}
