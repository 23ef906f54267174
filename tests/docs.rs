//! The pages that claim something about tests: every file, test and case that `docs/security.md`, `docs/cve-ledger.md` and
//! `docs/kernel-features.md` name is in the tree; and every file that any page names.
#![expect(clippy::disallowed_methods, reason = "tests are no part of the program: they read files freely")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGES: &[&str] = &["docs/security.md", "docs/cve-ledger.md", "docs/kernel-features.md"];
const FOLDERS: &[&str] = &["src/", "tests/", "docs/", "fuzz/", "contrib/"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("the directory is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Ids of cases that test functions bear: `a03` and `c18` of `fn c17_c18_…`.
fn cases(is_id: fn(&str) -> bool) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts(&["src", "tests"]) {
        for line in text.lines() {
            let Some((_, rest)) = line.split_once("fn ") else { continue };
            let name = rest.split('(').next().unwrap_or_default();
            found.extend(name.split('_').take_while(|word| is_id(word)).map(str::to_owned));
        }
    }
    found
}

fn texts(folders: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    for folder in folders {
        sources(&root().join(folder), &mut files);
    }
    files.iter().map(|file| fs::read_to_string(file).expect("UTF-8")).collect()
}

/// Of `I12` the number.
fn invariant(word: &str) -> Option<u8> {
    word.strip_prefix(['i', 'I'])?.parse().ok()
}

/// What `system check` reports by its id, some test has broken.
#[test]
fn every_invariant_has_a_test() {
    let texts = texts(&["src/storage/check", "src/engine/check"]);
    let words = texts.iter().flat_map(|text| {
        let named = text.split("Invariant::").skip(1);
        named.filter_map(|text| invariant(text.split(|letter: char| !letter.is_alphanumeric()).next()?))
    });
    let reported: BTreeSet<u8> = words.collect();
    assert!(reported.len() == 16, "{reported:?}");
    let tried: BTreeSet<u8> =
        cases(|word| invariant(word).is_some()).iter().filter_map(|word| invariant(word)).collect();
    let untried: Vec<_> = reported.difference(&tried).collect();
    assert!(untried.is_empty(), "no test begins with i{untried:?}_");
}

fn is_a(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|own| own == extension)
}

/// What a page tells about stays where it says, and so do the targets of make.
#[test]
fn every_page_names_what_is_there() {
    let mut pages = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root().join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        pages.extend(names.filter(|name| is_a(name, "md")).map(|name| format!("{folder}/{name}")));
    }
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the file is there");
    let has_target = |name: &str| makefile.lines().any(|line| line.split_once(':').is_some_and(|(own, _)| own == name));
    // An ADR may be named by its number alone.
    let is_there = |path: &str| {
        let (folder, start) = path.rsplit_once('/').unwrap_or_default();
        let by_number = |name: &str| name.starts_with(&format!("{start}-"));
        root().join(path).exists()
            || fs::read_dir(root().join(folder)).is_ok_and(|mut entries| {
                entries.any(|entry| entry.is_ok_and(|entry| by_number(&entry.file_name().to_string_lossy())))
            })
    };
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in pages {
        let text = fs::read_to_string(root().join(&page)).expect("the page is there");
        for quoted in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let path = quoted.split([' ', ':', ',', '#']).next().unwrap_or_default().trim_end_matches('/');
            let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', '{', '<', '…']);
            // Most pages call a source by its place in `src`, or in the tests.
            let is_source = path.contains('/') && is_a(path, "rs") && !path.contains(['*', '{', '<', '…']);
            let is_known =
                || ["", "src/", "tests/it/", "tests/"].iter().any(|top| root().join(top).join(path).exists());
            if is_path && !is_there(path) || is_source && !is_known() {
                wrong.push(format!("{page}: {quoted}"));
            }
            let target = quoted.strip_prefix("make ").and_then(|rest| rest.split(' ').next());
            if target.is_some_and(|target| !has_target(target)) {
                wrong.push(format!("{page}: {quoted}"));
            }
            seen += usize::from(is_path || target.is_some());
        }
    }
    assert!(seen > 100, "the names are not found any more");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case that is listed has a test of its name, or a reason why not.
