//! Registries: logging in and out, pushing, searching.

mod addresses;
mod identity;
mod login;
mod push;
mod search;
