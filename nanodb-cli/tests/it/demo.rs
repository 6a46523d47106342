//! `nanodb demo`: the first command that a newcomer runs.

use crate::support::Room;

#[test]
fn the_demo_verifies_all_cities_and_keeps_the_file_if_asked() {
    let room = Room::new();
    let out = room.run(&["demo", "--keep", "cities.nanodb", "--lookups", "1000"]).ok();
    for word in
        ["135,233", "GeoNames", "load", "look up", "scan", "reopen", "verify", "no problems"]
    {
        assert!(out.contains(word), "{word} in {out}");
    }
    assert_eq!(room.run(&["count", "cities.nanodb", "cities"]).ok(), "135233\n");
    let message = room.run(&["demo", "--keep", "cities.nanodb"]).fails(1);
    assert!(message.contains("making cities.nanodb"), "{message}");
}
