//! Links the addon as Node.js loads it.

fn main() {
    napi_build::setup();
    // A worker thread that is the only one with the addon unloads it when it ends. The engine's
    // background threads would then run code that is gone, so it stays.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
