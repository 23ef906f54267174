//! A user's home of its own for one test: HOME, XDG directories, store, cgroup, and a mark on every process.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::command::{Background, Command};
use super::image::{BUSYBOX, busybox_tar};
use super::leaks;
use super::output::Output;

/// The program under test: ours, or what `UNDER_TEST` names.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("UNDER_TEST").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_sampan")), PathBuf::from)
}

/// One test's world. Dropping it removes the containers that are left and asserts that nothing else is.
#[derive(Debug)]
pub(crate) struct Env {
    root: PathBuf,
    variables: Vec<(String, String)>,
    /// Soft limit on POSIX message queue bytes: inherited by every descendant, whatever its environment, so that
    /// `/proc/PID/limits` tells whose it is.
    mark: u64,
    cgroup: Option<PathBuf>,
    leaks_expected: bool,
    without: Vec<u32>,
}

impl Env {
    /// An empty store in a fresh home under a short path (socket addresses hold 108 bytes).
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let pid = u64::from(std::process::id());
        let root = PathBuf::from(format!("/var/tmp/spn-{pid}-{count}"));
        for (name, mode) in [("", 0o700), ("home", 0o700), ("run", 0o700), ("work", 0o755), ("out", 0o700)] {
            let dir = root.join(name);
            std::fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
        let text = |name: &str| root.join(name).to_string_lossy().into_owned();
        let variables = [
            ("HOME", text("home")),
            ("XDG_RUNTIME_DIR", text("run")),
            ("USER", std::env::var("USER").unwrap_or_default()),
            ("PATH", format!("{path}:/usr/sbin:/sbin")),
            ("TZ", "UTC".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("COLUMNS", "100".to_owned()),
            ("TERM", "dumb".to_owned()),
            ("RUST_BACKTRACE", "1".to_owned()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let cgroup = std::env::var_os("SAMPAN_TEST_CGROUP").map(|tree| {
            let dir = Path::new(&tree).join(format!("env-{pid}-{count}"));
            std::fs::create_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            dir
        });
        Self {
            root,
            variables,
            mark: 100_000 + (pid % 1000) * 700 + count % 700,
            cgroup,
            leaks_expected: false,
            without: Vec::new(),
        }
    }

    /// A store with the image [`BUSYBOX`].
    pub(crate) fn with_busybox() -> Self {
        let env = Self::new();
        env.run([OsStr::new("import"), busybox_tar().as_os_str(), OsStr::new(BUSYBOX)]).success();
        env
    }

    /// Sets a variable for every later command.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.unset(name);
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Takes a variable away from every later command.
    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(other, _)| other != name);
        self
    }

    /// Makes these programs impossible to find: `newuidmap`, `pasta`, …
    pub(crate) fn hide_programs(&mut self, hidden: &[&str]) -> &mut Self {
        let bin = self.root.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let path = self.variables.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        for dir in path.unwrap_or_default().split(':') {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !hidden.iter().any(|hidden| name == **hidden) {
                    // The first directory of the search path wins, as it does in a shell.
                    std::os::unix::fs::symlink(entry.path(), bin.join(name)).ok();
                }
            }
        }
        for name in hidden {
            std::fs::remove_file(bin.join(name)).ok();
        }
        let bin = bin.to_string_lossy().into_owned();
        self.set("PATH", bin)
    }

    /// A kernel that does not have these system calls: every command from now on gets ENOSYS. A filter needs
    /// no_new_privs, under which `newuidmap` has no power: commands run in single-id mode.
    pub(crate) fn without_calls(&mut self, calls: &[&str]) -> &mut Self {
        let number = |name: &&str| {
            let call = name.parse::<syscalls::Sysno>();
            u32::try_from(call.unwrap_or_else(|()| panic!("no call {name}")).id()).unwrap()
        };
        self.without = calls.iter().map(number).collect();
        self.hide_programs(&["newuidmap", "newgidmap"])
    }

    /// Numbers of the calls of [`Self::without_calls`].
    pub(super) fn missing_calls(&self) -> &[u32] {
        &self.without
    }

