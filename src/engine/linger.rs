//! Whether a detached container outlives the login session that started it.

use std::path::Path;

use crate::runtime::cgroup;
use crate::sys;

use super::handle::Engine;

impl Engine {
    /// True where detached containers end with the login: logind runs here, this process belongs to one of its sessions,
    /// and the user does not linger (`loginctl(1)`).
    pub(crate) fn detached_ends_at_logout(&self) -> bool {
        let (uid, _) = sys::process::ids();
        let user =
            sys::user::name_of(sys::user::Database::Passwd, uid, &self.config.path).ok().flatten().unwrap_or_default();
        let session = Path::new("/run/systemd/users").join(uid.to_string());
        let lingers = !user.is_empty() && sys::fs::exists(&Path::new("/var/lib/systemd/linger").join(user));
        sys::fs::exists(&session) && !lingers && cgroup::below_user_slice(uid)
    }
}
