//! `tag`, `untag`, `images`, `history`.

use super::peer::Served;
use crate::harness::image::{ImageBuilder, Layer};
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
    env.run(["images", "--noheading", "nope"]).prints("");
    env.run(["images", "--filter", "reference=*/theirs", "-q"]).prints(&format!("{}\n", &id[..12]));
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
