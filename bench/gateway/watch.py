"""What a server takes while it is measured, and what other processes take at the same time."""

import os
import pathlib
import resource
import threading
import time

from servers import LOAD_CORE, PROXY_CORE


class Peak:
    """The most memory that a server holds meanwhile, looked at every 100 ms."""

    def __init__(self, server):
        self.server, self.bytes, self.over = server, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while True:
            self.bytes = max(self.bytes, self.server.rss())
            if self.over.wait(0.1):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class Watch:
    """The share of the two cores that goes to other processes than the servers and the load generator."""

    def __init__(self, *watched):
        self.watched = {id(server): server for server in watched}.values()
        self.began, self.busy_before, self.ours_before = time.monotonic(), self.busy(), self.ours()

    def ours(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(server.cpu_seconds() for server in self.watched) + children.ru_utime + children.ru_stime

    @staticmethod
    def busy():
        """User, nice, system, irq, softirq and steal time of the two cores."""
        seconds = 0
        for line in pathlib.Path("/proc/stat").read_text().splitlines():
            name, *ticks = line.split()
            if name in (f"cpu{PROXY_CORE}", f"cpu{LOAD_CORE}"):
                user, nice, system, _, _, irq, softirq, steal = map(int, ticks[:8])
                seconds += (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return seconds

    def others(self):
        elapsed = time.monotonic() - self.began
        return max(0, (self.busy() - self.busy_before - self.ours() + self.ours_before) / elapsed / 2)
