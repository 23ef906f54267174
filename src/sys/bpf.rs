//! Assembler of seccomp filters: rules per system call, of any mix of actions and architectures, as one classic BPF
//! program (`seccomp(2)`). Numbers are found by binary search over ranges with one decision, so a profile of 400 names
//! makes some 300 instructions, of which the kernel runs a dozen per call.

use super::error::{Errno, Error, Result};

/// What becomes of a call: the value that a filter returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Action(u32);

impl Action {
    pub(crate) const ALLOW: Self = Self(libc::SECCOMP_RET_ALLOW);
    pub(crate) const LOG: Self = Self(libc::SECCOMP_RET_LOG);
    pub(crate) const KILL_THREAD: Self = Self(libc::SECCOMP_RET_KILL_THREAD);
    pub(crate) const KILL_PROCESS: Self = Self(libc::SECCOMP_RET_KILL_PROCESS);
    pub(crate) const TRAP: Self = Self(libc::SECCOMP_RET_TRAP);

    /// The call returns this error; 0 = success without being made.
    pub(crate) fn errno(number: u16) -> Self {
        Self(libc::SECCOMP_RET_ERRNO | u32::from(number))
    }

    /// A tracer decides, told by this number; without one the call answers ENOSYS.
    pub(crate) fn trace(number: u16) -> Self {
        Self(libc::SECCOMP_RET_TRACE | u32::from(number))
    }

    /// True if the call is made.
    fn lets_pass(self) -> bool {
        !matches!(
            self.0 & libc::SECCOMP_RET_ACTION_FULL,
            libc::SECCOMP_RET_KILL_PROCESS
                | libc::SECCOMP_RET_KILL_THREAD
                | libc::SECCOMP_RET_TRAP
                | libc::SECCOMP_RET_ERRNO
        )
    }
}

/// How an argument is compared, as an unsigned number of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal(u64),
    NotEqual(u64),
    Less(u64),
    LessOrEqual(u64),
    Greater(u64),
    GreaterOrEqual(u64),
    /// `argument & mask == value`.
    Masked {
        mask: u64,
        value: u64,
    },
}

/// What one argument (0 to 5) must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) argument: u8,
    pub(crate) compare: Compare,
}

/// Taken if all conditions hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) action: Action,
}

/// The rules of one architecture.
#[derive(Debug, Clone)]
pub(crate) struct Table<'a> {
    /// `AUDIT_ARCH_*`.
    pub(crate) arch: u32,
    /// Numbers from here on are another interface of the same architecture (x32), for which there are no rules.
    pub(crate) limit: Option<u32>,
    /// By number, ascending. Of the rules of one number the first that fits decides.
    pub(crate) calls: Vec<(u32, &'a [Rule])>,
}

pub(crate) const ARCH_X86_64: u32 = 0xc000_003e;
pub(crate) const ARCH_I386: u32 = 0x4000_0003;
pub(crate) const ARCH_AARCH64: u32 = 0xc000_00b7;
pub(crate) const ARCH_ARM: u32 = 0x4000_0028;
pub(crate) const ARCH_RISCV64: u32 = 0xc000_00f3;
/// Bit of x32 numbers, which share `AUDIT_ARCH_X86_64`.
pub(crate) const X32_BIT: u32 = 0x4000_0000;

/// `struct sock_filter` (linux/filter.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Instruction {
    pub(super) code: u16,
    pub(super) jt: u8,
    pub(super) jf: u8,
    pub(super) k: u32,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_GREATER_EQUAL: u16 = 0x35;
const RETURN: u16 = 0x06;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `BPF_MAXINSNS`.
const LONGEST: usize = 4096;

/// Puts a filter together. Other architectures than those of the tables die: no rule was made for them.
pub(super) fn assemble(tables: &[Table<'_>], default: Action) -> Result<Vec<Instruction>> {
    let mut program = vec![op(LOAD, ARCH)];
    for table in tables {
        let mut block = vec![op(LOAD, NUMBER)];
        if let Some(limit) = table.limit {
            let refused = if default.lets_pass() { Action::errno(Errno::ENOSYS as u16) } else { default };
            block.push(jump(JUMP_GREATER_EQUAL, limit, 0, 1));
            block.push(op(RETURN, refused.0));
        }
        search(&ranges(table, default), default, &mut block)?;
        program.push(jump(JUMP_EQUAL, table.arch, 1, 0));
        program.push(op(JUMP, offset(block.len())?));
        program.extend(block);
    }
    program.push(op(RETURN, Action::KILL_PROCESS.0));
    if program.len() > LONGEST {
        let told = format!("a filter of {} instructions, the kernel takes {LONGEST}", program.len());
        return Err(Error::new("seccomp", told, Errno::E2BIG));
    }
    Ok(program)
}

/// Numbers from `first` on, up to the next range.
struct Range<'a> {
    first: u32,
    rules: &'a [Rule],
}

/// Neighbours with the same decision become one.
fn ranges<'a>(table: &Table<'a>, default: Action) -> Vec<Range<'a>> {
    let mut all: Vec<Range<'a>> = vec![Range { first: 0, rules: &[] }];
    let mut push = |first: u32, rules: &'a [Rule]| match all.last_mut() {
        Some(last) if same(last.rules, rules, default) => {}
        Some(last) if last.first == first => last.rules = rules,
        _ => all.push(Range { first, rules }),
    };
    let mut next = 0;
    for (number, rules) in &table.calls {
        if *number > next {
            push(next, &[]);
        }
        push(*number, rules);
        next = number + 1;
    }
    push(next, &[]);
    all
}

