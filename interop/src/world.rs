//! Where a scenario takes place: one store, two or three clients, a backend.

use std::path::PathBuf;

use livestore_protocol::Identity;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Result;
use crate::backend::{Backend, TOKEN};
use crate::client::{Client, Entry, Event, Open, State, Status, Transport, Version};
use crate::wait::{Look, until};
use crate::wire::Wire;

/// The clients of one store, and the backend.
pub(crate) struct World<'a> {
    pub(crate) a: Seat<'a>,
    pub(crate) b: Seat<'a>,
    /// The third client, where there is one.
    c: Option<Seat<'a>>,
    pub(crate) backend: &'a mut Backend,
    /// Remarks that are worth reading, though they are not failures.
    pub(crate) remarks: Vec<String>,
}

impl<'a> World<'a> {
    /// Nothing is open yet.
    pub(crate) fn new(
        store_id: &str,
        transport: Transport,
        clients: &'a mut [Client],
        backend: &'a mut Backend,
    ) -> Result<Self> {
        let seats = ["a", "b", "c"].into_iter().zip(clients);
        let seats = seats.map(|(name, it)| Seat::new(name, store_id, transport, it, backend));
        let mut seats = seats.collect::<Result<Vec<_>>>()?.into_iter();
        let (Some(a), Some(b), c) = (seats.next(), seats.next(), seats.next()) else {
            return Err("two clients at least".into());
        };
        Ok(Self { a, b, c, backend, remarks: Vec::new() })
    }

    /// All clients.
    pub(crate) fn seats(&mut self) -> impl Iterator<Item = &mut Seat<'a>> {
        [&mut self.a, &mut self.b].into_iter().chain(&mut self.c)
    }

    /// All clients open the store, which is new.
    pub(crate) fn open(&mut self) -> Result {
        self.seats().try_for_each(Seat::open)
    }

    /// All clients confirm `head`, and have equal logs and equal state. LiveStore's own client knows
    /// of an event some moments before its state does.
    pub(crate) fn converge(&mut self, head: u64) -> Result {
        self.converge_logs(head)?;
        until("equal states", || {
            let states: Vec<_> = self.seats().map(Seat::synced_state).collect::<Result<_>>()?;
            if states.windows(2).all(|pair| matches!(pair, [one, other] if one == other)) {
                return Ok(Look::There(()));
            }
            let texts = states.iter().map(serde_json::to_string);
            Ok(Look::NotYet(texts.collect::<std::result::Result<Vec<_>, _>>()?.join("\n    ")))
        })
    }

    /// All clients confirm `head`, and have equal logs.
    pub(crate) fn converge_logs(&mut self, head: u64) -> Result {
        self.seats().try_for_each(|seat| seat.confirms(head))?;
        let logs: Vec<_> = self.seats().map(Seat::synced_log).collect::<Result<_>>()?;
        let pairs = logs
            .first()
            .into_iter()
            .flat_map(|first| logs.iter().skip(1).map(move |it| (first, it)));
        for (a, b) in pairs {
            if a.len() != b.len() {
                let lengths = (a.len(), b.len());
                return Err(format!("the logs have {lengths:?} synced events").into());
            }
            a.iter().zip(b).try_for_each(|(a, b)| self.compare(a, b))?;
        }
        Ok(())
    }

    /// See [`Backend::keeps_missing_args`].
    pub(crate) fn keeps_missing_args(&self) -> bool {
        self.backend.keeps_missing_args(self.a.transport)
    }

    /// Both clients made the same of every kind of event that both know.
    pub(crate) fn compare_kinds(&mut self) -> Result {
        let (a, b) = (self.a.state()?.kinds, self.b.state()?.kinds);
        let pairs = a.iter().filter_map(|a| Some((a, b.iter().find(|b| b.id == a.id)?)));
        let (same, different): (Vec<_>, Vec<_>) =
            pairs.partition(|(a, b)| same_args(&a.args, &b.args));
        match (same.len(), different.as_slice()) {
            (1.., []) => Ok(()),
            _ => {
                Err(format!("{} kinds are the same, others are not: {different:?}", same.len())
                    .into())
            }
        }
    }

    /// How far all clients are, to go with a failure.
    pub(crate) fn report(&mut self) -> String {
        let report = |seat: &mut Seat<'_>| {
            let status = seat.status().map_err(|error| error.to_string());
            format!("{}: {status:?}", seat.name)
        };
        self.seats().map(report).collect::<Vec<_>>().join(", ")
    }

    /// The generation is a client's own: it counts how often that client has rebased the event. Our
    /// log has the session without the mark of an event that continues a commit, LiveStore's with it.
    fn compare(&mut self, a: &Entry, b: &Entry) -> Result {
        let place = |e: &Entry| {
            let session_id = e.session_id.trim_end_matches('+').to_owned();
            (e.global, e.parent, e.name.clone(), e.client_id.clone(), session_id)
        };
        if place(a) != place(b) || !same_args(&a.args, &b.args) {
            return Err(format!("the logs differ: {a:?}\nand {b:?}").into());
        }
        if a.args != b.args && !is_none(&a.args) {
            let remark = format!("the text of args differs: {}\nand {}", a.args, b.args);
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
        Ok(())
    }
}

/// A client with its own wire and its own directory.
pub(crate) struct Seat<'a> {
    name: &'static str,
    client: &'a mut Client,
    wire: Wire,
    transport: Transport,
    store_id: String,
    dir: TempDir,
}

