//! Progress of long work: bars when stderr is a terminal, a line per change of phase otherwise.

use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::standard;
use crate::types::progress::Progress;

use super::table::clean;

/// One bar for each part of the work, and one for all of them.
#[derive(Debug)]
pub(crate) struct Bars {
    /// None: plain lines.
    multi: Option<MultiProgress>,
    parts: Mutex<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    all: BTreeMap<String, Part>,
    /// From the second part on.
    total: Option<ProgressBar>,
}

#[derive(Debug)]
struct Part {
    label: String,
    bar: Option<ProgressBar>,
    phase: String,
    done: u64,
    /// None: nobody knows, or nothing has to be moved.
    size: Option<u64>,
}

impl Bars {
    pub(crate) fn new(live: bool) -> Self {
        let multi = live.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self { multi, parts: Mutex::default() }
    }

    fn line(&self, text: &str) {
        let text = clean(text);
        match &self.multi {
            // A terminal that is gone leaves nobody to tell.
            Some(multi) => drop(multi.println(text.as_ref())),
            None => drop(standard::stderr().write_all(format!("{text}\n").as_bytes())),
        }
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    fn advance(&mut self, id: &str, done: u64) -> Option<&ProgressBar> {
        let part = self.all.get_mut(id)?;
        part.done = done;
        if let Some(bar) = &part.bar {
            bar.set_position(done);
        }
        self.sum();
        self.all.get(id)?.bar.as_ref()
    }

    /// Brings the bar of all parts up to date; it goes when nothing is left to do.
    fn sum(&self) {
        let Some(total) = &self.total else { return };
        let sized = || self.all.values().filter_map(|part| part.size.map(|size| (part.done, size)));
        total.set_length(sized().map(|(_, size)| size).sum());
        total.set_position(sized().map(|(done, _)| done).sum());
        if self.all.values().all(|part| is_over(&part.phase)) {
            total.finish_and_clear();
        }
    }
}

fn is_over(phase: &str) -> bool {
    matches!(phase, "done" | "exists" | "mounted")
}

impl Progress for Bars {
    fn begin(&self, id: &str, label: &str, size: Option<u64>) {
        let label = clean(label).into_owned();
        let mut parts = self.parts();
        let bar = self.multi.as_ref().map(|multi| {
            let bar = size.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let bar = match &parts.total {
                Some(total) => multi.insert_before(total, bar),
                None => multi.add(bar),
            };
            bar.set_style(style(size.is_some()));
            bar.set_prefix(label.clone());
            bar.tick();
            bar
        });
        let plain = bar.is_none();
        parts.all.insert(id.to_owned(), Part { label: label.clone(), bar, phase: String::new(), done: 0, size });
        if let Some(multi) = &self.multi
            && parts.total.as_ref().is_none_or(ProgressBar::is_finished)
            && parts.all.values().filter(|part| !is_over(&part.phase)).count() > 1
        {
            let total = multi.add(ProgressBar::new(0));
            total.set_style(style(true));
            total.set_prefix("Total");
            parts.total = Some(total);
        }
        parts.sum();
        drop(parts);
        if plain {
            self.line(&label);
        }
    }

    fn advance(&self, id: &str, done: u64) {
        self.parts().advance(id, done);
    }

    fn resumed(&self, id: &str, done: u64) {
        let mut parts = self.parts();
        if let Some(bar) = parts.advance(id, done) {
            bar.reset_eta();
        }
        if let Some(total) = &parts.total {
            total.reset_eta();
        }
    }

    fn phase(&self, id: &str, phase: &str) {
        let mut parts = self.parts();
        let Some(part) = parts.all.get_mut(id) else { return };
        if part.phase == phase {
            return;
        }
        phase.clone_into(&mut part.phase);
        let line = format!("{} {phase}", part.label);
        if matches!(phase, "exists" | "mounted") {
            part.size = None;
        }
        match &part.bar {
            Some(bar) if is_over(phase) => bar.finish_with_message(phase.to_owned()),
            Some(bar) => bar.set_message(phase.to_owned()),
            None => {
                drop(parts);
                return self.line(&line);
            }
        }
        parts.sum();
    }

    fn message(&self, text: &str) {
        self.line(text);
    }

    fn warn(&self, text: &str) {
        self.line(&format!("Warning: {text}"));
    }

    /// Numbers on the terminal; anything but one of them means none.
    fn choose(&self, question: &str, options: &[String]) -> Option<usize> {
        if self.multi.is_none() || !std::io::stdin().is_terminal() {
            return None;
        }
        self.line(question);
        for (index, option) in options.iter().enumerate() {
            self.line(&format!("  {}) {option}", index + 1));
        }
        drop(standard::stderr().write_all(format!("Number [1-{}]: ", options.len()).as_bytes()));
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).ok()?;
        let number: usize = answer.trim().parse().ok()?;
        (1..=options.len()).contains(&number).then(|| number - 1)
    }
}

/// `--quiet`: no progress, but what the user should act on, and questions.
#[derive(Debug)]
pub(crate) struct Quiet(pub(crate) Bars);

impl Progress for Quiet {
    fn begin(&self, _id: &str, _label: &str, _total: Option<u64>) {}
    fn advance(&self, _id: &str, _done: u64) {}
    fn phase(&self, _id: &str, _phase: &str) {}
    fn message(&self, _text: &str) {}

    fn warn(&self, text: &str) {
        self.0.warn(text);
    }

    fn choose(&self, question: &str, options: &[String]) -> Option<usize> {
        self.0.choose(question, options)
    }
}

fn style(sized: bool) -> ProgressStyle {
    let template = if sized {
        "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}"
    } else {
        "{prefix} {bytes} {msg}"
    };
    ProgressStyle::with_template(template).expect("the two templates above are valid").progress_chars("=> ")
}
