//! The client against a monitor's side that the test plays, with pipes and a real terminal.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::thread::JoinHandle;

use super::attach;
use crate::engine::containers::attach::{AttachOptions, AttachOutcome};
use crate::engine::containers::signal_proxy::SignalProxy;
use crate::monitor::report::{self, Decoder, Event, ExitReport, FrameKind};
use crate::sys::pty::{self, WindowSize};
use crate::sys::stream::{self, Transfer};
use crate::sys::{Errno, descriptor, signal, socket};

const EXIT: ExitReport = ExitReport { code: 3, signal: None, oom_killed: false };

fn frame(kind: FrameKind, bytes: &[u8]) -> Vec<u8> {
    [&report::header(kind, bytes.len())[..], bytes].concat()
}

/// What the monitor heard until the client hung up, or until `enough`.
fn hear(socket: &OwnedFd, enough: impl Fn(&str) -> bool) -> String {
    let (mut heard, mut decoder, mut buffer) = (String::new(), Decoder::default(), [0; 4096]);
    while !enough(&heard) {
        let Transfer::Bytes(count) = stream::read(socket, &mut buffer).expect("read") else { break };
        let mut bytes = &buffer[..count];
        while let Some(event) = decoder.next(&mut bytes).expect("well formed") {
            match event {
                Event::Stdin(piece) => heard.push_str(&String::from_utf8_lossy(piece)),
                Event::StdinEnd => heard.push_str("<end>"),
                Event::Resize(size) => heard += &format!("<{}x{}>", size.rows, size.columns),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    heard
}

/// Plays the monitor in a thread: hears until `enough`, then says `answer`.
fn monitor(enough: impl Fn(&str) -> bool + Send + 'static, answer: Vec<u8>) -> (OwnedFd, JoinHandle<String>) {
    let (ours, theirs) = socket::stream_pair().expect("pair");
    let thread = std::thread::spawn(move || {
        let heard = hear(&ours, enough);
        stream::write_all(&ours, &answer).expect("answer");
        heard
    });
    (theirs, thread)
}

fn options(terminal: bool) -> AttachOptions<'static> {
    AttachOptions { ends_input: true, terminal, ..AttachOptions::default() }
}

fn proxy(forwarding: bool) -> SignalProxy {
    SignalProxy::new(forwarding).expect("signals")
}

#[test]
fn streams_go_their_ways_and_the_code_comes_back() {
    let output = vec![b'o'; 3 << 20];
    let mut answer = Vec::new();
    for piece in output.chunks(report::MAX_PAYLOAD) {
        answer.extend(frame(FrameKind::Stdout, piece));
    }
    answer.extend(frame(FrameKind::Stderr, b"oops"));
    answer.extend(report::exit(EXIT));
    let (client, thread) = monitor(|heard| heard.ends_with("<end>"), answer);
    let mut input = tempfile::tempfile().expect("file");
    input.write_all(&vec![b'i'; 200_000]).expect("write");
    std::io::Seek::rewind(&mut input).expect("rewind");
    let (out_reader, out_writer) = descriptor::pipe().expect("pipe");
    let errors = tempfile::NamedTempFile::new().expect("file");
    let drain = std::thread::spawn(move || {
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::from(out_reader), &mut all).expect("read");
        all
    });
    let options = AttachOptions {
        stdin: Some(input.as_fd()),
        stdout: Some(out_writer.as_fd()),
        stderr: Some(errors.as_fd()),
        ..options(false)
    };
    assert_eq!(attach(client, options, proxy(true), &|_signal| Ok(())).expect("attach"), AttachOutcome::Exited(EXIT));
    drop(out_writer);
    assert!(drain.join().expect("drain") == output);
    assert_eq!(crate::sys::fs::read(errors.path()).expect("errors"), b"oops");
    assert_eq!(thread.join().expect("monitor").len(), 200_000 + "<end>".len());
}

#[test]
fn g06_keys_sizes_and_modes_of_a_terminal() {
    let pair = pty::open(Path::new("/dev/ptmx")).expect("pty");
    pty::set_window_size(&pair.master, WindowSize { rows: 24, columns: 80 }).expect("size");
    let modes = || modes_of(&pair.slave);
    let before = modes();
    let (client, thread) = monitor(|_| false, Vec::new());
    let terminal = pair.slave.as_fd();
    let typist = std::thread::scope(|scope| {
        let session = scope.spawn(|| {
            let options = AttachOptions {
                stdin: Some(terminal),
                keyboard: Some(terminal),
                stdout: Some(terminal),
                ..options(true)
            };
            attach(client, options, proxy(true), &|_signal| Ok(())).expect("attach")
        });
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while modes() == before {
            assert!(std::time::Instant::now() < deadline, "no raw mode");
            std::thread::yield_now();
        }
        stream::write_all(&pair.master, b"ls\r\x03\x10x\x10\x11never").expect("type");
        session.join().expect("session")
    });
    assert_eq!(typist, AttachOutcome::Detached);
    assert_eq!(thread.join().expect("monitor"), "<24x80>ls\r\x03\x10x");
    assert_eq!(modes(), before, "terminal restored");
}

/// Modes as text, to compare.
fn modes_of(terminal: &OwnedFd) -> String {
    pty::describe_modes(terminal).expect("modes")
}

#[test]
fn g06_a_signal_reaches_the_program_or_ends_us_with_the_terminal_restored() {
    let (client, thread) = monitor(|heard| heard.contains("<end>"), report::exit(EXIT).to_vec());
    let proxy = proxy(true);
    signal::raise(signal::SIGTERM).expect("raise");
    let (reader, writer) = descriptor::pipe().expect("pipe");
    drop(writer);
    let options = AttachOptions { stdin: Some(reader.as_fd()), ..options(false) };
    // Nobody to forward to: the signal is taken, and we live.
    assert_eq!(attach(client, options, proxy, &|_signal| Ok(())).expect("attach"), AttachOutcome::Exited(EXIT));
    thread.join().expect("monitor");
}

/// What one stream cannot take does not keep the others, nor the program.
#[test]
fn a_full_disk_behind_our_output_is_told_at_the_end() {
    let answer = [
        frame(FrameKind::Stdout, b"lost"),
        frame(FrameKind::Stderr, b"kept"),
        frame(FrameKind::Stdout, b"lost, too"),
        report::exit(EXIT).to_vec(),
    ];
    let (client, thread) = monitor(|_| true, answer.concat());
    let full = crate::sys::fs::open_append(Path::new("/dev/full")).expect("open");
    let errors = tempfile::NamedTempFile::new().expect("file");
    let options = AttachOptions { stdout: Some(full.as_fd()), stderr: Some(errors.as_fd()), ..options(false) };
    let outcome = attach(client, options, proxy(true), &|_signal| Ok(())).expect("attach");
    assert_eq!(outcome, AttachOutcome::OutputLost(EXIT, Errno::ENOSPC));
    assert_eq!(crate::sys::fs::read(errors.path()).expect("errors"), b"kept");
    thread.join().expect("monitor");
}

#[test]
fn a_closed_output_and_a_dead_monitor_are_told_apart() {
    let (client, thread) = monitor(|_| true, frame(FrameKind::Stdout, b"nobody hears"));
    let (reader, writer) = descriptor::pipe().expect("pipe");
    drop(reader);
    let options_closed = AttachOptions { stdout: Some(writer.as_fd()), ..options(false) };
    assert_eq!(
        attach(client, options_closed, proxy(true), &|_signal| Ok(())).expect("attach"),
        AttachOutcome::OutputClosed
    );
    thread.join().expect("monitor");
    let (client, thread) = monitor(|_| true, Vec::new());
    assert_eq!(attach(client, options(false), proxy(true), &|_signal| Ok(())).expect("attach"), AttachOutcome::Lost);
    thread.join().expect("monitor");
}