impl<'a> Seat<'a> {
    fn new(
        name: &'static str,
        store_id: &str,
        transport: Transport,
        client: &'a mut Client,
        backend: &Backend,
    ) -> Result<Self> {
        let wire = Wire::to(backend.address())?;
        let (store_id, dir) = (store_id.to_owned(), TempDir::new()?);
        Ok(Self { name, client, wire, transport, store_id, dir })
    }

    /// What the others know the client by.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn open(&mut self) -> Result {
        self.open_as(Version::Older, TOKEN)
    }

    pub(crate) fn open_as(&mut self, version: Version, token: &str) -> Result {
        let dir: PathBuf = self.dir.path().to_owned();
        self.client.open(&Open {
            url: self.wire.address().to_string(),
            transport: self.transport,
            store_id: &self.store_id,
            client_id: self.name,
            payload: json!({ "authToken": token }),
            dir: &dir,
            version,
        })
    }

    /// As if the client were another one that has never been here.
    pub(crate) fn forget(&mut self) -> Result {
        self.dir = TempDir::new()?;
        Ok(())
    }

    pub(crate) fn close(&mut self) -> Result {
        self.client.close()
    }

    /// See [`Client::commits_half_pairs`].
    pub(crate) fn commits_half_pairs(&self) -> bool {
        self.client.commits_half_pairs()
    }

    pub(crate) fn commit(&mut self, events: &[Event]) -> Result {
        self.client.commit(events)
    }

    pub(crate) fn cut(&self) {
        self.wire.cut();
    }

    /// The network is back.
    pub(crate) fn mend(&mut self) -> Result {
        self.wire.mend();
        self.after_outage()
    }

    /// Opens the store again if its client does not go on by itself.
    pub(crate) fn after_outage(&mut self) -> Result {
        if self.client.outlives_outage(self.transport) {
            return Ok(());
        }
        self.close()?;
        self.open()
    }

    pub(crate) fn log(&mut self) -> Result<Vec<Entry>> {
        self.client.log()
    }

    pub(crate) fn state(&mut self) -> Result<State> {
        self.client.state()
    }

    pub(crate) fn status(&mut self) -> Result<Status> {
        self.client.status()
    }

    /// The log without client-only events.
    pub(crate) fn synced_log(&mut self) -> Result<Vec<Entry>> {
        Ok(self.log()?.into_iter().filter(|entry| entry.client == 0).collect())
    }

    /// Waits until all up to `head` is confirmed, and nothing is pending.
    pub(crate) fn confirms(&mut self, head: u64) -> Result {
        self.waits(&format!("to confirm e{head}"), |status| {
            matches!(status, Status::On { local, upstream, pending: 0 } if (*local, *upstream) == (head, head))
        })
    }

    /// Waits until its sync has ended by itself.
    pub(crate) fn stops(&mut self) -> Result {
        self.waits("to stop", |status| matches!(status, Status::Stopped { .. }))
    }

    /// Waits until its state is one that is `wanted`.
    pub(crate) fn shows(&mut self, what: &str, wanted: impl Fn(&State) -> bool) -> Result {
        until(&format!("{} to show {what}", self.name), || {
            let state = self.client.state()?;
            Ok(Look::when(wanted(&state), || format!("{state:?}")))
        })
    }

    /// Waits until it has asked the backend for something, since it was here first.
    pub(crate) fn asks(&self) -> Result {
        until(&format!("{} to ask the backend", self.name), || {
            Ok(Look::when(self.wire.requests() > 0, || "it is silent".to_owned()))
        })
    }

    /// Waits until new events reach it as they are pushed: until it has what was stored before.
    pub(crate) fn follows(&self) -> Result {
        if self.transport == Transport::Http {
            return Ok(());
        }
        until(&format!("{} to receive its first page", self.name), || {
            Ok(Look::when(self.wire.has_acknowledged(), || "it has received none".to_owned()))
        })
    }

    /// Whether the client sent nothing that LiveStore's backend does not survive.
    pub(crate) fn check_traps(&self) -> Result {
        self.wire.check_traps().map_err(|trap| format!("{} sent {trap}", self.name).into())
    }

    fn waits(&mut self, what: &str, wanted: impl Fn(&Status) -> bool) -> Result {
        until(&format!("{} {what}", self.name), || {
            let status = self.client.status()?;
            Ok(Look::when(wanted(&status), || format!("{status:?}")))
        })
    }

    /// The state without what client-only events made, and without what is compared in
    /// [`World::compare_kinds`].
    fn synced_state(&mut self) -> Result<State> {
        let mut state = State { notes: Vec::new(), kinds: Vec::new(), ..self.state()? };
        state.samples.iter_mut().for_each(|sample| with_javascript_numbers(&mut sample["nested"]));
        Ok(state)
    }
}

/// Makes all numbers floats, and zero without its sign: LiveStore's own client writes the JSON of its
/// state so.
fn with_javascript_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().map_or(Value::Null, |n| (n + 0.0).into()),
        Value::Array(values) => values.iter_mut().for_each(with_javascript_numbers),
        Value::Object(fields) => fields.values_mut().for_each(with_javascript_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Whether the args mean the same.
pub(crate) fn same_args(a: &str, b: &str) -> bool {
    let of = |args| Identity { seq: 0, name: "", args, client_id: "", session_id: "" };
    of(a) == of(b) || is_none(a) && is_none(b)
}

/// Whether they may be those of an event without args, for which LiveStore's client logs `{}`.
fn is_none(args: &str) -> bool {
    matches!(args, "" | "null" | "{}")
}
