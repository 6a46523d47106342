//! What is no id and no value.

use nanodb::{Collection, doc, field};

#[derive(serde::Serialize)]
enum Priority {
    High,
}

fn main() {
    let users: Collection = todo!();
    let _ = users.get(1.5);
    let _ = field("priority").eq(Priority::High);
    let _ = field("n").eq(5_i128);
    let json: serde_json::Value = todo!();
    let _ = doc! { "a": json };
}
