//! Publishers' bodies at every door: a lead of that door, or a reply that is no fault of ours.

use ingress::decode;
use lead::Door;

thread_local! {
    static MARKET: market::Market = super::sound(include_str!("market.toml"));
}

/// Decodes a body at every door.
pub fn lead(data: &[u8]) {
    let data = super::bounded(data);
    MARKET.with(|market| {
        for door in Door::ALL {
            // Who has no key at a door never gets past it.
            let known = market.publishers.values().filter(|one| one.keys.contains_key(door));
            for publisher in known {
                match decode(*door, publisher, market, &mut data.to_vec()) {
                    Ok(lead) => {
                        assert_eq!((lead.door, &lead.publisher), (*door, &publisher.id));
                        assert!(market.products.contains_key(&lead.product), "no such product");
                        assert!(lead.attributes.iter().count() <= data.len());
                    }
                    Err(reply) => {
                        assert!(!reply.status.is_server_error(), "{}", reply.status);
                        assert!(!reply.body.is_null());
                    }
                }
            }
        }
    });
}
