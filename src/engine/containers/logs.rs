//! `logs`: what containers have written, and what they go on to write.

use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::{Engine, Error};
pub(crate) use crate::monitor::log::line::Stream as LogStream;
use crate::monitor::log::line::{Parts, Stream};
use crate::monitor::log::{LogReader, Start};
use crate::storage::container_record::MonitorLock;
use crate::sys::inotify::Inotify;
use crate::sys::{self, wait_readable};
use crate::types::container_spec::LogDriver;
use crate::types::id::ContainerId;

/// Which logs, and what of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogsRequest {
    /// Names, ids or prefixes; with `latest` none.
    pub(crate) containers: Vec<String>,
    /// The container that was made last.
    pub(crate) latest: bool,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// The last so many lines of each; none = all.
    pub(crate) tail: Option<u64>,
    /// Goes on until the containers have ended, and everything they wrote has been shown.
    pub(crate) follow: bool,
}

/// A piece of a container's output; most are whole lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogPiece<'a> {
    pub(crate) id: &'a ContainerId,
    pub(crate) name: &'a str,
    pub(crate) stream: Stream,
    /// When it was written: RFC 3339, as in the file.
    pub(crate) time: &'a str,
    /// A line of the program begins here: the place for time and name.
    pub(crate) begins: bool,
    /// It ends here, and the line break (which `text` does not have) belongs to it.
    pub(crate) ends: bool,
    pub(crate) text: &'a [u8],
}

/// Takes pieces; `Break` when nobody reads any more.
pub(crate) trait LogOutput {
    fn piece(&mut self, piece: LogPiece<'_>) -> ControlFlow<()>;
    /// Lines of a container were rotated away before they could be read.
    fn lost(&mut self, name: &str);
    /// Nothing more for now: the reader should see everything.
    fn idle(&mut self) -> ControlFlow<()>;
}

/// How long to wait at most until we look whether a container still lives.
const GLANCE: Duration = Duration::from_millis(200);
/// The same where the user has no inotify instance left.
const POLL: Duration = Duration::from_millis(50);

/// One container's log.
#[derive(Debug)]
struct Source {
    id: ContainerId,
    name: String,
    reader: LogReader,
    /// Whether each stream is at the beginning of a line: standard output, standard error.
    begins: [bool; 2],
    done: bool,
}

impl Engine {
    /// Gives out the logs: container after container, or with `follow` as lines come.
    pub(crate) fn logs(&self, request: &LogsRequest, output: &mut dyn LogOutput) -> Result<(), Error> {
        let mut sources = self.sources(request)?;
        if request.follow {
            return self.follow(request, &mut sources, output);
        }
        for source in &mut sources {
            source.reader.end_with_now().map_err(|error| Error::Log { id: source.name.clone(), source: error })?;
            if source.give_out(request, output)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn sources(&self, request: &LogsRequest) -> Result<Vec<Source>, Error> {
        let mut ids = Vec::new();
        for name in &request.containers {
            ids.push(self.store.find_container(name)?);
        }
        if request.latest {
            ids.push(self.latest_container()?.ok_or(Error::NoContainers)?);
        }
        ids.into_iter().map(|id| self.source(id, request)).collect()
    }

    fn source(&self, id: ContainerId, request: &LogsRequest) -> Result<Source, Error> {
        let config = self.store.container_config(&id)?;
        let log = &config.spec.log;
        if log.driver == LogDriver::None {
            return Err(Error::NoLog(config.name.to_string()));
        }
        let path: PathBuf = log.path.clone().unwrap_or_else(|| self.store.layout().container_log(&id));
        let start = request.tail.map_or(Start::Beginning, Start::Tail);
        let reader =
            LogReader::open(&path, start).map_err(|source| Error::Log { id: config.name.to_string(), source })?;
        Ok(Source { id, name: config.name.to_string(), reader, begins: [true; 2], done: false })
    }

    fn follow(&self, request: &LogsRequest, sources: &mut [Source], output: &mut dyn LogOutput) -> Result<(), Error> {
        let inotify = Inotify::new().inspect_err(|error| tracing::debug!(%error, "polling instead")).ok();
        loop {
            if let Some(inotify) = &inotify {
                // Before the reading: a change that comes after it wakes us.
                inotify.drain().map_err(|source| Error::Host { what: "watch log files", source })?;
                for source in sources.iter() {
                    source.watch(inotify);
                }
            }
            for source in sources.iter_mut().filter(|source| !source.done) {
                // The end is looked for first, so that what is read after it is all there will ever be.
                let ended = self.has_ended(&source.id)?;
                if source.give_out(request, output)?.is_break() {
                    return Ok(());
                }
                source.done |= ended;
            }
            if output.idle().is_break() {
                return Ok(());
            }
            let late = request.until.is_some_and(|until| Timestamp::now() > until);
            if late || sources.iter().all(|source| source.done) {
                return Ok(());
            }
            match &inotify {
                Some(inotify) => {
                    wait_readable(inotify.as_fd(), Some(GLANCE))
                        .map_err(|source| Error::Host { what: "watch log files", source })?;
                }
                None => std::thread::sleep(POLL),
            }
        }
    }

    /// The monitor lets go of its lock after the last line is written; one that is gone altogether has ended too.
    fn has_ended(&self, id: &ContainerId) -> Result<bool, Error> {
        Ok(self.store.monitor_lock(id)? != MonitorLock::Held)
    }
}

impl Source {
    /// Gives out what there is now.
    fn give_out(&mut self, request: &LogsRequest, output: &mut dyn LogOutput) -> Result<ControlFlow<()>, Error> {
        let name = self.name.clone();
        let failed = |source: sys::Error| Error::Log { id: name.clone(), source };
        while let Some(parts) = self.reader.next().map_err(failed)? {
            let begins = std::mem::replace(&mut self.begins[usize::from(parts.stream == Stream::Stderr)], parts.full);
            match wanted(request, &parts) {
                Wanted::No => continue,
                Wanted::NoMore => {
                    self.done = true;
                    break;
                }
                Wanted::Yes => {}
            }
            let piece = LogPiece {
                id: &self.id,
                name: &self.name,
                stream: parts.stream,
                time: parts.time,
                begins,
                ends: parts.full,
                text: parts.text,
            };
            if output.piece(piece).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if self.reader.take_lost() {
            output.lost(&self.name);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn watch(&self, inotify: &Inotify) {
        if let Err(error) = inotify.watch(self.reader.path()) {
            tracing::debug!(%error, "log is polled");
        }
    }
}

/// Whether a line is in the span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    No,
    /// Neither is any after it.
    NoMore,
}

fn wanted(request: &LogsRequest, parts: &Parts<'_>) -> Wanted {
    if request.since.is_none() && request.until.is_none() {
        return Wanted::Yes;
    }
    let Ok(time) = parts.time.parse::<Timestamp>() else { return Wanted::Yes };
    if request.until.is_some_and(|until| time > until) {
        return Wanted::NoMore;
    }
    if request.since.is_some_and(|since| time < since) { Wanted::No } else { Wanted::Yes }
}
