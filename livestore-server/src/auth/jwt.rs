//! JSON Web Tokens (RFC 7519), signed with HS256, RS256 or ES256.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use livestore_protocol::Timestamp;
use ring::hmac;
use serde::Deserialize;

use super::jwks::{self, PublicKey};
use super::watched::{SecretFileError, Watched};
use super::{Attempt, Authenticate, Decision, Denied, Grant, Identity, Rights, covers, decided};

/// Accepts tokens that another service signs.
///
/// The claim `stores` names the stores: a text or a list of texts, in which `*` matches any text.
/// `rights` is `read`, `write` or `read,write`, which is the default. `exp` is required: at that time
/// the connection ends, and the client connects again with a new token. Both `exp` and `nbf` may differ
/// from this machine's clock by the [leeway](Self::leeway).
#[derive(Debug)]
pub struct Jwt {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
    leeway: Duration,
}

/// A key has one algorithm. A token never chooses the algorithm by which it is verified.
#[derive(Debug)]
enum Keys {
    Hs256(hmac::Key),
    Public(Watched<Vec<PublicKey>, String>),
}

impl Jwt {
    /// Accepts tokens that are signed with HS256 and this secret.
    pub fn hs256(secret: &[u8]) -> Self {
        Self::new(Keys::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Accepts tokens that are signed with a key of this JWKS file, which is read again when it changes:
    /// with RS256 by an RSA key, with ES256 by a key on the curve P-256. Other keys in it are ignored.
    ///
    /// # Errors
    /// If the file cannot be read, or has no key that can be used.
    pub fn jwks(file: &Path) -> Result<Self, SecretFileError> {
        Ok(Self::new(Keys::Public(Watched::open(file, jwks::parse)?)))
    }

    /// Sets how far the clock of whoever signs tokens may be from this machine's: 30 s by default. A token
    /// is valid this much earlier than its `nbf`, and later than its `exp`.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Accepts only tokens with this `iss`.
    #[must_use]
    pub fn issuer(self, issuer: Option<String>) -> Self {
        Self { issuer, ..self }
    }

    /// Accepts only tokens that have this `aud`, possibly among others.
    #[must_use]
    pub fn audience(self, audience: Option<String>) -> Self {
        Self { audience, ..self }
    }

    fn new(keys: Keys) -> Self {
        Self { keys, issuer: None, audience: None, leeway: Duration::from_secs(30) }
    }

    fn grant(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<Grant, Denied> {
        let token = attempt.token()?;
        let claims = self.verify(&token).ok_or_else(|| denied("is not valid"))?;
        let until = self.later(seconds(claims.exp));
        if until <= now {
            return Err(denied(&format!("has expired: its `exp` is {}{}", claims.exp, clock(now))));
        }
        if let Some(nbf) = claims.nbf
            && seconds(nbf) > self.later(now)
        {
            return Err(denied(&format!("is not valid yet: its `nbf` is {nbf}{}", clock(now))));
        }
        let fits = |wanted: &Option<String>, found: &Texts| {
            wanted.as_ref().is_none_or(|wanted| found.iter().any(|text| text == wanted))
        };
        if !fits(&self.issuer, &claims.iss) || !fits(&self.audience, &claims.aud) {
            return Err(denied("is meant for another service"));
        }
        if !claims.stores.iter().any(|stores| covers(stores, attempt.store.as_str())) {
            return Err(denied("does not open this store"));
        }
        let rights = claims.rights.as_deref().map_or(Some(Rights::ALL), Rights::parse);
        let rights = rights.ok_or_else(|| denied("has unknown rights"))?;
        Ok(Grant { rights, until: Some(until), identity: identity(&token) })
    }

    fn later(&self, time: Timestamp) -> Timestamp {
        let leeway = i64::try_from(self.leeway.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(time.as_millis().saturating_add(leeway))
    }

    /// Returns the claims, if the signature is right.
    fn verify(&self, token: &str) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decode_json(header)?;
        let signature = decode(signature)?;
        let right = match &self.keys {
            Keys::Hs256(key) => {
                header.alg == "HS256" && hmac::verify(key, signed.as_bytes(), &signature).is_ok()
            }
            Keys::Public(keys) => {
                let keys = keys.get();
                let mut named =
                    keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid);
                named.any(|key| key.has_signed(&header.alg, signed.as_bytes(), &signature))
            }
        };
        // Unknown critical headers must not be ignored (RFC 7515, 4.1.11).
        (right && header.crit.is_none()).then(|| decode_json(claims))?
    }
}

impl Authenticate for Jwt {
    fn authenticate<'a>(&'a self, attempt: &'a Attempt<'a>) -> Decision<'a> {
        decided(self.grant(attempt, crate::edge::now()))
    }

    fn revision(&self) -> u64 {
        match &self.keys {
            Keys::Hs256(_) => 0,
            Keys::Public(keys) => keys.revision(),
        }
    }
}

/// Returns the claims of a token that was verified, as they are.
fn identity(token: &str) -> Identity {
    let claims = token.split('.').nth(1).and_then(decode);
    let claims = claims.and_then(|json| String::from_utf8(json).ok());
    claims.map_or(Identity::UNKNOWN, |claims| Identity::new(&claims))
}

fn denied(what: &str) -> Denied {
    Denied(format!("the token {what}"))
}

/// Whoever reads it sees whose clock is wrong.
fn clock(now: Timestamp) -> String {
    format!(", and this server's clock is at {}", now.as_millis().div_euclid(1_000))
}

fn seconds(since_1970: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its end")]
    Timestamp::from_millis((since_1970 * 1_000.0) as i64)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    nbf: Option<f64>,
    #[serde(default)]
    iss: Texts,
    #[serde(default)]
    aud: Texts,
    #[serde(default)]
    stores: Texts,
    rights: Option<String>,
}

/// A text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn iter(&self) -> std::slice::Iter<'_, String> {
        match self {
            Self::One(text) => std::slice::from_ref(text).iter(),
            Self::Many(texts) => texts.iter(),
        }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn decode_json<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&decode(text)?).ok()
}
