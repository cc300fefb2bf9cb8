"""Tables in Markdown of the promises that stores were seen to keep.

    promises.py FOLDER STORE...

FOLDER/STORE.json is what `perdure store check --json` said of each. Ends with 1 when a promise is broken.
"""

import json
import sys

TITLES = {"memory": "Memory", "sqlite": "SQLite", "postgres": "PostgreSQL", "dynamodb": "DynamoDB", "cassandra": "Cassandra"}
CONTRACTS = {"states": "StateStore", "runs": "RunStore"}


def cell(entries):
    """What became of the checks of one promise on one store."""
    count = {verdict: sum(entry["verdict"] == verdict for entry in entries)
             for verdict in ("kept", "broken", "notTested")}
    seen = count["kept"] + count["broken"]
    if count["broken"]:
        text = f"✗ {count['broken']} of {seen}"
    else:
        text = f"✓ {seen}" if seen else "–"
    return text + (f" ({count['notTested']} not tested)" if count["notTested"] else "")


def table(contract, reports):
    """One row for each promise, one column for each store."""
    titles = {entry["number"]: entry["title"] for entries in reports.values() for entry in entries}
    yield f"| # | Promise of `{CONTRACTS[contract]}` | " + " | ".join(TITLES[store] for store in reports) + " |"
    yield "|---|---|" + "---|" * len(reports)
    for number, title in sorted(titles.items()):
        cells = [cell([entry for entry in entries if entry["number"] == number]) for entries in reports.values()]
        yield f"| {number} | {title} | " + " | ".join(cells) + " |"
    kept = [sum(entry["verdict"] == "kept" for entry in entries) for entries in reports.values()]
    yield "| | **checks kept** | " + " | ".join(f"**{count}**" for count in kept) + " |"


def main(folder, stores):
    found = {}
    for store in stores:
        with open(f"{folder}/{store}.json", encoding="utf-8") as lines:
            found[store] = [json.loads(line) for line in lines]
    tables = []
    for contract in CONTRACTS:
        reports = {store: [entry for entry in entries if entry["contract"] == contract] for store, entries in found.items()}
        tables.append("\n".join(table(contract, reports)))
    print("\n\n".join(tables))
    broken = False
    for store, entries in found.items():
        for entry in entries:
            if entry["verdict"] == "broken":
                broken = True
                print(f"promises: {store} breaks {entry['number']}, {entry['name']}: expected {entry['expected']}; "
                      f"found {entry['found']} (seed {entry['seed']}, {entry['location']})", file=sys.stderr)
            elif "remark" in entry:
                print(f"promises: {store}: {entry['name']}: {entry['remark']}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
