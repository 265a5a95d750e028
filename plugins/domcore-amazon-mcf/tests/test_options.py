"""Settings, addresses and names: what is accepted, and what is refused in which words."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domcore.codec.strict import make_converter
from domcore.errors import ConfigurationError
from domcore.model import Person
from domcore.settings import ConnectorSettings
from domcore.testing import make_handover
from domcore.testing.handovers import BUYER
from domcore_amazon_mcf.bodies import Unfit, address, item_id
from domcore_amazon_mcf.options import read_options
from domcore_amazon_mcf.text import code_of, latin

ENVIRON = {"A": "canary-id", "B": "canary-secret", "C": "canary-refresh"}
GOOD = {
    "client_id": "env:A",
    "client_secret": "env:B",
    "refresh_token": "env:C",
    "marketplace_id": "ATVPDKIKX0DER",
}


def read(**more):
    given = {name: value for name, value in {**GOOD, **more}.items() if value is not None}
    settings = ConnectorSettings("amazon", "amazon-mcf", given)
    return read_options(settings, ENVIRON, make_converter())


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({}, "https://sellingpartnerapi-na.amazon.com"),
        ({"region": "eu"}, "https://sellingpartnerapi-eu.amazon.com"),
        ({"region": "fe", "sandbox": True}, "https://sandbox.sellingpartnerapi-fe.amazon.com"),
        (
            {"endpoint": "http://127.0.0.1:8000/", "other_hosts": True},
            "http://127.0.0.1:8000",
        ),
    ],
)
def test_where_the_vendor_listens(more, url):
    assert read(**more).base_url == url


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"marketplace_id": None}, "marketplace_id: is missing"),
        ({"region": "mars"}, "region: must be one of 'na', 'eu', 'fe'"),
        ({"sped": "Standard"}, "did you mean 'speed'"),
        ({"prefix": "no end"}, "must be 1 to 12 letters, digits or hyphens"),
        ({"prefix": "x" * 30 + "-"}, "must be 1 to 12 letters"),
        ({"skus": {"A": "X", "B": "X"}}, "two of ours are one of the vendor's"),
        ({"endpoint": "https://evil.example"}, "with other_hosts = true"),
        ({"endpoint": "http://evil.example", "other_hosts": True}, "must begin with https"),
        ({"endpoint": "ftp://127.0.0.1", "other_hosts": True}, "must begin with https"),
        ({"endpoint": "https://u:p@evil.example", "other_hosts": True}, "must be a plain https"),
        ({"login_endpoint": "https://x/?a=b", "other_hosts": True}, "must be a plain https"),
        ({"endpoint": "http://[", "other_hosts": True}, "must be a plain https"),
        ({"client_secret": "canary-secret"}, "must name an environment variable"),
        ({"client_secret": "env:NOT_THERE"}, "NOT_THERE is not set"),
        ({"rate": 0}, "rate: must be from 1 to 100"),
        ({"fallback_fee": "-1.00"}, "fallback_fee: must not be negative"),
    ],
)
def test_wrong_options_are_named(more, message):
    with pytest.raises(ConfigurationError) as caught:
        read(**more)
    assert message in str(caught.value)
    assert "connectors.amazon" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_secrets_are_not_in_the_repr():
    assert "canary" not in repr(read(notification_secrets=["env:B"]))


# --- addresses ---------------------------------------------------------------------------------


def test_an_address_is_sent_whole():
    assert address(BUYER) == {
        "name": "Ottilie Quist",
        "addressLine1": "Quist & Daughters",
        "addressLine2": "17 Juniper Row",
        "addressLine3": "Flat 4",
        "city": "Hudson",
        "stateOrRegion": "NY",
        "postalCode": "12534",
        "countryCode": "US",
        "phone": "+1 555 0134",
    }


def test_a_fourth_line_of_an_address_is_kept():
    found = address(evolve(BUYER, street=("17 Juniper Row", "Flat 4", "Back yard")))
    assert found["addressLine3"] == "Flat 4, Back yard"


def test_a_company_stands_in_for_a_missing_name():
    assert address(evolve(BUYER, name=""))["name"] == "Quist & Daughters"


@pytest.mark.parametrize(
    ("person", "message"),
    [
        (None, "there is no address"),
        (Person(), "has no name, addressLine1, postalCode, countryCode"),
        (evolve(BUYER, company="", street=("\n", " ")), "has no addressLine1"),
        (evolve(BUYER, country="USA"), "names no country"),
        (evolve(BUYER, city="x" * 500), "longer than 180 characters"),
    ],
)
def test_an_address_nobody_could_find_is_refused_without_repeating_it(person, message):
    with pytest.raises(Unfit) as caught:
        address(person)
    assert message in str(caught.value)
    assert "Ottilie" not in str(caught.value)


@given(st.text(max_size=80))
def test_ids_of_items_fit_and_differ_where_lines_do(line):
    found = item_id(line)
    assert 0 < len(found) <= 50
    assert found == item_id(line)
    assert found != item_id(line + "x")


@given(st.text(max_size=200))
def test_shown_texts_are_latin_on_one_line(text):
    found = latin(text, 40)
    assert len(found) <= 40
    assert "  " not in found
    assert found == found.strip()
    found.encode("latin-1")


@pytest.mark.parametrize("value", [None, 3, "", "x" * 100, "<b>", "Bob's street 3", "a b"])
def test_what_is_no_code_is_not_shown(value):
    assert code_of(value) == "(no code)"


# --- work that does not fit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (make_handover("7-1-" + "N" * 40), "give the node a shorter, plainer id"),
        (make_handover("7-1-N/Y"), "give the node a shorter, plainer id"),
        (make_handover(lines={"X" * 60: 1}), "map it in skus"),
        (make_handover(lines={"MUG": 251}), "at most 250 units"),
        (make_handover(lines={f"S{at}": 1 for at in range(101)}), "1 to 100 lines"),
        (make_handover(lines={}), "1 to 100 lines"),
        (make_handover(person=None), "there is no address"),
    ],
)
def test_work_that_amazon_cannot_take_is_rejected_before_it_is_sent(vendor, work, message):
    receipt = vendor.connector().release(work)
    assert (receipt.status, receipt.reason) == ("rejected", "other")
    assert message in receipt.detail
    assert vendor.taken == []


@pytest.mark.parametrize("key", ["7-1-N/Y", "7-1-" + "N" * 40])
def test_work_that_was_never_sent_is_unknown_there(vendor, key):
    assert vendor.connector().reconcile(make_handover(key)).status == "unknown_here"
    assert vendor.connector().cancel(make_handover(key)).status == "unknown_here"


def test_the_service_chooses_the_speed(vendor):
    work = make_handover()
    vendor.connector().release(evolve(work, order=evolve(work.order, service="express")))
    assert vendor.orders["dc-7-1-NYC"].body["shippingSpeedCategory"] == "Expedited"


def test_features_are_asked_for(vendor):
    vendor.connector(features={"BLANK_BOX": "Required"}).release(make_handover())
    assert vendor.orders["dc-7-1-NYC"].body["featureConstraints"] == [
        {"featureName": "BLANK_BOX", "featureFulfillmentPolicy": "Required"}
    ]
