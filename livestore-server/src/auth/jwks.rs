//! The public keys of a JWKS file (RFC 7517).

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;

use super::jwt::decode;

/// A key that verifies signatures.
#[derive(Debug)]
pub(super) struct PublicKey {
    pub(super) id: Option<String>,
    key: Key,
}

/// A key, which decides the algorithm.
#[derive(Debug)]
enum Key {
    Rs256 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// A point on the curve P-256, uncompressed.
    Es256(Vec<u8>),
}

/// The sizes of a modulus that signatures are verified with, in bytes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1025;

/// The size of a coordinate of a point on P-256, in bytes.
const P256_BYTES: usize = 32;

impl PublicKey {
    /// Whether the message was signed by this key, with the algorithm of this name.
    pub(super) fn has_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Rs256 { modulus, exponent } => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                algorithm == "RS256"
                    && key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Key::Es256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                algorithm == "ES256" && key.verify(message, signature).is_ok()
            }
        }
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Reads the keys that can be used. The others are ignored, unless there is nothing else.
pub(super) fn parse(json: &str) -> Result<Vec<PublicKey>, String> {
    let Jwks { keys } = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let (mut usable, mut problems) = (Vec::new(), Vec::new());
    for jwk in keys {
        match jwk.key() {
            Ok(key) => usable.push(PublicKey { id: jwk.kid, key }),
            Err(problem) => {
                let id = jwk.kid.map(|id| format!(" `{id}`")).unwrap_or_default();
                problems.push(format!("{}{id}: {problem}", jwk.kty));
            }
        }
    }
    if usable.is_empty() {
        return Err(format!(
            "no key in it can be used; tokens have to be signed with RS256, by an RSA key of 2048 to \
             8192 bits, or with ES256, by an EC key on P-256; the file has {}",
            if problems.is_empty() { "no keys".to_owned() } else { problems.join("; ") }
        ));
    }
    Ok(usable)
}

impl Jwk {
    /// Returns the key, or the reason why it cannot be used.
    fn key(&self) -> Result<Key, String> {
        if self.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err("its `use` is not `sig`".to_owned());
        }
        let (algorithm, key) = match &*self.kty {
            "RSA" => ("RS256", self.rsa()?),
            "EC" => ("ES256", self.ec()?),
            _ => return Err("only RSA and EC are supported".to_owned()),
        };
        match &self.alg {
            Some(other) if other != algorithm => Err(format!("it is for {other}")),
            _ => Ok(key),
        }
    }

    fn rsa(&self) -> Result<Key, String> {
        let [modulus, exponent] = [field("n", self.n.as_ref())?, field("e", self.e.as_ref())?];
        match modulus.len() {
            bytes if RSA_BYTES.contains(&bytes) => Ok(Key::Rs256 { modulus, exponent }),
            bytes => Err(format!("it has {} bits", bytes * 8)),
        }
    }

    fn ec(&self) -> Result<Key, String> {
        match self.crv.as_deref() {
            Some("P-256") => {}
            Some(other) => return Err(format!("it is on {other}")),
            None => return Err("it has no `crv`".to_owned()),
        }
        let [x, y] = [field("x", self.x.as_ref())?, field("y", self.y.as_ref())?];
        if x.len() != P256_BYTES || y.len() != P256_BYTES {
            return Err("`x` or `y` is not as long as those of P-256".to_owned());
        }
        // Uncompressed (SEC 1, section 2.3.3).
        Ok(Key::Es256([&[4][..], &x, &y].concat()))
    }
}

/// Returns the bytes of a field.
fn field(name: &str, text: Option<&String>) -> Result<Vec<u8>, String> {
    let text = text.ok_or_else(|| format!("it has no `{name}`"))?;
    decode(text).ok_or_else(|| format!("its `{name}` is not base64url"))
}
