//! The `seccomp` section of a runtime spec → BPF. One filter for all architectures and actions; a second one for the
//! single-id mode.
//!
//! Of several rules for one call the first that fits decides (libseccomp lets an unconditional one win wherever it
//! stands). Names that no architecture knows are left out with a warning; everything else that is not understood is an
//! error (case C22). x32 calls are never made: no profile can mean them.

use std::collections::{HashMap, HashSet};

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};

use crate::sys::bpf::{self, Action, Compare, Condition, Rule, Table};
use crate::sys::seccomp::{FLAG_LOG, FLAG_SPEC_ALLOW, Program};

use super::bundle::Bundle;
use super::error::Error;

/// The filters of a bundle, in the order in which they are installed.
pub(super) fn filters(bundle: &Bundle) -> Result<Vec<Program>, Error> {
    let mut filters = Vec::new();
    if bundle.single_id {
        filters.push(pretend_owner_calls()?);
    }
    if let Some(section) = bundle.spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref()) {
        filters.push(compile(section)?);
    }
    Ok(filters)
}

/// Compiles the section of a spec.
pub(crate) fn compile(section: &LinuxSeccomp) -> Result<Program, Error> {
    if section.listener_path().is_some() {
        return Err(Error::SeccompProfile("a listener (SCMP_ACT_NOTIFY) is not supported".to_owned()));
    }
    let default = action(section.default_action(), section.default_errno_ret())?;
    let rules = by_name(section.syscalls().as_deref().unwrap_or_default())?;
    let tables: Vec<_> = architectures(section).into_iter().map(|machine| machine.table(&rules)).collect();
    let flags = flags(section)?;
    Program::assemble(&tables, default, flags).map_err(Error::Seccomp)
}

/// Calls that change an owner or an id.
const OWNER_CALLS: [&str; 25] = [
    "chown",
    "chown32",
    "fchown",
    "fchown32",
    "fchownat",
    "lchown",
    "lchown32",
    "setuid",
    "setuid32",
    "setgid",
    "setgid32",
    "setreuid",
    "setreuid32",
    "setregid",
    "setregid32",
    "setresuid",
    "setresuid32",
    "setresgid",
    "setresgid32",
    "setfsuid",
    "setfsuid32",
    "setfsgid",
    "setfsgid32",
    "setgroups",
    "setgroups32",
];

/// The filter of the single-id mode: with one id there is nobody to give a file to and nobody to become, so these calls
/// answer that they were done (K-A9). Installed beside the profile, of which the stricter answer counts.
pub(crate) fn pretend_owner_calls() -> Result<Program, Error> {
    let done = || vec![Rule { conditions: Vec::new(), action: Action::errno(0) }];
    let rules: Rules<'_> = OWNER_CALLS.iter().map(|name| (*name, done())).collect();
    let tables: Vec<_> = Machine::all().into_iter().map(|arch| arch.table(&rules)).collect();
    Program::assemble(&tables, Action::ALLOW, 0).map_err(Error::Seccomp)
}

/// The rules of each name.
type Rules<'a> = HashMap<&'a str, Vec<Rule>>;

fn by_name(syscalls: &[LinuxSyscall]) -> Result<Rules<'_>, Error> {
    let mut rules: Rules<'_> = HashMap::with_capacity(512);
    for syscall in syscalls {
        let action = action(syscall.action(), syscall.errno_ret())?;
        let args = syscall.args().as_deref().unwrap_or_default();
        let alternatives = alternatives(args)?;
        for name in syscall.names() {
            let list = rules.entry(name).or_default();
            list.extend(alternatives.iter().map(|conditions| Rule { conditions: conditions.clone(), action }));
        }
    }
    Ok(rules)
}

/// All conditions of a rule must hold; but if one argument is named twice, each is a rule of its own, as in runc and crun.
fn alternatives(args: &[LinuxSeccompArg]) -> Result<Vec<Vec<Condition>>, Error> {
    let conditions = args.iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    let twice =
        conditions.iter().enumerate().any(|(index, a)| conditions[..index].iter().any(|b| a.argument == b.argument));
    Ok(if twice { conditions.into_iter().map(|condition| vec![condition]).collect() } else { vec![conditions] })
}

fn condition(arg: &LinuxSeccompArg) -> Result<Condition, Error> {
    let argument = u8::try_from(arg.index()).ok().filter(|index| *index < 6);
    let argument =
        argument.ok_or_else(|| Error::SeccompProfile(format!("argument {} of a system call", arg.index())))?;
    let value = arg.value();
    let compare = match arg.op() {
        LinuxSeccompOperator::ScmpCmpNe => Compare::NotEqual(value),
        LinuxSeccompOperator::ScmpCmpLt => Compare::Less(value),
        LinuxSeccompOperator::ScmpCmpLe => Compare::LessOrEqual(value),
        LinuxSeccompOperator::ScmpCmpEq => Compare::Equal(value),
        LinuxSeccompOperator::ScmpCmpGe => Compare::GreaterOrEqual(value),
        LinuxSeccompOperator::ScmpCmpGt => Compare::Greater(value),
        LinuxSeccompOperator::ScmpCmpMaskedEq => Compare::Masked { mask: value, value: arg.value_two().unwrap_or(0) },
    };
    Ok(Condition { argument, compare })
}

