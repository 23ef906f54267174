//! Runs a command under ptrace(2), follows its forks, and kills one process or fails one call at a named [`Point`].
//!
//! Unlike `strace --inject` it names processes by their place in the tree of forks (`0` is the command, `0.2` its second
//! child), so that a point means the same in every run, and it needs no root: before a set-uid `newuidmap`, and before the
//! program of a container, the tracer lets go. A stop at each call is what costs time: with a target only its process makes
//! them, its ancestors stop at their forks, and of all others the tracer lets go at their birth.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use syscalls::Sysno;

use super::calls::{self, Weight};
use crate::harness::Command;

/// The n-th call of a kind in one process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Point {
    pub(super) process: String,
    pub(super) call: Sysno,
    pub(super) nth: u32,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}#{}", self.process, self.call.name(), self.nth)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not like '0.1 renameat2#3'");
        let (process, rest) = text.split_once(' ').ok_or_else(wrong)?;
        let (call, nth) = rest.split_once('#').ok_or_else(wrong)?;
        let call = Sysno::from_str(call).ok().ok_or_else(wrong)?;
        Ok(Self { process: process.to_owned(), call, nth: nth.parse().ok().ok_or_else(wrong)? })
    }
}

/// What to do at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Kill,
    Fail(Errno),
    /// It is not made, and this is its answer: an older kernel's.
    Answer(i64),
}

impl Action {
    /// What the call answers instead of being made.
    fn result(self) -> Option<i64> {
        match self {
            Self::Kill => None,
            Self::Fail(errno) => Some(-i64::from(errno as i32)),
            Self::Answer(value) => Some(value),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("kill"),
            Self::Fail(errno) => write!(f, "{errno:?}"),
            Self::Answer(value) => write!(f, "answer {value}"),
        }
    }
}

/// A call that was seen.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) point: Point,
    pub(super) weight: Weight,
    pub(super) errors: &'static [Errno],
    /// Name of the process (`/proc/PID/comm`).
    pub(super) comm: String,
    /// A path, where the call has one.
    pub(super) subject: String,
}

/// What a traced command did.
#[derive(Debug)]
pub(super) struct Traced {
    pub(super) status: Option<ExitStatus>,
    pub(super) stderr: String,
    pub(super) calls: Vec<Call>,
    /// The call at which it happened.
    pub(super) fired: Option<Call>,
}

/// No command may take longer, whatever is done to it: what takes a second may take a minute where every call is a stop for
/// its tracer, and others have the processors.
const LIMIT: Duration = Duration::from_mins(5);
/// How long the command's own processes may be silent after its end before the tracer lets go of them.
const SILENCE: Duration = Duration::from_millis(150);
/// How long a newborn process waits for the event that tells whose child it is: a parent that was killed sends none.
const BIRTH: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Default)]
struct Tracee {
    name: String,
    children: u32,
    counts: HashMap<Sysno, u32>,
    /// It is the program under test.
    ours: bool,
    /// Answer this at the end of the call that it is in.
    answer: Option<i64>,
    /// It stands still since its birth, until the event of its parent comes.
    unborn: Option<Instant>,
}

/// What a tracee has to do with the target.
enum Part {
    Target,
    Ancestor,
    None,
}

impl Tracee {
    fn part(&self, target: &Point) -> Part {
        match target.process.strip_prefix(self.name.as_str()) {
            Some("") => Part::Target,
            Some(rest) if rest.starts_with('.') => Part::Ancestor,
            _ => Part::None,
        }
    }
}

struct Tracer {
    target: Option<(Point, Action)>,
    tracees: HashMap<Pid, Tracee>,
    /// Newborn processes that were let go before their parent's event came.
    strangers: HashSet<Pid>,
    root: Pid,
    status: Option<ExitStatus>,
    calls: Vec<Call>,
    fired: Option<Call>,
    releasing: bool,
}

