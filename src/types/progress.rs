//! What long work tells the caller while it goes on. The core never prints; the terminal is one implementation.

/// Receives the progress of a request. All calls come from one thread at a time.
pub(crate) trait Progress: Send + Sync {
    /// A part begins (a layer, a file); `total` in bytes if known. `id` names it in later calls.
    fn begin(&self, id: &str, label: &str, total: Option<u64>);
    /// `done` bytes of the part so far.
    fn advance(&self, id: &str, done: u64);
    /// `done` bytes of the part are there from an earlier try: they count for what is left, not for the rate.
    fn resumed(&self, id: &str, done: u64) {
        self.advance(id, done);
    }
    /// The part is in another phase (`unpacking`) or has ended (`done`, `exists`).
    fn phase(&self, id: &str, phase: &str);
    /// One line for the user that is not an error.
    fn message(&self, text: &str);
    /// One line that the user should act on.
    fn warn(&self, text: &str);
    /// Asks the user for one of several; `None` if nobody is there to answer, or does not want any.
    fn choose(&self, _question: &str, _options: &[String]) -> Option<usize> {
        None
    }
}

/// Says nothing.
#[cfg(test)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn begin(&self, _id: &str, _label: &str, _total: Option<u64>) {}
    fn advance(&self, _id: &str, _done: u64) {}
    fn phase(&self, _id: &str, _phase: &str) {}
    fn message(&self, _text: &str) {}
    fn warn(&self, _text: &str) {}
}