/// Both sides decide without looking at arguments, and alike.
fn same(a: &[Rule], b: &[Rule], default: Action) -> bool {
    let plain = |rules: &[Rule]| match rules.first() {
        None => Some(default),
        Some(first) => first.conditions.is_empty().then_some(first.action),
    };
    plain(a).is_some() && plain(a) == plain(b)
}

fn search(ranges: &[Range<'_>], default: Action, program: &mut Vec<Instruction>) -> Result<()> {
    match ranges {
        [] => Ok(()),
        [one] => chain(one.rules, default, program),
        _ => {
            let (low, high) = ranges.split_at(ranges.len() / 2);
            let mut left = Vec::new();
            search(low, default, &mut left)?;
            match u8::try_from(left.len()) {
                Ok(length) => program.push(jump(JUMP_GREATER_EQUAL, high[0].first, length, 0)),
                Err(_) => {
                    program.push(jump(JUMP_GREATER_EQUAL, high[0].first, 0, 1));
                    program.push(op(JUMP, offset(left.len())?));
                }
            }
            program.extend(left);
            search(high, default, program)
        }
    }
}

/// The rules of one call, one after the other.
fn chain(rules: &[Rule], default: Action, program: &mut Vec<Instruction>) -> Result<()> {
    for rule in rules {
        let code: Vec<Vec<Step>> = rule.conditions.iter().map(condition).collect();
        let total: usize = code.iter().map(Vec::len).sum();
        let mut done = 0;
        for steps in &code {
            for (index, step) in steps.iter().enumerate() {
                let place = |to: To| match to {
                    To::Next => Ok(0),
                    To::Holds => short(steps.len() - index - 1),
                    // Behind the return that follows the conditions.
                    To::Fails => short(total - done - index),
                };
                program.push(jump(step.code, step.k, place(step.yes)?, place(step.no)?));
            }
            done += steps.len();
        }
        program.push(op(RETURN, rule.action.0));
        if rule.conditions.is_empty() {
            return Ok(());
        }
    }
    program.push(op(RETURN, default.0));
    Ok(())
}

#[derive(Clone, Copy)]
enum To {
    Next,
    Holds,
    Fails,
}

struct Step {
    code: u16,
    k: u32,
    yes: To,
    no: To,
}

/// Compares the two halves of an argument (little-endian machines only, as all of ours are).
fn condition(condition: &Condition) -> Vec<Step> {
    let at = ARGUMENTS + 8 * u32::from(condition.argument);
    let plain = |code, k| Step { code, k, yes: To::Next, no: To::Next };
    let test = |code, k, yes, no| Step { code, k, yes, no };
    let (low, high) = (plain(LOAD, at), plain(LOAD, at + 4));
    let halves = |value: u64| ((value & 0xffff_ffff) as u32, (value >> 32) as u32);
    let ordered = |value: u64, code: u16, above: To, below: To| {
        let (l, h) = halves(value);
        vec![
            plain(LOAD, at + 4),
            test(JUMP_GREATER, h, above, To::Next),
            test(JUMP_EQUAL, h, To::Next, below),
            plain(LOAD, at),
            test(code, l, above, below),
        ]
    };
    match condition.compare {
        Compare::Equal(value) => {
            let (l, h) = halves(value);
            vec![high, test(JUMP_EQUAL, h, To::Next, To::Fails), low, test(JUMP_EQUAL, l, To::Next, To::Fails)]
        }
        Compare::NotEqual(value) => {
            let (l, h) = halves(value);
            vec![high, test(JUMP_EQUAL, h, To::Next, To::Holds), low, test(JUMP_EQUAL, l, To::Fails, To::Next)]
        }
        Compare::Masked { mask, value } => {
            let ((ml, mh), (vl, vh)) = (halves(mask), halves(value));
            vec![
                high,
                plain(AND, mh),
                test(JUMP_EQUAL, vh, To::Next, To::Fails),
                low,
                plain(AND, ml),
                test(JUMP_EQUAL, vl, To::Next, To::Fails),
            ]
        }
        Compare::Greater(value) => ordered(value, JUMP_GREATER, To::Holds, To::Fails),
        Compare::GreaterOrEqual(value) => ordered(value, JUMP_GREATER_EQUAL, To::Holds, To::Fails),
        Compare::LessOrEqual(value) => ordered(value, JUMP_GREATER, To::Fails, To::Holds),
        Compare::Less(value) => ordered(value, JUMP_GREATER_EQUAL, To::Fails, To::Holds),
    }
}

fn op(code: u16, k: u32) -> Instruction {
    Instruction { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> Instruction {
    Instruction { code, jt, jf, k }
}

fn short(length: usize) -> Result<u8> {
    u8::try_from(length).ok().ok_or_else(|| Error::new("seccomp", "a rule that is too long", Errno::E2BIG))
}

fn offset(length: usize) -> Result<u32> {
    u32::try_from(length).ok().ok_or_else(|| Error::new("seccomp", "a filter that is too long", Errno::E2BIG))
}
