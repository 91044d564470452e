//! What holds of the tracker's data, whatever its clients do.

use std::error::Error;

use livestore::prelude::*;
use livestore_testing::{Client, Clients};
use tracker_schema::*;

type Result<T = (), E = Box<dyn Error>> = std::result::Result<T, E>;

const AT: Timestamp = Timestamp::from_millis(1_767_225_600_000);

fn created(id: &str, rank: &str) -> IssueEvent {
    IssueEvent::Created {
        id: id.into(),
        team: "eng".into(),
        title: format!("Issue {id}"),
        description: String::new(),
        status: Status::Todo,
        priority: Priority::None,
        assignee: None,
        project: None,
        estimate: None,
        labels: Vec::new(),
        rank: rank.into(),
        by: "ada".into(),
        at: AT,
    }
}

fn moved(id: &str, status: Status, rank: String) -> IssueEvent {
    IssueEvent::Moved { id: id.into(), status, rank, by: "ada".into(), at: AT }
}

fn column(store: &Store<App>, status: Status) -> Result<Vec<Issue>> {
    Ok(store.query(Group::Status(status).issues(&Screen::default()))?)
}

fn ids(issues: &[Issue]) -> Vec<&str> {
    issues.iter().map(|issue| &*issue.id).collect()
}

/// Two clients that share a workspace with issues `a`, `b` and `c`.
fn two_clients() -> Result<(Clients<App>, Client<App>, Client<App>)> {
    let clients = Clients::new();
    let (ada, alan) = (clients.open("ada")?, clients.open("alan")?);
    ada.commit(sample::workspace())?;
    ada.commit([created("a", "a0"), created("b", "a1"), created("c", "a2")])?;
    clients.sync()?;
    Ok((clients, ada, alan))
}

#[test]
fn issues_are_numbered_in_the_order_of_the_log() -> Result {
    let (clients, ada, alan) = two_clients()?;
    clients.conflict(&[&alan, &ada], || -> Result {
        ada.commit(created("of ada", "a3"))?;
        alan.commit(created("of alan", "a3"))?;
        // Both have number 4, until one is confirmed.
        assert_eq!(ada.query(Issue::get("of ada"))?.unwrap().number, 4);
        assert_eq!(alan.query(Issue::get("of alan"))?.unwrap().number, 4);
        Ok(())
    })??;
    clients.assert_converged();
    assert_eq!(ada.query(Issue::get("of alan"))?.unwrap().number, 4);
    assert_eq!(ada.query(Issue::get("of ada"))?.unwrap().number, 5);
    Ok(())
}

#[test]
fn two_that_drag_to_the_same_place_agree_on_the_order() -> Result {
    let (clients, ada, alan) = two_clients()?;
    let between = |store: &Store<App>| -> Result<String> {
        let issues = column(store, Status::Todo)?;
        Ok(Issue::rank_between(Some(&issues[0]), Some(&issues[1]))?)
    };
    ada.commit([created("d", "a3"), created("e", "a4")])?;
    clients.sync()?;
    clients.conflict(&[&ada, &alan], || -> Result {
        ada.commit(moved("d", Status::Todo, between(&ada)?))?;
        alan.commit(moved("e", Status::Todo, between(&alan)?))?;
        Ok(())
    })??;
    clients.assert_converged();
    let issues = column(&ada, Status::Todo)?;
    let ids = ids(&issues);
    assert_eq!((ids[0], &ids[3..]), ("a", &["b", "c"][..]));
    assert!(ids[1..3].contains(&"d") && ids[1..3].contains(&"e"), "{ids:?}");
    // Something fits between the two.
    Issue::rank_between(Some(&issues[1]), Some(&issues[2]))?;
    Ok(())
}

#[test]
fn the_last_of_two_moves_wins_and_the_activity_has_both() -> Result {
    let (clients, ada, alan) = two_clients()?;
    clients.conflict(&[&alan, &ada], || -> Result {
        ada.commit(moved("a", Status::Done, "a0".into()))?;
        alan.commit(moved("a", Status::InProgress, "a0".into()))?;
        Ok(())
    })??;
    clients.assert_converged();
    assert_eq!(ids(&column(&alan, Status::Done)?), ["a"]);
    let activity = ada.live(Activity::of("a"))?.get();
    let lines: Vec<_> = activity.iter().map(|it| &*it.what).collect();
    assert_eq!(lines, ["moved it to In Progress", "moved it to Done"]);
    Ok(())
}

