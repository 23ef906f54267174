//! `sampan info`.

use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::engine::info::Info;

use super::super::super::context::Context;
use super::super::super::error::Error;
use super::super::super::output::{json, template, yaml};

/// Shows what this host and this store are.
///
/// Without --format the answer is YAML. A Go template sees Podman's field names: {{.Host.Kernel}}, {{.Store.GraphRoot}}.
#[derive(Debug, clap::Args)]
pub(crate) struct InfoArgs {
    /// Form of the output: `json` or a Go template.
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Prints what the engine finds.
pub(crate) fn run(args: InfoArgs, context: &Context) -> Result<ExitCode, Error> {
    let info = context.engine()?.info()?;
    match &args.format {
        None => context.ui.write(yaml::text(&encode(&info)?).as_bytes())?,
        Some(format) if template::is_json(format) => json::print(&context.ui, &info)?,
        Some(format) => template::print_one(&context.ui, format, &go_names(encode(&info)?))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn encode(info: &Info) -> Result<Value, Error> {
    serde_json::to_value(info).map_err(Error::Encode)
}

/// Templates see the names of Podman's Go fields, JSON and YAML those of its tags.
fn go_names(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            // `.Registries` is a map in Go, whose keys stay.
            let renamed = fields.into_iter().map(|(key, value)| match key.as_str() {
                "registries" => (go_name(&key), value),
                _ => (go_name(&key), go_names(value)),
            });
            Value::Object(renamed.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(go_names).collect()),
        other => other,
    }
}

fn go_name(key: &str) -> String {
    match key {
        "cgroupVersion" => "CgroupsVersion".to_owned(),
        "cpus" => "CPUs".to_owned(),
        "idMappings" => "IDMappings".to_owned(),
        "uidmap" => "UIDMap".to_owned(),
        "gidmap" => "GIDMap".to_owned(),
        "ociRuntime" => "OCIRuntime".to_owned(),
        "os" => "OS".to_owned(),
        "slirp4netns" => "Slirp4NetNS".to_owned(),
        "apparmorEnabled" => "AppArmorEnabled".to_owned(),
        "capabilities" => "DefaultCapabilities".to_owned(),
        "seccompEnabled" => "SECCOMPEnabled".to_owned(),
        "seccompProfilePath" => "SECCOMPProfilePath".to_owned(),
        "selinuxEnabled" => "SELinuxEnabled".to_owned(),
        "container_id" => "ContainerID".to_owned(),
        "host_id" => "HostID".to_owned(),
        key => {
            let mut letters = key.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    }
}
