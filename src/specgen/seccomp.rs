//! The `seccomp` section from a profile in Docker's and Podman's format: the OCI section, with `includes` and
//! `excludes` per rule (capabilities, architectures, kernel) that are decided here. Fails closed (case C22).

use std::sync::LazyLock;

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSyscall,
};
use serde::Deserialize;

use crate::types::capability::{CapSet, Capability};
use crate::types::null::null_is_default;
use crate::types::platform::Platform;
use crate::types::security::{SeccompMode, Security};

use super::error::Error;

/// Our own profile, written from the kernel's table of system calls.
const DEFAULT: &str = include_str!("default_seccomp.json");

/// Parsed once per process; a test proves that it parses.
static DEFAULT_PROFILE: LazyLock<Result<Profile, serde_json::Error>> = LazyLock::new(|| serde_json::from_str(DEFAULT));

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: LinuxSeccompAction,
    default_errno_ret: Option<u32>,
    #[serde(default, deserialize_with = "null_is_default")]
    architectures: Vec<Arch>,
    #[serde(default, deserialize_with = "null_is_default")]
    arch_map: Vec<ArchMap>,
    #[serde(default, deserialize_with = "null_is_default")]
    flags: Vec<LinuxSeccompFilterFlag>,
    listener_path: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    syscalls: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: Arch,
    #[serde(default)]
    sub_architectures: Option<Vec<Arch>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    #[serde(default, deserialize_with = "null_is_default")]
    names: Vec<String>,
    /// Old form: one name.
    name: Option<String>,
    action: LinuxSeccompAction,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<LinuxSeccompArg>>,
    #[serde(default)]
    includes: Option<Condition>,
    #[serde(default)]
    excludes: Option<Condition>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// The section in force; none with `unconfined` and with `--privileged` without a profile of its own. `bounding`: the
/// container's capabilities; `kernel`: (major, minor).
pub(crate) fn section(
    security: &Security,
    bounding: CapSet,
    profile: Option<&str>,
    kernel: (u32, u32),
) -> Result<Option<LinuxSeccomp>, Error> {
    let parsed;
    let profile = match &security.seccomp {
        SeccompMode::Unconfined => return Ok(None),
        SeccompMode::Default if security.privileged => return Ok(None),
        SeccompMode::Default => match &*DEFAULT_PROFILE {
            Ok(profile) => profile,
            Err(error) => return Err(Error::SeccompUnsupported(error.to_string())),
        },
        SeccompMode::File(_) => {
            parsed = serde_json::from_str(profile.ok_or(Error::SeccompMissing)?).map_err(Error::SeccompProfile)?;
            &parsed
        }
    };
    resolve(profile, bounding, kernel).map(Some)
}

fn resolve(profile: &Profile, bounding: CapSet, kernel: (u32, u32)) -> Result<LinuxSeccomp, Error> {
    if profile.listener_path.is_some() {
        return Err(Error::SeccompUnsupported("a listener (SCMP_ACT_NOTIFY) is not supported".to_owned()));
    }
    let mut section = LinuxSeccomp::default();
    section.set_default_action(profile.default_action).set_default_errno_ret(profile.default_errno_ret);
    section.set_architectures(Some(architectures(profile)));
    section.set_flags((!profile.flags.is_empty()).then(|| profile.flags.clone()));
    let mut rules = Vec::with_capacity(profile.syscalls.len());
    for rule in &profile.syscalls {
        if applies(rule, bounding, kernel)? {
            rules.push(oci_rule(rule));
        }
    }
    section.set_syscalls(Some(rules));
    Ok(section)
}

/// The native architecture's line of `archMap`, or the list as it is.
fn architectures(profile: &Profile) -> Vec<Arch> {
    let native = |arch: Arch| matches!(arch, Arch::ScmpArchNative) || arch_name(arch) == std::env::consts::ARCH;
    let mut all = profile.architectures.clone();
    for line in profile.arch_map.iter().filter(|line| native(line.architecture)) {
        all.push(line.architecture);
        all.extend(line.sub_architectures.iter().flatten().copied());
    }
    all
}

fn arch_name(arch: Arch) -> &'static str {
    match arch {
        Arch::ScmpArchX86_64 => "x86_64",
        Arch::ScmpArchAarch64 => "aarch64",
        Arch::ScmpArchRiscv64 => "riscv64",
        _ => "other",
    }
}

