//! What a test needs of the machine. Missing: the test says so and ends, or fails with `CI_STRICT=1`.

use std::path::Path;

/// `requires!(userns, pasta);` as the first line of a test.
macro_rules! requires {
    ($($need:ident),+ $(,)?) => {
        $(if !$crate::harness::requires::met(stringify!($need)) { return; })+
    };
}
pub(crate) use requires;

/// True if the machine has it; otherwise prints the reason, and panics with `CI_STRICT=1`.
pub(crate) fn met(need: &str) -> bool {
    let Err(reason) = probe(need) else { return true };
    assert!(std::env::var("CI_STRICT").as_deref() != Ok("1"), "required here: {reason}");
    eprintln!("skipped: {reason}");
    false
}

fn probe(need: &str) -> Result<(), String> {
    match need {
        "userns" => ran("unshare", &["--user", "--map-root-user", "true"]),
        "subids" => ran("unshare", &["--user", "--map-root-user", "--map-auto", "true"]),
        "overlay" => ran(
            "unshare",
            &[
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "d=$(mktemp -d) && mkdir $d/l $d/u $d/w $d/m && \
              mount -t overlay overlay -o userxattr,lowerdir=$d/l,upperdir=$d/u,workdir=$d/w $d/m && umount $d/m; r=$?; rm -rf $d; exit $r",
            ],
        ),
        "fuse" => device("/dev/fuse").and_then(|()| installed("fuse-overlayfs")),
        "tun" => device("/dev/net/tun"),
        "pasta" => device("/dev/net/tun").and_then(|()| installed("pasta")),
        "slirp4netns" => device("/dev/net/tun").and_then(|()| installed("slirp4netns")),
        "cgroup" => {
            std::env::var_os("SAMPAN_TEST_CGROUP").map(drop).ok_or("no cgroup v2 of our own (.ci/runner)".to_owned())
        }
        "debian" => super::image::debian_tar().map(drop),
        "services" => super::image::services_tar().map(drop),
        "registry" => installed("docker-registry").and_then(|()| installed("skopeo")),
        "ipv6" => std::net::TcpListener::bind("[::1]:0").map(drop).map_err(|error| format!("::1: {error}")),
        "user" => (!nix::unistd::geteuid().is_root()).then_some(()).ok_or("an ordinary user".to_owned()),
        "skopeo" | "umoci" | "buildah" | "strace" | "curl" | "ssh" | "script" | "zstd" | "bzip2" | "xz" | "podman" => {
            installed(need)
        }
        other => panic!("requires!({other}): unknown"),
    }
}

fn installed(program: &str) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let found = path.split(':').any(|dir| Path::new(dir).join(program).is_file());
    found.then_some(()).ok_or_else(|| format!("{program} is not installed"))
}

fn device(path: &str) -> Result<(), String> {
    let open = std::fs::File::options().read(true).write(true).open(path);
    open.map(drop).map_err(|error| format!("{path}: {error}"))
}

fn ran(program: &str, arguments: &[&str]) -> Result<(), String> {
    match std::process::Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Err(format!("{program}: {error}")),
    }
}
