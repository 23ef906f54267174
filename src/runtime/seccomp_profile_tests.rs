use oci_spec::runtime::LinuxSeccomp;

use super::{Program, compile, pretend_owner_calls};
use crate::sys::seccomp::answer;

fn profile(text: &str) -> LinuxSeccomp {
    serde_json::from_str(text).expect("a profile")
}

/// Result of a call by name under a profile.
fn under(text: &str, name: &str, args: [u64; 4]) -> Option<i64> {
    answer(&[compile(&profile(text)).expect("valid")], number(name), args)
}

fn number(name: &str) -> i64 {
    name.parse::<syscalls::Sysno>().expect("a system call").id().into()
}

#[test]
fn arguments_are_compared_as_64_bits() {
    // getpriority(which, who): which = 9 is EINVAL from the kernel, anything filtered is 77.
    for (op, value, two, argument, refused) in [
        ("EQ", 9_u64, 0_u64, 9_u64, true),
        ("EQ", 9, 0, 10, false),
        ("EQ", 9, 0, 9 | 1 << 32, false),
        ("NE", 9, 0, 9, false),
        ("NE", 9, 0, 9 | 1 << 32, true),
        ("NE", 9, 0, 10, true),
        ("LT", 9, 0, 8, true),
        ("LT", 9, 0, 9, false),
        ("LT", 9, 0, 8 | 1 << 32, false),
        ("LT", 9 | 1 << 32, 0, 10, true),
        ("LE", 9, 0, 9, true),
        ("LE", 9, 0, 10, false),
        ("GT", 9, 0, 9, false),
        ("GT", 9, 0, 10, true),
        ("GT", 9, 0, 1 << 32, true),
        ("GE", 9, 0, 9, true),
        ("GE", 9, 0, 8, false),
        ("GE", 9 | 1 << 32, 0, 10, false),
        ("MASKED_EQ", 0xf0, 0x50, 0x5f, true),
        ("MASKED_EQ", 0xf0, 0x50, 0x6f, false),
        ("MASKED_EQ", 0xffff_ffff, 9, 9 | 1 << 40, true),
        ("MASKED_EQ", 1 << 40, 1 << 40, 9 | 1 << 40, true),
        ("MASKED_EQ", 1 << 40, 1 << 40, 9, false),
    ] {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["getpriority"],"action":"SCMP_ACT_ERRNO",
            "errnoRet":77,"args":[{{"index":0,"value":{value},"valueTwo":{two},"op":"SCMP_CMP_{op}"}}]}}]}}"#
        );
        let expected = if refused { -77 } else { -22 };
        assert_eq!(under(&text, "getpriority", [argument, 0, 0, 0]), Some(expected), "{op} {value:#x} {argument:#x}");
    }
}

#[test]
fn first_rule_that_fits_decides() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1,"syscalls":[
        {"names":["getpriority"],"action":"SCMP_ACT_ERRNO","errnoRet":5,"args":[
            {"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":2,"op":"SCMP_CMP_EQ"}]},
        {"names":["getpriority"],"action":"SCMP_ACT_ERRNO","errnoRet":6,"args":[
            {"index":0,"value":7,"op":"SCMP_CMP_EQ"},{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},
        {"names":["getpriority","no_such_call"],"action":"SCMP_ACT_ERRNO","errnoRet":4}]}"#;
    for (args, result) in [([1, 2], -5), ([1, 3], -4), ([0, 2], -4), ([7, 0], -6), ([8, 0], -6), ([9, 0], -4)] {
        assert_eq!(under(text, "getpriority", [args[0], args[1], 0, 0]), Some(result), "{args:?}");
    }
    assert_eq!(under(text, "getpgid", [u64::MAX, 0, 0, 0]), Some(-3), "not named: the kernel answers");
}

#[test]
fn kills_and_traps() {
    for action in ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP"] {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{{"names":["getppid"],"action":"SCMP_ACT_{action}"}}]}}"#
        );
        assert_eq!(under(&text, "getppid", [0; 4]), None, "{action}");
    }
    let log = r#"{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
        "syscalls":[{"names":["getpgid"],"action":"SCMP_ACT_LOG"}]}"#;
    assert_eq!(under(log, "getpgid", [u64::MAX, 0, 0, 0]), Some(-3));
}

#[test]
fn c22_what_is_not_understood_is_refused() {
    let rule = |rule: &str| compile(&profile(&format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{rule}]}}"#)));
    let arg = |index| {
        format!(
            r#"{{"names":["read"],"action":"SCMP_ACT_ERRNO","args":[{{"index":{index},"value":1,"op":"SCMP_CMP_EQ"}}]}}"#
        )
    };
    assert!(rule(&arg(5)).is_ok());
    assert!(rule(&arg(6)).is_err());
    assert!(rule(r#"{"names":["read"],"action":"SCMP_ACT_NOTIFY"}"#).is_err());
    assert!(rule(r#"{"names":["read"],"action":"SCMP_ACT_ERRNO","errnoRet":4096}"#).is_err());
    assert!(rule(r#"{"names":["no_such_call"],"action":"SCMP_ACT_KILL"}"#).is_ok());
    let many: Vec<String> = (0..2000).map(|n| arg(0).replace(r#""value":1"#, &format!(r#""value":{n}"#))).collect();
    assert!(rule(&many.join(",")).is_err(), "more than 4096 instructions");
}

#[test]
fn single_id_mode_pretends() {
    let filters = [pretend_owner_calls().expect("valid")];
    for name in ["fchown", "fchownat", "setresuid", "setgroups", "setfsgid"] {
        assert_eq!(answer(&filters, number(name), [u64::MAX; 4]), Some(0), "{name}");
    }
    assert_eq!(answer(&filters, number("getpgid"), [u64::MAX, 0, 0, 0]), Some(-3));
}

#[test]
#[cfg(target_arch = "x86_64")]
fn c23_x32_is_refused_even_by_a_deny_list() {
    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["getppid"],"action":"SCMP_ACT_ERRNO"}]}"#;
    let filters = [compile(&profile(text)).expect("valid")];
    assert_eq!(answer(&filters, number("getppid") | 0x4000_0000, [0; 4]), Some(-38));
    assert_eq!(answer(&filters, number("getpgid") | 0x4000_0000, [0; 4]), Some(-38));
}

#[test]
fn programs_survive_the_trip_to_init() {
    let program = pretend_owner_calls().expect("valid");
    let text = serde_json::to_vec(&program).expect("plain data");
    assert_eq!(serde_json::from_slice::<Program>(&text).expect("the same"), program);
}
