import { EXIT, type Verb } from "../verb.ts";
import { readVersion } from "../version.ts";

export const version: Verb = {
  explanation: null,
  arguments: [],
  options: [],
  examples: ["version"],
  async run(_given, shell) {
    shell.stdout.write(`${readVersion()}\n`);
    return EXIT.ok;
  },
};
