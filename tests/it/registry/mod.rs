//! Registries: logging in and out, pushing, searching.

mod login;
mod push;
mod search;
