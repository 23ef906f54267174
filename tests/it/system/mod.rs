//! Verbs about the program itself.

mod check;
mod disk;
mod doctor;
mod killstorm;
mod soak;
mod storm;
