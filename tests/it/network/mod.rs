//! Networks of containers: their ports, their modes, the files that describe them.

mod files;
mod modes;
mod publish;
mod server;
