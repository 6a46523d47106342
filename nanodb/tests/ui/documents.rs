//! What is not a document, where one is wanted.

use nanodb::{BulkOperation, Database, Update, field};

#[derive(serde::Serialize)]
struct User {
    name: String,
}

fn run(db: &Database, user: User) -> nanodb::Result<()> {
    let users = db.collection("users");
    users.insert(&user)?;
    users.replace_one(field("name").eq("Alice"), "Bob")?;
    drop(BulkOperation::insert(user));
    drop(Update::replacement(5));
    Ok(())
}

fn main() {
    drop(run(todo!(), todo!()));
}
