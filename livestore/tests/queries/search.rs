//! Full-text search: wherever a condition goes, and whatever happens to the state.

use livestore::live::{LiveQuery, Reactive, Tier};
use livestore::prelude::*;
use livestore::replica::Replica;
use livestore_testing::{Clients, wait_until};

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    #[column(primary_key)]
    pub id: String,
    #[column(search)]
    pub title: String,
    #[column(search)]
    pub description: Option<String>,
    #[column(index)]
    pub closed: bool,
    pub parent: Option<String>,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    #[column(primary_key)]
    pub id: i64,
    #[column(index, references = Issue::ID, on_delete = cascade)]
    pub issue: String,
    #[column(search)]
    pub text: String,
}

#[table]
pub struct Unlisted {
    #[column(primary_key, search)]
    pub id: String,
}

#[derive(Event, Clone)]
pub enum IssueEvent {
    #[event(name = "v1.IssuePut")]
    Put { id: String, title: String, description: Option<String> },
    #[event(name = "v1.IssueClosed")]
    Closed { id: String },
    #[event(name = "v1.IssueNested")]
    Nested { id: String, parent: String },
    #[event(name = "v1.IssueDeleted")]
    Deleted { id: String },
    #[event(name = "v1.Commented")]
    Commented { id: i64, issue: String, text: String },
    #[event(name = "v1.Replaced")]
    Replaced { from: String, to: String },
    #[event(name = "v1.Searched")]
    Searched { how: u8 },
}

impl Materialize for IssueEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self.clone() {
            Self::Put { id, title, description } => {
                state.upsert(&Issue { id, title, description, closed: false, parent: None })
            }
            Self::Closed { id } => {
                state.run(Issue::update().set(Issue::CLOSED, true).filter(Issue::ID.eq(id)))
            }
            Self::Nested { id, parent } => {
                state.run(Issue::update().set(Issue::PARENT, parent).filter(Issue::ID.eq(id)))
            }
            Self::Deleted { id } => state.run(Issue::delete().filter(Issue::ID.eq(id))),
            Self::Commented { id, issue, text } => state.insert(&Comment { id, issue, text }),
            Self::Replaced { from, to } => {
                state.run(sql!(App, "UPDATE issue SET title = replace(title, ?, ?)", from, to))
            }
            Self::Searched { how } => {
                match how {
                    0 => state
                        .query(Issue::filter(Issue::search("a")).count())
                        .map(drop)
                        .map_err(Into::into),
                    1 => state
                        .run(Issue::update().set(Issue::CLOSED, true).filter(!Issue::search("a"))),
                    2 => state.run(
                        Comment::delete().filter(any_of([Comment::search("a"), Comment::ID.eq(1)])),
                    ),
                    _ => state
                        .query(Issue::all().nest(
                            Issue::ID.on(Comment::ISSUE),
                            Comment::filter(Comment::search("a")),
                        ))
                        .map(drop)
                        .map_err(Into::into),
                }
            }
        }
    }
}

#[derive(Command, Serialize, Deserialize)]
#[command(name = "v1.CloseFound")]
pub struct CloseFound {
    text: String,
}

impl Execute for CloseFound {
    type Events = Vec<IssueEvent>;
    type Output = ();
    type Error = QueryError;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(Vec<IssueEvent>, ()), QueryError> {
        let found = Issue::filter(Issue::search(&self.text)).select(Issue::ID);
        let closed = state.query(found)?.into_iter().map(|id| IssueEvent::Closed { id });
        Ok((closed.collect(), ()))
    }
}

livestore::schema! {
    pub App { tables: [Issue, Comment], events: [IssueEvent], commands: [CloseFound] }
}

fn put(id: &str, title: &str, description: Option<&str>) -> IssueEvent {
    let (id, title) = (id.to_owned(), title.to_owned());
    IssueEvent::Put { id, title, description: description.map(str::to_owned) }
}

fn comment(id: i64, issue: &str, text: &str) -> IssueEvent {
    IssueEvent::Commented { id, issue: issue.into(), text: text.into() }
}

/// Three issues, the second and third of which belong to the first, and two comments.
fn store() -> Store<App> {
    let store = Store::<App>::builder("issues").open().unwrap();
    let nested = |id: &str| IssueEvent::Nested { id: id.into(), parent: "a".into() };
    store
        .commit([
            put("a", "Crash at startup", Some("A report from the café")),
            put("b", "Crash on exit", None),
            put("c", "Dark mode", Some("The crash page, too")),
            nested("b"),
            nested("c"),
            IssueEvent::Closed { id: "c".into() },
            comment(1, "a", "Same crash here"),
            comment(2, "a", "Fixed"),
        ])
        .unwrap();
    store
}

