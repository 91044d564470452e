//! A page of the todo example: what one does in it, and what one sees.

use std::path::Path;

use serde_json::{Value, json};

use crate::devtools::Browser;
use crate::{Result, wait};

/// A page.
pub(crate) struct Page {
    browser: Browser,
    session: String,
    target: String,
    profile: Profile,
    url: String,
}

/// A profile: what its pages store, they share, and nobody else has it.
#[derive(Debug, Clone)]
pub(crate) struct Profile(Option<String>);

impl Profile {
    /// A new one, in which nothing is stored.
    pub(crate) fn new(browser: &Browser) -> Result<Self> {
        let made = browser.call(None, "Target.createBrowserContext", json!({}))?;
        Ok(Self(Some(made["browserContextId"].as_str().ok_or("no profile")?.to_owned())))
    }

    /// The one that is on disk. What others store is in memory.
    pub(crate) fn on_disk() -> Self {
        Self(None)
    }
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
    pub(crate) fn open(browser: &Browser, profile: &Profile, url: &str) -> Result<Self> {
        Self::open_with(browser, profile, url, "")
    }

    /// Opens a page in which this JavaScript has run first.
    pub(crate) fn open_with(
        browser: &Browser,
        profile: &Profile,
        url: &str,
        script: &str,
    ) -> Result<Self> {
        let mut params = json!({ "url": "about:blank" });
        if let (Some(profile), Some(params)) = (&profile.0, params.as_object_mut()) {
            params.insert("browserContextId".to_owned(), profile.as_str().into());
        }
        let target = browser.call(None, "Target.createTarget", params)?;
        let params = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call(None, "Target.attachToTarget", params)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let page = Self {
            browser: browser.clone(),
            session: text(&attached["sessionId"]).ok_or("no session")?,
            target: text(&target["targetId"]).ok_or("no target")?,
            profile: profile.clone(),
            url: url.to_owned(),
        };
        page.call("Runtime.enable", json!({}))?;
        page.call("Page.enable", json!({}))?;
        page.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }))?;
        // A page that is out of sight is not drawn.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))?;
        page.call("Page.navigate", json!({ "url": url }))?;
        Ok(page)
    }

    /// Opens the same page in another tab.
    pub(crate) fn open_tab(&self) -> Result<Self> {
        Self::open(&self.browser, &self.profile, &self.url)
    }

    /// Loads the page again, without waiting for anything.
    pub(crate) fn reload(&self) -> Result {
        // A page that is about to go does not answer.
        self.call("Page.reload", json!({})).map(drop)
    }

    /// Loads the page again, and waits until the one that there was is gone.
    pub(crate) fn load_again(&self) -> Result {
        self.eval("window.isLeaving = true")?;
        self.reload()?;
        self.wait_until_gone()
    }

    fn wait_until_gone(&self) -> Result {
        wait::until("the page to be loaded again", &Value::Null, || {
            self.look("window.isLeaving ?? null")
        })
    }

    /// Adds a todo and loads the page again, in one task of the page's.
    pub(crate) fn add_and_reload(&self, text: &str) -> Result {
        let text = json!(text);
        let script = format!(
            "const input = document.querySelector('#text'); input.value = {text}; \
             input.dispatchEvent(new Event('input')); \
             document.querySelector('#new').requestSubmit(); \
             window.isLeaving = true; location.reload()"
        );
        // A page that is going may not answer.
        let _ = self.eval(&script);
        self.wait_until_gone()
    }

    /// What is typed, and not added yet.
    pub(crate) fn typed(&self) -> Result<String> {
        let typed = self.look("document.querySelector('#text')?.value ?? ''")?;
        Ok(typed.as_str().unwrap_or_default().to_owned())
    }

    /// Opens the page as somebody does who duplicates the tab.
    pub(crate) fn duplicate(&self) -> Result<Self> {
        self.opens(|| self.eval("void window.open(location.href)").map(drop))
    }

    /// The tab that the page opens when this is done.
    pub(crate) fn opens(&self, open: impl FnOnce() -> Result) -> Result<Self> {
        let before = self.targets()?;
        open()?;
        let new = || Ok(self.targets()?.into_iter().find(|target| !before.contains(target)));
        wait::until("a new tab", &true, || new().map(|target| target.is_some()))?;
        let target = new()?.ok_or("no new tab")?;
        let params = json!({ "targetId": target, "flatten": true });
        let attached = self.browser.call(None, "Target.attachToTarget", params)?;
        let session = attached["sessionId"].as_str().ok_or("no session")?.to_owned();
        let (browser, profile) = (self.browser.clone(), self.profile.clone());
        let page = Self { browser, session, target, profile, url: self.url.clone() };
        page.call("Runtime.enable", json!({}))?;
        Ok(page)
    }

    fn targets(&self) -> Result<Vec<String>> {
        let found = self.browser.call(None, "Target.getTargets", json!({}))?;
        let pages = found["targetInfos"].as_array().into_iter().flatten();
        let pages = pages.filter(|target| target["type"] == "page");
        Ok(pages.filter_map(|page| page["targetId"].as_str().map(str::to_owned)).collect())
    }

    /// Has the browser freeze the tab, as it does with those that are long out of sight, or go on with it.
    pub(crate) fn freeze(&self, is_frozen: bool) -> Result {
        // A page that has the focus is not frozen.
        let has_focus = json!({ "enabled": !is_frozen });
        self.call("Emulation.setFocusEmulationEnabled", has_focus)?;
        let state = if is_frozen { "frozen" } else { "active" };
        self.call("Page.setWebLifecycleState", json!({ "state": state })).map(drop)
    }

    /// Limits what the page's origin may store, in bytes; `None` ends that.
    pub(crate) fn limit_storage(&self, bytes: Option<u64>) -> Result {
        let origin = self.url.split("/?").next().unwrap_or_default();
        let mut params = json!({ "origin": origin });
        if let (Some(bytes), Some(params)) = (bytes, params.as_object_mut()) {
            params.insert("quotaSize".to_owned(), bytes.into());
        }
        self.call("Storage.overrideQuotaForOrigin", params).map(drop)
    }

    /// The number of this page's and other pages' entries of commits that are not in the log.
    pub(crate) fn journal_entries(&self) -> Result<u64> {
        let keys = "Object.keys(localStorage).filter(key => key.startsWith('livestore /')).length";
        Ok(self.look(keys)?.as_u64().unwrap_or_default())
    }

    /// What the page says went wrong.
    pub(crate) fn problem(&self) -> Result<String> {
        let problem = self.eval("document.querySelector('#problem')?.textContent ?? ''")?;
        Ok(problem.as_str().unwrap_or_default().to_owned())
    }

    /// Whether the page says that nothing is stored.
    pub(crate) fn says_nothing_is_stored(&self) -> Result<bool> {
        Ok(self.eval("document.querySelector('#storage')?.hidden === false")? == true)
    }

    /// Closes the tab, without asking the page.
    pub(crate) fn close(self) -> Result {
        self.browser.call(None, "Target.closeTarget", json!({ "targetId": self.target })).map(drop)
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

    /// Loads a program of the site into the page, and runs it.
    pub(crate) fn import(&self, module: &str) -> Result {
        // Chromium says that a promise is gone which nothing but the question for it holds.
        let script = format!("globalThis.imported = import('{module}').then(it => it.default())");
        self.eval(&format!("{script}.then(() => 0)")).map(drop)
    }

    /// The value of an expression; null while the page is loaded.
    fn look(&self, expression: &str) -> Result<Value> {
        match self.eval(expression) {
            Err(error) if error.to_string().contains("navigated or closed") => Ok(Value::Null),
            seen => seen,
        }
    }

    /// Types a todo and presses the key.
    pub(crate) fn add(&self, text: &str) -> Result {
        self.eval("document.querySelector('#text').focus()")?;
        self.type_text(text)?;
        self.press("Enter")
    }

    /// Adds a todo that is too long to be typed.
    pub(crate) fn paste(&self, text: &str) -> Result {
        self.eval("document.querySelector('#text').focus()")?;
        self.call("Input.insertText", json!({ "text": text }))?;
        self.press("Enter")
    }

    /// Presses a key: one that has a letter, or Enter, Escape or `Ctrl+` a letter.
    pub(crate) fn press(&self, key: &str) -> Result {
        let (text, code, control) = match (key, key.strip_prefix("Ctrl+")) {
            ("Enter", _) => ("\r", 13, 0),
            ("Escape", _) => ("", 27, 0),
            (_, Some(_)) => ("", 0, 2),
            _ => (key, 0, 0),
        };
        let key = key.trim_start_matches("Ctrl+");
        let kinds: &[&str] = match text {
            "" => &["rawKeyDown", "keyUp"],
            _ => &["rawKeyDown", "char", "keyUp"],
        };
        for kind in kinds {
            let event = json!({ "type": kind, "key": key, "code": key, "text": text,
                                "windowsVirtualKeyCode": code, "modifiers": control });
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// Drags what is at one point of the window to another, in a few steps.
    pub(crate) fn drag(&self, from: (f64, f64), to: (f64, f64)) -> Result {
        self.mouse("mousePressed", from)?;
        for step in 1..=8 {
            let part = f64::from(step) / 8.0;
            let between = |from: f64, to: f64| from + (to - from) * part;
            self.mouse("mouseMoved", (between(from.0, to.0), between(from.1, to.1)))?;
        }
        self.mouse("mouseReleased", to)
    }

    pub(crate) fn mouse(&self, kind: &str, (x, y): (f64, f64)) -> Result {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", event).map(drop)
    }

    /// Types into what has the focus, key by key, so that a key that moves the focus is noticed.
    pub(crate) fn type_text(&self, text: &str) -> Result {
        text.chars().try_for_each(|letter| self.press(&letter.to_string()))
    }

    /// Clicks on what a selector finds.
    pub(crate) fn click(&self, selector: &str) -> Result {
        let selector = json!(selector);
        self.eval(&format!("document.querySelector({selector}).click()")).map(drop)
    }

    /// Clicks as a hand does, where nothing need be.
    pub(crate) fn click_at(&self, x: u32, y: u32) -> Result {
        for kind in ["mousePressed", "mouseReleased"] {
            let button = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", button)?;
        }
        Ok(())
    }

    /// The todos that are shown: `[x] text`.
    pub(crate) fn todos(&self) -> Result<Vec<String>> {
        let rows = self.look(
            "[...document.querySelectorAll('#todos li')].map(row => \
             `[${row.querySelector('input').checked ? 'x' : ' '}] ${row.querySelector('span').textContent}`)",
        )?;
        Ok(serde_json::from_value::<Option<_>>(rows)?.unwrap_or_default())
    }

    /// How it stands with the backend.
    pub(crate) fn sync(&self) -> Result<String> {
        let text = self.look("document.querySelector('#sync-text')?.textContent ?? 'loading'")?;
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

    /// Makes the window as large as this, in pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) -> Result {
        let size =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).map(drop)
    }

    /// Saves what it looks like.
    pub(crate) fn picture(&self, look: &Look, folder: &Path) -> Result {
        self.resize(look.width, look.height)?;
        let scheme = json!({ "name": "prefers-color-scheme", "value": look.scheme });
        // A picture in the middle of a transition is nobody's.
        let still = json!({ "name": "prefers-reduced-motion", "value": "reduce" });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [scheme, still] }))?;
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
