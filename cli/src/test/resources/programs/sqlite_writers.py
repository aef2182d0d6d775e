"""sqlite_writers.py FILE: four processes write one database in WAL mode; nothing is lost or torn."""
import multiprocessing
import sqlite3
import sys

WRITERS, ROWS = 4, 60


def write(path, writer):
    db = sqlite3.connect(path, timeout=120, isolation_level=None)
    for i in range(ROWS):
        db.execute("begin immediate")
        db.execute("insert into t values (?, ?, ?)", (writer, i, "x" * (i * 37 % 5000)))
        db.execute("update total set n = n + 1")
        db.execute("commit")


if __name__ == "__main__":
    path = sys.argv[1]
    db = sqlite3.connect(path)
    assert db.execute("pragma journal_mode=wal").fetchone() == ("wal",)
    db.executescript("create table t(writer, i, s); create table total(n); insert into total values (0)")
    db.close()
    writers = [multiprocessing.Process(target=write, args=(path, w)) for w in range(WRITERS)]
    for w in writers:
        w.start()
    for w in writers:
        w.join()
    assert all(w.exitcode == 0 for w in writers)
    db = sqlite3.connect(path)
    assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert db.execute("select count(*), sum(length(s)) from t").fetchone() == (
        WRITERS * ROWS, WRITERS * sum(i * 37 % 5000 for i in range(ROWS)))
    assert db.execute("select n from total").fetchone() == (WRITERS * ROWS,)
