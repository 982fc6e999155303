#!/usr/bin/env node
// A checkout runs its TypeScript as it stands. The npm package ships compiled files instead, because Node refuses to
// strip types below node_modules. This launcher is plain JavaScript so that an old Node can still say what is wrong.
import { existsSync } from "node:fs";

const major = Number.parseInt(process.versions.node, 10);
if (major < 24) {
  process.stderr.write(
    `AG4001 amko-gitops needs Node 24 or newer; this is Node ${process.versions.node}. ` +
      "In a checkout, start it through npm (npm run sandbox, npx amko-gitops): they use the Node that npm ci installed.\n",
  );
  process.exit(2);
}
const source = new URL("./main.ts", import.meta.url);
const compiled = new URL("../dist/main.js", import.meta.url);
await import((existsSync(source) ? source : compiled).href);
