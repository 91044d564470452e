//! What undoes commits, as it is stored beside the log.

use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::EncodedEvent;

/// An event that may be committed later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventText {
    pub(crate) name: String,
    pub(crate) args: String,
}

/// What is undone, or done again, at once: one commit, or a group of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UndoStep {
    /// The commits, first to last.
    pub(crate) commits: Vec<UndoCommit>,
}

/// A commit, and what undoes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UndoCommit {
    pub(crate) id: CommitId,
    /// The events that undo it, in the order in which they are to be committed.
    pub(crate) inverse: Vec<EventText>,
    /// A hash of what these would have overwritten right behind the commit. As long as it is the same, once all
    /// that the step has done since is undone, nobody has changed that.
    pub(crate) left: i64,
}

/// Says which commit it is, whatever numbers its events have by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommitId {
    /// A hash of its session and its events.
    pub(crate) content: i64,
    /// The id of the command that has decided it, and may decide on other events later.
    pub(crate) command: Option<String>,
}

/// The form of a commit in JSON.
type CommitText = (i64, Option<String>, Vec<(String, String)>, i64);

/// The form in earlier versions, with a hash before and one behind it, of what undoing it and all before it in the
/// step would have overwritten.
type TwoHashesText = (i64, Option<String>, Vec<(String, String)>, i64, i64);

/// The form of a step before that, with one hash: that of the last commit.
type EarlierText = (i64, Vec<(i64, Option<String>, Vec<(String, String)>)>);

impl CommitId {
    pub(crate) fn of(commit: &[EncodedEvent]) -> Self {
        let command = commit.first().and_then(|first| first.command.as_ref());
        Self { content: content_of(commit), command: command.map(|command| command.id.clone()) }
    }

    /// Whether both are the same commit. Where a command has decided on other events since, it still is.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.command, &other.command) {
            (Some(command), Some(other)) => command == other,
            _ => self.content == other.content,
        }
    }
}

fn content_of(commit: &[EncodedEvent]) -> i64 {
    let mut hash = Hash::default();
    if let Some(first) = commit.first() {
        hash.add(&first.session_id);
    }
    for event in commit {
        hash.add(&event.name);
        hash.add(&event.args);
    }
    hash.digest()
}

impl UndoStep {
    /// The events that undo it, in the order in which they are to be committed.
    pub(crate) fn inverse(&self) -> impl Iterator<Item = &EventText> {
        self.commits.iter().rev().flat_map(|commit| &commit.inverse)
    }

    /// The step as JSON.
    pub(crate) fn to_text(&self) -> String {
        let commits = self.commits.iter().map(|UndoCommit { id, inverse, left }| {
            let events = inverse.iter().map(|event| (&*event.name, &*event.args));
            (id.content, id.command.as_deref(), events.collect::<Vec<_>>(), left)
        });
        // Texts and numbers have a JSON form.
        serde_json::to_string(&commits.collect::<Vec<_>>()).unwrap_or_default()
    }

    /// Reads what [`to_text`](Self::to_text) has written. `None` if it is damaged.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let commits: Vec<CommitText> = serde_json::from_str(text).ok().or_else(|| earlier(text))?;
        let commits = commits.into_iter().map(|(content, command, inverse, left)| {
            let inverse = inverse.into_iter().map(|(name, args)| EventText { name, args });
            let id = CommitId { content, command };
            UndoCommit { id, inverse: inverse.collect(), left }
        });
        Some(Self { commits: commits.collect() })
    }
}

/// Reads a step of an earlier version. The hash of a step's first commit meant what it means today. That of a later
/// one never fits again, so that a group counts as changed.
fn earlier(text: &str) -> Option<Vec<CommitText>> {
    if let Ok(commits) = serde_json::from_str::<Vec<TwoHashesText>>(text) {
        let commits = commits.into_iter();
        return Some(
            commits.map(|(id, command, inverse, _, left)| (id, command, inverse, left)).collect(),
        );
    }
    let (left, commits): EarlierText = serde_json::from_str(text).ok()?;
    let commits = commits.into_iter();
    Some(commits.map(|(id, command, inverse)| (id, command, inverse, left)).collect())
}

/// A hash of texts, each of which counts as a whole.
#[derive(Default)]
pub(crate) struct Hash(Xxh3);

impl Hash {
    pub(crate) fn add(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn digest(&self) -> i64 {
        self.0.digest().cast_signed()
    }
}

/// Where a step stands: in one of the two stacks of a window, the latest with the highest number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UndoPlace {
    pub(crate) way: Way,
    pub(crate) number: u64,
}

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Undo,
    Redo,
}

/// A change of what a window can undo and redo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UndoChange {
    Put(UndoPlace, UndoStep),
    Remove(UndoPlace),
    Clear(Way),
}

/// The changes of what a window can undo and redo, for whoever has the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UndoNotes {
    pub(crate) window_id: Arc<str>,
    pub(crate) changes: Vec<UndoChange>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_as_it_was_written() {
        let event = |name: &str| EventText { name: name.into(), args: r#"{"id":"\"a"}"#.into() };
        let id =
            |command: Option<&str>| CommitId { content: -3, command: command.map(str::to_owned) };
        let inverse = vec![event("v1.A"), event("v1.B")];
        let step = UndoStep {
            commits: vec![
                UndoCommit { id: id(None), inverse, left: i64::MIN },
                UndoCommit { id: id(Some("c")), inverse: Vec::new(), left: 1 },
            ],
        };
        assert_eq!(UndoStep::of_text(&step.to_text()), Some(step));
        for damaged in ["", "null", "[1]", "[1,[[1,null]]]", "[1.5,[]]", "[[1,null,[]]]"] {
            assert_eq!(UndoStep::of_text(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn a_step_of_an_earlier_version_is_read() {
        for (text, left) in [
            (r#"[-7,[[1,null,[["v1.A","{}"]]],[2,"c",[]]]]"#, [-7, -7]),
            (r#"[[1,null,[["v1.A","{}"]],3,4],[2,"c",[],5,6]]"#, [4, 6]),
        ] {
            let step = UndoStep::of_text(text).unwrap();
            assert_eq!(step.commits.iter().map(|commit| commit.left).collect::<Vec<_>>(), left);
            assert_eq!(step.inverse().map(|event| &*event.name).collect::<Vec<_>>(), ["v1.A"]);
        }
    }
}
