"""Deliveries from files: raw, in lines, from standard input, and hostile ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from domcore.demo.folder import SECRET

SKU = "KIT-0001"


@pytest.fixture
def project(empty: Path, run) -> Path:
    (empty / "domcore.toml").write_text(
        f'[channels.shop]\nkind = "shopify"\nsecrets = ["{SECRET}"]\n'
    )
    (empty / "items.csv").write_text(f"sku\n{SKU}\n")
    assert run("load", "items", "items.csv").exit_code == 0
    return empty


def body(number: int = 1, sku: str = SKU) -> bytes:
    line = {
        "id": number * 10,
        "sku": sku,
        "quantity": 1,
        "price": "1.00",
        "requires_shipping": True,
    }
    when = "2026-11-02T08:00:00-05:00"
    order = {
        "id": number,
        "name": f"#{number}",
        "created_at": when,
        "updated_at": when,
        "currency": "USD",
        "line_items": [line],
        "shipping_address": {"country_code": "US", "zip": "10001", "name": "Nora Nobody"},
    }
    return json.dumps(order).encode()


def headers(text: bytes, number: int = 1) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), text, hashlib.sha256).digest()
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
        "X-Shopify-Webhook-Id": f"w-{number}",
    }


def raw(folder: Path, text: bytes, given: dict[str, str] | None = None) -> Path:
    path = folder / "order.json"
    path.write_bytes(text)
    (folder / "order.json.headers.json").write_text(
        json.dumps(headers(text) if given is None else given)
    )
    return path


def row(text: bytes, number: int = 1, *, coded: bool = False) -> str:
    given = {"headers": headers(text, number)}
    if coded:
        return json.dumps({"body_base64": base64.b64encode(text).decode(), **given})
    return json.dumps({"body": text.decode(), **given})


def test_a_raw_body_with_its_headers_beside_it(project: Path, run) -> None:
    result = run("receive", "shop", raw(project, body()))
    assert (result.exit_code, result.stdout) == (0, "Received 1 delivery: 1 captured.\n")
    again = run("receive", "shop", "order.json")
    assert again.stdout == "Received 1 delivery: 1 duplicate.\n"


def test_headers_may_be_given_as_options(project: Path, run) -> None:
    path = project / "order.json"
    path.write_bytes(body())
    options = [f"{name}: {value}" for name, value in headers(body()).items()]
    result = run("receive", "shop", path, "-H", options[0], "-H", options[1], "-H", options[2])
    assert result.exit_code == 0
    assert "1 captured" in result.stdout


def test_lines_of_deliveries_text_and_base64(project: Path, run) -> None:
    path = project / "d.jsonl"
    path.write_text(f"{row(body(1), 1)}\n\n{row(body(2), 2, coded=True)}\n")
    result = run("receive", "shop", path, "--json")
    assert result.exit_code == 0
    *told, total = [json.loads(line) for line in result.stdout.splitlines()]
    assert total == {"total": {"outcomes": 2, "captured": 2}}
    assert [each["outcome"] for each in told] == ["captured", "captured"]
    assert told[1]["place"] == f"{path}:3"
    assert told[0].keys() == {"place", "outcome", "detail", "order_id"}


def test_standard_input_holds_lines_or_with_format_a_body(project: Path, run) -> None:
    assert "1 captured" in run("receive", "shop", "-", stdin=row(body(1), 1)).stdout
    given = [part for pair in headers(body(2), 2).items() for part in ("-H", ":".join(pair))]
    result = run("receive", "shop", "-", "--format", "raw", *given, stdin=body(2))
    assert "1 captured" in result.stdout


def test_one_that_is_refused_does_not_stop_the_others(project: Path, run) -> None:
    forged = row(body(2), 2).replace("#2", "#3")
    path = project / "d.jsonl"
    path.write_text("\n".join([row(body(1), 1), forged, "{", '{"body": 1}', row(body(4), 4)]))
    result = run("receive", "shop", path)
    assert result.exit_code == 4
    assert result.stdout == "Received 5 deliveries: 2 captured, 3 refused.\n"
    assert f"{path}:2: refused: shop: the signature fits none" in result.stderr
    assert f"{path}:3: refused: " in result.stderr
    assert f"{path}:4: refused: must have" in result.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (body()[:-20], "unterminated string"),
        (b"\xff\xfe" + body(), "not UTF-8"),
        (b"[" * 100_000, "nested"),
        (body().replace(b'"1.00"', b'"1,00"'), "$.line_items[0].price"),
        (body().replace(b'"quantity": 1', b'"quantity": -1'), "$.line_items[0].quantity"),
        (body().replace(b'"quantity": 1', b'"quantity": 1e99'), "$.line_items[0].quantity"),
        (body(sku="NEW" * 100), "$.line_items[0].sku"),
        (b"", "expecting value"),
    ],
)
def test_a_signed_delivery_that_cannot_be_read_is_kept_and_said(
    text: bytes, message: str, project: Path, run
) -> None:
    result = run("receive", "shop", raw(project, text))
    assert result.exit_code == 1
    assert message in result.stderr
    assert "unreadable: " in result.stderr
    assert "Nora" not in result.output
    assert run("orders", "--json").stdout == ""
    parked = json.loads(run("parked", "--json").stdout)
    assert message in parked["note"]
    assert run("retry", parked["id"]).exit_code == 1
    assert run("drop", parked["id"]).exit_code == 0
    assert run("parked", "--json").stdout == ""
    assert run("verify").exit_code == 0


def test_a_zero_quantity_is_an_order_of_nothing(project: Path, run) -> None:
    text = body().replace(b'"quantity": 1', b'"quantity": 0')
    assert run("receive", "shop", raw(project, text)).exit_code == 0
    assert json.loads(run("orders", "--json").stdout)["status"] == "empty"


def test_fifty_megabytes_are_refused_without_being_read(project: Path, run) -> None:
    path = project / "large.json"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    for form in ("raw", "jsonl"):
        result = run("receive", "shop", path, "--format", form)
        assert result.exit_code == 1
        assert "larger than" in result.stderr


def test_the_same_order_with_other_content_is_a_conflict(project: Path, run) -> None:
    assert run("receive", "shop", raw(project, body())).exit_code == 0
    other = body().replace(b'"quantity": 1', b'"quantity": 2')
    result = run("receive", "shop", raw(project, other, headers(other, 2)))
    assert result.exit_code == 1
    assert "refused" in result.stderr


def test_a_file_that_is_missing_stops_all_before_anything_is_taken_in(project: Path, run) -> None:
    result = run("receive", "shop", raw(project, body()), "none.json")
    assert result.exit_code == 1
    assert "none.json: No such file or directory" in result.stderr
    assert run("orders", "--json").stdout == ""


def test_bad_headers_refuse_one_delivery_and_no_other(project: Path, run) -> None:
    good = raw(project, body())
    (project / "bad.json").write_bytes(body(2))
    (project / "bad.json.headers.json").write_text("[")
    result = run("receive", "shop", project / "bad.json", good)
    assert result.exit_code == 4
    assert result.stdout == "Received 2 deliveries: 1 captured, 1 refused.\n"
    assert "bad.json.headers.json: cannot be used" in result.stderr


def test_headers_that_cannot_be_read_are_named(project: Path, run) -> None:
    path = raw(project, body())
    (project / "order.json.headers.json").write_text('{"a": 1}')
    result = run("receive", "shop", path)
    assert result.exit_code == 1
    assert "order.json.headers.json: cannot be used: headers must be an object of texts" in (
        result.stderr
    )


def test_a_channel_whose_plugin_is_missing_says_what_to_install(
    project: Path, run, monkeypatch
) -> None:
    monkeypatch.setenv("DOMCORE_LOAD_PLUGINS", "")
    result = run("receive", "shop", raw(project, body()))
    assert result.exit_code == 1
    assert "install domcore-shopify" in result.stderr
