//! Repairs, in rounds: what one repair brings to light the next round repairs.

use super::look::Depth;
use crate::engine::{Engine, Error};
use crate::runtime::cgroup;
use crate::storage::check::{self, Finding, Repair};
use crate::storage::process_identity::ProcessIdentity;
use crate::sys;
use crate::sys::process::{Pid, PidFd};
use crate::types::failure::chain;

/// A damaged layer whose image is incomplete afterwards takes two.
const ROUNDS: usize = 4;

impl Engine {
    /// Repairs what can be repaired. Adds what came to light on the way, and marks as repaired what the last look does
    /// not find any more.
    pub(super) fn repair(&self, findings: &mut Vec<Finding>, full: bool) -> Result<(), Error> {
        let mut round: Vec<Finding> = findings.clone();
        for _ in 0..ROUNDS {
            let images = if check::locks_out(&round) { Vec::new() } else { self.store.images()?.0 };
            // Bottom first: a layer takes the modes of its implicit directories from those below.
            let depth = |repair: &Repair| match repair {
                Repair::RebuildLayer(key) => {
                    images.iter().find_map(|image| image.chains().iter().position(|chain| *chain == key.chain))
                }
                _ => None,
            };
            round.sort_by_key(|finding| finding.repair.as_ref().map_or((u8::MAX, None), |r| (order(r), depth(r))));
            for (finding, error) in self.repair_round(&round)? {
                let failure = Some(chain(&error));
                let same = findings.iter_mut().filter(|other| other.is_about(finding));
                same.for_each(|other| other.failure.clone_from(&failure));
            }
            self.empty_trash()?;
            let now = self.look(&Depth::again(findings, full))?;
            for finding in findings.iter_mut() {
                // What was missing may now be missing from the next place, too, where nothing can be done about it.
                let stays = |other: &Finding| {
                    let same = other.invariant == finding.invariant && other.subject == finding.subject;
                    let lost = same && other.repair.is_none() && other.part.is_some();
                    other.is_about(finding) || (lost && other.part == finding.part)
                };
                finding.repaired = !now.iter().any(stays);
            }
            // What can be repaired only now, because something else was, is worth another round.
            let known = |new: &Finding| {
                let same = |old: &Finding| new.is_about(old) && (new.repair.is_none() || new.repair == old.repair);
                findings.iter().any(same)
            };
            round = now.into_iter().filter(|new| !known(new)).collect();
            findings.extend(round.iter().cloned());
            if round.iter().all(|finding| finding.repair.is_none()) {
                break;
            }
        }
        Ok(())
    }

    /// Does the repairs of a round, which is in order; each once, whoever asks for it. What failed, and why.
    fn repair_round<'a>(&self, round: &'a [Finding]) -> Result<Vec<(&'a Finding, Error)>, Error> {
        let mut once: Vec<&Finding> = Vec::new();
        for finding in round {
            if finding.repair.is_some() && !once.iter().any(|other| other.repair == finding.repair) {
                once.push(finding);
            }
        }
        let (removals, others): (Vec<_>, Vec<_>) = once.into_iter().partition(|finding| check::takes_away(finding));
        let last = |finding: &&Finding| matches!(finding.repair, Some(Repair::Sweep | Repair::EmptyTrash));
        let (last, first): (Vec<_>, Vec<_>) = others.into_iter().partition(last);
        let mut failed = Vec::new();
        let mut each = |findings: Vec<&'a Finding>| {
            failed.extend(findings.into_iter().filter_map(|finding| Some((finding, self.repair_one(finding).err()?))));
        };
        each(first);
        let taken = check::take_away(&self.store, &removals)?;
        each(last);
        failed
            .extend(removals.into_iter().zip(taken).filter_map(|(finding, done)| Some((finding, done.err()?.into()))));
        Ok(failed)
    }

    fn repair_one(&self, finding: &Finding) -> Result<(), Error> {
        match &finding.repair {
            Some(Repair::RebuildImage(digest)) => self.rebuild_image(digest),
            Some(Repair::UnpackImage(digest)) => self.unpack_image(digest),
            Some(Repair::UnpackFor(id)) => self.unpack_for(id),
            Some(Repair::RebuildLayer(key)) => self.rebuild_layer(key),
            Some(Repair::Kill(process)) => kill(*process),
            Some(Repair::Cgroup(record)) => cgroup::remove(record).map_err(Error::Cgroup),
            _ => check::repair(&self.store, finding).map(drop).map_err(Error::Storage),
        }
    }
}

/// What others build on comes first; what nothing refers to any more is known last.
fn order(repair: &Repair) -> u8 {
    match repair {
        Repair::Directory(..) | Repair::Mode(..) | Repair::Unlock(_) => 0,
        Repair::Kill(_) | Repair::Cgroup(_) => 1,
        Repair::DropBlob(_) => 2,
        Repair::RebuildImage(_) => 3,
        Repair::UnpackImage(_) => 4,
        Repair::RebuildLayer(_) => 5,
        Repair::Definition(_) | Repair::UnpackFor(_) | Repair::Upper(_) | Repair::Name(_) | Repair::Volume(_) => 6,
        Repair::RecordLoss(_) | Repair::DiscardContainer(_) | Repair::SetAside(_) | Repair::DiscardImage(_) => 7,
        Repair::Discard(_) | Repair::Unlink(_) | Repair::Tree(_) => 8,
        Repair::Sweep => 9,
        Repair::EmptyTrash => 10,
    }
}

fn kill(process: ProcessIdentity) -> Result<(), Error> {
    let failed = |source| Error::Host { what: "end a process that was left", source };
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    if let Some(fd) = PidFd::open_checked(pid, process.start_time).map_err(failed)? {
        fd.signal(sys::signal::SIGKILL).map_err(failed)?;
        fd.wait_gone(Some(std::time::Duration::from_secs(5))).map_err(failed)?;
    }
    Ok(())
}
