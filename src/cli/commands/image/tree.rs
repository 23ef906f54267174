//! `sampan image tree`.

use std::process::ExitCode;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::table::clean;
use crate::engine::images::TreeNode;
use crate::types::reference::Reference;
use crate::types::size;

/// Shows the layers of an image as a tree.
#[derive(Debug, clap::Args)]
pub(crate) struct ImageTreeArgs {
    /// Everything that stands on the image, instead of what it stands on.
    #[arg(long)]
    whatrequires: bool,
    /// Name or id of the image.
    #[arg(value_name = "IMAGE")]
    image: String,
}

/// Prints the tree.
pub(crate) fn run(args: ImageTreeArgs, context: &Context) -> Result<ExitCode, Error> {
    let tree = context.engine()?.image_tree(&args.image, args.whatrequires)?;
    let mut text = format!("Image ID: {}\n", tree.id.short());
    text.push_str(&format!("Tags:     [{}]\n", names(&tree.names)));
    text.push_str(&format!("Size:     {}\n", size::human(tree.size)));
    text.push_str(if tree.layers.is_empty() { "No Image Layers\n" } else { "Image Layers\n" });
    draw(&tree.layers, "", &mut text);
    context.ui.line(text)?;
    Ok(ExitCode::SUCCESS)
}

fn draw(nodes: &[TreeNode], indent: &str, text: &mut String) {
    for (index, node) in nodes.iter().enumerate() {
        let (branch, below) = if index + 1 == nodes.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
        let tops = if node.tops.is_empty() { String::new() } else { format!(" Top Layer of: [{}]", names(&node.tops)) };
        let line = format!("ID: {} Size: {:>7}{tops}", &node.chain.0.hex()[..12], size::human(node.size));
        text.push_str(&format!("{indent}{branch}{}\n", clean(&line)));
        draw(&node.above, &format!("{indent}{below}"), text);
    }
}

fn names(names: &[Reference]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
