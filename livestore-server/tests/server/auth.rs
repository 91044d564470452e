use std::path::Path;
use std::time::Duration;

use livestore_server::Limits;
use livestore_server::auth::{Jwt, TokenFile};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message, http::StatusCode};

use crate::client::{Client, TestServer, accepted, event};

async fn connect(server: &TestServer, store: &str, token: &str) -> Result<Client, String> {
    // {"authToken":"…"}, encoded as LiveStore does: twice.
    let payload = format!("%257B%2522authToken%2522%253A%2522{token}%2522%257D");
    let query = format!("storeId={store}&transport=ws&payload={payload}");
    match Client::try_connect(&server.address, &query, store).await {
        Ok(client) => Ok(client),
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), StatusCode::BAD_REQUEST);
            Err(String::from_utf8(response.body().clone().unwrap_or_default()).unwrap())
        }
        Err(error) => panic!("{error}"),
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn tokens_open_their_stores() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    write(
        &path,
        "# ours\nall * read,write\nteam team-* read,write\nteam team-9 read\neye team-1 read\n",
    );
    let server = TestServer::with(TokenFile::open(&path).unwrap(), Limits::default()).await;
    assert_eq!(
        connect(&server, "team-1", "no").await.err().unwrap(),
        "the token does not open this store"
    );
    assert!(connect(&server, "other", "team").await.is_err());
    let refused = Client::try_connect(&server.address, "storeId=a&transport=ws", "a").await;
    assert!(refused.is_err(), "a token is needed");
    assert!(server.store.list().unwrap().is_empty(), "who is refused makes no store");
    let mut team = connect(&server, "team-1", "team").await.ok().unwrap();
    assert_eq!(team.push("1", &[event(1)]).await, accepted());
    let mut eye = connect(&server, "team-1", "eye").await.ok().unwrap();
    let exit = eye.push("1", &[event(2)]).await.to_string();
    assert!(exit.contains("RefusedError") && exit.contains("may not write"), "{exit}");
    eye.pull("2", false).await;
    assert_eq!(eye.chunk().await, [1]);
    // A new token is known without a restart, and a broken file changes nothing.
    tokio::time::sleep(Duration::from_millis(20)).await;
    write(&path, "new * read,write\n");
    assert!(connect(&server, "team-1", "new").await.is_ok());
    assert!(connect(&server, "team-1", "team").await.is_err());
    tokio::time::sleep(Duration::from_millis(20)).await;
    write(&path, "new * everything\n");
    assert!(connect(&server, "team-1", "new").await.is_ok());
}

#[test]
fn a_wrong_token_file_is_told_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    for text in ["a b\n", "a b c\n", "a b read more\n"] {
        write(&path, &format!("\n{text}"));
        let error = TokenFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("tokens: line 2 is not"), "{error}");
    }
}

const SECRET: &[u8] = b"a secret of the tests";

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn sign(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", base64(ring::hmac::sign(&key, signed.as_bytes()).as_ref()))
}

