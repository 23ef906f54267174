//! Instructions of `--change`: a Containerfile's, but only those that change the configuration. Pure.

use crate::types::image_config::ProcessDefaults;
use crate::types::signal::{InvalidSignal, Signal};

/// Why an instruction changes nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidChange {
    #[error("{text:?}: {name} wants a value")]
    NoValue { text: String, name: String },
    #[error("{0:?} is no instruction that changes a configuration")]
    UnknownInstruction(String),
    #[error("{text}")]
    Json {
        text: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("STOPSIGNAL")]
    StopSignal(#[source] InvalidSignal),
    #[error("ONBUILD takes another instruction than ONBUILD")]
    OnBuildTwice,
    #[error("{0:?} is no port")]
    Port(String),
    #[error("{0:?}: KEY=VALUE is wanted")]
    NoPair(String),
    #[error("{0:?}: ends in a backslash")]
    Backslash(String),
    #[error("{0:?}: a quote is not closed")]
    OpenQuote(String),
}

/// Applies one instruction, such as `CMD ["sh"]` or `ENV A=1 B=2`.
pub(crate) fn apply(config: &mut ProcessDefaults, text: &str) -> Result<(), InvalidChange> {
    let text = text.trim();
    // Podman also takes `CMD=sh`.
    let end = text.find([' ', '\t', '=']).unwrap_or(text.len());
    let (name, value) = (text[..end].to_ascii_uppercase(), text[end..].trim_start_matches(['=', ' ', '\t']).trim_end());
    if value.is_empty() && !name.is_empty() {
        return Err(InvalidChange::NoValue { text: text.to_owned(), name });
    }
    match name.as_str() {
        "CMD" => config.cmd = Some(command(value)?),
        "ENTRYPOINT" => config.entrypoint = Some(command(value)?),
        "ENV" => {
            for (key, value) in pairs(value)? {
                config.env.retain(|old| old.split('=').next() != Some(key.as_str()));
                config.env.push(format!("{key}={value}"));
            }
        }
        "EXPOSE" => {
            for port in value.split_whitespace() {
                let port = if port.contains('/') { port.to_owned() } else { format!("{port}/tcp") };
                check_port(&port)?;
                config.exposed_ports.insert(port, empty());
            }
        }
        "LABEL" => config.labels.extend(pairs(value)?),
        // For those who build on this image; what that image would hand on to its own heirs is not for it to say.
        "ONBUILD" if value.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("ONBUILD")) => {
            return Err(InvalidChange::OnBuildTwice);
        }
        "ONBUILD" => config.on_build.get_or_insert_default().push(value.to_owned()),
        "STOPSIGNAL" => {
            value.parse::<Signal>().map_err(InvalidChange::StopSignal)?;
            value.clone_into(&mut config.stop_signal);
        }
        "USER" => value.clone_into(&mut config.user),
        "VOLUME" => {
            let paths = match json_array(value)? {
                Some(paths) => paths,
                None => value.split_whitespace().map(str::to_owned).collect(),
            };
            config.volumes.extend(paths.into_iter().map(|path| (path, empty())));
        }
        "WORKDIR" if value.starts_with('/') => value.clone_into(&mut config.working_dir),
        "WORKDIR" => {
            let base = if config.working_dir.is_empty() { "/" } else { config.working_dir.trim_end_matches('/') };
            config.working_dir = format!("{}/{value}", base.trim_end_matches('/'));
        }
        _ => return Err(InvalidChange::UnknownInstruction(name)),
    }
    Ok(())
}

fn empty() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

/// Exec form, a JSON array, or shell form.
fn command(value: &str) -> Result<Vec<String>, InvalidChange> {
    Ok(json_array(value)?.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned(), value.to_owned()]))
}

fn json_array(value: &str) -> Result<Option<Vec<String>>, InvalidChange> {
    if !value.starts_with('[') {
        return Ok(None);
    }
    let invalid = |source| InvalidChange::Json { text: value.to_owned(), source };
    serde_json::from_str(value).map(Some).map_err(invalid)
}

fn check_port(text: &str) -> Result<(), InvalidChange> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if first > 0 && first <= last && ["tcp", "udp", "sctp"].contains(&protocol) => Ok(()),
        _ => Err(InvalidChange::Port(text.to_owned())),
    }
}

