//! Published ports belong to one container of this user at a time (case G17).
//!
//! ```text
//! runroot/<epoch>/ports/lock                        held for the moment of a claim
//! runroot/<epoch>/ports/tcp-any-8080-8089           locked by the monitor of the container that holds the range;
//!                                                   its text is "ID NAME", for messages
//! ```
//!
//! A claim file whose lock nobody holds is a dead container's and counts for nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::sys::lock::{FileLock, TryLock};
use crate::sys::{self, Errno, netdev};
use crate::types::id::ContainerId;
use crate::types::port::{PortMapping, Protocol};

use super::error::Error;

/// Rounds of looking for free ports.
const ATTEMPTS: usize = 64;

/// Who claims, for the messages of others.
#[derive(Debug, Clone)]
pub(crate) struct PortHolder<'a> {
    pub(crate) id: &'a ContainerId,
    pub(crate) name: &'a str,
}

/// Ports that are ours until this is dropped. Claim after the last fork: a child would share the locks.
#[derive(Debug)]
pub(crate) struct ClaimedPorts {
    /// Every host port is known now.
    pub(crate) ports: Vec<PortMapping>,
    locks: Vec<FileLock>,
}

/// A range as the name of its claim file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claim {
    protocol: Protocol,
    /// None = every address.
    address: Option<IpAddr>,
    first: u16,
    last: u16,
}

/// Claims ports in `directory`, and chooses those that their container's record leaves open. Each is also tried on the
/// host, so that a foreign server's port is found here and not by the helper.
pub(crate) fn claim(directory: &Path, wanted: &[PortMapping], holder: &PortHolder<'_>) -> Result<ClaimedPorts, Error> {
    let mut claimed = ClaimedPorts { ports: Vec::with_capacity(wanted.len()), locks: Vec::new() };
    let Some(one) = wanted.first() else { return Ok(claimed) };
    let guard = lock(directory).map_err(|source| claim_failed(one, source))?;
    if let Err(error) = claimed.take_all(directory, wanted, holder) {
        claimed.release();
        return Err(error);
    }
    drop(guard);
    // In the order of the wish.
    let order = |port: &PortMapping| {
        wanted.iter().position(|wish| {
            wish.container_port == port.container_port
                && wish.protocol == port.protocol
                && wish.host_ip == port.host_ip
                && (wish.host_port == port.host_port || wish.host_port == 0)
        })
    };
    claimed.ports.sort_by_key(order);
    Ok(claimed)
}

/// Ports as a container's record shall have them: those that are 0 are chosen, and none that another record (`known`)
/// has. While the lock lives nobody else chooses: record them before it goes. None if there is nothing to choose.
pub(crate) fn choose(
    directory: &Path,
    wanted: &mut [PortMapping],
    known: impl FnOnce() -> Vec<PortMapping>,
) -> Result<Option<FileLock>, Error> {
    let Some(one) = wanted.iter().find(|port| port.host_port == 0) else { return Ok(None) };
    let guard = lock(directory).map_err(|source| claim_failed(one, source))?;
    let mut taken = known();
    taken.extend(wanted.iter().cloned());
    for port in wanted.iter_mut().filter(|port| port.host_port == 0) {
        port.host_port = free_range(port, &taken)?;
        taken.push(port.clone());
    }
    Ok(Some(guard))
}

