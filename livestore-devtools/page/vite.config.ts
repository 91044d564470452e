import { defineConfig } from "vite";
import { singleFile } from "./build/single-file.ts";
import { mockHost } from "./mock/plugin.ts";

export default defineConfig({
  plugins: [mockHost(), singleFile()],
  build: {
    target: "es2023",
    modulePreload: false,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: true,
  },
});
