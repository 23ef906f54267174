//! Verbs about the program itself.

mod check;
mod disk;
mod doctor;
mod soak;
mod storm;
