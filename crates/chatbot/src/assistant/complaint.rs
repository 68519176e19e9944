//! Complaints: heard by people, not answered away.

use serde_json::json;

use super::reply::Reply;
use crate::complaints::Complaint;

/// That a complaint was handed on.
pub(super) fn escalated(complaint: &Complaint, order: Option<&str>) -> Reply {
    let number = complaint.number;
    let about = order.map_or_else(String::new, |order| format!(" about order {order}"));
    let text = format!(
        "I am sorry about that. I have handed your complaint{about} on to our customer service; its \
         number is {number}. Someone there looks into it and comes back to you."
    );
    Reply::rules(text).with("escalated", json!(true)).with(
        "complaint",
        json!({ "id": complaint.id, "number": number, "status": "open" }),
    )
}
