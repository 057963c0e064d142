# SPDX-License-Identifier: GPL-2.0-or-later
"""Workers of a cluster of dask: single futures, no arrays and no graph; what travels is short JSON text."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...engine.errors import InputError, LibraryError, ResourceError
from ...engine.messages import Text, translate
from .slots import Done, encoded
from .tasks import answer

_PER_SLOT = 3  #: requests that wait or are done, for each slot
_MOST_DEATHS = 10  #: of workers, for one request
_RESOURCE = (
    "bandwise"  #: workers that declare it do this many parts at once, each with several threads
)
_OF_MEMORY = 0.6  #: of a worker's limit, for the buffers of its parts
_SECONDS = 30
_POLL_SECONDS = 0.005
_SECONDS_BETWEEN_LOOKS = 5.0
#: What makes the plugin's folder importable in a local worker, whatever the folder is called
_PRELOAD = """
import sys, types
package = sys.modules.setdefault("bandwise", types.ModuleType("bandwise"))
package.__path__ = [{folder!r}]
"""


@contextmanager
def cluster(local: int, address: str, tls: Sequence[str] | None) -> Iterator[DaskSlots]:
    """Give the workers of the scheduler ``address``, or ``local`` processes of this machine.

    Raises
    ------
    LibraryError
        Without dask.
    ResourceError
        Where the scheduler does not answer.
    """
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415
        from distributed.security import Security  # noqa: PLC0415
    except ImportError as error:
        text = translate(
            "Bandwise",
            "dask.distributed is not installed; install it with pip install distributed, or use "
            "--processes N.",
        )
        raise LibraryError(text.format()) from error
    with ExitStack() as stack:
        security = None
        if tls:
            names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
            security = Security(require_encryption=True, **dict(zip(names, tls)))
        where: Any = address
        if local:
            where = stack.enter_context(
                LocalCluster(
                    n_workers=local,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address=None,
                    preload=[_PRELOAD.format(folder=str(Path(__file__).resolve().parents[2]))],
                )
            )
        try:
            client = stack.enter_context(Client(where, security=security, timeout=_SECONDS))
            client.wait_for_workers(max(1, local), timeout=_SECONDS)
        except (OSError, TimeoutError) as error:
            raise ResourceError(_gone(address)) from error
        yield DaskSlots(client, address)


class DaskSlots:
    """See :class:`~.slots.Slots`; ``work`` is what a worker does with the text of a request."""

    def __init__(
        self, client: Any, address: str = "", work: Callable[[str], str] | None = None
    ) -> None:
        self._client, self._address, self._work = client, address, work or on_worker

    @property
    def count(self) -> int:
        """Slots of all workers that are there now."""
        workers = self._workers()
        total = sum(
            worker["resources"].get(_RESOURCE, 0) or worker["nthreads"] for worker in workers
        )
        return max(1, int(total))

    def everywhere(self, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """See :class:`~.slots.Slots`; a worker that dies meanwhile is asked nothing."""
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                texts = self._client.run(answer, encoded(request), on_error="return")
            except OSError as error:
                raise ResourceError(_gone(self._address)) from error
            answers = {}
            for name, text in texts.items():
                if isinstance(text, str):
                    answers[name] = json.loads(text)
                elif not isinstance(text, OSError):
                    raise InputError(_cannot(name, text))
            if answers:
                return answers
            if time.monotonic() > deadline:
                raise ResourceError(_without_workers(self._address))
            time.sleep(1)

    def answers(self, requests: Iterable[dict[str, Any]]) -> Iterator[Done]:
        """See :class:`~.slots.Slots`; a result is released as soon as it is taken."""
        from distributed import as_completed  # noqa: PLC0415

        upcoming, running = iter(requests), as_completed()
        asked: dict[str, tuple[dict[str, Any], int]] = {}
        most = _PER_SLOT * self.count

        def ask(request: dict[str, Any], deaths: int = 0) -> None:
            resources = {_RESOURCE: 1} if self._declares() else None
            future = self._client.submit(
                self._work, encoded(request), pure=False, resources=resources
            )
            asked[future.key] = request, deaths
            running.add(future)

        try:
            for request in upcoming:
                ask(request)
                if len(asked) >= most:
                    break
            while asked:
                self._wait(running)
                future = next(running)
                request, deaths = asked.pop(future.key)
                if future.status == "finished":
                    text = future.result()
                    future.release()
                    following = next(upcoming, None)
                    if following is not None:
                        ask(following)
                    yield Done(request, json.loads(text))
                else:
                    self._check(future, deaths)
                    ask(request, deaths + 1)
        except (OSError, StopIteration) as error:
            raise ResourceError(_gone(self._address)) from error

    def _wait(self, running: Any) -> None:
        """Wait for an answer; raise :class:`ResourceError` where no worker is left to give one."""
        looked = there = time.monotonic()
        while not running.has_ready():
            time.sleep(_POLL_SECONDS)
            now = time.monotonic()
            if now - looked < _SECONDS_BETWEEN_LOOKS:
                continue
            looked = now
            if self._workers():
                there = now
            elif now - there > _SECONDS:
                raise ResourceError(_without_workers(self._address))

    def _check(self, future: Any, deaths: int) -> None:
        """Raise :class:`ResourceError` for a request that is not worth another try."""
        from distributed import KilledWorker  # noqa: PLC0415

        if future.status != "error":  # cancelled or lost, as the scheduler is gone
            raise ResourceError(_gone(self._address))
        error = future.exception()
        if not isinstance(error, KilledWorker) or deaths >= _MOST_DEATHS:
            text = translate(
                "Bandwise", "The workers cannot do a part ({reason}); see their logs, then go on."
            )
            raise ResourceError(text.format(reason=_short(error)))

    def _workers(self) -> list[dict[str, Any]]:
        return list(self._client.scheduler_info(n_workers=-1)["workers"].values())

    def _declares(self) -> bool:
        if not hasattr(self, "_declared"):
            workers = self._workers()
            self._declared = bool(workers) and all(
                _RESOURCE in worker["resources"] for worker in workers
            )
        return self._declared


def on_worker(request: str) -> str:
    """Answer a request in a worker of dask, with its threads and within its memory."""
    from distributed import get_worker  # noqa: PLC0415

    worker = get_worker()
    wanted = json.loads(request)
    slots = worker.state.total_resources.get(_RESOURCE, 0) or worker.state.nthreads
    limit = worker.memory_manager.memory_limit
    wanted.setdefault("memory", int(limit * _OF_MEMORY / slots) if limit else 0)
    wanted["workers"] = wanted.get("workers") or max(1, int(worker.state.nthreads / slots))
    return answer(json.dumps(wanted))


def _cannot(worker: str, error: Any) -> Text:
    text = translate(
        "Bandwise",
        "{worker} cannot answer ({reason}); start it with the folder that holds the plugin's "
        "folder bandwise in PYTHONPATH.",
    )
    return text.format(worker=worker, reason=_short(error))


def _without_workers(address: str) -> Text:
    text = translate(
        "Bandwise",
        "The scheduler {address} has no workers any more; start some: the same command goes on.",
    )
    return text.format(address=address or "of this machine")


def _gone(address: str) -> Text:
    text = translate(
        "Bandwise",
        "The scheduler {address} does not answer; what was computed is kept: the same command goes on.",
    )
    return text.format(address=address or "of this machine")


def _short(error: Any) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