fn ids(store: &Store<App>, condition: Condition<Issue>) -> Vec<String> {
    store.query(Issue::filter(condition).order_by(Issue::ID).select(Issue::ID)).unwrap()
}

#[test]
fn each_word_is_the_beginning_of_a_word_of_the_row() {
    let store = store();
    for (text, expected) in [
        ("cra", &["a", "b", "c"][..]),
        ("CRASH rep", &["a"]),
        ("cafe star", &["a"]),
        ("rash", &[]),
        ("crash nowhere", &[]),
        ("", &["a", "b", "c"]),
        (" \t\n", &["a", "b", "c"]),
        ("- \" * ( AND", &[]),
        ("- \" * (", &["a", "b", "c"]),
    ] {
        assert_eq!(ids(&store, Issue::search(text)), expected, "{text}");
    }
}

#[test]
fn a_search_is_a_condition_like_any_other() {
    let store = store();
    let crash = || Issue::search("crash");
    assert_eq!(ids(&store, crash().and(Issue::CLOSED.eq(false))), ["a", "b"]);
    assert_eq!(ids(&store, crash() & !Issue::search("exit")), ["a", "c"]);
    assert_eq!(ids(&store, Issue::search("exit").or(Issue::CLOSED.eq(true))), ["b", "c"]);
    assert_eq!(ids(&store, any_of([Issue::search("exit"), Issue::search("dark")])), ["b", "c"]);
    let newest = Issue::filter(crash()).order_by(Issue::TITLE.desc()).limit(1);
    assert_eq!(store.query(newest.first()).unwrap().unwrap().id, "c");
    assert_eq!(store.query(Issue::filter(crash()).count()).unwrap(), 3);
    assert_eq!(store.query(Issue::filter(crash()).limit(2).count()).unwrap(), 2);
    let per_state = Issue::filter(crash()).group_by(Issue::CLOSED).select((Issue::CLOSED, count()));
    assert_eq!(store.query(per_state).unwrap(), [(false, 2), (true, 1)]);
    let parents = Issue::filter(Issue::search("report"))
        .nest(Issue::ID.on(Comment::ISSUE), Comment::filter(Comment::search("crash")));
    let [(issue, comments)] = &store.query(parents).unwrap()[..] else { panic!() };
    assert_eq!((&*issue.id, comments.len()), ("a", 1));
}

livestore::alias! { Parent = Issue }

#[test]
fn each_table_of_a_join_has_a_search_of_its_own() {
    let store = store();
    let commented = Comment::all().join(Comment::ISSUE.on(Issue::ID));
    let both = commented.filter(Issue::search("report")).filter(Comment::search("same"));
    assert_eq!(store.query(both.select(Comment::ID)).unwrap(), [1]);
    let nested = || Issue::all().left_join(Issue::PARENT.on(Issue::ID.of(Parent)));
    let of_parent = nested().filter(Parent::search("report")).order_by(Issue::ID).select(Issue::ID);
    assert_eq!(store.query(of_parent).unwrap(), ["b", "c"]);
    let either = any_of((Issue::search("dark"), Parent::search("dark")));
    assert_eq!(store.query(nested().filter(either).select(Issue::ID)).unwrap(), ["c"]);
}

