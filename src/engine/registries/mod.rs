//! Registries themselves: logging in and out, searching. No store is needed.

mod login;
mod search;

pub(crate) use login::{
    LoginRequest, ask_hidden, check, current, default_host, forget, forget_all, hide_secrets, keep,
};
pub(crate) use search::{FoundRepository, SearchRequest, Tags, search, tags};
