//! A client's messages, decoded from HTTP and WebSocket: all that arrived whole.

use serde_json::Value;

use crate::Result;

/// The messages of one connection: text frames, or the bodies of HTTP requests.
pub(super) fn messages(sent: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut messages = Vec::new();
    let mut rest = sent;
    while let Some((head, after)) = take_head(rest) {
        if header(&head, "upgrade").is_some() {
            messages.extend(text_frames(after)?);
            break;
        }
        if header(&head, "transfer-encoding").is_some() {
            return Err("a chunked request: its body cannot be read here".into());
        }
        let length = header(&head, "content-length").map_or(Ok(0), str::parse)?;
        let Some((body, after)) = after.split_at_checked(length) else { break };
        if length > 0 {
            messages.push(body.to_vec());
        }
        rest = after;
    }
    Ok(messages)
}

/// Whether an `Ack` was among them: a client sends one for each page that it has received.
pub(super) fn has_ack(sent: &[u8]) -> bool {
    let is_ack = |message: &Vec<u8>| {
        serde_json::from_slice::<Value>(message)
            .is_ok_and(|message| message.get("_tag").is_some_and(|tag| tag == "Ack"))
    };
    messages(sent).is_ok_and(|messages| messages.iter().any(is_ack))
}

/// How many HTTP requests were begun.
pub(super) fn heads(sent: &[u8]) -> usize {
    let ends = sent.windows(10).filter(|window| window == b" HTTP/1.1\r");
    ends.count()
}

/// Has an upgrade not offer compression, which browsers do: compressed messages cannot be read here. The
/// header gets a name that nobody knows.
pub(super) fn refuse_compression(request: &mut [u8]) {
    const OFFER: &[u8] = b"sec-websocket-extensions:";
    let is_offer = |bytes: &[u8]| bytes.eq_ignore_ascii_case(OFFER);
    let place = request.windows(OFFER.len()).position(is_offer);
    if request.starts_with(b"GET ")
        && let Some(first) = place.and_then(|at| request.get_mut(at))
    {
        *first = b'X';
    }
}

/// The head of an HTTP request, in lower case, and what is behind it.
fn take_head(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, after) = bytes.split_at_checked(end + 4)?;
    Some((String::from_utf8_lossy(head).to_ascii_lowercase(), after))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The texts of WebSocket frames (RFC 6455, 5.2), put together where they are fragmented.
fn text_frames(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    let mut text = Vec::new();
    let mut rest = bytes;
    while let Some((frame, after)) = take_frame(rest) {
        rest = after;
        match frame.opcode {
            0 | 1 => text.extend(frame.payload),
            2 => return Err("a binary frame".into()),
            _ => continue,
        }
        if frame.is_last {
            texts.push(std::mem::take(&mut text));
        }
    }
    Ok(texts)
}

struct Frame {
    is_last: bool,
    opcode: u8,
    payload: Vec<u8>,
}

/// A frame as clients send it: masked.
fn take_frame(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk().map(|(n, rest)| (u64::from(u16::from_be_bytes(*n)), rest))?
        }
        127 => rest.split_first_chunk().map(|(n, rest)| (u64::from_be_bytes(*n), rest))?,
        length => (u64::from(length), rest),
    };
    let (mask, rest) = rest.split_first_chunk::<4>()?;
    let (masked, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let payload = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Some((Frame { is_last: first & 0x80 != 0, opcode: first & 0x0f, payload }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        let masked = payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
        [first, 0x80 | 126].into_iter().chain(length).chain(MASK).chain(masked).collect()
    }

    fn upgraded(frames: &[Vec<u8>]) -> Vec<u8> {
        let head = b"GET /?storeId=a HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        head.iter().copied().chain(frames.concat()).collect()
    }

    #[test]
    fn frames_are_unmasked_and_put_together() {
        let sent = upgraded(&[frame(0x01, b"he"), frame(0x89, b"ping"), frame(0x80, b"llo")]);
        assert_eq!(messages(&sent).unwrap(), [b"hello"]);
        assert_eq!(heads(&sent), 1);
    }

    #[test]
    fn a_page_that_was_received_is_acknowledged() {
        let pull = frame(0x81, br#"{"_tag":"Request","id":"0","tag":"SyncWsRpc.Pull"}"#);
        let ack = frame(0x81, br#"{"_tag":"Ack","requestId":"0"}"#);
        assert!(!has_ack(&upgraded(std::slice::from_ref(&pull))));
        assert!(has_ack(&upgraded(&[pull, ack])));
    }

    #[test]
    fn an_upgrade_offers_no_compression() {
        let mut head = *b"GET / HTTP/1.1\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
        refuse_compression(&mut head);
        assert_eq!(header(&take_head(&head).unwrap().0, "sec-websocket-extensions"), None);
        let mut body = *b"sec-websocket-extensions: in a text";
        refuse_compression(&mut body);
        assert_eq!(&body, b"sec-websocket-extensions: in a text");
    }

    #[test]
    fn what_was_cut_off_is_left_out() {
        let mut sent = upgraded(&[frame(0x81, b"whole"), frame(0x81, b"cut")]);
        sent.pop();
        assert_eq!(messages(&sent).unwrap(), [b"whole"]);
    }

    #[test]
    fn bodies_follow_each_other_on_a_connection() {
        let sent = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\noneGET / HTTP/1.1\r\n\r\n\
                     POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\ntwo";
        assert_eq!(messages(sent).unwrap(), [b"one", b"two"]);
        assert_eq!(heads(sent), 3);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(messages(&upgraded(&[frame(0x82, b"bytes")])).is_err());
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(messages(chunked).is_err());
    }
}
