/**
 * Runs the git server as a process of its own, so that a test can kill it like a machine that loses power:
 * `node src/sandbox/git-server-main.ts ROOT [PORT]`. Prints one line of JSON, `{"url": …}`, once it serves.
 */
import { startGitServer } from "./git-server.ts";

const [root, port = "0"] = process.argv.slice(2);
if (root === undefined) {
  process.stderr.write("usage: git-server-main.ts ROOT [PORT]\n");
  process.exit(2);
}
const server = await startGitServer({ root, port: Number.parseInt(port, 10) });
process.stdout.write(`${JSON.stringify({ url: server.url("").replace(/\/$/, "") })}\n`);

const stop = (): void => void server.stop().then(() => process.exit(0));
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
