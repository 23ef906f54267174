//! The verbs of `sampan image`.

use std::process::ExitCode;

use clap::Subcommand;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::container::diff;
use super::super::registry::search;
use super::{exists, history, import, inspect, list, load, mount, prune, pull, push, remove, save, tag, tree, untag};

#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Image {
    Diff(diff::ImageDiffArgs),
    Exists(exists::ExistsArgs),
    History(history::HistoryArgs),
    Import(import::ImportArgs),
    Inspect(inspect::ImageInspectArgs),
    #[command(visible_alias = "ls")]
    List(list::ImagesArgs),
    Load(load::LoadArgs),
    Mount(mount::ImageMountArgs),
    Prune(prune::ImagePruneArgs),
    Pull(pull::PullArgs),
    Push(Box<push::PushArgs>),
    Rm(remove::RmiArgs),
    Save(save::SaveArgs),
    Search(search::SearchArgs),
    Tag(tag::TagArgs),
    Tree(tree::ImageTreeArgs),
    #[command(visible_alias = "umount")]
    Unmount(mount::ImageUnmountArgs),
    Untag(untag::UntagArgs),
}

pub(crate) fn run(verb: Image, context: &Context) -> Result<ExitCode, Error> {
    match verb {
        Image::Diff(args) => diff::run_image(args, context),
        Image::Exists(args) => exists::run(args, context),
        Image::History(args) => history::run(args, context),
        Image::Import(args) => import::run(args, context),
        Image::Inspect(args) => inspect::run(args, context),
        Image::List(args) => list::run(args, context),
        Image::Load(args) => load::run(args, context),
        Image::Mount(args) => mount::run(args, context),
        Image::Prune(args) => prune::run(args, context),
        Image::Pull(args) => pull::run(args, context),
        Image::Push(args) => push::run(*args, context),
        Image::Rm(args) => remove::run(args, context),
        Image::Save(args) => save::run(args, context),
        Image::Search(args) => search::run(args, context),
        Image::Tag(args) => tag::run(args, context),
        Image::Tree(args) => tree::run(args, context),
        Image::Unmount(args) => mount::run_unmount(args, context),
        Image::Untag(args) => untag::run(args, context),
    }
}
