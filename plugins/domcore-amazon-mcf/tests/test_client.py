"""What is sent, what is tried again, what every failure means; and that no secret gets out."""

from __future__ import annotations

import logging
import pickle
import traceback

import pytest

from domcore.errors import ConnectorError
from domcore.plugin_kit import Bucket
from domcore.testing import Reply, make_handover
from domcore_amazon_mcf.client import USER_AGENT

CANARIES = ("canary", "Atza", "Atzr")


def creates(call) -> bool:
    return call.method == "POST" and call.path.endswith("/fulfillmentOrders")


def failing(connector, call="release") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        getattr(connector, call)(make_handover())
    return caught.value


# --- tries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "unknown", "taken"),
    [
        ("slow", True, 1),
        ("lost", True, 1),
        ("dropped", True, 0),
        ("reset", True, 0),
        ("half", True, 1),
        ("500", True, 0),
        ("503", True, 0),
        ("500_after", True, 1),
        ("garbage", True, 1),
        ("wrong_type", True, 1),
        ("wrong_length", True, 1),
    ],
)
def test_a_create_that_may_have_been_taken_is_unknown_and_not_tried_again(
    vendor, fault, unknown, taken
):
    connector = vendor.connector()
    vendor.server.misbehave(fault, when=creates)
    assert failing(connector).unknown is unknown
    assert vendor.asked("createFulfillmentOrder") == 1
    assert len(vendor.taken) == taken
    found = connector.reconcile(make_handover())
    assert found.status == ("accepted" if taken else "unknown_here")


@pytest.mark.parametrize(
    ("status", "unknown"), [(404, False), (413, False), (408, True), (302, True), (504, True)]
)
def test_a_create_answered_with_another_status_is_no_receipt(vendor, status, unknown):
    vendor.validated = False
    vendor._createFulfillmentOrder = lambda call: Reply.json({}, status, location="http://x/")
    assert failing(vendor.connector()).unknown is unknown
    assert {call.path.split("/")[1] for call in vendor.server.calls} == {"auth", "fba"}


def test_a_create_that_was_certainly_not_taken_is_tried_again(vendor):
    vendor.server.misbehave("429", "429", when=creates)
    assert vendor.connector().release(make_handover()).status == "requested"
    assert vendor.asked("createFulfillmentOrder") == 3


def test_a_partner_that_cannot_be_reached_has_taken_nothing(vendor):
    with vendor.server.down():
        assert not failing(vendor.connector()).unknown


def test_too_many_requests_tell_when_to_come_back(vendor):
    vendor.server._retry_after = 120
    with vendor.server.misbehaving("429", when=creates):
        error = failing(vendor.connector())
    assert (error.unknown, error.retry_after) == (False, 120)
    assert vendor.asked("createFulfillmentOrder") == 1


@pytest.mark.parametrize("fault", ["slow", "lost", "500", "503", "429", "garbage", "half"])
def test_what_may_be_done_twice_is_tried_three_times(vendor, fault):
    connector = vendor.connector()
    connector.release(make_handover())
    vendor.server.misbehave(fault, fault)
    assert connector.reconcile(make_handover()).status == "accepted"
    with vendor.server.misbehaving(fault):
        assert not failing(connector, "reconcile").unknown


def test_a_create_handled_twice_is_found_to_be_there(vendor):
    vendor.server.misbehave("twice", when=creates)
    receipt = vendor.connector().release(make_handover())
    assert (receipt.status, receipt.reference) == ("accepted", "dc-7-1-NYC")
    assert vendor.taken == ["dc-7-1-NYC"]


def test_a_create_that_is_refused_and_cannot_be_read_back_is_unknown(vendor):
    connector = vendor.connector()
    connector.release(make_handover())
    with vendor.server.misbehaving("503", when=lambda call: call.method == "GET"):
        assert failing(connector).unknown


def test_an_id_that_other_work_has_is_for_a_person_to_sort_out(vendor):
    vendor.connector().release(make_handover(lines={"VASE": 1}))
    error = failing(vendor.connector())
    assert not error.unknown
    assert "another system uses the same prefix" in str(error)


def test_a_refusal_shows_codes_and_nobody(vendor):
    with vendor.refusing():
        receipt = vendor.connector().release(make_handover())
    assert (receipt.status, receipt.reason) == ("rejected", "other")
    assert receipt.detail == "Amazon refuses it: InvalidInput"


# --- rates -------------------------------------------------------------------------------------


def bucket(vendor, rate=2.0, burst=3, longest=10.0):
    return Bucket(burst, rate, longest=longest, clock=vendor.ticks, sleep=vendor.sleep)


def test_after_the_burst_calls_come_at_the_rate(vendor):
    one = bucket(vendor)
    for _ in range(7):
        one.take()
    assert vendor.slept == [0.5] * 4
    vendor.seconds += 100
    for _ in range(3):
        one.take()
    assert len(vendor.slept) == 4


