//! What to do instead of what Podman has and Sampan has not: the page of differences, row by row. Whoever has the program
//! alone has no page, so the row itself is the hint.

use super::flags::{is_known_but_unsupported, is_podman_verb};

const PAGE: &str = include_str!("../../docs/podman-differences.md");

/// Where its rows about commands, flags and values begin; those before are of what is there.
const FIRST: &str = "## Commands that are not there";

/// What is said where no row has a way round.
const NOTHING: &str = "there is none in this version; docs/podman-differences.md in the sources lists what is missing";

/// What to do instead of a verb; `parent` is the command that it would belong to, if any. None if Podman has none such.
pub(super) fn of_verb(parent: &str, verb: &str) -> Option<(String, String)> {
    let whole = if parent.is_empty() { verb.to_owned() } else { format!("{parent} {verb}") };
    let row = row(&|name| name == whole).or_else(|| row(&|name| name == verb && is_podman_verb(verb)));
    if row.is_none() && !is_podman_verb(verb) {
        return None;
    }
    let begins = format!("{verb} ");
    let instead = row.or_else(|| self::row(&|name| name.starts_with(&begins) || name.ends_with(&format!(" {verb}"))));
    Some((whole, hint(instead)))
}

/// What to do instead of a flag (with its dashes). None if Podman has none such.
pub(super) fn of_flag(flag: &str) -> Option<String> {
    is_known_but_unsupported(flag).then(|| of_value(flag))
}

/// What to do instead of a value of a flag (with its dashes) that Podman would take.
pub(super) fn of_value(flag: &str) -> String {
    let begins = format!("{flag} ");
    hint(row(&|name| name == flag).or_else(|| row(&|name| name.starts_with(&begins))))
}

/// The last cell of the first row one of whose names fits.
fn row(fits: &dyn Fn(&str) -> bool) -> Option<String> {
    let rows = PAGE.lines().skip_while(|line| *line != FIRST).filter(|line| line.starts_with("| "));
    rows.map(|line| line.trim_start_matches("| ").trim_end_matches(" |")).find_map(|line| {
        let (names, instead) = line.split_once(" | ")?;
        names.split('`').skip(1).step_by(2).any(fits).then(|| instead.replace('`', "").replace("\\|", "|"))
    })
}

fn hint(instead: Option<String>) -> String {
    match instead {
        Some(text) if text != "none" => format!("instead: {text}"),
        _ => NOTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_flag, of_value, of_verb};

    #[test]
    fn the_way_round_is_told() {
        for (parent, verb, whole, hint) in [
            ("volume", "export", "volume export", "instead: sampan run --rm -v NAME:/v IMAGE tar"),
            ("volume", "mount", "volume mount", "instead: sampan volume inspect --format"),
            ("image", "scp", "image scp", "instead: sampan save NAME | ssh HOST sampan load"),
            ("", "pod", "pod", "instead: containers that share namespaces"),
            ("", "network", "network", "instead: --network container:NAME joins"),
            ("container", "update", "container update", "instead: sampan rm and sampan run"),
            ("container", "checkpoint", "container checkpoint", "instead: none: CRIU"),
            ("", "artifact", "artifact", "there is none in this version"),
        ] {
            let told = of_verb(parent, verb).expect(verb);
            assert!(told.0 == whole && told.1.starts_with(hint), "{verb}: {told:?}");
        }
        assert_eq!(of_verb("volume", "rum"), None);
        assert_eq!(of_verb("", "export"), None);
        assert_eq!(of_flag("--pod").as_deref(), Some("instead: there are no pods"));
        assert_eq!(of_flag("--pods"), None);
        assert!(of_value("--userns").starts_with("instead: --userns auto"));
    }
}
