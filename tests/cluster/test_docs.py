# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of docs/cluster.md, as far as one machine can run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bandwise.cluster.command import main
from cluster_cases import ROOT, Work, work  # noqa: F401

TEXT = (ROOT / "docs" / "cluster.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.posix
def test_the_array_of_slurm_computes_every_part(work: Work, tmp_path: Path) -> None:
    """The script as it stands, its tasks started by ``xargs`` as Slurm would start them."""
    (script,) = blocks("sh")
    path = tmp_path / "parts.sh"
    path.write_text(
        script.replace("/shared/plugins/bandwise", str(ROOT)).replace("/shared/job.json", work.file)
    )
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert main(["plan", work.file, "--side", "300"]) == 0
    count = len(list(work.folder.glob("*.tif")))
    assert count == 0 and "#SBATCH --array=1-100" in script
    task = f"SLURM_CPUS_PER_TASK=1 SLURM_ARRAY_TASK_ID=$1 bash {path}"
    numbers = "\n".join(map(str, (1, 2, 3, 4, 100)))
    done = subprocess.run(
        ["xargs", "-P2", "-n1", "sh", "-c", task, "sh"],
        input=numbers,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert main(["assemble", work.file]) == 0
    work.assert_done()


def test_every_command_that_the_page_names_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    helps = capsys.readouterr().out
    for name in re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE):
        assert name in helps
        with pytest.raises(SystemExit):
            main([name, "--help"])
        helps += capsys.readouterr().out
    for option in set(re.findall(r"`(--[a-z-]+)", TEXT)) - {"--resources"}:
        assert option in helps, option
