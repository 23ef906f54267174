//! How answers look: tables as Podman prints them, Go templates, JSON, progress.

pub(crate) mod go_form;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod table;
pub(crate) mod template;
pub(crate) mod time;
pub(crate) mod ui;
pub(crate) mod yaml;
