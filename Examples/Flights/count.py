#!/usr/bin/env python3
"""Counts a file of flights independently of the demo, and compares the demo's figures with what it found.

    count.py FILE                       print the totals as JSON
    count.py FILE --check RESULT        compare with what the demo wrote with --result; exit 1 if anything differs

With --check: --ledger FILE             also check what was done for the passengers of late and cancelled flights
              --killed-at N,MS          the rows acknowledged, and the milliseconds gone, when the demo was killed
              --json                    end with one JSON object on standard output instead of a list

It shares no code with the demo and works differently: it keeps all rows in memory, and adds columns up afterwards.
"""

import argparse
import csv
import datetime
import json
import re
import sys
from collections import Counter, defaultdict

NEEDED = (
    "year month day dep_time sched_dep_time dep_delay arr_time sched_arr_time arr_delay tailnum origin dest "
    "air_time distance"
).split()
CLOCK = ("dep_time", "sched_dep_time", "arr_time", "sched_arr_time")
LIMITS = {
    "year": (1900, 2999),
    "dep_delay": (-1440, 14400),
    "arr_delay": (-1440, 14400),
    "air_time": (1, 1440),
    "distance": (0, 25000),
}
REQUIRED = ("year", "month", "day", "sched_dep_time", "origin", "dest", "distance")


def fields_of(raw):
    """The fields of one line; one record is one line, and quotes must be in order."""
    if len(raw) > 65536:
        raise ValueError("long")
    return [field.strip(" \t") for field in next(csv.reader([raw.decode("utf-8")], strict=True), [""])]


def value_of(name, text):
    """A number, a text, or None where there is none; raises ValueError for what cannot be."""
    if text in ("", "NA"):
        if name in REQUIRED:
            raise ValueError(name)
        return None
    if name in ("origin", "dest"):
        return text
    if name == "tailnum":
        if len(text.encode()) > 32 or "\0" in text:
            raise ValueError(name)
        return text
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError(name)
    number = int(text)
    if name in CLOCK:
        if number not in range(0, 2401) or number % 100 > 59:
            raise ValueError(name)
    elif name in LIMITS:
        low, high = LIMITS[name]
        if not low <= number <= high:
            raise ValueError(name)
    return number


