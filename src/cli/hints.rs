//! What the user can do about an error: the line below it.

use std::path::Path;

use crate::engine::cures::{Caller, Need};
use crate::engine::images::Distrust;
use crate::engine::{self, Absent, Action, HostSource, Obstacle, TlsFault};
use crate::types::failure::FailureKind;
use crate::types::status::ContainerStatus;

use super::differences;
use super::error::Error;
use super::lower::FlagError;

/// The cure, if there is one that we know.
pub(super) fn of(error: &Error) -> Option<String> {
    match error {
        // A program of the host's, not of an image.
        Error::Engine(engine::Error::Program { .. }) => {
            Some("sampan unshare COMMAND runs a program of this host: look at its path, its mode and $PATH".to_owned())
        }
        Error::Engine(error) => plain(error).map(str::to_owned).or_else(|| particular(error)),
        Error::Flag(FlagError::NoImage) => Some(
            "flags end at the image: [OPTIONS] IMAGE [COMMAND [ARG...]]; sampan images lists those here".to_owned(),
        ),
        Error::Flag(FlagError::Value { flag: "volume", value, .. }) => relative_source(value),
        Error::Flag(FlagError::Unsupported { flag, .. }) => Some(differences::of_value(&format!("--{flag}"))),
        Error::Defaults(_) => Some(
            "correct it in ~/.config/containers/containers.conf or /etc/containers/containers.conf; a flag counts more than either"
                .to_owned(),
        ),
        Error::NoAnswer => Some("--force asks nothing".to_owned()),
        _ => None,
    }
}

/// What looks like a path of the host, and is read as the name of a volume.
fn relative_source(volume: &str) -> Option<String> {
    let (source, rest) = volume.split_once(':')?;
    if let Some(below) = source.strip_prefix("~/") {
        return Some(format!("here the shell left the ~ as it is: -v \"$HOME/{below}:{rest}\""));
    }
    let is_path = source.contains('/') && !source.starts_with(['/', '.']);
    is_path.then(|| format!("a path of the host begins with / or with ./: -v ./{volume}"))
}

/// `http://…`, where a file is read.
fn is_address(path: &Path) -> bool {
    path.starts_with("http:") || path.starts_with("https:")
}

/// Cures that name nothing of this case.
fn plain(error: &engine::Error) -> Option<&'static str> {
    let hint = match error.absent() {
        Some(Absent::Container) if matches!(error, engine::Error::NoContainers) => {
            "sampan run or sampan create makes one"
        }
        Some(Absent::Container) => "sampan ps --all lists the containers",
        Some(Absent::Image) => "sampan images lists those here; sampan pull, load and import bring others",
        Some(Absent::List) => "sampan images lists manifest lists, too; sampan manifest create makes one",
        Some(Absent::Volume) => "sampan volume ls lists the volumes",
        None if error.wants_login() => {
            "log in with sampan login, or give credentials with --creds USER:PASSWORD or --authfile FILE"
        }
        None if error.is_wrong_password() => {
            "look at the name of the user and at the password; many registries want a token in its place"
        }
        None if error.is_name_in_use() => {
            "remove that container, or choose another name; run and create take its place with --replace"
        }
        None if error.wants_check() => "give one with --health-cmd COMMAND, or take an image that has one",
        None if error.joins_other_userns() => {
            "leave out --userns: then it shares the user namespace, too; or give that container the same --userns"
        }
        None if error.wants_pasta() => "take the other helper: --network pasta",
        None if error.is_unsupervised() => {
            "end it with sampan stop or sampan rm -f; sampan wait --condition=stopped waits until it has ended, and \
             prints -1 where the kernel keeps no exit code for others (before Linux 6.15)"
        }
        None if error.is_damaged_image() => {
            "take the damaged record away with sampan system check --repair, then pull or load it again"
        }
        None if error.is_damaged_record() => {
            "sampan system check names what is damaged, and what it takes to have it again; with --repair the record is \
             taken away, or made anew"
        }
        None if error.wants_unshare() => {
            "sampan unshare starts a shell in which it works; the mounts last as long as that shell"
        }
        None if error.is_closed_store() => {
            "keep the store where you may write: --root DIR, or XDG_DATA_HOME=DIR; with --storage-opt \
             additionalimagestore=STORE the images of one that is read-only can be run, saved and pushed from there"
        }
        None if error.is_shared_store() => {
            "name a directory in it, or another one, with --root or --runroot: one that is not there is made with mode 700; \
             chmod 700 is enough for one of your own if nobody else has put anything in it"
        }
        None => match error.kind() {
            FailureKind::OutputFull => "make room where it goes, or let it go to another file system",
            FailureKind::PortInUse => "publish another port of the host, or remove what holds this one",
            FailureKind::CommandNotFound if matches!(error, engine::Error::Exec { .. }) => {
                "the program must be in the container, and what follows the container is the program: flags go before it"
            }
            FailureKind::CommandNotFound => {
                "the program must be in the image, and what follows the image is the program: flags go before the image"
            }
            FailureKind::WorkDir => {
                "it must be a directory in the image or in what is mounted, which the container's user may enter: leave \
                 --workdir out, or make it first"
            }
            FailureKind::CommandNotInvokable => {
                "it must be a program that the container's user may execute: look at its mode, its first line (#!) and \
                 its architecture"
            }
            FailureKind::Processes => {
                "you have as many processes as you may: end some, or raise the limit (ulimit -u; pids.max of your cgroup)"
            }
            FailureKind::Stopped => {
                "something in the container sends SIGSTOP to everything there: sampan stop or sampan rm -f ends it"
            }
            _ => return None,
        },
    };
    Some(hint)
}

