//! A workspace to look at: a team's worth of people and labels, and any number of issues. It is the same every time.

use livestore::Timestamp;
use livestore::fractional_index::spread;
use livestore::prelude::*;

use crate::{App, CommentEvent, IssueEvent, Priority, Status, WorkspaceEvent};

/// The number of events in each commit, which fit into one push.
const EVENTS_OF_A_COMMIT: usize = 100;

/// 2026-01-01.
const FIRST: i64 = 1_767_225_600_000;
const MINUTE: i64 = 60_000;

const TEAMS: [(&str, &str, &str); 3] =
    [("eng", "ENG", "Engineering"), ("des", "DES", "Design"), ("ops", "OPS", "Operations")];
const PEOPLE: [(&str, &str); 6] = [
    ("ada", "Ada Lovelace"),
    ("alan", "Alan Turing"),
    ("grace", "Grace Hopper"),
    ("edsger", "Edsger Dijkstra"),
    ("barbara", "Barbara Liskov"),
    ("leslie", "Leslie Lamport"),
];
const PROJECTS: [(&str, &str); 4] =
    [("sync", "Sync engine"), ("mobile", "Mobile app"), ("site", "Website"), ("infra", "Billing")];
const LABELS: [(&str, &str, &str); 5] = [
    ("bug", "Bug", "#e5484d"),
    ("feature", "Feature", "#8e4ec6"),
    ("docs", "Docs", "#0091ff"),
    ("speed", "Performance", "#f5a524"),
    ("a11y", "Accessibility", "#30a46c"),
];
const VERBS: [&str; 10] = [
    "Fix", "Speed up", "Redesign", "Document", "Remove", "Test", "Rename", "Simplify", "Cache",
    "Retry",
];
const THINGS: [&str; 16] = [
    "the login page",
    "search results",
    "the sync status",
    "keyboard shortcuts",
    "the settings dialog",
    "email notifications",
    "the export of invoices",
    "avatars",
    "the mobile menu",
    "drag and drop",
    "the onboarding tour",
    "dark mode",
    "webhooks",
    "the activity feed",
    "file uploads",
    "the command palette",
];
const WHEN: [&str; 12] = [
    "on slow networks",
    "in Safari",
    "after a rebase",
    "for new teams",
    "with 10,000 rows",
    "when offline",
    "on narrow screens",
    "for screen readers",
    "before the release",
    "in the second tab",
    "with long names",
    "behind a proxy",
];
const REMARKS: [&str; 6] = [
    "I can see this, too.",
    "Let us do it after the release.",
    "The cause is in the cache: it is never emptied.",
    "Works for me on the newest version.",
    "I have a draft, and will push it tomorrow.",
    "Could someone confirm this on Windows?",
];

/// What a new workspace has, so that a first issue can be written.
pub fn workspace() -> Vec<WorkspaceEvent> {
    let text = str::to_owned;
    let teams = TEAMS.map(|(id, key, name)| WorkspaceEvent::TeamCreated {
        id: text(id),
        key: text(key),
        name: text(name),
    });
    let people =
        PEOPLE.map(|(id, name)| WorkspaceEvent::PersonJoined { id: text(id), name: text(name) });
    let projects = PROJECTS
        .map(|(id, name)| WorkspaceEvent::ProjectCreated { id: text(id), name: text(name) });
    let labels = LABELS.map(|(id, name, color)| WorkspaceEvent::LabelCreated {
        id: text(id),
        name: text(name),
        color: text(color),
    });
    let events = teams.into_iter().chain(people).chain(projects);
    events.chain(labels).collect()
}

/// Makes up issues, in the order of their ranks.
pub fn issues(count: usize) -> Vec<IssueEvent> {
    let mut dice = Dice(0x5eed);
    let ranks = spread(None, None, count).expect("an empty list has no neighbours that are wrong");
    ranks.into_iter().zip(1..).map(|(rank, n)| issue(&mut dice, rank, n)).collect()
}

fn issue(dice: &mut Dice, rank: String, n: i64) -> IssueEvent {
    let title = format!("{} {} {}", dice.of(&VERBS), dice.of(&THINGS), dice.of(&WHEN));
    let status = match dice.below(20) {
        0..6 => Status::Backlog,
        6..10 => Status::Todo,
        10..12 => Status::InProgress,
        12 => Status::InReview,
        13..19 => Status::Done,
        _ => Status::Canceled,
    };
    let priority = dice.of(&Priority::ALL);
    let assignee = dice.of(&PEOPLE).0.to_owned();
    let project = dice.of(&PROJECTS).0.to_owned();
    let labels = (0..dice.below(3)).map(|_| dice.of(&LABELS).0.to_owned()).collect();
    IssueEvent::Created {
        id: format!("sample-{n}"),
        team: dice.of(&TEAMS).0.to_owned(),
        description: format!("Someone wrote to us about this. We should {}.", lower(&title)),
        title,
        status,
        priority,
        assignee: (dice.below(5) > 0).then_some(assignee),
        project: (dice.below(3) > 0).then_some(project),
        estimate: (dice.below(2) > 0).then(|| dice.of(&[1, 2, 3, 5, 8])),
        labels,
        rank,
        by: dice.of(&PEOPLE).0.to_owned(),
        at: Timestamp::from_millis(FIRST + n * MINUTE),
    }
}

/// Makes up comments on these issues, one for every fourth.
pub fn comments(issues: usize) -> Vec<CommentEvent> {
    let mut dice = Dice(0xc0ffee);
    let commented = (1..).step_by(4).take(issues.div_ceil(4));
    let comment = |n: i64| CommentEvent::Added {
        id: format!("sample-{n}-comment"),
        issue: format!("sample-{n}"),
        author: dice.of(&PEOPLE).0.to_owned(),
        text: dice.of(&REMARKS).to_owned(),
        at: Timestamp::from_millis(FIRST + n * MINUTE + MINUTE / 2),
    };
    commented.map(comment).collect()
}

/// Fills an empty store with a workspace and this many issues.
///
/// # Errors
/// When a commit fails, as it does if the store has these issues already.
pub fn fill(store: &Store<App>, count: usize) -> Result<(), CommitError> {
    store.commit(workspace())?;
    for issues in issues(count).chunks(EVENTS_OF_A_COMMIT) {
        store.commit(issues)?;
    }
    for comments in comments(count).chunks(EVENTS_OF_A_COMMIT) {
        store.commit(comments)?;
    }
    Ok(())
}

fn lower(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Numbers that look random, and are the same every time: a linear congruential generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    fn of<T: Copy + Default, const N: usize>(&mut self, all: &[T; N]) -> T {
        all.get(self.below(N)).copied().unwrap_or_default()
    }
}
