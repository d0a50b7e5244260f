"""The same jobs in asyncio and Trio: nanoseconds of CPU for each child, level, item or turn. Absolute, to be read beside the table.

usage: python3 python.py JOB SIZE     prints {"asyncio": ns, "trio": ns}, without those that are not there or cannot do it
"""

import asyncio
import json
import statistics
import sys
import time

try:
    import trio
except ImportError:
    trio = None

CROWD = 100
LIMIT = 10
LONG = 1000.0
SECONDS = 0.6


class Asyncio:
    def run(self, main):
        asyncio.run(main())

    async def spawn(self, n):
        async def child():
            await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for _ in range(n):
                group.create_task(child())

    async def cancel(self, n):
        tasks = [asyncio.ensure_future(asyncio.sleep(LONG + i)) for i in range(n)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def nested(self, n):
        if n > 1:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.nested(n - 1))

    async def map(self, n):
        results = [None] * n
        todo = iter(range(n))

        async def worker():
            for i in todo:
                await asyncio.sleep(0)
                results[i] = i

        async with asyncio.TaskGroup() as group:
            for _ in range(LIMIT):
                group.create_task(worker())

    forEach = map

    async def channel16(self, n):
        queue = asyncio.Queue(16)

        async def produce():
            for i in range(n):
                await queue.put(i)

        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            for _ in range(n):
                await queue.get()

    async def lock(self, n):
        lock = asyncio.Lock()
        for _ in range(n):
            async with lock:
                pass

    async def crowd(self, n, lock):
        async def worker():
            for _ in range(n // CROWD):
                async with lock:
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            for _ in range(CROWD):
                group.create_task(worker())

    async def lockCrowd(self, n):
        await self.crowd(n, asyncio.Lock())

    async def semaphoreCrowd(self, n):
        await self.crowd(n, asyncio.Semaphore(1))

    async def timeout(self, n):
        for _ in range(n):
            async with asyncio.timeout(LONG):
                await asyncio.sleep(0)

    async def checkpoint(self, n):
        for _ in range(n):
            await asyncio.sleep(0)

    async def all(self, n):
        for _ in range(n):
            await self.spawn(10)


class Trio:
    def run(self, main):
        trio.run(main)

    async def spawn(self, n):
        async with trio.open_nursery() as nursery:
            for _ in range(n):
                nursery.start_soon(trio.lowlevel.checkpoint)

    async def cancel(self, n):
        async with trio.open_nursery() as nursery:
            for i in range(n):
                nursery.start_soon(trio.sleep, LONG + i)
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

    async def nested(self, n):
        if n > 1:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.nested, n - 1)

    async def map(self, n):
        results = [None] * n
        todo = iter(range(n))

        async def worker():
            for i in todo:
                await trio.lowlevel.checkpoint()
                results[i] = i

        async with trio.open_nursery() as nursery:
            for _ in range(LIMIT):
                nursery.start_soon(worker)

    forEach = map

    async def channel(self, n, capacity):
        send, receive = trio.open_memory_channel(capacity)

        async def produce():
            for i in range(n):
                await send.send(i)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            for _ in range(n):
                await receive.receive()

    async def channel16(self, n):
        await self.channel(n, 16)

    async def channel0(self, n):
        await self.channel(n, 0)

    async def lock(self, n):
        lock = trio.Lock()
        for _ in range(n):
            async with lock:
                pass

    async def crowd(self, n, lock):
        async def worker():
            for _ in range(n // CROWD):
                async with lock:
                    await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            for _ in range(CROWD):
                nursery.start_soon(worker)

    async def lockCrowd(self, n):
        await self.crowd(n, trio.Lock())

    async def semaphoreCrowd(self, n):
        await self.crowd(n, trio.Semaphore(1))

    async def timeout(self, n):
        for _ in range(n):
            with trio.move_on_after(LONG):
                await trio.lowlevel.checkpoint()

    async def checkpoint(self, n):
        for _ in range(n):
            await trio.lowlevel.checkpoint()

    async def all(self, n):
        for _ in range(n):
            await self.spawn(10)


def measure(library, job, size):
    method = getattr(library, job, None)
    if method is None:
        return None
    costs = []

    async def main():
        before = time.process_time_ns()
        await method(size)
        costs.append((time.process_time_ns() - before) / size)

    begin = time.monotonic()
    while len(costs) < 9 and (len(costs) < 1 or time.monotonic() - begin < SECONDS):
        try:
            library.run(main)
        except RecursionError:
            return "recursion error"
    return statistics.median(costs)


job, size = sys.argv[1], int(sys.argv[2])
found = {"asyncio": Asyncio() if sys.version_info >= (3, 11) else None, "trio": Trio() if trio else None}
costs = {name: measure(library, job, size) for name, library in found.items() if library}
print(json.dumps({name: cost for name, cost in costs.items() if cost is not None}))
