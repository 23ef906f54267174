//! Registries: logging in and out, pushing, searching.

mod identity;
mod login;
mod push;
mod search;
