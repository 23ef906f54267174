//! `VOLUME`s of an image: hostile paths (case C26).

use std::path::{Component, Path, PathBuf};

use crate::types::image_config::ImageConfig;

use super::error::Error;

/// Where nothing of the image's choosing is mounted.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// The targets of the image's volumes, cleaned as paths in the root: `..` cannot leave it.
pub(crate) fn image_volumes(image: &ImageConfig) -> Result<Vec<PathBuf>, Error> {
    let mut targets = Vec::new();
    for text in image.config.volumes.keys() {
        let refuse = || Error::ImageVolume(text.clone());
        let path = clean(Path::new(text)).filter(|_| !text.contains('\0')).ok_or_else(refuse)?;
        if path == Path::new("/") || KERNEL.iter().any(|kernel| path.starts_with(kernel)) {
            return Err(refuse());
        }
        if !targets.contains(&path) {
            targets.push(path);
        }
    }
    Ok(targets)
}

/// An absolute path without `.`, `..` and doubled slashes; none if it is relative.
pub(super) fn clean(path: &Path) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::{Path, clean, image_volumes};
    use crate::types::image_config::ImageConfig;

    #[test]
    fn c26_volume_abuse() {
        let of = |text: &str| {
            let mut image = ImageConfig::default();
            image.config.volumes.insert(text.to_owned(), serde_json::json!({}));
            image_volumes(&image)
        };
        for bad in ["/", "/proc", "/proc/sys", "/dev", "/sys/x", "//proc//", "/a/../proc", "a", "", "/..", "/a\0b"] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
        for (text, target) in
            [("/data", "/data"), ("/../../etc", "/etc"), ("/a//b/./c/", "/a/b/c"), ("/procx", "/procx")]
        {
            assert_eq!(of(text).expect(text), [Path::new(target)]);
        }
        assert_eq!(clean(Path::new("x/y")), None);
    }
}
