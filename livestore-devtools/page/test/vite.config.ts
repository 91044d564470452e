import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

const here = import.meta.dirname;

/** Turns each test into a script for `node --test`. */
export default defineConfig({
  logLevel: "warn",
  build: {
    ssr: true,
    target: "es2023",
    outDir: `${here}/../node_modules/.test`,
    emptyOutDir: true,
    rolldownOptions: {
      input: readdirSync(here)
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => `${here}/${name}`),
      output: { entryFileNames: "[name].mjs" },
    },
  },
});
