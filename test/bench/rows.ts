import { channelRows } from "./channel-rows.js";
import { combinatorRows } from "./combinator-rows.js";
import { lockRows } from "./lock-rows.js";
import { nurseryRows } from "./nursery-rows.js";
import type { Row } from "./row.js";

export const rows: readonly Row[] = [...nurseryRows, ...channelRows, ...(await lockRows()), ...(await combinatorRows())];
