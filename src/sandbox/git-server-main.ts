/**
 * Runs the git server as a process of its own, so that a test can kill it like a machine that loses power:
 * `node src/sandbox/git-server-main.ts ROOT [PORT [USERS]]`, the last one a file of JSON that lists its users. Prints
 * one line of JSON, `{"url": …}`, once it serves.
 */
import { readFile } from "node:fs/promises";
import { type GitServerUser, startGitServer } from "./git-server.ts";

const [root, port = "0", usersFile] = process.argv.slice(2);
if (root === undefined) {
  process.stderr.write("usage: git-server-main.ts ROOT [PORT [USERS]]\n");
  process.exit(2);
}
const users =
  usersFile === undefined
    ? {}
    : { users: JSON.parse(await readFile(usersFile, "utf8")) as Readonly<Record<string, GitServerUser>> };
const server = await startGitServer({ root, port: Number.parseInt(port, 10), ...users });
process.stdout.write(`${JSON.stringify({ url: server.url("").replace(/\/$/, "") })}\n`);

const stop = (): void => void server.stop().then(() => process.exit(0));
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
