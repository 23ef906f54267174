//! The loop with real children. It reaps every child of its process, so each test runs in a process of its own.
#![expect(clippy::disallowed_methods, reason = "tests start themselves again and ordinary programs")]

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Exited, Supervised, collect, run};
use crate::monitor::attach::{Clients, Pace};
use crate::monitor::hooks::{Hooks, NoHooks, StopPlan};
use crate::monitor::log::{K8sFile, LogSink};
use crate::monitor::report::{self, Decoder, Event, ExitReport, FrameKind};
use crate::monitor::stdio::ContainerIo;
use crate::sys::process::{ExitStatus, Pid, PidFd};
use crate::sys::pty::{self, WindowSize};
use crate::sys::stream::{self, Transfer};
use crate::sys::{self, fs, signal, socket};

/// Runs `body` in a fresh process: this test program with only this test.
fn alone(name: &str, body: impl FnOnce()) {
    if std::env::var_os("SAMPAN_TEST_ALONE").is_some() {
        return body();
    }
    let name = format!("monitor::supervise::tests::{name}");
    let program = std::env::current_exe().expect("own path");
    let output = Command::new(program)
        .args([&name, "--exact", "--nocapture", "--test-threads=1"])
        .env("SAMPAN_TEST_ALONE", "1")
        .output()
        .expect("start");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

/// A shell script as the container.
struct Script {
    init: PidFd,
    io: ContainerIo,
}

fn script(text: &str, interactive: bool) -> Script {
    let (io, child) = ContainerIo::pipes(interactive).expect("pipes");
    start(text, io, [child.stdin, child.stdout, child.stderr])
}

fn script_on_terminal(text: &str) -> Script {
    let pair = pty::open(Path::new("/dev/ptmx")).expect("pty");
    let copies = [stream::duplicate(&pair.slave).expect("dup"), stream::duplicate(&pair.slave).expect("dup")];
    let [stdin, stdout] = copies;
    start(text, ContainerIo::terminal(pair.master).expect("io"), [stdin, stdout, pair.slave])
}

fn start(text: &str, io: ContainerIo, [stdin, stdout, stderr]: [OwnedFd; 3]) -> Script {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", text]).stdin(Stdio::from(stdin)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    #[expect(clippy::zombie_processes, reason = "the loop under test reaps it")]
    let child = command.spawn().expect("start a shell");
    let pid = Pid::from_raw(child.id().cast_signed()).expect("pid");
    Script { init: PidFd::open(pid).expect("pidfd"), io }
}

fn supervise(script: Script, clients: &mut Clients, log: &mut LogSink) -> Exited {
    supervise_with(script, clients, log, None, None, &mut NoHooks)
}

fn supervise_with(
    script: Script,
    clients: &mut Clients,
    log: &mut LogSink,
    socket: Option<PathBuf>,
    timeout: Option<Duration>,
    hooks: &mut dyn Hooks,
) -> Exited {
    let stop = StopPlan { signal: signal::SIGTERM, timeout: Some(Duration::from_secs(10)) };
    let Script { init, io } = script;
    run(Supervised { init: &init, io, log, clients, socket, network_helper: None, timeout, stop, hooks }).expect("run")
}

/// What a client heard until the end of its connection.
#[derive(Debug, Default)]
struct Heard {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    exit: Option<i32>,
}

fn listen_to(client: &OwnedFd) -> Heard {
    let (mut heard, mut decoder, mut buffer) = (Heard::default(), Decoder::default(), [0; 4096]);
    while let Transfer::Bytes(count) = stream::read(client, &mut buffer).expect("read") {
        let mut bytes = &buffer[..count];
        while let Some(event) = decoder.next(&mut bytes).expect("well formed") {
            match event {
                Event::Stdout(piece) => heard.stdout.extend_from_slice(piece),
                Event::Stderr(piece) => heard.stderr.extend_from_slice(piece),
                Event::Exit(report) => heard.exit = Some(report.code),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    heard
}

fn clients_with(pace: Pace) -> (Clients, OwnedFd) {
    let (ours, theirs) = socket::stream_pair().expect("pair");
    let mut clients = Clients::new().expect("clients");
    clients.add(ours, pace).expect("add");
    (clients, theirs)
}

fn say(client: &OwnedFd, kind: FrameKind, bytes: &[u8]) {
    let mut frame = report::header(kind, bytes.len()).to_vec();
    frame.extend_from_slice(bytes);
    stream::write_all(client, &frame).expect("send");
}

fn report(exited: Exited) -> ExitReport {
    ExitReport { code: exited.status.code(), signal: None, oom_killed: false }
}

#[test]
fn output_goes_to_log_and_client_and_the_code_comes_last() {
    alone("output_goes_to_log_and_client_and_the_code_comes_last", || {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("ctr.log");
        let mut log = LogSink::K8sFile(Box::new(K8sFile::open(&path, 0, 3).expect("log")));
        let (mut clients, client) = clients_with(Pace::Lossless);
        let exited = supervise(script("echo out; echo err >&2; exit 7", false), &mut clients, &mut log);
        assert_eq!(exited.status, ExitStatus::Code(7));
        clients.finish(report(exited)).expect("finish");
        let heard = listen_to(&client);
        assert_eq!((&heard.stdout[..], &heard.stderr[..], heard.exit), (&b"out\n"[..], &b"err\n"[..], Some(7)));
        let log = fs::read_to_string(&path).expect("log");
        assert!(log.contains(" stdout F out\n") && log.contains(" stderr F err\n"), "{log}");
    });
}

#[test]
fn input_reaches_the_program_until_its_end() {
    alone("input_reaches_the_program_until_its_end", || {
        let (mut clients, client) = clients_with(Pace::Lossless);
        let text = "line of text\n".repeat(20_000);
        let sent = text.clone();
        let script = script("sleep 0.2; cat; echo end >&2", true);
        let talker = std::thread::spawn(move || {
            let hearer = std::thread::scope(|scope| {
                let hearer = scope.spawn(|| listen_to(&client));
                for piece in sent.as_bytes().chunks(5000) {
                    say(&client, FrameKind::Stdin, piece);
                }
                say(&client, FrameKind::StdinEnd, b"");
                hearer.join()
            });
            hearer.expect("client")
        });
        let exited = supervise(script, &mut clients, &mut LogSink::None);
        clients.finish(report(exited)).expect("finish");
        let heard = talker.join().expect("client");
        assert_eq!(heard.stdout.len(), text.len());
        assert!(heard.stdout == text.as_bytes() && heard.stderr == b"end\n");
    });
}

#[test]
fn g11_an_onlooker_who_stops_reading_is_dropped_and_a_slow_owner_loses_nothing() {
    alone("g11_an_onlooker_who_stops_reading_is_dropped_and_a_slow_owner_loses_nothing", || {
        let bytes = 8 << 20;
        let text = format!("head -c {bytes} /dev/zero");
        let (mut clients, silent) = clients_with(Pace::Droppable);
        let exited = supervise(script(&text, false), &mut clients, &mut LogSink::None);
        assert_eq!((exited.status, clients.count()), (ExitStatus::Code(0), 0));
        assert_eq!(listen_to(&silent).exit, None);

        let (mut clients, owner) = clients_with(Pace::Lossless);
        let script = script(&text, false);
        let listener = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            listen_to(&owner)
        });
        let exited = supervise(script, &mut clients, &mut LogSink::None);
        clients.finish(report(exited)).expect("finish");
        let heard = listener.join().expect("client");
        assert_eq!((heard.stdout.len(), heard.exit), (bytes, Some(0)));
    });
}

#[test]
fn g12_five_hundred_clients_come_and_go_and_leave_nothing() {
    alone("g12_five_hundred_clients_come_and_go_and_leave_nothing", || {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("attach.sock");
        let count = || fs::names(Path::new("/proc/self/fd")).expect("descriptors").len();
        let script = script_on_terminal("while read -r word; do test $word = end && exit 3; done");
        let before = count();
        let storm = std::thread::spawn({
            let path = path.clone();
            move || {
                let deadline = Instant::now() + Duration::from_secs(20);
                while !fs::exists(&path) {
                    assert!(Instant::now() < deadline);
                    std::thread::sleep(Duration::from_millis(5));
                }
                for number in 0..500 {
                    let client = socket::connect(&path).expect("connect");
                    for rows in 0..20 {
                        // One that is turned away cannot send.
                        if stream::write_all(&client, &report::resize(WindowSize { rows, columns: number })).is_err() {
                            break;
                        }
                    }
                }
                // While the places of those who left are not free yet, a newcomer is turned away.
                loop {
                    let client = socket::connect(&path).expect("connect");
                    let mut frame = report::header(FrameKind::Stdin, 4).to_vec();
                    frame.extend_from_slice(b"end\r");
                    if stream::write_all(&client, &frame).is_ok()
                        && let Some(code) = listen_to(&client).exit
                    {
                        return Some(code);
                    }
                    assert!(Instant::now() < deadline, "turned away for ever");
                }
            }
        });
        let mut clients = Clients::new().expect("clients");
        let exited = supervise_with(script, &mut clients, &mut LogSink::None, Some(path.clone()), None, &mut NoHooks);
        assert_eq!(exited.status, ExitStatus::Code(3));
        clients.finish(report(exited)).expect("finish");
        assert_eq!(storm.join().expect("storm"), Some(3));
        assert!(count() < before, "{} descriptors after, {before} before", count());
        assert!(!fs::exists(&path));
    });
}

#[derive(Debug, Default)]
struct Restored(u32);

impl Hooks for Restored {
    fn runroot_restored(&mut self) -> bool {
        self.0 += 1;
        true
    }
}

#[test]
fn g19_the_socket_comes_back_when_its_directory_is_wiped() {
    alone("g19_the_socket_comes_back_when_its_directory_is_wiped", || {
        let dir = tempfile::tempdir().expect("temporary directory");
        let runroot = dir.path().join("run");
        let path = runroot.join("ctr/attach.sock");
        let script = script("read word; echo got $word", true);
        let wiper = std::thread::spawn({
            let path = path.clone();
            move || {
                let deadline = Instant::now() + Duration::from_secs(20);
                let appears = || {
                    while !fs::exists(&path) {
                        assert!(Instant::now() < deadline);
                        std::thread::sleep(Duration::from_millis(20));
                    }
                };
                appears();
                fs::remove_tree(&runroot).expect("wipe");
                appears();
                let client = socket::connect(&path).expect("connect");
                say(&client, FrameKind::Stdin, b"it\n");
                listen_to(&client).stdout
            }
        });
        let (mut clients, mut hooks) = (Clients::new().expect("clients"), Restored::default());
        let exited = supervise_with(script, &mut clients, &mut LogSink::None, Some(path), None, &mut hooks);
        clients.finish(report(exited)).expect("finish");
        assert_eq!((wiper.join().expect("wiper"), hooks.0), (b"got it\n".to_vec(), 1));
    });
}

#[test]
fn a_terminal_gets_its_size_and_its_end_of_file() {
    alone("a_terminal_gets_its_size_and_its_end_of_file", || {
        let (mut clients, client) = clients_with(Pace::Lossless);
        stream::write_all(&client, &report::resize(WindowSize { rows: 31, columns: 87 })).expect("send");
        say(&client, FrameKind::StdinEnd, b"");
        let exited = supervise(script_on_terminal("cat; stty size"), &mut clients, &mut LogSink::None);
        clients.finish(report(exited)).expect("finish");
        assert_eq!(String::from_utf8_lossy(&listen_to(&client).stdout), "31 87\r\n");
    });
}

#[test]
fn the_timeout_kills_and_a_holder_of_the_pipe_does_not_keep_us() {
    alone("the_timeout_kills_and_a_holder_of_the_pipe_does_not_keep_us", || {
        let begin = Instant::now();
        let (mut clients, client) = clients_with(Pace::Lossless);
        let script = script("sleep 5 & echo last words; exec sleep 60", false);
        let timeout = Some(Duration::from_millis(300));
        let exited = supervise_with(script, &mut clients, &mut LogSink::None, None, timeout, &mut NoHooks);
        assert!(exited.timed_out && exited.status == ExitStatus::Signal(9));
        clients.finish(report(exited)).expect("finish");
        let heard = listen_to(&client);
        assert_eq!((heard.stdout, heard.exit), (b"last words\n".to_vec(), Some(137)));
        assert!(begin.elapsed() < Duration::from_secs(4));
    });
}

#[test]
fn g05_a_death_by_a_real_time_signal_is_reported() {
    alone("g05_a_death_by_a_real_time_signal_is_reported", || {
        let mut clients = Clients::new().expect("clients");
        let exited = supervise(script("kill -40 $$", false), &mut clients, &mut LogSink::None);
        assert_eq!(exited.status, ExitStatus::Signal(40));
        let _unused: sys::Result<()> = clients.finish(report(exited));
    });
}

#[test]
fn an_init_that_ends_while_others_are_reaped_is_not_lost() {
    use std::cell::Cell;
    let (init, other) = (Pid::from_raw(7).expect("pid"), Pid::from_raw(8).expect("pid"));
    let alive = Cell::new(true);
    let mut children = vec![(other, ExitStatus::Code(0))];
    // It ends after the last look for children: its status is the next round's.
    let reap = || {
        let next = children.pop();
        alive.set(next.is_some());
        Ok(next)
    };
    assert_eq!(collect(init, || alive.get(), reap, |_, _| ()).expect("collected"), None);
    let mut children = vec![(init, ExitStatus::Code(3))];
    let found = collect(init, || alive.get(), || Ok(children.pop()), |_, _| ()).expect("collected");
    assert_eq!(found, Some(ExitStatus::Code(3)));
    // Somebody else has taken the status.
    assert_eq!(
        collect(init, || false, || Ok(None), |_, _| ()).expect("collected"),
        Some(ExitStatus::Signal(signal::SIGKILL))
    );
}
