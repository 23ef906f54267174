//! The terminal. Nothing else in the program writes to stdout or stderr.

use std::cell::RefCell;
use std::fmt::Display;
use std::io::{BufWriter, LineWriter, Write};

use super::super::context::Invocation;
use super::super::error::{Error, OnStdout};
use crate::engine::standard::{self, Printed};

/// Standard output and error of this process.
#[derive(Debug)]
pub(crate) struct Ui {
    stdout: RefCell<Out>,
    stdout_is_terminal: bool,
    live: bool,
}

/// Lines at once for a reader who waits, in blocks otherwise.
#[derive(Debug)]
enum Out {
    Lines(LineWriter<Printed>),
    Blocks(BufWriter<Printed>),
}

impl Ui {
    pub(crate) fn new(at: &Invocation) -> Self {
        let stdout = standard::stdout();
        let dumb = at.var("TERM").is_none_or(|term| term == "dumb");
        Self {
            stdout: RefCell::new(if at.stdout_is_terminal {
                Out::Lines(LineWriter::new(stdout))
            } else {
                Out::Blocks(BufWriter::new(stdout))
            }),
            stdout_is_terminal: at.stdout_is_terminal,
            live: at.stderr_is_terminal && !dumb,
        }
    }

    pub(crate) fn stdout_is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// Progress bars may be drawn on stderr.
    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// One line on stdout.
    pub(crate) fn line(&self, text: impl Display) -> Result<(), Error> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Bytes on stdout as they are.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Error> {
        match &mut *self.stdout.borrow_mut() {
            Out::Lines(out) => out.write_all(bytes),
            Out::Blocks(out) => out.write_all(bytes),
        }
        .on_stdout()
    }

    /// Bytes on stderr as they are, after what was written to stdout before.
    pub(crate) fn write_stderr(&self, bytes: &[u8]) -> Result<(), Error> {
        self.flush()?;
        standard::stderr().write_all(bytes).on_stdout()
    }

    /// Hands everything to the kernel: before a fork, before an attach, at the end.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        match &mut *self.stdout.borrow_mut() {
            Out::Lines(out) => out.flush(),
            Out::Blocks(out) => out.flush(),
        }
        .on_stdout()
    }

    /// A question on stderr, without an end of line.
    pub(crate) fn prompt(&self, question: &str) -> Result<(), Error> {
        self.flush()?;
        eprint(question);
        Ok(())
    }

    /// One line on stderr that the user should act on.
    pub(crate) fn warn(&self, text: impl Display) {
        eprint_line(&format!("Warning: {text}"));
    }

    /// One line on stderr.
    pub(crate) fn note(&self, text: impl Display) {
        eprint_line(&text.to_string());
    }
}

fn eprint_line(text: &str) {
    // A closed stderr leaves nobody to tell.
    drop(standard::stderr().write_all(format!("{}\n", super::table::clean(text)).as_bytes()));
}

fn eprint(text: &str) {
    // A closed stderr leaves nobody to tell.
    drop(standard::stderr().write_all(text.as_bytes()));
}
