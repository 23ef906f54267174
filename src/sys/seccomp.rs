//! `seccomp(2)` filters: built before the clone, carried to init, installed there by one call.
#![expect(unsafe_code, reason = "no crate in use wraps seccomp(2) with a filter of our making")]

use serde::{Deserialize, Serialize};

use super::bpf::{self, Action, Instruction, Table};
use super::error::{Error, Result};

/// A filter, ready to be installed. Serialisable, to follow init across its re-execution: one number per instruction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::unsafe_derive_deserialize, reason = "any numbers are safe: the kernel checks a filter")]
pub(crate) struct Program {
    code: Vec<u64>,
    flags: u32,
}

/// Actions but `allow` are logged by the kernel.
pub(crate) const FLAG_LOG: u32 = 2;
/// No mitigation of speculative store bypass for who runs under the filter.
pub(crate) const FLAG_SPEC_ALLOW: u32 = 4;

impl Program {
    /// Puts together the rules of each architecture; calls without a rule get `default`.
    pub(crate) fn assemble(tables: &[Table<'_>], default: Action, flags: u32) -> Result<Self> {
        let code = bpf::assemble(tables, default)?.into_iter().map(pack).collect();
        Ok(Self { code, flags })
    }

    /// Instructions.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    /// Puts this thread and all its children under the filter, for good. Needs no_new_privs or CAP_SYS_ADMIN. Filters
    /// add up: the strictest answer counts.
    pub(crate) fn install(&self) -> Result<()> {
        let mut code: Vec<Instruction> = self.code.iter().copied().map(unpack).collect();
        let told = || format!("SECCOMP_SET_MODE_FILTER, {} instructions", code.len());
        let len = u16::try_from(code.len()).ok().ok_or_else(|| Error::new("seccomp", told(), super::Errno::EINVAL))?;
        let args = told();
        let program = libc::sock_fprog { len, filter: code.as_mut_ptr().cast() };
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        // SAFETY: `program` names `len` instructions with the layout of struct sock_filter that live through the call.
        let result = unsafe { libc::syscall(libc::SYS_seccomp, mode, self.flags, std::ptr::from_ref(&program)) };
        if result == 0 { Ok(()) } else { Err(Error::last("seccomp", args)) }
    }
}

/// What a filter answers to a call (`SECCOMP_RET_*` with its data), by the rules of the kernel's interpreter for the
/// instructions that [`bpf`] makes. `None`: it does not end, or uses another one.
#[cfg(feature = "fuzzing")]
pub(crate) fn interpret(program: &Program, arch: u32, number: u32, args: [u64; 6]) -> Option<u32> {
    let mut data = Vec::with_capacity(64);
    data.extend(number.to_le_bytes());
    data.extend(arch.to_le_bytes());
    data.extend(0_u64.to_le_bytes());
    data.extend(args.iter().flat_map(|arg| arg.to_le_bytes()));
    let (mut at, mut value) = (0_usize, 0_u32);
    loop {
        let one = unpack(*program.code.get(at)?);
        at += 1;
        let skip = |holds: bool| usize::from(if holds { one.jt } else { one.jf });
        match one.code {
            0x20 => {
                let offset = usize::try_from(one.k).ok()?;
                value = u32::from_le_bytes(data.get(offset..offset + 4)?.try_into().ok()?);
            }
            0x54 => value &= one.k,
            0x05 => at += usize::try_from(one.k).ok()?,
            0x15 => at += skip(value == one.k),
            0x25 => at += skip(value > one.k),
            0x35 => at += skip(value >= one.k),
            0x06 => return Some(one.k),
            _ => return None,
        }
    }
}

fn pack(one: Instruction) -> u64 {
    u64::from(one.code) << 48 | u64::from(one.jt) << 40 | u64::from(one.jf) << 32 | u64::from(one.k)
}

fn unpack(one: u64) -> Instruction {
    let [c1, c0, jt, jf, k @ ..] = one.to_be_bytes();
    Instruction { code: u16::from_be_bytes([c1, c0]), jt, jf, k: u32::from_be_bytes(k) }
}

/// For tests: what a call answers to a child process under these filters: its result, or the negative errno; `None` if
/// the filter killed it.
#[cfg(test)]
pub(crate) fn answer(filters: &[Program], number: libc::c_long, args: [u64; 4]) -> Option<i64> {
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    // SAFETY: the child calls nothing but the kernel, and the C library's allocator, which is usable after fork(2).
    let child = unsafe { libc::fork() };
    if child == 0 {
        super::prctl::set_no_new_privs().expect("always allowed");
        for filter in filters {
            filter.install().expect("a valid filter");
        }
        // SAFETY: the tests pass calls that do no harm, and no pointers but null.
        let result = unsafe { libc::syscall(number, args[0], args[1], args[2], args[3]) };
        let result = if result < 0 { -i64::from(super::Errno::last_raw()) } else { result };
        rustix::io::write(&writer, &result.to_ne_bytes()).expect("the pipe is open");
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(0) };
    }
    drop(writer);
    let mut bytes = [0; 8];
    let got = rustix::io::read(&reader, &mut bytes).expect("the pipe is open");
    // SAFETY: reaps the child made above.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    (got == 8).then(|| i64::from_ne_bytes(bytes))
}
