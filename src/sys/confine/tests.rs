use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{Mode, OFlags};

use crate::sys::root::RootDir;

/// The negative error number, or 0.
fn outcome<T>(result: rustix::io::Result<T>) -> i64 {
    result.err().map_or(0, |errno| -i64::from(errno.raw_os_error()))
}

/// What a process in the cage gets: work on its directory, then whether Landlock took part, a file of the host, and
/// all that must be refused.
fn attempts(root: &RootDir) -> Vec<i64> {
    let parent = usize::try_from(rustix::process::getppid().map_or(1, |pid| pid.as_raw_nonzero().get())).unwrap_or(1);
    let Ok(landlocked) = super::confine_worker(&[root.as_fd()]) else { return Vec::new() };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    let mut answers = vec![
        outcome(rustix::fs::mkdirat(root, "made", Mode::RWXU)),
        outcome(rustix::fs::openat(root, "made/file", flags, Mode::RUSR | Mode::WUSR)),
        outcome(rustix::fs::symlinkat("/etc/passwd", root, "link")),
        i64::from(landlocked),
        outcome(rustix::fs::openat(rustix::fs::CWD, "/etc/passwd", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())),
    ];
    let calls: [(libc::c_long, [usize; 3]); 10] = [
        (libc::SYS_socket, [2, 1, 0]),
        (libc::SYS_socketpair, [1, 1, 0]),
        (libc::SYS_execve, [0, 0, 0]),
        (libc::SYS_kill, [1, 0, 0]),
        (libc::SYS_ptrace, [0, 0, 0]),
        (libc::SYS_mount, [0, 0, 0]),
        (libc::SYS_unshare, [0x1000_0000, 0, 0]),
        (libc::SYS_setns, [0, 0, 0]),
        (libc::SYS_clone, [17, 0, 0]),
        (libc::SYS_io_uring_setup, [1, 0, 0]),
    ];
    for (call, [a, b, c]) in calls {
        // SAFETY: refused by the filter before the kernel looks at any argument; there are no pointers but null.
        let result = unsafe { libc::syscall(call, a, b, c) };
        answers.push(if result < 0 { -i64::from(super::Errno::last_raw()) } else { i64::from(libc::ENOTRECOVERABLE) });
    }
    let this = usize::try_from(rustix::process::getpid().as_raw_nonzero().get()).unwrap_or(1);
    let fd = usize::try_from(root.as_fd().as_raw_fd()).unwrap_or(0);
    // Signal 0 and a limit that is only asked for: harmless, and allowed among processes of one user.
    let others: [(libc::c_long, [usize; 3]); 9] = [
        (libc::SYS_tgkill, [this, this, 0]),
        (libc::SYS_prlimit64, [0, 7, 0]),
        (libc::SYS_prlimit64, [this, 7, 0]),
        (libc::SYS_fcntl, [fd, libc::F_GETFD as usize, 0]),
        (libc::SYS_tgkill, [parent, parent, 0]),
        (libc::SYS_prlimit64, [parent, 7, 0]),
        (libc::SYS_fcntl, [fd, libc::F_SETOWN as usize, parent]),
        (libc::SYS_fcntl, [fd, super::F_SETSIG as usize, 9]),
        (libc::SYS_fcntl, [fd, super::F_SETOWN_EX as usize, 0]),
    ];
    for (call, [a, b, c]) in others {
        // SAFETY: none of them is given memory: the pointers are null.
        let result = unsafe { libc::syscall(call, a, b, c, 0) };
        answers.push(if result < 0 { -i64::from(super::Errno::last_raw()) } else { 0 });
    }
    answers
}

#[test]
fn a_caged_worker_can_work_on_its_directory_and_nothing_else() {
    let temporary = tempfile::tempdir().expect("temporary directory");
    let root = RootDir::open(temporary.path()).expect("open");
    let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
    // SAFETY: the child allocates, which the C library allows after fork(2), and calls the kernel; it does not return.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let bytes: Vec<u8> = attempts(&root).into_iter().flat_map(i64::to_ne_bytes).collect();
        let written = rustix::io::write(&writer, &bytes).is_ok();
        // SAFETY: ends the child without running anything of the parent's.
        unsafe { libc::_exit(i32::from(!written)) };
    }
    drop(writer);
    let bytes = crate::sys::descriptor::read_to_end(reader.as_fd(), 1 << 12).expect("the pipe is read");
    // SAFETY: reaps the child made above.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
    let answers: Vec<i64> = bytes.as_chunks().0.iter().copied().map(i64::from_ne_bytes).collect();
    assert_eq!(answers.len(), 24, "{answers:?}");
    assert_eq!(answers[..3], [0, 0, 0], "work in its own directory");
    assert!(answers[3] == 0 || answers[4] == -i64::from(libc::EACCES), "a file of the host: {answers:?}");
    assert!(answers[5..15].iter().all(|answer| *answer == -i64::from(libc::EPERM)), "{answers:?}");
    assert_eq!(answers[15..19], [0; 4], "itself");
    assert!(answers[19..].iter().all(|answer| *answer == -i64::from(libc::EPERM)), "others: {answers:?}");
}
