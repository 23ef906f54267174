//! Verbs about the program itself.

mod doctor;