/// `KEY=VALUE…` with quotes and backslashes, or the old form `KEY VALUE`.
fn pairs(text: &str) -> Result<Vec<(String, String)>, InvalidChange> {
    // The first word may be in quotes, with blanks in it. In the old form a quote is a letter, and may stand alone.
    let words_of_new = words(text);
    let first = match &words_of_new {
        Ok(words) => words.first().map_or("", String::as_str),
        Err(_) => text.split_whitespace().next().unwrap_or_default(),
    };
    if !first.contains('=') {
        let (key, value) =
            text.split_once(char::is_whitespace).ok_or_else(|| InvalidChange::NoPair(text.to_owned()))?;
        return Ok(vec![(key.to_owned(), value.trim_start().to_owned())]);
    }
    let mut found = Vec::new();
    for word in words_of_new? {
        match word.split_once('=') {
            Some((key, value)) if !key.is_empty() => found.push((key.to_owned(), value.to_owned())),
            _ => return Err(InvalidChange::NoPair(word)),
        }
    }
    Ok(found)
}

/// Words as a shell splits them: quotes group, a backslash takes the next character as it is.
fn words(text: &str) -> Result<Vec<String>, InvalidChange> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => {
                let next = characters.next().ok_or_else(|| InvalidChange::Backslash(text.to_owned()))?;
                word.get_or_insert_default().push(next);
            }
            (None, space) if space.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err(InvalidChange::OpenQuote(text.to_owned()));
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::apply;
    use crate::types::failure::chain;
    use crate::types::image_config::ProcessDefaults;

    #[test]
    fn instructions_change_the_configuration() {
        let mut config = ProcessDefaults::default();
        for text in [
            "CMD [\"sh\", \"-l\"]",
            "entrypoint echo $HOME",
            "ENV A=1 B=\"two words\" C=x\\ y",
            "ENV A 3 4",
            "EXPOSE 80 53/udp 1000-1010",
            "LABEL k=v \"l\"=w \"k k\"=x",
            "LABEL \"m m\"=y",
            "USER=me:us",
            "VOLUME [\"/data\"]",
            "VOLUME /a /b",
            "WORKDIR /srv",
            "WORKDIR www",
            "STOPSIGNAL SIGINT",
            "ONBUILD RUN make",
        ] {
            apply(&mut config, text).expect(text);
        }
        assert_eq!(config.cmd.as_deref(), Some(&["sh".to_owned(), "-l".to_owned()][..]));
        assert_eq!(config.entrypoint.expect("set"), ["/bin/sh", "-c", "echo $HOME"]);
        assert_eq!(config.env, ["B=two words", "C=x y", "A=3 4"]);
        assert_eq!(config.exposed_ports.keys().collect::<Vec<_>>(), ["1000-1010/tcp", "53/udp", "80/tcp"]);
        assert_eq!((config.labels["k"].as_str(), config.labels["l"].as_str()), ("v", "w"));
        assert_eq!((config.labels["k k"].as_str(), config.labels["m m"].as_str()), ("x", "y"));
        assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("me:us", "/srv/www"));
        assert_eq!((config.stop_signal.as_str(), config.on_build), ("SIGINT", Some(vec!["RUN make".to_owned()])));
        assert_eq!(config.volumes.keys().collect::<Vec<_>>(), ["/a", "/b", "/data"]);
    }

    #[test]
    fn bad_instructions_are_refused() {
        for (text, why) in [
            ("", "\"\" is no instruction"),
            ("CMD", "\"CMD\": CMD wants a value"),
            ("RUN x", "\"RUN\" is no instruction that changes a configuration"),
            ("CMD [1]", "[1]: invalid type"),
            ("ENV A", "\"A\": KEY=VALUE is wanted"),
            ("ENV A=1 B", "\"B\": KEY=VALUE is wanted"),
            ("ENV A=\"x", "\"A=\\\"x\": a quote is not closed"),
            ("ENV A=x\\", "\"A=x\\\\\": ends in a backslash"),
            ("EXPOSE 70000", "\"70000/tcp\" is no port"),
            ("EXPOSE x/y", "\"x/y\" is no port"),
            ("LABEL =v", "\"v\": KEY=VALUE is wanted"),
            ("EXPOSE 9-7", "\"9-7/tcp\" is no port"),
            ("ONBUILD", "\"ONBUILD\": ONBUILD wants a value"),
            ("onbuild ONBUILD RUN make", "ONBUILD takes another"),
            ("STOPSIGNAL bogus", "STOPSIGNAL: "),
        ] {
            let error = apply(&mut ProcessDefaults::default(), text).expect_err(text);
            assert!(chain(&error).starts_with(why), "{text:?}: {}", chain(&error));
        }
    }
}
