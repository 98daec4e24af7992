"""The files that the command line names: each file as given, each folder as the files in it, in one order."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_FILES = 10_000
MAX_DEPTH = 32


@dataclass
class Found:
    """What there is to verify, in order."""

    items: list[tuple[Path, str]] = field(default_factory=list)  # (path, "") or (path, why it cannot be verified)
    links: list[Path] = field(default_factory=list)  # inside folders: not followed

    @property
    def is_full(self) -> bool:
        return len(self.items) > MAX_FILES


def find_files(named: Sequence[Path]) -> Found:
    """Every file that was named or lies in a folder that was named, sorted within each folder.

    A link that is named is followed, because whoever named it meant it. A link inside a folder is not: it may lead out
    of the folder, or in a circle. At most MAX_FILES are taken, before any of them is opened.
    """
    found = Found()
    for path in named:
        before = len(found.items)
        if path.is_dir():
            _walk(path, 0, found)
        else:
            found.items.append((path, ""))
        if len(found.items) == before:
            found.items.append((path, "This folder holds no file."))
        if found.is_full:
            return Found([(path, f"There are more than {MAX_FILES} files. Name a smaller folder.")])
    return found


def _walk(folder: Path, depth: int, found: Found) -> None:
    if depth > MAX_DEPTH:
        found.items.append((folder, f"This folder lies more than {MAX_DEPTH} folders deep."))
        return
    try:
        with os.scandir(folder) as listed:
            entries = sorted(_some(listed), key=lambda entry: entry.name)
    except OSError as error:
        found.items.append((folder, f"This folder cannot be opened: {error.strerror}."))
        return
    for entry in entries:
        if found.is_full:
            return
        _take(entry, depth, found)


def _take(entry: os.DirEntry[str], depth: int, found: Found) -> None:
    path = Path(entry.path)
    if entry.is_symlink():
        found.links.append(path)
    elif entry.is_dir(follow_symlinks=False):
        _walk(path, depth + 1, found)
    else:
        found.items.append((path, ""))


def _some(listed: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """One more than may be taken at most, so that a folder without end is not listed to its end."""
    for number, entry in enumerate(listed):
        if number > MAX_FILES:
            return
        yield entry


def read_bounded(path: Path, most_bytes: int) -> tuple[bytes, str]:
    """(the file's bytes, "") or (b"", why it is not read). Devices and pipes have no end, so they are not opened."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            return b"", "This is a folder." if stat.S_ISDIR(facts.st_mode) else "This is no ordinary file."
        if facts.st_size > most_bytes:
            return b"", f"This file is larger than {most_bytes // 1024**3} GB."
        with path.open("rb") as file:
            return file.read(facts.st_size), ""
    except OSError as error:
        return b"", f"The file cannot be opened: {error.strerror}."
    except ValueError:  # a name with a zero byte
        return b"", "The file cannot be opened: its name is not one."
