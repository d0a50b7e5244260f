import { type Nursery, now, openMemoryChannel, openNursery, run, sleep } from "../../src/index.js";
import { Application } from "./app/application.js";
import { client } from "./app/client.js";
import type { Connection } from "./app/connection.js";
import { Loopback } from "./app/loopback.js";
import { serve } from "./app/server.js";
import { Ledger } from "./checks/ledger.js";
import { Watchdog } from "./checks/watchdog.js";
import { type Leak, planted } from "./leaks.js";
import { LoopDelay } from "./measure/loop-delay.js";
import { Sampler } from "./measure/sampler.js";
import { Random } from "./random.js";

export interface SoakOptions {
  readonly seed: number;
  /** How long it takes, in ms. */
  readonly ms: number;
  readonly clients?: number;
  /** How long the clients are busy before the application comes to rest and is looked at, in ms. */
  readonly round?: number;
  /** How long a round may take, in ms, before it is taken for one that hangs. */
  readonly patience?: number;
  readonly leak?: Leak | undefined;
}

export interface SoakResult {
  readonly ledger: Ledger;
  readonly samples: Sampler["samples"];
  readonly loopDelay: LoopDelay;
  /** In ms, without the pauses in between. */
  readonly busy: number;
}

/** Longer than anything takes that has been left behind on purpose. */
const SETTLES = 15;
const LONGEST_REST = 2_000;
/** A round that takes longer does not end at all. */
const LONGEST_ROUND = 30_000;

/**
 * Runs a server and its clients in rounds: the clients are busy for a while, then all of them end, and what is left of that is counted while nothing is under
 * way. So the counts do not depend on what happens to go on, and one thing more is one thing left behind. The server goes on all the time.
 */
export async function soak({ seed, ms, clients = 16, round = 400, patience = LONGEST_ROUND, leak }: SoakOptions): Promise<SoakResult> {
  const ledger = new Ledger();
  const loopback = await Loopback.open();
  const stop = new AbortController();
  const random = new Random(seed);
  const loopDelay = new LoopDelay();
  const watchdog = new Watchdog(patience, ledger);
  const unwatch = watchProcess(ledger);
  let busy = 0;
  let samples: Sampler["samples"] | undefined;
  try {
    const running = run(
      async (root) => {
        const server = root.startSoon((task) => openNursery((nursery) => listen(nursery), { signal: task.signal }), { name: "server" });
        const { send: connect, receive: accept } = openMemoryChannel<Connection>(4);
        let serving: Nursery | undefined;
        const sampler = new Sampler(stop.signal, root);
        samples = sampler.samples;
        const plant = planted(leak, stop.signal, () => serving as Nursery);
        const app = new Application({
          ledger,
          loopback,
          shutdown: stop.signal,
          follow: (object) => sampler.follow(object),
          onRequest: plant,
        });
        function listen(nursery: Nursery): Promise<void> {
          serving = nursery;
          return serve(app, accept, nursery);
        }
        const end = now() + ms;
        while (now() < end && ledger.violations.length === 0) {
          watchdog.calm(root);
          const from = now();
          loopDelay.start();
          await openNursery(async (nursery) => {
            for (let i = 1; i <= clients; i++) {
              const script = { name: `client ${i}`, connect, random: random.fork(), until: from + round };
              nursery.startSoon((task) => client(app, script, task));
            }
          });
          loopDelay.pause();
          busy += now() - from;
          watchdog.calm(root);
          await rest(serving as unknown as Nursery, loopback, ledger);
          ledger.checkAtRest();
          app.pools.checkAtRest();
          await sampler.sample();
        }
        connect.close();
        await server.join();
      },
      { signal: stop.signal },
    );
    await Promise.race([running, watchdog.barked]);
  } catch (error) {
    ledger.violated(`the application failed: ${error instanceof Error ? error.stack : error}`);
  } finally {
    unwatch();
    watchdog.stop();
    loopback.close();
  }
  return { ledger, samples: samples as Sampler["samples"], loopDelay, busy };
}

/** Waits until the server has nothing to do, and what clients have left behind on purpose, timers and sockets that close, has gone. */
async function rest(server: Nursery, loopback: Loopback, ledger: Ledger): Promise<void> {
  const from = now();
  // The heartbeat is what is left.
  const isIdle = () => [...server.tasks].every((task) => task.name === "heartbeat" || task.name.startsWith("leak"));
  while (!isIdle() && now() < from + LONGEST_REST) await sleep(1);
  ledger.check(isIdle(), () => `all clients have gone, and the server is still busy with ${[...server.tasks].join(", ")}`);
  await sleep(SETTLES);
  loopback.hangUp();
  const hasSockets = () => process.getActiveResourcesInfo().some((kind) => kind === "TCPSocketWrap");
  while (hasSockets() && now() < from + LONGEST_REST) await sleep(5);
}

/** What a process says of itself when something was forgotten is a violation. */
function watchProcess(ledger: Ledger): () => void {
  const onRejection = (reason: unknown) =>
    ledger.violated(`an unhandled rejection: ${reason instanceof Error ? reason.stack : String(reason)}`);
  const onWarning = (warning: Error) => {
    if (warning.name !== "ExperimentalWarning") ledger.violated(`a warning: ${warning.stack}`);
  };
  process.on("unhandledRejection", onRejection);
  process.on("warning", onWarning);
  return () => {
    process.off("unhandledRejection", onRejection);
    process.off("warning", onWarning);
  };
}
