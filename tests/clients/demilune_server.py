"""Starts the real binary for the Python suites, on a folder and a port of its own."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ZONE = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "suite-token-0123456789-0123456789-012345"


# The suite's own variables are none that the program knows, and it warns about those.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("DEMILUNE_")}


class Server:
    """One process, with the commands that work on it while it runs."""

    def __init__(self):
        self.binary = os.environ["DEMILUNE_BIN"]
        self.folder = tempfile.TemporaryDirectory(prefix="demilune-")
        self.where = ["--data", str(pathlib.Path(self.folder.name) / "data")]
        if database := os.environ.get("DEMILUNE_TEST_DATABASE"):
            self.where += ["--database", database]
        with socket.socket() as control, socket.socket() as gateway:
            control.bind(("127.0.0.1", 0))
            gateway.bind(("127.0.0.1", 0))
            self.port, self.gateway_port = control.getsockname()[1], gateway.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.base_url = f"{self.url}/client/v4"
        environment = {
            **ENVIRONMENT,
            "DEMILUNE_BOOTSTRAP_ZONE": f"{ZONE}:example.com",
            "DEMILUNE_BOOTSTRAP_TOKEN": TOKEN,
            "DEMILUNE_GATEWAY_LISTEN": f"127.0.0.1:{self.gateway_port}",
        }
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+b")
        arguments = [self.binary, "serve", "--listen", f"127.0.0.1:{self.port}", *self.where]
        self.process = subprocess.Popen(arguments, env=environment, stdout=self.log, stderr=self.log)
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        self.log.seek(0)
        raise RuntimeError(f"the server does not start: {self.log.read().decode()}")

    def command(self, *arguments):
        """What a management command answers, as data."""
        return json.loads(self.text(*arguments, "--output", "json"))

    def text(self, *arguments):
        """What a management command prints."""
        run = [self.binary, *arguments, *self.where]
        return subprocess.run(run, check=True, capture_output=True, env=ENVIRONMENT, encoding="utf-8").stdout

    def stop(self):
        """Asks the process to stop, and holds that it does so cleanly and never panicked."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=20)
        self.log.seek(0)
        log = self.log.read().decode()
        self.log.close()
        self.folder.cleanup()
        assert "panicked" not in log, log
        assert status == 0, log
