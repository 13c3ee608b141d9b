"""Runs checks side by side: the long ones first, and those that need the machine for themselves
after all others, one by one."""

import os
import signal
import subprocess
import threading
import time

from builds import ROOT


class Pool:
    def __init__(self, width, tell):
        """tell(check, result, seconds) is called when one has ended, by one thread at a time."""
        self.width, self.tell = width, tell
        self.lock = threading.Lock()
        self.running = set()

    def run(self, checks):
        beside = sorted((check for check in checks if not check.alone),
                        key=lambda check: -check.cost)
        workers = [threading.Thread(target=self._work, args=(beside,), daemon=True)
                   for _ in range(self.width)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self._work([check for check in checks if check.alone])

    def _work(self, waiting):
        while True:
            with self.lock:
                if not waiting:
                    return
                check = waiting.pop(0)
            started = time.monotonic()
            result = self.once(check)
            with self.lock:
                self.tell(check, result, time.monotonic() - started)

    def once(self, check):
        command, environment = check.prepare()
        try:
            with open(os.path.join(check.scratch, "log"), "w+", encoding="utf-8",
                      errors="replace") as log:
                process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log,
                                           stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                           start_new_session=True)
                self.running.add(process)
                try:
                    code = process.wait(check.timeout)
                except subprocess.TimeoutExpired:
                    code = None
                end(process)
                self.running.discard(process)
                log.seek(0)
                return check.read(code, log.read())
        finally:
            check.clean()

    def stop(self):
        for process in list(self.running):
            end(process)


def end(process):
    """It and all that it started and left."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
