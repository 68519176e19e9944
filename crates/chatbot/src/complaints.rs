//! Complaints: what went wrong, under a number that its user can name. They are written by
//! [turns](crate::turns).

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Statement};
use uuid::Uuid;

/// A complaint that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The complaint.
    pub id: Uuid,
    /// Its number, for people.
    pub number: i64,
}

/// A complaint as it is made.
pub(crate) struct Made<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) session_id: Uuid,
    pub(crate) idempotency_key: &'a str,
    pub(crate) outlet_id: Option<i64>,
    pub(crate) order_id: Option<Uuid>,
    pub(crate) text: &'a str,
}

/// The statement of a complaint, prepared for one connection.
pub(crate) struct Complaining(Statement);

const COMPLAINT: &str = "
INSERT INTO complaints (user_id, session_id, idempotency_key, outlet_id, order_id, text)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, number";

// === impl Complaining ===

impl Complaining {
    pub(crate) async fn prepare(client: &ClientWrapper) -> Result<Self, Error> {
        client.prepare_cached(COMPLAINT).await.map(Self)
    }

    /// Writes it. It is sent when this is first polled.
    pub(crate) async fn write(
        &self,
        client: &ClientWrapper,
        made: &Made<'_>,
    ) -> Result<Complaint, Error> {
        let row = client
            .query_one(
                &self.0,
                &[
                    &made.user_id,
                    &made.session_id,
                    &made.idempotency_key,
                    &made.outlet_id,
                    &made.order_id,
                    &made.text,
                ],
            )
            .await?;
        Ok(Complaint {
            id: row.get(0),
            number: row.get(1),
        })
    }
}