fn hs256(claims: &Value) -> String {
    sign(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

fn seconds_from_now(seconds: i64) -> i64 {
    livestore::now().as_millis() / 1_000 + seconds
}

#[tokio::test]
async fn signed_tokens_are_checked() {
    let jwt = Jwt::hs256(SECRET).issuer(Some("us".into())).audience(Some("sync".into()));
    let server = TestServer::with(jwt, Limits::default()).await;
    let good = json!({"exp": seconds_from_now(60), "stores": ["team-*"], "iss": "us", "aud": ["sync", "x"]});
    let with = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        hs256(&claims)
    };
    let mut client = connect(&server, "team-1", &hs256(&good)).await.ok().unwrap();
    assert_eq!(client.push("1", &[event(1)]).await, accepted());
    let none = json!({"alg": "none"});
    let unsigned =
        format!("{}.{}.", base64(none.to_string().as_bytes()), base64(good.to_string().as_bytes()));
    let critical = sign(&json!({"alg": "HS256", "crit": ["x"], "x": 1}), &good, SECRET);
    let cases = [
        (with("exp", json!(seconds_from_now(-31))), "the token has expired: its `exp` is"),
        (with("exp", Value::Null), "the token is not valid"),
        (with("nbf", json!(seconds_from_now(60))), "the token is not valid yet: its `nbf` is"),
        (with("stores", json!("other")), "the token does not open this store"),
        (with("stores", json!([])), "the token does not open this store"),
        (with("iss", json!("them")), "the token is meant for another service"),
        (with("aud", json!("other")), "the token is meant for another service"),
        (with("rights", json!("all")), "the token has unknown rights"),
        (sign(&json!({"alg": "HS256"}), &good, b"another secret"), "the token is not valid"),
        (sign(&json!({"alg": "RS256"}), &good, SECRET), "the token is not valid"),
        (unsigned, "the token is not valid"),
        (critical, "the token is not valid"),
        ("a.b.c".to_owned(), "the token is not valid"),
        ("abc".to_owned(), "the token is not valid"),
    ];
    for (token, expected) in cases {
        let refusal = connect(&server, "team-1", &token).await.err().unwrap();
        let is_time = expected.ends_with(" is");
        assert!(refusal == expected || is_time && refusal.starts_with(expected), "{refusal}");
        assert_eq!(refusal.contains("this server's clock is at 1"), is_time, "{refusal}");
    }
    let reader = with("rights", json!("read"));
    let mut reader = connect(&server, "team-1", &reader).await.ok().unwrap();
    assert!(reader.push("1", &[event(2)]).await.to_string().contains("may not write"));
}

#[tokio::test]
async fn a_token_that_expires_ends_the_connection() {
    let jwt = Jwt::hs256(SECRET).leeway(Duration::ZERO);
    let server = TestServer::with(jwt, Limits::default()).await;
    // On a slow machine, a token may have expired before the client has connected.
    for lifetime in [2, 8, 32, 128] {
        let token = hs256(&json!({"exp": seconds_from_now(lifetime), "stores": "*"}));
        let Ok(mut client) = connect(&server, "st", &token).await else { continue };
        client.pull("0", true).await;
        let Message::Text(chunk) = client.message().await else { continue };
        if !chunk.contains("Chunk") {
            continue;
        }
        let Message::Text(exit) = client.wait(Duration::from_secs(150)).await else {
            panic!("an exit")
        };
        assert!(exit.contains(r#""requestId":"0""#), "{exit}");
        assert!(exit.contains("the token has expired"), "{exit}");
        assert!(client.closed().await.contains("the token has expired"));
        return;
    }
    panic!("no token outlives connecting");
}

/// Signed with the private key of `MODULUS`, for all stores, until the year 2100.
const RS256: &str = "eyJhbGciOiAiUlMyNTYiLCAia2lkIjogImsxIn0.eyJleHAiOiA0MTAyNDQ0ODAwLCAic3RvcmVzIjogIioifQ.h4xE6w6FEmCCmythK2qxwoycqVQ6jC-9EI-awmqiGnlutoOG1EI85Xm0ubj0YSpmRq1geF7nRwaq4b5KMiLBx8PCzahWkmCbZV5z0eyJI45dlNvN0Tv3YxMhkPtWtzp03_eKh4fFrHNN3BOQHMp-wLpht57jazpSd5RjvR9c_JRKBQGNvK2nZUjt1QNTuVIHz0xGsLsoW6j7TJF3hS5nLjac3wwbto1baZBzeKn8a7ym5dPpIOD9G5mtkieFxvVJ2HSJAX2F41_dpPWForodya0xLWLw9eEfPzNaV0_0F_ViiOK-N5rTYFeeLPbC21doAuJdPbb6d1daN4OokBlAxA";
const MODULUS: &str = "l4nys563Ucyy3dWSj6rvXgrV88wAsNsd9OKnZXU8Rb3QltKLoZ-uQ3gMPiwn3vxc75LoPqXFSe8cWMtGYTZ66LfIbPEIOP49vNlohuKEeYVPmleFCP8bwZ50mzuN1zdK6kyDdLPz9uUL4njMNbk4EWSoUHHwq95nghH6ZaEpiCezbBftSNcgz2CUa8vpqHgypYiZY2cKFGutcB2Iewu73IEOh3cINej3Aoxg-DFadCWwxU4HEJNpf1_RuySANGxamI2XISmFZkKu7JkMZWt85jpCPeUFz41saZrxTRbm83jgm24iZrD9Veqow3i53mlhc1K6n7-nzvgqAtC9ZyV3WQ";

#[tokio::test]
async fn tokens_of_a_jwks_file_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    let other = json!({"kty": "EC", "kid": "k0", "crv": "P-256", "x": "a", "y": "b"});
    let key = |id: &str| json!({"kty": "RSA", "kid": id, "n": MODULUS, "e": "AQAB"});
    write(&path, &json!({"keys": [other, key("k1")]}).to_string());
    let server = TestServer::with(Jwt::jwks(&path).unwrap(), Limits::default()).await;
    assert!(connect(&server, "st", RS256).await.is_ok());
    let forged = RS256.replace(".eyJleHAi", ".eyJleHBi");
    assert_eq!(connect(&server, "st", &forged).await.err().unwrap(), "the token is not valid");
    // The public key is no secret, so it must not serve as one.
    let confused = sign(
        &json!({"alg": "HS256", "kid": "k1"}),
        &json!({"exp": seconds_from_now(60), "stores": "*"}),
        MODULUS.as_bytes(),
    );
    assert_eq!(connect(&server, "st", &confused).await.err().unwrap(), "the token is not valid");
    tokio::time::sleep(Duration::from_millis(20)).await;
    write(&path, &json!({"keys": [key("k2")]}).to_string());
    assert!(connect(&server, "st", RS256).await.is_err(), "the key was taken back");
}

/// A key on P-256, and what it has signed.
struct EcKey(ring::signature::EcdsaKeyPair);

impl EcKey {
    fn new() -> Self {
        let (algorithm, random) =
            (&ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING, ring::rand::SystemRandom::new());
        let pkcs8 = ring::signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = ring::signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Self(pair.unwrap())
    }

    fn jwk(&self, id: &str) -> Value {
        use ring::signature::KeyPair;
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "kid": id, "crv": "P-256", "alg": "ES256", "use": "sig", "x": base64(x), "y": base64(y)})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |json: &Value| base64(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(header), part(claims));
        let random = ring::rand::SystemRandom::new();
        let signature = self.0.sign(&random, signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64(signature.as_ref()))
    }
}

