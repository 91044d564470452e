//! The options of `#[table]` beyond columns: keys, uniqueness, checks, references, defaults, indexes.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test, not an API")]

use livestore::SqliteErrorKind;
use livestore::prelude::*;

#[table(check = "id <> ''", check("length(name) < 10"))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Team {
    #[column(primary_key)]
    id: String,
    #[column(unique)]
    name: String,
}

#[table(
    name = "team members",
    primary_key(team, user),
    unique(team, seat),
    index(name = "by_seat", columns(seat, user))
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Member {
    user: String,
    #[column(references = Team::ID, on_delete = cascade)]
    team: String,
    #[column(name = "the \"seat\"", check = "\"the \"\"seat\"\"\" > 0")]
    seat: i64,
}

#[table]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Task {
    #[column(primary_key)]
    id: i64,
    #[column(references = Team::ID, on_delete = set_null)]
    team: Option<String>,
    #[column(references = Task::ID, on_delete = restrict, index)]
    parent: Option<i64>,
    #[column(default = "it's new")]
    title: String,
    #[column(default = Status::Open)]
    status: Status,
    #[column(default = Some(-1.5))]
    weight: Option<f64>,
    #[column(default = Timestamp::from_millis(5))]
    at: Timestamp,
    #[column(default = vec![0, 255])]
    bytes: Vec<u8>,
    #[column(default = Json(vec![true]))]
    flags: Json<Vec<bool>>,
    #[column(default = f64::INFINITY)]
    limit: f64,
}

#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
enum Status {
    Open,
    Closed,
}

#[derive(Event, Debug, Clone)]
enum TeamEvent {
    #[event(name = "v1.TeamAdded")]
    Team(Team),
    #[event(name = "v1.TeamPut")]
    PutTeam(Team),
    #[event(name = "v1.TeamFound")]
    FindTeam(Team),
    #[event(name = "v1.MemberAdded")]
    Member(Member),
    #[event(name = "v1.TaskAdded")]
    Task(Task),
    #[event(name = "v1.TeamRemoved")]
    RemoveTeam { id: String },
    #[event(name = "v1.TaskRemoved")]
    RemoveTask { id: i64 },
    #[event(name = "v1.Sql")]
    Sql { sql: String },
}

impl Materialize for TeamEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        match self {
            Self::Team(team) => state.insert(team),
            Self::PutTeam(team) => state.upsert(team),
            Self::FindTeam(team) => state.insert_or_ignore(team).map(|_| ()),
            Self::Member(member) => state.insert(member),
            Self::Task(task) => state.insert(task),
            Self::RemoveTeam { id } => state.run(Team::delete().filter(Team::ID.eq(id))),
            Self::RemoveTask { id } => state.run(Task::delete().filter(Task::ID.eq(id))),
            Self::Sql { sql } => state.sql(sql, ()).map(|_| ()),
        }
    }
}

livestore::schema! { Teams { tables: [Member, Task, Team], events: [TeamEvent] } }

fn team(id: &str, name: &str) -> Team {
    Team { id: id.into(), name: name.into() }
}

fn member(team: &str, user: &str, seat: i64) -> TeamEvent {
    TeamEvent::Member(Member { team: team.into(), user: user.into(), seat })
}

fn task(id: i64, team: Option<&str>, parent: Option<i64>) -> TeamEvent {
    TeamEvent::Task(Task {
        id,
        team: team.map(str::to_owned),
        parent,
        title: String::new(),
        status: Status::Closed,
        weight: None,
        at: Timestamp::default(),
        bytes: Vec::new(),
        flags: Json(Vec::new()),
        limit: 0.0,
    })
}

fn sql(sql: &str) -> TeamEvent {
    TeamEvent::Sql { sql: sql.into() }
}

fn store() -> Store<Teams> {
    let store = Store::<Teams>::builder("teams").open().unwrap();
    store
        .commit((TeamEvent::Team(team("a", "Alpha")), TeamEvent::Team(team("b", "Beta"))))
        .unwrap();
    store.commit([member("a", "ada", 1), member("a", "bob", 2), member("b", "ada", 1)]).unwrap();
    store.commit([task(1, Some("a"), None), task(2, Some("b"), Some(1))]).unwrap();
    store
}

/// The commit breaks a constraint and changes nothing.
#[track_caller]
fn refused(store: &Store<Teams>, event: TeamEvent) -> String {
    let before = store.state_hash().unwrap();
    let error = store.commit(event).unwrap_err();
    let CommitError::Materialize { source, .. } = error else { panic!("{error}") };
    let (MaterializeError::Write { source, .. } | MaterializeError::Sql { source, .. }) = source
    else {
        panic!("{source}")
    };
    assert_eq!(source.kind(), SqliteErrorKind::Constraint, "{source}");
    assert_eq!(store.state_hash().unwrap(), before);
    source.to_string()
}

#[test]
fn a_composite_key_is_unique_as_a_whole() {
    let store = store();
    let message = refused(&store, member("a", "ada", 3));
    assert!(message.contains("team members.team, team members.user"), "{message}");
    store.commit(member("b", "bob", 3)).unwrap();
    let found = store.query(Member::get(("b", "bob"))).unwrap();
    assert_eq!(found.map(|member| member.seat), Some(3));
    assert_eq!(store.query(Member::get(("bob", "b"))).unwrap(), None);
}

