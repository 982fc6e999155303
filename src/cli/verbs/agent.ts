import { once } from "node:events";
import { AGENT_SETTINGS, type ConfigProblem, type GivenSettings, readAgentConfig } from "../../config.ts";
import { plainText } from "../render/problem.ts";
import { paint, type Shell } from "../shell.ts";
import { EXIT, type OptionDescription, option, type Verb } from "../verb.ts";

/** readAgentConfig looks into the environment and at defaults itself, so that it can tell every problem at once. */
const OPTIONS: readonly OptionDescription[] = AGENT_SETTINGS.map(({ flag, placeholder, fallback, description }) =>
  option(flag, placeholder, fallback, description, { fromEnvironment: true }),
);

/** Runs the daemon until it is told to stop. A second signal ends it at once. */
export const agent: Verb = {
  explanation: null,
  arguments: [],
  options: OPTIONS,
  examples: ["agent --repo https://git.example.com/platform/federation.git --git-credentials /etc/amko-gitops/git"],
  async run(given, shell, house) {
    const flags: GivenSettings = Object.fromEntries(
      AGENT_SETTINGS.map(({ flag }) => [flag, given.text(flag) ?? undefined]),
    );
    const read = readAgentConfig(flags, shell.environment);
    const problems = [...read.problems, ...(await house.findFileProblems(flags, shell.environment))];
    if (read.config === null || problems.length > 0) {
      for (const problem of problems) shell.stderr.write(`${tellProblem(problem, shell)}\n`);
      return EXIT.usage;
    }
    const daemon = await house.startAgent(read.config);
    const { signal } = shell;
    // It may have come while the agent was being started.
    if (!signal.aborted) await once(signal, "abort");
    daemon.log("info", "stopping", { reason: (signal.reason as Error).message });
    await daemon.stop();
    return EXIT.ok;
  },
};

/** As every other error is told. */
function tellProblem({ flag, value, cause, remedy }: ConfigProblem, { stderr }: Shell): string {
  const found = value === null ? "" : ` "${plainText(value)}"`;
  return `${paint(stderr, "red", "error:")} AG4002 ${flag}${found}: ${plainText(cause).replace(/\.$/, "")}. ${remedy}`;
}
