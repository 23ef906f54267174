//! Signals by number or name, as `kill(1)`, `--stop-signal` and `STOPSIGNAL` take them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Linux signal, 1 to 64 (x86-64, arm64 and riscv64 numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Signal(u8);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid signal: {0}")]
pub(crate) struct InvalidSignal(String);

const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];
const RTMIN: u8 = 34;
const RTMAX: u8 = 64;

impl Signal {
    pub(crate) const KILL: Self = Self(9);
    pub(crate) const TERM: Self = Self(15);

    pub(crate) fn new(number: u8) -> Option<Self> {
        (1..=RTMAX).contains(&number).then_some(Self(number))
    }

    pub(crate) fn number(self) -> i32 {
        i32::from(self.0)
    }
}

impl FromStr for Signal {
    type Err = InvalidSignal;

    fn from_str(text: &str) -> Result<Self, InvalidSignal> {
        let invalid = || InvalidSignal(text.to_owned());
        // As kill(1) has it.
        let text = text.strip_prefix('-').unwrap_or(text);
        if let Ok(number) = text.parse::<u8>() {
            return Self::new(number).ok_or_else(invalid);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some(index) = NAMES.iter().position(|known| *known == name) {
            return u8::try_from(index + 1).ok().and_then(Self::new).ok_or_else(invalid);
        }
        let number = match name {
            "CLD" => Some(17),
            "POLL" => Some(29),
            "IOT" => Some(6),
            "RTMIN" => Some(RTMIN),
            "RTMAX" => Some(RTMAX),
            _ => match (name.strip_prefix("RTMIN+"), name.strip_prefix("RTMAX-")) {
                (Some(up), _) => up.parse::<u8>().ok().and_then(|n| RTMIN.checked_add(n)).filter(|n| *n <= RTMAX),
                (_, Some(down)) => down.parse::<u8>().ok().and_then(|n| RTMAX.checked_sub(n)).filter(|n| *n >= RTMIN),
                _ => None,
            },
        };
        number.and_then(Self::new).ok_or_else(invalid)
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match NAMES.get(usize::from(self.0) - 1) {
            Some(name) => write!(f, "SIG{name}"),
            None if self.0 >= RTMIN => write!(f, "SIGRTMIN+{}", self.0 - RTMIN),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;

    #[test]
    fn names_and_numbers() {
        for (text, number) in [
            ("9", 9),
            ("-9", 9),
            ("-HUP", 1),
            ("SIGTERM", 15),
            ("term", 15),
            ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63),
            ("CLD", 17),
        ] {
            assert_eq!(text.parse::<Signal>().expect(text).number(), number, "{text}");
        }
        for text in ["0", "65", "", "SIG", "RTMIN+31", "RTMAX-31", "--9", "-", "NOPE"] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }
}
