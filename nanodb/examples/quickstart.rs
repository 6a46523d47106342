//! Stores a document, finds it by its id, and finds it again after reopening.
//!
//! `cargo run -p nanodb --example quickstart [FILE]`

use nanodb::{Database, doc};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1);
    let path = path.map_or_else(|| std::env::temp_dir().join("quickstart.nanodb"), Into::into);

    // Open a file, and a collection in it; both are made if they are not there.
    let db = Database::open(&path)?;
    let users = db.collection("users");
    users.delete(101)?;

    // Insert a document.
    users.insert(doc! { "_id": 101, "name": "Alice", "role": "admin" })?;

    // Find it.
    if let Some(alice) = users.get(101)? {
        println!("found: {alice}");
    }
    db.close()?;
    drop(users);

    // It is still there.
    let db = Database::open(&path)?;
    println!("users in {}: {}", path.display(), db.collection("users").count()?);
    Ok(())
}