def test_nobody_waits_longer_than_is_bearable(vendor):
    one = bucket(vendor, rate=0.01, burst=1)
    one.take()
    with pytest.raises(ConnectorError) as caught:
        one.take()
    assert caught.value.retry_after == pytest.approx(100)
    assert vendor.slept == []


@pytest.mark.parametrize("told", ["", "x", "nan", "-1", "0", "1e9", "inf"])
def test_a_rate_that_is_none_is_not_learnt(vendor, told):
    one = bucket(vendor)
    one.learn(told)
    assert one.rate == 2.0


def test_the_rate_is_learnt_from_the_reply(vendor):
    vendor.rate = "0.5"
    connector = vendor.connector(burst=1)
    for _ in range(3):
        connector.reconcile(make_handover())
    assert vendor.slept == pytest.approx([2.0, 2.0])


def test_each_operation_has_a_bucket_of_its_own(vendor):
    connector = vendor.connector(burst=1, checks=0)
    connector.release(make_handover())
    connector.reconcile(make_handover())
    connector.poll("")
    assert vendor.slept == []


# --- tokens ------------------------------------------------------------------------------------


def test_a_token_is_kept_until_shortly_before_its_end(vendor):
    connector = vendor.connector()
    for _ in range(5):
        connector.reconcile(make_handover())
    assert len(vendor.tokens) == 1
    vendor.seconds += 3600 - 60
    connector.reconcile(make_handover())
    assert len(vendor.tokens) == 2


def test_a_token_that_is_refused_is_exchanged_once(vendor):
    connector = vendor.connector()
    connector.reconcile(make_handover())
    vendor.valid = set()
    assert connector.reconcile(make_handover()).status == "unknown_here"
    assert len(vendor.tokens) == 2


def test_a_seller_who_is_not_allowed_is_told_so_and_not_asked_for_ever(vendor):
    connector = vendor.connector()
    connector.reconcile(make_handover())

    class Nobody(set):
        def __contains__(self, token):
            return False

    vendor.valid = Nobody()
    original = type(vendor)._login

    def login(call):
        reply = original(vendor, call)
        vendor.valid = Nobody()
        return reply

    vendor._login = login
    error = failing(connector, "reconcile")
    assert "403 Unauthorized" in str(error)
    assert len(vendor.tokens) == 2


def test_a_login_that_fails_says_what_to_check(vendor):
    vendor.login_fails = "invalid_grant"
    error = failing(vendor.connector())
    assert "400 invalid_grant; check the client id" in str(error)
    assert not error.unknown


@pytest.mark.parametrize("fault", ["slow", "lost", "500", "garbage", "dropped", "half", "429"])
def test_a_login_that_goes_wrong_has_handed_nothing_over(vendor, fault):
    connector = vendor.connector()
    with vendor.server.misbehaving(fault, when=lambda call: call.path == "/auth/o2/token"):
        assert not failing(connector).unknown
    assert vendor.taken == []
    assert connector.release(make_handover()).status == "requested"


def test_calls_say_who_is_calling(vendor):
    vendor.connector().release(make_handover())
    assert {call.headers["user-agent"] for call in vendor.server.calls} == {USER_AGENT}


# --- on a socket, and nothing shown ------------------------------------------------------------


def test_no_secret_is_shown_anywhere(vendor, over_sockets, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    connector = over_sockets()
    shown = [repr(connector), repr(connector.__dict__), repr(connector.options)]
    faults = ["", "lost", "500", "garbage", "429", "half", "reset", "wrong_type"]
    vendor.server._retry_after = 60
    for fault in faults:
        if fault:
            vendor.server.misbehave(fault, times=3)
        for verb in ("release", "reconcile", "cancel"):
            try:
                shown.append(repr(getattr(connector, verb)(make_handover())))
            except ConnectorError as error:
                shown += traceback.format_exception(error)
                shown += [repr(error), repr(error.args), repr(vars(error))]
    vendor.login_fails = "invalid_client"
    vendor.seconds += 10_000
    with pytest.raises(ConnectorError) as caught:
        connector.poll("")
    shown += traceback.format_exception(caught.value)
    with pytest.raises((TypeError, AttributeError)):
        pickle.dumps(connector)
    shown += [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    out = capfd.readouterr()
    shown += [out.out, out.err]
    for canary in (*CANARIES, "Ottilie", "Juniper", "quist.example"):
        assert not [text for text in shown if canary in text], canary
    assert vendor.taken
    connector.close()


def test_it_works_on_a_socket(vendor, over_sockets):
    connector = over_sockets()
    receipt = connector.release(make_handover())
    assert receipt.reference == "dc-7-1-NYC"
    vendor.server.misbehave("slow", when=lambda call: call.method == "PUT")
    assert connector.cancel(make_handover()).status in ("cancelled", "cancel_requested")
    connector.close()
