"""1000 clients that follow one tenant's events: memory per client, latency of an event, duration of the shutdown.

Half of them hold a stream of Server-Sent Events, half a WebSocket, all on one worker of a generated project's
production server with PostgreSQL. The clients are plain sockets, to leave the processor to the server.
"""

import argparse
import asyncio
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from serving import generated, running

PATH = "/api/v1/invoices/events"
MAX_KIB = 100.0
MAX_EVENT_SECONDS = 5.0
# A little less than the server gives open requests after SIGTERM.
MAX_STOP_SECONDS = 8.0
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"


def resident_kib(process: subprocess.Popen[bytes]) -> int:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


class Client:
    """A connection that receives events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, websocket: bool) -> None:
        self.reader, self.writer, self.websocket = reader, writer, websocket

    @classmethod
    async def connect(cls, port: int, authorization: str, *, websocket: bool) -> "Client":
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**14)
        upgrade = UPGRADE.format(key="dGhlIHNhbXBsZSBub25jZQ==") if websocket else ""
        path = f"{PATH}/ws" if websocket else PATH
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n{upgrade}\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 101" if websocket else b"HTTP/1.1 200"):
            raise ConnectionError(answer.decode())
        if not websocket:
            await reader.readuntil(b"\n\n")  # the first event id
        return cls(reader, writer, websocket=websocket)

    async def event(self) -> float:
        """Wait for an event and return the time of its arrival."""
        await self.reader.readuntil(b'"invoice.created"')
        await self.reader.readuntil(b"}}")
        return time.perf_counter()

    async def closed_cleanly(self) -> bool:
        """Read to the end; tell whether a stream ended with its last chunk, or a WebSocket with close code 1012."""
        left = await self.reader.read()
        while chunk := await self.reader.read():
            left += chunk
        self.writer.close()
        # A close frame from a server is not masked: opcode, length, code.
        return (b"\x88" in left and (1012).to_bytes(2) in left) if self.websocket else left.endswith(b"0\r\n\r\n")


async def connect_all(port: int, authorization: str, number: int) -> tuple[list[Client], int]:
    """Connect clients, half of each kind, fifty at a time; return them and the number of refused attempts."""
    gate = asyncio.Semaphore(50)
    refused = 0

    async def connect(index: int) -> Client:
        nonlocal refused
        async with gate:
            try:
                return await Client.connect(port, authorization, websocket=index % 2 == 1)
            except ConnectionError:
                refused += 1
            # Retry once, so that the rest can be measured; the refusal still fails the benchmark.
            await asyncio.sleep(1)
            return await Client.connect(port, authorization, websocket=index % 2 == 1)

    return list(await asyncio.gather(*map(connect, range(number)))), refused


def report(name: str, value: float, unit: str, limit: float) -> bool:
    """Print a value with PASS or FAIL; return whether it is within its limit."""
    print(f"{name:<34} {value:8.2f} {unit:<4} at most {limit:g}   {'PASS' if value <= limit else 'FAIL'}")
    return value <= limit


async def measure(process: subprocess.Popen[bytes], port: int, authorization: str, number: int) -> bool:
    """Measure and print everything; return whether it is within its limits."""
    headers = {"Authorization": authorization}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as api:

        async def create() -> float:
            began = time.perf_counter()
            invoice = {"customer": "Jacquard Looms", "amount_cents": 120050, "currency": "EUR"}
            (await api.post("/api/v1/invoices", json=invoice)).raise_for_status()
            return began

        # Ten clients first, so that what the server allocates once is not counted.
        for client in (await connect_all(port, authorization, 10))[0]:
            client.writer.close()
        await create()
        before = resident_kib(process)
        began = time.perf_counter()
        clients, refused = await connect_all(port, authorization, number)
        print(f"{number} clients connected in {time.perf_counter() - began:.1f} s")
        idle = (resident_kib(process) - before) / number
        waiting = [asyncio.create_task(client.event()) for client in clients]
        began = await create()
        times = await asyncio.wait_for(asyncio.gather(*waiting), 60)
    after = (resident_kib(process) - before) / number
    closing = [asyncio.create_task(client.closed_cleanly()) for client in clients]
    stopped = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    code = await asyncio.to_thread(process.wait, 60)
    seconds = time.perf_counter() - stopped
    clean = sum(await asyncio.gather(*closing))
    results = [
        report("refused while connecting", refused, "", 0),
        report("memory per client, idle", idle, "KiB", MAX_KIB),
        report("memory per client, after an event", after, "KiB", MAX_KIB),
        report("until all had an event", max(times) - began, "s", MAX_EVENT_SECONDS),
        report("from SIGTERM to the end", seconds, "s", MAX_STOP_SECONDS),
        report("not closed cleanly", number - clean, "", 0),
        report("exit code", code, "", 0),
    ]
    return all(results)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000, help="half of each kind (default: 1000)")
    arguments = parser.parse_args()
    # The server inherits the limit.
    wanted = 2 * arguments.clients + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY, -1) and hard < wanted:
        raise SystemExit(f"{arguments.clients} clients need {wanted} open files, and `ulimit -Hn` is {hard}.")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with generated({}, framework="fastapi") as project, running(project) as (process, port):
        project.sign_in(port)
        passed = asyncio.run(measure(process, port, project.headers["Authorization"], arguments.clients))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
