//! NanoDB beside its peers.
fn main() {}
