//! Several clients, and everything that may happen between them.

use super::*;

/// Whether the backend refuses an event with these args for good: every fifth of a client.
fn is_refused(args: &str) -> bool {
    args.ends_with("5}") || args.ends_with("0}")
}

/// Clients, a backend, and a network that loses what it likes.
struct World {
    backend: Vec<SyncEvent>,
    clients: Vec<Client>,
    now: Duration,
}

struct Client {
    name: String,
    engine: Engine,
    /// What would be in the file.
    log: Vec<EncodedEvent>,
    /// On its way to the client.
    inbox: VecDeque<BackendMessage>,
    connected: bool,
    committed: u64,
}

impl World {
    fn new(clients: usize) -> Self {
        let new = |n: usize| Client {
            name: format!("c{n}"),
            engine: client(0, None),
            log: Vec::new(),
            inbox: VecDeque::new(),
            connected: false,
            committed: 0,
        };
        Self { backend: Vec::new(), clients: (0..clients).map(new).collect(), now: NOW }
    }

    fn commit(&mut self, at: usize) {
        let client = &mut self.clients[at];
        client.committed += 1;
        commit(&mut client.engine, &client.name, client.committed);
        client.log.push(client.engine.state().pending.back().unwrap().clone());
        self.input(at, Input::Committed);
    }

    fn input(&mut self, at: usize, input: Input) {
        let client = &mut self.clients[at];
        let effects = match client.engine.handle(input, self.now) {
            Step::Effects(effects) => effects,
            Step::Write(transition) => {
                client.write(&transition);
                client.engine.publish(transition, self.now)
            }
        };
        for effect in effects {
            self.carry_out(at, effect);
        }
    }

    fn carry_out(&mut self, at: usize, effect: Effect) {
        let page = |events: &[SyncEvent], more| pulled(events.to_vec(), more);
        let client = &mut self.clients[at];
        match effect {
            Effect::Connect => {
                client.connected = true;
                client.inbox.push_back(BackendMessage::Connected);
            }
            Effect::Disconnect => {
                client.connected = false;
                client.inbox.clear();
            }
            Effect::Check => {}
            Effect::Pull(cursor) => {
                let head = cursor.map_or(0, |cursor| cursor.head) as usize;
                let all: Vec<_> = self.backend[head..].chunks(3).collect();
                for (n, events) in all.iter().enumerate() {
                    let more = if n + 1 == all.len() { More::No } else { More::Unknown };
                    client.inbox.push_back(page(events, more));
                }
                if all.is_empty() {
                    client.inbox.push_back(page(&[], More::No));
                }
            }
            Effect::Push { events, .. } => {
                let (head, parent) = (self.backend.len() as u64, events[0].parent);
                if parent != head {
                    let ahead = SyncError::ServerAhead { head, parent };
                    return client.inbox.push_back(BackendMessage::PushFailed(ahead));
                }
                if events.iter().any(|event| is_refused(&event.args)) {
                    let odd = BackendMessage::PushFailed(SyncError::Invalid("odd".into()));
                    return client.inbox.push_back(odd);
                }
                client.inbox.push_back(BackendMessage::Pushed);
                for client in self.clients.iter_mut().filter(|client| client.connected) {
                    client.inbox.push_back(page(&events, More::No));
                }
                self.backend.extend(events);
            }
        }
    }

    /// Everything that is on its way arrives.
    fn quiesce(&mut self) {
        for _ in 0..10_000 {
            self.now += Duration::from_secs(1);
            let mut idle = true;
            for at in 0..self.clients.len() {
                self.input(at, Input::Start);
                self.input(at, Input::Tick);
                while let Some(message) = self.clients[at].inbox.pop_front() {
                    idle = false;
                    self.input(at, Input::Backend(message));
                }
            }
            if idle && self.clients.iter().all(|client| client.engine.state().pending.is_empty()) {
                return;
            }
        }
        panic!("nothing comes to an end");
    }
}

impl Client {
    fn write(&mut self, Transition { merge, .. }: &Transition) {
        let rebased = merge.rebase.as_ref();
        if let Some(rebase) = rebased {
            self.log.retain(|event| event.seq < rebase.from);
        }
        let pending = rebased.into_iter().flat_map(|rebase| &rebase.pending);
        self.log.extend(merge.new.iter().chain(pending).cloned());
    }
}

#[derive(Debug, Clone)]
enum Action {
    Commit(usize),
    Deliver(usize),
    /// Something on the way is lost, and the connection with it.
    Cut(usize),
    Pause(usize),
    Start(usize),
    Wait(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let client = 0..3usize;
    prop_oneof![
        4 => client.clone().prop_map(Action::Commit),
        8 => client.clone().prop_map(Action::Deliver),
        1 => client.clone().prop_map(Action::Cut),
        1 => client.clone().prop_map(Action::Pause),
        2 => client.prop_map(Action::Start),
        1 => (0..60u64).prop_map(Action::Wait),
    ]
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(actions in prop::collection::vec(action(), 1..150)) {
        let mut world = World::new(3);
        for action in actions {
            match action {
                Action::Commit(at) => world.commit(at),
                Action::Deliver(at) => {
                    if let Some(message) = world.clients[at].inbox.pop_front() {
                        world.input(at, Input::Backend(message));
                    }
                }
                Action::Cut(at) => {
                    world.clients[at].inbox.clear();
                    world.clients[at].connected = false;
                    world.input(at, Input::Backend(BackendMessage::Disconnected { reason: "cut".into() }));
                }
                Action::Pause(at) => world.input(at, Input::Pause),
                Action::Start(at) => world.input(at, Input::Start),
                Action::Wait(seconds) => {
                    world.now += Duration::from_secs(seconds);
                    (0..3).for_each(|at| world.input(at, Input::Tick));
                }
            }
        }
        world.quiesce();
        let mut accepted = 0;
        for client in &world.clients {
            let (refused, synced): (Vec<_>, Vec<_>) =
                client.log.iter().partition(|event| event.is_client_only());
            let log: Vec<SyncEvent> = synced.into_iter().map(SyncEvent::from).collect();
            prop_assert_eq!(&log, &world.backend);
            let committed = (1..=client.committed).map(|n| format!("{{\"n\":{n}}}"));
            let (odd, fine): (Vec<_>, Vec<_>) = committed.partition(|args| is_refused(args));
            let own = world.backend.iter().filter(|event| *event.client_id == *client.name);
            prop_assert!(own.map(|event| &event.args).eq(&fine), "in its order");
            prop_assert!(refused.iter().map(|event| &event.args).eq(&odd), "in its order, too");
            prop_assert!(refused.iter().all(|event| event.refusal().as_deref() == Some("odd")));
            accepted += fine.len();
        }
        prop_assert_eq!(world.backend.len(), accepted);
    }
}
