//! Lines over real sockets, between threads and between processes.

mod processes;

use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;

/// A folder of a store.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A handler that sends what happens to a channel.
fn recorded() -> (OnLine, Receiver<LineEvent>) {
    let (sender, events) = channel();
    (Box::new(move |event| drop(sender.send(event))), events)
}

/// Listens, and answers every frame with itself.
fn echo(folder: &Path) -> Listener {
    listen(folder, |line| {
        Box::new(move |event| {
            if let LineEvent::Frame(frame) = event {
                line.send([frame]);
            }
        })
    })
    .unwrap()
}

/// Listens; each line and what happens on it come out of the channel.
fn recording(folder: &Path) -> (Listener, Receiver<(Line, Receiver<LineEvent>)>) {
    let (sender, lines) = channel();
    let listener = listen(folder, move |line| {
        let (on_event, events) = recorded();
        sender.send((line, events)).unwrap();
        on_event
    });
    (listener.unwrap(), lines)
}

fn dial_recorded(folder: &Path) -> io::Result<(Line, Receiver<LineEvent>)> {
    let (on_event, events) = recorded();
    Ok((dial(folder, |_| on_event)?, events))
}

/// Whether nobody listens.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// A client that speaks no frames unless it is made to.
fn raw(folder: &Path) -> UnixStream {
    UnixStream::connect(folder.canonicalize().unwrap().join("sessions.sock")).unwrap()
}

fn frame(events: &Receiver<LineEvent>) -> Vec<u8> {
    match events.recv().unwrap() {
        LineEvent::Frame(frame) => frame,
        LineEvent::Closed { reason } => panic!("closed: {reason}"),
    }
}

/// The reason why the line closes, which is the last thing that happens on it.
fn closed(events: &Receiver<LineEvent>) -> String {
    match events.recv().unwrap() {
        LineEvent::Frame(frame) => panic!("a frame of {} bytes", frame.len()),
        LineEvent::Closed { reason } => {
            assert!(events.recv().is_err(), "something happened on a closed line");
            reason
        }
    }
}

/// The number of frames until the line closes, and why it does.
fn drain(events: &Receiver<LineEvent>) -> (usize, String) {
    let mut frames = 0;
    loop {
        match events.recv().unwrap() {
            LineEvent::Frame(_) => frames += 1,
            LineEvent::Closed { reason } => return (frames, reason),
        }
    }
}

#[test]
fn frames_of_all_sizes_come_in_order_both_ways() {
    let folder = folder();
    let _listener = echo(folder.path());
    let (line, events) = dial_recorded(folder.path()).unwrap();
    let sizes = [0, 1, 3, 4, 200, 65_535, 65_536, 65_537, 3_000_000, frame::MAX_FRAME, 7];
    let frames = sizes.map(|size| vec![u8::try_from(size % 251).unwrap(); size]);
    for frame in &frames {
        line.send([frame.clone()]);
    }
    for expected in &frames {
        assert!(*expected == frame(&events), "a frame of {} bytes", expected.len());
    }
}

