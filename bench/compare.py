#!/usr/bin/env python3
"""Measures file systems side by side on one machine, interleaved, and prints a Markdown table.

    bench/compare.py epoch  [--files 20000] [--rounds 5] [--peers ext4,juicefs,...]
    bench/compare.py create [--files 10000] [--rounds 5]
    bench/compare.py big    [--size 2GiB]   [--rounds 3]
    bench/compare.py load   [--files 20000] [--rounds 5]
    bench/compare.py metadata [--files 20000] [--rounds 5] [--threads 8]

Rounds go A B C A B C, so that what else the machine does hits all alike; a figure is the median over
the rounds, a ratio is the median of the ratios within each round. JSON goes to --json FILE. Needs
root (page cache is dropped through /proc/sys/vm/drop_caches) and only Python's standard library.
"""
from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import peers as p

STATES = {
    "bucket": "content in the bucket only, 16 readers",
    "page": "epochs 2 and later, page cache warm",
    "disk": "page cache dropped, content cached on this machine",
}


WARM_BUCKET = "bench-other"
LOAD_READERS = 16  # as many as the plain loop of GETs has connections


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def program(name: str, *arguments: object) -> list[dict]:
    """One bench program's reports."""
    out = p.run(p.BENCH / "run.sh", name, *arguments, "--json")
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def drop_caches() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def joined(pids: list[int]) -> str:
    return ",".join(map(str, pids))


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def machine() -> dict:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": cpu_model(), "cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1),
            "kernel": platform.release(), "date": datetime.date.today().isoformat(),
            "load_average": os.getloadavg()}


