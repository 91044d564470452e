import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import page from "../dist/index.html?raw";

const sources = import.meta.glob("../src/**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true }) as {
  [path: string]: string;
};

const hashOf = (code: string) => `'sha256-${createHash("sha256").update(code).digest("base64")}'`;

test("no source makes HTML, code or styles from a text", () => {
  assert.ok(Object.keys(sources).length > 50);
  for (const [path, source] of Object.entries(sources)) {
    const found =
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|cssText/.exec(
        source,
      );
    assert.equal(found, null, `${path}: ${found?.[0]}`);
  }
});

test("the page allows its own script and style, and no other", () => {
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
  const script = /<script type="module">([\s\S]*)<\/script>/.exec(page)?.[1] ?? "";
  const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? "";
  assert.ok(script.length > 10_000 && style.length > 1_000);
  assert.ok(policy.includes(`script-src ${hashOf(script)};`));
  assert.ok(policy.includes(`style-src ${hashOf(style)};`));
  assert.ok(policy.startsWith("default-src 'none';"));
  assert.ok(policy.includes("connect-src 'self';"));
  assert.ok(!policy.includes("unsafe"));
});

test("the page asks nobody for anything", () => {
  const head = page.slice(0, page.indexOf("<style>"));
  assert.doesNotMatch(head, /(?:src|href)=["'](?!data:)/);
  for (const [address] of page.matchAll(/https?:\/\/[^\s"'`)]+/g)) assert.match(address, /^http:\/\/www\.w3\.org\//);
});