#[test]
fn nobody_listens() {
    let folder = folder();
    let error = dial_recorded(folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    let error = dial_recorded(&folder.path().join("missing")).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_stale_socket_is_refused_and_replaced_and_a_dropped_listener_leaves_none() {
    let folder = folder();
    let path = folder.path().join("sessions.sock");
    // There may be sockets elsewhere, too.
    address::to_listen(folder.path()).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    let error = dial_recorded(folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    assert!(path.exists(), "dialing removed the file");

    let listener = echo(folder.path());
    let (line, events) = dial_recorded(folder.path()).unwrap();
    line.send([vec![1]]);
    assert_eq!(frame(&events), [1]);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_listener_leaves_the_socket_of_its_successor() {
    let folder = folder();
    let first = echo(folder.path());
    let _second = echo(folder.path());
    drop(first);
    let (line, events) = dial_recorded(folder.path()).unwrap();
    line.send([vec![1]]);
    assert_eq!(frame(&events), [1]);
}

#[test]
fn a_file_with_the_name_of_the_socket_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("sessions.sock");
    std::fs::write(&path, "mine").unwrap();
    let _listener = echo(folder.path());
    let (line, events) = dial_recorded(folder.path()).unwrap();
    line.send([vec![1]]);
    assert_eq!(frame(&events), [1]);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[test]
fn a_path_that_is_too_long_for_a_socket() {
    let folder = folder();
    let long = folder.path().join("a".repeat(200));
    std::fs::create_dir(&long).unwrap();
    let short = folder.path().join("link");
    std::os::unix::fs::symlink(&long, &short).unwrap();
    let listener = echo(&long);
    let path = listener.0.path.clone();
    assert!(path.as_os_str().len() <= 108, "{}", path.display());
    assert!(std::fs::metadata(&path).unwrap().file_type().is_socket());
    assert!(address::is_private(path.parent().unwrap()));
    for folder in [&long, &short] {
        let (line, events) = dial_recorded(folder).unwrap();
        line.send([vec![1]]);
        assert_eq!(frame(&events), [1]);
    }
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_directory_that_others_can_reach_into_is_not_private() {
    let folder = folder();
    let path = |name| folder.path().join(name);
    for (name, mode) in [("own", 0o700), ("group", 0o770), ("all", 0o755)] {
        std::fs::DirBuilder::new().mode(0o700).create(path(name)).unwrap();
        std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::os::unix::fs::symlink(path("own"), path("link")).unwrap();
    std::fs::write(path("file"), "").unwrap();
    let private = ["own", "group", "all", "link", "file", "missing"]
        .map(|name| address::is_private(&path(name)));
    assert_eq!(private, [true, false, false, false, false, false]);
}

/// What a client may send that is no frame, and what the reason says.
#[test]
fn bad_bytes_close_their_line_with_a_reason_and_no_other() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let (good, _events) = dial_recorded(folder.path()).unwrap();
    let (_accepted, received) = lines.recv().unwrap();
    let hundred_megabytes = (100_u32 << 20).to_le_bytes();
    let cases: [(&[u8], &str); 6] = [
        (&[], "closed the connection"),
        (&[1, 0], "in the middle of a frame"),
        (&[10, 0, 0, 0, 1, 2, 3], "in the middle of a frame"),
        (&hundred_megabytes, "a frame of 104857600 bytes is longer"),
        (&[0xff; 64], "a frame of 4294967295 bytes is longer"),
        (b"GET / HTTP/1.1\r\n\r\n", "is longer than the limit"),
    ];
    for (bytes, expected) in cases {
        let mut client = raw(folder.path());
        client.write_all(bytes).unwrap();
        let _ = client.shutdown(std::net::Shutdown::Write);
        let (_line, events) = lines.recv().unwrap();
        let reason = closed(&events);
        assert!(reason.contains(expected), "{bytes:?}: {reason}");
        assert_eq!(client.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }
    good.send([vec![7]]);
    assert_eq!(frame(&received), [7]);
}

#[test]
fn a_frame_that_is_too_long_is_not_sent() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let (line, events) = dial_recorded(folder.path()).unwrap();
    let (_accepted, received) = lines.recv().unwrap();
    line.send([vec![0; 100 << 20]]);
    assert!(closed(&events).contains("a frame of 104857600 bytes is longer"));
    assert!(closed(&received).contains("closed the connection"));
}

/// A frame that never ends holds up its own line only, and ends with the listener.
#[test]
fn a_frame_that_is_never_finished() {
    let folder = folder();
    let (listener, lines) = recording(folder.path());
    let mut client = raw(folder.path());
    client.write_all(&(60_u32 << 20).to_le_bytes()).unwrap();
    client.write_all(&[1; 1000]).unwrap();
    let (_slow, unfinished) = lines.recv().unwrap();
    let (line, _events) = dial_recorded(folder.path()).unwrap();
    let (_accepted, received) = lines.recv().unwrap();
    line.send([vec![7]]);
    assert_eq!(frame(&received), [7]);
    drop(listener);
    assert!(closed(&unfinished).contains("stopped listening"));
    assert_eq!(client.read_to_end(&mut Vec::new()).unwrap_or(0), 0);
}

#[test]
fn closing_and_dropping_a_line_end_both_ends() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    for by_drop in [false, true] {
        let (line, events) = dial_recorded(folder.path()).unwrap();
        let (_accepted, received) = lines.recv().unwrap();
        line.send([vec![1]]);
        let clone = line.clone();
        drop(clone);
        line.send([vec![2]]);
        if by_drop {
            drop(line);
        } else {
            line.close();
            line.send([vec![3]]);
        }
        assert_eq!(closed(&events), "this session closed the connection");
        assert_eq!((frame(&received), frame(&received)), (vec![1], vec![2]));
        assert!(closed(&received).contains("closed the connection"));
    }
}

/// What one end sent before it closed arrives, even if the other end fails to send meanwhile.
#[test]
fn a_failed_send_loses_nothing_that_was_received() {
    let folder = folder();
    let (opened, open) = channel::<()>();
    let mut open = Some(open);
    let (sender, events) = channel();
    let (lines_in, lines) = channel();
    let _listener = listen(folder.path(), move |line| {
        lines_in.send(line).unwrap();
        let (open, sender) = (open.take().unwrap(), sender.clone());
        let mut is_first = true;
        Box::new(move |event| {
            if std::mem::take(&mut is_first) {
                open.recv().unwrap();
            }
            sender.send(event).unwrap();
        })
    })
    .unwrap();
    let (line, _) = dial_recorded(folder.path()).unwrap();
    let frames = 20;
    for _ in 0..frames {
        line.send([vec![1; 5_000]]);
    }
    assert!(line.is_idle());
    line.close();
    let accepted = lines.recv().unwrap();
    accepted.send([vec![2]]);
    opened.send(()).unwrap();
    let (received, reason) = drain(&events);
    assert_eq!(received, frames);
    assert!(reason.contains("the other session closed"), "{reason}");
}

#[test]
fn a_full_queue_closes_the_line() {
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let client = raw(folder.path());
    let (line, events) = lines.recv().unwrap();
    for _ in 0..100 {
        line.send([vec![0; 1 << 20]]);
    }
    assert!(closed(&events).contains("hangs"));
    drop(client);
}

/// A message is queued as a whole, and an answer does not stand in the way of what follows.
#[test]
fn a_message_and_an_answer_are_never_too_long() {
    const FRAMES: usize = 100;
    let frames = |n| (0..FRAMES).map(move |_| vec![n; 1 << 20]);
    let folder = folder();
    let (_listener, lines) = recording(folder.path());
    let mut client = raw(folder.path());
    let (line, events) = lines.recv().unwrap();
    line.send_answer(frames(1));
    line.send_answer(frames(2));
    line.send(frames(3));
    line.send([vec![4; 100]]);
    assert!(closed(&events).contains("hangs"), "the third message alone fills the queue");
    drop(client);

    client = raw(folder.path());
    let (line, events) = lines.recv().unwrap();
    line.send_answer(frames(1));
    line.send(frames(2));
    for n in (0..FRAMES).map(|_| 1).chain((0..FRAMES).map(|_| 2)) {
        assert!(frame::read(&mut client).unwrap() == vec![n; 1 << 20]);
    }
    line.send([vec![5]]);
    assert_eq!(frame::read(&mut client).unwrap(), [5]);
    drop(client);
    assert!(closed(&events).contains("closed the connection"));
}

#[test]
fn fifty_sessions_connect_at_once() {
    let folder = folder();
    let _listener = echo(folder.path());
    std::thread::scope(|scope| {
        for n in 0..50 {
            let folder = folder.path();
            scope.spawn(move || {
                let (line, events) = dial_recorded(folder).unwrap();
                line.send([vec![n; 1000]]);
                assert_eq!(frame(&events), vec![n; 1000]);
            });
        }
    });
}

#[test]
fn many_stores_listen_in_one_process() {
    let folders: Vec<_> = (0..20).map(|_| folder()).collect();
    let listeners: Vec<_> = folders.iter().map(|folder| recording(folder.path())).collect();
    for (n, folder) in folders.iter().enumerate() {
        let (line, _events) = dial_recorded(folder.path()).unwrap();
        line.send([vec![u8::try_from(n).unwrap()]]);
        let (_accepted, events) = listeners[n].1.recv().unwrap();
        assert_eq!(frame(&events), [u8::try_from(n).unwrap()]);
    }
}

/// The thread's end is seen at what it owned.
#[test]
fn a_dropped_listener_ends_its_thread_and_its_lines() {
    let folder = folder();
    let (sender, ended): (Sender<()>, _) = channel();
    let listener = listen(folder.path(), move |line| {
        let _owned = &sender;
        Box::new(move |_| drop(line.clone()))
    })
    .unwrap();
    let (_line, events) = dial_recorded(folder.path()).unwrap();
    drop(listener);
    assert!(ended.recv().is_err());
    assert!(closed(&events).contains("the other session"));
    let error = dial_recorded(folder.path()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

/// Every line that was dialed closes, whenever the listener went.
#[test]
fn a_listener_is_dropped_while_others_dial() {
    for _ in 0..20 {
        let folder = folder();
        let (listener, lines) = recording(folder.path());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut dialed = Vec::new();
                    for _ in 0..20 {
                        match dial_recorded(folder.path()) {
                            Ok(line) => dialed.push(line),
                            Err(error) => assert!(is_nobody(&error), "{error}"),
                        }
                    }
                    for (_line, events) in &dialed {
                        closed(events);
                    }
                });
            }
            let _first = lines.recv().unwrap();
            drop(listener);
        });
        let accepted: Vec<_> = lines.iter().collect();
        for (_line, events) in &accepted {
            closed(events);
        }
    }
}

#[test]
fn a_handler_that_panics_closes_its_line_only() {
    let folder = folder();
    let _listener = listen(folder.path(), |line| {
        Box::new(move |event| match event {
            LineEvent::Frame(frame) if frame.is_empty() => panic!("the test wants it"),
            LineEvent::Frame(frame) => line.send([frame]),
            LineEvent::Closed { .. } => {}
        })
    })
    .unwrap();
    let (bad, bad_events) = dial_recorded(folder.path()).unwrap();
    let (good, good_events) = dial_recorded(folder.path()).unwrap();
    bad.send([Vec::new()]);
    assert!(closed(&bad_events).contains("the other session"));
    good.send([vec![1]]);
    assert_eq!(frame(&good_events), [1]);
}
