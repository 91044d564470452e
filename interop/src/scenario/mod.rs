//! The scenarios that must work with every client and every backend.

use crate::Result;
use crate::world::World;

mod backends;
mod conflict;
mod contents;
mod events;
mod plain;
mod three;

/// A name, and what happens. It begins with a new store that nobody has opened.
pub(crate) type Scenario = (&'static str, fn(&mut World<'_>) -> Result);

/// Every scenario of two clients.
pub(crate) const ALL: [Scenario; 15] = [
    ("commit on each side", plain::commit_on_each_side),
    ("live delivery", plain::live_delivery),
    ("1,000-event catch-up", plain::catch_up),
    ("rebase of the first client", conflict::rebase_of_a),
    ("rebase of the second client", conflict::rebase_of_b),
    ("both commit at once", conflict::both_at_once),
    ("offline and return", conflict::offline_and_return),
    ("client-only events stay home", contents::client_only_events),
    ("unknown events", contents::unknown_events),
    ("all types of args", contents::all_types),
    ("every kind of schema", contents::every_schema),
    ("a large event", contents::large_event),
    ("wrong token", backends::wrong_token),
    ("backend restarted", backends::restarted),
    ("backend reset", backends::reset),
];

/// Every scenario of three.
pub(crate) const OF_THREE: [Scenario; 3] = [
    ("each commits, and all agree", three::each_commits),
    ("each commits offline and returns", three::offline_and_return),
    ("all types of args, by each", three::all_types),
];