#[tokio::test]
async fn tokens_of_elliptic_curves_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    let (ours, other) = (EcKey::new(), EcKey::new());
    let rsa = json!({"kty": "RSA", "kid": "rsa", "n": MODULUS, "e": "AQAB"});
    write(&path, &json!({"keys": [rsa, ours.jwk("k1")]}).to_string());
    let server = TestServer::with(Jwt::jwks(&path).unwrap(), Limits::default()).await;
    let claims = json!({"exp": seconds_from_now(60), "stores": "*"});
    let header = |algorithm: &str, id: &str| json!({"alg": algorithm, "kid": id});
    let good = ours.sign(&header("ES256", "k1"), &claims);
    assert!(connect(&server, "st", &good).await.is_ok());
    assert!(connect(&server, "st", &ours.sign(&json!({"alg": "ES256"}), &claims)).await.is_ok());
    assert!(connect(&server, "st", &RS256.replace(".eyJleHAi", ".eyJleHBi")).await.is_err());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        ours.sign(&header("RS256", "k1"), &claims),
        ours.sign(&header("ES384", "k1"), &claims),
        ours.sign(&header("ES256", "rsa"), &claims),
        ours.sign(&header("ES256", "unknown"), &claims),
        other.sign(&header("ES256", "k1"), &claims),
        format!("{signed}.{}", &signature[..40]),
        format!("{signed}."),
        // Valid for whoever does not check that it is on the curve, and not zero.
        format!("{signed}.{}", base64(&[0; 64])),
    ] {
        assert_eq!(
            connect(&server, "st", &bad).await.err().unwrap(),
            "the token is not valid",
            "{bad}"
        );
    }
}
