//! The heart of the tracker: what is stored, what can happen, and how the one follows from the other. The
//! browser's app and the desktop's share it, and so may share a store.
//!
//! [`workspace`] has teams, people, projects and labels; [`issue`] has issues and what happens to them; [`comment`]
//! what people write about them, and [`activity`] what they did; `undo` takes that back, and [`take`] decides who gets
//! an issue that two people want. [`screen`] is what a window shows: its filters become queries there. [`sample`] makes up
//! thousands of issues, always the same.

#![expect(missing_docs, reason = "the names of an app's own data say what it is")]

pub mod activity;
pub mod comment;
pub mod issue;
pub mod sample;
pub mod screen;
pub mod take;
mod undo;
pub mod workspace;

pub use activity::Activity;
pub use comment::{Comment, CommentEvent};
pub use issue::{Issue, IssueEvent, Priority, Status};
pub use screen::{Group, Grouping, Layout, Screen, Settings};
pub use take::{NotTaken, Take};
pub use workspace::{Label, Person, Project, Team, WorkspaceEvent};

livestore::schema! {
    /// A workspace's issues, and the screen that shows them.
    pub App {
        tables: [Team, Person, Project, Label, Issue, Comment, Activity],
        documents: [Screen, Settings],
        events: [WorkspaceEvent, IssueEvent, CommentEvent],
        commands: [Take],
        undo: [IssueEvent, CommentEvent],
    }
}
