//! Reads a struct from JSON and sets its unknown fields apart.
//!
//! What `#[serde(flatten)]` does too, but that holds the whole object as a tree first, because it cannot know which
//! fields are known. Serde tells them to the deserialiser (`deserialize_struct`), so one pass is enough.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use super::record::Rest;

/// The value in `bytes`, and the fields of its object that `T` does not have.
pub(super) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<(T, Rest)> {
    let mut rest = Rest::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(Outermost { inner: &mut json, rest: &mut rest })?;
    json.end()?;
    Ok((value, rest))
}

/// The deserialiser of the outermost value.
struct Outermost<'a, D> {
    inner: D,
    rest: &'a mut Rest,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Outermost<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_map(Object { visitor, fields, rest: self.rest })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Shows the struct's visitor an object with the known fields only.
struct Object<'a, T> {
    visitor: T,
    fields: &'static [&'static str],
    rest: &'a mut Rest,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Object<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<V::Value, M::Error> {
        self.visitor.visit_map(Object { visitor: map, fields: self.fields, rest: self.rest })
    }
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for Object<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        while let Some(key) = self.visitor.next_key_seed(KeyOf(self.fields))? {
            match key {
                Key::Known(name) => return seed.deserialize(StrDeserializer::new(name)).map(Some),
                Key::Unknown(name) => {
                    let value = self.visitor.next_value()?;
                    if self.rest.insert(name, value).is_some() {
                        return Err(M::Error::custom("duplicate field"));
                    }
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, M::Error> {
        self.visitor.next_value_seed(seed)
    }
}

/// The name of a field.
enum Key {
    Known(&'static str),
    Unknown(String),
}

/// Reads a [`Key`], given the known ones.
struct KeyOf(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for KeyOf {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf {
    type Value = Key;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, text: &str) -> Result<Key, E> {
        let known = self.0.iter().find(|name| **name == text);
        Ok(known.map_or_else(|| Key::Unknown(text.to_owned()), |name| Key::Known(name)))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::from_slice;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Small {
        first: u32,
        #[serde(default)]
        second: Vec<String>,
    }

    #[test]
    fn unknown_fields_are_set_apart() {
        let text = br#"{"Future": {"x": [1, 2]}, "First": 1, "Second": ["a"], "more": null}"#;
        let (small, rest) = from_slice::<Small>(text).expect("valid");
        assert_eq!(small, Small { first: 1, second: vec!["a".to_owned()] });
        assert_eq!(serde_json::Value::Object(rest), serde_json::json!({"Future": {"x": [1, 2]}, "more": null}));
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for text in [
            &b"{}"[..],
            b"[1, []]",
            b"{\"First\": 1} x",
            b"{\"First\": 1, \"First\": 2}",
            b"{\"First\": 1, \"y\": 1, \"y\": 2}",
            b"{\"First\": 1",
            b"",
        ] {
            assert!(from_slice::<Small>(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