#[test]
fn unique_columns_and_combinations() {
    let store = store();
    let message = refused(&store, TeamEvent::Team(team("c", "Alpha")));
    assert!(message.contains("team.name"), "{message}");
    refused(&store, member("a", "eve", 2));
    store.commit(member("b", "eve", 2)).unwrap();
}

#[test]
fn inserts_that_may_meet_their_key() {
    let store = store();
    let name = |id| store.query(Team::get(id)).unwrap().map(|team| team.name);
    refused(&store, TeamEvent::Team(team("a", "Again")));
    store.commit(TeamEvent::FindTeam(team("a", "Ignored"))).unwrap();
    assert_eq!(name("a").as_deref(), Some("Alpha"));
    store.commit(TeamEvent::PutTeam(team("a", "Omega"))).unwrap();
    assert_eq!(name("a").as_deref(), Some("Omega"));
    // The row was changed, not replaced: what refers to it is still there.
    assert_eq!(store.query(Member::filter(Member::TEAM.eq("a")).count()).unwrap(), 2);
    // They meet another constraint than the key's.
    refused(&store, TeamEvent::FindTeam(team("c", "Beta")));
    refused(&store, TeamEvent::PutTeam(team("c", "Beta")));
}

#[test]
fn checks_of_tables_and_columns() {
    let store = store();
    refused(&store, TeamEvent::Team(team("", "Empty")));
    refused(&store, TeamEvent::Team(team("c", "much too long")));
    refused(&store, member("b", "eve", 0));
}

#[test]
fn a_reference_must_be_there() {
    let store = store();
    refused(&store, member("x", "eve", 5));
    refused(&store, task(3, Some("x"), None));
    refused(&store, task(3, None, Some(99)));
    store.commit(task(3, None, Some(3))).unwrap();
}

#[test]
fn what_a_deletion_takes_along() {
    let store = store();
    store.commit(TeamEvent::RemoveTeam { id: "a".into() }).unwrap();
    let members = store.query(Member::all().select(Member::TEAM)).unwrap();
    assert_eq!(members, ["b"]);
    let teams = Task::all().order_by(Task::ID.asc()).select((Task::ID, Task::TEAM));
    assert_eq!(store.query(teams).unwrap(), [(1, None), (2, Some("b".into()))]);
    // Task 2 refers to task 1.
    refused(&store, TeamEvent::RemoveTask { id: 1 });
    store.commit([TeamEvent::RemoveTask { id: 2 }, TeamEvent::RemoveTask { id: 1 }]).unwrap();
    assert_eq!(store.query(Task::all().count()).unwrap(), 0);
}

#[test]
fn defaults_fill_what_sql_leaves_out() {
    let store = store();
    store.commit(sql("INSERT INTO task (id) VALUES (7)")).unwrap();
    let expected = Task {
        id: 7,
        team: None,
        parent: None,
        title: "it's new".into(),
        status: Status::Open,
        weight: Some(-1.5),
        at: Timestamp::from_millis(5),
        bytes: vec![0, 255],
        flags: Json(vec![true]),
        limit: f64::INFINITY,
    };
    assert_eq!(store.query(Task::get(7)).unwrap(), Some(expected));
    // What has no default must be given.
    refused(&store, sql("INSERT INTO team (id) VALUES ('c')"));
}

/// A single integer key is SQLite's rowid, which SQLite numbers itself: by the largest one and, once
/// that is `i64::MAX`, by chance.
#[test]
fn an_integer_key_must_be_given() {
    let store = store();
    refused(&store, sql("INSERT INTO task (title) VALUES ('no id')"));
    refused(&store, sql("INSERT INTO task (id) VALUES (NULL)"));
}

#[test]
fn indexes_have_their_names_and_columns() {
    let names =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1";
    let indexes = store().query(raw::<(String,)>(names, ())).unwrap();
    let indexes: Vec<_> = indexes.iter().map(|(name,)| name.as_str()).collect();
    assert_eq!(
        indexes,
        ["by_seat", "task_parent", "team members_team_the \"seat\"_unique", "team_name_unique"]
    );
    let ddl = "SELECT sql FROM sqlite_schema WHERE name = 'by_seat'";
    let (ddl,) = store().query(raw::<(String,)>(ddl, ()).one()).unwrap();
    assert_eq!(
        ddl,
        "CREATE INDEX \"by_seat\" ON \"team members\" (\"the \"\"seat\"\"\", \"user\")"
    );
}

#[test]
fn an_index_is_used() {
    let plan = "EXPLAIN QUERY PLAN SELECT * FROM task WHERE parent = ?";
    let rows = store().query(raw::<(i64, i64, i64, String)>(plan, (1,))).unwrap();
    assert!(rows.iter().any(|(.., detail)| detail.contains("task_parent")), "{rows:?}");
}

#[test]
fn odd_names_work_everywhere() {
    let store = store();
    let query = Member::filter(Member::SEAT.gt(1)).order_by(Member::SEAT.desc());
    assert_eq!(
        store.query(query.select((Member::USER, Member::SEAT))).unwrap(),
        [("bob".into(), 2)]
    );
    let joined = Team::all().join(Team::ID.on(Member::TEAM)).filter(Member::SEAT.eq(2));
    assert_eq!(
        store.query(joined.select((Team::NAME, Member::SEAT))).unwrap(),
        [("Alpha".into(), 2)]
    );
    let row = raw::<Member>("SELECT * FROM \"team members\" WHERE \"the \"\"seat\"\"\" = ?", (2,));
    assert_eq!(store.query(row.one()).unwrap().user, "bob");
}
