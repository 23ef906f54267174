//! `kill -9` of one process at one system call (T1): CLI, monitor, stage, init, workers.

use super::sweep;
use crate::harness::requires;

macro_rules! cases {
    ($($name:ident $points:literal)*) => {
        $(#[test]
        fn $name() {
            requires!(userns, overlay);
            sweep::kills(stringify!($name), $points);
        })*
    };
}

cases! {
    import 6 load 8 tag 4 rmi 5 create 6 run 10 run_port 6 run_rm 8 start 6 stop 3 life 8 life_rm_port 5 rm 5
    rm_force 5 volume_create 3 volume_rm 4 exec 5 exec_detached 4 restart 6 recover 5 repair 4 prune 3 pull 6
}
