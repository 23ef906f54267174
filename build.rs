//! Leaves the unwind tables out of the release binary, 0.9 MB: its panics abort, and without symbols nobody could read
//! a stack that they describe. Those of the C runtime's start and end stay, because its own code names them.
//!
//! `-C force-unwind-tables=no` would do the same for our crates, but cannot be said of one profile.
//!
//! And puts the functions that a start runs through side by side: see `contrib/startup-order/run`.

#![expect(clippy::disallowed_methods, reason = "a build script is no part of the program")]

use std::path::Path;

const SCRIPT: &str = "SECTIONS
{
  /DISCARD/ : { *(EXCLUDE_FILE(*crt*.o) .eh_frame) *(.gcc_except_table .gcc_except_table.*) }
}
INSERT AFTER .text;
";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SAMPAN_COMPILER={}", compiler());
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|found| found == value);
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") {
        return;
    }
    let dir = std::env::var_os("OUT_DIR").expect("cargo names a directory");
    let path = Path::new(&dir).join("no-unwinding.ld");
    std::fs::write(&path, SCRIPT).expect("the directory can be written");
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", path.display());
    println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
    println!("cargo::rerun-if-changed=contrib/startup-order/order.txt");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // Only the linker that rustc brings along for this target takes such a list.
    let own_linker = !flags.contains("linker") && !flags.contains("fuse-ld");
    if is("TARGET", "x86_64-unknown-linux-gnu") && own_linker {
        let top = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the package");
        println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={top}/contrib/startup-order/order.txt");
        println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}

/// What `version` calls the compiler: `rustc 1.90.0`.
fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").expect("cargo names the compiler");
    let output = std::process::Command::new(rustc).arg("--version").output().expect("the compiler runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
