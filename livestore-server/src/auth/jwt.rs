//! JSON Web Tokens (RFC 7519), signed with HS256 or RS256.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use livestore_protocol::Timestamp;
use ring::hmac;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;

use super::watched::{SecretFileError, Watched};
use super::{Attempt, Authenticate, Decision, Denied, Grant, Identity, Rights, covers, decided};

/// Accepts tokens that another service signs.
///
/// The claim `stores` names the stores: a text or a list of texts, in which `*` matches any text.
/// `rights` is `read`, `write` or `read,write`, which is the default. `exp` is required: at that time
/// the connection ends. `nbf` may be up to 30 seconds ahead of this machine's clock.
#[derive(Debug)]
pub struct Jwt {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
}

/// How much earlier than `nbf` a token is accepted.
const LEEWAY_MILLIS: i64 = 30_000;

/// A key has one algorithm. A token never chooses the algorithm by which it is verified.
#[derive(Debug)]
enum Keys {
    Hs256(hmac::Key),
    Rs256(Watched<Vec<RsaKey>, String>),
}

#[derive(Debug)]
struct RsaKey {
    id: Option<String>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Jwt {
    /// Accepts tokens that are signed with HS256 and this secret.
    pub fn hs256(secret: &[u8]) -> Self {
        Self::new(Keys::Hs256(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// Accepts tokens that are signed with RS256 and a key of this JWKS file, which is read again when
    /// it changes.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no RSA key: elliptic curves are not supported.
    pub fn rs256(jwks: &Path) -> Result<Self, SecretFileError> {
        Ok(Self::new(Keys::Rs256(Watched::open(jwks, parse_jwks)?)))
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
        Self { keys, issuer: None, audience: None }
    }

    fn grant(&self, attempt: &Attempt<'_>, now: Timestamp) -> Result<Grant, Denied> {
        let token = attempt.token()?;
        let claims = self.verify(&token).ok_or_else(|| denied("is not valid"))?;
        let (since, until) = (claims.nbf.map(seconds), seconds(claims.exp));
        if until <= now {
            return Err(denied("has expired"));
        }
        // The clock of whoever signs tokens may be a little ahead.
        let soon = Timestamp::from_millis(now.as_millis().saturating_add(LEEWAY_MILLIS));
        if since.is_some_and(|since| since > soon) {
            return Err(denied("is not valid yet"));
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
            Keys::Rs256(keys) => {
                let keys = keys.get();
                let mut named =
                    keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid);
                header.alg == "RS256" && named.any(|key| key.signed(signed.as_bytes(), &signature))
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
            Keys::Rs256(keys) => keys.revision(),
        }
    }
}

impl RsaKey {
    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
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

/// The sizes of a modulus that signatures are verified with.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1025;

/// Reads the RSA keys of a JWKS (RFC 7517). Other keys are ignored, unless there is nothing else.
fn parse_jwks(json: &str) -> Result<Vec<RsaKey>, String> {
    #[derive(Deserialize)]
    struct Jwks {
        keys: Vec<Jwk>,
    }
    #[derive(Deserialize)]
    struct Jwk {
        kty: String,
        kid: Option<String>,
        n: Option<String>,
        e: Option<String>,
    }
    let Jwks { keys } = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let kinds: Vec<_> = keys.iter().map(|key| key.kty.clone()).collect();
    let rsa = keys.into_iter().filter(|key| key.kty == "RSA");
    let usable: Vec<_> = rsa
        .filter_map(|key| {
            Some(RsaKey { id: key.kid, modulus: decode(&key.n?)?, exponent: decode(&key.e?)? })
        })
        .filter(|key| RSA_BYTES.contains(&key.modulus.len()))
        .collect();
    if usable.is_empty() {
        return Err(format!(
            "no key in it can be used; tokens have to be signed with RS256, by an RSA key of 2048 to \
             8192 bits; the file has {}",
            if kinds.is_empty() { "no keys".to_owned() } else { kinds.join(", ") }
        ));
    }
    Ok(usable)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn decode_json<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&decode(text)?).ok()
}
