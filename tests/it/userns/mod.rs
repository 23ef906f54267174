//! Id maps, and namespaces of other containers.

mod joins;
mod maps;
mod strangers;
