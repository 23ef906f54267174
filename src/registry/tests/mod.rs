//! Hostile registries and documents: cases B of docs/reliability.md, by their ids.

mod documents;
mod peer;
mod protocol;
mod uploads;
