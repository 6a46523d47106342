//! Money goes from one collection to another, whole or not at all.
//!
//! `cargo run -p nanodb --example transactions`

use nanodb::{Database, Transaction, doc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::in_memory()?;
    db.collection("savings").insert(doc! { "_id": "alice", "balance": 100 })?;
    db.collection("checking").insert(doc! { "_id": "alice", "balance": 5 })?;
    let before = db.snapshot();

    // Both accounts change, or neither does. The closure is called again if another transaction
    // was in its way, so it does nothing but read and write through `tx`.
    db.write_with(|tx| transfer(tx, 30))?;
    println!("after a transfer of 30:  {}", balances(&db)?);
    assert_eq!(balances(&db)?, "savings 70, checking 35");

    // An error of one's own gives up everything, here the deposit that came first.
    if let Err(refused) = db.write_with(|tx| transfer(tx, 1000)) {
        println!("after one of 1000:       {} ({refused})", balances(&db)?);
    }
    assert_eq!(balances(&db)?, "savings 70, checking 35");

    // The same by hand: the transaction sees what it has done, others do not yet.
    let tx = db.begin_write();
    transfer(&tx, 70)?;
    assert_eq!(deposit(&tx, "savings", 0)?, 0);
    assert_eq!(balances(&db)?, "savings 70, checking 35");
    tx.rollback();
    println!("after a rollback:        {}", balances(&db)?);

    // The snapshot shows everything as it was when it was made.
    let savings = before.collection("savings").get("alice")?.ok_or("alice is gone")?;
    println!("in the snapshot:         {savings}");
    assert_eq!(savings.get("balance").and_then(|balance| balance.as_i64()), Some(100));
    Ok(())
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Moves money from Alice's savings to her checking account.
fn transfer(tx: &Transaction, amount: i64) -> Outcome<()> {
    deposit(tx, "checking", amount)?;
    if deposit(tx, "savings", -amount)? < 0 {
        return Err("too little on the savings account".into());
    }
    Ok(())
}

/// Adds to Alice's balance and returns the new one. What is read in the transaction stays as it
/// is until the transaction is over: others that would change it wait.
fn deposit(tx: &Transaction, account: &str, amount: i64) -> Outcome<i64> {
    let accounts = tx.collection(account);
    let alice = accounts.get("alice")?.ok_or("there is no such account")?;
    let old = alice.get("balance").and_then(|balance| balance.as_i64());
    let new = old.ok_or("the balance is no number")? + amount;
    accounts.replace("alice", doc! { "balance": new })?;
    Ok(new)
}

/// Both balances, as of one moment.
fn balances(db: &Database) -> Outcome<String> {
    let now = db.snapshot();
    let balance = |account| -> Outcome<i64> {
        let alice = now.collection(account).get("alice")?.ok_or("there is no such account")?;
        let balance = alice.get("balance").and_then(|balance| balance.as_i64());
        Ok(balance.ok_or("the balance is no number")?)
    };
    Ok(format!("savings {}, checking {}", balance("savings")?, balance("checking")?))
}
