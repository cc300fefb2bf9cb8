"""Checks the code blocks of the documentation: script/docs calls it with the folder of the debug build.

    examples.py BUILD PAGE...

Pages are Markdown, or Swift files of Sources/, of which the blocks in comments for the documentation are compiled with their own module.
A block of Swift is compiled as the body of an async throwing function of its own, and run in an empty folder. A comment before the fence
says what else is to be known; its parts come in this order:

    <!-- example: continues -->              after the last whole example of the page, in the same function or file
    <!-- example: file -->                   a file of its own, not the body of a function: compiled, not run
    <!-- example: importing NAME, NAME -->   with these imports
    <!-- example: after NAME, NAME -->       what is in Documentation/examples/NAME.swift comes before it
    <!-- example: in NAME -->                it stands in that file, where a line says `// the example`
    <!-- example: ...; not run, REASON -->   compiled only; it is named with its reason

or that something else is done with it:

    <!-- example: part of NAME -->           it is, letter for letter, a part of Snippets/NAME.swift, which is run
    <!-- example: output of NAME -->         it is, letter for letter, a part of what that program prints; any language
    <!-- example: manifest -->               a package manifest, which the package manager resolves with this package beside it
    <!-- example: none, REASON -->           nothing; it is named with its reason

What a block in a comment needs is said in Documentation/examples/comments, so that it does not stand in the source.
Modules of other packages are those of Documentation/examples/packages: declarations of ours with the signatures of the packages.
"""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

build, pages = sys.argv[1], sys.argv[2:]
HIDDEN = "Documentation/examples"
FENCE = re.compile(r"(?:<!-- example:(?P<note>[^>]*?)-->\s*\n)?(?P<indent> *)```(?P<language>\w*)\n(?P<code>.*?)\n *```", re.S)
NOTE = re.compile(
    r"(?P<file>file)?\s*(?:importing (?P<imports>\w+(?:, \w+)*))?\s*(?:after (?P<after>[\w-]+(?:, [\w-]+)*))?\s*"
    r"(?:in (?P<frame>[\w-]+))?(?:; not run, (?P<reason>.+))?")
IMPORT = re.compile(r"^(?:public |internal )?import \w+$", re.M)
COMMENT = re.compile(r" */// ?(.*)")
problems, left_out = [], []


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def located(code, path, line=1):
    return f'#sourceLocation(file: "{path}", line: {line})\n{code}\n#sourceLocation()'


def names(text):
    return (text or "").replace(",", " ").split()


class Example:
    def __init__(self, page, line, code, note, module=None):
        self.page, self.place = page, f"{page}:{line}"
        self.is_file, self.reason, self.is_comment = bool(note["file"]), note["reason"], module is not None
        self.parts = [located(code, page, line)]
        self.before = [f"import {name}" for name in names(note["imports"]) + [module] * self.is_comment]
        for name in names(note["after"]):
            path = f"{HIDDEN}/{name}.swift"
            self.before.append(located(read(path), path))
        self.after = []
        if note["frame"]:
            path = f"{HIDDEN}/{note['frame']}.swift"
            frame = read(path)
            above, _, below = re.split(r"(^ *// the example\n)", frame, maxsplit=1, flags=re.M)
            self.before.append(located(above, path))
            self.after.append(located(below, path, above.count("\n") + 2))

    def text(self, number):
        code = "\n".join(self.before + self.parts + self.after)
        if self.is_file:
            return code
        imports = "\n".join(sorted(set(IMPORT.findall(code))))
        return f"{imports}\nfunc example{number}() async throws {{\n{IMPORT.sub('', code)}\n}}\n"


def run(command, folder=None, seconds=300):
    # What instrumented programs count is nobody's business here, and of an error its text says enough.
    environment = dict(os.environ, LLVM_PROFILE_FILE="/dev/null", SWIFT_BACKTRACE="enable=no")
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL, timeout=seconds,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, -1, f"it has not ended after {seconds} s\n")


def check(what, result):
    """Whether it went well; else it is a problem, with the output."""
    if result.returncode != 0:
        problems.append(f"{what} fails ({result.returncode}):\n{result.stdout}")
    return result.returncode == 0


