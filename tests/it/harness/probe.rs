//! A program for inside containers that tells what the kernel answers to raw system calls: this very test binary, which
//! is static, bound to `/probe`.
#![expect(unsafe_code, reason = "raw system calls are what this file is for")]

use super::{BUSYBOX, Env, Output};

const VARIABLE: &str = "SAMPAN_PROBE";

/// Runs `probe` with these `run` options; one answer per line of `calls`: a call's name (or number), and numbers. The
/// answer is the result, or the negative error number.
#[track_caller]
pub(crate) fn answers(env: &Env, options: &[&str], calls: &[&str]) -> Vec<i64> {
    let out = output(env, options, calls);
    let found: Vec<i64> = out.stdout().lines().filter_map(|line| line.strip_prefix("answer ")?.parse().ok()).collect();
    assert_eq!(found.len(), calls.len(), "{out:?}");
    found
}

/// The same, with whatever comes of it.
pub(crate) fn output(env: &Env, options: &[&str], calls: &[&str]) -> Output {
    let own = std::env::current_exe().unwrap();
    let volume = format!("{}:/probe:ro", own.display());
    let variable = format!("{VARIABLE}={}", calls.join(";"));
    let test = "harness::probe::inside_a_container";
    let mut arguments = vec!["run", "--rm", "--network=none", "-v", &volume, "-e", &variable];
    arguments.extend(options);
    arguments.extend([BUSYBOX, "/probe", "--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    env.run(arguments)
}

#[test]
#[ignore = "runs inside containers, for other tests"]
fn inside_a_container() {
    use std::io::Write as _;
    let Ok(calls) = std::env::var(VARIABLE) else { return };
    for call in calls.split(';') {
        let mut words = call.split_ascii_whitespace();
        let name = words.next().unwrap();
        let args: Vec<u64> = words.map(number).collect();
        let arg = |index: usize| args.get(index).copied().unwrap_or(0);
        let answer = match name.strip_prefix("i386:") {
            Some(number) => int80(number.parse().unwrap(), arg(0), arg(1)),
            None => {
                let call = name
                    .parse::<syscalls::Sysno>()
                    .map_or_else(|()| name.parse().unwrap(), |call| i64::from(call.id()));
                // SAFETY: the tests pass calls that do no harm to this process, and no pointers but null.
                let result = unsafe { libc::syscall(call, arg(0), arg(1), arg(2), arg(3)) };
                if result < 0 { -i64::from(nix::errno::Errno::last_raw()) } else { result }
            }
        };
        // The test harness has begun a line of its own.
        writeln!(std::io::stdout(), "\nanswer {answer}").unwrap();
    }
}

fn number(text: &str) -> u64 {
    text.strip_prefix("0x").map_or_else(|| text.parse().unwrap(), |hex| u64::from_str_radix(hex, 16).unwrap())
}

/// A call by the 32-bit interface, which a 64-bit program reaches as well.
#[cfg(target_arch = "x86_64")]
fn int80(number: i64, first: u64, second: u64) -> i64 {
    let answer: i64;
    // SAFETY: interrupt 0x80 keeps all registers but rax, and some kernels r8 to r11; rbx is kept by hand.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {first}",
            "int 0x80",
            "xchg rbx, {first}",
            first = inout(reg) first => _,
            inlateout("rax") number => answer,
            in("rcx") second,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    // The low half is the answer of a 32-bit call.
    let [a, b, c, d, ..] = answer.to_le_bytes();
    i64::from(i32::from_le_bytes([a, b, c, d]))
}

#[cfg(not(target_arch = "x86_64"))]
fn int80(_number: i64, _first: u64, _second: u64) -> i64 {
    -38
}
