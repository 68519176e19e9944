//! Server-sent events, as a client reads them.

use reqwest::{Response, header::HeaderMap};
use serde_json::Value;

/// A stream of events that is being read.
pub struct Events {
    answer: Response,
    /// The status of the answer.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    unread: Vec<u8>,
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Option<String>,
    /// Its data.
    pub data: Value,
}

// === impl Events ===

impl Events {
    pub(crate) fn of(answer: Response) -> Self {
        Self {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            answer,
            unread: Vec::new(),
        }
    }

    /// The next event; `None` at the end. Comments are left out.
    ///
    /// # Panics
    /// If the stream is cut off, ends in the middle of an event, or an event has no JSON.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let end = self.unread.windows(2).position(|end| end == b"\n\n");
            if let Some(end) = end {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                let event = Event::read(&String::from_utf8(block).expect("UTF-8"));
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let chunk = self.answer.chunk().await;
            let chunk = chunk.unwrap_or_else(|error| panic!("the stream was cut off: {error:?}"));
            let Some(chunk) = chunk else {
                assert!(self.unread.is_empty(), "it ends within an event");
                return None;
            };
            self.unread.extend(chunk);
        }
    }

    /// All that are left, to the end.
    ///
    /// # Panics
    /// As [`Events::next`].
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Those up to the first of this name, that one included.
    ///
    /// # Panics
    /// If there is none.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let next = self.next().await;
            let event = next.unwrap_or_else(|| panic!("no {name} among {events:?}"));
            let found = event.name == name;
            events.push(event);
            if found {
                return events;
            }
        }
    }
}

// === impl Event ===

impl Event {
    fn read(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.strip_prefix(' ').unwrap_or(value).to_owned())
        };
        Some(Self {
            name: field("event:")?,
            id: field("id:"),
            data: serde_json::from_str(&field("data:")?).expect("JSON"),
        })
    }
}
