//! `system df` says what du says; `system prune` gives back what it says.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use crate::harness::image::{self, BUSYBOX, Compression, ImageBuilder, Layer};
use crate::harness::{Env, requires};

/// Bytes on disk, by somebody else's count.
fn du(path: &Path) -> u64 {
    let arguments = ["--user", "--map-root-user", "--map-auto", "--", "du", "-s", "--block-size=1"];
    let output = Command::new("unshare").args(arguments).arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_ascii_whitespace().next().unwrap().parse().unwrap()
}

fn sizes(env: &Env) -> Vec<(u64, u64)> {
    let rows = env.run(["system", "df", "--format", "json"]).success().json();
    let number = |row: &serde_json::Value, key: &str| row[key].as_u64().unwrap();
    rows.as_array().unwrap().iter().map(|row| (number(row, "RawSize"), number(row, "RawReclaimable"))).collect()
}

/// Two images that share their base, with hard links; a container with a sparse file; a volume.
fn filled() -> Env {
    let env = Env::new();
    let base = || image::busybox_layer().file("big", 0o644, &vec![7; 3 << 20]).hardlink("same", "big");
    for (tag, content) in [("one", b"1"), ("two", b"2")] {
        let path = env.path(tag);
        let top = Layer::new().file("top", 0o644, &content.repeat(1 << 20));
        let image = ImageBuilder::scratch().layer(base()).layer(top).compression(Compression::Gzip);
        image.oci_archive(&path, &format!("example.org/{tag}:1"));
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    }
    let script = "dd if=/dev/zero of=/sparse bs=1 count=1 seek=1G 2>/dev/null; dd if=/dev/zero of=/v/full bs=1M count=2 \
                  2>/dev/null; ln /v/full /v/again; chown 5:5 /v/full; mkdir -m 0 /closed";
    let words = ["run", "--name=c", "--network=none", "-v", "data:/v", "example.org/one:1", "sh", "-c", script];
    env.run(words).success();
    env
}

#[test]
fn df_adds_up_to_what_du_says() {
    requires!(userns, subids);
    let env = filled();
    let total: u64 = sizes(&env).iter().map(|(size, _)| size).sum();
    let counted = du(&env.graphroot());
    let bound = counted / 100 + (128 << 10);
    assert!(total.abs_diff(counted) <= bound, "df {total}, du {counted}");
    for (kind, dir) in [(1, "containers"), (2, "volumes")] {
        let counted = du(&env.graphroot().join(dir));
        assert!(sizes(&env)[kind].0.abs_diff(counted) <= 32 << 10, "{dir}: {:?}, du {counted}", sizes(&env)[kind]);
    }
    // The base belongs to both images; the volume is in use.
    let rows = env.run(["system", "df", "--format", "{{.Type}} {{.Total}} {{.Active}}"]).success().stdout();
    assert_eq!(rows, "Images 2 1\nContainers 1 0\nLocal Volumes 1 1\n");
    let image = sizes(&env)[0];
    assert!((1 << 20..image.0 / 2).contains(&image.1), "{image:?}");
    let table = env.run(["system", "df"]).success().stdout();
    assert!(table.starts_with("TYPE") && table.lines().count() == 4 && table.contains("RECLAIMABLE"), "{table}");
    env.run(["tag", "example.org/one:1", "example.org/again:2"]).success();
    let verbose = env.run(["system", "df", "-v"]).success().stdout();
    // A row for each name.
    let row = |name: &str| {
        let line = verbose.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {verbose}"));
        line.split_whitespace().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("example.org/again"), row("example.org/one"));
    for word in
        ["Images space usage:", "SHARED SIZE", "example.org/one", "LOCAL VOLUMES", "exited", "VOLUME NAME", "data"]
    {
        assert!(verbose.contains(word), "{word}: {verbose}");
    }
    env.run(["system", "df", "-v", "--format=json"]).code(125);
    // What prune gives back is what df has promised.
    let before = du(&env.graphroot());
    env.run(["system", "prune", "-f"]).success().stdout_has("Deleted Containers").stdout_has("Total reclaimed space: ");
    let promised = sizes(&env)[0].1;
    env.run(["system", "prune", "-a", "-f", "--volumes"]).success().stdout_has("Deleted Volumes\ndata\nDeleted Images");
    assert!(promised > 4 << 20);
    let after = du(&env.graphroot());
    assert!(before - after > promised, "{before} {after} {promised}");
    assert!(sizes(&env).iter().all(|(_, reclaimable)| *reclaimable == 0), "{:?}", sizes(&env));
}

