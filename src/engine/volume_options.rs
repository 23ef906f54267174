//! `volume create --opt`: what Podman's local driver knows, as far as it needs no mount on the host.

use std::collections::BTreeMap;

use super::error::Error;

/// Where the user and the group of a volume stand among its options, as in Podman.
const UID: &str = "UID";
const GID: &str = "GID";

/// What the options of a new volume want of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Of its directory, as containers see it.
    pub(super) owner: Option<(u32, u32)>,
    /// Nothing is copied into it from an image.
    pub(super) no_copy: bool,
}

impl Wanted {
    /// Reads the options; `uid` and `gid` of `o=` go where `--uid` and `--gid` are kept.
    pub(super) fn of(options: &mut BTreeMap<String, String>) -> Result<Self, Error> {
        let mut wanted = Self::default();
        let mut ids = BTreeMap::new();
        for (key, value) in options.iter() {
            match key.as_str() {
                "nocopy" => wanted.no_copy = true,
                // No volume has a quota.
                "copy" | "noquota" | UID | GID => {}
                "o" => wanted.mount_options(value, &mut ids)?,
                _ => return Err(Error::VolumeOption(key.clone())),
            }
        }
        options.extend(ids);
        wanted.owner = owner(options)?;
        // An owner that was asked for is not that of the image's directory.
        wanted.no_copy |= wanted.owner.is_some();
        Ok(wanted)
    }

    fn mount_options(&mut self, text: &str, ids: &mut BTreeMap<String, String>) -> Result<(), Error> {
        for option in text.split(',') {
            match option.split_once('=') {
                Some(("uid", id)) => drop(ids.insert(UID.to_owned(), id.to_owned())),
                Some(("gid", id)) => drop(ids.insert(GID.to_owned(), id.to_owned())),
                None if option == "nocopy" => self.no_copy = true,
                None if matches!(option, "copy" | "noquota") => {}
                _ => return Err(Error::VolumeOption(option.to_owned())),
            }
        }
        Ok(())
    }
}

/// The owner among the options of a volume; 0 is the other half of one that has only a user or a group.
pub(super) fn owner(options: &BTreeMap<String, String>) -> Result<Option<(u32, u32)>, Error> {
    let id = |key: &str| {
        let parsed = options.get(key).map(|text| (text, text.parse::<u32>().ok()));
        parsed.map(|(text, id)| id.ok_or_else(|| Error::VolumeOwner(text.clone()))).transpose()
    };
    let (uid, gid) = (id(UID)?, id(GID)?);
    Ok((uid.is_some() || gid.is_some()).then(|| (uid.unwrap_or(0), gid.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    fn wanted(options: &[(&str, &str)]) -> Option<(Option<(u32, u32)>, bool)> {
        let mut options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Wanted::of(&mut options).ok().map(|wanted| (wanted.owner, wanted.no_copy))
    }

    #[test]
    fn options_of_podmans_local_driver() {
        assert_eq!(wanted(&[]), Some((None, false)));
        assert_eq!(wanted(&[("o", "uid=5,gid=6,noquota")]), Some((Some((5, 6)), true)));
        assert_eq!(wanted(&[("UID", "7")]), Some((Some((7, 0)), true)));
        assert_eq!(wanted(&[("nocopy", "")]), Some((None, true)));
        assert_eq!(wanted(&[("o", "nocopy")]), Some((None, true)));
        for (key, value) in
            [("type", "tmpfs"), ("device", "/x"), ("o", "size=1m"), ("o", "bind"), ("o", "uid=x"), ("UID", "-1")]
        {
            assert_eq!(wanted(&[(key, value)]), None, "{key}={value}");
        }
    }
}