/// Runs the command; without a target it only notes the calls.
pub(super) fn trace(command: Command<'_>, stderr: &std::path::Path, target: Option<(Point, Action)>) -> Traced {
    let mut command = command.prepare();
    let file = std::fs::File::create(stderr).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    // It waits for its tracer in a stop of its own. The tracer's waitpid collects it.
    #[expect(clippy::zombie_processes, reason = "waited for by its number")]
    let child = command.spawn().unwrap();
    let root = Pid::from_raw(child.id().cast_signed());
    let stopped = waitpid(root, Some(WaitPidFlag::WUNTRACED)).unwrap();
    assert!(matches!(stopped, WaitStatus::Stopped(..)), "{stopped:?}");
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(root, options).unwrap();
    kill(root, Signal::SIGCONT).unwrap();
    let first = Tracee { name: "0".to_owned(), ..Tracee::default() };
    let tracees = HashMap::from([(root, first)]);
    let (calls, status, fired) = (Vec::new(), None, None);
    let strangers = HashSet::new();
    let mut tracer = Tracer { target, tracees, strangers, root, status, calls, fired, releasing: false };
    tracer.follow();
    let text = String::from_utf8_lossy(&std::fs::read(stderr).unwrap()).into_owned();
    Traced { status: tracer.status, stderr: text, calls: tracer.calls, fired: tracer.fired }
}

impl Tracer {
    fn follow(&mut self) {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let deadline = Instant::now() + LIMIT;
        let mut last = Instant::now();
        let mut idle = 0_u32;
        while self.status.is_none() || !self.tracees.is_empty() || somebody_is_traced() {
            match waitpid(Pid::from_raw(-1), Some(flags)) {
                Ok(WaitStatus::StillAlive) => {
                    idle += 1;
                    match idle {
                        0..200 => std::thread::yield_now(),
                        _ => std::thread::sleep(Duration::from_micros(200)),
                    }
                    if self.status.is_some() && last.elapsed() > SILENCE && !self.releasing {
                        self.release();
                    }
                    self.leave_strangers(BIRTH);
                    if Instant::now() > deadline {
                        // Without a status the oracle knows that it hung.
                        for pid in self.tracees.keys().chain([&self.root]) {
                            kill(*pid, Signal::SIGKILL).ok();
                        }
                        return;
                    }
                }
                Ok(status) => {
                    (last, idle) = (Instant::now(), 0);
                    self.handle(status);
                }
                Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => return,
                Err(error) => panic!("waitpid: {error}"),
            }
        }
    }