def printed(name):
    """What a program of Snippets/ prints, run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return run([f"{build}/{name}"], folder, 60)


def resolve(manifest):
    """Lets the package manager look for what a manifest names, with this package where the manifest expects it."""
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.getcwd(), f"{folder}/perdure")
        os.makedirs(f"{folder}/bank/Sources/bank")
        write(f"{folder}/bank/Sources/bank/main.swift", "")
        write(f"{folder}/bank/Package.swift", manifest + "\n")
        return run(["swift", "package", "--package-path", f"{folder}/bank", "show-dependencies"])


# What surrounds the blocks in comments: a file, or the second block of it, and so on, and what would stand in the note before a fence.
surroundings = dict(row.split(": ", 1) for row in read(f"{HIDDEN}/comments").splitlines() if row and not row.startswith("#"))
examples, manifests, snippets = [], [], {name.removesuffix(".swift"): [] for name in os.listdir("Snippets")}
for page in pages:
    text, module, count = read(page), None, 0
    if page.endswith(".swift"):
        module = page.split("/")[1]
        rows = [COMMENT.fullmatch(row) for row in text.split("\n")]
        text = "\n".join(row[1] if row else "" for row in rows)
    for match in FENCE.finditer(text):
        if module and match["language"] == "swift":
            count += 1
        note, line = (match["note"] or "").strip(), text.count("\n", 0, match.start("code")) + 1
        code = "\n".join(row.removeprefix(match["indent"]) for row in match["code"].split("\n"))
        place = f"{page}:{line}"
        if match["language"] != "swift" and not note:
            continue
        if module:
            note = surroundings.pop(page if count == 1 else f"{page} {count}", "")
        if note.startswith("none, "):
            left_out.append(f"not compiled: {place}: {note.removeprefix('none, ')}")
        elif note == "continues":
            before = [example for example in examples if example.page == page and not example.after]
            before[-1].parts.append(located(code, page, line))
        elif note == "manifest":
            manifests.append((place, code))
        elif found := re.fullmatch(r"(part|output) of (\w+)", note):
            if found[2] in snippets:
                snippets[found[2]].append((place, found[1] == "part", code))
            else:
                problems.append(f"{place}: there is no Snippets/{found[2]}.swift")
        elif found := NOTE.fullmatch(note):
            examples.append(Example(page, line, code, found, module))
        else:
            problems.append(f"{place}: nobody knows what this means: example: {note}")

problems += [f"{HIDDEN}/comments names a block that is not there: {name}" for name in surroundings]

# What our modules import of C; the package manager finds it by the names of the targets.
system = []
for name in sorted(os.listdir("Sources")):
    if os.path.exists(f"Sources/{name}/module.modulemap"):
        system += ["-Xcc", f"-fmodule-map-file=Sources/{name}/module.modulemap"]

with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
    swift = ["swiftc", "-swift-version", "6", "-suppress-warnings", "-I", f"{build}/Modules", "-I", folder] + system

    def module(file):
        name = file.removesuffix(".swift")
        return file, run(["swiftc", "-swift-version", "6", "-parse-as-library", "-emit-module", "-module-name", name,
                          "-o", f"{folder}/{name}.swiftmodule", f"{HIDDEN}/packages/{file}"])

    for file, result in pool.map(module, sorted(os.listdir(f"{HIDDEN}/packages"))):
        check(f"{HIDDEN}/packages/{file}", result)

    # An empty file keeps a lone example from being taken for a main program.
    nothing = write(f"{folder}/nothing.swift", "")
    files = [(example, write(f"{folder}/file{number}.swift", example.text(number)))
             for number, example in enumerate(examples) if example.is_file]
    compiling = [(example, pool.submit(run, swift + ["-typecheck", path, nothing])) for example, path in files]

    # All others are one program, which is told which of them to run.
    functions = [(number, example) for number, example in enumerate(examples) if not example.is_file]
    cases = "".join(f'    case "{number}": try await example{number}()\n' for number, _ in functions)
    sources = [write(f"{folder}/example{number}.swift", example.text(number)) for number, example in functions]
    sources.append(write(f"{folder}/main.swift", f"""
switch CommandLine.arguments[1] {{
{cases}    default: break
}}
"""))
    # The objects of this package, as the package manager hands them to the linker for a program of Snippets/.
    objects = read(f"{build}/OrderWorkflow.product/Objects.LinkFileList").splitlines()
    objects = write(f"{folder}/objects", "\n".join(path for path in objects if "/OrderWorkflow.build/" not in path))
    program = f"{folder}/examples"
    linked = check("compiling", run(
        # One compiler for all of them is quicker than one for each. Objects of a build for coverage want -profile-generate.
        swift + ["-wmo", "-Onone", "-module-name", "Examples", "-profile-generate", "-use-ld=lld", "-o", program]
        + sources + ["@" + objects, "-L", build, "-lsqlite3", "-llz4"]))
    for example, future in compiling:
        check(f"compiling {example.place}", future.result())

    def perform(number):
        with tempfile.TemporaryDirectory() as place:
            return run([program, str(number)], place, 60)

    runnable = [(number, example) for number, example in functions if linked and not example.reason and not example.is_comment]
    running = [(example, pool.submit(perform, number)) for number, example in runnable]
    resolving = [(place, pool.submit(resolve, manifest)) for place, manifest in manifests]
    printing = {name: pool.submit(printed, name) for name in snippets}
    for example, future in running:
        check(example.place, future.result())
    for place, future in resolving:
        check(place, future.result())
    for name, blocks in snippets.items():
        result = printing[name].result()
        check(f"Snippets/{name}.swift", result)
        source = read(f"Snippets/{name}.swift")
        for place, is_source, code in blocks:
            if f"\n{code}\n" not in "\n" + (source if is_source else result.stdout):
                whole = f"Snippets/{name}.swift" if is_source else f"what Snippets/{name}.swift prints"
                problems.append(f"{place} is no part of {whole}")

left_out += [f"compiled, not run: {example.place}: {example.reason}" for example in examples if example.reason]
print("\n".join(left_out))
for problem in problems:
    print(problem, file=sys.stderr)
if problems:
    sys.exit(f"{len(problems)} problems with the examples of the documentation")
held = sum(len(blocks) for blocks in snippets.values())
comments = sum(example.is_comment for example in examples)
print(f"{len(examples) + held + len(manifests)} examples: {len(runnable)} compiled and run, {held} held against the {len(snippets)} programs of "
      f"Snippets, which were run, {len(manifests)} resolved by the package manager, {len(examples) - len(runnable)} compiled "
      f"({comments} of them in comments of the sources, {len([1 for example, _ in files if not example.is_comment])} declare only); "
      f"{len(left_out)} named above")
