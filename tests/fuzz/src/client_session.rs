use livestore::sync::{ConnectRequest, MessageSender, SyncEvent};
use livestore_protocol::ServerMessage;
use livestore_sync::Conversation;

/// Lines: what a backend says. The client gets through it, and every message that is understood is
/// written as one that is understood the same.
pub fn client_session(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for frame in text.lines() {
        if let Ok(message) = ServerMessage::decode(frame) {
            let mut again = String::new();
            message.encode(&mut again);
            assert_eq!(ServerMessage::decode(&again), Ok(message), "{again}");
        }
    }
    let _ = ServerMessage::decode_all(text);
    let event = SyncEvent {
        seq: 1,
        parent: 0,
        name: "v1.Seen".to_owned(),
        args: "{}".to_owned(),
        client_id: "c".into(),
        session_id: "s".into(),
        metadata: None,
    };
    let connect_request = ConnectRequest::new("st", None);
    let mut conversation = Conversation::new(connect_request, MessageSender::new(drop));
    conversation.pull(None);
    conversation.push(vec![event], None);
    let mut frames = text.lines();
    while frames.next().is_some_and(|frame| conversation.receive(frame).is_ok()) {}
}
