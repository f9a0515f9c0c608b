"""What a profile of `--profile FILE` says: `python -m bench.profile FILE [--lines 40] [--under NAME]`.

Shares of the samples taken while Python ran (the lock was held): functions with what they call, then on their own.
"""

import argparse
from collections import Counter
from pathlib import Path


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file", type=Path)
    options.add_argument("--lines", type=int, default=40)
    options.add_argument("--under", default="", help="count only stacks with this in a name")
    given = options.parse_args()
    stacks = [stack for stack in read(given.file) if given.under in ";".join(stack[0])]
    total = sum(count for _, count in stacks)
    for title, counted in (("with what they call", inclusive(stacks)), ("on their own", own(stacks))):
        print(f"{title}, of {total} samples")
        for name, count in counted.most_common(given.lines):
            print(f"{count / total:7.1%} {name}")


def read(file: Path) -> list[tuple[list[str], int]]:
    """Stacks of `function (file:line)`, outermost first, and how often each was seen."""
    pairs = (line.rsplit(" ", 1) for line in file.read_text().splitlines())
    return [([name.rsplit(":", 1)[0] + ")" for name in stack.split(";")], int(count)) for stack, count in pairs]


def inclusive(stacks: list[tuple[list[str], int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for stack, count in stacks:
        found.update(dict.fromkeys(stack, count))
    return found


def own(stacks: list[tuple[list[str], int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for stack, count in stacks:
        found[stack[-1]] += count
    return found


if __name__ == "__main__":
    main()