#[test]
fn an_empty_store_has_nothing_to_give_back() {
    requires!(userns);
    let env = Env::new();
    env.run(["image", "prune", "-f"]).prints("");
    let sizes = sizes(&env);
    assert!(sizes.iter().all(|(_, reclaimable)| *reclaimable == 0), "{sizes:?}");
    let (total, counted) = (sizes.iter().map(|(size, _)| size).sum::<u64>(), du(&env.graphroot()));
    assert_eq!(total, counted);
    // What an image takes and what it gives back, to the byte but for the directories' own growth.
    env.run(["import", "-q", image::busybox_tar().to_str().unwrap(), BUSYBOX]).success();
    let (size, free) = self::sizes(&env)[0];
    env.run(["image", "prune", "-af"]).success();
    let (left, nothing) = self::sizes(&env)[0];
    assert_eq!(nothing, 0);
    assert!((size - left).abs_diff(free) <= 32 << 10, "{size} {left} {free}");
}

/// What only a list holds stays with the list: no prune of images gives it back.
#[test]
fn what_lists_hold_is_not_reclaimable() {
    requires!(userns, subids);
    let env = Env::new();
    let path = env.path("image.tar");
    let image = ImageBuilder::scratch().layer(Layer::new().file("big", 0o644, &vec![7; 2 << 20]));
    image.compression(Compression::Plain).oci_archive(&path, "example.org/one:1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    let free = || sizes(&env)[0].1;
    assert!(free() > 4 << 20, "blob and layer: {}", free());
    env.run(["manifest", "create", "list:1", "example.org/one:1"]).success();
    let held = free();
    assert!((2 << 20..3 << 20).contains(&held), "the layer alone: {held}");
    let before = du(&env.graphroot());
    env.run(["system", "prune", "-af"]).success();
    let given = before - du(&env.graphroot());
    assert!(given.abs_diff(held) <= 64 << 10, "promised {held}, given {given}");
    let total: u64 = sizes(&env).iter().map(|(size, _)| size).sum();
    let counted = du(&env.graphroot());
    assert!(total.abs_diff(counted) <= counted / 100 + (128 << 10), "df {total}, du {counted}");
    env.run(["manifest", "rm", "list:1"]).success();
    assert!(free() <= 64 << 10 || du(&env.graphroot()) < 1 << 20, "{}", free());
}

/// Nor does one give back what a container has mounted.
#[test]
fn a_mounted_image_is_not_reclaimable() {
    requires!(userns);
    let env = Env::with_busybox();
    let path = env.path("image.tar");
    ImageBuilder::scratch().layer(Layer::new().file("big", 0o644, &vec![7; 2 << 20])).docker_archive(&path, "big:1");
    env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    env.run(["create", "--name=c", "--mount=type=image,src=big:1,dst=/i", BUSYBOX, "true"]).success();
    let rows = env.run(["system", "df", "--format", "{{.Type}} {{.Total}} {{.Active}}"]).success().stdout();
    assert!(rows.starts_with("Images 2 2\n"), "{rows}");
    assert!(sizes(&env)[0].1 <= 64 << 10, "{:?}", sizes(&env));
    env.run(["image", "prune", "-af"]).prints("");
}

#[test]
fn prune_asks_and_filters() {
    requires!(userns);
    let env = Env::with_busybox();
    env.run(["create", "--name=plain", BUSYBOX, "true"]).success();
    env.run(["create", "--name=kept", "--label=keep=yes", BUSYBOX, "true"]).success();
    env.run(["run", "-d", "--name=runs", "--network=none", BUSYBOX, "sleep", "600"]).success();
    let asked = env.command(["system", "prune"]).stdin("n\n").run();
    asked.success().stdout_has("WARNING! This command removes:\n\t- all stopped containers\n\t- all dangling images\n");
    asked.stdout_has("Are you sure you want to continue? [y/N]");
    env.command(["system", "prune", "-a", "--volumes"]).stdin("").run().code(125).stdout_has("at least one container");
    assert_eq!(env.run(["ps", "-aq"]).stdout().lines().count(), 3);
    env.run(["system", "prune", "-f", "--filter", "until=24h"]).success();
    assert_eq!(env.run(["ps", "-aq"]).stdout().lines().count(), 3);
    env.run(["system", "prune", "-f", "--volumes", "--filter", "until=24h"]).code(125).stderr_has("until");
    env.run(["system", "prune", "-f", "--filter", "colour=red"]).code(125);
    env.run(["system", "prune", "-f", "--filter", "label!=keep"]).success();
    assert_eq!(env.run(["ps", "-a", "--format", "{{.Names}}"]).stdout().lines().count(), 2);
    env.command(["system", "prune"]).stdin("y\n").run().success();
    env.run(["ps", "-a", "--format", "{{.Names}}"]).prints("runs\n");
    env.run(["image", "exists", BUSYBOX]).success();
    env.run(["rm", "-f", "-t0", "runs"]).success();
}

#[test]
fn images_go_by_age_and_by_a_budget() {
    requires!(userns);
    let env = Env::new();
    for tag in ["old", "middle", "new"] {
        let path = env.path(tag);
        let content = tag.as_bytes().repeat(1 << 19);
        let image =
            ImageBuilder::busybox().layer(Layer::new().file(tag, 0o644, &content)).compression(Compression::Plain);
        image.oci_archive(&path, &format!("example.org/{tag}:1"));
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).success();
    }
    let names = |env: &Env| {
        let mut names = env.run(["images", "--format", "{{.Repository}}"]).success().stdout();
        names = names.replace("example.org/", "");
        let mut names: Vec<_> = names.lines().map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    // Last used long ago, all of them; then a container is made of one.
    for (tag, age) in [("old", "40 days ago"), ("middle", "20 days ago"), ("new", "30 days ago")] {
        let digest =
            env.run(["image", "inspect", &format!("example.org/{tag}:1"), "--format", "{{.Digest}}"]).trimmed();
        let record = env.graphroot().join(format!("images/{}.json", digest.strip_prefix("sha256:").unwrap()));
        assert!(Command::new("touch").arg("-d").arg(age).arg(record).status().unwrap().success());
    }
    env.run(["run", "--rm", "--network=none", "example.org/new:1", "true"]).success();
    for bad in ["--keep-size=x", "--unused-for=7", "--unused-for=1y"] {
        env.run(["system", "prune", "-f", bad]).code(125);
    }
    env.run(["gc", "--keep-size=x"]).code(125);
    env.run(["gc"]).success();
    env.run(["gc", "--unused-for=50d", "--keep-size=1G"]).success().stdout_has("Total reclaimed space: ");
    env.run(["system", "prune", "-f", "--unused-for=50d", "--keep-size=1G"]).success();
    assert_eq!(names(&env), "middle new old");
    // Of the two words for it one leaves containers alone.
    env.run(["create", "--name=idle", "example.org/new:1", "true"]).success();
    env.run(["gc", "--unused-for=30d"]).success().stdout_has("Deleted Images");
    env.run(["rm", "idle"]).success();
    assert_eq!(names(&env), "middle new", "a container was made of it a moment ago");
    let all = sizes(&env)[0].0;
    env.run(["system", "prune", "-f", &format!("--keep-size={}", all - 1)]).success();
    assert_eq!(names(&env), "new");
    // Not even a budget of nothing takes what a container uses, or a download that goes on.
    env.run(["create", "--name=uses", "--network=none", "example.org/new:1", "true"]).success();
    env.run(["system", "prune", "-f", "--keep-size=0", "--filter=label=x"]).code(125);
    env.run(["create", "--name=stays", "--network=none", "example.org/new:1", "true"]).success();
    let partial = env.graphroot().join("partial").join("a".repeat(64));
    std::fs::File::create(&partial).unwrap().write_all_at(b"half", 0).unwrap();
    std::fs::set_permissions(&partial, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    env.run(["system", "check", "--full"]).prints("").success();
    env.run(["image", "prune", "-f"]).success();
    assert!(partial.exists());
    assert!(Command::new("touch").args(["-d", "8 days ago"]).arg(&partial).status().unwrap().success());
    env.run(["system", "check"]).code(2).stdout_has("I9").stdout_has("a download that nobody has gone on with");
    env.run(["system", "check", "--repair"]).code(1);
    assert!(!partial.exists());
    std::fs::write(&partial, b"half").unwrap();
    env.run(["system", "prune", "-a", "-f"]).success();
    assert!(!partial.exists());
    assert_eq!(names(&env), "", "the containers did not run");
    env.run(["system", "check", "--full"]).prints("").success();
}
