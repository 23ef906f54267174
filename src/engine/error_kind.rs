//! What an [`Error`] means to who decides by it: exit codes, hints, retries.

use super::action::Action;
use super::error::{Absent, Error, full};
use crate::types::failure::FailureKind;
use crate::{monitor, network, registry, storage, sys};

impl Error {
    /// True if what was named is not there: exit code 1 of `rm`, `rmi`, `exists` and the like.
    pub(crate) fn is_absent(&self) -> bool {
        self.absent().is_some()
    }

    /// What kind of object the one is that is not there.
    pub(crate) fn absent(&self) -> Option<Absent> {
        match self {
            Self::Storage(storage::Error::NoContainer(_)) | Self::NoContainers => Some(Absent::Container),
            Self::Storage(storage::Error::NoVolume(_)) => Some(Absent::Volume),
            Self::Storage(storage::Error::NoImage(_)) | Self::ImageNotFound(_) => Some(Absent::Image),
            Self::NoList(_) => Some(Absent::List),
            _ => None,
        }
    }

    /// True if what was named is there and in use: exit code 2 of `rm`, `rmi` and the like.
    pub(crate) fn is_in_use(&self) -> bool {
        let in_use = |error: &storage::Error| {
            matches!(error, storage::Error::ImageInUse { .. } | storage::Error::VolumeInUse { .. })
        };
        match self {
            Self::Storage(error) => in_use(error),
            Self::WrongStatus { action: Action::Remove, .. } => true,
            _ => false,
        }
    }

    /// True if the text cannot even be the name of an image.
    pub(crate) fn is_bad_name(&self) -> bool {
        matches!(self, Self::Reference(_) | Self::Storage(storage::Error::ImageName(_)))
    }

    /// True if a tar is an archive, but not one of images.
    pub(crate) fn is_without_images(&self) -> bool {
        matches!(self, Self::Archive { source, .. } if matches!(**source, registry::Error::NoImagesInside(_)))
    }

    /// True if the name of a new container is taken.
    pub(crate) fn is_name_in_use(&self) -> bool {
        matches!(self, Self::Storage(storage::Error::NameInUse { .. }))
    }

    /// True if namespaces were asked for that cannot go together.
    pub(crate) fn joins_other_userns(&self) -> bool {
        matches!(self, Self::JoinOtherUserns { .. })
    }

    /// True if a port cannot be published by the helper at hand, and can by pasta.
    pub(crate) fn wants_pasta(&self) -> bool {
        matches!(self, Self::Network(network::Error::OtherFamily { .. }))
    }

    /// True if the container runs on without its monitor.
    pub(crate) fn is_unsupervised(&self) -> bool {
        matches!(self, Self::Unsupervised { .. })
    }

    /// True if there is no health check, and should be.
    pub(crate) fn wants_check(&self) -> bool {
        matches!(self, Self::NoHealthCheck(_) | Self::NothingToCheck)
    }

    /// The image that is to be changed, if it is one of an additional store.
    pub(crate) fn read_only_image(&self) -> Option<&str> {
        match self {
            Self::Storage(storage::Error::ReadOnlyImage { image, .. }) => Some(image),
            _ => None,
        }
    }

    /// True if a record of an image cannot be read.
    pub(crate) fn is_damaged_image(&self) -> bool {
        matches!(self, Self::Storage(error @ storage::Error::BrokenImage { .. }) if error.is_lost())
    }

    /// True if a record of something else cannot be read: a name, a list, a volume.
    pub(crate) fn is_damaged_record(&self) -> bool {
        matches!(self, Self::Storage(storage::Error::Parse { .. } | storage::Error::WrongRecord { .. }))
    }

    /// True if it works in the shell of `unshare` only.
    pub(crate) fn wants_unshare(&self) -> bool {
        matches!(self, Self::NeedsUnshare { .. })
    }

    /// True if the store is where the caller may not write.
    pub(crate) fn is_closed_store(&self) -> bool {
        let (Self::Storage(error) | Self::Start { source: monitor::Error::Storage(error), .. }) = self else {
            return false;
        };
        match error {
            storage::Error::OpenStore { source, .. } | storage::Error::Lock { source, .. } => {
                source.is(sys::Errno::EACCES) || source.is(sys::Errno::EROFS) || source.is(sys::Errno::EPERM)
            }
            storage::Error::Write { source, .. } | storage::Error::Remove { source, .. } => {
                source.is(sys::Errno::EROFS)
            }
            _ => false,
        }
    }

    /// True if others may put something into the store.
    pub(crate) fn is_shared_store(&self) -> bool {
        use storage::Error::{ForeignRoot, SharedRoot};
        matches!(self, Self::Storage(ForeignRoot { .. } | SharedRoot { .. }))
    }

