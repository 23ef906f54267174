//! `login` and `logout` at Debian's registry: basic, tokens, TLS with a private authority, helpers.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::env::{eventually, program};
use crate::harness::image::BUSYBOX;
use crate::harness::token::{READER, REFRESH, TokenServer, WRITER, certificates, openssl};
use crate::harness::{Env, Registry, Terminal, requires};

/// A registry that knows `alice` with the password `s3cret`.
fn basic(env: &Env) -> Registry {
    let users = env.write("htpasswd", "alice:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n");
    Registry::start_with(env, "", &format!("auth:\n  htpasswd:\n    realm: basic\n    path: {}\n", users.display()))
}

fn auth_json(env: &Env) -> Value {
    let text = std::fs::read(env.home().join(".config/containers/auth.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn basic_login_lasts_and_is_shared() {
    requires!(registry, skopeo);
    let mut env = Env::new();
    let registry = basic(&env);
    let host = registry.address().to_owned();
    let login = |more: &[&str]| env.command([&["login", "--tls-verify=false"], more, &[host.as_str()]].concat());
    login(&["--get-login"]).run().code(125).stderr_has("not logged in");
    login(&["-u", "alice", "-p", "wrong"]).run().code(125).stderr_has("invalid username/password");
    assert!(!env.home().join(".config/containers/auth.json").exists());
    login(&["-u", "alice"]).run().code(125).stderr_has("no terminal");
    login(&["--password-stdin"]).stdin("s3cret").run().code(125).stderr_has("--username");
    let out = login(&["-v", "-u", "alice", "--password-stdin"]).stdin("s3\ncret\r\n\n").run();
    let file = env.home().join(".config/containers/auth.json");
    out.prints(&format!("Used: {}\nLogin Succeeded!\n", file.display()));
    login(&["--get-login"]).run().prints("alice\n");
    login(&[]).run().success().stdout_has("Existing credentials are valid");
    assert_eq!(auth_json(&env)["auths"][&host]["auth"], "YWxpY2U6czNjcmV0");
    // Skopeo and Podman read what we wrote, although their own file is another one.
    env.other("/usr/bin/skopeo").args(["login", "--get-login", &host]).run().prints("alice\n");
    // What they write is read first, and goes with a logout.
    let out =
        env.other("/usr/bin/skopeo").args(["login", "--tls-verify=false", "-u", "alice", "--password-stdin", &host]);
    out.stdin("s3cret").run().success();
    assert!(env.root().join("run/containers/auth.json").exists());
    env.run(["logout", &host]).prints(&format!("Removed login credentials for {host}\n"));
    login(&["--get-login"]).run().code(125);
    env.run(["logout", &host]).code(125).stderr_has("not logged in");
    // An empty file is nobody's; a damaged one is refused by its place in it alone.
    let (empty, torn) = (env.write("empty.json", ""), env.write("torn.json", "// s3cret"));
    let file = |path: &Path| format!("--authfile={}", path.display());
    let out = login(&["--get-login", &file(&torn)]).run();
    out.code(125).stderr_has("it is not a JSON object");
    assert!(!out.stderr().contains("s3cret"), "{out}");
    login(&["-u", "alice", "--password-stdin", &file(&empty)]).stdin("s3cret").run().success();
    login(&["--get-login", &file(&empty)]).run().prints("alice\n");
    // Nothing that is logged shows the password.
    env.set("RUST_LOG", "trace");
    let out =
        env.command(["--log-level=trace", "login", "--tls-verify=false", "-u", "alice", "--password-stdin", &host]);
    let out = out.stdin("s3cret").run();
    let said = out.success().stderr() + &out.stdout();
    assert!(!said.contains("s3cret") && !said.contains("YWxpY2U6czNjcmV0"), "{said}");
    env.run(["logout", "--all"]).success();
    assert_eq!(auth_json(&env)["auths"], json!({}));
}

#[test]
fn a_password_is_not_shown_on_the_terminal() {
    requires!(registry);
    let env = Env::new();
    let registry = basic(&env);
    let command = env.command(["login", "--tls-verify=false", registry.address()]);
    let mut terminal = Terminal::start(&command, 24, 80);
    terminal.expect("Username: ");
    terminal.send("alice\n");
    terminal.expect("Password: ");
    terminal.send("s3creX\x7ft\r");
    let shown = terminal.expect("Login Succeeded!");
    assert!(!shown.contains("s3cre"), "{shown}");
    assert!(terminal.is_cooked());
    assert_eq!(terminal.finish().0, 0);
    // Ctrl-C leaves a terminal that echoes.
    env.run(["logout", registry.address()]).success();
    let mut terminal = Terminal::start(&command, 24, 80);
    terminal.expect("Username: ");
    terminal.send("alice\n");
    terminal.expect("Password: ");
    terminal.send("\x03");
    terminal.expect("no password");
    assert!(terminal.is_cooked());
    assert_eq!(terminal.finish().0, 125);
    // `--creds` with a user alone asks, too.
    let command = env.command(["search", "--tls-verify=false", "--creds=alice", &registry.name("x")]);
    let mut terminal = Terminal::start(&command, 24, 80);
    terminal.expect("Password: ");
    terminal.send("s3cret\r");
    assert_eq!(terminal.finish().0, 0);
    env.run(["search", "--tls-verify=false", "--creds=alice", &registry.name("x")]).code(125);
}

#[test]
fn tokens_with_scopes_and_refresh_tokens() {
    requires!(registry);
    let env = Env::new();
    let tokens = TokenServer::start(&env, 300);
    let registry = Registry::start_with(&env, "", &tokens.registry_lines());
    let host = registry.address();
    let login = |(user, password): (&str, &str)| {
        env.command(["login", "--tls-verify=false", "-u", user, "--password-stdin", host]).stdin(password).run()
    };
    login(("alice", "wrong")).code(125).stderr_has("invalid username/password");
    login(READER).success();
    login(WRITER).success();
    let asked = tokens.requests();
    assert!(asked.iter().any(|line| line.contains("service=test-registry") && line.contains("alice")), "{asked:?}");
    assert!(!asked.concat().contains("s3cret"), "the password stands in an address: {asked:?}");
    // An identity token in the place of the password, as `docker login` leaves it with some registries.
    let file = env
        .write("identity.json", json!({"auths": {host: {"auth": "YWxpY2U6", "identitytoken": REFRESH}}}).to_string());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.to_str().unwrap();
    env.run(["login", "--get-login", "--authfile", file, host]).prints("alice\n");
    env.run(["login", "--tls-verify=false", "--authfile", file, host]).success().stdout_has("are valid");
    assert!(tokens.requests().iter().any(|line| line.starts_with("POST ")), "no refresh token was used");
    let wrong = env.write("wrong.json", json!({"auths": {host: {"identitytoken": "stale"}}}).to_string());
    let out = env.run(["login", "--tls-verify=false", "--authfile", wrong.to_str().unwrap(), host]);
    let said = out.code(125).stderr() + &out.stdout();
    assert!(!said.contains("stale"), "{said}");
}

#[test]
fn b14_private_authority_and_client_certificate() {
    requires!(registry);
    let env = Env::new();
    let dir = env.path("certs");
    certificates(&dir);
    let tls = |more: &str| {
        let path = |name: &str| dir.join(name).display().to_string();
        format!("  tls:\n    certificate: {}\n    key: {}\n{more}", path("server.crt"), path("server.key"))
    };
    let registry = Registry::start_with(&env, &tls(""), "");
    let both = Registry::start_with(&env, &tls(&format!("    clientcas: [{}]\n", dir.join("ca.crt").display())), "");
    let login = |host: &str, more: &[&str]| env.run([&["login", "-u", "x", "-p", "y"], more, &[host]].concat());
    // Nobody knows that authority.
    login(registry.address(), &[]).code(125).stderr_has("establish TLS").stderr_has("Hint: put the certificate of its");
    login(registry.address(), &["--tls-verify=false"]).success();
    let given = dir.to_str().unwrap();
    // The directory of the server's key, too: a key without its .cert is a mistake that must be told.
    login(registry.address(), &["--cert-dir", given]).code(125).stderr_has("server.cert");
    let own = env.path("own");
    std::fs::create_dir(&own).unwrap();
    let copy = |name: &str, to: &Path| std::fs::copy(dir.join(name), to.join(name)).map(drop).unwrap();
    copy("ca.crt", &own);
    login(registry.address(), &["--cert-dir", own.to_str().unwrap()]).success();
    let unknown = login(both.address(), &["--cert-dir", own.to_str().unwrap()]);
    unknown.code(125).stderr_has("Hint: it wants to know who we are").stderr_has("client.cert");
    // It speaks TLS: plain http would only get a 400.
    let unchecked = login(both.address(), &["--tls-verify=false"]);
    unchecked.code(125).stderr_has("establish TLS").stderr_has("Hint: it wants to know who we are");
    copy("client.cert", &own);
    copy("client.key", &own);
    login(both.address(), &["--cert-dir", own.to_str().unwrap()]).success();
    // Found without a flag in certs.d.
    let standing = env.home().join(".config/containers/certs.d").join(both.address());
    std::fs::create_dir_all(&standing).unwrap();
    for name in ["ca.crt", "client.cert", "client.key"] {
        copy(name, &standing);
    }
    login(both.address(), &[]).success();
    // A certificate of some other authority, with an earlier name: the registry takes the next one.
    let stranger = env.path("stranger");
    certificates(&stranger);
    for (from, to) in [("client.cert", "a.cert"), ("client.key", "a.key")] {
        std::fs::copy(stranger.join(from), standing.join(to)).unwrap();
    }
    login(both.address(), &[]).success();
    for name in ["client.cert", "client.key"] {
        std::fs::remove_file(standing.join(name)).unwrap();
    }
    login(both.address(), &[]).code(125);
    // The key of another certificate: told, and nobody is asked.
    copy("client.cert", &standing);
    std::fs::copy(dir.join("server.key"), standing.join("client.key")).unwrap();
    login(both.address(), &[]).code(125).stderr_has("client.cert").stderr_has("is not that of this certificate");
    // What our TLS does not take is told as what it is.
    let openssl = |args: &[&str]| {
        let status = std::process::Command::new("openssl").current_dir(&standing).args(args).output().unwrap().status;
        assert!(status.success(), "openssl {args:?}");
    };
    openssl(&["ecparam", "-genkey", "-name", "secp521r1", "-noout", "-out", "p521.pem"]);
    openssl(&["req", "-x509", "-key", "p521.pem", "-subj", "/CN=c", "-days", "2", "-out", "client.cert"]);
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", "p521.pem", "-out", "client.key"]);
    login(both.address(), &[]).code(125).stderr_has("client.cert").stderr_has("RSA, P-256, P-384 and Ed25519");
    copy("client.key", &standing);
    openssl(&["req", "-new", "-key", "client.key", "-subj", "/CN=c", "-out", "c.csr"]);
    openssl(&["x509", "-req", "-signkey", "client.key", "-days", "2", "-in", "c.csr", "-out", "client.cert"]);
    login(both.address(), &[]).code(125).stderr_has("client.cert").stderr_has("X.509 version 3");
    for name in ["client.cert", "client.key", "p521.pem", "c.csr"] {
        std::fs::remove_file(standing.join(name)).unwrap();
    }
    // An empty text is none.
    login(both.address(), &["--authfile=", "--cert-dir="]).code(125).stderr_has("it wants to know who we are");
    std::fs::write(standing.join("ca.crt"), "nonsense").unwrap();
    login(both.address(), &[]).code(125).stderr_has("ca.crt");
}

/// A directory with `own.crt` for the name localhost, as most instructions have it made: an authority, signed by
/// itself; and the lines for a registry that shows it.
fn own_authority(env: &Env, name: &str) -> (String, String) {
    let dir = env.path(name);
    std::fs::create_dir_all(&dir).unwrap();
    let path = |name: &str| dir.join(name).display().to_string();
    let (key, certificate) = (path("own.pem"), path("own.crt"));
    let make = ["req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-x509", "-days", "2", "-subj", "/CN=localhost"];
    let more = ["-addext", "subjectAltName=DNS:localhost", "-keyout", &key, "-out", &certificate];
    openssl(&[&make[..], &more].concat(), &[]);
    (path(""), format!("  tls: {{certificate: {certificate}, key: {key}}}\n"))
}

/// Makes the certificate in `dir` one of the year 2020.
fn expire(dir: &Path) {
    let path = |name: &str| dir.join(name).display().to_string();
    let (key, request, config) = (path("own.pem"), path("own.csr"), path("ca.conf"));
    for (name, text) in [("index", ""), ("index.attr", ""), ("serial", "01\n")] {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let text = format!(
        "[ca]\ndefault_ca = own\n[own]\ndatabase = {}\nserial = {}\nnew_certs_dir = {}\ndefault_md = sha256\n\
         policy = names\nx509_extensions = more\n[names]\ncommonName = supplied\n[more]\n\
         basicConstraints = critical,CA:TRUE\nsubjectAltName = DNS:localhost\n",
        path("index"),
        path("serial"),
        dir.display()
    );
    std::fs::write(&config, text).unwrap();
    openssl(&["req", "-new", "-key", &key, "-subj", "/CN=localhost", "-out", &request], &[]);
    let make = ["ca", "-config", &config, "-batch", "-selfsign", "-notext", "-keyfile", &key, "-in", &request];
    let dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-out", &path("own.crt")];
    openssl(&[&make[..], &dates].concat(), &[]);
}

#[test]
fn b14_a_certificate_that_is_its_own_authority() {
    requires!(registry);
    let env = Env::new();
    let (own, tls) = own_authority(&env, "own");
    // The same names, another key.
    let (other, _) = own_authority(&env, "other");
    let (old, old_tls) = own_authority(&env, "old");
    expire(Path::new(&old));
    let registry = Registry::start_with(&env, &tls, "");
    let expired = Registry::start_with(&env, &old_tls, "");
    let by_name = |registry: &Registry| registry.address().replace("127.0.0.1", "localhost");
    let login = |host: &str, more: &[&str]| env.run([&["login", "-u", "x", "-p", "y"], more, &[host]].concat());
    let host = by_name(&registry);

    login(&host, &["--cert-dir", &own]).success();
    login(&host, &[]).code(125).stderr_has("establish TLS").stderr_has("Hint: put the certificate of its");
    login(&host, &["--cert-dir", &other]).code(125).stderr_has("establish TLS");
    let unnamed = login(registry.address(), &["--cert-dir", &own]);
    unnamed.code(125).stderr_has("Hint: use a name that its certificate is for");
    let late = login(&by_name(&expired), &["--cert-dir", &old]);
    late.code(125).stderr_has("Hint: look at the clock of this machine first");
    login(&by_name(&expired), &["--tls-verify=false"]).success();
    // Among others in one directory, and found without a flag in certs.d.
    let standing = env.home().join(".config/containers/certs.d").join(&host);
    std::fs::create_dir_all(&standing).unwrap();
    for (from, to) in [(&other, "a.crt"), (&own, "b.crt")] {
        std::fs::copy(Path::new(from).join("own.crt"), standing.join(to)).unwrap();
    }
    login(&host, &[]).success();
    let out = env.run(["search", "--list-tags", &format!("{host}/none")]);
    assert!(!out.code(125).stderr().contains("establish TLS"), "{out}");
}

/// A helper that keeps its passwords in files, and what it was asked in a log.
const HELPER: &str = r#"#!/bin/sh
read -r line
echo "$1 $line" >>"$HOME/helper.log"
case $1 in
store) echo "$line" >"$HOME/helper.kept" ;;
get) if [ -s "$HOME/helper.kept" ]; then cat "$HOME/helper.kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) rm -f "$HOME/helper.kept" ;;
list) if [ -s "$HOME/helper.kept" ]; then echo '{"x":"y"}'; else echo null; fi ;;
esac
"#;