class Bench:
    """One invocation: its work directory, its servers, its peers; ``close`` leaves nothing."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.a = arguments
        self.work = Path(arguments.work or p.CACHE / f"compare-{os.getpid()}").absolute()
        self.stack = contextlib.ExitStack()
        self.results: dict[str, dict[str, list[dict]]] = {}
        self.skipped: dict[str, str] = {}
        self.versions: dict[str, str] = {}

    def __enter__(self) -> Bench:
        for sign in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, lambda *_: sys.exit(143))
        self.work.mkdir(parents=True)
        self.stack.callback(self.remove)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def remove(self) -> None:
        left = [m for m in Path("/proc/self/mountinfo").read_text().splitlines()
                if m.split(" ")[4].startswith(f"{self.work}/")]
        for line in left:
            subprocess.run(["umount", "-l", line.split(" ")[4]], check=False)
        if not self.a.keep:
            shutil.rmtree(self.work, ignore_errors=True)

    def ready(self, candidates: list[p.Peer]) -> list[p.Peer]:
        """Those that were asked for and can run, prepared."""
        chosen = []
        for peer in candidates:
            if self.a.peers and peer.name not in self.a.peers.split(","):
                continue
            reason = peer.missing()
            try:
                if reason is None:
                    self.stack.callback(getattr(peer, "finish", lambda: None))
                    self.stack.callback(peer.close)
                    peer.prepare()
                    self.versions[peer.name] = peer.version()
                    chosen.append(peer)
            except (RuntimeError, OSError) as e:
                reason = f"set-up failed: {e}"
            if reason is not None:
                say(f"left out: {peer.name}: {reason}")
                self.skipped[peer.name] = reason.splitlines()[0]
        return chosen

    def rounds(self, chosen: list[p.Peer], measure) -> None:
        """Interleaves; a peer that fails is reported and not measured again."""
        for r in range(1, self.a.rounds + 1):
            for peer in list(chosen):
                say(f"round {r}/{self.a.rounds}: {peer.name}")
                try:
                    for state, report in measure(peer).items():
                        self.results.setdefault(state, {}).setdefault(peer.name, []).append(report)
                except (RuntimeError, OSError) as e:
                    say(f"failed: {peer.name}: {e}")
                    self.skipped[peer.name] = f"failed in round {r}: {str(e).splitlines()[0]}"
                    chosen.remove(peer)
                finally:
                    peer.close()

    def data(self, bucket: bool) -> p.Data:
        """Makes the files, and the same in a bucket of S3Proxy."""
        files, manifest = self.work / "files", self.work / "manifest"
        shape = ["--count", self.a.files, "--min", self.a.min, "--max", self.a.max,
                 "--seed", self.a.seed]
        program("MakeFiles", files, "--manifest", manifest, *shape)
        program("MakeFiles", self.work / "warm", "--count", 200, "--max", "16KiB")
        server = None
        if bucket:
            server = p.S3Server("s3proxy", self.work / "objects", self.work)
            self.stack.callback(server.stop)
            program("MakeFiles", "s3://bench-data", "--endpoint", server.endpoint, "--keys",
                    server.keys, *shape)
        return p.Data(self.work, files, manifest, server, "bench-data")


def epochs(peer: p.Peer, root: Path, count: int, threads: int, *more: object) -> list[dict]:
    data = peer.data
    return program("Epoch", root, "--manifest", data.manifest, "--threads", threads, "--warm-up",
                   data.work / "warm", "--epochs", count, "--also-pid", joined(peer.pids()),
                   *more)[0]["epochs"]


def epoch(b: Bench) -> None:
    data = b.data(bucket=True)
    seconds = ["--attr-cache", "3600", "--entry-cache", "3600", "--dir-entry-cache", "3600",
               "--open-cache", "3600", "--read-only"]
    candidates = [
        p.Ext4(data),
        p.JuiceFs(data, "juicefs-sqlite", "sqlite", "s3"),
        p.JuiceFs(data, "juicefs-redis", "redis", "s3"),
        p.JuiceFs(data, "juicefs-redis-tuned", "redis", "s3", seconds),
        p.Rclone(data), p.S3fs(data),
        p.Millrace(data, "default", options=b.a.millrace.split()),
        p.Millrace(data, "dataset", options=b.a.millrace.split())]

    def measure(peer: p.Peer) -> dict[str, dict]:
        drop_caches()
        root = peer.open_cold()
        found = {}
        first = epochs(peer, root, 1, LOAD_READERS, "--verify")[0]
        if peer.from_bucket:
            found["bucket"] = first
        warm = epochs(peer, root, b.a.epochs + 1, b.a.threads)[1:]
        found["page"] = {key: statistics.median(e[key] for e in warm) for key in warm[0]}
        drop_caches()
        found["disk"] = epochs(peer, root, 1, b.a.threads)[0]
        return found

    b.rounds(b.ready(candidates), measure)


class Gets(p.Peer):
    """Not a file system: the plain loop of GETs that lazy load and preload are compared with."""

    name = "gets"

    def open_cold(self) -> Path:
        return self.home


def load(b: Bench) -> None:
    """Lazy first epoch and preload against the plain loop of GETs, from S3Proxy and from nginx. Each
    JVM first does the same with other files, as many: that is the state "just started"."""
    data = b.data(bucket=True)
    other = b.work / "other"
    program("MakeFiles", f"s3://{WARM_BUCKET}", "--manifest", other, "--endpoint",
            data.server.endpoint, "--keys", data.server.keys, "--count", b.a.files,
            "--min", b.a.min, "--max", b.a.max, "--seed", b.a.seed + 1)
    nginx = p.S3Server("nginx", b.work / "objects", b.work)
    b.stack.callback(nginx.stop)
    light = p.Data(b.work, data.files, data.manifest, nginx, data.bucket)
    options = b.a.millrace.split()

    def plain_loop(peer: p.Peer) -> tuple[dict, dict]:
        server = peer.data.server
        keys = ["--keys", server.keys] if server.keys else []
        rounds = program("GetLoop", f"s3://{data.bucket}", "--endpoint", server.endpoint, *keys,
                         "--manifest", data.manifest, "--connections", LOAD_READERS, "--rounds", 3,
                         "--also-pid", joined(p.children(server.pid)))
        return rounds[0], rounds[1]

    def lazy(peer: p.Peer, root: Path, manifest: Path) -> dict:
        pids = peer.pids() + p.children(peer.data.server.pid)
        return program("Epoch", root, "--manifest", manifest, "--threads", LOAD_READERS,
                       "--warm-up", b.work / "warm", "--epochs", 1, "--also-pid", joined(pids),
                       "--verify")[0]["epochs"][0]

    def preload(peer: p.Millrace, root: Path, manifest: Path) -> dict:
        found = peer.preload(root, b.a.files, p.children(peer.data.server.pid))
        lazy(peer, root, manifest)
        return found

    def measure(peer: p.Peer) -> dict[str, dict]:
        os.sync()  # what the server serves stays in memory for all: a fresh mount is cold anyway
        root = peer.open_cold()
        if peer.name == "gets":
            first, second = plain_loop(peer)
        else:
            load_one = preload if peer.name == "millrace-preload" else lazy
            first = load_one(peer, peer.link("other", WARM_BUCKET), other)
            second = load_one(peer, root, data.manifest)
        state = f"load from {'nginx' if peer.data is light else 's3proxy'}"
        return {state: second, f"{state}, just started": first}

    for source in (data, light):
        if b.a.servers and ("nginx" if source is light else "s3proxy") not in b.a.servers:
            continue
        b.rounds(b.ready([
            Gets(source),
            p.Millrace(source, "default", name="millrace-lazy", options=options),
            p.Millrace(source, "default", name="millrace-preload", options=options)]), measure)


def create(b: Bench) -> None:
    data = p.Data(b.work, b.work / "new", b.work / "manifest", None, "")
    data.files.mkdir()
    candidates = [
        p.ExtCreate(data),
        p.JuiceFs(data, "juicefs-sqlite", "sqlite", "file"),
        p.JuiceFs(data, "juicefs-redis", "redis", "file"),
        p.Millrace(data, "default", linked=False, options=b.a.millrace.split())]
    extra = ["--fsync"] if b.a.fsync else []

    def measure(peer: p.Peer) -> dict[str, dict]:
        root = peer.open_cold()
        if b.a.warm_up:
            program("SmallCreate", root, "--count", b.a.warm_up, "--threads", b.a.threads)
            root = root / "measured"
            root.mkdir()
        os.sync()  # what the peer before left to write is not this one's to wait for
        return {"create": program("SmallCreate", root, "--count", b.a.files, "--threads",
                                  b.a.threads, "--verify", "--also-pid", joined(peer.pids()),
                                  *extra)[0]}

    b.rounds(b.ready(candidates), measure)


def big(b: Bench) -> None:
    data = p.Data(b.work, b.work / "new", b.work / "manifest", None, "")
    data.files.mkdir()
    candidates = [
        p.ExtCreate(data),
        p.JuiceFs(data, "juicefs-sqlite", "sqlite", "file"),
        p.Millrace(data, "default", linked=False, options=b.a.millrace.split())]

    def measure(peer: p.Peer) -> dict[str, dict]:
        file = peer.open_cold() / "big"
        common = ["--size", b.a.size, "--also-pid", joined(peer.pids())]
        found = {"write": program("Sequential", "write", file, *common)[0],
                 "write+fsync": program("Sequential", "write", file, "--fsync", *common)[0]}
        drop_caches()
        found["read, page cache dropped"] = program("Sequential", "read", file, *common)[0]
        found["read again"] = program("Sequential", "read", file, *common)[0]
        program("Sequential", "read", file, "--verify", *common)
        return found

    b.rounds(b.ready(candidates), measure)


def metadata(b: Bench) -> None:
    """Each kind of operation on empty files, in one shared directory and in private ones, the two
    one after the other so that their ratio is of one round."""
    data = p.Data(b.work, b.work / "new", b.work / "manifest", None, "")
    data.files.mkdir()
    options = b.a.millrace.split()
    candidates = [
        p.ExtCreate(data),
        p.JuiceFs(data, "juicefs-redis", "redis", "file"),
        p.Millrace(data, "default", linked=False, options=options),
        p.MillraceMounts(data, 1),
        p.MillraceMounts(data, 2)]

    def one(peer: p.Peer, root: Path, threads: int, shared: bool) -> dict[str, dict]:
        place = f"{'shared' if shared else 'private'}-{threads}"
        roots = getattr(peer, "roots", [root])
        other = ["--other-root", roots[1]] if len(roots) > 1 else []
        files = b.a.files if threads > 1 else b.a.files // 4
        os.sync()
        report = program("Metadata", root, "--in", place, "--count", files, "--threads", threads,
                         "--also-pid", joined(peer.pids()), *other, *(["--shared"] * shared))[0]
        where = f"{threads} threads" if threads > 1 else "1 thread"
        return {f"{o['operation']}, {where}, {'shared' if shared else 'private'}":
                {"files_per_s": o["per_s"], **o} for o in report["operations"]}

    def measure(peer: p.Peer) -> dict[str, dict]:
        root = peer.open_cold()
        if b.a.warm_up:
            program("Metadata", root, "--in", "warm-up", "--count", b.a.warm_up)
        found: dict[str, dict] = {}
        for threads in dict.fromkeys((b.a.threads, 1)):
            for shared in (False, True):
                found |= one(peer, root, threads, shared)
        return found

    b.rounds(b.ready(candidates), measure)


def metadata_table(b: Bench) -> list[str]:
    """A row per kind of operation and peer: rate and CPU, private and shared, and their ratio."""
    lines = ["", "Operations/s (CPU s per 1,000 of the file system's processes; of the program)", "",
             "| operation | threads | peer | private | shared | shared/private | rounds |",
             "|---|---|---|---|---|---|---|"]

    def cell(reports: list[dict]) -> str:
        return (f"{median(reports, 'files_per_s'):,.0f} "
                f"({median(reports, 'other_cpu_s_per_1000'):.3f}; "
                f"{median(reports, 'cpu_s_per_1000'):.3f})")

    for state, table in b.results.items():
        operation, threads, kind = state.split(", ")
        if kind == "shared":
            continue
        for name, private in table.items():
            shared = b.results.get(f"{operation}, {threads}, shared", {}).get(name)
            if shared:
                lines.append(f"| {operation} | {threads.split()[0]} | {name} | {cell(private)} | "
                             f"{cell(shared)} | {ratio(shared, private, 'files_per_s')} | "
                             f"{len(private)} |")
    return lines


def median(reports: list[dict], key: str) -> float | None:
    return statistics.median(r[key] for r in reports) if key in reports[0] else None


def ratio(of: list[dict], to: list[dict] | None, key: str) -> str:
    """Median of the ratios within each round; blank without the other side."""
    if not to or key not in of[0]:
        return ""
    return f"{statistics.median(a[key] / o[key] for a, o in zip(of, to)):.2f}"


def rival(table: dict[str, list[dict]]) -> str:
    """Whom a table's last ratio is against: the plain loop where there is one."""
    return "gets" if "gets" in table else "juicefs"


