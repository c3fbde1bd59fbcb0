// node build.mjs — everything into one file that needs no network and no server: dist/countersign-verify.html.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const at = (name) => new URL(name, import.meta.url);
const read = (name) => readFileSync(at(name), "utf-8");
const pin = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const bundled = await build({
  entryPoints: [at("page/page.mjs").pathname],
  bundle: true,
  format: "iife",
  minify: true,
  charset: "utf8",
  target: "es2022",
  legalComments: "inline",
  write: false,
});
const script = bundled.outputFiles[0].text.replaceAll("</script", "<\\/script");
const style = read("page/style.css");
const policy = [
  "default-src 'none'",
  `script-src ${pin(script)}`,
  `style-src ${pin(style)}`,
  "img-src data:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
const parts = {
  CSP: policy,
  ICON: `data:image/svg+xml;base64,${Buffer.from(read("page/mark.svg")).toString("base64")}`,
  STYLE: style,
  SCRIPT: script,
};
mkdirSync(at("dist"), { recursive: true });
const page = read("page/index.html").replace(/%([A-Z]+)%/g, (_, name) => parts[name]);
writeFileSync(at("dist/countersign-verify.html"), page);
