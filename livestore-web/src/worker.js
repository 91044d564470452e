// Loads the module that the page is of, and says what went wrong.
onmessage = async ({ data: { url, module, page } }) => {
  onmessage = null;
  self.livestorePage = page;
  try {
    const bundle = await load(url, module);
    await bundle.default({ module_or_path: module });
    if (!self.livestoreServed) postMessage({ said: "unserved" });
  } catch (error) {
    postMessage({ said: "unloaded", reason: String(error) });
  }
};

// A bundle may start itself when it is imported, as those of `dx` do. It fetches its module from a URL that is relative
// to the page, which a worker made from a blob cannot resolve. So it gets the module that the page has compiled.
async function load(url, module) {
  const fetch = self.fetch;
  self.fetch = (resource, ...options) => {
    const isModule = /\.wasm([?#]|$)/.test(resource.url ?? resource);
    return isModule ? Promise.resolve(module) : fetch.call(self, resource, ...options);
  };
  try {
    return await import(url);
  } finally {
    self.fetch = fetch;
  }
}
