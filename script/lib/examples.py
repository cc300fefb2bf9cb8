"""Compiles the Swift examples of the documentation: script/docs calls it with the folder of the built modules.

    examples.py MODULES PAGE...

An example is compiled as the body of an async throwing function of its own. A comment before the fence says what else is needed:

    <!-- example: continues -->            after the example before, in the same function
    <!-- example: file -->                 a file of its own, not the body of a function
    <!-- example: after NAME, NAME -->     what is in Documentation/examples/NAME.swift comes before it
    <!-- example: none, REASON -->         not compiled; it is named with its reason
"""

import os
import re
import subprocess
import sys
import tempfile

modules, pages = sys.argv[1], sys.argv[2:]
FENCE = re.compile(r"(?:<!-- example: (?P<note>[^>]*?) ?-->\s*\n)?(?P<indent> *)```swift\n(?P<code>.*?)\n *```", re.S)


class Example:
    def __init__(self, page, line, hidden, code, is_file):
        self.place, self.parts, self.is_file = f"{page}:{line}", [(page, line, code)], is_file
        self.hidden = hidden

    def text(self, number):
        code = self.hidden + "\n" + "\n".join(f'#sourceLocation(file: "{page}", line: {line})\n{code}\n#sourceLocation()' for page, line, code in self.parts)
        if self.is_file:
            return code
        imports = "\n".join(sorted(set(re.findall(r"^(?:public )?import \w+$", code, re.M))))
        body = re.sub(r"^(?:public )?import \w+$", "", code, flags=re.M)
        return f"{imports}\nfunc example{number}() async throws {{\n{body}\n}}\n"


examples, skipped = [], []
for page in pages:
    text = open(page, encoding="utf-8").read()
    for match in FENCE.finditer(text):
        note = (match["note"] or "").strip()
        line = text.count("\n", 0, match.start("code")) + 1
        code = "\n".join(row.removeprefix(match["indent"]) for row in match["code"].split("\n"))
        if note.startswith("none"):
            skipped.append(f"{page}:{line}: {note.removeprefix('none').strip(', ')}")
        elif note == "continues":
            examples[-1].parts.append((page, line, code))
        else:
            names = note.removeprefix("file").strip().removeprefix("after").replace(",", " ").split()
            hidden = "\n".join(open(f"Documentation/examples/{name}.swift").read() for name in names)
            examples.append(Example(page, line, hidden, code, note.startswith("file")))


def compile(files):
    command = ["swiftc", "-typecheck", "-swift-version", "6", "-suppress-warnings", "-I", modules]
    for name in sorted(os.listdir("Sources")):
        if os.path.exists(f"Sources/{name}/module.modulemap"):
            command += ["-Xcc", f"-fmodule-map-file=Sources/{name}/module.modulemap"]
    return subprocess.run(command + files, capture_output=True, text=True)


with tempfile.TemporaryDirectory() as folder:
    together, alone = [], []
    for number, example in enumerate(examples):
        path = f"{folder}/example{number}.swift"
        open(path, "w", encoding="utf-8").write(example.text(number))
        (alone if example.is_file else together).append(path)
    # An empty file keeps a lone example from being taken for a main program.
    open(f"{folder}/nothing.swift", "w").close()
    failed = False
    for files in [together] + [[path] for path in alone]:
        result = compile(files + [f"{folder}/nothing.swift"])
        if result.returncode != 0:
            failed = True
            sys.stderr.write(result.stderr)
for entry in skipped:
    print(f"not compiled: {entry}")
print(f"{len(examples)} examples compiled, {len(skipped)} not" if not failed else "examples of the documentation do not compile")
sys.exit(1 if failed else 0)
