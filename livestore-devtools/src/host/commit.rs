//! Committing events, and telling them as a test.

use std::fmt::Write as _;

use livestore::SeqNum;
use livestore::tools::NamedEvent;
use serde_json::Value as Json;

use super::data::{find, quote};
use super::{Host, Refused, lock, seq_of};
use crate::protocol::{CommittedInfo, RefusalCode, Source, TestCode};

/// The most events of a test: nobody reads a longer one.
const MAX_EVENTS: usize = 1_000;

impl Host {
    pub(super) fn commit(
        &self,
        fork: Option<u64>,
        name: String,
        args: &Json,
    ) -> Result<CommittedInfo, Refused> {
        let target = self.sources.target(fork)?;
        let committed = target.commit(&[NamedEvent::new(name, args.to_string())])?;
        Ok(CommittedInfo::of(&committed))
    }

    pub(super) fn as_test(
        &self,
        fork: Option<u64>,
        to: &str,
        table: Option<&str>,
    ) -> Result<TestCode, Refused> {
        let (to, identity) = (seq_of(to)?, self.target.identity()?);
        let events = self.sources.target(fork)?.read(SeqNum::ROOT, MAX_EVENTS + 1)?;
        let wanted: Vec<_> = events.into_iter().filter(|event| event.seq <= to).collect();
        if wanted.len() > MAX_EVENTS {
            let message =
                format!("up to {to} there are more than {MAX_EVENTS} events: too many for a test");
            return Err(Refused::new(RefusalCode::Unsupported, message));
        }
        let (schema, store_id) = (&identity.schema, &identity.store_id);
        let mut code = format!(
            "#[test]\nfn after_{}() -> Result<(), Box<dyn std::error::Error>> {{\n    \
             use livestore::tools::NamedEvent;\n\n    \
             let store = livestore::Store::<{schema}>::builder({store_id:?}).open()?;\n    \
             let commit = |events: &[(&str, &str)]| {{\n        \
             let events: Vec<_> = events.iter().map(|(name, args)| NamedEvent::new(*name, *args)).collect();\n        \
             store.tools().commit(&events)\n    }};\n",
            to.to_string().replace('.', "_"),
        );
        let mut rest = &wanted[..];
        while let Some(first) = rest.first() {
            let others = rest.iter().skip(1).take_while(|event| event.continues).count();
            let (commit, behind) = rest.split_at(1 + others);
            let events: Vec<_> = commit
                .iter()
                .map(|event| format!("({:?}, {})", event.name, raw_string(&event.args)))
                .collect();
            let _ = writeln!(code, "    commit(&[{}])?; // {}", events.join(", "), first.seq);
            rest = behind;
        }
        if let Some(table) = table {
            let state = self.sources.state(&Source::Now)?;
            find(&lock(&state), table)?;
        }
        code += &expectation(table);
        code += "    Ok(())\n}\n";
        Ok(TestCode { code })
    }
}

/// What the test says about the state: it fails until somebody says what is right.
fn expectation(table: Option<&str>) -> String {
    let Some(table) = table else {
        return "    assert_eq!(livestore_testing::state_text(&store)?, \"say what the state should be\");\n"
            .to_owned();
    };
    let select = format!("SELECT * FROM {}", quote(table));
    format!(
        "    let mut rows = Vec::new();\n    \
         store.tools().state()?.query({select:?})?.for_each(|row| {{\n        \
         rows.push(format!(\"{{row:?}}\"));\n        \
         std::ops::ControlFlow::Continue(())\n    }})?;\n    \
         assert_eq!(rows, [\"say what the rows should be\"]);\n"
    )
}

impl CommittedInfo {
    pub(super) fn of(seqs: &[SeqNum]) -> Self {
        Self { seqs: seqs.iter().map(ToString::to_string).collect() }
    }
}

/// A Rust literal that needs no escapes.
fn raw_string(text: &str) -> String {
    let mut hashes = String::from("#");
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
