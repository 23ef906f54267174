//! Starting programs in an [`Env`]: clean environment, marked, in the test's cgroup, never longer than a deadline.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::env::Env;
use super::output::Output;

/// A program about to be started.
#[derive(Debug)]
#[must_use]
pub(crate) struct Command<'a> {
    env: &'a Env,
    program: PathBuf,
    arguments: Vec<OsString>,
    stdin: Input,
    deadline: Duration,
}

#[derive(Debug)]
enum Input {
    Null,
    Bytes(Vec<u8>),
}

impl<'a> Command<'a> {
    pub(super) fn new(env: &'a Env, program: PathBuf) -> Self {
        Self { env, program, arguments: Vec::new(), stdin: Input::Null, deadline: Duration::from_mins(1) }
    }

    pub(crate) fn args<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Standard input; without it, `/dev/null`.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Input::Bytes(bytes.into());
        self
    }

    /// Instead of a minute: for work whose length depends on how many there are.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs to the end; kills and panics at the deadline.
    pub(crate) fn run(self) -> Output {
        let deadline = self.deadline;
        self.spawn().wait_for(deadline)
    }

    /// Starts and goes on.
    pub(crate) fn spawn(self) -> Background {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let base = self.env.root().join("out").join(COUNT.fetch_add(1, Ordering::Relaxed).to_string());
        let (out, err) = (base.with_extension("out"), base.with_extension("err"));
        let stdin = match &self.stdin {
            Input::Null => Stdio::null(),
            Input::Bytes(bytes) => {
                let path = base.with_extension("in");
                std::fs::write(&path, bytes).unwrap();
                File::open(path).unwrap().into()
            }
        };
        let mut command = self.prepare();
        command.stdin(stdin).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let line = self.line();
        let child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        Background { child, line, out, err, filters: super::filters::Filters::new(self.env), done: false }
    }

    /// The std command, without its standard streams: `terminal` gives it its own.
    pub(crate) fn prepare(&self) -> std::process::Command {
        // The shell enters the cgroup, prlimit leaves the mark; both become the program, so the pid is the program's.
        let mut command = std::process::Command::new("/bin/sh");
        let enter = self.env.cgroup().map(|dir| dir.join("cgroup.procs"));
        let script = if enter.is_some() { "echo $$ > \"$0\" && exec prlimit \"$@\"" } else { "exec prlimit \"$@\"" };
        command.arg("-c").arg(script).arg(enter.unwrap_or_default()).arg(format!("--msgqueue={}:", self.env.mark()));
        command.arg(&self.program).args(&self.arguments);
        command.env_clear().envs(self.env.variables().iter().map(|(name, value)| (name, value)));
        command.current_dir(self.env.path(""));
        super::old_kernel::pretend(&mut command, self.env.missing_calls());
        command
    }

    pub(super) fn line(&self) -> String {
        let words = self.arguments.iter().map(|argument| argument.to_string_lossy());
        let program = self.program.file_name().unwrap_or_default().to_string_lossy();
        std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// A program that runs beside the test; killed when dropped.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
    line: String,
    out: PathBuf,
    err: PathBuf,
    filters: super::filters::Filters,
    done: bool,
}

impl Background {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap_or_else(|errno| panic!("kill {}: {errno}", self.line));
    }

    /// What it has printed so far.
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.out).unwrap()).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.err).unwrap()).into_owned()
    }

    /// Waits a minute at most.
    pub(crate) fn wait(self) -> Output {
        self.wait_for(Duration::from_mins(1))
    }

    /// Waits at most this long; then kills it and panics.
    pub(crate) fn wait_for(mut self, limit: Duration) -> Output {
        let deadline = Instant::now() + limit;
        let mut pause = Duration::from_micros(200);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().ok();
                self.child.wait().ok();
                self.done = true;
                panic!("{} still runs after {limit:?}\n{}\n{}", self.line, self.stdout(), self.stderr());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        };
        self.done = true;
        let (stdout, stderr) = (std::fs::read(&self.out).unwrap(), std::fs::read(&self.err).unwrap());
        Output::new(self.line.clone(), status, stdout, stderr, self.filters.clone())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if !self.done {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}