    /// True if a registry wants to know who we are.
    pub(crate) fn wants_login(&self) -> bool {
        !matches!(self, Self::LogIn { .. } | Self::Origin { .. })
            && self.registry().is_some_and(registry::Error::wants_login)
    }

    /// The registry that an image came from, if that wants to know who we are before it gives a blob again.
    pub(crate) fn origin_login(&self) -> Option<&str> {
        match self {
            Self::Origin { name, source, .. } if source.wants_login() => name.split('/').next(),
            _ => None,
        }
    }

    /// True if another image of the same repository may be had all the same.
    pub(crate) fn is_of_one_image(&self) -> bool {
        use registry::Obstacle::{Missing, OtherPlatform, WrongContent};
        matches!(self.obstacle(), Some(Missing { .. } | OtherPlatform | WrongContent))
            || matches!(self.registry(), Some(registry::Error::Invalid { .. }))
    }

    /// What stands between us and an image elsewhere, if it is something that the user can change.
    pub(crate) fn obstacle(&self) -> Option<registry::Obstacle<'_>> {
        match self {
            Self::Archive { source, .. } => source.obstacle(),
            _ if self.kind() == FailureKind::WrongContent => Some(registry::Obstacle::WrongContent),
            _ => self.registry()?.obstacle(),
        }
    }

    /// What went wrong with a registry.
    fn registry(&self) -> Option<&registry::Error> {
        match self {
            Self::Pull { source, .. }
            | Self::Origin { source, .. }
            | Self::Push { source, .. }
            | Self::Search { source, .. }
            | Self::LogIn { source, .. } => Some(source),
            _ => None,
        }
    }

    /// True if it is about what the user wanted written, which the store has nothing to do with.
    fn is_of_output(&self) -> bool {
        let written = |error: &registry::Error| matches!(error, registry::Error::WriteArchive { .. });
        match self {
            Self::Output { .. } => true,
            Self::SaveTo { source, .. } => written(source),
            _ => self.registry().is_some_and(written),
        }
    }

    /// True if the registry has turned these credentials down, and did not just fail.
    pub(crate) fn is_wrong_password(&self) -> bool {
        matches!(self, Self::LogIn { source, .. } if source.wants_login())
    }

    /// What hints and exit codes are chosen by.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Rootless(error) => error.kind(),
            Self::Start { source, .. } => source.kind(),
            Self::Exec { source, .. } => source.kind(),
            Self::Network(error) => error.kind(),
            Self::Program { kind, .. } => *kind,
            Self::Failure(failure) | Self::Layer { source: failure, .. } => failure.kind,
            Self::NoCgroup { .. } => FailureKind::Cgroup,
            // Which is transparent: the chain of errors leaves it out.
            Self::Storage(error) => full(error).unwrap_or(FailureKind::Other),
            _ => match full(self) {
                Some(_) if self.is_of_output() => FailureKind::OutputFull,
                full => full.unwrap_or(FailureKind::Other),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{self, Errno};
    use crate::types::failure::Failure;

    /// Hints go by it, however deep the refused call lies.
    #[test]
    fn what_is_full_is_told_apart() {
        let refused = |errno| sys::Error::new("write", "3", errno);
        let write = |errno| storage::Error::Write { path: "x".into(), source: refused(errno) };
        let runroot = storage::Error::RunrootFull { runroot: "run".into(), source: Box::new(write(Errno::ENOSPC)) };
        let died = Failure::new(FailureKind::NoSpace, "write");
        let foreseen = storage::unpack::Error::NoSpace { path: "huge".into(), size: 2, free: 1 };
        let as_io = std::io::Error::other(write(Errno::EDQUOT));
        for (error, kind) in [
            (Error::Storage(write(Errno::ENOSPC)), FailureKind::NoSpace),
            (Error::Storage(write(Errno::EDQUOT)), FailureKind::NoSpace),
            (Error::Storage(write(Errno::EIO)), FailureKind::Other),
            (Error::Storage(runroot), FailureKind::NoRunSpace),
            (Error::Output { path: "x".into(), source: refused(Errno::ENOSPC) }, FailureKind::OutputFull),
            (Error::Host { what: "copy", source: refused(Errno::ENOSPC) }, FailureKind::NoSpace),
            (Error::Failure(super::super::error::failure(&as_io)), FailureKind::NoSpace),
            (Error::Failure(super::super::error::failure(&foreseen)), FailureKind::NoSpace),
            (Error::Failure(died.clone()), FailureKind::NoSpace),
            (Error::Failure(died.of_output()), FailureKind::OutputFull),
        ] {
            assert_eq!(error.kind(), kind, "{error:?}");
        }
    }
}
