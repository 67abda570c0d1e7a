import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const STATIC = here("../src/morphospace/server/static");
const RUNTIME = "ort-wasm-simd-threaded.wasm";

/** ONNX Runtime's bundle names its 14 MB file, which would be copied as it is; the page hands the bytes over instead. */
const withoutRuntime = (): Plugin => ({
  name: "morphospace-without-runtime",
  enforce: "pre",
  transform: (code, id) =>
    id.includes("onnxruntime-web") ? code.replaceAll(`new URL("${RUNTIME}",import.meta.url)`, 'new URL("about:blank")') : null,
});

/** The WebAssembly goes beside the page, compressed: 3.7 MB in place of 14; the worker unpacks it. */
const compressedRuntime = (): Plugin => ({
  name: "morphospace-compressed-runtime",
  writeBundle() {
    const wasm = readFileSync(here(`node_modules/onnxruntime-web/dist/${RUNTIME}`));
    writeFileSync(`${STATIC}/ort.wasm.gz`, gzipSync(wasm, { level: 9 }));
  },
});

export default defineConfig({
  base: "./",
  plugins: [svelte(), compressedRuntime()],
  build: {
    outDir: STATIC,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        entryFileNames: "assets/app.js",
        assetFileNames: "assets/app[extname]",
      },
    },
  },
  worker: {
    format: "iife", // a file may start no module worker
    plugins: () => [withoutRuntime()],
    rollupOptions: { output: { entryFileNames: "assets/worker.js" } },
  },
});
