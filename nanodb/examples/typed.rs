//! A collection of a Rust type.
//!
//! `cargo run -p nanodb --example typed`

use nanodb::{Database, Id};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug)]
struct Book {
    /// Assigned by the collection where it is `None`.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    title: String,
    year: u16,
    tags: Vec<String>,
}

fn main() -> nanodb::Result<()> {
    let db = Database::in_memory()?;
    let books = db.typed::<Book>("books");

    let book = |title: &str, year| Book {
        id: None,
        title: title.to_owned(),
        year,
        tags: vec!["classic".to_owned()],
    };
    books.insert_many(&[book("Emma", 1815), book("Middlemarch", 1871)])?;

    if let Some(mut emma) = books.get(1)? {
        emma.tags.push("comedy".to_owned());
        books.replace(1, &emma)?;
    }
    for book in books.iter()? {
        println!("{:?}", book?);
    }
    Ok(())
}