/// How the root file system of this name comes in.
fn import_of(name: &str) -> String {
    if name == "standard input" {
        "sampan import -".to_owned()
    } else if Path::new(name).is_dir() {
        format!("tar -C {name:?} -c . | sampan import -")
    } else {
        format!("sampan import {name:?}")
    }
}

/// Cures that name what is to be changed here.
fn particular(error: &engine::Error) -> Option<String> {
    match error {
        engine::Error::NoDestination(image) => Some(format!("sampan push {image} REGISTRY/NAME[:TAG]")),
        engine::Error::ManyDestinations { image, names } => {
            Some(format!("sampan push {image} {}", names.first().map_or("DESTINATION", String::as_str)))
        }
        engine::Error::Path { what: "read", path, .. } if is_address(path) => {
            Some(format!("load reads files: curl -fsSL {} | sampan load", path.display()))
        }
        engine::Error::Archive { name, .. } if error.is_without_images() => {
            Some(format!("load takes what save wrote; a root file system comes in by {}", import_of(name)))
        }
        engine::Error::PullById(_) => {
            Some("no registry knows ids: sampan images shows the names of those here".to_owned())
        }
        engine::Error::OtherPlatformHere { name, here, .. } => {
            Some(format!("take it with --platform {here}, or pull the other with sampan pull --platform, then {name:?}"))
        }
        engine::Error::NoSource { what, path } => Some(source(*what, path)),
        engine::Error::NoRootInMap => Some("add a line for its root, --uidmap 0:FROM:AMOUNT".to_owned()),
        engine::Error::NoRootDirectory(path) => {
            Some(format!("import an archive of one, sampan import {path:?} NAME, or unpack it, and name the directory"))
        }
        engine::Error::NoDevice(path) => Some(format!("a file or a directory comes in by -v {path:?}:TARGET")),
        engine::Error::TimeZone { .. } => Some(
            "zones are named like Europe/Berlin and come with the host's package tzdata: sudo apt install tzdata"
                .to_owned(),
        ),
        engine::Error::JoinUnshared(_) => Some("make that container with --ipc shareable, or without --ipc".to_owned()),
        engine::Error::MonitorStays { id, pid } => Some(format!("kill -KILL {pid}; then sampan rm --force {id} removes it")),
        engine::Error::HasDependents { id, .. } => Some(format!("sampan rm --force --depend {id} removes all of them")),
        engine::Error::WrongStatus { action: Action::Remove, id, .. } => Some(format!("sampan rm --force {id} stops it first")),
        engine::Error::WrongStatus { id, status: ContainerStatus::Paused, .. } => {
            Some(format!("sampan unpause {id} lets it go on"))
        }
        engine::Error::WrongStatus { action: Action::ExecIn | Action::AttachTo, id, status } if status.can_start() => {
            Some(format!("sampan start {id}"))
        }
        engine::Error::Origin { .. } if error.origin_login().is_some() => error.origin_login().map(|host| {
            format!(
                "log in there with sampan login {host}, or name a file with its credentials by --authfile; --creds counts \
                 for the registry that is pushed to, and is shown to no other"
            )
        }),
        engine::Error::NoBlob { .. } | engine::Error::BlobGone(_) => Some(
            "sampan system check --repair tells which images have lost something; pull or load those again".to_owned(),
        ),
        engine::Error::LastListName(name) => Some(format!("sampan manifest rm {name} removes it")),
        engine::Error::ListInDockerArchive { .. } => {
            Some("oci-archive:FILE takes all of them; --all=false writes the one for this machine".to_owned())
        }
        engine::Error::DigestAsName(_) => {
            Some("a digest is what a registry says: take the name without what follows the @".to_owned())
        }
        engine::Error::NotForPlatform { list, .. } => Some(format!(
            "sampan manifest inspect {list} shows which it has: run and create take one of them by --platform, and \
             sampan manifest push --all moves all"
        )),
        engine::Error::ListExists(_) => Some("--amend adds to it".to_owned()),
        engine::Error::InstanceAbsent { from, .. } => Some(format!("sampan pull {from} brings it")),
        engine::Error::ImportDirectory(path) => Some(import_of(&path.display().to_string())),
        engine::Error::DirectoryAsStream => Some("say where it goes with --output DIR".to_owned()),
        engine::Error::Untrusted { name, why, .. } => Some(trust(name, why)),
        _ if error.read_only_image().is_some() => error.read_only_image().map(|image| {
            format!(
                "sampan save --format oci-archive {image} | sampan load brings it into your own store, where it can be \
                 tagged; that one is its owner's to change"
            )
        }),
        _ => match error.obstacle() {
            Some(obstacle) => Some(around(obstacle)),
            None => Some(Need::behind(error.kind())?.cure(&Caller::this("/usr/sbin:/usr/bin:/sbin:/bin"))),
        },
    }
}

