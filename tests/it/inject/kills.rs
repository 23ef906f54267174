//! `kill -9` of one process at one system call (T1): CLI, monitor, stage, init, workers.

use super::sweep;
use crate::harness::requires;

macro_rules! cases {
    ($($name:ident $points:literal)*) => {
        /// Cases that are tried here.
        pub(super) const TRIED: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            requires!(userns, overlay);
            sweep::kills(stringify!($name), $points);
        })*
    };
}

cases! {
    import 3 import_over 2 import_none 2 load 4 tag 2 rmi 2 create 3 run 5 run_port 3 run_rm 4 start 3 stop 2 life 4 life_rm_port 3 rm 2
    rm_force 2 volume_create 2 volume_rm 2 in_use 1 exec 3 exec_detached 2 restart 3 recover 3 repair 2 prune 2 pull 4 healthcheck 1
    health_stop 2 health_restart 1 probe 1 fill 3 join 3 rename 1 list_create 1 list_add 2 stop_lost 2
}

/// The process that makes P while the command works (`rootless/ahead.rs`).
#[test]
fn maker_of_the_namespace() {
    requires!(userns, subids, overlay);
    sweep::deaths_beside("run", "/newuidmap", 6);
}
