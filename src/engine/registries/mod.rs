//! Registries themselves: logging in and out. No store is needed.

mod login;

pub(crate) use login::{LoginRequest, ask_hidden, check, current, default_host, forget, forget_all, keep};
