//! `tag`, `untag`, `images`, `history`.

use super::peer::Served;
use crate::harness::image::{self, ImageBuilder, Layer};
use crate::harness::{Env, requires};

#[test]
fn an_image_gets_and_loses_names() {
    requires!(userns);
    let env = Env::new();
    let peer = Served::new(&ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"one\n"))).start();
    let id = env.run(["pull", "-q", "--tls-verify=false", &peer.name()]).success().trimmed();
    env.run(["tag", &id[..12], "mine", "example.org/theirs:2"]).success();
    let list = env.run(["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    for name in [&peer.name(), "localhost/mine:latest", "example.org/theirs:2"] {
        list.stdout_has(&format!("{name}\n"));
    }
    env.run(["images", "-q", "mine"]).prints(&format!("{}\n", &id[..12]));
    env.run(["images", "-q", "--format", "{{.Nope}}", "mine"]).prints(&format!("{}\n", &id[..12]));
    env.run(["images", "-q", "--format", "json", "mine"]).stdout_has("\"Id\"");
    env.run(["images", "--noheading", "nope"]).prints("");
    env.run(["images", "--filter", "reference=*/theirs", "-q"]).prints(&format!("{}\n", &id[..12]));
    let range = ["table {{range .}}{{.ID}}  {{.Size}}\n{{end}}", "{{- range . }}{{json .ID}}{{\"\\n\"}}{{end}}"];
    let table = env.run(["images", "--format", range[0], "mine"]).success().stdout();
    assert!(table.starts_with("IMAGE ID") && table.contains(&id[..12]), "{table}");
    env.run(["images", "--format", range[1], "mine"]).prints(&format!("\"{}\"\n", &id[..12]));
    env.run(["images", "--format", "{{.repository}}"]).code(125);
    env.run(["images", "--filter", "nope=1"]).code(125).stderr_has("unknown key");
    env.run(["untag", "mine", "theirs"]).code(125);
    env.run(["untag", "mine", "mine"]).success();
    env.run(["image", "exists", "mine"]).code(1);
    env.run(["untag", &id]).success();
    env.run(["images", "--format", "{{.Repository}} {{.Tag}} {{.Dangling}}"]).prints("<none> <none> true\n");
    env.run(["history", "--format", "{{.CreatedBy}} {{.Size}}", &id]).prints("layer 0 4 B\n");
    env.run(["tag", &id, "Upper"]).code(125).stderr_has("lower case");
    env.run(["tag", "nope", "x"]).code(125).stderr_has("image not known");
}

/// Only what a registry was asked for has a name with a digest: whoever names one must get that and nothing else.
#[test]
fn nobody_forges_a_name_with_a_digest() {
    requires!(userns);
    let env = Env::new();
    let forged = format!("127.0.0.1:5999/team/base@sha256:{}", "70".repeat(32));
    let image = ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"evil\n"));
    let (docker, oci, dir) = (env.path("docker.tar"), env.path("oci.tar"), env.path("dir"));
    for name in [forged.clone(), forged.replace('@', ":1@")] {
        image.docker_archive(&docker, &name);
        image.oci_archive(&oci, &name);
        image.oci_dir(&dir, &name);
        for path in [&docker, &oci, &dir] {
            env.run(["load", "-q", "-i", path.to_str().unwrap()]).code(125).stderr_has("it holds a digest");
        }
        env.run(["pull", "-q", &format!("oci-archive:{}", oci.display())]).code(125).stderr_has("it holds a digest");
        let tar = image::busybox_tar().to_str().unwrap();
        env.run(["import", "-q", tar, &name]).code(125).stderr_has("it holds a digest");
        std::fs::remove_dir_all(&dir).unwrap();
    }
    env.run(["images", "-aq"]).prints("");

    // A file in a store of somebody else's may say it all the same.
    image.oci_archive(&oci, "localhost/mine:1");
    env.run(["load", "-q", "-i", oci.to_str().unwrap()]).success();
    let refs = env.graphroot().join("refs");
    let (own, file) = (refs.join("localhost+mine:1"), refs.join(forged.replace('/', "+")));
    std::fs::copy(&own, &file).unwrap();
    std::fs::write(&file, std::fs::read_to_string(&own).unwrap().replace("localhost/mine:1", &forged)).unwrap();
    env.run(["image", "exists", &forged]).code(1);
    env.run(["create", "--pull=never", &forged, "x"]).code(125);
    let digest = env.run(["images", "--format", "{{.Digest}}", "mine"]).trimmed();
    env.run(["image", "exists", &format!("mine@{digest}")]).success();
}

/// As Podman: whoever archived a short name did not say whose it is.
#[test]
fn short_names_in_archives_are_of_this_machine() {
    requires!(userns);
    let env = Env::new();
    let image = ImageBuilder::scratch().layer(Layer::new().file("a", 0o644, b"1"));
    let path = env.path("image.tar");
    for (name, full) in [
        ("deb:12", "localhost/deb:12"),
        ("team/deb:1", "localhost/team/deb:1"),
        ("deb", "localhost/deb:latest"),
        ("docker.io/library/deb:12", "docker.io/library/deb:12"),
    ] {
        image.oci_archive(&path, name);
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).prints(&format!("Loaded image: {full}\n"));
        image.docker_archive(&path, name);
        env.run(["load", "-q", "-i", path.to_str().unwrap()]).prints(&format!("Loaded image: {full}\n"));
    }
    // The first image of a docker-archive, by its place, has the names that it has there.
    image.docker_archive(&path, "first:1");
    env.run(["pull", "-q", &format!("docker-archive:{}:@0", path.display())]).success();
    env.run(["image", "exists", "localhost/first:1"]).success();
    env.run(["pull", "-q", &format!("docker-archive:{}:@1", path.display())]).code(125).stderr_has("it holds 1 images");
    env.run(["save", "-q", "--uncompressed", "-o", path.to_str().unwrap(), "first:1"]).success();
    image.oci_archive(&path, "other/deb:3");
    env.run(["pull", "-q", &format!("oci-archive:{}", path.display())]).success();
    env.run(["image", "exists", "localhost/other/deb:3"]).success();
}
