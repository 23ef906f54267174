//! One system call that fails (T3): a full disk, a broken one, a signal, a limit, no memory.

use super::sweep;
use crate::harness::requires;

macro_rules! cases {
    ($($name:ident $points:literal)*) => {
        /// Cases that are tried here.
        pub(super) const TRIED: &[&str] = &[$(stringify!($name)),*];
        $(#[test]
        fn $name() {
            requires!(userns, overlay);
            sweep::errors(stringify!($name), $points);
        })*
    };
}

cases! {
    import 3 import_over 2 import_none 2 load 3 tag 2 rmi 2 create 3 run 4 run_port 3 run_rm 3 start 2 stop 2 life 3 rm 2 rm_force 2
    volume_create 2 volume_rm 2 in_use 2 exec 3 exec_detached 2 restart 2 recover 2 repair 2 prune 2 pull 3 healthcheck 1
    health_stop 2 health_restart 1 probe 1 fill 3 join 2 rename 1 list_create 1 list_add 1 stop_lost 1
}
