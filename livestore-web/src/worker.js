// Loads the module that the page is of, and says what went wrong.
onmessage = async ({ data: { url, module, page } }) => {
  onmessage = null;
  self.livestorePage = page;
  try {
    const bundle = await import(url);
    await bundle.default({ module_or_path: module });
    if (!self.livestoreServed) postMessage({ said: "unserved" });
  } catch (error) {
    postMessage({ said: "unloaded", reason: String(error) });
  }
};
