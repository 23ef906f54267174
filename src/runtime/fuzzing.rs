//! Entry points of `fuzz/`.

use std::path::Path;

use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator};

use super::mount_options::MountOptions;
use super::seccomp_profile;
use crate::sys;

/// `SECCOMP_RET_KILL_PROCESS`.
const KILL_PROCESS: u32 = 0x8000_0000;

/// Options of mounts: what is left over for the kernel has no separators of options.
pub(crate) fn mount_options(text: &str) {
    let options: Vec<String> = text.split(',').map(str::to_owned).collect();
    if let Ok(parsed) = MountOptions::parse(Path::new("/v"), &options) {
        std::hint::black_box(parsed.mode());
        assert!(parsed.data.iter().all(|(key, _)| !key.contains([',', '='])), "{text:?}");
    }
}

/// What the filter made of a section answers, against a slow reading of its rules.
pub(crate) fn seccomp(section: &LinuxSeccomp) {
    let Ok(program) = seccomp_profile::compile(section) else { return };
    let rules = section.syscalls().as_deref().unwrap_or_default();
    for name in rules.iter().flat_map(|rule| rule.names()).take(16) {
        let Ok(call) = name.parse::<syscalls::x86_64::Sysno>() else { continue };
        let number = u32::try_from(call.id()).expect("a number");
        for args in interesting(section, name) {
            let answer = sys::seccomp::interpret(&program, sys::bpf::ARCH_X86_64, number, args);
            assert_eq!(answer, Some(decision(section, name, args)), "{name} {args:x?}");
        }
    }
    let nobody = sys::seccomp::interpret(&program, 1, 0, [0; 6]);
    assert_eq!(nobody, Some(KILL_PROCESS), "a foreign architecture dies");
}

/// Arguments beside every border that the rules of a call name.
fn interesting(section: &LinuxSeccomp, name: &str) -> Vec<[u64; 6]> {
    let mut found = vec![[0; 6], [u64::MAX; 6]];
    let rules = section.syscalls().iter().flatten().filter(|rule| rule.names().iter().any(|other| other == name));
    for arg in rules.flat_map(|rule| rule.args().iter().flatten()).take(8) {
        for value in [arg.value(), arg.value_two().unwrap_or(0)] {
            for near in [value, value.wrapping_add(1), value.wrapping_sub(1), value ^ 1 << 32] {
                let mut args = [0; 6];
                if let Some(slot) = args.get_mut(arg.index()) {
                    *slot = near;
                }
                found.push(args);
            }
        }
    }
    found
}

fn holds(arg: &LinuxSeccompArg, args: [u64; 6]) -> bool {
    let (given, value) = (args[arg.index()], arg.value());
    match arg.op() {
        LinuxSeccompOperator::ScmpCmpNe => given != value,
        LinuxSeccompOperator::ScmpCmpLt => given < value,
        LinuxSeccompOperator::ScmpCmpLe => given <= value,
        LinuxSeccompOperator::ScmpCmpEq => given == value,
        LinuxSeccompOperator::ScmpCmpGe => given >= value,
        LinuxSeccompOperator::ScmpCmpGt => given > value,
        LinuxSeccompOperator::ScmpCmpMaskedEq => given & value == arg.value_two().unwrap_or(0),
    }
}

fn decision(section: &LinuxSeccomp, name: &str, args: [u64; 6]) -> u32 {
    for rule in section.syscalls().iter().flatten().filter(|rule| rule.names().iter().any(|other| other == name)) {
        let conditions = rule.args().as_deref().unwrap_or_default();
        let mut indices: Vec<usize> = conditions.iter().map(|arg| arg.index()).collect();
        indices.sort_unstable();
        let count = indices.len();
        indices.dedup();
        let fits = if indices.len() < count {
            conditions.iter().any(|arg| holds(arg, args))
        } else {
            conditions.iter().all(|arg| holds(arg, args))
        };
        if fits {
            return answer_of(rule.action(), rule.errno_ret());
        }
    }
    answer_of(section.default_action(), section.default_errno_ret())
}

fn answer_of(action: LinuxSeccompAction, errno: Option<u32>) -> u32 {
    match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => 0,
        LinuxSeccompAction::ScmpActKillProcess => KILL_PROCESS,
        LinuxSeccompAction::ScmpActTrap => 0x0003_0000,
        LinuxSeccompAction::ScmpActErrno => 0x0005_0000 | errno.unwrap_or(1),
        LinuxSeccompAction::ScmpActTrace => 0x7ff0_0000 | errno.unwrap_or(1),
        LinuxSeccompAction::ScmpActLog => 0x7ffc_0000,
        LinuxSeccompAction::ScmpActAllow => 0x7fff_0000,
        // Profiles that ask for it are refused; a section that has it all the same shows here.
        LinuxSeccompAction::ScmpActNotify => 0x7fc0_0000,
    }
}
