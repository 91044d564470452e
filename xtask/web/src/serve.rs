//! A server for one page: files of one folder, to this machine.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Component, Path};
use std::thread;

use crate::Result;

/// The longest line of a request that is read, in bytes.
const MAX_LINE: u64 = 8_192;

/// Serves until the process ends. Port 0 stands for any that is free; the first line of output ends
/// with the address.
pub(crate) fn run(folder: &Path, port: u16) -> Result {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("serving {} at http://{}", folder.display(), listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, folder) = (stream?, folder.to_owned());
        thread::spawn(move || {
            // The browser may have gone away.
            let _ = answer(stream, &folder);
        });
    }
    Ok(())
}

fn answer(mut stream: TcpStream, folder: &Path) -> io::Result<()> {
    let mut reader = BufReader::new(io::Read::take(&stream, MAX_LINE));
    let mut line = String::new();
    reader.read_line(&mut line)?;
    // All of the request is read before the connection is closed, or the browser misses the answer.
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let found = line.split(' ').nth(1).and_then(|target| file(folder, target));
    let (status, kind, body) = match found {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"there is no such file".to_vec()),
    };
    // What was just built is what is shown.
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// The file at the path of a request's target, and what is in it.
fn file(folder: &Path, target: &str) -> Option<(&'static str, Vec<u8>)> {
    let path = target.split(['?', '#']).next()?.trim_start_matches('/');
    let path = Path::new(if path.is_empty() { "index.html" } else { path });
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let kind = match path.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "wasm" => "application/wasm",
        _ => return None,
    };
    Some((kind, fs::read(folder.join(path)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_folder_are_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let has = |target: &str| file(&folder, target).is_some();
        assert!(!has("/main.rs") && !has("/../Cargo.toml") && !has("//etc/passwd") && !has("/"));
    }
}
