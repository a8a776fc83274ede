//! Reading what a server of another age sends: fields of another type, `null` where a value is usual, unknown words.
//!
//! An object is strict in what settles money and lenient in the rest. A field without which the object means nothing is
//! required by its type. A field that may be absent, and of which absence would say something false, stands in
//! [`Readable::STRICT`]. Every other field that cannot be read is left out, as if Dodo had not sent it: counted, and logged
//! once in the life of the process, by its path and never by its value.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use crate::error::DecodeError;

/// Most fields that are left out of one object. Reading starts again after each: an object made to cost time must not.
const MOST: usize = 64;

/// An answer, or an object in a webhook or a list.
pub trait Readable: DeserializeOwned {
    /// Name of the object in logs and metrics.
    const NAME: &'static str;

    /// Paths of the optional fields that are never left out alone (`status`, `refunds[].amount`). What holds such a field is
    /// left out in its place; where nothing does, the object cannot be read.
    const STRICT: &'static [&'static str] = &[];

    /// Paths of the lists from which an element that cannot be read is left out alone. Of every other list all elements are
    /// kept, or the list is left out.
    const ROWS: &'static [&'static str] = &[];

    /// Takes note of a path that was left out, for those who must not take it for absent.
    fn left_out(&mut self, path: &str) {
        let _ = path;
    }
}

/// Anything may be JSON.
impl Readable for Value {
    const NAME: &'static str = "json";
}

/// Reads an object, and leaves out what cannot be read and settles nothing.
///
/// # Errors
/// [`DecodeError::Shape`] with the path of the first strict field that cannot be read.
pub(crate) fn from_value<T: Readable>(mut object: Value) -> Result<T, DecodeError> {
    let mut left_out: Vec<(String, &'static str)> = Vec::new();
    let mut stopped_at = None;
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&object) {
            Ok(mut read) => {
                for (path, found) in &left_out {
                    note(T::NAME, path, found);
                    read.left_out(path);
                }
                return Ok(read);
            }
            Err(error) => error,
        };
        let reason = stopped_at.get_or_insert_with(|| DecodeError::shape(error.path())).clone();
        if left_out.len() >= MOST {
            return Err(reason);
        }
        left_out.push(leave_out::<T>(&mut object, error.path()).ok_or(reason)?);
    }
}

/// Reads the rows of a list one by one. Returns those that can be read, and the number of those that cannot.
#[cfg(feature = "http")]
pub(crate) fn rows<T: Readable>(rows: Vec<Value>) -> (Vec<T>, usize) {
    let all = rows.len();
    let read: Vec<T> = rows.into_iter().filter_map(|row| from_value(row).ok()).collect();
    let unreadable = all.saturating_sub(read.len());
    (read, unreadable)
}

/// Takes the innermost field at or above `path` that may be left out from the object. Returns its path and the type of what
/// was there; `None` where nothing may be left out.
fn leave_out<T: Readable>(object: &mut Value, path: &Path) -> Option<(String, &'static str)> {
    let known = |segment: &&Segment| matches!(segment, Segment::Seq { .. } | Segment::Map { .. });
    let steps: Vec<&Segment> = path.iter().take_while(known).collect();
    (1..=steps.len()).rev().find_map(|depth| {
        let (above, last) = (steps.get(..depth.checked_sub(1)?)?, steps.get(depth.checked_sub(1)?)?);
        let holder = above.iter().try_fold(&mut *object, |value, step| match step {
            Segment::Map { key } => value.get_mut(key),
            Segment::Seq { index } => value.get_mut(*index),
            _ => None,
        })?;
        let (list, field) = (pattern(above), pattern(steps.get(..depth)?));
        let taken = match (last, holder) {
            (Segment::Map { key }, Value::Object(map)) if !T::STRICT.contains(&field.as_str()) => {
                map.remove(key)?
            }
            (Segment::Seq { index }, Value::Array(all))
                if T::ROWS.contains(&list.as_str()) && *index < all.len() =>
            {
                all.remove(*index)
            }
            _ => return None,
        };
        Some((field, kind(&taken)))
    })
}

/// `refunds[].amount`: the path of a field in any element. It holds names of our own fields only, so there are few.
fn pattern(steps: &[&Segment]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Segment::Map { key } if text.is_empty() => text.push_str(key),
            Segment::Map { key } => {
                text.push('.');
                text.push_str(key);
            }
            _ => text.push_str("[]"),
        }
    }
    text
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Counts a field that was left out, and logs it the first time.
fn note(object: &'static str, field: &str, found: &'static str) {
    static LOGGED: Mutex<BTreeSet<(&'static str, String)>> = Mutex::new(BTreeSet::new());
    metrics::counter!("upsell_upstream_unreadable_fields_total", "object" => object, "field" => field.to_owned())
        .increment(1);
    let is_first = LOGGED.lock().unwrap_or_else(PoisonError::into_inner).insert((object, field.to_owned()));
    if is_first {
        tracing::warn!(object, field, found, "unreadable field of a Dodo object left out");
    }
}

/// `null` reads as the default. Together with `#[serde(default)]` a missing field does as well.
pub(crate) fn null_as_default<'de, D, T>(input: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// Declares an enum of strings that grows on Dodo's side: what is not known here is kept as it came.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// Not known to this version.
            Unknown(String),
        }

        impl $name {
            /// As Dodo writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Unknown(text),
                }
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }
    };
}
pub(crate) use open_enum;

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, Debug)]
    struct Told {
        #[serde(default)]
        #[expect(dead_code, reason = "only decoded")]
        card: Option<String>,
    }

    impl Readable for Told {
        const NAME: &'static str = "told";
    }

    /// Lines that were logged.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_field_left_out_is_counted_each_time_and_logged_once_without_its_value() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            metrics::with_local_recorder(&recorder, || {
                for secret in [4242, 4343] {
                    from_value::<Told>(json!({ "card": secret })).unwrap();
                }
            });
        });
        let counted = recorder.handle().render();
        let wanted = r#"upsell_upstream_unreadable_fields_total{object="told",field="card"} 2"#;
        assert!(counted.contains(wanted), "{counted}");
        let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(logged.matches("unreadable field").count(), 1, "{logged}");
        assert!(logged.contains(r#"field="card""#) && logged.contains(r#"found="number""#), "{logged}");
        assert!(!logged.contains("4242") && !counted.contains("4242"), "{logged}");
    }
}
