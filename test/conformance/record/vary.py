"""Records new cases from the real Trio: takes recorded programs, varies them at random, and keeps those whose trace no schedule changes.

    python3 test/conformance/record/vary.py SECONDS SEED [--strict] FILE.jsonl... > new.jsonl

Needs Trio 0.34 or later. A shielded deadlock would hang, so each program has two seconds, and is left out after that.
"""

import copy
import json
import os
import random
import signal
import sys
import time
import warnings

import trio
from interpret import Unfit, trace_of

SCHEDULES = 20
LONGEST = 60
OF_OBJECTS = {
    "events": ("event_set", "event_wait"),
    "locks": ("lock",),
    "semaphores": ("semaphore",),
    "limiters": ("limiter", "limiter_total"),
    "conditions": ("condition", "condition_wait", "notify"),
}
OF_CHANNELS = "send send_nowait receive receive_nowait close_send close_receive closing iterate clone".split()
BLOCKS = ("body", "catch", "finally")


class Hang(BaseException):
    pass


def blocks_of(body):
    """All lists of statements, from outside to inside."""
    yield body
    for statement in body:
        for key in BLOCKS:
            if key in statement:
                yield from blocks_of(statement[key])


def is_valid(program):
    """Whether each name is known where it is used, and no task is named twice."""
    names = set()

    def check(body, scopes, nurseries, channels, repeated, startable):
        for statement in body:
            op, id = statement["op"], statement.get("id")
            inner = scopes, nurseries, channels, repeated or op in ("loop", "iterate"), startable
            if op in ("cancel", "shield", "deadline") and statement["scope"] not in scopes:
                return False
            if op in ("spawn", "start"):
                if statement["nursery"] not in nurseries or repeated or statement["name"] in names:
                    return False
                names.add(statement["name"])
                inner = scopes, nurseries, channels, False, op == "start"
            if op == "started" and not startable:
                return False
            if any(op in ops and id not in program.get(key, ()) for key, ops in OF_OBJECTS.items()):
                return False
            if op in OF_CHANNELS and id not in channels:
                return False
            if op in ("scope", "fail"):
                inner = scopes | {id}, *inner[1:]
            if op == "nursery":
                inner = scopes | {id}, nurseries | {id}, *inner[2:]
            if op == "clone":
                inner = *inner[:2], channels | {statement["as"]}, *inner[3:]
            outer = scopes, nurseries, channels, *inner[3:]
            if not all(check(statement[key], *(inner if key == "body" else outer)) for key in BLOCKS if key in statement):
                return False
        return True

    return check(program["body"], frozenset(), frozenset(), frozenset(program.get("channels", ())), False, False)


