"""Random operations of all kinds in a directory of its own, for some time; every byte, size and name is checked.

    soak.py DIRECTORY SEED SECONDS
"""
import errno
import fcntl
import mmap
import os
import random
import sys
import time

ROOT, SEED, SECONDS = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
FILES_MAX, DIRECTORIES, BYTES_MAX = 600, 12, 200_000
SLASH = os.open("/", os.O_RDONLY)
chance = random.Random(SEED)
files = {}  # path -> bytearray, the same object for all names of one inode
done = {}


def directory():
    return f"{ROOT}/d{chance.randrange(DIRECTORIES)}"


def fresh():
    return f"{directory()}/f{chance.randrange(10 ** 9)}"


def some():
    return chance.choice(list(files)) if files else None


def content(limit=BYTES_MAX):
    return chance.randbytes(chance.randrange(limit) if chance.random() < 0.2 else chance.randrange(4096))


def put(held, at, data):
    if at > len(held):
        held.extend(bytes(at - len(held)))
    held[at:at + len(data)] = data


def create():
    path, data = fresh(), content()
    with open(path, "xb", buffering=0) as f:
        f.write(data)
        if chance.random() < 0.05:
            os.fsync(f.fileno())
    files[path] = bytearray(data)


def read():
    path = some()
    with open(path, "rb") as f:
        assert f.read() == files[path], f"wrong bytes in {path}"


def rewrite():
    path, data = some(), content(20_000)
    at = chance.randrange(len(files[path]) + 5000)
    with open(path, "r+b", buffering=0) as f:
        f.seek(at)
        f.write(data)
        assert os.fstat(f.fileno()).st_size >= at + len(data) or not data
    if data:
        put(files[path], at, data)


def append():
    path, data = some(), content(8000)
    with open(path, "ab", buffering=0) as f:
        f.write(data)
    files[path] += data


def truncate():
    path = some()
    size = chance.randrange(len(files[path]) + 3000)
    os.truncate(path, size)
    held = files[path]
    held.extend(bytes(max(0, size - len(held))))
    del held[size:]


def map_it():
    path = some()
    if files[path]:
        with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
            at = chance.randrange(len(m))
            m[at] = files[path][at] = chance.randrange(256)
            m.flush()


def rename():
    path, to = some(), fresh()
    os.rename(path, to)
    files[to] = files.pop(path)


def rename_over():
    path, to = some(), some()
    if files[path] is not files[to]:
        os.rename(path, to)
        files[to] = files.pop(path)


def link():
    path, to = some(), fresh()
    os.link(path, to)
    files[to] = files[path]


def unlink():
    path = some()
    os.unlink(path)
    del files[path]


def open_unlinked():
    path, data = fresh(), content()
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.unlink(path)
    os.write(fd, data)
    assert os.pread(fd, BYTES_MAX, 0) == data
    os.close(fd)


def unnamed():
    fd = os.open(directory(), os.O_RDWR | os.O_TMPFILE)
    data = content()
    os.write(fd, data)
    if chance.random() < 0.5:
        path = fresh()
        os.link(f"/proc/self/fd/{fd}", path, src_dir_fd=SLASH)  # which makes Python follow the link
        files[path] = bytearray(data)
    os.close(fd)


def symlink():
    path = fresh()
    os.symlink("x" * chance.randrange(1, 200), path)
    assert os.readlink(path).startswith("x")
    os.unlink(path)


def tree():
    path = fresh()
    os.makedirs(f"{path}/a/b")
    os.rename(f"{path}/a", f"{path}/c")
    assert os.listdir(path) == ["c"]
    os.rmdir(f"{path}/c/b")
    os.rmdir(f"{path}/c")
    os.rmdir(path)


def attributes():
    path = some()
    os.chmod(path, chance.choice([0o600, 0o644, 0o755]))
    os.utime(path, ns=(chance.randrange(10 ** 18), chance.randrange(10 ** 18)))
    os.chown(path, chance.randrange(3), chance.randrange(3))
    os.setxattr(path, "user.soak", chance.randbytes(chance.randrange(300)))
    assert "user.soak" in os.listxattr(path)
    os.removexattr(path, "user.soak")


def listing():
    here = directory()
    wanted = {os.path.basename(p) for p in files if os.path.dirname(p) == here}
    with os.scandir(here) as names:
        found = {n.name: n.stat().st_size for n in names}
    assert found.keys() == wanted, f"{here}: {found.keys() ^ wanted}"
    for name, size in found.items():
        assert size == len(files[f"{here}/{name}"]), f"size of {here}/{name}"


def copy():
    path, to = some(), fresh()
    with open(path, "rb") as f, open(to, "xb") as t:
        left = len(files[path])
        while left:
            n = os.copy_file_range(f.fileno(), t.fileno(), left)
            assert n > 0
            left -= n
    files[to] = bytearray(files[path])


def allocate():
    path = some()
    with open(path, "r+b") as f:
        os.posix_fallocate(f.fileno(), 0, len(files[path]) + 1000)
        os.lseek(f.fileno(), 0, os.SEEK_HOLE)
        fcntl.flock(f.fileno(), fcntl.LOCK_EX)
    files[path].extend(bytes(1000))


def special():
    path = fresh()
    os.mkfifo(path)
    os.stat(path)
    os.unlink(path)
    try:
        os.stat(path)
        raise AssertionError("a removed pipe is still there")
    except FileNotFoundError as e:
        assert e.errno == errno.ENOENT
    os.statvfs(ROOT)


def held_open():
    paths = [some() for _ in range(50)]
    open_files = [open(p, "rb") for p in paths]
    for f in open_files:
        f.close()


WITH_FILES = [read, read, rewrite, append, truncate, map_it, rename, rename_over, link, attributes, copy, allocate,
              held_open]
ALWAYS = [create, create, open_unlinked, unnamed, symlink, tree, listing, special]

for d in range(DIRECTORIES):
    os.makedirs(f"{ROOT}/d{d}", exist_ok=True)
end = time.monotonic() + SECONDS
try:
    while time.monotonic() < end:
        operation = unlink if len(files) > FILES_MAX else chance.choice(ALWAYS + (WITH_FILES + [unlink] if files else []))
        operation()
        done[operation.__name__] = done.get(operation.__name__, 0) + 1
    for path in list(files):
        with open(path, "rb") as f:
            assert f.read() == files[path], f"wrong bytes in {path} at the end"
except BaseException as e:
    print(f"seed {SEED}: {operation.__name__} after {sum(done.values())} operations: {e!r}", flush=True)
    raise
print(f"seed {SEED}: {sum(done.values())} operations {done}", flush=True)