#[test]
fn a_comment_on_an_issue_that_is_deleted_meanwhile_comes_back_with_it() -> Result {
    let (clients, ada, alan) = two_clients()?;
    let comment = |id: &str| CommentEvent::Added {
        id: id.into(),
        issue: "a".into(),
        author: "alan".into(),
        text: "Wait!".into(),
        at: AT,
    };
    alan.commit(comment("1"))?;
    clients.sync()?;
    clients.conflict(&[&ada, &alan], || -> Result {
        ada.commit(IssueEvent::Deleted { id: "a".into(), by: "ada".into(), at: AT })?;
        alan.commit(comment("2"))?;
        Ok(())
    })??;
    clients.assert_converged();
    assert_eq!(ids(&column(&alan, Status::Todo)?), ["b", "c"]);
    alan.commit(IssueEvent::Restored { id: "a".into(), by: "alan".into(), at: AT })?;
    clients.sync()?;
    assert_eq!(ids(&column(&ada, Status::Todo)?), ["a", "b", "c"]);
    assert_eq!(ada.live(Comment::of("a"))?.get().len(), 2);
    Ok(())
}

#[test]
fn labels_that_two_add_at_once_are_both_there() -> Result {
    let (clients, ada, alan) = two_clients()?;
    let labeled = |label: &str| IssueEvent::Labeled {
        id: "a".into(),
        label: label.into(),
        by: "ada".into(),
        at: AT,
    };
    clients.conflict(&[&ada, &alan], || -> Result {
        ada.commit([labeled("docs"), labeled("docs")])?;
        alan.commit(labeled("bug"))?;
        Ok(())
    })??;
    clients.assert_converged();
    let issue = ada.query(Issue::get("a"))?.unwrap();
    assert_eq!(issue.label_ids().collect::<Vec<_>>(), ["bug", "docs"]);
    let shown = Screen { label: Some("bug".into()), ..Screen::default() };
    assert_eq!(ids(&ada.query(shown.issues())?), ["a"]);
    Ok(())
}

#[test]
fn two_that_begin_at_once_have_one_workspace() -> Result {
    let clients = Clients::<App>::new();
    let (ada, alan) = (clients.open("ada")?, clients.open("alan")?);
    clients.conflict(&[&ada, &alan], || -> Result {
        ada.commit(sample::workspace())?;
        alan.commit((sample::workspace(), created("a", "a0")))?;
        Ok(())
    })??;
    clients.assert_converged();
    assert_eq!(ada.query(Team::all().count())?, 3);
    assert_eq!(ada.query(Issue::get("a"))?.unwrap().number, 1);
    Ok(())
}

#[test]
fn the_sample_is_divided_into_groups_without_a_rest() -> Result {
    let store = Store::<App>::builder("tracker").open()?;
    sample::fill(&store, 1_000)?;
    let people = store.query(Person::all())?;
    for grouping in [Grouping::Status, Grouping::Priority, Grouping::Assignee] {
        let groups = grouping.groups(people.iter().map(|person| &*person.id));
        let count = |group: &Group| store.query(group.issues(&Screen::default()).count());
        let counts = groups.iter().map(count).collect::<std::result::Result<Vec<_>, _>>()?;
        assert_eq!(counts.iter().sum::<u64>(), 1_000, "{grouping:?}");
        assert!(counts.iter().all(|count| *count > 0), "{grouping:?}: {counts:?}");
    }
    // From one to the next, and back.
    let group = Group::Status(Status::Todo);
    let first = store.query(group.after(&Screen::default(), None).first())?.unwrap();
    let second = store.query(group.after(&Screen::default(), Some(&first.rank)).first())?.unwrap();
    let back = store.query(group.before(&Screen::default(), Some(&second.rank)).first())?;
    assert_eq!((Some(first), Group::Status(second.status)), (back, group));
    let shown = Screen { search: "SAFARI".into(), team: Some("eng".into()), ..Screen::default() };
    let found = store.query(shown.issues())?;
    assert!(!found.is_empty() && found.iter().all(|issue| issue.title.contains("Safari")));
    Ok(())
}

#[test]
fn the_sample_is_the_same_every_time() -> Result {
    let filled = || -> Result<_> {
        let store = Store::<App>::builder("tracker").open()?;
        sample::fill(&store, 100)?;
        Ok(livestore_testing::state_text(&store)?)
    };
    let text = filled()?;
    assert_eq!(text, filled()?);
    assert!(text.contains("title='Fix "), "{text}");
    Ok(())
}

