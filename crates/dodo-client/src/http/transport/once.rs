//! Requests that are sent once. There is no loop in this file, and there must be none.

use serde::Serialize;

use super::{Ask, Transport, exchange::Exchange};
use crate::{
    error::{DecodeError, Error},
    evidence::ChargeEvidence,
    http::turn,
    lenient::Readable,
};

/// How the body of a 2xx is read.
pub(crate) type Decode<T> = fn(&[u8]) -> Result<T, DecodeError>;

/// The usual way: JSON.
pub(crate) fn json<T: Readable>(body: &[u8]) -> Result<T, DecodeError> {
    DecodeError::read(body)
}

/// For answers that older servers leave empty.
pub(crate) fn json_or_default<T: Readable + Default>(body: &[u8]) -> Result<T, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) { Ok(T::default()) } else { DecodeError::read(body) }
}

/// For answers without a body; whatever comes is ignored.
pub(crate) fn nothing(_: &[u8]) -> Result<(), DecodeError> {
    Ok(())
}

impl Transport {
    async fn once<Q, B>(&self, ask: &Ask<'_, Q, B>) -> Exchange
    where
        Q: Serialize + Sync + ?Sized,
        B: Serialize + Sync + ?Sized,
    {
        match ask.on(&self.single, self) {
            Ok(request) => self.exchange(request).await,
            Err(why) => Exchange::Unsent(why),
        }
    }

    /// Something that moves no money and is yet not to be done twice.
    pub(crate) async fn write<T, Q, B>(&self, ask: Ask<'_, Q, B>, decode: Decode<T>) -> Result<T, Error>
    where
        Q: Serialize + Sync + ?Sized,
        B: Serialize + Sync + ?Sized,
    {
        turn::turn(self.quota.as_ref()).await?;
        self.once(&ask).await.decoded(decode)
    }

    /// Something that may move money. Takes the request by value: it cannot be sent again. Asks no quota: it was marked as
    /// sent before, and nothing may hold it up now.
    pub(crate) async fn charge<T, Q, B>(&self, ask: Ask<'_, Q, B>, decode: Decode<T>) -> ChargeEvidence<T>
    where
        Q: Serialize + Sync + ?Sized,
        B: Serialize + Sync + ?Sized,
    {
        match self.once(&ask).await {
            Exchange::Unsent(why) => ChargeEvidence::Unsent(why),
            Exchange::Broken { status, cause } => ChargeEvidence::Broken { status, cause },
            Exchange::Refused(error) => ChargeEvidence::Refused(error),
            Exchange::Complete { status, body, .. } => match decode(&body) {
                Ok(reply) => ChargeEvidence::Accepted { status, reply },
                Err(reason) => ChargeEvidence::Undecodable { status, reason },
            },
        }
    }
}

impl Exchange {
    /// For reads and writes: an answer or an error.
    pub(super) fn decoded<T>(self, decode: Decode<T>) -> Result<T, Error> {
        match self {
            Self::Unsent(why) => Err(why.into()),
            Self::Broken { cause, .. } => Err(cause.into()),
            Self::Refused(error) => Err(error.into()),
            Self::Complete { status, body, .. } => {
                decode(&body).map_err(|reason| Error::Undecodable { status, reason })
            }
        }
    }
}