def read(path):
    """All rows as dictionaries, with None in the place of each row that cannot be used."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    lines = [line[:-1] if line.endswith(b"\r") else line for line in lines]
    header = fields_of(lines[0].removeprefix(b"\xef\xbb\xbf"))
    if [name for name in NEEDED if header.count(name) != 1]:
        sys.exit(f"count.py: {path}: the first line does not name the columns")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip(b" \t"):
            continue
        try:
            fields = fields_of(line)
            if len(fields) != len(header):
                raise ValueError("fields")
            row = {name: value_of(name, field) for name, field in zip(header, fields) if name in NEEDED}
            date = datetime.datetime(row["year"], row["month"], row["day"])
            if row["dep_time"] is None and row["air_time"] is not None:
                raise ValueError("flew without departing")
            late = row["dep_delay"]
            clock = row["dep_time"] if late is None else row["sched_dep_time"]
            if clock is not None:
                row["departed"] = date + datetime.timedelta(minutes=clock // 100 * 60 + clock % 100 + (late or 0))
            row["line"] = number
            rows.append(row)
        except (ValueError, csv.Error):
            rows.append(None)
    return rows


def count(rows):
    """The totals, and the figures of each aircraft."""
    good = [row for row in rows if row is not None]
    departed = [row for row in good if row["dep_time"] is not None]
    arrived = [row for row in departed if row["air_time"] is not None]
    diverted = [row for row in departed if row["air_time"] is None]
    totals = {
        "rows": len(rows),
        "aircraft": len({row["tailnum"] for row in good} - {None}),
        "flights": len(arrived),
        "cancelled": len(good) - len(departed),
        "diverted": len(diverted),
        "withoutTailNumber": sum(row["tailnum"] is None for row in good),
        "badRows": len(rows) - len(good),
        "airTimeMinutes": sum(row["air_time"] for row in arrived),
        "distanceMiles": sum(row["distance"] for row in arrived),
    }
    sums = {name: Counter() for name in ("flights", "distance", "airTime", "delay", "cancelled", "diverted")}
    for row in arrived:
        sums["flights"][row["tailnum"]] += 1
        sums["distance"][row["tailnum"]] += row["distance"]
        sums["airTime"][row["tailnum"]] += row["air_time"]
        sums["delay"][row["tailnum"]] += row["arr_delay"] or 0
    for row in good:
        sums["cancelled"][row["tailnum"]] += row["dep_time"] is None
    for row in diverted:
        sums["diverted"][row["tailnum"]] += 1
    moves = defaultdict(list)
    for row in departed:
        moves[row["tailnum"]].append(row)
    logbooks = {}
    for tail in {row["tailnum"] for row in good} - {None}:
        logbooks[tail] = {name: counter[tail] for name, counter in sums.items()}
        if moves[tail]:
            # Of departures at the same minute the later row counts, as it does in the demo.
            last = sorted(moves[tail], key=lambda row: row["departed"])[-1]
            logbooks[tail]["position"] = (last["dest"], last["air_time"] is not None)
    return totals, logbooks


def care(rows):
    """The lines of the flights that came in two hours late or more, and of those that never departed."""
    late, cancelled = set(), set()
    for row in rows:
        if row is None:
            continue
        line = row["line"]
        if row["dep_time"] is None:
            cancelled.add(line)
        elif row["air_time"] is not None and (row["arr_delay"] or 0) >= 120:
            late.add(line)
    return late, cancelled


def care_differences(found, rows, ledger):
    """Everything in which the looking after passengers differs from what the file asks for; and how much was compared."""
    late, cancelled = care(rows)
    due = {str(line) for line in late | cancelled}
    wrong = []
    expected = {"incidents": len(due), "late": len(late), "cancelled": len(cancelled)}
    for name, value in expected.items():
        if found.get(name) != value:
            wrong.append(f"care, {name}: the demo has {found.get(name)}, the file {value}")
    with open(ledger, encoding="utf-8") as file:
        entries = [line.split() for line in file.read().splitlines()]
    for thing, step in (("rebooked", "rebook"), ("voucher", "voucher"), ("settled", "airline")):
        keys = [key for name, key in entries if name == thing]
        if len(keys) != len(set(keys)):
            wrong.append(f"care: {len(keys) - len(set(keys))} times {thing} twice under one key")
        lines = {key.removesuffix(f"/{step}").rpartition("-")[2] for key in keys}
        for line in sorted(due ^ lines)[:20]:
            wrong.append(f"care: line {line} {'was not' if line in due else 'should not have been'} {thing}")
    return wrong, len(expected) + 3 * len(due)


def differences(found, counted, logbooks, acknowledged):
    """Everything in which the demo and this count differ, in words."""
    wrong = [f"{name}: the demo has {found.get(name)}, the file {value}" for name, value in counted.items()
             if found.get(name) != value]
    theirs = found["logbooks"]
    for tail in sorted(theirs.keys() ^ logbooks.keys()):
        wrong.append(f"aircraft {tail}: in the {'file' if tail in logbooks else 'demo'} only")
    for tail in sorted(theirs.keys() & logbooks.keys()):
        book, expected = theirs[tail], logbooks[tail]
        position = book.pop("position", None)
        book["position"] = (position["airport"], position["isReached"]) if position else None
        for name in expected.keys() | {"position"}:
            if book.get(name) != expected.get(name):
                wrong.append(f"aircraft {tail}, {name}: the demo has {book.get(name)}, the file {expected.get(name)}")
    if acknowledged is not None and found["countedBefore"] < acknowledged:
        wrong.append(f"{acknowledged} rows were acknowledged before the crash, and only {found['countedBefore']} "
                     "were there after it")
    return wrong


def main():
    options = argparse.ArgumentParser(description="Counts a file of flights, independently of the demo.")
    options.add_argument("file")
    options.add_argument("--check", metavar="RESULT")
    options.add_argument("--ledger", metavar="FILE")
    options.add_argument("--killed-at", metavar="N,MS")
    options.add_argument("--json", action="store_true")
    options = options.parse_args()

    rows = read(options.file)
    counted, logbooks = count(rows)
    if not options.check:
        print(json.dumps(counted))
        return 0
    with open(options.check, encoding="utf-8") as file:
        found = json.load(file)
    killed_at, before = (int(part) for part in options.killed_at.split(",")) if options.killed_at else (None, 0)
    checked = len(counted) + sum(1 + len(book) for book in logbooks.values())
    wrong = differences(found, counted, logbooks, killed_at)
    looked_after = found.get("care")
    if options.ledger and looked_after is not None:
        mismatches, compared = care_differences(looked_after, rows, options.ledger)
        wrong += mismatches
        checked += compared
    for text in wrong[:20]:
        print(f"MISMATCH  {text}", file=sys.stderr)
    if len(wrong) > 20:
        print(f"MISMATCH  and {len(wrong) - 20} more", file=sys.stderr)

    seconds = max(1, before + found["milliseconds"]) / 1000
    speed = round((found["rows"] - found["badRows"]) / seconds)
    if options.json:
        totals = {name: found.get(name) for name in counted}
        runs = {"careRuns": looked_after["incidents"]} if looked_after else {}
        print(json.dumps({**totals, **runs, "killedAt": killed_at, "commandsPerSecond": speed, "mismatches": len(wrong)}))
    else:
        words = {
            "rows": "rows", "aircraft": "aircraft", "flights": "flights that arrived", "cancelled": "cancelled",
            "diverted": "diverted", "withoutTailNumber": "without a tail number", "badRows": "bad rows",
            "airTimeMinutes": "minutes in the air", "distanceMiles": "miles",
        }
        for name, value in counted.items():
            mark = "✓" if found.get(name) == value else f"✗ the file has {value:,}"
            print(f"  {words[name]:<22}{found.get(name):>14,}  {mark}")
        if looked_after:
            print(f"  {'passengers cared for':<22}{looked_after['incidents']:>14,}  flights: {looked_after['late']:,} late, "
                  f"{looked_after['cancelled']:,} cancelled; {looked_after['confirmed']:,} offers confirmed, "
                  f"{looked_after['paid']:,} dollars")
        print()
        if not wrong:
            print(f"All {checked:,} figures, the totals and each aircraft's, agree with an independent count.")
        else:
            print(f"{len(wrong):,} of {checked:,} figures do not agree with an independent count.")
        if killed_at is not None:
            print(f"Killed with {killed_at:,} rows acknowledged; {found['countedBefore']:,} were on disk, so none was "
                  "lost." if found["countedBefore"] >= killed_at else "Acknowledged rows were lost.")
        print(f"{speed:,} rows a second over {seconds:.2f} s.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
