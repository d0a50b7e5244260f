import type { AsyncCommand } from "fast-check";
import { isCancellation, openNursery, UsageError } from "../../index.js";
import type { SimController } from "../engine/sim-controller.js";
import { NonlinearizableError } from "../errors/nonlinearizable-error.js";
import type { HistoryEntry } from "../history/history-entry.js";
import { type Linearization, linearize, type Operation } from "../history/linearize.js";
import { Recorder } from "../history/record-history.js";
import { StateKeys } from "../history/state-key.js";
import { historyReport } from "../report/history-report.js";
import type { Schedule } from "../schedule.js";
import { type Call, OutOfCalls, played, recorded } from "./calls.js";

/** Histories of more states are given up. */
const MAX_STATES = 20_000;

interface Executed<M extends object, R extends object> extends Operation {
  readonly command: AsyncCommand<M, R, boolean>;
  readonly entry: HistoryEntry;
  /** What it did with the real object, with the outcomes. */
  readonly calls: readonly Call[];
}

/** How a model came to be what it is. */
interface ModelState<M extends object, R extends object> {
  readonly order: readonly Executed<M, R>[];
  readonly key: string;
}

/**
 * Runs lists of commands at the same time, each list in a task of its own, under a schedule; and throws unless the outcomes are those of some order in which the
 * commands come one after another. That is what is right of concurrent code, where equality with a model step by step (`fc.asyncModelRun`) is not.
 *
 * First the commands run with the real object, and its answers are recorded; whatever they assert about the model then counts for nothing. Then they run in one
 * order after another with a model and the recorded answers, until their own assertions all hold. An order in which `check` does not hold for a command is none.
 * In the concurrent run `check` is asked too, with a model that all tasks share: a command for which it does not hold is left out.
 *
 * What `fc.commands` shrinks to depends on what has run: to replay a `{ seed, path }` it wants the `replayPath` that it prints. `fc.array` of commands does not.
 *
 * Pitfalls: `setup` is called often, and should do no more than make two objects. A command calls the real object before it asserts anything, and gets at it
 * through its argument only. Models are compared by structure: one of a class of its own costs time, not correctness.
 *
 * @throws ScheduleFailure of the kind `"nonlinearizable"` if there is no such order, and others as `Schedule.run`
 * @example
 * const commands = () => fc.commands([fc.constant(new Read()), fc.nat().map((n) => new Write(n))], { size: "-1" });
 * await fc.assert(
 *   fc.asyncProperty(schedule(), commands(), commands(), (s, one, other) =>
 *     concurrentModelRun(s, () => ({ model: { value: 0 }, real: new Register() }), [one, other]),
 *   ),
 * );
 */
export function concurrentModelRun<M extends object, R extends object>(
  schedule: Schedule,
  setup: () => { readonly model: M; readonly real: R },
  tasks: readonly Iterable<AsyncCommand<M, R, boolean>>[],
): Promise<void> {
  return schedule.run(async (sim) => {
    const recorder = new Recorder(sim as SimController);
    const executed: Omit<Executed<M, R>, keyof Operation>[] = [];
    const { model, real } = setup();
    await openNursery((nursery) => {
      for (const [i, commands] of tasks.entries()) {
        nursery.startSoon(
          async () => {
            for (const command of commands) {
              if (!(await command.check(model))) continue;
              const calls: Call[] = [];
              const act = async () => {
                try {
                  await command.run(model, recorded(real, calls));
                } catch (error) {
                  // What it asserts of the shared model may well not hold. What the real object threw is recorded.
                  if (isCancellation(error)) throw error;
                }
              };
              const outcome = recorder.call(String(command), [], act);
              executed.push({ command, entry: recorder.entries.at(-1) as HistoryEntry, calls });
              await outcome;
            }
          },
          { name: `task ${i + 1}` },
        );
      }
    });
    await requireOrder(executed, () => setup().model);
  });
}

/** @throws NonlinearizableError if there is no order of the commands in which all that they assert holds */
async function requireOrder<M extends object, R extends object>(
  executed: readonly Omit<Executed<M, R>, keyof Operation>[],
  newModel: () => M,
): Promise<void> {
  const operations = executed.map((each): Executed<M, R> => ({ ...each, call: each.entry.call, ret: each.entry.ret, isOptional: false }));
  const keys = new StateKeys();
  const init: ModelState<M, R> = { order: [], key: keys.of(newModel()) };
  /** A command that asserted something before it had made all its calls. */
  let cut: AsyncCommand<M, R, boolean> | undefined;
  const questions = linearize(operations, init, ({ key }) => key, MAX_STATES);
  let next = questions.next();
  while (next.done !== true) {
    const { operation, state } = next.value;
    const model = newModel();
    for (const each of state.order) await each.command.run(model, played<R>(each.calls));
    const order = [...state.order, operation];
    try {
      const isAllowed = await operation.command.check(model);
      if (isAllowed) await operation.command.run(model, played<R>(operation.calls));
      next = questions.next(isAllowed ? [{ order, key: keys.of(model) }] : []);
    } catch (error) {
      if (error instanceof OutOfCalls) cut = operation.command;
      next = questions.next([]);
    }
  }
  if (next.value.verdict === "yes") return;
  if (cut !== undefined) {
    throw new UsageError(
      `${cut} calls the real object again after something that it asserted did not hold. Call it first, and assert then: what holds is not known before`,
    );
  }
  const model = newModel();
  for (const each of next.value.order) await each.command.run(model, played<R>(each.calls));
  throw complaint(next.value, operations, model);
}

/** `model`: after the longest order that is right. */
function complaint<M extends object, R extends object>(
  { verdict, order }: Linearization<Executed<M, R>, ModelState<M, R>>,
  operations: readonly Executed<M, R>[],
  model: M,
): Error {
  if (verdict === "undecided")
    return new UsageError(`no verdict on ${operations.length} commands after ${MAX_STATES} states: use fewer or shorter lists of commands`);
  const entryOf = ({ entry, calls }: Executed<M, R>): HistoryEntry => {
    const last = calls.at(-1);
    return { ...entry, result: last?.failed === false ? last.value : undefined, failed: last?.failed === true, error: last?.value };
  };
  const entries = new Map(operations.map((each) => [each, entryOf(each)]));
  return new NonlinearizableError(
    historyReport({
      part: "",
      entries: [...entries.values()].sort((one, other) => one.call - other.call),
      order: order.map((each) => entries.get(each) as HistoryEntry),
      state: model,
    }),
  );
}
