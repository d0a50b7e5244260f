"""Runs a program of the conformance format (README.md one level up) on the real Trio, and returns its trace."""

import random

import trio
import trio.testing
from trio._core import _run

HORIZON = 1_000_000


class Boom(Exception):
    """What a `raise` statement throws."""


LABELS = [
    (trio.TooSlowError, "TooSlow"),
    (trio.Cancelled, "Cancelled"),
    (trio.EndOfChannel, "EndOfChannel"),
    (trio.BrokenResourceError, "BrokenResource"),
    (trio.ClosedResourceError, "ClosedResource"),
    (trio.WouldBlock, "WouldBlock"),
    (RuntimeError, "RuntimeError"),
]
OF_CHANNELS = (trio.EndOfChannel, trio.BrokenResourceError, trio.ClosedResourceError, trio.WouldBlock)


def leaves(error):
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def is_cancellation(error):
    return all(isinstance(leaf, trio.Cancelled) for leaf in leaves(error))


def has_cancellation(error):
    return any(isinstance(leaf, trio.Cancelled) for leaf in leaves(error))


class Unfit(Exception):
    """The program does something that the format leaves out, so it makes no case."""


class Task:
    """What the statements of one task find around them: names are lexical."""

    def __init__(self, name, scopes, nurseries, channels, status):
        self.name, self.scopes, self.nurseries, self.channels, self.status = name, scopes, nurseries, channels, status

    def having(self, **changes):
        return Task(**{**vars(self), **changes})

    def having_scope(self, id, scope):
        return self.having(scopes={**self.scopes, id: scope})