#[test]
fn live_searches_are_right_after_every_commit() {
    let store = store();
    let found = Issue::filter(Issue::search("crash").and(Issue::CLOSED.eq(false)));
    let list = store.live(found.clone().order_by(Issue::TITLE)).unwrap();
    let count = store.live(found.clone().count()).unwrap();
    let window = store.live_window(found.clone().order_by(Issue::ID), 0..1).unwrap();
    let nested =
        found.clone().nest(Issue::ID.on(Comment::ISSUE), Comment::filter(Comment::search("crash")));
    let nested = store.live(nested).unwrap();
    let children =
        Issue::all().nest(Issue::ID.on(Comment::ISSUE), Comment::filter(Comment::search("crash")));
    let children = store.live(children).unwrap();
    let check = |expected: &[&str]| {
        let listed: Vec<_> = list.get().iter().map(|issue| issue.id.clone()).collect();
        assert_eq!(listed, expected);
        assert_eq!(**count.get(), expected.len() as u64);
        assert_eq!(window.get().total(), expected.len());
        let nested: Vec<_> = nested.get().iter().map(|issue| issue.id.clone()).collect();
        assert_eq!(nested.len(), expected.len());
        let crashes = store.query(Comment::filter(Comment::search("crash")).count()).unwrap();
        let listed: usize = children.get().iter().map(|issue| issue.children().len()).sum();
        assert_eq!(listed as u64, crashes);
    };
    check(&["a", "b"]);
    store.commit(put("d", "Another", Some("crash"))).unwrap();
    check(&["d", "a", "b"]);
    store.commit(put("a", "Startup", None)).unwrap();
    check(&["d", "b"]);
    store
        .commit([IssueEvent::Closed { id: "b".into() }, comment(3, "d", "CRASHED again")])
        .unwrap();
    check(&["d"]);
    store.commit(IssueEvent::Replaced { from: "Startup".into(), to: "Crash".into() }).unwrap();
    check(&["d", "a"]);
    store.commit(IssueEvent::Deleted { id: "d".into() }).unwrap();
    check(&["a"]);
    assert_eq!(children.get().iter().map(|issue| issue.children().len()).sum::<usize>(), 1);
    store.reset_state().unwrap();
    check(&["a"]);
}

#[test]
fn a_search_runs_again_and_says_so() {
    let store = store();
    let live = store.live(Issue::filter(Issue::search("crash"))).unwrap();
    let report = live.report();
    assert_eq!(report.tier, Tier::Rerun);
    assert_eq!(report.reason, "it searches the texts of a table");
    // Equal searches are one query.
    let again: LiveQuery<_> = store.live(Issue::filter(Issue::search(" crash "))).unwrap();
    assert_eq!(again.report().id, report.id);
    // A text that finds everything is no search.
    assert_eq!(store.live(Issue::filter(Issue::search("!"))).unwrap().report().tier, Tier::Rows);
}

#[test]
fn a_materializer_cannot_search() {
    let store = store();
    let hash = store.state_hash().unwrap();
    for (how, table) in [(0, "issue"), (1, "issue"), (2, "comment"), (3, "comment")] {
        let error = store.commit(IssueEvent::Searched { how }).unwrap_err();
        let text = livestore::ErrorChain::new(&error).to_string();
        assert!(text.contains(&format!("a materializer cannot search table {table}")), "{text}");
    }
    assert_eq!(store.state_hash().unwrap(), hash);
    // A command can: it decides here and now.
    store.execute(CloseFound { text: "exi".into() }).unwrap();
    assert!(store.query(Issue::get("b")).unwrap().unwrap().closed);
}

#[test]
fn a_search_leaves_no_trace_in_the_state() {
    let (searched, other) = (store(), store());
    let count = || Issue::filter(Issue::search("crash")).count();
    searched.query(count()).unwrap();
    for store in [&searched, &other] {
        store.commit([put("x", "Crash", None), IssueEvent::Deleted { id: "a".into() }]).unwrap();
    }
    assert_eq!(searched.query(count()).unwrap(), 3);
    assert_eq!(searched.state_hash().unwrap(), other.state_hash().unwrap());
    let tables = "SELECT group_concat(name) FROM main.sqlite_schema ORDER BY name";
    let names = |store: &Store<App>| store.query(raw::<(String,)>(tables, ())).unwrap();
    assert_eq!(names(&searched), names(&other));
    let bytes = |store: &Store<App>| store.tools().state().unwrap().to_bytes().unwrap();
    assert_eq!(bytes(&searched), bytes(&other));
    searched.verify_replay().unwrap();
}

#[test]
fn a_table_that_the_schema_does_not_list_cannot_be_searched() {
    let reader = |error| assert_eq!(error, QueryError::NotInSchema { table: "unlisted".into() });
    #[derive(Command, Serialize, Deserialize)]
    #[command(name = "v1.Nothing")]
    struct Nothing {}
    impl Execute for Nothing {
        type Events = Vec<IssueEvent>;
        type Output = ();
        type Error = QueryError;

        fn execute(
            &self,
            state: &Reader<'_>,
            _: &ExecuteContext,
        ) -> Result<(Vec<IssueEvent>, ()), QueryError> {
            state.query(Unlisted::filter(Unlisted::search("a"))).map(|_| (Vec::new(), ()))
        }
    }
    livestore::schema! { Other { tables: [Issue, Comment], events: [IssueEvent], commands: [Nothing] } }
    let store = Store::<Other>::builder("other").open().unwrap();
    match store.execute(Nothing {}).unwrap_err() {
        ExecuteError::Command { source, .. } => reader(source),
        other => panic!("{other}"),
    }
}

