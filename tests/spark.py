"""A real Spark cluster on loopback for tests: a master and two workers, from pyspark's own jars.

One for a whole run (`cluster`), gone with it. Where there is no Java the tests that need it skip and say so.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

CORES, MEMORY = "1", "768m"
QUICK = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.executor.memory": "512m",
    "spark.driver.memory": "768m",
    "spark.network.timeout": "60s",
    "spark.driver.host": "127.0.0.1",
}
"""What makes small queries quick; none of it changes an answer."""


class Cluster:
    """A master and its workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        import pyspark

        self.home, self._folder = Path(pyspark.__file__).parent, folder
        root = str(Path(__file__).parents[1])
        (folder / "conf").mkdir()
        (folder / "conf" / "spark-defaults.conf").write_text("".join(f"{k} {v}\n" for k, v in QUICK.items()))
        self.environment = {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_CONF_DIR": str(folder / "conf"),
            "SPARK_LOCAL_DIRS": str(folder),
            "PYSPARK_PYTHON": sys.executable,
            "PYSPARK_DRIVER_PYTHON": sys.executable,
            "PYTHONPATH": root,
        }
        port, page = _free(), _free()
        self.url = f"spark://127.0.0.1:{port}"
        own = ("--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page))
        self.master = self._start("master", "org.apache.spark.deploy.master.Master", *own)
        _wait(port)
        self.workers = [self.add_worker(n) for n in range(2)]

    def add_worker(self, number: int) -> subprocess.Popen:
        """Start one more worker."""
        own = ("--host", "127.0.0.1", "--cores", CORES, "--memory", MEMORY, "--webui-port", str(_free()))
        work = ("--work-dir", str(self._folder / f"work-{number}"))
        return self._start(f"worker-{number}", "org.apache.spark.deploy.worker.Worker", *own, *work, self.url)

    def stop(self) -> None:
        """End everything that was started, and what that started."""
        for process in (*self.workers, self.master):
            kill(process)

    def _start(self, name: str, main: str, *arguments: str) -> subprocess.Popen:
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [str(self.home / "bin" / "spark-class"), main, *arguments],
                env=os.environ | self.environment | {"SPARK_DAEMON_MEMORY": "256m"},
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )


def kill(process: subprocess.Popen) -> None:
    """Kill a process and all below it, without a warning."""
    import psutil

    try:
        every = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        return
    for one in every:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait(port: int, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the master did not come up")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """The cluster of this run; its settings are in the environment while it stands."""
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("cannot here: Spark needs Java 17 or later (Debian: openjdk-17-jre-headless)")
    made = Cluster(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        try:
            yield made
        finally:
            made.stop()
