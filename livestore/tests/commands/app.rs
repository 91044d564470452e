//! Accounts: their balances stay above zero if whoever takes money looks first. And commands that misbehave.

use std::sync::atomic::{AtomicU64, Ordering};

use livestore::prelude::*;

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    #[column(primary_key)]
    pub name: String,
    pub balance: i64,
}

#[table]
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    #[column(primary_key)]
    pub id: String,
    pub text: String,
}

#[derive(Event, Debug, Clone, PartialEq)]
pub enum AccountEvent {
    #[event(name = "v1.Opened")]
    Opened { name: String, balance: i64 },
    #[event(name = "v1.Moved")]
    Moved { from: String, to: String, amount: i64 },
    /// Cannot be applied if there is a receipt with this id.
    #[event(name = "v1.Noted")]
    Noted { id: String, text: String },
    #[event(name = "v1.Seen", client_only)]
    Seen { text: String },
}

impl Materialize for AccountEvent {
    fn materialize(&self, state: &mut Writer<'_>) -> Result<(), MaterializeError> {
        let mut add = |name: &str, amount: i64| {
            state
                .run(Account::update().add(Account::BALANCE, amount).filter(Account::NAME.eq(name)))
        };
        match self {
            Self::Opened { name, balance } => state
                .insert_or_ignore(&Account { name: name.clone(), balance: *balance })
                .map(|_| ()),
            Self::Moved { from, to, amount } => {
                add(from, -amount)?;
                add(to, *amount)
            }
            Self::Noted { id, text } => {
                state.insert(&Receipt { id: id.clone(), text: text.clone() })
            }
            Self::Seen { .. } => Ok(()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotPaid {
    #[error("{name} has {balance}, and not {amount}")]
    TooLittle { name: String, balance: i64, amount: i64 },
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Moves money that is there, and notes it.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pay {
    pub from: String,
    pub to: String,
    pub amount: i64,
}

impl Execute for Pay {
    type Events = Vec<AccountEvent>;
    type Output = String;
    type Error = NotPaid;

    fn execute(
        &self,
        state: &Reader<'_>,
        context: &ExecuteContext,
    ) -> Result<(Vec<AccountEvent>, String), NotPaid> {
        let Self { from, to, amount } = self.clone();
        let balance = state.query(Account::get(&from))?.map_or(0, |account| account.balance);
        if balance < amount {
            return Err(NotPaid::TooLittle { name: from, balance, amount });
        }
        let (id, again) = (context.id(), context.is_again());
        let text = if again { "paid later" } else { "paid" };
        let noted = AccountEvent::Noted { id: id.clone(), text: text.to_owned() };
        Ok((vec![AccountEvent::Moved { from, to, amount }, noted], id))
    }
}

/// Moves as much as there is, up to an amount: nothing, if there is nothing.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[command(name = "PayUpTo")]
pub struct PaySome {
    pub from: String,
    pub to: String,
    pub most: i64,
}

impl Execute for PaySome {
    type Events = Option<AccountEvent>;
    type Output = i64;
    type Error = QueryError;

    fn execute(
        &self,
        state: &Reader<'_>,
        _: &ExecuteContext,
    ) -> Result<(Option<AccountEvent>, i64), QueryError> {
        let Self { from, to, most } = self.clone();
        let balance = state.query(Account::get(&from))?.map_or(0, |account| account.balance);
        let amount = balance.min(most).max(0);
        let moved = (amount > 0).then_some(AccountEvent::Moved { from, to, amount });
        Ok((moved, amount))
    }
}

/// What a command must not do, or may do only once.
#[derive(Command, Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Misbehave {
    Panic {
        later: bool,
    },
    AskTheClock {
        later: bool,
    },
    NeverEnd {
        later: bool,
    },
    /// Never ends either, though each of its queries does.
    AskOnAndOn {
        later: bool,
    },
    /// Fails whenever it is executed again.
    OnlyOnce,
    /// Returns other events at each execution, whatever the state.
    Fickle,
    /// Returns an event that cannot be applied.
    Unfitting {
        later: bool,
    },
    /// Returns more events than a backend accepts at once.
    TooMany {
        later: bool,
    },
    Unwritable {
        number: f64,
    },
    OpenAStore,
}

static EXECUTIONS: AtomicU64 = AtomicU64::new(0);

impl Execute for Misbehave {
    type Events = Vec<AccountEvent>;
    type Output = ();
    type Error = QueryError;

    fn execute(
        &self,
        state: &Reader<'_>,
        context: &ExecuteContext,
    ) -> Result<(Vec<AccountEvent>, ()), QueryError> {
        let is_time = |later: &bool| *later == context.is_again();
        let noted = |id: String| AccountEvent::Noted { id, text: "fine".into() };
        let events = match self {
            Self::Panic { later } if is_time(later) => panic!("out of money"),
            Self::AskTheClock { later } if is_time(later) => {
                let _ = livestore::now();
                vec![noted(context.id())]
            }
            Self::NeverEnd { later } if is_time(later) => loop {
                state.query(raw::<(i64,)>(
                    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                     SELECT max(x) FROM n",
                    (),
                ))?;
            },
            Self::AskOnAndOn { later } if is_time(later) => loop {
                state.query(raw::<(i64,)>(
                    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 10000) \
                     SELECT max(x) FROM n",
                    (),
                ))?;
            },
            Self::OnlyOnce if context.is_again() => return Err(QueryError::NoRow),
            Self::Unfitting { later } if is_time(later) => {
                vec![noted("a".into()), noted("a".into())]
            }
            Self::TooMany { later } if is_time(later) => {
                (0..101).map(|n| noted(format!("many {n}"))).collect()
            }
            Self::OpenAStore => {
                let _ = Store::<Bank>::builder("other").open();
                Vec::new()
            }
            Self::Fickle => {
                let n = EXECUTIONS.fetch_add(1, Ordering::Relaxed);
                (0..=n % 3).map(|m| noted(format!("fickle {n} {m}"))).collect()
            }
            _ => vec![noted(context.id())],
        };
        Ok((events, ()))
    }
}

livestore::schema! {
    pub Bank {
        tables: [Account, Receipt],
        events: [AccountEvent],
        commands: [Pay, PaySome, Misbehave],
    }
}

/// The same state, by a version of the app that does not know the commands any more.
mod later {
    use super::{Account, AccountEvent, Receipt};

    livestore::schema! {
        pub Bank { tables: [Account, Receipt], events: [AccountEvent] }
    }
}

pub use later::Bank as WithoutCommands;

pub fn opened(name: &str, balance: i64) -> AccountEvent {
    AccountEvent::Opened { name: name.into(), balance }
}

pub fn pay(from: &str, to: &str, amount: i64) -> Pay {
    Pay { from: from.into(), to: to.into(), amount }
}

pub fn pay_some(from: &str, to: &str, most: i64) -> PaySome {
    PaySome { from: from.into(), to: to.into(), most }
}

pub fn balance<S: Schema + livestore::schema::HasTable<Account>>(
    store: &Store<S>,
    name: &str,
) -> i64 {
    store.query(Account::get(name)).unwrap().unwrap().balance
}

/// The names of the events in the log that the state has.
pub fn names<S: Schema>(store: &Store<S>) -> Vec<String> {
    let events = store.events().into_iter().map(|event| event.unwrap());
    events.map(|event| event.name.into_owned()).collect()
}
