"""Five-step runs per second of DBOS for Python: what our runs are held against.

    dbos_runs.py URL STARTERS SECONDS      prints one number: runs per second

URL is a SQLAlchemy one (sqlite:///FILE, postgresql://...). Each starter calls the workflow, waits for its result, and
calls it again: a closed loop, as in our own benchmark. The steps do nothing but hand a small JSON value on.
"""

import logging
import sys
import threading
import time

from dbos import DBOS

url, starters, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
logging.disable(logging.WARNING)
DBOS(
    config={
        "name": "perdure-bench",
        "system_database_url": url,
        "log_level": "ERROR",
        "run_admin_server": False,
        "max_executor_threads": starters + 8,
        "sys_db_pool_size": max(20, min(starters + 4, 60)),
    }
)


def make_step(number):
    @DBOS.step(name=f"step{number}")
    def step(value):
        return {"id": value["id"], "count": value["count"] + 1}

    return step


steps = [make_step(number) for number in range(5)]


@DBOS.workflow(name="five")
def five(value):
    for step in steps:
        value = step(value)
    return value


DBOS.launch()
end = threading.Event()
counts = [0] * starters


def start(index):
    number = 0
    while not end.is_set():
        result = five({"id": f"{index}-{number}", "count": 0})
        assert result["count"] == 5
        counts[index] += 1
        number += 1


threads = [threading.Thread(target=start, args=(index,), daemon=True) for index in range(starters)]
for thread in threads:
    thread.start()
time.sleep(1)
before, begin = sum(counts), time.monotonic()
time.sleep(seconds)
rate = (sum(counts) - before) / (time.monotonic() - begin)
end.set()
for thread in threads:
    thread.join(timeout=10)
print(f"{rate:.1f}")
sys.stdout.flush()
import os

os._exit(0)
