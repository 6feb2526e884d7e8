"""A small client of pyright's language server, by the protocol that editors speak with it: JSON-RPC over its pipes.

with LanguageServer(folder) as server:
    document = server.open(file, text)
    document.type("net.")
    document.completion()
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.typing.checkers import BIN, ROOT, CheckerFailedError

SECONDS = 120.0
"""After so long the server is ended, and what waits for it fails."""


class LanguageServer:
    """A running server, on a folder. It is given the interpreter of this environment, and the package's source."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._requests = 0
        self._process = subprocess.Popen(
            [str(BIN / "pyright-langserver"), "--stdio"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._limit = threading.Timer(SECONDS, self._process.kill)

    def __enter__(self) -> Self:
        self._limit.start()
        text = {"contentFormat": ["plaintext"]}
        documented = {"documentationFormat": ["plaintext"]}
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": self._folder.as_uri(),
                "workspaceFolders": [{"uri": self._folder.as_uri(), "name": self._folder.name}],
                "capabilities": {
                    "textDocument": {"hover": text, "signatureHelp": {"signatureInformation": documented}},
                    "workspace": {"configuration": True},
                },
            },
        )
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.request("shutdown", None)
                self._send({"method": "exit"})
                self._process.wait(10)
        finally:
            self._limit.cancel()
            self._process.kill()
            self._process.communicate()

    def open(self, file: Path, text: str) -> Document:
        """A document as an editor opens it; what is typed into it is not written to the file."""
        uri = file.as_uri()
        item = {"uri": uri, "languageId": "python", "version": 0, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        return Document(self, uri, text)

    def change(self, uri: str, version: int, text: str) -> None:
        """The document has this text now."""
        document = {"uri": uri, "version": version}
        self._send(
            {
                "method": "textDocument/didChange",
                "params": {"textDocument": document, "contentChanges": [{"text": text}]},
            }
        )

    # The answers have as many forms as there are requests.
    def request(self, method: str, parameters: object) -> Any:
        """The server's answer. Raises CheckerFailedError if it is an error, or if the server ends."""
        self._requests += 1
        self._send({"id": self._requests, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if "method" not in message and message["id"] == self._requests:
                if "error" in message:
                    raise CheckerFailedError(f"{method}: {message['error']}")
                return message["result"]
            if "method" in message and "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})

    def _answer(self, message: dict[str, Any]) -> object:
        """What the server asks of an editor: its settings; all else is only to be acknowledged."""
        if message["method"] != "workspace/configuration":
            return None
        analysis = {"extraPaths": [str(ROOT / "src")], "typeCheckingMode": "strict"}
        settings: dict[str, object] = {
            "python": {"pythonPath": sys.executable, "analysis": analysis},
            "python.analysis": analysis,
        }
        return [settings.get(item.get("section")) for item in message["params"]["items"]]

    def _send(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while (line := self._process.stdout.readline()) != b"\r\n":
            if not line:
                raise CheckerFailedError("pyright's language server has ended, or did not answer in time")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


class Document:
    """An open file, and the line that is being typed at its end; the cursor stands where `|` is, or after it."""

    def __init__(self, server: LanguageServer, uri: str, text: str) -> None:
        self._server = server
        self._uri = uri
        self._text = text
        self._version = 0
        self._position: dict[str, int] = {}

    def type(self, line: str) -> None:
        """Put a line after the text; the one before is gone."""
        before, _, after = line.partition("|")
        text = f"{self._text}\n{before}"
        *_, last = text.split("\n")
        self._position = {"line": text.count("\n"), "character": len(last)}
        self._version += 1
        self._server.change(self._uri, self._version, f"{text}{after}\n")

    def completion(self) -> list[str]:
        """The names that the editor offers here, in its order."""
        items = self._ask("completion")["items"]
        return [item["label"] for item in sorted(items, key=lambda item: item.get("sortText", item["label"]))]

    def hover(self) -> str:
        """What the editor shows of the name under the cursor."""
        text: str = self._ask("hover")["contents"]["value"]
        return text.replace("\u00a0", " ")

    def signatures(self) -> list[Signature]:
        """What the editor shows of the call that the cursor stands in, the fitting overload first."""
        answer = self._ask("signatureHelp", context={"triggerKind": 1, "isRetrigger": False})
        active = answer.get("activeSignature", 0)
        items = answer["signatures"]
        return [Signature(item) for item in [items[active], *items[:active], *items[active + 1 :]]]

    def _ask(self, method: str, **more: object) -> Any:
        place = {"textDocument": {"uri": self._uri}, "position": self._position}
        answer = self._server.request(f"textDocument/{method}", place | more)
        if not answer:
            raise CheckerFailedError(f"{method}: the editor would show nothing at {self._position}")
        return answer


class Signature:
    """One signature of a function, with its documentation."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.label: str = item["label"].replace("\u00a0", " ")
        documentation = item.get("documentation") or ""
        self.documentation: str = documentation if isinstance(documentation, str) else documentation["value"]
