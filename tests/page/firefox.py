"""Firefox without a driver: WebDriver BiDi over a WebSocket, which the browser itself speaks.

Playwright drives a Firefox of its own that must be downloaded; this one is the system's. Only what the
tests of the page ask for: open, evaluate, press a key, and a screenshot of an element.
"""

import base64
import io
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Without a screen of some kind Firefox has no WebGL, so it gets one that is not shown. Nothing is asked from
#: the network at the start.
PREFERENCES = {
    "webgl.force-enabled": True,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "extensions.update.enabled": False,
}
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SCREEN = shutil.which("xvfb-run")
#: Seconds for a command and for the page; and for everything, after which the browser is killed.
PATIENCE_S, LIFETIME_S = 60.0, 180.0
WIDTH, HEIGHT = 1000, 760
#: Resolved when what was drawn has been shown: a frame that is asked for in a frame is the next one.
FRAMES = (
    "new Promise(shown => requestAnimationFrame(() => requestAnimationFrame(() => shown(true))))"
)
#: Printed by the browser when it listens.
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """One window; requests and complaints are kept, as of the other browser."""

    def __init__(self, profile: Path) -> None:
        from websockets.sync.client import connect

        assert FIREFOX is not None and SCREEN is not None
        preferences = "".join(
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in PREFERENCES.items()
        )
        (profile / "user.js").write_text(preferences)
        self.opened: list[str] = []
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self._number, self._open = 0, ExitStack()
        self._log = profile / "firefox.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [SCREEN, "-a", FIREFOX, "--no-remote", "--remote-debugging-port", "0",
                 "--profile", str(profile), "about:blank"],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        # Whoever waits for a browser that is gone gets an error.
        self._watch = threading.Timer(LIFETIME_S, self._signal, [signal.SIGKILL])
        self._watch.daemon = True
        self._watch.start()
        try:
            self._socket = self._open.enter_context(
                connect(f"{self._address()}/session", max_size=None, proxy=None)
            )
            self.version = self.send("session.new", capabilities={})["capabilities"][
                "browserVersion"
            ]
            events = ["log.entryAdded", "network.beforeRequestSent"]
            self.send("session.subscribe", events=events)
            tree = self.send("browsingContext.getTree")["contexts"]
            self.context = tree[0]["context"]
            self.send(
                "browsingContext.setViewport", context=self.context,
                viewport={"width": WIDTH, "height": HEIGHT}, devicePixelRatio=0.5,
            )  # fmt: skip
        except BaseException:
            self.close()
            raise

    def _address(self) -> str:
        while self._process.poll() is None:
            if found := LISTENS.search(self._log.read_text(errors="replace")):
                return found[1]
            time.sleep(0.1)
        raise RuntimeError(f"no Firefox: {self._log.read_text(errors='replace')[-2000:]}")

    def send(self, method: str, **parameters: Any) -> Any:
        """The result of a command; events that come first are kept."""
        self._number += 1
        ends = time.monotonic() + PATIENCE_S
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=max(ends - time.monotonic(), 0)))
            if message.get("id") == self._number:
                assert message["type"] == "success", message
                return message["result"]
            self._keep(message)

    def _keep(self, message: dict[str, Any]) -> None:
        if message.get("method") == "log.entryAdded":
            self.complaints.append(str(message["params"]["text"]))
        elif message.get("method") == "network.beforeRequestSent":
            self.asked.append(str(message["params"]["request"]["url"]))

    def open(self, path: Path) -> None:
        """A file, once its bone is drawn."""
        self.opened.append(path.as_uri())
        self.send(
            "browsingContext.navigate", context=self.context, url=path.as_uri(), wait="complete"
        )
        self.ready()

    def ready(self) -> None:
        """Wait until the page shows its state."""
        ends = time.monotonic() + PATIENCE_S
        while not self.evaluate("'ready' in document.body.dataset"):
            assert time.monotonic() < ends, self.evaluate("document.body.innerText")
            time.sleep(0.05)

    def evaluate(self, script: str) -> Any:
        """The value of an expression, through JSON."""
        found = self.send(
            "script.evaluate", expression=f"JSON.stringify({script})", awaitPromise=True,
            target={"context": self.context},
        )  # fmt: skip
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    def picture(self, selector: str = "#stage") -> NDArray[np.int16]:
        """What is shown there, rows of red, green, blue."""
        self.send(
            "script.evaluate", expression=FRAMES, awaitPromise=True, target={"context": self.context}
        )  # fmt: skip
        box = self.evaluate(
            f"(({{x, y, width, height}}) => ({{x: x + scrollX, y: y + scrollY, width, height}}))"
            f"(document.querySelector('{selector}').getBoundingClientRect())"
        )
        shot = self.send(
            "browsingContext.captureScreenshot", context=self.context, origin="document",
            clip={"type": "box", **box},
        )  # fmt: skip
        image = Image.open(io.BytesIO(base64.b64decode(shot["data"])))
        return np.asarray(image.convert("RGB"), np.int16)

    def press(self, key: str) -> None:
        """A key, down and up, at what has the focus."""
        actions = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        self.send(
            "input.performActions", context=self.context,
            actions=[{"type": "key", "id": "keys", "actions": actions}],
        )  # fmt: skip

    def foreign(self) -> list[str]:
        """What was asked for besides the files themselves and the workers made in them."""
        return [
            url for url in self.asked
            if url not in self.opened and not url.startswith(("blob:", "about:", "data:"))
        ]  # fmt: skip

    def close(self) -> None:
        """End the browser and its screen: this process group and no other."""
        self._open.close()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()
        self._watch.cancel()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