#[test]
fn a_rebase_changes_what_is_found() {
    let clients = Clients::<App>::new();
    let (alice, bob) = (clients.open("alice").unwrap(), clients.open("bob").unwrap());
    alice.commit([put("a", "one", None), put("b", "two", None)]).unwrap();
    clients.sync().unwrap();
    let find = |store: &Store<App>, text: &str| ids(store, Issue::search(text));
    for round in 0..3 {
        alice.offline();
        alice.commit([put("a", "pending crash", None), put("p", "pending", None)]).unwrap();
        // The first search is made above what is pending, which is rolled back.
        let live = alice.live(Issue::filter(Issue::search("crash"))).unwrap();
        assert_eq!(find(&alice, "pending"), ["a", "p"], "{round}");
        alice.commit([put("b", "pending", None), IssueEvent::Deleted { id: "p".into() }]).unwrap();
        assert_eq!(find(&alice, "pending"), ["a", "b"]);
        bob.commit([put("a", "crash of bob", None), put("q", &format!("round {round}"), None)])
            .unwrap();
        bob.wait_synced(std::time::Duration::from_secs(60)).unwrap();
        alice.online();
        clients.sync().unwrap();
        clients.assert_converged();
        for store in [&alice, &bob] {
            assert_eq!(find(store, "pending"), ["a", "b"]);
            assert_eq!(find(store, "round"), ["q"]);
            assert_eq!(find(store, &round.to_string()), ["q"]);
            assert_eq!(find(store, "bob two one"), [""; 0]);
        }
        let found: Vec<_> = live.get().iter().map(|issue| issue.id.clone()).collect();
        assert_eq!(found, ["a"]);
        bob.commit([put("a", "one", None), put("b", "two", None)]).unwrap();
        clients.sync().unwrap();
        assert_eq!((find(&alice, "one"), live.get().len()), (vec!["a".to_owned()], 0));
    }
    let alice = clients.restart(alice).unwrap();
    assert_eq!(find(&alice, "one"), ["a"]);
}

#[test]
fn every_session_finds_the_same() {
    let home = tempfile::tempdir().unwrap();
    let open = || Store::<App>::builder("issues").directory(home.path()).open().unwrap();
    let (leader, follower) = (open(), open());
    let live = follower.live(Issue::filter(Issue::search("crash")).count()).unwrap();
    leader.commit(put("a", "Crash", None)).unwrap();
    wait_until(|| **live.get() == 1);
    follower.commit(put("b", "Crash", None)).unwrap();
    assert_eq!(ids(&follower, Issue::search("crash")), ["a", "b"]);
    wait_until(|| ids(&leader, Issue::search("crash")) == ["a", "b"]);
}

#[test]
fn other_states_are_searched_too() {
    let store = store();
    let found = || Issue::filter(Issue::search("crash")).count();
    assert_eq!(store.query(found()).unwrap(), 3);
    let head = store.head().unwrap();
    let fork = store.fork(head).unwrap();
    fork.commit(put("d", "Crash", None)).unwrap();
    assert_eq!((store.query(found()).unwrap(), fork.query(found()).unwrap()), (3, 4));
    let before = store.state_at(SeqNum::new(2)).unwrap();
    assert_eq!(before.query(found()).unwrap(), 2);

    let mut replica = Replica::<App>::new(1 << 30).unwrap();
    let events: Vec<_> = store.events().into_iter().collect::<Result<_, _>>().unwrap();
    replica.apply(events.clone(), false).unwrap();
    assert_eq!(replica.query(found()).unwrap(), 3);
    let next =
        fork.events().into_iter().collect::<Result<Vec<_>, _>>().unwrap().split_off(events.len());
    let mut draft = replica.draft().unwrap();
    assert_eq!(draft.query(found()).unwrap(), 3);
    draft.apply(&next).unwrap();
    assert_eq!(draft.query(found()).unwrap(), 4);
    drop(draft);
    assert_eq!(replica.query(found()).unwrap(), 3);
}
