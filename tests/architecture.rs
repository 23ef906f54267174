//! The house of `docs/architecture.md`, checked by reading the source: which layer may import which, what only `sys`
//! may name, which names are banned, and that no test file is forgotten.
#![expect(clippy::disallowed_methods, reason = "tests are no part of the program: they read files freely")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module of the crate and the modules that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("sys", &[]),
    ("config", &["types", "sys"]),
    ("specgen", &["types"]),
    ("rootless", &["types", "sys"]),
    ("storage", &["types", "sys"]),
    ("registry", &["types", "sys", "config"]),
    ("network", &["types", "sys"]),
    ("runtime", &["types", "sys", "rootless"]),
    ("monitor", &["types", "sys", "rootless", "storage", "network", "runtime"]),
    (
        "engine",
        &["types", "sys", "config", "specgen", "rootless", "storage", "registry", "network", "runtime", "monitor"],
    ),
    ("cli", &["types", "config", "engine"]),
];

/// Words that say nothing about what is inside.
const BANNED: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "impl"];

/// What only `sys` may name.
const KERNEL: &[&str] = &["nix::", "rustix::", "libc::", "std::fs", "std::process::Command"];

/// Types of `std::fs` that others may name.
const TYPES: &[&str] = &["::File;", "::File)", "::Metadata"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(dir).expect("the directory is there");
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file: no comments, no unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("UTF-8");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    let is_test = |part: std::path::Component<'_>| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs")
    };
    path.components().any(is_test)
}

/// The top module that a file belongs to; none for `lib.rs` and `main.rs`.
fn module(path: &Path) -> Option<String> {
    let relative = path.strip_prefix(root().join("src")).expect("below src");
    (relative.components().count() > 1)
        .then(|| relative.components().next())
        .flatten()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
}

/// Modules that the code names by `crate::…`, braces included.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let names: Vec<&str> = match rest.strip_prefix('{') {
            // `use crate::{sys::Errno, types};`: what stands at the first level.
            Some(list) => {
                let mut depth = 0;
                let end = list
                    .find(|c: char| {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        depth < 0
                    })
                    .unwrap_or(list.len());
                let mut level = 0;
                list[..end]
                    .split(|c: char| {
                        level += i32::from(c == '{') - i32::from(c == '}');
                        c == ',' && level == 0
                    })
                    .collect()
            }
            None => vec![rest],
        };
        for name in names {
            let word = name.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            found.push(word.to_owned());
        }
    }
    found
}

#[test]
fn layers_import_downwards_only() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src")) {
        let Some(module) = module(&path) else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: no arrow for {module}", path.display()));
            continue;
        };
        for import in imports(&code(&path)) {
            let is_module = ARROWS.iter().any(|(name, _)| *name == import);
            if is_module && import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}: {module} must not import {import}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_sys_talks_to_the_kernel() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src")) {
        if module(&path).as_deref() == Some("sys") || is_test(&path) {
            continue;
        }
        let code = code(&path);
        for name in KERNEL {
            // Values that sys opened and answered may be passed on: their types are no door to the kernel.
            let is_type = |at: usize| TYPES.iter().any(|kind| code[at + name.len()..].starts_with(kind));
            // A path, not the end of another word (`crate::sys::nix::`).
            let is_path = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let named = code.match_indices(name).any(|(at, _)| is_path(at) && !is_type(at));
            if named {
                wrong.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_is_forbidden_above_sys() {
    for (module, _) in ARROWS {
        let face = root().join("src").join(module).join("mod.rs");
        if *module != "sys" {
            let text = fs::read_to_string(&face).expect("UTF-8");
            assert!(text.contains("#![forbid(unsafe_code)]"), "{}", face.display());
        }
    }
}

#[test]
fn names_say_what_is_inside() {
    let mut wrong = Vec::new();
    for dir in ["src", "tests"] {
        for path in files(&root().join(dir)) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
            if BANNED.contains(&stem.as_str()) || BANNED.contains(&folder.as_str()) {
                wrong.push(format!("{}: a banned name", path.display()));
            }
            if stem == folder {
                wrong.push(format!("{}: named after its folder", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faces_have_no_code() {
    let mut wrong = Vec::new();
    for path in files(&root().join("src")) {
        if path.file_name().is_some_and(|name| name == "mod.rs") && !is_test(&path) {
            let code = code(&path);
            if ["fn ", "struct ", "enum ", "impl ", "const "].iter().any(|word| {
                code.lines().any(|line| line.trim_start().trim_start_matches("pub(crate) ").starts_with(word))
            }) {
                wrong.push(format!("{}: docs, mod lines and re-exports only", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_test_file_is_forgotten() {
    let it = root().join("tests/it");
    let mut wrong = Vec::new();
    for path in files(&it) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "main.rs" {
            continue;
        }
        let dir = path.parent().expect("below tests/it");
        // `x/mod.rs` is listed one folder up, under the folder's name.
        let (word, listed_in) = if name == "mod.rs" {
            (dir.file_name().unwrap_or_default().to_string_lossy().into_owned(), dir.parent().expect("a parent"))
        } else {
            (path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), dir)
        };
        let index = if listed_in == it { it.join("main.rs") } else { listed_in.join("mod.rs") };
        let text = fs::read_to_string(&index).unwrap_or_default();
        if !text.lines().any(|line| line.trim().trim_start_matches("pub(crate) ") == format!("mod {word};")) {
            wrong.push(format!("{} is not listed in {}", path.display(), index.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A target is a line, a program of its own (for `cargo fuzz`) and seeds.
#[test]
fn no_fuzz_target_is_forgotten() {
    let fuzz = root().join("fuzz");
    let text = |name: &str| fs::read_to_string(fuzz.join(name)).expect("UTF-8");
    let names = |dir: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(dir)).expect("the directory is there");
        let name = |entry: fs::DirEntry| entry.path().file_stem().map(|stem| stem.to_string_lossy().into_owned());
        entries.flatten().filter_map(name).filter(|name| name != "all").collect()
    };
    let lines = text("src/lib.rs");
    let targets = lines.lines().filter_map(|line| Some(line.strip_prefix("    ")?.split_once(" => ")?.0.to_owned()));
    let targets: BTreeSet<String> = targets.filter(|name| !name.starts_with([' ', '$', '('])).collect();
    let manifest = text("Cargo.toml");
    let programs = manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let programs: BTreeSet<String> = programs.filter(|name| *name != "all").map(str::to_owned).collect();
    assert!(targets.len() > 20, "{targets:?}");
    assert_eq!(programs, targets, "fuzz/Cargo.toml");
    assert_eq!(names("fuzz_targets"), targets, "fuzz/fuzz_targets");
    assert_eq!(names("corpus"), targets, "fuzz/corpus");
}
