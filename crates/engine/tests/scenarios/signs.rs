//! What of a lead makes it suspicious is kept beside it, whether it is sold or not.

use lead::Address;

use crate::file::Scenario;
use crate::world::World;

const BOUGHT: &str = r#"
[campaigns.nova]
ping = { bid = "12.50" }
post = { answer = "accepted" }
"#;

#[tokio::test(start_paused = true)]
async fn signs_that_do_not_refuse_a_lead_are_on_record() {
    for (country, phone, signs) in [
        ("ES", "+34600111222", vec![]),
        ("FR", "+34600111222", vec!["country_mismatch"]),
        ("FR", "call me", vec!["phone_unreadable", "country_mismatch"]),
    ] {
        let world = World::of(Scenario::read(BOUGHT).map_err(|d| d.join("\n")).unwrap());
        let mut arrival = world.arrival();
        let contact = &mut arrival.submission.contact;
        contact.phone = Some(phone.to_owned());
        contact.address = Some(Address { country: Some(country.to_owned()), ..Address::default() });
        world.engine.distribute(arrival).await.unwrap();
        let record = world.books.only_record().unwrap();
        assert_eq!(record.signals, signs, "{country} {phone}");
        assert_eq!(record.sales().count(), 1, "they only name it");
    }
}