    fn handle(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::Exited(pid, code) => self.ended(pid, ExitStatus::from_raw(code << 8)),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, ExitStatus::from_raw(signal as i32)),
            WaitStatus::PtraceSyscall(pid) => self.at_call(pid),
            WaitStatus::PtraceEvent(pid, _, event) => {
                self.at_event(pid, event);
                self.go_on(pid, None);
            }
            WaitStatus::Stopped(pid, signal) => {
                // The stop of a new tracee may be reported like this; its SIGSTOP is not meant for it.
                let signal = (signal != Signal::SIGSTOP).then_some(signal);
                self.go_on(pid, signal);
            }
            _ => {}
        }
    }

    fn ended(&mut self, pid: Pid, status: ExitStatus) {
        self.tracees.remove(&pid);
        if pid == self.root {
            self.status = Some(status);
        }
    }

    /// Resumes it: to the next call, to the next fork, or for good.
    fn go_on(&mut self, pid: Pid, signal: Option<Signal>) {
        let tracee = self.tracees.entry(pid).or_default();
        // An error is ESRCH: killed meanwhile; its end will be reported.
        if tracee.answer.is_some() {
            ptrace::syscall(pid, signal).ok();
        } else if self.releasing {
            self.let_go(pid, signal);
        } else if let Some((target, _)) = &self.target {
            match tracee.part(target) {
                _ if tracee.name.is_empty() => tracee.unborn = Some(Instant::now()),
                Part::Target => drop(ptrace::syscall(pid, signal)),
                Part::Ancestor => drop(ptrace::cont(pid, signal)),
                Part::None => self.let_go(pid, signal),
            }
        } else {
            ptrace::syscall(pid, signal).ok();
        }
    }

    fn let_go(&mut self, pid: Pid, signal: Option<Signal>) {
        self.tracees.remove(&pid);
        ptrace::detach(pid, signal).ok();
    }

    /// From now on everything runs untraced.
    fn release(&mut self) {
        self.releasing = true;
        self.leave_strangers(Duration::ZERO);
        for pid in self.tracees.keys() {
            ptrace::interrupt(*pid).ok();
        }
    }

    /// Lets newborn processes go that have waited for so long.
    fn leave_strangers(&mut self, patience: Duration) {
        let waits = |tracee: &Tracee| tracee.unborn.is_some_and(|since| since.elapsed() >= patience);
        let left: Vec<_> = self.tracees.iter().filter(|(_, tracee)| waits(tracee)).map(|(pid, _)| *pid).collect();
        for pid in left {
            self.strangers.insert(pid);
            self.let_go(pid, None);
        }
    }

    fn at_event(&mut self, pid: Pid, event: i32) {
        if event == libc::PTRACE_EVENT_EXEC {
            // An ancestor of the target shows no calls: what became of it tells.
            let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            self.tracees.entry(pid).or_default().ours |= program.to_string_lossy().contains("sampan");
            return;
        }
        if ![libc::PTRACE_EVENT_FORK, libc::PTRACE_EVENT_VFORK, libc::PTRACE_EVENT_CLONE].contains(&event) {
            return;
        }
        let Ok(child) = ptrace::getevent(pid) else { return };
        let child = Pid::from_raw(child.try_into().unwrap());
        let parent = self.tracees.entry(pid).or_default();
        parent.children += 1;
        let (name, ours) = (format!("{}.{}", parent.name, parent.children), parent.ours);
        if self.strangers.remove(&child) {
            return;
        }
        // Its own first stop may have come before.
        let tracee = self.tracees.entry(child).or_default();
        (tracee.name, tracee.ours) = (name, ours);
        if tracee.unborn.take().is_some() {
            self.go_on(child, None);
        }
    }

    fn at_call(&mut self, pid: Pid) {
        if self.meet(pid) {
            self.go_on(pid, None);
        }
    }

    /// At the beginning or the end of a call; false if the process was resumed already, or let go.
    fn meet(&mut self, pid: Pid) -> bool {
        let Ok(info) = ptrace::syscall_info(pid) else { return true };
        let Ok(mut registers) = ptrace::getregs(pid) else { return true };
        let tracee = self.tracees.entry(pid).or_default();
        if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
            if let Some(answer) = tracee.answer.take() {
                registers.rax = answer.cast_unsigned();
                ptrace::setregs(pid, registers).ok();
                self.release();
            }
            return true;
        }
        if self.releasing {
            return true;
        }
        let Some(call) = usize::try_from(registers.orig_rax).ok().and_then(Sysno::new) else { return true };
        let r = &registers;
        let args = [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9];
        let program = program(pid, call, args);
        if let Some(program) = &program {
            tracee.ours |= is_ours(program);
        }
        if tracee.ours && self.note(pid, call, args) {
            return self.fire(pid, registers);
        }
        let tracee = &self.tracees[&pid];
        // The program of a container, a helper of the network, newuidmap: not ours to follow.
        if tracee.name != "0" && program.is_some_and(|program| !is_ours(&program)) {
            self.tracees.remove(&pid);
            ptrace::detach(pid, None).ok();
            return false;
        }
        true
    }

    /// Counts the call; true if it is the target.
    fn note(&mut self, pid: Pid, call: Sysno, args: [u64; 6]) -> bool {
        let tracee = self.tracees.entry(pid).or_default();
        let nth = tracee.counts.entry(call).or_default();
        *nth += 1;
        let point = Point { process: tracee.name.clone(), call, nth: *nth };
        let hit = self.target.as_ref().is_some_and(|(target, _)| *target == point);
        if !hit && self.target.is_some() {
            return false;
        }
        let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned();
        let named = with_flags(pid, call, args);
        let weight = if takes(pid, call, args) { Weight::State } else { calls::weight(call, named) };
        let errors = calls::errors(call, named);
        let call = Call { point, weight, errors, comm, subject: subject(pid, call, args) };
        if hit {
            self.fired = Some(call);
        } else {
            self.calls.push(call);
        }
        hit
    }

    fn fire(&mut self, pid: Pid, mut registers: libc::user_regs_struct) -> bool {
        let Some((_, action)) = self.target.take() else { return true };
        if let Some(result) = action.result() {
            registers.orig_rax = u64::MAX;
            ptrace::setregs(pid, registers).ok();
            self.tracees.entry(pid).or_default().answer = Some(result);
        } else {
            // Before the call is made: a fatal signal at its beginning suppresses it.
            kill(pid, Signal::SIGKILL).unwrap();
            self.release();
        }
        ptrace::syscall(pid, None).ok();
        false
    }
}

