// Each page has an id, so that what the page before it has shown ends. A frame within the page has none.
if (window.top === window) {
  const page = String(Math.random())
  window.__TAURI_LIVESTORE_PAGE__ = page
  window.__TAURI_INTERNALS__.invoke('plugin:livestore|begin_page', { page }).catch(() => {
    // A page without the permission shows nothing, either.
  })
}
