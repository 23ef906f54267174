//! Hostile registries and documents: section B of the reliability notes, by case.

mod documents;
mod peer;
mod protocol;
mod uploads;