/// A process that was killed within its fork leaves a child that is traced from birth and that no event tells of.
fn somebody_is_traced() -> bool {
    let mine = format!("\nTracerPid:\t{}\n", nix::unistd::gettid());
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("status")).ok());
    processes.filter(|status| !status.contains("\nState:\tZ")).any(|status| status.contains(&mine))
}

/// The arguments, with the flags of `openat2` (the first word of its structure) for its pointer to them.
fn with_flags(pid: Pid, call: Sysno, mut args: [u64; 6]) -> [u64; 6] {
    if call == Sysno::openat2 {
        let flags = usize::try_from(args[2]).ok().and_then(|at| ptrace::read(pid, at as ptrace::AddressType).ok());
        args[2] = flags.map_or(0, i64::cast_unsigned);
    }
    args
}

/// A read from a pipe or a socket takes what others who hold it would get.
fn takes(pid: Pid, call: Sysno, args: [u64; 6]) -> bool {
    let is_stream =
        |kind: &std::path::Path| ["pipe:", "socket:"].iter().any(|name| kind.to_string_lossy().starts_with(name));
    [Sysno::read, Sysno::readv].contains(&call)
        && std::fs::read_link(format!("/proc/{pid}/fd/{}", args[0])).is_ok_and(|kind| is_stream(&kind))
}

/// The program that this call would execute.
fn program(pid: Pid, call: Sysno, args: [u64; 6]) -> Option<String> {
    match call {
        Sysno::execve => Some(string(pid, args[0])),
        Sysno::execveat => Some(string(pid, args[1])),
        _ => None,
    }
}

/// The program under test, or its copy that it opened itself.
fn is_ours(path: &str) -> bool {
    path.is_empty() || path.ends_with("/sampan") || path.starts_with("/proc/self/")
}

/// The path that a call is about, the option of a file system, or the number of a request.
fn subject(pid: Pid, call: Sysno, args: [u64; 6]) -> String {
    let name = call.name();
    let is_at =
        ["at", "at2", "statx"].iter().any(|end| name.ends_with(end)) && call != Sysno::stat && call != Sysno::lstat;
    let has_path = ["open", "mkdir", "rename", "link", "unlink", "symlink", "exec", "mknod", "rmdir", "access", "stat"];
    if call == Sysno::fsconfig {
        return string(pid, args[2]);
    }
    if call == Sysno::ioctl {
        return format!("{:#x}", args[1]);
    }
    if [Sysno::fsync, Sysno::fdatasync, Sysno::write].contains(&call) {
        let path = std::fs::read_link(format!("/proc/{pid}/fd/{}", args[0]));
        return path.map(|path| path.display().to_string()).unwrap_or_default();
    }
    if !has_path.iter().any(|part| name.contains(part)) || [Sysno::fstat, Sysno::fstatfs].contains(&call) {
        return String::new();
    }
    match name {
        "rename" => format!("{} -> {}", string(pid, args[0]), string(pid, args[1])),
        "renameat2" | "linkat" => format!("{} -> {}", string(pid, args[1]), string(pid, args[3])),
        _ => string(pid, args[usize::from(is_at)]),
    }
}

/// A string in the tracee's memory, at most 200 bytes of it.
fn string(pid: Pid, address: u64) -> String {
    let mut bytes = Vec::new();
    while address != 0 && bytes.len() < 200 {
        let at = usize::try_from(address).unwrap() + bytes.len();
        let Ok(word) = ptrace::read(pid, at as ptrace::AddressType) else { break };
        let word = word.to_ne_bytes();
        let end = word.iter().position(|byte| *byte == 0);
        bytes.extend_from_slice(&word[..end.unwrap_or(word.len())]);
        if end.is_some() {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
