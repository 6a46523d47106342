//! Calls of other databases that have another name here, or are not there.

use nanodb::{Database, doc, field};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
}

async fn run(db: Database) -> nanodb::Result<()> {
    let users = db.collection("users");
    users.insert_one(doc! {})?;
    users.find(doc! {}).run().await?;
    db.collection::<User>("users");
    users.create_index("age")?;
    users.aggregate([])?;
    users.watch()?;
    users.save(doc! {})?;
    users.find(field("a").eq(1)).group_by(["level"]);
    db.copy_to("copy")?;
    Ok(())
}

fn main() {
    drop(run(todo!()));
}
