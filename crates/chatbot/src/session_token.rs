//! Session ids that only their user can use, and nobody can guess or make.
//!
//! A token is `s1.` and, in URL-safe Base64, the 16 bytes of the session's id and an HMAC-SHA-256
//! over it and the user.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

/// The form of a token; a later one gets another number.
const VERSION: &str = "s1.";
/// The key is derived for this use alone, so that a signature made with the same secret for
/// something else is none here.
const USE: &[u8] = b"tria session token 1";

const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

/// Signs session ids for their users. Its `Debug` hides the key.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
}

/// Why a token is refused. No text holds anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not have the form of a token.
    #[error("the session token is malformed")]
    Malformed,
    /// It was not signed for this user, or not by us.
    #[error("the session token is not one of this user")]
    Refused,
}

// === impl Signer ===

impl Signer {
    /// Signs with a key that is derived from this secret. All servers need the same one; tokens
    /// end with it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a secret that is handed over is wiped when this is done"
    )]
    pub fn new(secret: SecretString) -> Self {
        let derived = keyed(secret.expose_secret().as_bytes())
            .chain_update(USE)
            .finalize();
        Self {
            keyed: keyed(&derived.into_bytes()),
        }
    }

    /// The token of a session, 67 ASCII characters that need no escaping in a URL, a header or a
    /// cookie.
    pub fn sign(&self, session: Uuid, user: &str) -> String {
        let mut bytes = [0; ID_BYTES + TAG_BYTES];
        let (id, tag) = bytes.split_at_mut(ID_BYTES);
        id.copy_from_slice(session.as_bytes());
        tag.copy_from_slice(&self.mac(id, user).finalize().into_bytes());
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The session of a guest whose first message came from this address under this key: the same
    /// for a repetition, and nobody else can tell it.
    pub fn guest(&self, address: &str, key: &str) -> Uuid {
        let mac = self
            .keyed
            .clone()
            .chain_update(b"guest")
            .chain_update((address.len() as u64).to_be_bytes())
            .chain_update(address)
            .chain_update(key);
        let tag = mac.finalize().into_bytes();
        let mut bytes = [0; ID_BYTES];
        bytes.copy_from_slice(&tag[..ID_BYTES]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }

    /// The session that a token is of. The signature is compared in constant time.
    ///
    /// # Errors
    /// When it was not signed by this secret for this user.
    pub fn verify(&self, token: &str, user: &str) -> Result<Uuid, TokenError> {
        let encoded = token.strip_prefix(VERSION).ok_or(TokenError::Malformed)?;
        // Decoding into a buffer of the right size refuses a longer one before it is read.
        let mut bytes = [0; ID_BYTES + TAG_BYTES];
        let length = URL_SAFE_NO_PAD
            .decode_slice(encoded, &mut bytes)
            .map_err(|_| TokenError::Malformed)?;
        if length != bytes.len() {
            return Err(TokenError::Malformed);
        }
        let (id, tag) = bytes.split_at(ID_BYTES);
        let mac = self.mac(id, user);
        mac.verify_slice(tag).map_err(|_| TokenError::Refused)?;
        Uuid::from_slice(id).map_err(|_| TokenError::Malformed)
    }

    /// The id has a fixed length, so that it and the user cannot be divided otherwise.
    fn mac(&self, id: &[u8], user: &str) -> Hmac<Sha256> {
        self.keyed.clone().chain_update(id).chain_update(user)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length will do")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "a secret of at least 32 characters";

    fn signer() -> Signer {
        Signer::new(SecretString::from(SECRET))
    }

    #[test]
    fn a_token_is_good_for_its_user() {
        let session = Uuid::new_v4();
        for user in ["ann", "", "Jürgen", "a b/c?d"] {
            let token = signer().sign(session, user);
            assert_eq!(signer().verify(&token, user), Ok(session));
            assert_eq!(token.len(), 67);
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            assert!(token.bytes().all(plain), "{token}");
        }
    }

    #[test]
    fn the_token_of_another_user_secret_or_use_is_refused() {
        let session = Uuid::new_v4();
        let token = signer().sign(session, "ann");
        for user in ["bob", "", "Ann", "ann "] {
            assert_eq!(signer().verify(&token, user), Err(TokenError::Refused));
        }
        let other = Signer::new(SecretString::from("another secret of 32 characters !"));
        assert_eq!(other.verify(&token, "ann"), Err(TokenError::Refused));
        // The secret itself is no key of a token.
        let raw = Signer {
            keyed: keyed(SECRET.as_bytes()),
        };
        let token = raw.sign(session, "ann");
        assert_eq!(signer().verify(&token, "ann"), Err(TokenError::Refused));
    }

    #[test]
    fn no_single_change_goes_unnoticed() {
        let token = signer().sign(Uuid::new_v4(), "ann");
        for at in 0..token.len() {
            assert!(signer().verify(&token[..at], "ann").is_err());
            for with in ["A", "_", "=", ".", "+"] {
                let mut changed = token.clone();
                changed.replace_range(at..=at, with);
                assert_eq!(signer().verify(&changed, "ann").is_ok(), changed == token);
            }
        }
        for token in [
            format!("{token}A"),
            format!("{token}="),
            format!(" {token}"),
        ] {
            assert_eq!(signer().verify(&token, "ann"), Err(TokenError::Malformed));
        }
        let session = Uuid::new_v4().to_string();
        assert_eq!(signer().verify(&session, "ann"), Err(TokenError::Malformed));
    }

    #[test]
    fn neither_errors_nor_debug_tell_anything() {
        let error = signer().verify("s1.secretsecret", "ann").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"));
        assert_eq!(format!("{:?}", signer()), "Signer(..)");
    }

    /// What was signed once stays good: the form is a contract with tokens that are out there.
    #[test]
    fn the_form_of_a_token_does_not_change() {
        let token = signer().sign(Uuid::from_u128(1), "ann");
        assert_eq!(
            token,
            "s1.AAAAAAAAAAAAAAAAAAAAAXtnWXITueVFO1opKbNtnK9rSV0Jn-TFiQj0hjTMVVJa"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(token in "\\PC*", user in "\\PC*") {
            prop_assert!(signer().verify(&token, &user).is_err());
            let token = format!("{VERSION}{token}");
            prop_assert!(signer().verify(&token, &user).is_err());
        }
    }
}
