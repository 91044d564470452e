//! JSON as JavaScript reads it: any text that `JSON.parse` reads, also half a surrogate pair.

use std::collections::BTreeMap;

/// The most levels of arrays and objects.
const MAX_LEVELS: usize = 128;

/// A value of JavaScript, as `JSON.stringify` tells one from another.
#[derive(Debug, PartialEq)]
pub(super) enum JsValue {
    Null,
    Bool(bool),
    Number(f64),
    Text(Vec<u16>),
    Array(Vec<JsValue>),
    Object(BTreeMap<Vec<u16>, JsValue>),
}

impl JsValue {
    /// Reads a text that is one value, in linear time.
    pub(super) fn read(json: &str) -> Option<Self> {
        let mut reader = Reader { rest: json, levels: 0 };
        let value = reader.value()?;
        reader.skip_whitespace();
        reader.rest.is_empty().then_some(value)
    }
}

struct Reader<'a> {
    rest: &'a str,
    levels: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Option<JsValue> {
        self.skip_whitespace();
        match self.rest.bytes().next()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.text().map(JsValue::Text),
            b't' => self.eat("true").then_some(JsValue::Bool(true)),
            b'f' => self.eat("false").then_some(JsValue::Bool(false)),
            b'n' => self.eat("null").then_some(JsValue::Null),
            _ => self.number(),
        }
    }

    /// Reads what is in brackets, and counts its level.
    fn nested(&mut self, read: fn(&mut Self) -> Option<JsValue>) -> Option<JsValue> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return None;
        }
        self.skip(1);
        let value = read(self);
        self.levels -= 1;
        value
    }

    fn array(&mut self) -> Option<JsValue> {
        let mut items = Vec::new();
        if self.eat_token("]") {
            return Some(JsValue::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.eat_token(",") {
                return self.eat_token("]").then_some(JsValue::Array(items));
            }
        }
    }

    fn object(&mut self) -> Option<JsValue> {
        let mut fields = BTreeMap::new();
        if self.eat_token("}") {
            return Some(JsValue::Object(fields));
        }
        loop {
            self.skip_whitespace();
            let key = self.text()?;
            if !self.eat_token(":") {
                return None;
            }
            fields.insert(key, self.value()?);
            if !self.eat_token(",") {
                return self.eat_token("}").then_some(JsValue::Object(fields));
            }
        }
    }

    fn number(&mut self) -> Option<JsValue> {
        let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if !is_number(number) {
            return None;
        }
        // Infinity becomes null when it is written.
        let number: f64 = number.parse().ok()?;
        Some(if number.is_finite() { JsValue::Number(number) } else { JsValue::Null })
    }

    fn text(&mut self) -> Option<Vec<u16>> {
        if !self.eat("\"") {
            return None;
        }
        let mut text = Vec::new();
        loop {
            let end = self.rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            let (plain, rest) = self.rest.split_at_checked(end)?;
            text.extend(plain.encode_utf16());
            self.rest = rest;
            if self.eat("\"") {
                return Some(text);
            }
            if !self.eat("\\") {
                return None;
            }
            text.push(self.escaped()?);
        }
    }

    /// Reads what is behind a backslash. Half a surrogate pair is a unit as any other.
    fn escaped(&mut self) -> Option<u16> {
        let letter = self.rest.bytes().next()?;
        self.skip(1);
        let byte = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let digits = self.rest.get(..4)?;
                self.skip(4);
                let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                return is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten();
            }
            _ => return None,
        };
        Some(byte.into())
    }

    fn eat_token(&mut self, token: &str) -> bool {
        self.skip_whitespace();
        self.eat(token)
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn skip_whitespace(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Whether the text is a number of JSON: Rust reads more than that, such as `+1`, `.5` and `01`.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}