fn action(action: LinuxSeccompAction, errno: Option<u32>) -> Result<Action, Error> {
    let number = || {
        let number = errno.unwrap_or(1);
        u16::try_from(number)
            .ok()
            .filter(|number| *number < 4096)
            .ok_or_else(|| Error::SeccompProfile(format!("error number {number} is above 4095")))
    };
    Ok(match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => Action::KILL_THREAD,
        LinuxSeccompAction::ScmpActKillProcess => Action::KILL_PROCESS,
        LinuxSeccompAction::ScmpActTrap => Action::TRAP,
        LinuxSeccompAction::ScmpActErrno => Action::errno(number()?),
        LinuxSeccompAction::ScmpActTrace => Action::trace(number()?),
        LinuxSeccompAction::ScmpActLog => Action::LOG,
        LinuxSeccompAction::ScmpActAllow => Action::ALLOW,
        LinuxSeccompAction::ScmpActNotify => {
            return Err(Error::SeccompProfile("SCMP_ACT_NOTIFY is not supported".to_owned()));
        }
    })
}

fn flags(section: &LinuxSeccomp) -> Result<u32, Error> {
    let mut flags = 0;
    for flag in section.flags().iter().flatten() {
        flags |= match flag {
            LinuxSeccompFilterFlag::SeccompFilterFlagLog => FLAG_LOG,
            LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => FLAG_SPEC_ALLOW,
            // Init has one thread.
            LinuxSeccompFilterFlag::SeccompFilterFlagTsync => 0,
            LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => {
                return Err(Error::SeccompProfile("the flag WAIT_KILLABLE_RECV is for listeners".to_owned()));
            }
        };
    }
    Ok(flags)
}

/// Architectures whose calls this machine may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    X86_64,
    I386,
    Aarch64,
    Arm,
    Riscv64,
}

/// The native one, and its 32-bit sister if the profile names it. Any other dies by the filter.
fn architectures(section: &LinuxSeccomp) -> Vec<Machine> {
    let named = |machine: &Machine| {
        let arch = match machine {
            Machine::I386 => Arch::ScmpArchX86,
            Machine::Arm => Arch::ScmpArchArm,
            Machine::X86_64 | Machine::Aarch64 | Machine::Riscv64 => return true,
        };
        section.architectures().iter().flatten().any(|named| *named == arch)
    };
    Machine::all().into_iter().filter(named).collect()
}

impl Machine {
    fn all() -> Vec<Self> {
        match std::env::consts::ARCH {
            "x86_64" => vec![Self::X86_64, Self::I386],
            "aarch64" => vec![Self::Aarch64, Self::Arm],
            "riscv64" => vec![Self::Riscv64],
            _ => Vec::new(),
        }
    }

    /// The rules that this architecture has a number for.
    fn table<'a>(self, rules: &'a Rules<'_>) -> Table<'a> {
        macro_rules! calls {
            ($arch:ident) => {
                syscalls::$arch::Sysno::iter()
                    .filter_map(|call| {
                        let rules = rules.get(call.name())?;
                        Some((u32::try_from(call.id()).ok()?, rules.as_slice()))
                    })
                    .collect()
            };
        }
        let (arch, limit, mut calls): (_, _, Vec<(u32, &[Rule])>) = match self {
            Self::X86_64 => (bpf::ARCH_X86_64, Some(bpf::X32_BIT), calls!(x86_64)),
            Self::I386 => (bpf::ARCH_I386, None, calls!(x86)),
            Self::Aarch64 => (bpf::ARCH_AARCH64, None, calls!(aarch64)),
            Self::Arm => (bpf::ARCH_ARM, None, calls!(arm)),
            Self::Riscv64 => (bpf::ARCH_RISCV64, None, calls!(riscv64)),
        };
        calls.sort_by_key(|(number, _)| *number);
        Table { arch, limit, calls }
    }
}

/// Names that no table has: newer than ours, or misspelt.
pub(crate) fn unknown_names(section: &LinuxSeccomp) -> Vec<String> {
    let names = section.syscalls().iter().flatten().flat_map(|rule| rule.names());
    let mut unknown: HashSet<&str> = names.map(String::as_str).collect();
    macro_rules! forget {
        ($($arch:ident),*) => {
            // One table after the other, until nothing is left.
            $(if !unknown.is_empty() {
                for call in syscalls::$arch::Sysno::iter() {
                    unknown.remove(call.name());
                }
            })*
        };
    }
    forget!(riscv64, aarch64, arm, x86_64, x86, powerpc64, s390x);
    let mut unknown: Vec<String> = unknown.into_iter().map(str::to_owned).collect();
    unknown.sort_unstable();
    unknown
}

#[cfg(test)]
#[path = "seccomp_profile_tests.rs"]
mod tests;