/// First of as many free ports of the host as are wanted.
fn free_range(port: &PortMapping, taken: &[PortMapping]) -> Result<u16, Error> {
    for _ in 0..ATTEMPTS {
        let host_port = free_port(port)?;
        if host_port.checked_add(port.range - 1).is_none() {
            continue;
        }
        let here = PortMapping { host_port, ..port.clone() };
        let wish = Claim::of(&here);
        if taken.iter().any(|other| other.host_port != 0 && wish.overlap(&Claim::of(other)).is_some()) {
            continue;
        }
        match try_host(&here) {
            Ok(()) => return Ok(host_port),
            Err(Error::PortInUse { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::NoFreePort { count: port.range })
}

impl ClaimedPorts {
    /// Fixed ports first, so that a chosen one does not take a later one's place.
    fn take_all(&mut self, directory: &Path, wanted: &[PortMapping], holder: &PortHolder<'_>) -> Result<(), Error> {
        for port in wanted.iter().filter(|port| port.host_port != 0) {
            self.take(directory, port, holder)?;
        }
        wanted.iter().filter(|port| port.host_port == 0).try_for_each(|port| self.choose(directory, port, holder))
    }

    fn take(&mut self, directory: &Path, port: &PortMapping, holder: &PortHolder<'_>) -> Result<(), Error> {
        let wish = Claim::of(port);
        for other in claims(directory).map_err(|source| claim_failed(port, source))? {
            if let Some(number) = wish.overlap(&other)
                && FileLock::is_held(&directory.join(other.file_name())).map_err(|source| claim_failed(port, source))?
            {
                return Err(port_held(&directory.join(other.file_name()), number, port.protocol));
            }
        }
        try_host(port)?;
        self.hold(directory, port, holder)
    }

    fn choose(&mut self, directory: &Path, port: &PortMapping, holder: &PortHolder<'_>) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let first = free_port(port)?;
            if first.checked_add(port.range - 1).is_none() {
                continue;
            }
            match self.take(directory, &PortMapping { host_port: first, ..port.clone() }, holder) {
                Err(Error::PortHeld { .. } | Error::PortInUse { .. }) => {}
                other => return other,
            }
        }
        Err(Error::NoFreePort { count: port.range })
    }

    fn hold(&mut self, directory: &Path, port: &PortMapping, holder: &PortHolder<'_>) -> Result<(), Error> {
        let path = directory.join(Claim::of(port).file_name());
        loop {
            // The name may be that of a dead container's claim; ours then.
            match FileLock::try_exclusive(&path).map_err(|source| claim_failed(port, source))? {
                TryLock::Held(mut lock) => {
                    lock.note_holder(&format!("{} {}", holder.id, holder.name)).map_err(|s| claim_failed(port, s))?;
                    self.locks.push(lock);
                    self.ports.push(port.clone());
                    return Ok(());
                }
                // Somebody who looks (`system check`) holds it shared for an instant: who has the port has it exclusively.
                TryLock::Busy if FileLock::is_held(&path).map_err(|source| claim_failed(port, source))? => {
                    return Err(port_held(&path, port.host_port, port.protocol));
                }
                TryLock::Busy => {}
            }
        }
    }

    /// Gives the ports back and removes the files. A plain drop (or death) gives them back as well.
    pub(crate) fn release(self) {
        for lock in self.locks {
            if let Err(error) = sys::fs::remove_file(lock.path()) {
                tracing::debug!(%error, "claim file stays");
            }
        }
    }
}

impl Claim {
    fn of(port: &PortMapping) -> Self {
        Self {
            protocol: port.protocol,
            address: port.host_ip.filter(|ip| !ip.is_unspecified()),
            first: port.host_port,
            last: port.host_port.saturating_add(port.range - 1),
        }
    }

    fn file_name(&self) -> String {
        let address = self.address.map_or_else(|| "any".to_owned(), |ip| ip.to_string());
        format!("{}-{address}-{}-{}", self.protocol, self.first, self.last)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let protocol = match parts.next()? {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return None,
        };
        let address = match parts.next()? {
            "any" => None,
            text => Some(text.parse().ok()?),
        };
        let (first, last) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { protocol, address, first, last })
    }

    /// First port that both want.
    fn overlap(&self, other: &Self) -> Option<u16> {
        let same_address = match (self.address, other.address) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        let first = self.first.max(other.first);
        (self.protocol == other.protocol && same_address && first <= self.last.min(other.last)).then_some(first)
    }
}

/// The lock of all claims; the directory is made if absent.
fn lock(directory: &Path) -> sys::Result<FileLock> {
    sys::fs::mkdir_all(directory, 0o700)?;
    FileLock::exclusive(&directory.join("lock"))
}

fn claims(directory: &Path) -> sys::Result<Vec<Claim>> {
    let names = sys::fs::names(directory)?;
    Ok(names.iter().filter_map(|name| Claim::parse(name.to_str()?)).collect())
}

/// A port is that of whose claim is at `path`.
fn port_held(path: &Path, number: u16, protocol: Protocol) -> Error {
    let text = FileLock::holder(path).unwrap_or_default();
    let holder = text.split_once(' ').map_or(text.as_str(), |(_, name)| name).to_owned();
    Error::PortHeld { number, protocol, holder }
}

fn claim_failed(port: &PortMapping, source: sys::Error) -> Error {
    Error::Claim { number: port.host_port, protocol: port.protocol, source }
}

fn listen_address(port: &PortMapping) -> IpAddr {
    port.host_ip.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn listen(address: IpAddr, number: u16, protocol: Protocol) -> sys::Result<u16> {
    let at = SocketAddr::new(address, number);
    match protocol {
        Protocol::Tcp => netdev::try_listen_tcp(at),
        Protocol::Udp => netdev::try_listen_udp(at),
    }
}

/// Tries every port of the range on the host.
fn try_host(port: &PortMapping) -> Result<(), Error> {
    for offset in 0..port.range {
        let number = port.host_port.saturating_add(offset);
        let protocol = port.protocol;
        match listen(listen_address(port), number, protocol) {
            Ok(_) => {}
            Err(error) if error.is(Errno::EACCES) || error.is(Errno::EPERM) => {
                return Err(Error::PortPrivileged { number, protocol, first: first_unprivileged_port() });
            }
            Err(source) if source.is(Errno::EADDRNOTAVAIL) => {
                return Err(Error::PortAddress { address: listen_address(port), source });
            }
            Err(source) if source.is(Errno::EADDRINUSE) => return Err(Error::PortInUse { number, protocol, source }),
            Err(source) => return Err(Error::Claim { number, protocol, source }),
        }
    }
    // A server on [::] alone would be in the way of pasta, which listens on both.
    if port.host_ip.is_none() {
        for offset in 0..port.range {
            let number = port.host_port.saturating_add(offset);
            if let Err(source) = listen(IpAddr::V6(Ipv6Addr::UNSPECIFIED), number, port.protocol)
                && source.is(Errno::EADDRINUSE)
            {
                return Err(Error::PortInUse { number, protocol: port.protocol, source });
            }
        }
    }
    Ok(())
}

fn free_port(port: &PortMapping) -> Result<u16, Error> {
    listen(listen_address(port), 0, port.protocol).map_err(|source| match source.errno {
        Errno::EADDRNOTAVAIL => Error::PortAddress { address: listen_address(port), source },
        Errno::EADDRINUSE => Error::NoFreePort { count: port.range },
        _ => claim_failed(port, source),
    })
}

/// First port that needs no privilege (`ip_unprivileged_port_start`, `ip(7)`).
pub(crate) fn first_unprivileged_port() -> u16 {
    sys::fs::read_to_string(Path::new("/proc/sys/net/ipv4/ip_unprivileged_port_start"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1024)
}

/// Entry point of `fuzz/`: the name of a claim's file says what it says.
#[cfg(feature = "fuzzing")]
pub(super) fn fuzzing(name: &str) {
    if let Some(claim) = Claim::parse(name) {
        let again = Claim::parse(&claim.file_name()).expect("a name of ours");
        assert_eq!(claim.file_name(), again.file_name());
        assert!(claim.first > claim.last || claim.overlap(&again).is_some(), "{name}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{Claim, ClaimedPorts, PortHolder, claim};
    use crate::network::Error;
    use crate::sys::lock::FileLock;
    use crate::types::port::PortMapping;

    fn port(text: &str) -> PortMapping {
        text.parse().expect("valid")
    }

    #[test]
    fn names_of_claims() {
        for text in ["8080:80", "127.0.0.1:1000-1009:1-10/udp", "[::1]:8080:80"] {
            let made = Claim::of(&port(text));
            assert_eq!(Claim::parse(&made.file_name()), Some(made));
        }
        assert_eq!(Claim::parse("lock"), None);
        let any = Claim::of(&port("8000-8010:1-11"));
        assert_eq!(any.overlap(&Claim::of(&port("127.0.0.1:8005:80"))), Some(8005));
        assert_eq!(any.overlap(&Claim::of(&port("8005:80/udp"))), None);
        assert_eq!(Claim::of(&port("127.0.0.1:1:1")).overlap(&Claim::of(&port("127.0.0.2:1:1"))), None);
    }

    #[test]
    fn chosen_ports_are_those_of_no_other_record() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let mut wanted = [port("127.0.0.1::80"), port("127.0.0.1:1:9"), port("127.0.0.1::1000-1009/udp")];
        let guard = super::choose(directory.path(), &mut wanted, Vec::new).expect("free");
        assert!(guard.is_some() && wanted.iter().all(|port| port.host_port != 0) && wanted[1].host_port == 1);
        drop(guard);
        assert!(super::choose(directory.path(), &mut wanted, || panic!("nothing to choose")).expect("kept").is_none());
        // Everything is somebody's.
        let all = || vec![PortMapping { host_port: 1, range: u16::MAX, ..port("127.0.0.1::80") }];
        let mut wanted = [port("127.0.0.1::80")];
        let none = super::choose(directory.path(), &mut wanted, all);
        assert!(matches!(none, Err(Error::NoFreePort { count: 1 })), "{none:?}");
    }

    #[test]
    fn g17_one_holder_for_one_port() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let id = "0".repeat(64).parse().expect("valid");
        let holder = PortHolder { id: &id, name: "first" };
        // The kernel chooses; the same number is then ours to ask for.
        let first =
            claim(directory.path(), &[port("127.0.0.1::80"), port("127.0.0.1::53/udp")], &holder).expect("free");
        let number = first.ports[0].host_port;
        assert!(number != 0 && first.ports[1].host_port != 0);
        let wish = [port(&format!("127.0.0.1:{number}:80"))];
        let second = PortHolder { id: &id, name: "second" };
        match claim(directory.path(), &wish, &second) {
            Err(Error::PortHeld { number: held, holder, .. }) => assert_eq!((held, holder.as_str()), (number, "first")),
            other => panic!("{other:?}"),
        }
        drop(first);
        claim(directory.path(), &wish, &second).expect("free again").release();
        // A server of somebody else.
        let server = std::net::TcpListener::bind(("127.0.0.1", number)).expect("free");
        assert!(matches!(claim(directory.path(), &wish, &second), Err(Error::PortInUse { .. })));
        // What was claimed before the refusal is given back.
        let both = [port("127.0.0.3::80"), wish[0].clone()];
        claim(directory.path(), &both, &second).expect_err("one of them is in use");
        let left = crate::sys::fs::names(directory.path()).expect("there");
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("127.0.0.3")), "{left:?}");
        drop(server);
    }

    /// `system check` and its like ask by a shared lock.
    #[test]
    fn who_only_looks_at_a_claim_does_not_hold_it() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let wish = |number| port(&format!("127.0.0.1:{number}:80"));
        let path = |number| directory.path().join(Claim::of(&wish(number)).file_name());
        let number = std::sync::atomic::AtomicU32::new(1);
        let id = "0".repeat(64).parse().expect("valid");
        let holder = PortHolder { id: &id, name: "only" };
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            let look = || loop {
                match number.load(Ordering::Relaxed) {
                    0 => break,
                    number => drop(FileLock::probe(&path(number)).expect("asked")),
                }
            };
            scope.spawn(look);
            scope.spawn(look);
            // A new one each time: children of other tests may share a lock for a moment.
            for next in 1..500 {
                crate::sys::fs::write_new(&path(next), b"").expect("made");
                number.store(next, Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_micros(200));
                let mut claimed = ClaimedPorts { ports: Vec::new(), locks: Vec::new() };
                taken.extend(claimed.hold(directory.path(), &wish(next), &holder).err());
            }
            number.store(0, Ordering::Relaxed);
        });
        assert!(taken.is_empty(), "{} times: {:?}", taken.len(), taken[0]);
    }
}