class Interpreter:
    def __init__(self, program, strict, jitter):
        self.program, self.strict, self.jitter = program, strict, jitter
        self.tasks = {}
        self.events = {id: trio.Event() for id in program.get("events", [])}
        self.channels = {id: trio.open_memory_channel(size) for id, size in program.get("channels", {}).items()}
        self.conditions = {id: trio.Condition() for id in program.get("conditions", [])}
        self.limiters = {id: trio.CapacityLimiter(n) for id, n in program.get("limiters", {}).items()}
        self.held = {
            **self.conditions,
            **self.limiters,
            **{id: trio.Lock() for id in program.get("locks", [])},
            **{id: trio.Semaphore(n) for id, n in program.get("semaphores", {}).items()},
        }

    async def trace(self):
        self.begin = trio.current_time()
        task = Task("main", {}, {}, self.channels, None)
        outcome = "ok"
        try:
            with trio.move_on_after(HORIZON) as horizon:
                await self.run_task(task, self.program["body"])
            self.log(task, "horizon reached" if horizon.cancelled_caught else "horizon not reached")
        except Unfit:
            raise
        except BaseException as error:
            outcome = self.label(error)
        return {"tasks": self.tasks, "outcome": outcome}

    def log(self, task, event):
        self.tasks.setdefault(task.name, []).append([round(trio.current_time() - self.begin), event])

    def label(self, error):
        if isinstance(error, Boom):
            return f"Boom({error.args[0]})"
        if isinstance(error, BaseExceptionGroup):
            labels = sorted(self.label(inner) for inner in error.exceptions if not is_cancellation(inner))
            if not labels:
                return "Cancelled"
            return labels[0] if len(labels) == 1 and not self.strict else f"[{','.join(labels)}]"
        for kind, label in LABELS:
            if isinstance(error, kind):
                return label
        raise Unfit(f"unexpected {error!r}")

    async def run_task(self, task, body):
        try:
            await self.block(task, body)
        except BaseException as error:
            if has_cancellation(error) and not is_cancellation(error):
                raise Unfit("a handler sees a cancellation beside an error") from None
            self.log(task, f"ended {self.label(error)}")
            raise
        self.log(task, "done")

    async def block(self, task, body):
        for statement in body:
            # Extra yields, which are no cancel points: a trace that depends on how many steps something takes makes no case.
            while self.jitter is not None and self.jitter.random() < 0.3:
                await trio.lowlevel.cancel_shielded_checkpoint()
            await getattr(self, "op_" + statement["op"])(task, statement)

    async def op_log(self, task, statement):
        self.log(task, statement["msg"])

    async def op_sleep(self, task, statement):
        await trio.sleep(statement["ms"])
        self.log(task, f"slept {statement['ms']}")

    async def op_checkpoint(self, task, statement):
        await trio.lowlevel.checkpoint()

    async def op_raise(self, task, statement):
        raise Boom(statement["msg"])

    async def op_loop(self, task, statement):
        for _ in range(statement["n"]):
            await self.block(task, statement["body"])

    async def op_try(self, task, statement):
        try:
            try:
                await self.block(task, statement["body"])
            except Exception as error:
                if "catch" not in statement:
                    raise
                if has_cancellation(error):
                    raise Unfit("a handler sees a cancellation beside an error") from None
                self.log(task, f"caught {self.label(error)}")
                await self.block(task, statement["catch"])
        finally:
            if "finally" in statement:
                self.log(task, "finally")
                await self.block(task, statement["finally"])

    async def op_scope(self, task, statement):
        deadline = trio.current_time() + statement["ms"] if "ms" in statement else float("inf")
        with trio.CancelScope(deadline=deadline, shield=statement.get("shield", False)) as scope:
            await self.block(task.having_scope(statement["id"], scope), statement["body"])
        self.log(task, f"scope {statement['id']} called={int(scope.cancel_called)} caught={int(scope.cancelled_caught)}")

    async def op_fail(self, task, statement):
        with trio.fail_after(statement["ms"]) as scope:
            await self.block(task.having_scope(statement["id"], scope), statement["body"])
        self.log(task, f"fail {statement['id']} passed")

    async def op_cancel(self, task, statement):
        task.scopes[statement["scope"]].cancel()

    async def op_shield(self, task, statement):
        scope = task.scopes[statement["scope"]]
        status = scope._cancel_status
        if statement["value"] and not scope.shield and status and status.parent and status.parent.effectively_cancelled:
            raise Unfit("it shields what is cancelled already")
        scope.shield = statement["value"]

    async def op_deadline(self, task, statement):
        task.scopes[statement["scope"]].deadline = trio.current_time() + statement["ms"]

    async def op_effective_deadline(self, task, statement):
        deadline = trio.current_effective_deadline() - self.begin
        self.log(task, f"effective deadline {deadline if abs(deadline) == float('inf') else round(deadline)}")

    async def op_nursery(self, task, statement):
        id = statement["id"]
        async with trio.open_nursery() as nursery:
            inner = task.having(nurseries={**task.nurseries, id: nursery}).having_scope(id, nursery.cancel_scope)
            await self.block(inner, statement["body"])
        self.log(task, f"nursery {id} exit")

    async def op_spawn(self, task, statement):
        child = task.having(name=statement["name"], status=None)
        task.nurseries[statement["nursery"]].start_soon(self.run_task, child, statement["body"])

    async def op_start(self, task, statement):
        name = statement["name"]

        async def begin(task_status=trio.TASK_STATUS_IGNORED):
            await self.run_task(task.having(name=name, status=task_status), statement["body"])

        try:
            value = await task.nurseries[statement["nursery"]].start(begin)
        except RuntimeError:
            self.log(task, f"start {name}: RuntimeError")
        else:
            self.log(task, f"start {name} -> {value}")

    async def op_started(self, task, statement):
        await self.attempt(task, "started", lambda: task.status.started(statement["value"]))

    async def op_event_set(self, task, statement):
        self.events[statement["id"]].set()

    async def op_event_wait(self, task, statement):
        await self.events[statement["id"]].wait()
        self.log(task, f"event {statement['id']}")

    async def holding(self, task, statement):
        async with self.held[statement["id"]]:
            self.log(task, f"acquired {statement['id']}")
            await self.block(task, statement["body"])
        self.log(task, f"released {statement['id']}")

    op_lock = op_semaphore = op_limiter = op_condition = holding

    async def op_limiter_total(self, task, statement):
        self.limiters[statement["id"]].total_tokens = statement["n"]

    async def op_condition_wait(self, task, statement):
        try:
            await self.conditions[statement["id"]].wait()
        except RuntimeError:
            self.log(task, "wait: RuntimeError")
        else:
            self.log(task, f"notified {statement['id']}")

    async def op_notify(self, task, statement):
        condition, n = self.conditions[statement["id"]], statement["n"]
        await self.attempt(task, "notify", condition.notify_all if n == "all" else lambda: condition.notify(n))

    async def attempt(self, task, what, operation):
        try:
            operation()
        except RuntimeError:
            self.log(task, f"{what}: RuntimeError")

    async def op_send(self, task, statement):
        send, _ = task.channels[statement["id"]]
        try:
            await send.send(statement["value"]) if statement["op"] == "send" else send.send_nowait(statement["value"])
        except OF_CHANNELS as error:
            self.log(task, f"send: {self.label(error)}")
        else:
            self.log(task, f"sent {statement['value']}")

    op_send_nowait = op_send

    async def op_receive(self, task, statement):
        _, receive = task.channels[statement["id"]]
        try:
            value = await receive.receive() if statement["op"] == "receive" else receive.receive_nowait()
        except OF_CHANNELS as error:
            self.log(task, f"receive: {self.label(error)}")
        else:
            self.log(task, f"received {value}")

    op_receive_nowait = op_receive

    async def op_close_send(self, task, statement):
        task.channels[statement["id"]][0].close()

    async def op_close_receive(self, task, statement):
        task.channels[statement["id"]][1].close()

    async def op_closing(self, task, statement):
        with task.channels[statement["id"]][statement["end"] == "receive"]:
            await self.block(task, statement["body"])

    async def op_clone(self, task, statement):
        pair, end = task.channels[statement["id"]], int(statement["end"] == "receive")
        try:
            clone = pair[end].clone()
        except trio.ClosedResourceError:
            self.log(task, "clone: ClosedResource")
            return
        with clone:
            seen = (pair[0], clone) if end else (clone, pair[1])
            await self.block(task.having(channels={**task.channels, statement["as"]: seen}), statement["body"])

    async def op_iterate(self, task, statement):
        _, receive = task.channels[statement["id"]]
        while True:
            try:
                value = await receive.receive()
            except trio.EndOfChannel:
                self.log(task, "end of items")
                return
            except OF_CHANNELS as error:
                self.log(task, f"items: {self.label(error)}")
                return
            self.log(task, f"item {value}")
            await self.block(task, statement["body"])


def trace_of(program, *, strict=False, seed=0, jitter=False):
    """The trace of one run, whose schedule `seed` decides."""
    _run._r.seed(seed)
    interpreter = Interpreter(program, strict, random.Random(seed) if jitter else None)
    clock = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(interpreter.trace, clock=clock, strict_exception_groups=strict)
