//! Collections of Rust types.

use nanodb::{BulkOperation, Database, ErrorKind, Id, TypedCollection, Update, doc, field};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
struct User {
    #[serde(rename = "_id")]
    id: Option<Id>,
    name: String,
    tags: Vec<String>,
}

fn user(id: Option<Id>, name: &str) -> User {
    User { id, name: name.to_owned(), tags: vec!["a".to_owned()] }
}

#[test]
fn an_id_that_is_none_is_assigned_and_others_are_kept() {
    let users = Database::in_memory().unwrap().typed::<User>("users");
    assert_eq!(users.insert(user(None, "Alice")).unwrap(), 1.into());
    assert_eq!(users.insert(user(Some("b".into()), "Bob")).unwrap(), "b".into());
    let ids = users.insert_many(&[user(None, "Carol"), user(Some(9.into()), "Dave")]).unwrap();
    assert_eq!(ids, [2.into(), 9.into()]);

    assert_eq!(users.get(1).unwrap(), Some(user(Some(1.into()), "Alice")));
    assert!(users.replace("b", user(None, "Bert")).unwrap());
    assert_eq!(users.get("b").unwrap().unwrap().name, "Bert");
    let names: Vec<String> = users.iter().unwrap().map(|user| user.unwrap().name).collect();
    assert_eq!(names, ["Alice", "Bert", "Carol", "Dave"]);
    let found = users.get_many([9, 10]).unwrap();
    assert_eq!(
        (found[0].as_ref().map(|user| user.name.as_str()), &found[1]),
        (Some("Dave"), &None)
    );
}

thread_local! {
    static WRITTEN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Counts how often it is written.
struct Counted(Option<Id>);

impl Serialize for Counted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITTEN.set(WRITTEN.get() + 1);
        doc! { "a": { "_id": null }, "_id": self.0.clone(), "n": 1 }.serialize(serializer)
    }
}

#[test]
fn a_value_is_written_once_whatever_its_id_is() {
    let all = Database::in_memory().unwrap().typed::<Counted>("all");
    assert_eq!(all.insert(Counted(None)).unwrap(), 1.into());
    all.insert_many([Counted(None), Counted(Some(9.into()))]).unwrap();
    all.put(5, Counted(None)).unwrap();
    assert_eq!(WRITTEN.get(), 4);
    for document in all.collection().iter().unwrap() {
        let mut document = document.unwrap().to_document().unwrap();
        assert!(document.remove("_id").is_some());
        assert_eq!(document, doc! { "a": { "_id": null }, "n": 1 });
    }
    // Documents are taken at their word.
    assert!(all.collection().insert(doc! { "_id": null }).is_err());
    assert!(all.collection().insert(nanodb::Serialized(&Counted(None))).is_err());
}

#[test]
fn a_document_of_another_shape_is_an_error_and_not_a_panic() {
    let db = Database::in_memory().unwrap();
    db.collection("users").insert(doc! { "_id": 1, "name": 5 }).unwrap();
    let users = db.typed::<User>("users");
    assert_eq!(users.get(1).unwrap_err().kind(), ErrorKind::WrongType);
    assert!(users.iter().unwrap().next().unwrap().is_err());
    assert!(db.typed::<u32>("numbers").insert(5).is_err());
}

/// What every handle that writes does with values.
fn write_all<C: nanodb::WriteCollection>(users: &TypedCollection<User, C>) {
    let alice = user(None, "Alice");
    let id = users.insert(&alice).unwrap();
    assert_eq!(id, 1.into());
    assert!(!users.put("b", user(None, "Bob")).unwrap());
    assert!(users.put("b", user(Some("b".into()), "Bert")).unwrap());
    users.insert_many([user(None, "Carol"), user(None, "Dave")]).unwrap();
    assert_eq!((users.count().unwrap(), users.name()), (4, "users"));
    assert!(users.contains(1).unwrap() && users.exists(field("name").eq("Dave")).unwrap());
    assert_eq!(users.count_documents(doc! { "tags": "a" }).unwrap(), 4);

    let tagged = Update::new().push("tags", "b");
    assert_eq!(users.update_one(doc! { "name": "Carol" }, &tagged).unwrap().modified, 1);
    assert_eq!(users.update_many(doc! { "name": "Dave" }, tagged).unwrap().modified, 1);
    let tags = users.count_by("tags", doc! {}).unwrap();
    assert_eq!(tags, [("a".into(), 4), ("b".into(), 2)]);
    assert_eq!(
        users.distinct("tags", doc! { "name": "Bert" }).unwrap(),
        ["a".into()] as [nanodb::Value; 1]
    );

    let tag = Update::new().push("tags", "c");
    assert!(users.update("b", &tag).unwrap() && !users.update("c", tag).unwrap());
    assert_eq!(users.get("b").unwrap().unwrap().tags.len(), 2);

    let new = user(None, "Erin");
    assert_eq!(users.replace_one(doc! { "name": "Carol" }, &new).unwrap().modified, 1);
    let done = users.replace_or_insert(doc! { "name": "Fred" }, user(None, "Fred")).unwrap();
    assert!(done.upserted.is_some());
    let set = doc! { "$set": { "tags": [] } };
    assert!(users.upsert(doc! { "_id": 50, "name": "Gus" }, set).unwrap().upserted.is_some());
    assert_eq!(users.get(50).unwrap().unwrap().tags, [] as [String; 0]);

    let before = users.find_one_and_update(doc! { "_id": 50 }, Update::new().push("tags", "x"));
    assert_eq!(before.run().unwrap().unwrap().tags, [] as [String; 0]);
    let replaced = users.find_one_and_replace(doc! { "name": "Gus" }, user(None, "Hal"));
    let (id, hal) = replaced.return_new().with_ids().run().unwrap().unwrap();
    assert_eq!((id, hal), (50.into(), user(Some(50.into()), "Hal")));
    let least = users.find_one_and_delete(doc! {}).sort(doc! { "name": 1 }).run().unwrap().unwrap();
    assert_eq!(least.name, "Alice");
    assert!(users.find_one_and_delete(doc! { "name": "nobody" }).run().unwrap().is_none());

    let names: Vec<_> = users
        .find(doc! {})
        .sort(doc! { "name": -1 })
        .limit(2)
        .run()
        .unwrap()
        .map(|user| user.unwrap().name)
        .collect();
    assert_eq!(names, ["Hal", "Fred"]);
    assert_eq!(
        users.bulk_write([BulkOperation::delete_one(doc! { "name": "Hal" })]).unwrap().deleted,
        1
    );
    assert_eq!(users.delete_one(doc! { "name": "Fred" }).unwrap(), 1);
    assert!(users.delete("b").unwrap());
    assert_eq!(users.delete_many(doc! {}).unwrap(), 2);
    assert_eq!(users.find_one(doc! {}).unwrap(), None);
}