#[test]
fn every_case_listed_is_tried() {
    let known = cases(is_case);
    let reasons = fs::read_to_string(root().join("docs/architecture.md")).expect("the page is there");
    let excused = |id: &str| {
        // Builds do not exist yet.
        id.starts_with('E')
            || reasons.lines().any(|line| line.strip_prefix("| ").is_some_and(|row| row.starts_with(id)))
    };
    let listed: Vec<String> = defined("docs/reliability.md").into_iter().filter(|id| is_case(id)).collect();
    assert!(listed.len() > 100, "{listed:?}");
    let untried: Vec<_> = listed.iter().filter(|id| !known.contains(&id.to_lowercase()) && !excused(id)).collect();
    assert!(untried.is_empty(), "no test: {untried:?}");
}

fn is_case(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 3
        && (b'a'..=b'h').contains(&bytes[0].to_ascii_lowercase())
        && bytes[1..].iter().all(u8::is_ascii_digit)
}

#[test]
fn every_file_and_test_named_is_there() {
    let mut wrong = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        for quoted in text.split('`').skip(1).step_by(2) {
            if !FOLDERS.iter().any(|folder| quoted.starts_with(folder)) || quoted.contains(' ') {
                continue;
            }
            let (path, test) = quoted.split_once("::").map_or((quoted, None), |(path, test)| (path, Some(test)));
            if test.is_none() && root().join(path).is_dir() {
                continue;
            }
            match (fs::read_to_string(root().join(path)), test) {
                (Err(error), _) => wrong.push(format!("{page}: {path}: {error}")),
                (Ok(source), Some(test)) if !has_test(&source, test) => {
                    wrong.push(format!("{page}: no test {test} in {path}"));
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A function, or a row of a macro that makes one.
fn has_test(source: &str, test: &str) -> bool {
    let is_row = |line: &str| {
        line.strip_prefix("    ").and_then(|row| row.strip_prefix(test)).is_some_and(|rest| rest.starts_with(':'))
    };
    source.contains(&format!("fn {test}()")) || source.lines().any(is_row)
}

/// Each id of a threat, and each feature of the kernel, has a test in the last cell of its row.
#[test]
fn every_claim_names_what_shows_it() {
    let mut wrong = Vec::new();
    for (page, is_claim) in [
        ("docs/security.md", (|line| line.starts_with("| T-")) as fn(&str) -> bool),
        ("docs/kernel-features.md", |line| line.starts_with("| ") && !line.starts_with("| feature ")),
    ] {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        let claims: Vec<&str> = text.lines().filter(|line| is_claim(line)).collect();
        assert!(claims.len() > 10, "{page}");
        for claim in claims {
            let shown = claim.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
            let is_case = shown.split(|c: char| !c.is_ascii_alphanumeric()).any(is_case);
            if !is_case && !shown.contains("::") && !shown.contains("tests/") {
                wrong.push(format!("{page}: {claim}"));
            }
        }
    }
    assert!(wrong.is_empty(), "nothing shows it:\n{}", wrong.join("\n"));
}

#[test]
fn every_case_named_has_a_test() {
    let known = cases(is_case);
    let mut wrong = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        // Of cases in rows for what does not exist yet, the id alone is a promise.
        for line in text.lines().filter(|line| line.starts_with('|')) {
            for word in line.split(|c: char| !c.is_ascii_alphanumeric()) {
                let is_promise = word.starts_with('E') && line.contains("no build");
                if is_case(word) && word.starts_with(|c: char| c.is_ascii_uppercase()) && !is_promise {
                    let is_known = known.contains(&word.to_ascii_lowercase());
                    if !is_known {
                        wrong.push(format!("{page}: no test of case {word}: {line}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Ids that a page defines: in the first cell of a row, or in bold at the head of an item.
fn defined(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).expect("the page is there");
    let heads = text.lines().filter_map(|line| {
        let row = line.strip_prefix("| ").and_then(|row| row.split(" | ").next());
        row.or_else(|| line.strip_prefix("- **").and_then(|item| item.split("**").next()))
    });
    heads.flat_map(|head| head.split(", ")).map(str::to_owned).collect()
}

/// An id in a comment or in the name of a test is explained by a page.
#[test]
fn every_id_cited_is_explained() {
    let (facts, rest) = (defined("docs/kernel-facts.md"), defined("docs/reliability.md"));
    let is_rule = |word: &str| word.strip_prefix('R').is_some_and(|number| number.parse::<u8>().is_ok());
    let mut wrong: BTreeSet<String> = cases(is_case).iter().map(|id| id.to_uppercase()).collect();
    wrong.retain(|id| !rest.contains(id));
    // In a cell of the ledger a case stands by itself: `E05`, `no build: E10`.
    let ledger = fs::read_to_string(root().join("docs/cve-ledger.md")).expect("the page is there");
    let cells = ledger.lines().filter_map(|line| line.trim_end_matches(" |").rsplit_once(" | "));
    let words = cells.flat_map(|(_, cell)| cell.split(|c: char| !c.is_ascii_alphanumeric()));
    let is_id = |word: &&str| is_case(word) && word.starts_with(|c: char| c.is_uppercase());
    wrong
        .extend(words.filter(is_id).filter(|word| !rest.contains(*word)).map(|id| format!("{id}: docs/cve-ledger.md")));
    for text in texts(&["src", "tests"]) {
        for line in text.lines().filter(|line| line.contains("//")) {
            for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                let is_case = is_case(word) && line.contains("case") && word.starts_with(|c: char| c.is_uppercase());
                let unknown = match word {
                    fact if fact.starts_with("K-") => !facts.contains(fact),
                    id => (is_case || is_rule(id)) && !rest.contains(id),
                };
                if unknown {
                    wrong.insert(format!("{word}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_test_of_the_ledger_is_whole() {
    let text = fs::read_to_string(root().join("docs/cve-ledger.md")).expect("the page is there");
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| CVE-") || line.starts_with("| GHSA-")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let last = cells.last().copied().unwrap_or_default().trim_end_matches(" |").trim();
        if cells.len() != 3 || last.is_empty() {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "a row is CVE, what, test or reason:\n{}", wrong.join("\n"));
}

/// What the program refuses by name has a row that says what to do instead.
#[test]
fn every_flag_and_verb_that_is_refused_has_a_row() {
    let source = fs::read_to_string(root().join("src/cli/flags/unsupported.rs")).expect("the lists are there");
    let page = fs::read_to_string(root().join("docs/podman-differences.md")).expect("the page is there");
    let told: BTreeSet<&str> = page.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect();
    let refused = source.lines().filter_map(|line| line.strip_prefix("    \"")?.strip_suffix("\","));
    let untold: Vec<&str> = refused.filter(|word| !told.contains(word)).collect();
    assert!(untold.is_empty(), "docs/podman-differences.md has no row for {untold:?}");
}

/// Every command of the README is one.
#[test]
fn the_tour_can_be_typed() {
    let text = fs::read_to_string(root().join("README.md")).expect("the page is there");
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ ")?.split(" # ").next());
    let commands = lines.flat_map(|line| line.split("; ")).filter(|command| command.starts_with("sampan "));
    let refused: Vec<String> = commands
        .clone()
        .filter_map(|command| sampan::command().try_get_matches_from(command.split_whitespace()).err())
        .map(|error| error.to_string())
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(commands.count() > 20, "the tour is in the README");
}
