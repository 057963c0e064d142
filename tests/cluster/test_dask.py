# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs on dask.distributed: local workers, and an encrypted scheduler with workers of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from cluster_cases import BLOCKS, ROOT, Work, command, work  # noqa: F401

pytest.importorskip("distributed", reason="needs dask.distributed: pip install --group cluster")

SIDE = ("--side", "128")


@pytest.mark.slow
def test_local_workers_make_the_file_of_a_single_run(bench: Bench) -> None:
    work = Work(bench, cog=True, creation_options=BLOCKS.partition("|")[0])
    done = command("run", work.file, "--local", "2", *SIDE)
    assert (done.returncode, done.stdout) == (0, f"{work.output}\n"), done.stderr
    assert "20 of 20" in done.stderr
    work.assert_done()


@pytest.mark.slow
@pytest.mark.posix
def test_an_encrypted_scheduler_as_the_page_says(work: Work, tmp_path: Path) -> None:
    """The page's commands make the certificates; the worker declares the resource, and has two threads."""
    text = (ROOT / "docs" / "cluster.md").read_text("utf-8")
    for line in re.findall(r"^    (openssl .*)$", text, re.MULTILINE):
        made = subprocess.run(
            line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
    plugin = tmp_path / "plugins"
    plugin.mkdir()
    (plugin / "bandwise").symlink_to(ROOT)
    keys = [str(tmp_path / name) for name in ("ca.pem", "cert.pem", "key.pem")]
    names = ("--tls-ca-file", "--tls-cert", "--tls-key")
    tls = [word for pair in zip(names, keys) for word in pair]
    address = tmp_path / "scheduler.json"
    options: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "env": {**os.environ, "PYTHONPATH": str(plugin)},
        "cwd": tmp_path,
    }
    shared = ["--scheduler-file", str(address), "--protocol", "tls", "--no-dashboard", *tls]
    program = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*program, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *shared],
        **options,
    )
    worker = subprocess.Popen(
        [*program, "distributed.cli.dask_worker", "--nthreads", "2", "--no-nanny",
         "--resources", "bandwise=1", *shared], **options,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert '"tls://' in address.read_text("utf-8")
        without = command("run", work.file, "--scheduler", str(address), *SIDE)
        assert without.returncode == 1 and without.stderr.count("\n") == 1
        assert "is encrypted; give the files CA CERT KEY with --tls" in without.stderr
        done = command("run", work.file, "--scheduler", str(address), *SIDE, "--tls", *keys)
        assert done.returncode == 0, done.stderr
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    work.assert_done()