def base_of(table: dict[str, list[dict]], prefix: str) -> list[dict] | None:
    """The fastest of the peers of that name: a comparison is with the better of JuiceFS's set-ups,
    tuned ones left out, since the others run with their defaults too."""
    rivals = [r for n, r in table.items() if n.startswith(prefix) and not n.endswith("tuned")]
    key = "files_per_s" if rivals and "files_per_s" in rivals[0][0] else "mb_per_s"
    return max(rivals, key=lambda r: median(r, key), default=None)


def cells(name: str, reports: list[dict], table: dict[str, list[dict]]) -> list[str]:
    key = "files_per_s" if "files_per_s" in reports[0] else "mb_per_s"
    cpu = "cpu_s_per_1000" if key == "files_per_s" else "cpu_s_per_gb"
    other = median(reports, f"other_{cpu}")

    def number(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:,.{digits}f}"

    return [name, number(median(reports, "files_per_s"), 0), number(median(reports, "mb_per_s"), 0),
            number(median(reports, "p50_us"), 1), number(median(reports, "p99_us"), 0),
            number(median(reports, cpu), 3), number(other, 3),
            ratio(reports, base_of(table, "ext4"), key),
            ratio(reports, base_of(table, rival(table)), key), str(len(reports))]


def markdown(b: Bench, about: dict) -> str:
    lines = [f"Machine: {about['cpu']}, {about['cores']} cores, {about['memory_gib']} GiB, Linux "
             f"{about['kernel']}, {about['date']}, load {about['load_average'][0]:.1f} at the start.",
             f"Command: `bench/compare.py {' '.join(sys.argv[1:])}`", ""]
    lines += [f"- {name}: {version}" for name, version in b.versions.items()]
    lines += [f"- left out: {name}: {reason}" for name, reason in b.skipped.items()]
    if b.a.what == "metadata":
        return "\n".join(lines + metadata_table(b))
    for state, table in b.results.items():
        heads = ["peer", "files/s", "MB/s", "p50 us", "p99 us", "program CPU s",
                 "file system CPU s", "x ext4", f"x {rival(table)}", "rounds"]
        lines += ["", f"**{state}** {STATES.get(state, '')} (CPU per 1,000 files, or per GB)", "",
                  "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(cells(n, r, table)) + " |" for n, r in table.items()]
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("what", choices=["epoch", "create", "big", "load", "metadata"])
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--min", default="4KiB")
    parser.add_argument("--max", default="128KiB")
    parser.add_argument("--size", default="2GiB", help="of the big file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0,
                        help="default: 4; metadata 8")
    parser.add_argument("--epochs", type=int, default=8, help="warm epochs per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fsync", action="store_true", help="create: fsync before close")
    parser.add_argument("--warm-up", type=int, default=0,
                        help="create, metadata: files each peer makes unmeasured before (JIT compilers)")
    parser.add_argument("--peers", default="", help="only these, by name, separated by commas")
    parser.add_argument("--millrace", default="", help="more options for `millrace up`")
    parser.add_argument("--servers", default="", help="load: only s3proxy, or only nginx")
    parser.add_argument("--work", default="", help="a new directory on the disk to measure")
    parser.add_argument("--keep", action="store_true", help="keep the work directory")
    parser.add_argument("--json", default="", help="write all figures of all rounds here")
    parsed = parser.parse_args()
    parsed.threads = parsed.threads or (8 if parsed.what == "metadata" else 4)
    return parsed


def main() -> int:
    a = arguments()
    about = machine()
    cut_short = False
    with Bench(a) as b:
        try:
            {"epoch": epoch, "create": create, "big": big, "load": load,
             "metadata": metadata}[a.what](b)
        except SystemExit:
            cut_short = True
            say("ended by a signal: the table holds the rounds that were finished")
    print(markdown(b, about))
    if a.json:
        Path(a.json).write_text(json.dumps(
            {"machine": about, "command": sys.argv[1:], "versions": b.versions,
             "left_out": b.skipped, "rounds": b.results}, indent=1))
    return 0 if b.results and not cut_short else 1


if __name__ == "__main__":
    sys.exit(main())
