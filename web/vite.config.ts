import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env["OSTEOSCOPE_SERVER"] ?? "http://127.0.0.1:8765";

export default defineConfig({
  base: "./",
  plugins: [react()],
  resolve: {
    alias: [{ find: /^numcodecs\/\w+$/, replacement: fileURLToPath(new URL("src/ct/no_codec.ts", import.meta.url)) }],
  },
  build: { outDir: "../src/osteoscope/app/static", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1500 },
  server: { proxy: { "/api": server, "/dicom-web": server } },
});
