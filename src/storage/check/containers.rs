//! I1, I7, I8, I10, I14 for containers.

use std::path::Path;

use super::finding::{Finding, Findings, Invariant, Part, Repair};
use super::images::pull_again;
use crate::storage::container_list::BrokenContainer;
use crate::storage::container_record::{ContainerConfig, ContainerRecord, StorageDriver, Supervision};
use crate::storage::error::Error;
use crate::storage::gc;
use crate::storage::layers::{LayerKey, MapKey};
use crate::storage::store::Store;
use crate::sys;
use crate::types::failure::chain;
use crate::types::mount::MountSource;
use crate::types::status::ContainerStatus;

pub(super) fn check(store: &Store, findings: &mut Findings) -> Result<(), Error> {
    let (whole, broken) = store.containers()?;
    for broken in &broken {
        damaged(store, broken, findings);
    }
    for record in whole {
        let subject = format!("container {}", record.id().short());
        running(&record, &subject, findings);
        if gc::is_orphan(store, &record.config)? {
            findings.add(
                Invariant::I8,
                &subject,
                "made by a run --rm that was killed before the start",
                Some(Repair::Sweep),
            );
        }
        parts(store, &record.config, &subject, findings)?;
        if record.config.driver != StorageDriver::Copy && record.config.spec.rootfs.is_none() {
            directories(store, &record, &subject, findings);
        }
        name(store, &record.config, &subject, findings);
    }
    Ok(())
}

/// I1: a record that cannot be read. Only the definition cannot be done without.
fn damaged(store: &Store, broken: &BrokenContainer, findings: &mut Findings) {
    let layout = store.layout();
    let subject = format!("container {}", broken.id.short());
    let Error::BrokenContainer { source, .. } = &broken.error else {
        // It may run: nothing of it is touched.
        return findings.add(Invariant::I10, subject, chain(&broken.error), None);
    };
    let repair = match &**source {
        // A newer sampan made it: not ours to throw away.
        Error::NewerRecord { .. } => None,
        Error::Parse { path, .. } if *path != layout.container_config(&broken.id) => Some(Repair::Unlink(path.clone())),
        // The definition is whole. Files that lock us out, or are none, are findings of their own.
        Error::Read { path, .. } if *path != layout.container_config(&broken.id) => None,
        _ if store.was_never_defined(&broken.id) => Some(Repair::DiscardContainer(broken.id.clone())),
        _ if store.definition_in_names(&broken.id).is_some() => Some(Repair::Definition(broken.id.clone())),
        _ => Some(Repair::SetAside(broken.id.clone())),
    };
    let advice = matches!(repair, Some(Repair::SetAside(_))).then(|| {
        let aside = layout.aside(&broken.id);
        format!("--repair keeps its files in {}, `container prune` deletes them", aside.display())
    });
    findings.push(Finding::new(Invariant::I1, subject, chain(source), repair).advised(advice));
}

/// I10: what the records say of the run.
fn running(record: &ContainerRecord, subject: &str, findings: &mut Findings) {
    match record.supervision {
        Supervision::Lost => {
            let repair = Some(Repair::RecordLoss(record.id().clone()));
            findings.add(Invariant::I10, subject, "its monitor died and nobody saw its end", repair);
        }
        Supervision::Unsupervised => {
            let finding = Finding::new(Invariant::I10, subject, "it runs on without its monitor", None);
            findings.push(finding.advised("stop it and start it again".to_owned()));
        }
        Supervision::Monitored | Supervision::None => {}
    }
    if record.status == ContainerStatus::Removing {
        let repair = Some(Repair::DiscardContainer(record.id().clone()));
        findings.add(Invariant::I10, subject, "its removal was cut off", repair);
    }
}

/// I7: what a container is made of.
fn parts(store: &Store, config: &ContainerConfig, subject: &str, findings: &mut Findings) -> Result<(), Error> {
    let layout = store.layout();
    let map = MapKey::from_text(&config.map);
    let missing = config.layers.iter().map(|chain| LayerKey::new(chain, &map)).find(|key| !store.has_layer(key));
    if let Some(key) = missing {
        let record = config.image.as_ref().and_then(|image| store.any_image_record(&image.digest).ok().flatten());
        let kept = record.is_some_and(|record| {
            record.layers.iter().all(|layer| {
                store.has_layer(&LayerKey::new(&layer.chain, &map))
                    || layer.blob.as_ref().is_some_and(|blob| sys::fs::exists(&store.find_blob(blob)))
            })
        });
        let name = config.image.as_ref().map(|image| image.name.clone()).unwrap_or_default();
        let problem = format!("layer {} is missing", key.dir_name());
        let finding = Finding::new(Invariant::I7, subject, problem, kept.then(|| Repair::UnpackFor(config.id.clone())));
        findings.push(finding.advised((!kept).then(|| pull_again(&[name]))).of(Part::Layer(key)));
    }
    for mount in &config.spec.mounts {
        if let MountSource::Volume { name, .. } = &mount.source
            && !sys::fs::exists(&layout.volume(name))
        {
            let repair = Some(Repair::Volume(name.clone()));
            findings.add(Invariant::I7, subject, format!("volume {name} is missing, and its data with it"), repair);
        }
    }
    Ok(())
}

/// I14: the directories of the overlay.
fn directories(store: &Store, record: &ContainerRecord, subject: &str, findings: &mut Findings) {
    let layout = store.layout();
    let is_dir = |path: &Path| sys::fs::lstat(path).is_ok_and(|found| found.is_some_and(|found| found.is_dir()));
    let repair = || Some(Repair::Upper(record.id().clone()));
    let upper = layout.container_upper(record.id());
    if !is_dir(&upper) {
        findings.add(Invariant::I14, subject, "upper is missing: what the container has written is lost", repair());
    }
    let work = layout.container_work(record.id());
    if !is_dir(&work) {
        findings.add(Invariant::I14, subject, "work is missing", repair());
    } else if !record.status.is_alive()
        && record.supervision == Supervision::None
        && sys::fs::exists(&work.join("work/incompat/volatile"))
        && record.config.is_durable()
    {
        findings.add(
            Invariant::I14,
            subject,
            "work was left by a mount without syncs: upper may not be whole",
            repair(),
        );
    }
}

/// I8: the name leads to the container.
fn name(store: &Store, config: &ContainerConfig, subject: &str, findings: &mut Findings) {
    match store.name_holder(&config.name) {
        Ok(Some(holder)) if holder == config.id => {}
        Ok(Some(holder)) if store.owns_name(&holder, &config.name).unwrap_or(true) => {
            let problem = format!("its name {} is that of {} too", config.name, holder.short());
            findings.push(Finding::new(Invariant::I8, subject, problem, None).advised("rename it".to_owned()));
        }
        _ => {
            let repair = Some(Repair::Name(config.id.clone()));
            findings.add(Invariant::I8, subject, format!("the name {} does not lead to it", config.name), repair);
        }
    }
}
