//! What is no update, no sort and no projection.

use nanodb::{Collection, Update, doc};

fn main() {
    let users: Collection = todo!();
    let _ = users.update_many(doc! {}, "{}");
    let _ = users.update_many(doc! {}, vec![doc! {}]);
    users.find(doc! {}).sort("age");
    users.find(doc! {}).projection("name");
    let _ = Update::set("a", 1);
}