#[test]
fn a_board_of_long_columns_is_updated_row_by_row() -> Result {
    let store = Store::<App>::builder("tracker").open()?;
    sample::fill(&store, 1_000)?;
    let backlog = Group::Status(Status::Backlog).issues(&Screen::default());
    let window = store.live_window(backlog, 0..50)?;
    let id = window.get().rows()[10].id.clone();
    store.commit(moved(&id, Status::Done, "a0".into()))?;
    let (report, shown) = (window.report(), window.get());
    assert_eq!(report.tier, livestore::live::Tier::Rows, "{}", report.reason);
    assert!(shown.rows().len() == 50 && shown.rows().iter().all(|issue| issue.id != id));
    Ok(())
}

#[test]
fn what_was_done_is_undone_and_redone() -> Result {
    let store = Store::<App>::builder("tracker").open()?;
    store.commit(sample::workspace())?;
    store.commit(created("a", "a0"))?;
    let status = || -> Result<Option<Status>> {
        let issue = store.query(Issue::get("a"))?.filter(|issue| issue.deleted_at.is_none());
        Ok(issue.map(|issue| issue.status))
    };
    store.commit(moved("a", Status::Done, "a1".into()))?;
    store.undo()?;
    assert_eq!(status()?, Some(Status::Todo));
    store.undo()?;
    assert_eq!(status()?, None);
    store.redo()?;
    store.redo()?;
    assert_eq!(status()?, Some(Status::Done));
    let text = "It works.".to_owned();
    let (id, issue, author) = ("1".to_owned(), "a".to_owned(), "ada".to_owned());
    store.commit(CommentEvent::Added { id, issue, author, text, at: AT })?;
    store.commit(CommentEvent::Deleted { id: "1".into() })?;
    store.undo()?;
    assert_eq!(store.query(Comment::get("1"))?.unwrap().text, "It works.");
    Ok(())
}

#[test]
fn of_two_who_take_an_issue_the_faster_one_gets_it() -> Result {
    let (clients, ada, alan) = two_clients()?;
    let take = |by: &str| Take { issue: "a".into(), seen: None, by: by.into(), at: AT };
    clients.conflict(&[&ada, &alan], || -> Result {
        ada.execute(take("ada"))?;
        alan.execute(take("alan"))?;
        assert_eq!(alan.query(Issue::get("a"))?.unwrap().assignee.as_deref(), Some("alan"));
        Ok(())
    })??;
    for client in [&ada, &alan] {
        assert_eq!(client.query(Issue::get("a"))?.unwrap().assignee.as_deref(), Some("ada"));
    }
    assert_eq!(ada.conflicts()?.get().len(), 0);
    let conflicts = alan.conflicts()?.get();
    let [conflict] = &**conflicts else { return Err("one conflict".into()) };
    assert_eq!(conflict.error, "Ada Lovelace was faster: “Issue a” is theirs now");

    // Alan insists, now that he sees whose it is.
    let take = conflict.decode::<Take>()?;
    alan.execute(Take { seen: Some("ada".into()), ..take })?;
    alan.drop_conflict(&conflict.id)?;
    clients.sync()?;
    assert_eq!(ada.query(Issue::get("a"))?.unwrap().assignee.as_deref(), Some("alan"));
    assert_eq!(alan.conflicts()?.get().len(), 0);
    Ok(())
}

#[test]
fn titles_are_found_by_words_as_they_are_typed() -> Result {
    let store = Store::<App>::builder("tracker").open()?;
    store.commit(sample::workspace())?;
    store.commit(created("a", "a0"))?;
    let title = "The café’s menu: 100% slow".to_owned();
    store.commit(IssueEvent::Retitled { id: "a".into(), title, by: "ada".into(), at: AT })?;
    let is_found = |text: &str| -> Result<bool> {
        let shown = Screen { search: text.into(), ..Screen::default() };
        Ok(ids(&store.query(shown.issues())?) == ["a"])
    };
    for text in ["", " ", "m", "MEN", "cafe", "slow men", "100%", "\"menu"] {
        assert!(is_found(text)?, "{text:?}");
    }
    // The middle of a word, and a word that is missing.
    for text in ["enu", "menu fast"] {
        assert!(!is_found(text)?, "{text:?}");
    }
    Ok(())
}
