//! Searching, updating and deleting by MongoDB's language.
//!
//! `cargo run -p nanodb --example queries`

use nanodb::{Database, Filter, Projection, Sort, Update, doc, field};

fn main() -> nanodb::Result<()> {
    let users = Database::in_memory()?.collection("users");
    users.insert_many([
        doc! { "name": "Alice", "age": 31, "tags": ["a"] },
        doc! { "name": "Bob", "age": 12 },
        doc! { "name": "Carol", "age": 45, "tags": ["a", "b"] },
    ])?;

    // A filter made by a program, and the same one from text.
    let adults = field("age").gte(18).and(field("tags").eq("a"));
    assert_eq!(adults, Filter::parse_json(r#"{"age": {"$gte": 18}, "tags": "a"}"#)?);

    let names = Projection::include(["name"]).without_id();
    for user in users.find(&adults).sort(Sort::descending("age")).projection(names).run()? {
        println!("{}", user?); // {"name": "Carol"}, {"name": "Alice"}
    }
    println!("{}", users.find(field("_id").is_in([1, 2])).explain_analyze()?);

    let update = Update::new().inc("age", 1).add_to_set("tags", "b");
    assert_eq!(users.update_many(&adults, update)?.modified, 2);
    assert_eq!(users.delete_many(field("age").lt(18))?, 1);
    for user in users.iter()? {
        println!("{}", user?);
    }
    Ok(())
}
