"""Writing a file whole or not at all: a crash at any moment leaves the old file, or the new one."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Generator[IO[bytes]]:
    """A new file to write to, which takes the place of the one at `path` when the block ends without an error.

    It is written beside the old one, brought to the disk, and renamed; it has the old one's permissions. A symbolic
    link stays one. A process that is killed may leave a file `.….tmp` there.
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}.tmp")
    try:
        file = open(temporary, "xb")  # noqa: SIM115  # closed below, before it is renamed or removed
    except OSError as error:
        # Nobody knows the name of the temporary file; what is wrong is its folder.
        raise OSError(error.errno, error.strerror, folder) from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    if os.name == "posix":  # pragma: no branch  # coverage is measured on Linux
        # The new name, too, is to be on the disk; elsewhere a folder cannot be opened.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
