"""The options of a folder: ``[channels.NAME]`` and ``[connectors.NAME]`` in the project file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from attrs import field, frozen

from domcore.codec.strict import Between, Line, Refused, Word, make_converter, structure
from domcore.errors import ConfigurationError, PayloadError, Problem, SignatureError
from domcore.model import FULFILLMENT_STATUSES, REJECTION_REASONS, Envelope
from domcore.plugin_kit.payments import SHIP_WHEN

Bytes = Annotated[int, Between(1, 1024 * 1024 * 1024)]
Seconds = Annotated[int, Between(0, 86_400)]

MOST_BYTES: Final = 64 * 1024 * 1024


@frozen(slots=True, kw_only=True)
class ChannelOptions:
    """A channel's folder.

    Args:
        folder: where files come in and go out; relative to the project file. It must exist.
        format: what is written: ``csv`` or ``jsonl``. Both are read.
        csv_plain: write and read CSV cells as they are, for machines. False guards cells that a
            spreadsheet would run as a formula.
        settle_seconds: a file must have been left alone so long before it is taken.
        most_bytes: the largest file taken.
        keep: whether files stay in ``done``; otherwise they are deleted once they are taken in.
        private: whether what is written is for its owner's eyes only (mode 600).
        deliveries: ``accept`` takes files through `receive`, from anybody who can reach it: nobody
            signs a file. What lies in the folder is read either way.
        bad_rows: ``aside`` takes the good rows of a file and writes the bad ones aside; ``refuse``
            sets a file with one bad row aside whole.
        currency: of orders that name none; without it, the owner's costing currency.
        service: of orders that name none.
        ship_when: words of the column ``payment`` with which an order goes; with any other it is
            held until a later revision comes with one of these.
        reserve_unpaid: whether stock is reserved for an order that is held so.
    """

    folder: Word
    format: Literal["csv", "jsonl"] = "csv"
    csv_plain: bool = True
    settle_seconds: Seconds = 2
    most_bytes: Bytes = MOST_BYTES
    keep: bool = True
    private: bool = True
    deliveries: Literal["accept", "refuse"] = "refuse"
    bad_rows: Literal["aside", "refuse"] = "aside"
    currency: Annotated[str, Line(3)] = ""
    service: Word = "standard"
    ship_when: tuple[Word, ...] = SHIP_WHEN
    reserve_unpaid: bool = False


@frozen(slots=True, kw_only=True)
class ConnectorOptions:
    """A node's folder.

    Args:
        folder, format, csv_plain, settle_seconds, most_bytes, keep, private, deliveries,
            bad_rows: as for a channel.
        owner: whose goods the node's stock files count.
        withdraw: whether a cancellation takes back a work file that still lies in ``out``; false
            for a partner that works from files which it leaves lying there.
        statuses: the partner's word to one of our statuses; its word is kept beside ours.
        reasons: the partner's word to one of our reasons of a rejection.
    """

    folder: Word
    format: Literal["csv", "jsonl"] = "csv"
    csv_plain: bool = True
    settle_seconds: Seconds = 2
    most_bytes: Bytes = MOST_BYTES
    keep: bool = True
    private: bool = True
    deliveries: Literal["accept", "refuse"] = "refuse"
    owner: Word = "main"
    bad_rows: Literal["aside", "refuse"] = "aside"
    withdraw: bool = True
    statuses: Mapping[Word, Word] = field(factory=dict)
    reasons: Mapping[Word, Word] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        _check("statuses", self.statuses, FULFILLMENT_STATUSES)
        _check("reasons", self.reasons, REJECTION_REASONS)


def _check(name: str, words: Mapping[str, str], known: tuple[str, ...]) -> None:
    for theirs, ours in words.items():
        if ours not in known:
            raise Refused(f"{name}.{theirs}: must be one of {', '.join(known)}")


def check_delivery(
    envelope: Envelope, name: str, options: ChannelOptions | ConnectorOptions
) -> None:
    """Look at a file that did not come through the folder, before it is read.

    Raises:
        SignatureError: nobody vouches for it, and that is not accepted.
        PayloadError: it is too large.
    """
    if options.deliveries != "accept":
        raise SignatureError(
            f"nobody vouches for this file: put it into {options.folder}/in, or say deliveries ="
            " 'accept' where only those you trust can reach receive",
            source=name,
        )
    if len(envelope.body) > options.most_bytes:
        problem = Problem("$", f"larger than {options.most_bytes} bytes")
        raise PayloadError("the delivery cannot be accepted", [problem], source=name)


_T = TypeVar("_T", ChannelOptions, ConnectorOptions)


def read_options(given: Mapping[str, Any], cls: type[_T], place: str) -> _T:
    """Check the options of one folder.

    Raises:
        ConfigurationError: something is unknown, missing or wrong; names every place.
    """
    try:
        return structure(make_converter(), dict(given), cls)
    except PayloadError as error:
        wrong = (f"{each.path}: {each.message}".lstrip("$.: ") for each in error.problems)
        raise ConfigurationError("; ".join(wrong), place=place) from None
