//! Verbs about the program itself.

mod check;
mod doctor;
mod storm;
