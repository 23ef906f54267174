//! The modes of `--userns`: who the program is, and whose the files are.

use crate::harness::image::BUSYBOX;
use crate::harness::{Env, requires};

#[test]
fn owners_are_right_in_every_mode() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let uid = nix::unistd::geteuid().as_raw();
    let gid = nix::unistd::getegid().as_raw();
    let script = "id -u; id -g; stat -c %u:%g /bin/busybox /home /etc/hosts; touch /tmp/x; stat -c %u:%g /tmp/x";
    let run = |flags: &[&str]| {
        let words = ["run", "--rm", "--network=none"];
        env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script])).success().stdout()
    };
    let answer = |who: &str, group: &str| format!("{who}\n{group}\n0:0\n0:0\n0:0\n{who}:{group}\n");
    assert_eq!(run(&[]), answer("0", "0"));
    assert_eq!(run(&["--userns=host"]), answer("0", "0"));
    assert_eq!(run(&["--userns=keep-id"]), answer(&uid.to_string(), &gid.to_string()));
    assert_eq!(run(&["--userns=keep-id:uid=200,gid=210"]), answer("200", "210"));
    assert_eq!(run(&["--userns=keep-id:uid=200,gid=210,size=3000"]), answer("200", "210"));
    assert_eq!(run(&["--userns=nomap"]), answer("0", "0"));
    assert_eq!(run(&["--uidmap=0:1:5000", "--gidmap=0:1:5000"]), answer("0", "0"));
    assert_eq!(run(&["--uidmap=0:0:1", "--uidmap=1:1:3000", "--gidmap=0:0:1", "--gidmap=1:1:3000"]), answer("0", "0"));
    // One id that is not the caller's.
    assert_eq!(run(&["--uidmap=0:1:1"]), answer("0", "0"));
    assert_eq!(run(&["--uidmap=0:1:1", "--gidmap=0:1:5000"]), answer("0", "0"));
    let without_root = env.run(["run", "--rm", "--uidmap=5:1:100", "--user=5", BUSYBOX, "true"]);
    without_root.code(125).stderr_has("does not have uid 0").stderr_has("Hint: ");
    env.run(["run", "--rm", "--uidmap=0:1:99999999", BUSYBOX, "true"]).code(125);
    env.run(["run", "--rm", "--userns=nope", BUSYBOX, "true"]).code(125).stderr_has("nope");
}

#[test]
fn keep_id_owns_what_is_bound() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    env.write("d/f", "mine\n");
    let bind = format!("{}:/d", env.path("d").display());
    let uid = nix::unistd::geteuid().as_raw();
    let words = ["run", "--rm", "--network=none", "--userns=keep-id", "-v", &bind, BUSYBOX, "sh", "-c"];
    env.run(words.iter().chain(&["stat -c %u /d/f; echo new >/d/n"])).prints(&format!("{uid}\n"));
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(env.path("d/n")).unwrap()), uid);
}

#[test]
fn a_layer_that_cannot_be_unpacked_for_a_map_leaves_nothing() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let entries = |dir: &str| std::fs::read_dir(env.graphroot().join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let blob = entries("blobs/sha256").max_by_key(|blob| blob.metadata().unwrap().len()).unwrap();
    let bytes = std::fs::read(&blob).unwrap();
    std::fs::write(&blob, &bytes[..bytes.len() / 2]).unwrap();
    env.run(["create", "--userns=keep-id", BUSYBOX, "true"]).code(125);
    assert_eq!((entries("staging").count(), entries("trash").count()), (0, 0));
    std::fs::write(&blob, &bytes).unwrap();
    env.run(["run", "--rm", "--network=none", "--userns=keep-id", BUSYBOX, "true"]).success();
}

/// His kernel uid is the caller's, which whoever enters has at first. A signal asks for no more than equal ids.
#[test]
fn t57_the_user_of_keep_id_has_no_power_over_roots_exec() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let kills = "exec 2>/dev/null; while :; do n=2; while [ $n -lt 30 ]; do kill -KILL $n; n=$((n+1)); done; done";
    env.run(["run", "-d", "--name=k", "--network=none", "--userns=keep-id", BUSYBOX, "sh", "-c", kills]).success();
    for _ in 0..20 {
        env.run(["exec", "--user=0", "k", "id", "-u"]).prints("0\n");
    }
}

/// Programs of the caller find his home where it is mounted, and otherwise begin at home, at the first start and later.
#[test]
fn keep_id_has_a_home() {
    requires!(userns, subids);
    let env = Env::with_busybox();
    let home = env.home().to_str().unwrap().to_owned();
    for (flags, wanted) in
        [(&[][..], "/tmp"), (&["-v", "/elsewhere"][..], "/tmp"), (&["-v", home.as_str()][..], home.as_str())]
    {
        let words = ["run", "-d", "--name=c", "--userns=keep-id", "--network=none", "-w", "/tmp"];
        let script = "echo $HOME >/tmp/home; sleep 600";
        env.run(words.iter().chain(flags).chain(&[BUSYBOX, "sh", "-c", script])).success();
        let first = || env.run(["exec", "c", "cat", "/tmp/home"]).stdout();
        crate::harness::eventually("it is written", || first() == format!("{wanted}\n"));
        env.run(["exec", "c", "sh", "-c", "echo $HOME ~"]).success().prints(&format!("{wanted} {wanted}\n"));
        env.run(["rm", "-f", "-v", "-t0", "c"]).success();
    }
}
