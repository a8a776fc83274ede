//! The backend as the driver sees it: one method an endpoint, wire types in and out, typed errors. The only place that
//! knows paths and headers. What an error means for the buyer is decided in `flow`.

mod offer_answer;
mod send;

use flow::offer::AcceptBody;
use flow::{ApiError, Intent};
use gloo_timers::future::TimeoutFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::{
    AcceptRequest, Attempt, AttemptId, ChangeRequest, DeclineRequest, DeclineResponse, ErrorCode,
    HandoverResponse, PaymentMethodLink, PlansResponse, PreviewRequest, PreviewResponse, QuoteId,
    SeenRequest, SessionResponse, StayOffer, StayOfferRequest, StayOfferResponse, TakeOverRequest,
    UpsellResponse,
};

pub use self::offer_answer::decode_offer;
use self::send::{Call, send};
use crate::config::Config;
use crate::text::LANGUAGES;

/// The buyer looks at a spinner for no longer than this, in milliseconds.
const PATIENCE: u32 = 8_000;

/// The proxy answers a charge within this, even when Dodo is slow, in milliseconds. The buyer sees a calm notice long
/// before.
const CHARGE_PATIENCE: u32 = 35_000;

/// A backend at one address, for one buyer.
#[derive(Clone)]
pub struct ProxyClient {
    endpoint: String,
    token: String,
    browser: String,
    locale: String,
}

