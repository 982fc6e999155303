import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { cloneRepository } from "../../src/sandbox/clone.ts";
import type { Federation } from "../../src/sandbox/federation.ts";
import { createNarrator } from "../../src/sandbox/narrator.ts";
import { STORIES } from "../../src/sandbox/stories/play.ts";
import { type Stage, waitForAcknowledgements, waitForSync } from "../../src/sandbox/stories/stage.ts";
import { startKubeFederation } from "./kube-federation.ts";

/** The sandbox's stories, one after the other, in clusters with real API servers. */

const STORY_MAX_MS = 180_000;

let federation: Federation;
let stage: Stage;
let told = "";

beforeAll(async () => {
  federation = await startKubeFederation();
  const clone = await cloneRepository(federation.repository, join(federation.folder, "clone"));
  const narrator = createNarrator({
    write: (text) => {
      told += text;
    },
    colour: false,
  });
  stage = { federation, clone, narrator };
  await waitForSync(federation.clusters);
}, STORY_MAX_MS);

afterAll(() => federation.stop());

test.each(STORIES.map((story) => [story.name, story] as const))(
  "%s is played to its end",
  async (_, story) => {
    onTestFailed(async () => void process.stderr.write(`${told}\n${await federation.logs()}\n`));
    told = "";
    await story.play(stage);
    await waitForAcknowledgements(stage, federation.clusters);
    expect(told).not.toBe("");
  },
  STORY_MAX_MS,
);
