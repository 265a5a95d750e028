"""The misbehaving server: what a client sees of each fault, on a socket and without one."""

from __future__ import annotations

import http.client
import threading
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from domcore.testing import Call, MisbehavingServer, Reply
from domcore.testing.server import FAULTS

httpx = pytest.importorskip("httpx")

HANDLED = {
    "slow": 1, "dropped": 0, "reset": 0, "lost": 1, "half": 1, "429": 0, "500": 0, "503": 0,
    "500_after": 1, "twice": 2, "garbage": 1, "wrong_type": 1, "wrong_length": 1,
}  # fmt: skip
BROKEN = {"slow", "dropped", "reset", "lost", "half", "wrong_length"}


class Partner:
    """Takes everything and counts it."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def __call__(self, call: Call) -> Reply:
        self.taken.append(call.json()["id"])
        return Reply.json({"taken": len(self.taken)}, x_limit="2.0")


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture(params=["on a socket", "without one"])
def server(request, partner):
    server = MisbehavingServer(partner, slow_seconds=0.5)
    if request.param == "on a socket":
        with server:
            server.client = httpx.Client(base_url=server.url, timeout=0.2, trust_env=False)
            with server.client:
                yield server
    else:
        transport = server.as_transport()
        with httpx.Client(transport=transport, base_url="http://partner", timeout=0.2) as client:
            server.client = client
            yield server


def send(server, name="a"):
    return server.client.post("/things?x=1&x=2", json={"id": name}, headers={"X-Test": "yes"})


def test_a_good_day(server, partner):
    answer = send(server)
    assert (answer.status_code, answer.json()) == (200, {"taken": 1})
    assert answer.headers["x-limit"] == "2.0"
    (exchange,) = server.exchanges
    assert exchange.fault == ""
    assert exchange.sent == exchange.handled == Reply.json({"taken": 1}, x_limit="2.0")
    call = exchange.call
    assert (call.method, call.path, call.number) == ("POST", "/things", 1)
    assert call.query == (("x", "1"), ("x", "2"))
    assert call.asked("x") == "2"
    assert call.headers["x-test"] == "yes"
    assert call.json() == {"id": "a"}


def test_every_fault_is_tried_here():
    assert set(HANDLED) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen_by_the_client_and_handled_or_not(server, partner, fault):
    server.misbehave(fault)
    if fault in BROKEN:
        with pytest.raises(httpx.HTTPError) as caught:
            send(server)
        assert isinstance(caught.value, httpx.ReadTimeout) == (fault == "slow")
    else:
        answer = send(server)
        assert answer.status_code == (int(fault[:3]) if fault[:3].isdigit() else 200)
        if fault == "429":
            assert answer.headers["retry-after"] == "1"
        if fault == "wrong_type":
            assert answer.headers["content-type"] == "text/html"
        if fault == "garbage":
            with pytest.raises(ValueError, match=r"."):
                answer.json()
    assert len(partner.taken) == HANDLED[fault]
    assert [each.fault for each in server.exchanges] == [fault]
    assert send(server).json() == {"taken": HANDLED[fault] + 1}


def test_orders_are_carried_out_one_after_the_other_at_the_calls_they_are_for(server, partner):
    server.misbehave("500", "503", times=2, when=lambda call: call.json()["id"] == "b")
    seen = [send(server, name).status_code for name in ("a", "b", "b", "a", "b", "b", "b")]
    assert seen == [200, 500, 500, 200, 503, 503, 200]


def test_it_misbehaves_while_it_is_told_to(server):
    with server.misbehaving("503"):
        assert [send(server).status_code for _ in range(3)] == [503] * 3
    assert send(server).status_code == 200


def test_nobody_answers_while_it_is_down(server, partner):
    with server.down(), pytest.raises(httpx.ConnectError):
        send(server)
    assert partner.taken == []
    assert send(server).status_code == 200


def test_what_the_handler_raises_is_kept(server):
    assert server.client.post("/", content=b"{").status_code == 500
    assert isinstance(server.errors[0], ValueError)


def test_chance_is_the_same_for_the_same_seed(partner):
    def faults(seed: int) -> list[str]:
        server = MisbehavingServer(partner)
        server.by_chance({"lost": 0.3, "500": 0.2}, seed=seed)
        return [server.take(Call("POST", "/", body=b'{"id": "a"}')).fault for _ in range(2000)]

    first = faults(7)
    assert first == faults(7)
    assert first != faults(8)
    assert 500 < first.count("lost") < 700
    assert 330 < first.count("500") < 470


@pytest.mark.parametrize("chances", [{"lost": 0.7, "500": 0.7}, {"lost": -0.1}, {"lots": 0.1}])
def test_wrong_chances_are_refused(partner, chances):
    with pytest.raises(ValueError, match=r"chances|there is no fault 'lots'"):
        MisbehavingServer(partner).by_chance(chances)


def test_an_unknown_fault_is_refused(partner):
    with pytest.raises(ValueError, match="there is no fault 'lots'; there are slow, dropped"):
        MisbehavingServer(partner).misbehave("lots")


def test_no_thread_is_left_even_of_a_slow_answer(partner):
    before = threading.active_count()
    with MisbehavingServer(partner, slow_seconds=60) as server:
        server.misbehave("slow")
        parts = urlsplit(server.url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        connection.request("POST", "/", b'{"id": "a"}')
        while not partner.taken:
            pass
    connection.close()
    assert threading.active_count() == before


def test_many_clients_at_once_are_taken_one_at_a_time(partner):
    with MisbehavingServer(partner) as server:

        def send() -> None:
            for _ in range(20):
                urlopen(server.url, b'{"id": "a"}', timeout=10).close()

        threads = [threading.Thread(target=send) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(partner.taken) == len(server.exchanges) == 80
    assert [each.call.number for each in server.exchanges] == list(range(1, 81))
