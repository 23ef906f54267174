//! `exec`: another program in a container that runs.

use oci_spec::runtime::Spec;

use crate::engine::action::Action;
use crate::engine::error::Error;
use crate::engine::handle::Engine;
use crate::monitor::exec_session::{self, ExecRequest};
use crate::runtime::bundle::Bundle;
use crate::specgen::{self, Placement};
use crate::storage::container_record::ContainerConfig;
use crate::sys::process::{Pid, PidFd};
use crate::sys::{self, Errno, socket};
use crate::types::capability::CapSet;
use crate::types::exec_spec::ExecSpec;
use crate::types::id::{ContainerId, ExecId};
use crate::types::image_config::ImageConfig;
use crate::types::namespace::{NamespaceMode, NetworkMode, UsernsMode};
use crate::types::rootfs_plan::RootfsPlan;

use super::attach::{AttachOptions, AttachOutcome};
use super::attach_session;
use super::run::StartOptions;
use super::signal::init_of;
use super::signal_proxy::SignalProxy;

/// How an `exec` ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExecReport {
    /// `-d`, or the detach keys.
    Detached {
        id: ExecId,
    },
    Exited {
        code: i32,
    },
    /// It ended, and some of what it wrote could not be written.
    OutputLost {
        code: i32,
        errno: Errno,
    },
    /// Nobody reads our output any more; the program goes on.
    OutputClosed,
    /// The supervisor died before it could tell the exit code.
    Lost,
}

impl Engine {
    /// Runs a program in a container.
    pub(crate) fn exec(
        &self,
        container: &ContainerId,
        spec: &ExecSpec,
        options: StartOptions<'_>,
    ) -> Result<ExecReport, Error> {
        let record = self.started(container)?;
        let wrong =
            || Error::WrongStatus { action: Action::ExecIn, id: container.short().to_owned(), status: record.status };
        if !record.status.can_exec() {
            return Err(wrong());
        }
        let init = init_of(&record)?.ok_or_else(wrong)?;
        let id = ExecId::from_bytes(sys::fs::random());
        let mut bundle = self.exec_bundle(&record.config, spec)?;
        if let Some(size) = options.attach.as_ref().and_then(AttachOptions::window) {
            bundle.set_window(size);
        }
        let failed = |source| Error::Attach { id: container.short().to_owned(), source };
        let (ours, theirs) = match &options.attach {
            Some(_) => socket::stream_pair().map(|(ours, theirs)| (Some(ours), Some(theirs))).map_err(failed)?,
            None => (None, None),
        };
        let proxy = options.attach.is_some().then(|| SignalProxy::new(options.proxy_signals));
        let proxy = proxy.transpose().map_err(failed)?;
        let request = ExecRequest {
            id: id.clone(),
            container: container.clone(),
            init,
            bundle,
            interactive: spec.interactive,
            cgroup: record.state.as_ref().and_then(|state| state.cgroup.clone()),
            wish: self.wish()?.clone(),
            client: theirs,
        };
        let interrupts = proxy.as_ref().map(SignalProxy::interrupts).transpose().map_err(failed)?;
        let started = exec_session::run(&self.store, request, interrupts.as_ref())
            .map_err(|source| Error::Exec { id: container.short().to_owned(), source })?;
        let (Some(ours), Some(attached), Some(proxy)) = (ours, options.attach, proxy) else {
            return Ok(ExecReport::Detached { id });
        };
        let program = Pid::from_raw(started.pid).and_then(|pid| PidFd::open(pid).ok());
        let pass_on = |number| program.as_ref().map_or(Ok(()), |program| program.signal(number).map(drop));
        let outcome = attach_session::attach(ours, attached, proxy, &pass_on).map_err(failed)?;
        match outcome {
            AttachOutcome::Exited(report) => Ok(ExecReport::Exited { code: report.code }),
            AttachOutcome::OutputLost(report, errno) => Ok(ExecReport::OutputLost { code: report.code, errno }),
            AttachOutcome::Detached => Ok(ExecReport::Detached { id }),
            AttachOutcome::OutputClosed => Ok(ExecReport::OutputClosed),
            AttachOutcome::Lost => {
                // The supervisor died, and will not tidy up.
                self.store.remove_exec(&id)?;
                Ok(ExecReport::Lost)
            }
        }
    }

    /// The container's spec, with the process section of this program.
    pub(super) fn exec_bundle(&self, config: &ContainerConfig, exec: &ExecSpec) -> Result<Bundle, Error> {
        let facts = self.facts()?;
        let empty = ImageConfig::default();
        let image = config.image.as_ref().map_or(&empty, |image| &image.config);
        let mut spec = config.spec.clone();
        let own_user = specgen::user(&spec, image, facts);
        let of_own_user = exec.user.as_ref().is_none_or(|user| *user == own_user);
        spec.command.clone_from(&exec.command);
        spec.entrypoint = Some(Vec::new());
        spec.tty = exec.tty;
        spec.env.extend(exec.env.iter().cloned());
        spec.oom_score_adj = None;
        spec.init = false;
        // What concerns the container as a whole and not one more program in it.
        spec.mounts = Vec::new();
        spec.security.devices = Vec::new();
        spec.network = Some(NetworkMode::None);
        if let Some(user) = &exec.user {
            spec.user = Some(user.clone());
        }
        if let Some(workdir) = &exec.workdir {
            spec.workdir = Some(workdir.clone());
        }
        let placement = Placement {
            hostname: spec.hostname.clone().unwrap_or_else(|| config.id.short().to_owned()),
            maps: self.maps_of(config)?,
            terminal: config.spec.tty,
            seccomp_profile: Self::seccomp_profile(&spec)?,
            kernel: sys::process::kernel_version(),
            ..Placement::default()
        };
        // All namespaces are those of the container's init, also the ones that it has from another container.
        if matches!(spec.userns, UsernsMode::Container(_) | UsernsMode::Path(_)) {
            spec.userns = UsernsMode::Default;
        }
        for mode in [&mut spec.pid, &mut spec.ipc, &mut spec.uts, &mut spec.cgroupns] {
            *mode = NamespaceMode::Private;
        }
        let mut oci = specgen::generate(&spec, image, facts, &placement).map_err(Error::Spec)?;
        limit_capabilities(&mut oci, of_own_user, exec.privileged.then_some(facts.last_cap));
        Ok(Bundle {
            spec: oci,
            rootfs: RootfsPlan::Path { path: "/".into() },
            reaper: false,
            single_id: facts.outer.is_single(),
            make_workdir: false,
            group_add: spec.group_add,
        })
    }
}

/// As with Podman: what was added for the container's own user (who is not root) is for nobody else, and of all capabilities
/// (`--privileged`: up to this one) only root gets more than the bound.
fn limit_capabilities(spec: &mut Spec, of_own_user: bool, privileged: Option<u8>) {
    let Some(mut sets) = spec.process().as_ref().and_then(|process| process.capabilities().clone()) else { return };
    let none = || Some(CapSet::EMPTY.to_oci());
    // Root has none: they are for whoever keeps nothing else across execve(2).
    let added = sets.ambient().as_ref().is_some_and(|ambient| !ambient.is_empty());
    if added && !of_own_user {
        sets.set_effective(none()).set_permitted(none()).set_inheritable(none()).set_ambient(none());
    }
    if let Some(last) = privileged {
        let all = || Some(CapSet::all(last).to_oci());
        sets.set_bounding(all());
        if !added {
            sets.set_effective(all()).set_permitted(all());
        }
    }
    if let Some(process) = spec.process_mut() {
        process.set_capabilities(Some(sets));
    }
}