impl ProxyClient {
    /// A client with these settings.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            endpoint: config.endpoint.clone(),
            token: config.token.clone(),
            browser: config.browser.clone(),
            locale: config.locale.clone(),
        }
    }

    /// `GET {endpoint}`: the offer.
    pub async fn load_offer(self) -> Result<Box<UpsellResponse>, ApiError> {
        decode_offer(&self.first_answer().await?).map_err(ApiError::BadField)
    }

    /// `GET {endpoint}`: the plans.
    pub async fn load_plans(self) -> Result<Box<PlansResponse>, ApiError> {
        decode(&self.first_answer().await?)
    }

    /// `POST {endpoint}/accept`: charges. A basic backend knows itself what it offered, so nothing is said there, and
    /// no header that its CORS rules might not know.
    pub async fn accept(
        self,
        body: AcceptBody,
        Intent { key, consent }: Intent,
    ) -> Result<Attempt, ApiError> {
        let (body, key) = match body {
            AcceptBody::Offer { offer_id, quote_id, quantity, pay_with } => {
                let (quantity, consent) = (Some(quantity), Some(consent));
                (encode(&AcceptRequest { offer_id, quote_id, quantity, pay_with, consent })?, Some(key))
            }
            AcceptBody::ListPrice => ("{}".to_owned(), None),
        };
        let call = Call { key, patience: CHARGE_PATIENCE, ..self.post("/accept", body) };
        decode(&send(call).await?)
    }

    /// `POST {endpoint}/change`: changes the plan, and charges what the quote says.
    pub async fn change(
        self,
        quote_id: QuoteId,
        Intent { key, consent }: Intent,
    ) -> Result<Attempt, ApiError> {
        let body = encode(&ChangeRequest { quote_id, consent: Some(consent) })?;
        let call = Call { key: Some(key), patience: CHARGE_PATIENCE, ..self.post("/change", body) };
        decode(&send(call).await?)
    }

    /// `GET {endpoint}/attempts/{id}`.
    pub async fn attempt(self, id: AttemptId) -> Result<Attempt, ApiError> {
        decode(&send(self.call("GET", &["/attempts/", id.as_str()].concat())).await?)
    }

    /// `POST {endpoint}/decline`, sent even if the page goes away. Returns what is offered next.
    pub async fn decline(self, request: DeclineRequest) -> Result<Option<Box<UpsellResponse>>, ApiError> {
        let path = ["/decline", &self.languages()].concat();
        let call = Call { keepalive: true, ..self.post(&path, encode(&request)?) };
        decode::<DeclineResponse>(&send(call).await?).map(|response| response.next)
    }

    /// `POST {endpoint}/seen`. Nobody waits for the answer.
    pub async fn seen(self, request: SeenRequest) -> Result<(), ApiError> {
        let call = Call { keepalive: true, ..self.post("/seen", encode(&request)?) };
        send(call).await.map(|_| ())
    }

    /// `POST {endpoint}/preview`: what a plan change would charge.
    pub async fn preview(self, request: PreviewRequest) -> Result<Box<PreviewResponse>, ApiError> {
        decode(&send(self.post("/preview", encode(&request)?)).await?)
    }

    /// `POST {endpoint}/payment-method`: where another card is given.
    pub async fn card_link(self) -> Result<PaymentMethodLink, ApiError> {
        decode(&send(self.post("/payment-method", "{}".to_owned())).await?)
    }

    /// `DELETE {endpoint}/scheduled`: takes the booked change back.
    pub async fn take_back(self) -> Result<(), ApiError> {
        send(self.call("DELETE", "/scheduled")).await.map(|_| ())
    }

    /// `POST {endpoint}/stay-offer`: what is proposed before the buyer leaves the plan.
    pub async fn stay_offer(self, request: StayOfferRequest) -> Result<Option<Box<StayOffer>>, ApiError> {
        let path = ["/stay-offer", &self.languages()].concat();
        let answer = send(self.post(&path, encode(&request)?)).await?;
        decode::<StayOfferResponse>(&answer).map(|response| response.offer)
    }

    /// `POST {endpoint}/decline`, sent even if the page goes away: a stay-offer is refused.
    pub async fn decline_stay_offer(self, request: DeclineRequest) -> Result<(), ApiError> {
        let call = Call { keepalive: true, ..self.post("/decline", encode(&request)?) };
        send(call).await.map(|_| ())
    }

    /// `POST {endpoint}/cancellation`: cancels for the next billing date.
    pub async fn cancel(self) -> Result<(), ApiError> {
        send(self.post("/cancellation", "{}".to_owned())).await.map(|_| ())
    }

    /// `DELETE {endpoint}/cancellation`: takes that back.
    pub async fn keep_plan(self) -> Result<(), ApiError> {
        send(self.call("DELETE", "/cancellation")).await.map(|_| ())
    }

    /// `POST {endpoint}/handover`: a one-time code with which the proxy's own page goes on for the same buyer.
    pub async fn hand_over(self) -> Result<HandoverResponse, ApiError> {
        decode(&send(self.post("/handover", "{}".to_owned())).await?)
    }

    /// The body of `GET {endpoint}`, also for somebody who mounts a widget only where there is something to show. Asks again
    /// while the backend has not confirmed yet what the token was made for: there is nothing to show before.
    pub async fn first_answer(self) -> Result<String, ApiError> {
        let path = self.languages();
        let mut waited = 0;
        loop {
            match send(self.call("GET", &path)).await {
                Err(ApiError::Problem(problem))
                    if problem.code == ErrorCode::NotConfirmedYet && waited < PATIENCE =>
                {
                    let pause = problem.retry_after.unwrap_or(1).clamp(1, 60).saturating_mul(1000);
                    waited = waited.saturating_add(pause);
                    TimeoutFuture::new(pause).await;
                }
                answer => return answer,
            }
        }
    }

    /// The query that says in which languages the merchant's words are wanted.
    fn languages(&self) -> String {
        // A language tag has no character that would need escaping.
        ["?locale=", &self.locale, "&languages=", LANGUAGES].concat()
    }

    fn call(&self, method: &'static str, path: &str) -> Call {
        Call {
            method,
            url: [self.endpoint.as_str(), path].concat(),
            token: self.token.clone(),
            browser: self.browser.clone(),
            key: None,
            body: None,
            patience: PATIENCE,
            keepalive: false,
        }
    }

    fn post(&self, path: &str, body: String) -> Call {
        Call { body: Some(body), ..self.call("POST", path) }
    }
}

/// `POST /v1/handover/redeem` at this origin: exchanges a one-time code for a session token of this page's own.
pub async fn take_over(origin: &str, request: &TakeOverRequest) -> Result<SessionResponse, ApiError> {
    let call = Call {
        method: "POST",
        url: [origin, "/v1/handover/redeem"].concat(),
        token: String::new(),
        browser: String::new(),
        key: None,
        body: Some(encode(request)?),
        patience: PATIENCE,
        keepalive: false,
    };
    decode(&send(call).await?)
}

/// Reads a body. Also for the first answer, which the loader hands over as text.
///
/// # Errors
/// [`ApiError::BadBody`].
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|_| ApiError::BadBody)
}

fn encode<T: Serialize>(value: &T) -> Result<String, ApiError> {
    // Wire types have string keys only, so this does not fail; if it ever did, nothing would be sent.
    serde_json::to_string(value).map_err(|_| ApiError::BadBody)
}
