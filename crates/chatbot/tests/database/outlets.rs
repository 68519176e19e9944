//! The outlets that are delivered to.

use tria_chatbot::outlets::{self, OutletMatch, Outlets};

use crate::shop::Shop;

#[tokio::test]
async fn outlets_that_are_delivered_to_are_listed_and_found() {
    let shop = Shop::open(&[]).await;
    shop.execute(
        "INSERT INTO outlets (name, address_line, postal_code, city, country, language, active)
         VALUES ('Café Grün', 'Uferweg 2', '4020', 'Linz', 'AT', 'de', true),
                ('Closed', '2 Harbour Road', '', 'Porto', 'PT', 'pt', false)",
    )
    .await;
    let outlets = Outlets::list(&shop.pool).await.unwrap();
    let names: Vec<&str> = outlets.iter().map(|outlet| outlet.name.as_str()).collect();
    assert_eq!(names, ["Café Grün", "Vesuvio"]);
    let OutletMatch::Sure(found) = outlets.by_name("20 boxes for cafe grun") else {
        panic!("{outlets:?}");
    };
    assert_eq!(
        (found.city.as_str(), found.language.as_str()),
        ("Linz", "de")
    );
    assert_eq!(outlets.get(found.id), Some(&found));
    let same = outlets::find(&shop.pool, found.id).await.unwrap();
    assert_eq!(same, Some(found));
    for id in [3, 99] {
        assert_eq!(outlets::find(&shop.pool, id).await.unwrap(), None);
        assert_eq!(outlets.get(id), None);
    }
}
