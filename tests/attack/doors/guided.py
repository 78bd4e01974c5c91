"""One target under atheris: ``python -m tests.attack.doors.guided MODULE FOLDER [libFuzzer's options]``.

Knows atheris. Never returns: libFuzzer ends the process, with a code other than 0 where a promise broke; what
broke it lies in FOLDER.
"""

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path

OURS = ["sidecar", "wiki_adapter"]


def dictionary(words: Iterable[bytes]) -> str:
    """libFuzzer's form of words."""
    return "".join('"{}"\n'.format("".join(map(r"\x{:02x}".format, word))) for word in words if word)


def main(module: str, folder: Path, options: list[str]) -> None:
    import atheris  # which need not be installed where nobody asks for this

    with atheris.instrument_imports(include=OURS):
        target = importlib.import_module(module).TARGET
    from tests.attack.doors.fuzz import ENDLESS, examine  # behind it: they import what is to be instrumented
    from tests.attack.journal import overheard
    from tests.support.endless import interrupted

    def attack(data: bytes) -> None:
        with interrupted(ENDLESS):
            examine(target, data, errors)

    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds):
        (seeds / str(number)).write_bytes(seed)
    (folder / "words").write_text(dictionary(target.words))
    told = [
        f"-artifact_prefix={folder}/",
        f"-dict={folder}/words",
        "-print_final_stats=1",
        "-rss_limit_mb=2048",
    ]
    with overheard() as errors:
        atheris.Setup([sys.argv[0], *options, *told, str(seeds)], attack)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
