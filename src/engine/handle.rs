//! The engine of one command: its settings, the store, and what is learnt of the host on the way.

use std::cell::{OnceCell, RefCell};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;

use crate::config::registries_conf::RegistriesConf;
use crate::rootless::{self, Ahead, Outer, OuterWish};
use crate::runtime::cgroup;
use crate::storage::Store;
use crate::storage::container_record::StorageDriver;
use crate::storage::process_identity::ProcessIdentity;
use crate::storage::sync_policy::SyncPolicy;
use crate::sys::{self, caps, process};
use crate::types::host::HostFacts;

use super::error::Error;

/// What the command line, the environment and the configuration files come to.
#[derive(Debug, Clone)]
pub(crate) struct EngineConfig {
    pub(crate) graphroot: PathBuf,
    pub(crate) runroot: PathBuf,
    /// The user named it.
    pub(crate) runroot_given: bool,
    /// Forced by `--storage-driver`; none = the best that works here.
    pub(crate) storage_driver: Option<StorageDriver>,
    /// Read-only stores whose images may be used too.
    pub(crate) additional_stores: Vec<PathBuf>,
    pub(crate) sync: SyncPolicy,
    /// This process is in P already: `sampan unshare` runs it.
    pub(crate) in_unshare: bool,
    /// PATH of the caller: where helper programs are looked for.
    pub(crate) path: String,
}

/// One command's view of the store and the host.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) config: EngineConfig,
    pub(crate) store: Store,
    wish: OnceCell<OuterWish>,
    facts: OnceCell<HostFacts>,
    /// A P on its way, for the next start.
    ahead: RefCell<Option<Ahead>>,
    /// The same for workers.
    ahead_of_many: RefCell<Option<Ahead>>,
    /// A P of our own.
    kept: OnceCell<OwnedFd>,
    registries: OnceCell<RegistriesConf>,
}

impl Engine {
    /// Opens the store; no namespace is entered.
    pub(crate) fn open(mut config: EngineConfig) -> Result<Self, Error> {
        // A variable alone may be left over.
        config.in_unshare = config.in_unshare && rootless::wish::is_root_of_user_namespace();
        let mut store = Store::open(&config.graphroot, &config.runroot, config.runroot_given)?;
        for path in &config.additional_stores {
            store.add_read_only(path)?;
        }
        store.set_sync_policy(config.sync);
        let (wish, facts, kept) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let (ahead, ahead_of_many) = (RefCell::default(), RefCell::default());
        Ok(Self { config, store, wish, facts, ahead, ahead_of_many, kept, registries: OnceCell::new() })
    }

    /// What short names mean: read at the first that somebody writes.
    pub(super) fn registries(&self) -> Result<&RegistriesConf, Error> {
        if let Some(registries) = self.registries.get() {
            return Ok(registries);
        }
        let registries = RegistriesConf::load().map_err(Error::Config)?;
        Ok(self.registries.get_or_init(|| registries))
    }

    /// The map that P shall have.
    pub(crate) fn wish(&self) -> Result<&OuterWish, Error> {
        if let Some(wish) = self.wish.get() {
            return Ok(wish);
        }
        let wish =
            if self.config.in_unshare { OuterWish::present()? } else { OuterWish::of_caller(&self.config.path)? };
        Ok(self.wish.get_or_init(|| wish))
    }

    /// P: a live one if there is one with today's map.
    pub(crate) fn outer(&self) -> Result<Outer, Error> {
        let wish = self.wish()?.clone();
        match self.kept.get() {
            Some(userns) => Ok(Outer::with_live(wish, userns.as_fd())?),
            None => Ok(Outer::find(wish, &self.store.layout().outers())),
        }
    }

    /// The P that a running container is in, by its init.
    pub(super) fn outer_of(&self, init: ProcessIdentity) -> Result<Outer, Error> {
        match init.pid() {
            Some(pid) => Ok(Outer::of(self.wish()?.clone(), pid)?),
            None => self.outer(),
        }
    }

    /// P for several workers. If none lives, one is made that lives as long as this command, so that not each of them has
    /// to wait for its own `newuidmap` and `newgidmap`.
    pub(crate) fn outer_for_many(&self) -> Result<Outer, Error> {
        match self.ahead_of_many.take().map(Ahead::finish) {
            Some(Ok(userns)) => drop(self.kept.set(userns)),
            // Whoever tries again gets the reason.
            Some(Err(error)) => tracing::debug!(%error, "no namespace made ahead"),
            None => {}
        }
        let outer = self.outer()?;
        match outer.make()? {
            Some(userns) => {
                self.kept.get_or_init(|| userns);
                self.outer()
            }
            None => Ok(outer),
        }
    }

    /// Begins the P of a start that is to come, if there is none to join: its map is written while the command reads its
    /// flags' files, finds the image and makes the container. What fails here, the start tells.
    pub(crate) fn begin_outer(&self) {
        self.ahead.replace(self.begin());
    }

    /// Begins the P of [`Self::outer_for_many`], if there is none to join: its map is written while the command asks a
    /// registry what there is to do.
    pub(crate) fn begin_outer_for_many(&self) {
        if self.kept.get().is_none() && self.ahead_of_many.borrow().is_none() {
            self.ahead_of_many.replace(self.begin());
        }
    }

    fn begin(&self) -> Option<Ahead> {
        let begun = self.outer().and_then(|outer| Ok(Ahead::begin(&outer)?));
        begun.inspect_err(|error| tracing::debug!(%error, "no namespace made ahead")).ok().flatten()
    }

    /// The P that was begun, for one start; none if there is none, and then the monitor makes its own.
    pub(super) fn outer_made_ahead(&self) -> Option<Ahead> {
        self.ahead.take()
    }

    /// What this host gives.
    pub(crate) fn facts(&self) -> Result<&HostFacts, Error> {
        if let Some(facts) = self.facts.get() {
            return Ok(facts);
        }
        let facts = self.read_facts().map_err(|source| Error::Host { what: "look at the host", source });
        let mut facts = facts?;
        facts.outer = self.wish()?.maps.clone();
        Ok(self.facts.get_or_init(|| facts))
    }

    fn read_facts(&self) -> sys::Result<HostFacts> {
        let (uid, gid) = process::ids();
        let (cgroup, controllers) = match cgroup::available() {
            cgroup::Available::Own(controllers) | cgroup::Available::Systemd(controllers) => (true, controllers),
            cgroup::Available::None(_) => (false, Vec::new()),
        };
        let nofile = process::rlimit(process::Rlimit::RLIMIT_NOFILE)?;
        let nproc = process::rlimit(process::Rlimit::RLIMIT_NPROC)?;
        Ok(HostFacts {
            uid,
            gid,
            groups: process::groups()?,
            outer: crate::types::idmap::IdMaps::default(),
            controllers,
            cgroup,
            time_namespace: sys::fs::exists(std::path::Path::new("/proc/self/ns/time")),
            last_cap: caps::last()?,
            nofile_hard: nofile.1,
            nproc_hard: nproc.1,
        })
    }
}
