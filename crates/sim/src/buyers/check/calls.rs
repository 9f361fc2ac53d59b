//! What is sent: calls in the native format about made-up consumers. Must never name a real person, nor
//! the same consumer twice.

use bytes::Bytes;
use fastrand::Rng;
use lead::attribute::Standard;
use serde_json::{Value, json};
use uuid::Builder;

use super::Plan;
use crate::leads::{Generator, Product};

/// Makes up calls.
pub(super) struct Calls {
    rng: Rng,
    generator: Generator,
    product: Product,
    timeout_ms: u128,
}

/// A consumer.
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    native: Value,
}

/// A post that can be sent again.
#[derive(Debug, Clone)]
pub(super) struct Post {
    pub(super) lead_id: String,
    pub(super) body: Value,
}

impl Post {
    /// Names a delivery of it.
    pub(super) fn key(&self, attempt: u32) -> String {
        format!("\"{}-check-{attempt}\"", self.lead_id)
    }

    pub(super) fn bytes(&self) -> Bytes {
        Bytes::from(self.body.to_string())
    }
}

impl Calls {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            rng: Rng::with_seed(plan.seed),
            generator: Generator::new(plan.seed),
            product: plan.product,
            timeout_ms: plan.ping_timeout.as_millis(),
        }
    }

    fn id(&mut self) -> String {
        Builder::from_random_bytes(self.rng.u128(..).to_le_bytes()).into_uuid().to_string()
    }

    /// Somebody who was never sent before, whatever the run.
    pub(super) fn consumer(&mut self) -> Consumer {
        let mut native = self.generator.native(self.product);
        let (token, digits) = (self.rng.u64(..), self.rng.u32(0..1_000_000));
        native["contact"]["email"] = format!("check-{token:016x}@example.com").into();
        let phone = match self.product {
            Product::PersonalLoanEs => format!("+34600{digits:06}"),
            Product::ShortLoanRu => format!("+79015{digits:06}"),
            _ => format!("+1{}555{:04}", 201 + digits % 700, digits / 700),
        };
        native["contact"]["phone"] = phone.into();
        Consumer { native }
    }

    /// A ping about somebody. It holds only what pings may.
    pub(super) fn ping(&mut self, consumer: &Consumer) -> Value {
        let mut attributes = consumer.native["attributes"].clone();
        if let Some(attributes) = attributes.as_object_mut() {
            attributes.retain(|name, _| Standard::named(name).is_some_and(Standard::in_ping));
        }
        let timeout_ms = u64::try_from(self.timeout_ms).unwrap_or(u64::MAX);
        json!({
            "ping_id": self.id(),
            "product": self.product.id(),
            "test": false,
            "timeout_ms": timeout_ms,
            "attributes": attributes,
        })
    }

    /// The lead of a consumer, at a price that the buyer bid for somebody like that.
    pub(super) fn post(&mut self, consumer: &Consumer, bid: &str, is_test: bool) -> Post {
        let lead_id = self.id();
        let body = json!({
            "lead_id": lead_id,
            "ping_id": self.id(),
            "bid": bid,
            "product": self.product.id(),
            "test": is_test,
            "external_id": null,
            "attributes": consumer.native["attributes"],
            "contact": consumer.native["contact"],
            "consent": consumer.native["consent"],
        });
        Post { lead_id, body }
    }
}
