//! A page of the todo example: what one does in it, and what one sees.

use std::path::Path;

use serde_json::{Value, json};

use crate::devtools::Browser;
use crate::{Result, wait};

/// A page, which nothing but the backend connects with the others.
pub(crate) struct Page {
    browser: Browser,
    session: String,
}

/// What a page looks like to whom.
pub(crate) struct Look {
    pub(crate) name: &'static str,
    pub(crate) scheme: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Page {
    /// Opens a page in a window of its own.
    pub(crate) fn open(browser: &Browser, url: &str) -> Result<Self> {
        let target = browser.call(None, "Target.createTarget", json!({ "url": "about:blank" }))?;
        let params = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call(None, "Target.attachToTarget", params)?;
        let session = attached["sessionId"].as_str().ok_or("no session")?.to_owned();
        let page = Self { browser: browser.clone(), session };
        page.call("Runtime.enable", json!({}))?;
        page.call("Page.enable", json!({}))?;
        // A page that is out of sight is not drawn.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))?;
        page.call("Page.navigate", json!({ "url": url }))?;
        Ok(page)
    }

    fn call(&self, method: &str, params: Value) -> Result<Value> {
        self.browser.call(Some(&self.session), method, params)
    }

    /// The value of an expression of JavaScript.
    pub(crate) fn eval(&self, expression: &str) -> Result<Value> {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut done = self.call("Runtime.evaluate", params)?;
        match done.get("exceptionDetails") {
            Some(details) => Err(format!("{expression}: {details}").into()),
            None => Ok(done["result"]["value"].take()),
        }
    }

    /// Types a todo and presses the key.
    pub(crate) fn add(&self, text: &str) -> Result {
        self.eval("document.querySelector('#text').focus()")?;
        self.call("Input.insertText", json!({ "text": text }))?;
        for kind in ["rawKeyDown", "char", "keyUp"] {
            let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "text": "\r",
                              "windowsVirtualKeyCode": 13 });
            self.call("Input.dispatchKeyEvent", key)?;
        }
        Ok(())
    }

    /// Clicks on what a selector finds.
    pub(crate) fn click(&self, selector: &str) -> Result {
        let selector = json!(selector);
        self.eval(&format!("document.querySelector({selector}).click()")).map(drop)
    }

    /// The todos that are shown: `[x] text`.
    pub(crate) fn todos(&self) -> Result<Vec<String>> {
        let rows = self.eval(
            "[...document.querySelectorAll('#todos li')].map(row => \
             `[${row.querySelector('input').checked ? 'x' : ' '}] ${row.querySelector('span').textContent}`)",
        )?;
        Ok(serde_json::from_value(rows)?)
    }

    /// How it stands with the backend.
    pub(crate) fn sync(&self) -> Result<String> {
        let text = self.eval("document.querySelector('#sync-text')?.textContent ?? 'loading'")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn wait_for_sync(&self, wanted: &str) -> Result {
        let waited = wait::until("the page's sync status", &wanted.to_owned(), || self.sync());
        waited.map_err(|error| format!("{error}\n{}", self.complaints().join("\n")).into())
    }

    pub(crate) fn wait_for_todos(&self, wanted: &[&str]) -> Result {
        let wanted: Vec<_> = wanted.iter().map(|&todo| todo.to_owned()).collect();
        wait::until("the page's todos", &wanted, || self.todos())
    }

    /// Exceptions, and what the page wrote to the console as an error, since the last time.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let events = self.browser.events(&self.session);
        let is_complaint = |event: &Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => event["params"]["type"] == "error",
            _ => false,
        };
        events
            .iter()
            .filter(|event| is_complaint(event))
            .map(|it| it["params"].to_string())
            .collect()
    }

    /// Saves what it looks like.
    pub(crate) fn picture(&self, look: &Look, folder: &Path) -> Result {
        let size = json!({ "width": look.width, "height": look.height, "deviceScaleFactor": 1,
                           "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size)?;
        let scheme = json!({ "name": "prefers-color-scheme", "value": look.scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [scheme] }))?;
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }))?;
        let bytes = decode_base64(shot["data"].as_str().ok_or("no picture")?);
        std::fs::create_dir_all(folder)?;
        Ok(std::fs::write(folder.join(format!("{}.png", look.name)), bytes)?)
    }
}

/// The bytes that are written in base64, as the protocol has pictures.
fn decode_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for digit in text.bytes().filter_map(|byte| ALPHABET.iter().position(|it| *it == byte)) {
        bits = (bits << 6) | u32::try_from(digit).unwrap_or_default();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).unwrap_or_default());
            bits &= (1 << count) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(decode_base64("aGVsbG8="), b"hello");
        assert_eq!(decode_base64("/+8A"), [0xff, 0xef, 0]);
        assert_eq!(decode_base64(""), b"");
    }
}
