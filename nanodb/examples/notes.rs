//! Notes with tags: a collection of a Rust type.
//!
//! `cargo run -p nanodb --example notes`

use std::path::Path;

use nanodb::{Database, Id, Result, Timestamp, TypedCollection, Update, doc, field};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct Note {
    /// Assigned by the collection.
    #[serde(rename = "_id", skip_serializing_if = "Option::is_none")]
    id: Option<Id>,
    title: String,
    text: String,
    #[serde(default)]
    tags: Vec<String>,
    changed: Timestamp,
}

fn main() -> Result<()> {
    let path = std::env::temp_dir().join("notes.nanodb");
    for line in run(&path, 20)? {
        println!("{line}");
    }
    Ok(())
}

/// Writes so many notes, changes some, and returns what is found.
pub(crate) fn run(path: &Path, size: usize) -> Result<Vec<String>> {
    let db = Database::open(path)?;
    let notes = Notes { notes: db.typed("notes") };
    notes.notes.delete_many(doc! {})?; // left by an earlier run
    for number in 0..size {
        let tag = if number % 2 == 0 { "even" } else { "odd" };
        notes.add(&format!("Note {number}"), "Buy *milk* (and bread).", &[tag])?;
    }
    let id = notes.add("Shopping", "Milk, 100% organic", &["home"])?;
    notes.tag(&id, "errands")?;
    notes.edit(&id, "Oat milk, 100% organic")?;

    let mut lines = vec![format!("{} notes", notes.notes.count()?)];
    for note in notes.search("100% ORGANIC")? {
        lines.push(format!("{}: {} {:?}", note.title, note.text, note.tags));
    }
    lines.push(format!("tags: {}", notes.tags()?.join(", ")));
    lines.push(format!("newest: {:?}", notes.page(0, 2)?.first().map(|note| &note.title)));
    db.close()?;
    Ok(lines)
}

struct Notes {
    notes: TypedCollection<Note>,
}

impl Notes {
    fn add(&self, title: &str, text: &str, tags: &[&str]) -> Result<Id> {
        self.notes.insert(Note {
            id: None,
            title: title.to_owned(),
            text: text.to_owned(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            changed: Timestamp::now(),
        })
    }

    /// Replaces the text of a note, if it is still there.
    fn edit(&self, id: &Id, text: &str) -> Result<bool> {
        let Some(mut note) = self.notes.get(id)? else { return Ok(false) };
        note.text = text.to_owned();
        note.changed = Timestamp::now();
        self.notes.replace(id, note)
    }

    /// Adds a tag, which a note has once.
    fn tag(&self, id: &Id, tag: &str) -> Result<()> {
        let update = Update::new().add_to_set("tags", tag).current_date("changed");
        self.notes.update_one(field("_id").eq(id), update)?;
        Ok(())
    }

    /// Notes with this in title or text, in upper or lower case.
    fn search(&self, text: &str) -> Result<Vec<Note>> {
        let found = field("title").contains(text).or(field("text").contains(text));
        self.notes.find(found.ignoring_case()).sort(doc! { "changed": -1 }).run()?.collect()
    }

    /// So many notes, the newest first.
    fn page(&self, number: u64, size: u64) -> Result<Vec<Note>> {
        let newest = self.notes.find(doc! {}).sort(doc! { "changed": -1, "_id": -1 });
        newest.skip(number * size).limit(size).run()?.collect()
    }

    /// All tags, in order.
    fn tags(&self) -> Result<Vec<String>> {
        let mut tags: Vec<String> = self
            .notes
            .distinct("tags", doc! {})?
            .into_iter()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect();
        tags.sort();
        Ok(tags)
    }
}