    /// This test leaves something behind on purpose (it kills the monitor, say): remove it without asserting.
    pub(crate) fn expect_leaks(&mut self) -> &mut Self {
        self.leaks_expected = true;
        self
    }

    /// `sampan ARGUMENTS…`, to be refined and started.
    pub(crate) fn command<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, arguments: I) -> Command<'_> {
        let arguments: Vec<OsString> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        assert!(!asks_by_chance(&arguments), "{arguments:?}: the id of another one may begin so");
        Command::new(self, program()).args(arguments)
    }

    /// Another program with the same environment, mark and cgroup.
    pub(crate) fn other(&self, program: impl Into<PathBuf>) -> Command<'_> {
        Command::new(self, program.into())
    }

    /// Runs `sampan ARGUMENTS…` to its end (at most a minute).
    pub(crate) fn run<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, arguments: I) -> Output {
        self.command(arguments).run()
    }

    /// Starts `sampan ARGUMENTS…` and goes on.
    pub(crate) fn spawn<I: IntoIterator<Item = A>, A: AsRef<OsStr>>(&self, arguments: I) -> Background {
        self.command(arguments).spawn()
    }

    /// A container of `--rm` whose monitor and program are killed.
    pub(crate) fn lose(&mut self, name: &str) {
        let named = format!("--name={name}");
        self.run(["run", "-d", "--rm", &named, "--network=none", BUSYBOX, "sleep", "600"]).success();
        let pids = self.run(["inspect", "-f", "{{.State.ConmonPid}} {{.State.Pid}}", name]).trimmed();
        self.expect_leaks();
        self.other("sh").args(["-c", &format!("kill -9 {pids}")]).run().success();
        eventually("it does not run", || self.run(["inspect", "-f", "{{.State.Running}}", name]).trimmed() == "false");
    }

    /// A path in the test's scratch directory, which is the working directory of every command.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join("work").join(name)
    }

    /// Writes a file in the scratch directory.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Makes this the user's containers.conf.
    pub(crate) fn configure(&self, text: &str) {
        let dir = self.home().join(".config/containers");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("containers.conf"), text).unwrap();
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    pub(crate) fn graphroot(&self) -> PathBuf {
        self.home().join(".local/share/sampan")
    }

    pub(crate) fn runroot(&self) -> PathBuf {
        self.root.join("run/sampan")
    }

    /// The cgroup that every command of this test starts in, where the runner gave us one.
    pub(crate) fn cgroup(&self) -> Option<&Path> {
        self.cgroup.as_deref()
    }

    pub(crate) fn mark(&self) -> u64 {
        self.mark
    }

    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Processes of this test that are alive: every descendant of its commands.
    pub(crate) fn processes(&self) -> Vec<leaks::Process> {
        leaks::marked(self.mark)
    }

    fn tear_down(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.graphroot().join("containers").exists() {
            let out = self.run(["rm", "--all", "--force", "--time", "0"]);
            if !out.is_success() {
                problems.push(format!("rm --all --force: {out}"));
            }
            problems.extend(leaks::check_store(self));
        }
        problems.extend(leaks::find(self));
        problems
    }
}

impl Drop for Env {
    fn drop(&mut self) {
        let quiet = self.leaks_expected || std::thread::panicking();
        let problems = if quiet { Vec::new() } else { self.tear_down() };
        leaks::remove_everything(self);
        assert!(problems.is_empty(), "left behind by this test:\n{}", problems.join("\n"));
    }
}

/// True for `container exists c` and its like: a word of few hexadecimal digits is also the beginning of an id, and
/// whether some id begins so is a matter of luck.
pub(super) fn asks_by_chance(arguments: &[OsString]) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let [noun, "exists", .., name] = words[..] else { return false };
    let is_digits = name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    ["container", "image", "volume"].contains(&noun) && name.len() < 12 && is_digits
}

/// Polls until `condition` holds; panics with `what` after half a minute.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
