//! Debian's nginx, PostgreSQL and OpenSSH as services: images made by `import`, as a user would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::harness::{Env, Output, eventually, image, requires};

/// Directory of PostgreSQL's programs in Debian 12.
const POSTGRES: &str = "/usr/lib/postgresql/15/bin";
/// Where the tests keep a cluster: below the home that the package makes for the user postgres.
const CLUSTER: &str = "/var/lib/postgresql/data";

const WEB: &str = "localhost/web:1";
const DATABASE: &str = "localhost/database:1";
const LOGIN: &str = "localhost/login:1";

/// Imports the root file system under this name, with these instructions.
fn import(env: &Env, name: &str, changes: &[&str]) {
    let tar = image::services_tar().unwrap();
    let mut arguments = vec!["import"];
    arguments.extend(changes.iter().flat_map(|change| ["--change", change]));
    arguments.extend([tar.to_str().unwrap(), name]);
    env.command(arguments).deadline(Duration::from_mins(3)).run().success();
}

fn import_web(env: &Env) {
    let command = r#"CMD ["nginx", "-g", "daemon off;"]"#;
    import(env, WEB, &["EXPOSE 80", "STOPSIGNAL SIGQUIT", command]);
}

fn import_database(env: &Env) {
    let entrypoint = format!(r#"ENTRYPOINT ["{POSTGRES}/postgres"]"#);
    let command = format!(r#"CMD ["-D", "{CLUSTER}"]"#);
    let path = format!("ENV PATH={POSTGRES}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let changes = ["USER postgres", "EXPOSE 5432", "STOPSIGNAL SIGINT", &entrypoint, &command, &path];
    import(env, DATABASE, &changes);
}

fn import_login(env: &Env) {
    let start = "mkdir -p /run/sshd && ssh-keygen -A >/dev/null && exec /usr/sbin/sshd -D -e";
    import(env, LOGIN, &["EXPOSE 22", &format!(r#"CMD ["/bin/sh", "-c", "{start}"]"#)]);
}

/// Where a port of the container is reached on this host.
#[track_caller]
fn address(env: &Env, container: &str, port: &str) -> SocketAddr {
    let shown = env.run(["port", container, port]).success().trimmed();
    shown.parse().unwrap_or_else(|error| panic!("{shown}: {error}"))
}

/// The answer to `GET path`, or nothing if nobody answers.
fn get(at: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&at, Duration::from_secs(20)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: web\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    (!answer.is_empty()).then_some(answer)
}

/// Serves a page of the host by nginx on a published port, and stops it in the way that nginx calls graceful.
#[track_caller]
fn serve_a_page(env: &Env, network: &str) {
    let site = env.write("site/index.html", "a page of the host\n").parent().unwrap().to_owned();
    let volume = format!("{}:/var/www/html:ro", site.display());
    let options = ["run", "-d", "--name=web", network, "-p", "127.0.0.1::80", "-v", &volume, WEB];
    env.run(options).success();
    let at = address(env, "web", "80");
    let mut page = String::new();
    eventually("nginx serves the page", || {
        page = get(at, "/").unwrap_or_default();
        page.contains("a page of the host")
    });
    assert!(page.starts_with("HTTP/1.1 200 OK\r\nServer: nginx"), "{network}: {page}");
    assert!(get(at, "/absent").unwrap().starts_with("HTTP/1.1 404"), "{network}");
    // The volume is the host's directory: what is written there is served at once.
    env.write("site/later", "later\n");
    assert!(get(at, "/later").unwrap().ends_with("\r\n\r\nlater\n"), "{network}");
    let log = env.run(["exec", "web", "cat", "/var/log/nginx/access.log"]);
    log.success().stdout_has("GET /absent HTTP/1.0\" 404");
    env.run(["stop", "-t", "60", "web"]).success();
    env.run(["inspect", "--format={{.State.ExitCode}} {{.State.Status}}", "web"]).success().prints("0 exited\n");
    assert!(TcpStream::connect(at).is_err(), "{network}: {at} is still open");
    env.run(["rm", "web"]).success();
}

#[test]
fn nginx_serves_a_page_through_a_published_port() {
    requires!(userns, subids, pasta, slirp4netns, services);
    let env = Env::new();
    import_web(&env);
    for network in ["--network=pasta", "--network=slirp4netns"] {
        serve_a_page(&env, network);
    }
}

/// Sends SQL to the server of the container by `psql`.
fn query(env: &Env, container: &str, sql: &str) -> Output {
    env.run(["exec", container, "psql", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-qtA", "-c", sql, "postgres"])
}

#[track_caller]
fn wait_for_database(env: &Env, container: &str) {
    eventually("PostgreSQL accepts connections", || env.run(["exec", container, "pg_isready", "-q"]).is_success());
}

/// A cluster in a named volume, served, stopped and served again; by another container in the end.
#[track_caller]
fn keep_a_table(env: &Env) {
    let volume = "--volume=cluster:/var/lib/postgresql";
    let initdb =
        ["run", "--rm", "--network=none", volume, "--entrypoint=initdb", DATABASE, "-D", CLUSTER, "--auth=trust"];
    env.run(initdb).success().stdout_has("Success.");
    env.run(["run", "-d", "--name=database", "-p", "127.0.0.1::5432", volume, DATABASE]).success();
    wait_for_database(env, "database");
    query(env, "database", "create table fleet (ship text)").success();
    query(env, "database", "insert into fleet select 'sampan ' || n from generate_series(1, 1000) n").success();
    query(env, "database", "select count(*), max(ship) from fleet").success().prints("1000|sampan 999\n");
    env.run(["exec", "database", "id", "-un"]).success().prints("postgres\n");
    // Over the network: another program of the image asks through the namespace of the server.
    let ask = ["run", "--rm", "--network=container:database", "--entrypoint=psql", DATABASE, "-h", "127.0.0.1", "-qtA"];
    env.run(ask.iter().chain(&["-c", "select count(*) from fleet", "postgres"])).success().prints("1000\n");

    env.run(["stop", "-t", "60", "database"]).success();
    env.run(["inspect", "--format={{.State.ExitCode}}", "database"]).success().prints("0\n");
    env.run(["logs", "database"]).success().stderr_has("database system is shut down");
    env.run(["start", "database"]).success();
    wait_for_database(env, "database");
    query(env, "database", "select count(*) from fleet").success().prints("1000\n");
    // Killed in the middle: the write-ahead log of the volume makes good for it.
    query(env, "database", "delete from fleet where ship like '%0'").success();
    env.run(["kill", "database"]).success();
    env.run(["wait", "database"]).success().prints("137\n");
    env.run(["rm", "database"]).success();
    env.run(["run", "-d", "--name=heir", volume, DATABASE]).success();
    wait_for_database(env, "heir");
    query(env, "heir", "select count(*) from fleet").success().prints("900\n");
    env.run(["stop", "-t", "60", "heir"]).success();
}

#[test]
fn postgresql_keeps_its_cluster_in_a_volume() {
    requires!(userns, subids, slirp4netns, services);
    let env = Env::new();
    import_database(&env);
    keep_a_table(&env);
}

/// `ssh USER@ADDRESS COMMAND` with this key, which asks nobody.
fn ssh(env: &Env, key: &Path, user: &str, at: SocketAddr, command: &[&str]) -> Output {
    let known = format!("UserKnownHostsFile={}", env.path("known_hosts").display());
    let (key, port) = (key.display().to_string(), at.port().to_string());
    let to = format!("{user}@{}", at.ip());
    let mut arguments = vec!["-F", "/dev/null", "-i", &key, "-p", &port, "-o", &known];
    for option in ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=accept-new", "ConnectTimeout=20"] {
        arguments.extend(["-o", option]);
    }
    arguments.push(&to);
    env.other("ssh").args(arguments.into_iter().chain(command.iter().copied())).run()
}

#[test]
fn openssh_lets_a_key_in_through_a_published_port() {
    requires!(userns, subids, pasta, services, ssh);
    let env = Env::new();
    import_login(&env);
    let key = env.path("key");
    env.other("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]).run().success();
    env.run(["run", "-d", "--name=login", "--network=pasta", "-p", "127.0.0.1::22", LOGIN]).success();
    // An account made in the running container, as an administrator would.
    env.run(["exec", "login", "useradd", "--create-home", "--shell=/bin/bash", "alice"]).success();
    let public = std::fs::read(env.path("key.pub")).unwrap();
    let install = "cd ~alice && mkdir -m 700 .ssh && cat >.ssh/authorized_keys && chown -R alice: .ssh";
    env.command(["exec", "-i", "login", "sh", "-c", install]).stdin(public).run().success();

    let at = address(&env, "login", "22");
    eventually("sshd listens", || env.run(["logs", "login"]).stderr().contains("Server listening on"));
    let who = "id -un; id -G; pwd; cat /etc/hostname; echo ${SSH_CONNECTION##* }";
    let out = ssh(&env, &key, "alice", at, &[who]);
    let id = env.run(["inspect", "--format={{.Id}}", "login"]).success().trimmed();
    out.success().prints(&format!("alice\n1000\n/home/alice\n{}\n22\n", &id[..12]));
    ssh(&env, &key, "alice", at, &["exit 42"]).code(42);
    ssh(&env, &key, "alice", at, &["cat /etc/shadow"]).code(1).stderr_has("Permission denied");
    // A terminal of the container's own devpts.
    ssh(&env, &key, "alice", at, &["-tt", "tty"]).success().stdout_has("/dev/pts/");
    // Nobody else's key, and no password.
    ssh(&env, &key, "root", at, &["true"]).code(255).stderr_has("Permission denied");
    env.run(["stop", "login"]).success();
    env.run(["inspect", "--format={{.State.Status}}", "login"]).success().prints("exited\n");
}

/// Design §3: without subordinate ids a server that gives up root cannot, and the user is told the cure; one whose image
/// names its user, and one that does not look, run.
#[test]
fn services_in_single_id_mode() {
    requires!(userns, slirp4netns, services);
    let mut env = Env::new();
    env.hide_programs(&["newuidmap", "newgidmap"]);
    import_database(&env);
    // As the images of the hub do it: root first, then another user.
    let drop_root = format!("setpriv --reuid=postgres --regid=postgres --clear-groups {POSTGRES}/initdb -D {CLUSTER}");
    let options = ["run", "--rm", "--network=none", "--user=root", "--entrypoint=/bin/sh", DATABASE, "-c", &drop_root];
    let out = env.run(options);
    out.code(1)
        .stderr_has("cannot be run as root")
        .stderr_has("single-id mode")
        .stderr_has("servers that give up root");
    assert!(out.stderr().contains("newuidmap") || out.stderr().contains("uidmap"), "no cure: {out:?}");
    // The user of the image is the one id there is.
    keep_a_table(&env);
}

/// sshd gives up root for who asks and for who is let in: it cannot here, and the start says so, with the cure.
#[test]
fn openssh_in_single_id_mode() {
    requires!(userns, slirp4netns, services, ssh);
    let mut env = Env::new();
    env.hide_programs(&["newuidmap", "newgidmap"]);
    import_login(&env);
    let key = env.path("key");
    env.other("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]).run().success();
    let started = env.run(["run", "-d", "--name=login", "--network=slirp4netns", "-p", "127.0.0.1::22", LOGIN]);
    started.success().stderr_has("single-id mode").stderr_has("sshd").stderr_has("uidmap");
    let public = std::fs::read(env.path("key.pub")).unwrap();
    let install = "mkdir -pm 700 ~/.ssh && cat >~/.ssh/authorized_keys";
    env.command(["exec", "-i", "login", "sh", "-c", install]).stdin(public).run().success();
    let at = address(&env, "login", "22");
    eventually("sshd listens", || env.run(["logs", "login"]).stderr().contains("Server listening on"));
    // Nobody is let in, and nobody gets further than his own process: the server serves on.
    for user in ["root", "nobody"] {
        ssh(&env, &key, user, at, &["true"]).code(255);
    }
    let reason = "permanently_set_uid: was able to restore";
    eventually("sshd says why", || env.run(["logs", "login"]).stderr().matches(reason).count() == 2);
    env.run(["inspect", "--format={{.State.Status}}", "login"]).success().prints("running\n");
    env.run(["stop", "login"]).success();
}