/// Where what a flag names may come from.
fn source(what: HostSource, path: &Path) -> String {
    match what {
        HostSource::Bind => format!("make it first: mkdir -p {path:?}; a name without a slash is that of a volume"),
        HostSource::Device => "ls -l /dev shows those of this host".to_owned(),
        HostSource::Root => format!(
            "it is the directory that becomes /: unpack one first, mkdir {path:?} && tar -xf ROOTFS.TAR -C {path:?}"
        ),
    }
}

/// The way round what stands between us and an image elsewhere.
fn around(obstacle: Obstacle<'_>) -> String {
    match obstacle {
        // Short names mean what is here before what a registry has.
        Obstacle::Unreachable { host: "localhost" } => {
            "localhost/ is what was made or loaded here, and no registry: name the one that is meant, as docker.io/library/NAME"
                .to_owned()
        }
        Obstacle::Unreachable { host } => format!(
            "look at the spelling of the name first; if curl -v https://{host}/v2/ gets no answer either, then at \
             the network; behind a proxy, set HTTPS_PROXY"
        ),
        Obstacle::Proxy => "HTTPS_PROXY or HTTP_PROXY names this proxy: correct it, unset it, or name hosts that are reached \
                            without it in NO_PROXY"
            .to_owned(),
        Obstacle::Missing { repository } => format!("sampan search --list-tags {repository} shows what is there"),
        Obstacle::NoRepository => "look at its spelling: a repository is there from its first push on".to_owned(),
        Obstacle::OtherPlatform => "--platform OS/ARCH[/VARIANT] takes one of these".to_owned(),
        Obstacle::Blocked { prefix } => {
            format!("the rule for {prefix:?} is in ~/.config/containers/registries.conf or /etc/containers, \"blocked = true\"")
        }
        Obstacle::TooMany => "wait some minutes; most registries allow more to whom sampan login has logged in".to_owned(),
        Obstacle::Untrusted { host, fault } => untrusted(host, fault),
        Obstacle::WrongContent => {
            "nothing of it was kept; what it came from is damaged or not what it claims to be: try it once more, then ask \
             its owner, or take the image from elsewhere"
                .to_owned()
        }
    }
}

/// What makes a registry trusted.
fn untrusted(host: &str, fault: TlsFault) -> String {
    let place = format!("~/.config/containers/certs.d/{host}");
    let cure = match fault {
        TlsFault::Absent => "if it is meant to speak plain http".to_owned(),
        TlsFault::Authority => {
            format!("put the certificate of its authority to {place}/ca.crt; if it is trusted all the same")
        }
        TlsFault::Clock => {
            "look at the clock of this machine first (date); if that is right, its owner has to renew its \
                            certificate; if it is trusted all the same"
                .to_owned()
        }
        TlsFault::Name => "use a name that its certificate is for; if it is trusted all the same".to_owned(),
        TlsFault::Client => {
            return format!(
                "it wants to know who we are: put a certificate that it takes, and its key, to {place}/client.cert and \
                 {place}/client.key, or name a directory that has them by --cert-dir"
            );
        }
        TlsFault::Other => "if it is trusted all the same".to_owned(),
    };
    format!("{cure}: --tls-verify=false, or \"insecure = true\" for it in ~/.config/containers/registries.conf")
}

/// What makes an image trusted.
fn trust(name: &str, why: &Distrust) -> String {
    match why {
        Distrust::Refused(_) | Distrust::NoPlace(_) => {
            "containers-policy.json(5) tells how a rule for this image is written; --signature-policy FILE takes another \
             policy"
                .to_owned()
        }
        Distrust::NotLookedFor { registry } => format!(
            "write \"docker: {{{registry:?}: {{use-sigstore-attachments: true}}}}\" to a file \
             ~/.config/containers/registries.d/NAME.yaml, or to one in /etc/containers/registries.d if the first \
             directory is not there (containers-registries.d(5))"
        ),
        Distrust::Key { .. } => {
            "sampan verifies with a public key in PEM, as cosign generate-key-pair writes it to cosign.pub".to_owned()
        }
        Distrust::Signature { why, .. } if why.is_name_only() => {
            "cosign signs the repository without a tag: \"signedIdentity\": {\"type\": \"matchRepository\"} takes that, \
             and with it any tag of the repository"
                .to_owned()
        }
        Distrust::Signature { place, .. } => format!(
            "the signatures of {name} are looked for at {place}; its owner makes one with cosign sign --key, and a copy \
             of an image has none unless it is copied, too"
        ),
    }
}
