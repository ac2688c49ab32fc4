import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // The site runs in any folder of any server.
  base: "./",
  build: { outDir: "site", target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  worker: { format: "es" },
});
