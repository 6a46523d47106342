//! What is no filter.

use nanodb::{Collection, field};

fn main() {
    let users: Collection = todo!();
    users.find("{}");
    users.find(());
    users.find(None::<nanodb::Filter>);
    users.find(|user: &nanodb::DocView| user.is_empty());
    users.find(field("age"));
}