fn applies(rule: &Rule, bounding: CapSet, kernel: (u32, u32)) -> Result<bool, Error> {
    // By Go's names.
    let holds = |names: &[String]| names.contains(&Platform::host().architecture);
    if let Some(includes) = &rule.includes {
        let caps = capabilities(includes)?;
        if caps.iter().any(|cap| !bounding.contains(*cap))
            || includes.arches.as_deref().is_some_and(|list| !list.is_empty() && !holds(list))
            || min_kernel(includes)?.is_some_and(|min| kernel < min)
        {
            return Ok(false);
        }
    }
    if let Some(excludes) = &rule.excludes {
        let caps = capabilities(excludes)?;
        if caps.iter().any(|cap| bounding.contains(*cap))
            || excludes.arches.as_deref().is_some_and(holds)
            || min_kernel(excludes)?.is_some_and(|min| kernel >= min)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn capabilities(condition: &Condition) -> Result<Vec<Capability>, Error> {
    condition.caps.iter().flatten().map(|name| name.parse().map_err(Error::Capability)).collect()
}

fn min_kernel(condition: &Condition) -> Result<Option<(u32, u32)>, Error> {
    let Some(text) = &condition.min_kernel else { return Ok(None) };
    let numbers = text.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    numbers.map(Some).ok_or_else(|| Error::SeccompUnsupported(format!("minKernel {text:?} is not <major>.<minor>")))
}

fn oci_rule(rule: &Rule) -> LinuxSyscall {
    let mut syscall = LinuxSyscall::default();
    syscall.set_names(rule.names.iter().chain(&rule.name).cloned().collect());
    syscall.set_action(rule.action).set_errno_ret(rule.errno_ret);
    syscall.set_args(rule.args.clone().filter(|args| !args.is_empty()));
    syscall
}

#[cfg(test)]
mod tests {
    use super::{CapSet, Capability, Error, LinuxSeccompAction, SeccompMode, Security, section};

    fn file(text: &str) -> Result<Option<oci_spec::runtime::LinuxSeccomp>, Error> {
        let security = Security { seccomp: SeccompMode::File("/x.json".into()), ..Security::default() };
        section(&security, CapSet::DEFAULT, Some(text), (6, 1))
    }

    #[test]
    fn c22_bad_profiles_are_refused() {
        for text in [
            "",
            "{}",
            "[",
            r#"{"defaultAction":"SCMP_ACT_FROB"}"#,
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]}"#,
            r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/x"}"#,
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["open"],"action":"SCMP_ACT_ERRNO","includes":{"caps":["CAP_FROB"]}}]}"#,
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["open"],"action":"SCMP_ACT_ERRNO","includes":{"minKernel":"x"}}]}"#,
        ] {
            assert!(file(text).is_err(), "{text}");
        }
        let security = Security { seccomp: SeccompMode::File("/x.json".into()), ..Security::default() };
        assert!(matches!(section(&security, CapSet::EMPTY, None, (6, 1)), Err(Error::SeccompMissing)));
    }

    /// As Go writes a list that is not set.
    #[test]
    fn null_is_no_list() {
        let text =
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":null,"archMap":null,"flags":null,"syscalls":null}"#;
        assert_eq!(file(text).expect("valid").expect("confined").syscalls().as_deref(), Some(&[][..]));
    }

    #[test]
    fn conditions_decide_which_rules_are_taken() {
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[
            {"names":["a"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_CHOWN"]}},
            {"names":["b"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
            {"names":["c"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
            {"names":["d"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"6.2"}},
            {"names":["e"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390"]}},
            {"name":"f","action":"SCMP_ACT_ALLOW","excludes":{}}]}"#;
        let section = file(text).expect("valid").expect("confined");
        let names: Vec<_> = section.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect();
        assert_eq!(names, ["a", "c", "f"]);
    }

    #[test]
    fn default_profile_is_valid() {
        let of = |set| {
            let section = section(&Security::default(), set, None, (6, 18)).expect("valid").expect("confined");
            let mounting = section.syscalls().iter().flatten().find(|rule| rule.names().contains(&"mount".to_owned()));
            mounting.expect("there").action()
        };
        assert_eq!(of(CapSet::DEFAULT), LinuxSeccompAction::ScmpActErrno);
        assert_eq!(of(CapSet::of(&[Capability::SYS_ADMIN])), LinuxSeccompAction::ScmpActAllow);
        let privileged = Security { privileged: true, ..Security::default() };
        assert_eq!(section(&privileged, CapSet::DEFAULT, None, (6, 18)).expect("none"), None);
    }
}
