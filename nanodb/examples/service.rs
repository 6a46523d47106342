//! A service on tokio: accounts, and money that moves between them.
//!
//! A read by id may be called where it stands; what may wait goes to `spawn_blocking`.
//!
//! `cargo run -p nanodb --example service`

use std::fmt;
use std::panic::resume_unwind;
use std::path::Path;

use nanodb::{Database, Error, Result, Update, doc, field};
use tokio::task::{JoinSet, spawn_blocking};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let path = std::env::temp_dir().join("service.nanodb");
    let told = run(&path, 100, 200).await;
    println!("{}", told.unwrap_or_else(|failure| failure.to_string()));
}

/// Why a request has failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(&'static str),
    Database(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => f.write_str(why),
            Self::Database(error) => error.fmt(f),
        }
    }
}

/// Has a thread do what may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// What the handlers of a service share: a clone is cheap, and of the same database.
#[derive(Clone)]
pub(crate) struct Service {
    db: Database,
}

impl Service {
    /// Returns what is in an account. Not worth a thread of its own.
    async fn balance(&self, account: i64) -> Result<i64, Failure> {
        let found = self.db.collection("accounts").get(account)?;
        Ok(found.ok_or(Failure::Refused("there is no such account"))?.get_i64("balance")?)
    }

    /// Moves money, as a whole or not at all.
    async fn transfer(&self, from: i64, to: i64, amount: i64) -> Result<(), Failure> {
        let db = self.db.clone();
        blocking(move || {
            db.write_with(|tx| {
                let accounts = tx.collection("accounts");
                let pay = Update::new().inc("balance", -amount);
                let can_pay = field("_id").eq(from).and(field("balance").gte(amount));
                if accounts.update_one(can_pay, pay)?.matched == 0 {
                    return Err(Failure::Refused("there is too little in it"));
                }
                let get = Update::new().inc("balance", amount);
                match accounts.update_one(doc! { "_id": to }, get)?.matched {
                    0 => Err(Failure::Refused("there is no account to get it")),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// Adds up all accounts as of one moment, beside whatever goes on.
    async fn total(&self) -> Result<i64, Failure> {
        let now = self.db.snapshot();
        blocking(move || {
            let balances =
                now.collection("accounts").iter()?.map(|account| account?.get_i64("balance"));
            Ok(balances.sum::<Result<i64>>()?)
        })
        .await
    }
}

/// Has so many transfers between so many accounts done at once.
pub(crate) async fn run(path: &Path, accounts: i64, transfers: i64) -> Result<String, Failure> {
    let db = Database::open(path)?;
    for account in 0..accounts {
        db.collection("accounts").put(account, doc! { "balance": 100 })?;
    }
    let service = Service { db: db.clone() };
    let mut requests = JoinSet::new();
    for number in 0..transfers {
        let service = service.clone();
        let (from, to) = (number % accounts, (number * 7 + 1) % accounts);
        requests.spawn(async move { service.transfer(from, to, 30).await });
    }
    let mut refused = 0;
    while let Some(outcome) = requests.join_next().await {
        match outcome {
            Ok(Err(Failure::Refused(_))) => refused += 1,
            Ok(outcome) => outcome?,
            Err(error) => resume_unwind(error.into_panic()),
        }
        service.balance(0).await?;
    }
    let total = service.total().await?;
    db.close()?;
    Ok(format!("{transfers} transfers, {refused} refused, {total} in all accounts"))
}
