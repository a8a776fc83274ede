//! Dodo's identifiers as types of their own.
//!
//! They are opaque: nothing is read out of them. They are checked all the same, because they end up in URL
//! paths, where `sub/../1` would address something else. The same check runs on identifiers that Dodo sends,
//! so that one that was received can always be used.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest identifier that is taken. Dodo's own are 25 characters.
pub const MAX_LEN: usize = 64;

/// A text that is no identifier. It does not carry the text, which may come from anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing.
    #[error("an identifier is empty")]
    Empty,
    /// Longer than [`MAX_LEN`].
    #[error("an identifier of {0} bytes is too long")]
    TooLong(usize),
    /// Something else than letters, digits, `_` and `-`.
    #[error("an identifier holds other characters than letters, digits, `_` and `-`")]
    Character,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_LEN {
        return Err(IdError::TooLong(text.len()));
    }
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
        Ok(())
    } else {
        Err(IdError::Character)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that may stand in a URL path.
            ///
            /// # Errors
            /// When it is empty, too long or holds any other character than letters, digits, `_` and `-`.
            pub fn parse(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// As Dodo writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+ };
}

ids! {
    /// A buyer.
    CustomerId
    /// One payment, whatever became of it.
    PaymentId
    /// A saved way to pay. It never leaves the server.
    PaymentMethodId
    /// Something sold once or by subscription.
    ProductId
    /// Something sold along with a subscription.
    AddonId
    /// A subscription.
    SubscriptionId
    /// A checkout session.
    CheckoutSessionId
    /// A refund.
    RefundId
    /// An address that webhooks go to.
    WebhookEndpointId
    /// A dispute: a payment that its buyer had the bank call back.
    DisputeId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_dodo_sends() {
        for text in ["cus_8VbC6JDZzPEqfBPUdpj0K", "pm_x1", "A-b_9", &"x".repeat(MAX_LEN)] {
            assert_eq!(CustomerId::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses_what_would_change_a_path() {
        for text in [
            "sub/../1", "..", ".", "a/b", "a%2fb", "a?b", "a#b", "a b", "a\n", "ä", "a\0", "a:b", "a;b",
            "a\\b",
        ] {
            assert_eq!(SubscriptionId::parse(text), Err(IdError::Character), "{text:?}");
        }
        assert_eq!(SubscriptionId::parse(""), Err(IdError::Empty));
        assert_eq!(SubscriptionId::parse("x".repeat(MAX_LEN + 1)), Err(IdError::TooLong(MAX_LEN + 1)));
    }

    #[test]
    fn checks_received_identifiers_too() {
        assert!(serde_json::from_str::<PaymentId>(r#""pay_1""#).is_ok());
        assert!(serde_json::from_str::<PaymentId>(r#""pay/1""#).is_err());
        assert!(serde_json::from_str::<PaymentId>("1").is_err());
    }
}
