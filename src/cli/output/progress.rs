//! Progress of long work: bars when stderr is a terminal, a line per change of phase otherwise.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::types::progress::Progress;

use super::table::clean;

/// One bar for each part of the work.
#[derive(Debug)]
pub(crate) struct Bars {
    /// None: plain lines.
    multi: Option<MultiProgress>,
    parts: Mutex<BTreeMap<String, Part>>,
}

#[derive(Debug)]
struct Part {
    label: String,
    bar: Option<ProgressBar>,
    phase: String,
}

impl Bars {
    pub(crate) fn new(live: bool) -> Self {
        let multi = live.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));
        Self { multi, parts: Mutex::new(BTreeMap::new()) }
    }

    fn line(&self, text: &str) {
        let text = clean(text);
        match &self.multi {
            // A terminal that is gone leaves nobody to tell.
            Some(multi) => drop(multi.println(text.as_ref())),
            None => drop(std::io::stderr().write_all(format!("{text}\n").as_bytes())),
        }
    }
}

impl Progress for Bars {
    fn begin(&self, id: &str, label: &str, total: Option<u64>) {
        let label = clean(label).into_owned();
        let bar = self.multi.as_ref().map(|multi| {
            let bar = multi.add(total.map_or_else(ProgressBar::no_length, ProgressBar::new));
            bar.set_style(style(total.is_some()));
            bar.set_prefix(label.clone());
            bar.tick();
            bar
        });
        if bar.is_none() {
            self.line(&label);
        }
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(id.to_owned(), Part { label, bar, phase: String::new() });
    }

    fn advance(&self, id: &str, done: u64) {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = parts.get(id).and_then(|part| part.bar.as_ref()) {
            bar.set_position(done);
        }
    }

    fn phase(&self, id: &str, phase: &str) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(part) = parts.get_mut(id) else { return };
        if part.phase == phase {
            return;
        }
        phase.clone_into(&mut part.phase);
        match &part.bar {
            Some(bar) if matches!(phase, "done" | "exists") => bar.finish_with_message(phase.to_owned()),
            Some(bar) => bar.set_message(phase.to_owned()),
            None => {
                let line = format!("{} {phase}", part.label);
                drop(parts);
                self.line(&line);
            }
        }
    }

    fn message(&self, text: &str) {
        self.line(text);
    }

    fn warn(&self, text: &str) {
        self.line(&format!("Warning: {text}"));
    }
}

fn style(sized: bool) -> ProgressStyle {
    let template = if sized {
        "{prefix} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {msg}"
    } else {
        "{prefix} {bytes} {msg}"
    };
    ProgressStyle::with_template(template).expect("the two templates above are valid").progress_chars("=> ")
}
