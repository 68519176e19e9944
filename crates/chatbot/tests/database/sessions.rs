//! Conversations: whose they are.

use tria_chatbot::sessions::{Session, SessionError};
use uuid::Uuid;

use crate::{said::hello, shop::Shop};

#[tokio::test]
async fn a_conversation_goes_on_for_its_user_and_for_nobody_else() {
    let shop = Shop::open(&[]).await;
    let opened = hello("k");
    shop.keep(&opened).await.unwrap();
    let resumed = Session::resume(&shop.pool, opened.session, "u-1").await;
    let resumed = resumed.unwrap();
    assert_eq!((resumed.id, resumed.outlet_id), (opened.session, Some(1)));
    for (id, user) in [(opened.session, "u-2"), (Uuid::new_v4(), "u-1")] {
        let none = Session::resume(&shop.pool, id, user).await;
        assert!(matches!(none, Err(SessionError::NotFound)), "{none:?}");
    }
    shop.execute("UPDATE conversation_sessions SET closed_at = now()")
        .await;
    let closed = Session::resume(&shop.pool, opened.session, "u-1").await;
    assert!(matches!(closed, Err(SessionError::NotFound)));
}