#[test]
fn b15_credential_helpers() {
    requires!(registry);
    let mut env = Env::new();
    let registry = basic(&env);
    let host = registry.address();
    let helper = env.home().join("bin/docker-credential-test.helper");
    std::fs::create_dir_all(helper.parent().unwrap()).unwrap();
    std::fs::write(&helper, HELPER).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = helper.parent().unwrap().display().to_string();
    env.set("PATH", format!("{bin}:{path}:/usr/sbin:/sbin"));
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    let file = dir.join("auth.json");
    let by_the_helper = || {
        let login = env.command(["login", "--tls-verify=false", "-v", "-u", "alice", "--password-stdin", host]);
        login.stdin("s3cret").run().success().stdout_has("Used: docker-credential-test.helper\n");
        assert!(!std::fs::read_to_string(&file).unwrap().contains("YWxpY2U6"), "kept in the file, too");
        env.run(["login", "--get-login", host]).prints("alice\n");
        env.run(["login", "--tls-verify=false", host]).success().stdout_has("are valid");
        env.run(["logout", host]).success();
    };
    for config in [json!({"credHelpers": {host: "test.helper"}}), json!({"credsStore": "test.helper", "other": [1]})] {
        std::fs::write(&file, config.to_string()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        by_the_helper();
        env.run(["login", "--get-login", host]).code(125);
        for (key, value) in config.as_object().unwrap() {
            assert_eq!(auth_json(&env)[key], *value);
        }
    }
    // One for everything, named in registries.conf; the files come after it.
    std::fs::write(&file, json!({"auths": {"else.where": {"auth": "Ym9iOnB3"}}}).to_string()).unwrap();
    let conf = "credential-helpers = [\"test.helper\", \"containers-auth.json\"]\n";
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    by_the_helper();
    env.run(["login", "--get-login", "else.where"]).prints("bob\n");
    std::fs::write(dir.join("registries.conf"), "credential-helpers = [\"../sh\"]\n").unwrap();
    env.run(["login", "--get-login", host]).code(125).stderr_has("credential helper");
    std::fs::remove_file(dir.join("registries.conf")).unwrap();
    let log = std::fs::read_to_string(env.home().join("helper.log")).unwrap();
    assert!(log.contains(&format!("get {host}\n")) && log.contains(&format!("erase {host}\n")), "{log}");
    // Names that lead elsewhere are refused, and nothing of the file is told.
    for name in ["../../../bin/sh", "a b"] {
        std::fs::write(&file, json!({"credsStore": name}).to_string()).unwrap();
        env.run(["login", "--get-login", host]).code(125).stderr_has("credential helper");
    }
    std::fs::write(&file, "{\"auths\": {\"h\": {\"auth\": \"czNjcmV0").unwrap();
    let out = env.run(["login", "--get-login", host]);
    assert!(!out.code(125).stderr_has("auth.json").stderr().contains("czNj"), "{out}");
    std::fs::write(&file, json!({"auths": {host: {"auth": "YWxpY2U6czNjcmV0"}}}).to_string()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    env.run(["login", "--get-login", host]).success().stderr_has("chmod 600");
}

/// A directory of programs before all others.
fn with_helper(env: &mut Env, name: &str, script: &str) {
    let helper = env.home().join(format!("bin/docker-credential-{name}"));
    std::fs::create_dir_all(helper.parent().unwrap()).unwrap();
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    env.set("PATH", format!("{}:{path}:/usr/sbin:/sbin", helper.parent().unwrap().display()));
}

/// Keeps what Docker's own registry is called in old times apart from the rest; forgets only what may be forgotten.
const TWO_KEYS: &str = r#"#!/bin/sh
read -r line
case $line in https://index.docker.io/v1/) kept=$HOME/kept.old ;; *) kept=$HOME/kept ;; esac
case $1 in
get) if [ -s "$kept" ]; then cat "$kept"; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) [ -e "$HOME/stubborn" ] || rm -f "$kept" ;;
esac
"#;

