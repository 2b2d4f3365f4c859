"""The run: load, and what happens to the proxies meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import pymysql

from tests.library.support.process import eventually

from . import accounts
from .board import CACHED, BoardReader, BoardWriter
from .books import check_books, ids_of
from .clerk import COMMITTING, IN_TRANSACTION, Clerk
from .client import Client
from .fleet import Fleet
from .quota import Quota, check_quota
from .report import Report
from .reporter import Reporter
from .slow_log import SlowLog

__all__ = ["Run"]

_ACCESS_DENIED = 1045


class Run:
    """One run. `works`: what each client does between two events, at least."""

    def __init__(self, folder: Path, works: int, clerks: int) -> None:
        self.report = Report()
        self._folder = folder
        self._works = works
        self._number_of_clerks = clerks

    def run(self) -> int:
        """0 if everything holds."""
        self.report.step("a primary and a replica, Redis, three proxies, HAProxy")
        self._fleet = Fleet(self._folder)
        statuses: dict[str, int] = {}
        try:
            self._share()
            self._refuse()
            self._start_load()
            self._events()
            self._stop_load()
            self._check()
        finally:
            statuses = self._fleet.stop()
        self._check_ends(statuses)
        wrong = len(self.report.wrong)
        self.report.step(f"{wrong} things are wrong" if wrong else "everything holds")
        return 1 if wrong else 0

    # Before the load.

    def _share(self) -> None:
        """What one proxy has read is answered by the next without the server; what one writes, the next reads."""
        self.report.step("the cache: one client on each proxy")
        connections = [self._fleet.connect(accounts.BOARD) for _ in self._fleet.proxies]
        counts = {name: self._fleet.haproxy.clients(name) for name in self._fleet.proxies}
        self.report.check(set(counts.values()) == {1}, f"HAProxy spreads clients: {counts}")
        counters = []
        for connection in connections:
            with connection.cursor() as cursor:
                cursor.execute("SET @application = 'board'")
                cursor.execute(CACHED)
                cursor.execute("SELECT * FROM result_cache.counters")
                counters.append(dict(cursor.fetchall()))
        hits = [each["hits"] for each in counters]
        kept = [each["kept"] for each in counters]
        self.report.check(
            (hits, kept) == ([0, 1, 1], [1, 0, 0]), f"cache: hits {hits}, results kept {kept}"
        )
        numbers = []
        for number, connection in enumerate(connections, 1):
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE shop.board SET n = {number} WHERE id = 1")
            with connections[number % len(connections)].cursor() as cursor:
                cursor.execute(CACHED)
                numbers.append(cursor.fetchall()[0][0])
        self.report.check(numbers == [1, 2, 3], "cache: what one writes the next one reads")
        for connection in connections:
            connection.close()
        self._writer = BoardWriter(self._fleet, numbers[-1])

    def _refuse(self) -> None:
        self.report.step(f"a client from {accounts.STRANGER.address}, which no account is for")
        try:
            self._fleet.connect(accounts.STRANGER).close()
            said = "nothing"
        except pymysql.OperationalError as error:
            said = str(error.args[1]) if error.args[0] == _ACCESS_DENIED else repr(error)
        self.report.check(f"@'{accounts.STRANGER.address}'" in said, f"it is told: {said}")

    # Under load.

    def _start_load(self) -> None:
        fleet = self._fleet
        self._clerks = [
            Clerk(fleet, accounts.CLERKS[n % len(accounts.CLERKS)])
            for n in range(self._number_of_clerks)
        ]
        self._readers = [BoardReader(fleet, self._writer, f"board reader {n}") for n in (1, 2)]
        self._reporters = [Reporter(fleet, accounts.REPORT, f"reporter {n}") for n in (1, 2)]
        self._clients: list[Client] = [
            *self._clerks,
            self._writer,
            *self._readers,
            *self._reporters,
        ]
        self.report.step(f"{len(self._clients)} clients begin")
        self._began = time.monotonic()
        for client in self._clients:
            client.start()
        self._let_work()

    def _events(self) -> None:
        fleet, haproxy = self._fleet, self._fleet.haproxy
        clients = self._clients_of("p1")
        self.report.step("p1 is killed (SIGKILL)")
        before = self._losses()
        fleet.proxies["p1"].kill()
        went = eventually(lambda: not haproxy.is_up("p1"))
        self._let_work()
        self.report.check(clients > 0 and went, f"it had {clients} clients, HAProxy has noticed")
        self._tell_losses(before)

        clients = self._clients_of("p2")
        self.report.step("p2 is drained (SIGTERM)")
        before = self._losses()
        status = fleet.proxies["p2"].stop()
        self._let_work()
        self.report.check(
            clients > 0 and status == 0, f"it had {clients} clients, and ended with status {status}"
        )
        self._tell_losses(before)
        after = self._losses()
        cut = sum(after[what] - before[what] for what in (IN_TRANSACTION, COMMITTING))
        self.report.check(cut == 0, f"{cut} transactions were cut off")

        self.report.step("p4 is added")
        before = self._losses()
        fleet.add("p4")
        served = eventually(lambda: fleet.slow_log("p4").served("clerk", "COMMIT") > 0)
        self._let_work()
        self.report.check(served, "it serves clients")
        self._check_no_losses(before)

        self.report.step("p3 is taken over by another process")
        before = self._losses()
        status = fleet.proxies["p3"].take_over()
        self._let_work()
        self.report.check(status == 0, f"the one before has ended with status {status}")
        self._check_no_losses(before)

    def _check_no_losses(self, before: dict[str, int]) -> None:
        lost = sum(self._losses().values()) - sum(before.values())
        self.report.check(lost == 0, f"{lost} connections were lost")

    def _clients_of(self, name: str) -> int:
        """How many clients a proxy has, as soon as it has some."""
        eventually(lambda: self._fleet.haproxy.clients(name) > 0)
        return self._fleet.haproxy.clients(name)

    def _let_work(self) -> None:
        """Waits until each client has had so many answers more, as long as they get any."""
        goals = {client: client.works + self._works for client in self._clients}

        def missing() -> int:
            return sum(max(goal - each.works, 0) for each, goal in goals.items() if each.is_alive())

        while left := missing():
            if not eventually(lambda: missing() < left):
                slow = [each.name for each, goal in goals.items() if each.works < goal]
                self.report.check(False, f"all clients work: {slow} do not")
                break
        booked = sum(len(clerk.acknowledged) for clerk in self._clerks)
        self.report.figure(f"{booked} transactions are acknowledged")

    def _losses(self) -> dict[str, int]:
        """How often the clerks have lost their connections, by what they were doing."""
        what = {key for clerk in self._clerks for key in clerk.lost} | {IN_TRANSACTION, COMMITTING}
        return {key: sum(clerk.lost[key] for clerk in self._clerks) for key in sorted(what)}

    def _tell_losses(self, before: dict[str, int]) -> None:
        new = {key: count - before.get(key, 0) for key, count in self._losses().items()}
        told = ", ".join(f"{count} ({what})" for what, count in new.items() if count)
        self.report.figure(f"clerks have lost connections: {told or 'none'}")

    def _stop_load(self) -> None:
        self._hosts = self._fleet.primary.rows(
            "SELECT DISTINCT user, SUBSTRING_INDEX(host, ':', 1) FROM information_schema.processlist"
            " WHERE user IN ('clerk', 'board', 'report')"
        )
        for client in self._clients:
            client.stop()
        self._seconds = time.monotonic() - self._began

    # Behind the load.

    def _check(self) -> None:
        report, fleet = self.report, self._fleet
        report.step("what was found")
        faults = [fault for client in self._clients for fault in client.faults]
        report.check(not faults, f"{len(faults)} times clients saw what must not be {faults[:3]}")
        acknowledged = [each for clerk in self._clerks for each in clerk.acknowledged]
        pending = [clerk.pending for clerk in self._clerks]
        found = sum(clerk.found for clerk in self._clerks)
        report.figure(f"{found} had been committed without an answer, and were not booked twice")
        fleet.replication.catch_up()
        for node in (fleet.primary, fleet.replica):
            check_books(report, node.name, acknowledged, pending, ids_of(node))
        hits = max(reader.hits for reader in self._readers)
        works = sum(reader.works for reader in self._readers)
        report.check(hits > 0, f"cache: {works} reads, one proxy had {hits} hits")
        logs = {name: fleet.slow_log(name) for name in fleet.proxies}
        quota = Quota.of((fleet.proxies["p3"].folder / "config.ini").read_text(), "report")
        passed = sum(each.passed for each in self._reporters)
        refused = sum(each.refused for each in self._reporters)
        by_proxy = {name: log.served("report", "SELECT") for name, log in logs.items()}
        check_quota(report, quota, self._seconds, passed, refused, by_proxy)
        self._check_addresses(logs)

    def _check_addresses(self, logs: dict[str, SlowLog]) -> None:
        """In the process list, in the logs of the proxies, in that of HAProxy."""
        report, fleet = self.report, self._fleet
        own: dict[str, set[str]] = {}
        for user, address in (*accounts.CLERKS, accounts.REPORT, accounts.BOARD):
            own.setdefault(user, set()).add(address)
        strange = [each for each in self._hosts if each[1] not in own[str(each[0])]]
        report.check(
            bool(self._hosts) and not strange, f"the process list of the primary: {self._hosts}"
        )
        for name, log in logs.items():
            found = log.addresses()
            right = all(addresses <= own[user] for user, addresses in found.items())
            report.check(
                right, f"{name}: {len(log.entries)} commands in its slow log, of {dict(found)}"
            )
        stranger = f"({accounts.STRANGER.address}:"
        lines = [
            line
            for proxy in fleet.proxies.values()
            for line in proxy.log().splitlines()
            if stranger in line and "refused: error 1045" in line
        ]
        report.check(len(lines) == 1, f"{len(lines)} proxy has logged who was refused")

    def _check_ends(self, statuses: dict[str, int]) -> None:
        """All proxies but the one that was killed end well."""
        report = self.report
        well = all((status == 0) != (name == "p1") for name, status in statuses.items())
        report.check(well, f"the proxies have ended with {statuses}")
        away = sum(
            proxy.log().count("Redis does not answer") for proxy in self._fleet.proxies.values()
        )
        report.check(away == 0, f"Redis was away {away} times")
        criticals = [line for proxy in self._fleet.proxies.values() for line in proxy.criticals()]
        report.check(
            not criticals, f"{len(criticals)} critical lines in their logs {criticals[:3]}"
        )
