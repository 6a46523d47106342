//! Gives the shared library its soname, by which programs find the version that they were linked
//! with.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is_linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    // `cargo-c` passes one of its own.
    let by_cargo_c = std::env::var_os("CARGO_FEATURE_CAPI").is_some();
    if is_linux && !by_cargo_c {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnanodb.so.0");
    }
}