#[test]
fn a_logout_from_docker_takes_both_names_from_the_helper() {
    let mut env = Env::new();
    with_helper(&mut env, "two", TWO_KEYS);
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    for config in [json!({"credsStore": "two"}), json!({"credHelpers": {"https://index.docker.io/v1/": "two"}})] {
        for kept in [&["kept"][..], &["kept.old"], &["kept", "kept.old"]] {
            let file = dir.join("auth.json");
            std::fs::write(&file, config.to_string()).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
            for name in kept {
                let answer = r#"{"ServerURL": "x", "Username": "alice", "Secret": "s3cret"}"#;
                std::fs::write(env.home().join(name), answer).unwrap();
            }
            env.run(["login", "--get-login", "docker.io"]).prints("alice\n");
            std::fs::write(env.home().join("stubborn"), "").unwrap();
            env.run(["logout", "docker.io"]).code(125).stderr_has("it still has credentials for docker.io");
            std::fs::remove_file(env.home().join("stubborn")).unwrap();
            env.run(["logout", "docker.io"]).success().stdout_has("Removed");
            env.run(["login", "--get-login", "docker.io"]).code(125).stderr_has("not logged in");
            assert!(kept.iter().all(|name| !env.home().join(name).exists()), "{config}: {kept:?}");
        }
    }
}