#[test]
fn every_verb_has_values_of_a_type_within_transactions_and_outside() {
    let db = Database::in_memory().unwrap();
    write_all(&db.typed::<User>("users"));
    db.drop_collection("users").unwrap();
    db.write(|tx| {
        write_all(&tx.typed::<User>("users"));
        assert_eq!(tx.collection("users").typed::<User>().find_one(doc! {})?, None);
        Ok(())
    })
    .unwrap();
    assert_eq!(db.collection("users").count().unwrap(), 0);
}

#[test]
fn a_snapshot_has_values_of_a_type() {
    let db = Database::in_memory().unwrap();
    let users = db.collection("users");
    users.typed::<User>().insert(user(None, "Alice")).unwrap();
    let before = db.snapshot();
    users.delete(1).unwrap();
    let then = before.typed::<User>("users");
    assert_eq!(then.get(1).unwrap().unwrap().name, "Alice");
    assert_eq!(then.find(field("name").starts_with("A")).first().unwrap().unwrap().name, "Alice");
    assert_eq!(then.clone().iter().unwrap().count(), 1);
    assert_eq!(before.collection("users").typed::<User>().get(1).unwrap(), then.get(1).unwrap());
    let search = then.find(doc! {}).limit(1);
    assert_eq!(search.clone().first().unwrap(), search.first().unwrap());
    assert_eq!(users.typed::<User>().get(1).unwrap(), None);
}

#[derive(Deserialize, Debug, PartialEq)]
struct Name {
    name: String,
}

#[test]
fn ids_are_returned_beside_values_that_have_none() {
    let db = Database::in_memory().unwrap();
    let users = db.collection("users");
    let named = |id: i32, name: &str| doc! { "_id": id, "name": name, "n": id };
    users.insert_many([named(7, "Alice"), named(8, "Bob")]).unwrap();
    let names = users.typed::<Name>();
    let bob = || (8.into(), Name { name: "Bob".to_owned() });
    assert_eq!(names.find(field("n").gt(7)).with_ids().first().unwrap(), Some(bob()));
    let found = names.find(doc! {}).sort(doc! { "n": -1 }).with_ids().run().unwrap();
    assert_eq!(found.map(|found| found.unwrap().0).collect::<Vec<Id>>(), [8.into(), 7.into()]);
    let all = names.iter().unwrap().with_ids().map(|found| found.unwrap().0);
    assert_eq!(all.collect::<Vec<Id>>(), [7.into(), 8.into()]);
    let only_name = || names.find(doc! { "n": 8 }).projection(doc! { "name": 1, "_id": 0 });
    assert_eq!(only_name().first().unwrap(), Some(bob().1));
    let error = only_name().with_ids().first().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.to_string(), "the projection leaves out `_id`, which `with_ids` returns");

    // What does not fit is an error that says which document it is, and the others follow.
    users.insert(doc! { "_id": 9, "name": 5 }).unwrap();
    users.insert(named(10, "Carol")).unwrap();
    let (fitting, others): (Vec<_>, Vec<_>) =
        names.iter().unwrap().with_ids().partition(Result::is_ok);
    assert_eq!((fitting.len(), others.len()), (3, 1));
    let error = others.into_iter().next().unwrap().unwrap_err();
    assert_eq!((error.kind(), error.id()), (ErrorKind::WrongType, Some(9.into())));
    assert_eq!((error.collection(), error.path()), (Some("users"), Some("name")));
    let changed = names.find_one_and_update(doc! { "_id": 9 }, doc! { "$set": { "name": "Dave" } });
    assert_eq!(changed.return_new().run().unwrap(), Some(Name { name: "Dave".to_owned() }));
}
