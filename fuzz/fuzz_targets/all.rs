//! Every target in one program, which is linked once: `SAMPAN_FUZZ_TARGET` names the one to run.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<sampan_fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("SAMPAN_FUZZ_TARGET").expect("SAMPAN_FUZZ_TARGET names a target");
    let found = sampan_fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no target {name}")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
