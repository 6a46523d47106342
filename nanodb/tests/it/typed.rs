//! Collections of Rust types.

use nanodb::{Database, ErrorKind, Id, doc};
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

#[test]
fn a_document_of_another_shape_is_an_error_and_not_a_panic() {
    let db = Database::in_memory().unwrap();
    db.collection("users").insert(doc! { "_id": 1, "name": 5 }).unwrap();
    let users = db.typed::<User>("users");
    assert_eq!(users.get(1).unwrap_err().kind(), ErrorKind::WrongType);
    assert!(users.iter().unwrap().next().unwrap().is_err());
    assert!(db.typed::<u32>("numbers").insert(5).is_err());
}
