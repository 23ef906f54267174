//! One system call that fails (T3): a full disk, a broken one, a signal, a limit, no memory.

use super::sweep;
use crate::harness::requires;

macro_rules! cases {
    ($($name:ident $points:literal)*) => {
        $(#[test]
        fn $name() {
            requires!(userns, overlay);
            sweep::errors(stringify!($name), $points);
        })*
    };
}

cases! {
    import 5 load 5 tag 3 rmi 4 create 4 run 8 run_rm 6 start 4 stop 3 life 5 rm 3 volume_create 3 volume_rm 3 exec 4 recover 4
    repair 3 pull 5
}
