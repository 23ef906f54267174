//! Verbs about the program itself.

mod doctor;
mod storm;
