//! Opaque identifiers. Parsed once at the edge; inside, a value of these types is already safe to put into a path.

use serde::{Deserialize, Serialize};

/// Why a string is not an identifier.
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

fn check(s: &str) -> Result<(), IdError> {
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

/// What [`check`] lets through, for the description of the API.
#[cfg(feature = "openapi")]
fn schema(description: &str) -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .min_length(Some(1))
        .max_length(Some(MAX_LEN))
        .pattern(Some("^[A-Za-z0-9_-]+$"))
        .into()
}

macro_rules! id {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses an identifier: 1 to 64 bytes of `[A-Za-z0-9_-]`.
            ///
            /// # Errors
            /// [`IdError`] says what is wrong with it.
            pub fn parse(s: impl Into<String>) -> Result<Self, IdError> {
                let s = s.into();
                check(&s)?;
                Ok(Self(s))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                schema(concat!($($doc),+).trim())
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(s: String) -> Result<Self, IdError> {
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
    /// One offer to one buyer.
    OfferId
);
id!(
    /// One quote. The only thing about money that the browser sends back.
    QuoteId
);
id!(
    /// One try to collect one quote.
    AttemptId
);
id!(
    /// A product at Dodo (`product_id`).
    ProductId
);
id!(
    /// The browser's name for one intention to pay; the same key never pays twice. Sent in the `Idempotency-Key`
    /// header (draft-ietf-httpapi-idempotency-key-header), quoted or bare.
    IdempotencyKey
);
