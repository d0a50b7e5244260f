import { hedged, raced, retried } from "./attempts.js";
import { deadlines, movedDeadline } from "./deadlines.js";
import { disposals, undeliveredValues } from "./disposals.js";
import { failuresTogether, settledTogether } from "./groups.js";
import { channelWork, selecting, subscribing } from "./messages.js";
import { boundedPools, conditionedShelf, rateLimited } from "./pooled.js";
import { cancelledByCleanup, cancelledByListener, cancelledInside } from "./reentrant.js";
import { bridged, foreignSignals, promised } from "./signals.js";
import { echoed, fetched } from "./sockets.js";
import { generated, mapped, webStreams } from "./streams.js";
import { backgroundWork, startedTasks } from "./tasks.js";

/** All that a request may ask for, by name. */
export const handlers = {
  backgroundWork,
  boundedPools,
  bridged,
  cancelledByCleanup,
  cancelledByListener,
  cancelledInside,
  channelWork,
  conditionedShelf,
  deadlines,
  disposals,
  echoed,
  failuresTogether,
  fetched,
  foreignSignals,
  generated,
  hedged,
  mapped,
  movedDeadline,
  promised,
  raced,
  rateLimited,
  retried,
  selecting,
  settledTogether,
  startedTasks,
  subscribing,
  undeliveredValues,
  webStreams,
};