#[test]
fn the_login_that_was_just_made_is_the_one_that_counts() {
    requires!(registry);
    let mut env = Env::new();
    let registry = basic(&env);
    let host = registry.address();
    let team = format!("{host}/team");
    let podmans = env.root().join("run/containers/auth.json");
    let bob = json!({"auths": {host: {"auth": "Ym9iOnB3"}}}).to_string();
    std::fs::create_dir_all(podmans.parent().unwrap()).unwrap();
    let reset = || {
        std::fs::write(&podmans, &bob).unwrap();
        std::fs::set_permissions(&podmans, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let login = |env: &Env, key: &str| {
        let login = env.command(["login", "--tls-verify=false", "-u", "alice", "--password-stdin", key]);
        login.stdin("s3cret").run().success();
    };
    // Podman's file is read first, and would answer for the whole registry.
    reset();
    login(&env, &team);
    env.run(["login", "--get-login", &team]).prints("alice\n");
    env.run(["login", "--get-login", host]).prints("bob\n");
    env.run(["logout", &team]).success();
    env.run(["login", "--get-login", &team]).prints("bob\n");
    // A file that is named is the only one that is written.
    reset();
    let own = env.path("own.json");
    env.set("REGISTRY_AUTH_FILE", own.display().to_string());
    login(&env, host);
    assert!(own.exists());
    assert_eq!(std::fs::read_to_string(&podmans).unwrap(), bob);
    // Nor does it need a directory in its name.
    env.set("REGISTRY_AUTH_FILE", "bare.json");
    login(&env, host);
    env.run(["login", "--get-login", host]).prints("alice\n");
    assert!(env.path("bare.json").exists());
}

#[test]
fn a_helper_that_fails_is_told() {
    let mut env = Env::new();
    let text = json!({"credHelpers": {"r.test": "odd"}}).to_string();
    let file = env.write("auth.json", &text);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    env.set("REGISTRY_AUTH_FILE", file.display().to_string());
    for (script, told) in [
        ("#!/bin/sh\nexit 3\n", "docker-credential-odd get: exit code 3\n"),
        ("#!/bin/sh\necho locked; exit 4\n", "docker-credential-odd get: locked (exit code 4)\n"),
        (
            "#!/bin/sh\necho s3cret\n",
            "docker-credential-odd get: its answer is not the JSON of a credential helper, at line 1",
        ),
    ] {
        with_helper(&mut env, "odd", script);
        let login = env.run(["login", "--get-login", "r.test"]);
        login.code(125).stderr_has(told);
        assert!(!login.stderr().contains("s3cret"), "{login}");
    }
}

#[test]
fn a_helper_that_is_gone_does_not_keep_images_from_anybody() {
    requires!(registry);
    let mut env = Env::new();
    let registry = Registry::start(&env);
    let docker = env.home().join(".docker/config.json");
    std::fs::create_dir_all(docker.parent().unwrap()).unwrap();
    std::fs::write(&docker, json!({"credsStore": "desktop.exe"}).to_string()).unwrap();
    std::fs::set_permissions(&docker, std::fs::Permissions::from_mode(0o600)).unwrap();
    let search = |env: &Env| env.run(["search", "--tls-verify=false", &format!("{}/x", registry.address())]);
    search(&env).success().stderr_has("docker-credential-desktop.exe");
    // Those of registries.conf are asked in turn, and one that fails is told only if nobody else knows.
    let dir = env.home().join(".config/containers");
    std::fs::create_dir_all(&dir).unwrap();
    let conf = "credential-helpers = [\"gone\", \"containers-auth.json\"]\n";
    std::fs::write(dir.join("registries.conf"), conf).unwrap();
    search(&env).code(125).stderr_has("docker-credential-gone").stderr_has("not in PATH");
    let text = json!({"auths": {registry.address(): {"auth": "Ym9iOnB3"}}}).to_string();
    std::fs::write(dir.join("auth.json"), text).unwrap();
    std::fs::set_permissions(dir.join("auth.json"), std::fs::Permissions::from_mode(0o600)).unwrap();
    env.run(["login", "--get-login", registry.address()]).prints("bob\n");
    env.set("PATH", std::env::var("PATH").unwrap_or_default());
    search(&env).success();
}

/// A crash at any time leaves no core file: neither while the password is read nor while a registry is asked.
#[test]
fn f10_no_core_file_while_a_password_is_known() {
    requires!(userns, registry);
    let env = Env::with_busybox();
    // Accepts, and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = mute.local_addr().unwrap().to_string();
    let file = env.write("auth.json", json!({"auths": {&host: {"auth": "YWxpY2U6czNjcmV0"}}}).to_string());
    let program = program().display().to_string();
    let limit = |pid: u32| {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(4).unwrap_or_default().to_owned()
    };
    let authfile = format!("--authfile={}", file.display());
    let target = format!("{host}/web:1");
    let plain = "--tls-verify=false";
    for arguments in [
        &["login", plain, "-u", "alice", "--password-stdin", host.as_str()][..],
        &["pull", plain, &authfile, &target],
        &["push", plain, &authfile, BUSYBOX, &target],
    ] {
        let as_much_as_may_be = ["-c", "ulimit -S -c \"$(ulimit -H -c)\"; exec \"$@\"", "sh", &program];
        let mut command = env.other("/bin/sh").args([&as_much_as_may_be, arguments].concat()).prepare();
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        eventually("no core file is left", || matches!(limit(child.id()).as_str(), "0" | "1"));
        let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
        assert!(!String::from_utf8_lossy(&line).contains("s3cret"));
        child.kill().unwrap();
        child.wait().unwrap();
        // What a killed command had staged goes with the next repair, whichever call it died at.
        let check = env.run(["system", "check", "--repair"]);
        assert!(matches!(check.exit_code(), Some(0 | 1)), "{check}");
    }
}
