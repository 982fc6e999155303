import { formatReason } from "../core/message.ts";
import { type Given, wrongFlag } from "./given.ts";
import { plainText } from "./render/problem.ts";
import type { Shell } from "./shell.ts";

/** Why it is done, given or asked for. A reason is for whoever reads the history in a year. @throws FederationError AG4002 */
export async function askReason(given: Given, shell: Shell): Promise<string> {
  const remedy = "Say why in one sentence: it stands in the commit's message.";
  const asked = given.text("reason");
  const answer = asked ?? (await shell.ask("Why? (one sentence, for the history): "));
  if (answer === null) throw wrongFlag("reason", null, "missing, and nobody is here to ask", remedy);
  if (formatReason(answer) === "") throw wrongFlag("reason", asked, "empty", remedy);
  return answer;
}

/** Whether the person agrees, by typing `word` or yes. @throws FederationError AG4002 where nobody can answer */
export async function askYes(given: Given, shell: Shell, question: string, word: string | null): Promise<boolean> {
  if (given.isSet("yes")) return true;
  const words = word === null ? "yes" : `${plainText(word)} or yes`;
  const answer = await shell.ask(`${question} Type ${words}: `);
  if (answer === null) {
    const remedy = "Add --yes to go on without being asked, or --dry-run to look only.";
    throw wrongFlag("yes", null, "nobody is here to answer", remedy);
  }
  return answer === "yes" || answer === word;
}
