"""Prints the line coverage of each module, from llvm-cov's summary on standard input. Argument: the repository's folder."""

import json
import os
import sys

root = sys.argv[1]
modules = {}
for file in json.load(sys.stdin)["data"][0]["files"]:
    path = os.path.relpath(file["filename"], root).split(os.sep)
    if path[0] not in ("Sources", "Examples"):
        continue
    lines = file["summary"]["lines"]
    total = modules.setdefault(path[1], [0, 0])
    total[0] += lines["covered"]
    total[1] += lines["count"]
for name, (covered, count) in sorted(modules.items()):
    print(f"{name:24}{100 * covered / max(1, count):6.1f} %  of {count:6,} lines")