class Variation:
    """Changes a copy of a program in place."""

    def __init__(self, rng, corpus):
        self.rng, self.corpus, self.count = rng, corpus, 0

    def fresh(self, letter):
        self.count += 1
        return f"{letter}{5000 + self.count}"

    def renamed(self, statement):
        """A copy whose scopes, nurseries, clones and tasks have names of their own."""
        statement, names = copy.deepcopy(statement), {}
        every = [each for body in blocks_of([statement]) for each in body]
        for each in every:
            if each["op"] in ("scope", "fail", "nursery"):
                names[each["id"]] = self.fresh(each["op"][0].upper())
            if each["op"] == "clone":
                names[each["as"]] = self.fresh("h")
        for each in every:
            for key in ("id", "scope", "nursery", "as"):
                if each.get(key) in names:
                    each[key] = names[each[key]]
            if each["op"] in ("spawn", "start"):
                each["name"] = self.fresh("T")
        return statement

    def of(self, program):
        program = copy.deepcopy(program)
        for _ in range(self.rng.choice([1, 1, 2, 3, 5])):
            self.rng.choice([self.retime, self.retime, self.drop, self.graft, self.graft, self.wrap, self.move, self.add, self.add])(program)
        return program

    def some_block(self, program):
        return self.rng.choice(list(blocks_of(program["body"])))

    def statements(self, program):
        return [statement for body in blocks_of(program["body"]) for statement in body]

    def retime(self, program):
        timed = [statement for statement in self.statements(program) if "ms" in statement]
        if timed:
            one, other = self.rng.choice(timed), self.rng.choice(timed)["ms"]
            one["ms"] = self.rng.choice([0, 1, 2, 5, 10, other, other, one["ms"] + 1, max(0, one["ms"] - 1), self.rng.randrange(60)])

    def drop(self, program):
        body = self.some_block(program)
        if body:
            del body[self.rng.randrange(len(body))]

    def graft(self, program):
        """Takes a statement from somewhere, with the objects that it needs."""
        source = self.rng.choice([program, self.rng.choice(self.corpus)])
        statements = self.statements(source)
        if statements:
            body = self.some_block(program)
            body.insert(self.rng.randint(0, len(body)), self.renamed(self.rng.choice(statements)))
            for key in (*OF_OBJECTS, "channels"):
                if key in source:
                    program.setdefault(key, copy.copy(source[key]))

    def wrap(self, program):
        body = self.some_block(program)
        if not body:
            return
        begin = self.rng.randrange(len(body))
        end = self.rng.randint(begin, min(len(body) - 1, begin + 2)) + 1
        inner = body[begin:end]
        body[begin:end] = [
            self.rng.choice(
                [
                    {"op": "scope", "id": self.fresh("S"), "body": inner},
                    {"op": "scope", "id": self.fresh("S"), "ms": self.rng.randrange(50), "body": inner},
                    {"op": "scope", "id": self.fresh("S"), "shield": True, "ms": self.rng.randrange(100), "body": inner},
                    {"op": "fail", "id": self.fresh("F"), "ms": self.rng.randrange(50), "body": inner},
                    {"op": "try", "body": inner, "catch": [{"op": "log", "msg": "c"}]},
                    {"op": "try", "body": inner, "finally": [{"op": "sleep", "ms": self.rng.randrange(5)}]},
                    {"op": "nursery", "id": self.fresh("N"), "body": inner},
                    {"op": "loop", "n": 2, "body": inner},
                ]
            )
        ]

    def move(self, program):
        body = self.some_block(program)
        if body:
            statement = body.pop(self.rng.randrange(len(body)))
            self.some_block(program).insert(0, statement)

    def add(self, program):
        ms = self.rng.randrange(40)
        choices = [{"op": "raise", "msg": self.fresh("m")}, {"op": "checkpoint"}, {"op": "sleep", "ms": ms}, {"op": "effective_deadline"}]
        for statement in self.statements(program):
            if statement["op"] in ("scope", "fail", "nursery"):
                scope = statement["id"]
                choices += [{"op": "cancel", "scope": scope}, {"op": "deadline", "scope": scope, "ms": ms}]
                choices += [{"op": "shield", "scope": scope, "value": self.rng.random() < 0.5}]
            if statement["op"] == "nursery":
                child = [{"op": "sleep", "ms": ms}, {"op": "started", "value": "v"}]
                choices += [{"op": op, "nursery": statement["id"], "name": self.fresh("T"), "body": child} for op in ("spawn", "start")]
        for id in program.get("channels", ()):
            choices += [{"op": "send", "id": id, "value": self.fresh("d")}, {"op": "receive", "id": id}, {"op": "close_send", "id": id}]
            choices += [{"op": "close_receive", "id": id}, {"op": "iterate", "id": id, "body": []}]
        for id in program.get("conditions", ()):
            inner = [{"op": "condition_wait", "id": id}, {"op": "notify", "id": id, "n": self.rng.choice([1, 2, "all"])}]
            choices += [{"op": "condition", "id": id, "body": [statement]} for statement in inner]
        for id in program.get("limiters", ()):
            choices += [{"op": "limiter_total", "id": id, "n": self.rng.randrange(4)}]
        for op, key in (("limiter", "limiters"), ("lock", "locks")):
            choices += [{"op": op, "id": id, "body": [{"op": "sleep", "ms": ms}]} for id in program.get(key, ())]
        body = self.some_block(program)
        body.insert(self.rng.randint(0, len(body)), copy.deepcopy(self.rng.choice(choices)))


def stable_trace(program, strict, seed):
    """The trace that all schedules have in common, or None."""
    first = None
    for schedule in range(SCHEDULES):
        signal.setitimer(signal.ITIMER_REAL, 2)
        try:
            trace = trace_of(program, strict=strict, seed=seed * SCHEDULES + schedule, jitter=schedule % 3 != 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        first = first or trace
        if trace != first:
            return None
    return first


def main(args):
    strict = "--strict" in args
    seconds, seed, *files = [arg for arg in args if arg != "--strict"]
    programs = [json.loads(line)["program"] for file in files for line in open(file)]
    variation = Variation(random.Random(int(seed)), programs)
    end, kept = time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        program = variation.of(variation.rng.choice(programs))
        if len(variation.statements(program)) > LONGEST or not is_valid(program):
            continue
        try:
            trace = stable_trace(program, strict, int(seed))
        except Hang:
            # Trio keeps state of the run that was cut off, so the process has to be a new one.
            sys.stdout.flush()
            rest = [str(end - time.monotonic()), str(int(seed) + 1000), *(["--strict"] if strict else []), *files]
            os.execv(sys.executable, [sys.executable, __file__, *rest])
        except (Unfit, trio.TrioInternalError):
            continue
        if trace is not None:
            kept += 1
            print(json.dumps({"id": f"v{seed}-{kept}", "program": program, "trace": trace}, separators=(",", ":")))


def on_alarm(*_):
    raise Hang


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, on_alarm)
    main(sys.argv[1:])
