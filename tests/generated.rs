//! `man/` and `completions/` are what the command definitions say. `UPDATE=1 cargo test --test generated` rewrites
//! them.
#![expect(clippy::disallowed_methods, reason = "tests are no part of the program: they use files freely")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The whole tree: subcommands are deferred, so build first.
fn tree() -> clap::Command {
    let mut tree = sampan::command();
    tree.build();
    tree
}

/// One page for the program and one for each verb: `sampan-container-ls.1`.
fn pages(command: &clap::Command, name: &str, to: &mut BTreeMap<String, Vec<u8>>) {
    let mut page = Vec::new();
    let command = command.clone().disable_help_subcommand(true);
    // Without a date: the page must not change with the day.
    let man = clap_mangen::Man::new(command.clone().name(name.to_owned()).display_name(name.to_owned()))
        .title(name.to_uppercase())
        .section("1")
        .date("")
        .source(format!("sampan {}", env!("CARGO_PKG_VERSION")))
        .manual("Sampan");
    man.render(&mut page).expect("a page");
    to.insert(format!("{name}.1"), page);
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        pages(verb, &format!("{name}-{}", verb.get_name()), to);
    }
}

fn check(dir: &Path, wanted: &BTreeMap<String, Vec<u8>>) {
    if std::env::var_os("UPDATE").is_some() {
        if dir.exists() {
            fs::remove_dir_all(dir).expect("removed");
        }
        fs::create_dir_all(dir).expect("made");
        for (name, text) in wanted {
            fs::write(dir.join(name), text).expect("written");
        }
        return;
    }
    let mut stale = Vec::new();
    for (name, text) in wanted {
        if fs::read(dir.join(name)).ok().as_ref() != Some(text) {
            stale.push(name.clone());
        }
    }
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !wanted.contains_key(&name) {
            stale.push(format!("{name} (should not be there)"));
        }
    }
    assert!(stale.is_empty(), "{}: run UPDATE=1 cargo test --test generated\n{}", dir.display(), stale.join("\n"));
}

#[test]
fn man_pages_are_current() {
    let mut wanted = BTreeMap::new();
    pages(&tree(), "sampan", &mut wanted);
    check(&root().join("man"), &wanted);
}

#[test]
fn completions_are_current() {
    let mut wanted = BTreeMap::new();
    for (shell, name) in [(Shell::Bash, "sampan.bash"), (Shell::Zsh, "_sampan"), (Shell::Fish, "sampan.fish")] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut tree(), "sampan", &mut script);
        wanted.insert(name.to_owned(), script);
    }
    check(&root().join("completions"), &wanted);
}
