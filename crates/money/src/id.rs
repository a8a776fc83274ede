//! Opaque identifiers. Parsed once at the edge; inside, a value of these types is safe to put into a URL path, where
//! `sub/../1` would address something else.

/// Error parsing an identifier. It never holds the input, which may come from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Nothing there.
    Empty,
    /// Longer than [`MAX_LEN`] bytes.
    TooLong,
    /// A byte outside `[A-Za-z0-9_-]`; its position.
    BadByte(usize),
}

impl core::fmt::Display for IdError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty identifier",
            Self::TooLong => "identifier too long",
            Self::BadByte(_) => "identifier has a character outside [A-Za-z0-9_-]",
        })
    }
}

impl core::error::Error for IdError {}

/// Longest identifier accepted, in bytes. Dodo's are 25; UUIDs are 36.
pub const MAX_LEN: usize = 64;

/// Checks what [`id!`] types admit.
///
/// # Errors
/// [`IdError`] says what is wrong with the text.
#[doc(hidden)]
pub fn check(s: &str) -> Result<(), IdError> {
    if s.is_empty() {
        return Err(IdError::Empty);
    }
    if s.len() > MAX_LEN {
        return Err(IdError::TooLong);
    }
    match s.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'-')) {
        Some(at) => Err(IdError::BadByte(at)),
        None => Ok(()),
    }
}

/// Describes an identifier in the OpenAPI document, as [`check`] admits it.
#[cfg(feature = "openapi")]
#[doc(hidden)]
#[must_use]
pub fn schema(description: &str) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .min_length(Some(1))
        .max_length(Some(MAX_LEN))
        .pattern(Some("^[A-Za-z0-9_-]+$"))
        .into()
}

/// The OpenAPI half of [`id!`]. Chosen by this crate's feature, not by that of the crate that declares the identifier.
#[cfg(feature = "openapi")]
#[doc(hidden)]
#[macro_export]
macro_rules! id_schema {
    ($name:ident, $doc:expr) => {
        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::Schema> {
                $crate::id::schema($doc)
            }
        }

        impl $crate::utoipa::ToSchema for $name {}
    };
}

/// The OpenAPI half of [`id!`], empty without the feature.
#[cfg(not(feature = "openapi"))]
#[doc(hidden)]
#[macro_export]
macro_rules! id_schema {
    ($name:ident, $doc:expr) => {};
}

/// Declares an identifier type: 1 to 64 bytes of `[A-Za-z0-9_-]`, parsed, compared and shown as text.
#[macro_export]
macro_rules! id {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses an identifier: 1 to 64 bytes of `[A-Za-z0-9_-]`.
            ///
            /// # Errors
            /// The error says what is wrong with the text.
            pub fn parse(s: impl Into<String>) -> Result<Self, $crate::IdError> {
                let s = s.into();
                $crate::id::check(&s)?;
                Ok(Self(s))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        $crate::id_schema!($name, concat!($($doc),+).trim());

        impl TryFrom<String> for $name {
            type Error = $crate::IdError;
            fn try_from(s: String) -> Result<Self, $crate::IdError> {
                Self::parse(s)
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(s: &str) -> Result<Self, $crate::IdError> {
                Self::parse(s)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A product at Dodo (`product_id`).
    ProductId
);
id!(
    /// Something sold along with a subscription at Dodo (`addon_id`).
    AddonId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_dodo_sends() {
        for text in ["cus_8VbC6JDZzPEqfBPUdpj0K", "pm_x1", "A-b_9", &"x".repeat(MAX_LEN)] {
            assert_eq!(ProductId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_would_change_a_path() {
        for text in [
            "sub/../1", "..", ".", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\n", "ä", "a\0", "a:b", "a;b",
            "a\\b",
        ] {
            assert!(matches!(ProductId::parse(text), Err(IdError::BadByte(_))), "{text:?}");
        }
        assert_eq!(ProductId::parse(""), Err(IdError::Empty));
        assert_eq!(ProductId::parse("x".repeat(MAX_LEN + 1)), Err(IdError::TooLong));
    }

    #[test]
    fn checks_received_identifiers_too() {
        assert!(serde_json::from_str::<ProductId>(r#""prod_1""#).is_ok());
        assert!(serde_json::from_str::<ProductId>(r#""prod/1""#).is_err());
        assert!(serde_json::from_str::<ProductId>("1").is_err());
    }
}
