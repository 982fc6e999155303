import type { Row } from "./row.ts";
import { crowd } from "./rows/crowd.ts";
import { large } from "./rows/large.ts";
import { memory } from "./rows/memory.ts";
import { distance, propagation } from "./rows/propagation.ts";
import { rest } from "./rows/rest.ts";
import { sick } from "./rows/sick.ts";
import { start } from "./rows/start.ts";
import { verbs } from "./rows/verbs.ts";

/** In the order of the table in the design. */
export const ROWS: readonly Row[] = [propagation, distance, sick, rest, memory, large, start, crowd, verbs];
