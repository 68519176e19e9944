//! A password that changes while it is in use.

use std::{fmt, pin::Pin, sync::Arc};

use arc_swap::ArcSwap;
use deadpool_redis::redis::{BasicAuth, RedisResult, StreamingCredentialsProvider};
use futures_util::{Stream, StreamExt, stream};
use secrecy::{ExposeSecret, SecretString};

/// A password that can be changed while pools use it: those who connect from then on log in with
/// the new one, and connections that are open stay as they are. Clones are the same password. Its
/// `Debug` hides it.
#[derive(Clone)]
pub struct Password {
    current: Arc<ArcSwap<SecretString>>,
}

/// Gives each connection the password as it is when it connects.
pub(crate) struct LogIn {
    username: String,
    password: Password,
}

// === impl Password ===

impl Password {
    /// Changes it for all who connect from now on.
    pub fn rotate(&self, to: SecretString) {
        self.current.store(Arc::new(to));
    }

    fn expose(&self) -> String {
        self.current.load().expose_secret().to_owned()
    }
}

impl<S: Into<SecretString>> From<S> for Password {
    fn from(password: S) -> Self {
        Self {
            current: Arc::new(ArcSwap::from_pointee(password.into())),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

// === impl LogIn ===

impl LogIn {
    pub(crate) fn new(username: Option<&str>, password: &Password) -> Self {
        Self {
            // The name of the user that a password alone belongs to.
            username: username.unwrap_or("default").to_owned(),
            password: password.clone(),
        }
    }
}

impl StreamingCredentialsProvider for LogIn {
    fn subscribe(&self) -> Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send + 'static>> {
        let now = BasicAuth::new(self.username.clone(), self.password.expose());
        // It never ends, and gives no other: a connection that is logged in stays so.
        Box::pin(stream::once(async { Ok(now) }).chain(stream::pending()))
    }
}
