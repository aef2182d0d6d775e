#!/usr/bin/env python3
"""Resident memory of one `millrace up` (L1 = L2 = 64 MiB) through all that grows with files.

    bench/memory.py [--files 20000] [--epochs 8] [--keys 1000000] [--entries 1000000] [--millrace "..."]

The same process: a cold epoch of FILES from S3Proxy and EPOCHS warm ones, the import of a listing of
KEYS objects, then ENTRIES empty files made in one directory, listed with their attributes, removed.
Prints one line per step: resident MiB now and at its highest, of that in file mappings (the AOT cache
and the libraries, which the kernel can drop). Needs root; work directory as compare.py.
"""
from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import compare as c
import peers as p


def resident(pid: int) -> dict[str, float]:
    """MiB: now, its highest since the last call, and file mappings of now."""
    fields = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("VmHWM", "VmRSS", "RssFile"):
            fields[name] = int(value.split()[0]) / 1024
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # starts the highest anew
    return {"now_mib": fields["VmRSS"], "highest_mib": fields["VmHWM"], "file_mib": fields["RssFile"]}


def make(directory: Path, entries: int) -> None:
    directory.mkdir()
    for i in range(entries):
        os.close(os.open(directory / f"file-{i:07}", os.O_CREAT | os.O_WRONLY, 0o644))


def listed(directory: Path) -> int:
    """As `ls -l`: every entry's attributes."""
    with os.scandir(directory) as entries:
        return sum(1 for entry in entries if entry.stat(follow_symlinks=False).st_mode)


def remove(directory: Path) -> None:
    with os.scandir(directory) as entries:
        for entry in entries:
            os.unlink(entry.path)
    directory.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--files", type=int, default=20000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--millrace", default="", help="more options for `millrace up`")
    own = parser.parse_args()
    sys.argv = [sys.argv[0], "epoch", "--files", str(own.files)]
    print(f"{'step':44} {'s':>7} {'now MiB':>8} {'highest':>8} {'files':>6}")
    with c.Bench(c.arguments()) as bench:
        data = bench.data(bucket=True)
        listing = p.S3Server("listing", own.keys, bench.work)
        bench.stack.callback(listing.stop)
        options = ["--l1", "64MiB", "--l2", "64MiB", *own.millrace.split()]
        peer = p.Millrace(data, "default", options=options)
        bench.stack.callback(peer.close)
        peer.prepare()
        steps(own, peer, listing)
    return 0


def steps(own: argparse.Namespace, peer: p.Millrace, listing: p.S3Server) -> None:
    state = {}

    def step(name: str, action) -> None:
        started = time.monotonic()
        found = action()
        seconds = time.monotonic() - started
        at = resident(state["pid"])
        print(f"{name:44} {seconds:7.1f} {at['now_mib']:8.0f} {at['highest_mib']:8.0f}"
              f" {at['file_mib']:6.0f}", flush=True)
        return found

    def start() -> Path:
        root = peer.open_cold()
        state["pid"] = max(peer.pids(), key=lambda pid: resident(pid)["now_mib"])
        return root

    root = step(f"up, {own.files} names imported", start)
    step("cold epoch, 16 readers", lambda: c.epochs(peer, root, 1, c.LOAD_READERS, "--verify"))
    step(f"{own.epochs} warm epochs", lambda: c.epochs(peer, root, own.epochs, 4))

    def imported() -> None:
        peer.data = p.Data(peer.data.work, peer.data.files, peer.data.manifest, listing, "listed")
        peer.link("listed", "listed")

    step(f"import of {own.keys} keys", imported)
    big = peer.point / "big"
    step(f"{own.entries} files created", lambda: make(big, own.entries))
    for _ in range(2):
        count = step("all listed with attributes", lambda: listed(big))
        if count != own.entries:
            raise RuntimeError(f"{count} of {own.entries} entries listed")
    step("all removed", lambda: remove(big))
    step(f"{own.epochs} warm epochs", lambda: c.epochs(peer, root, own.epochs, 4))


if __name__ == "__main__":
    sys.exit(main())
