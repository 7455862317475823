// The build into the Python package: the same bytes from the same sources on every machine, so file names carry no hashes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const REPORT_CSS = fileURLToPath(new URL("../src/recurra/report/report.css", import.meta.url));
const COLOURS = "virtual:report-colours.css";

/** Read `--name: value` out of every `:root` block. */
function variables(css) {
  const found = new Map();
  for (const [, body] of css.matchAll(/:root\s*\{([^}]*)\}/g)) {
    for (const [, name, value] of body.matchAll(/(--[\w-]+):\s*([^;]+);/g)) found.set(name, value.trim());
  }
  return found;
}

/** The colours and fonts of the report, defined there alone: light-dark() lets the page switch them by itself. */
function reportColours() {
  const id = `\0${COLOURS}`;
  return {
    name: "report-colours",
    resolveId: (source) => (source === COLOURS ? id : null),
    load(wanted) {
      if (wanted !== id) return null;
      this.addWatchFile(REPORT_CSS);
      const css = readFileSync(REPORT_CSS, "utf8");
      const screen = css.replace(/@media print\s*\{(?:[^{}]|\{[^{}]*\})*\}/g, "");
      const inDark = /@media \(prefers-color-scheme: dark\)\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g;
      const dark = variables([...screen.matchAll(inDark)].map((match) => match[1]).join("\n"));
      const light = variables(screen.replace(inDark, ""));
      const rules = [...light].map(([name, value]) =>
        dark.has(name) ? `${name}: light-dark(${value}, ${dark.get(name)});` : `${name}: ${value};`,
      );
      return `:root {\n${rules.join("\n")}\n}\n`;
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [reportColours()],
  server: { proxy: { "/api": "http://127.0.0.1:8765" } },
  build: {
    outDir: "../src/recurra/studio/web",
    emptyOutDir: true,
    target: ["chrome123", "firefox121", "safari17.5"],
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "studio.js", chunkFileNames: "[name].js", assetFileNames: ({ names }) => (names.some((name) => name.endsWith(".css")) ? "studio.css" : "[name][extname]") },
    },
  },
});
