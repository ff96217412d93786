"""Reading violation logs: everybody's files can be read, or are refused with a reason."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from core.errors import LogBroken
from core.logs import shape
from core.logs.reading import parse_log, reader_of_violations
from core.logs.sources import find_logs
from core.model import Action, Kind
from core.status import rate_of
from tests.examples import examples
from tests.logs.files import read_log

SAMPLES = Path(__file__).parents[1] / "data" / "integrity_checks"
LARGE = 64_000_000


READABLE = {
    "20251025_143000_violations.json": (150, 2, "98.67", "2025-10-25T14:30:00.123456+00:00"),
    "20251025_143500_violations.json": (150, 2, "98.67", "2025-10-25T14:35:00.204518+00:00"),
    "20251025_144000_violations.json": (150, 1, "99.33", "2025-10-25T14:40:00.198833+00:00"),
    "20251026_020000_violations.json": (152, 12, "92.11", "2025-10-26T02:00:00.000311+00:00"),
    "20251026_020500_violations.json": (152, 13, "91.45", "2025-10-26T02:05:00.090041+00:00"),
    "20251026_021000_violations.json": (152, 1, "99.34", "2025-10-26T02:10:00+00:00"),
    "20251027_070500_violations.json": (160, 2, "98.75", "2025-10-27T07:05:00+00:00"),
    "20251027_090000_violations.json": (160, 2, "98.75", "2025-10-27T09:00:00.500000+00:00"),
}
BROKEN = {
    "20251027_091000_violations.json": "it is empty",
    "20251027_091500_violations.json": "it is not whole JSON",
    "20251027_092000_violations.json": "it is not UTF-8 text",
    "20251027_092500_violations.json": "it is JSON, but no report",
}


def test_logs_are_told_from_other_files() -> None:
    assert [entry.name for entry in find_logs(SAMPLES)] == sorted([*READABLE, *BROKEN])
    assert (SAMPLES / "notes.txt").exists()


@pytest.mark.parametrize("name", READABLE)
def test_every_sample_of_the_earlier_implementation_is_read(name: str) -> None:
    total, inconsistent, rate, moment = READABLE[name]
    log, _ = read_log(SAMPLES / name, LARGE)
    assert (log.totals.total_checked, log.totals.inconsistent) == (total, inconsistent)
    assert (str(rate_of(log.totals)), log.timestamp.isoformat(), log.check_id) == (rate, moment, None)
    assert len(log.violations) == inconsistent


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_sample_is_refused_with_its_reason(name: str) -> None:
    before = (SAMPLES / name).read_bytes()
    with pytest.raises(LogBroken, match=BROKEN[name]):
        read_log(SAMPLES / name, LARGE)
    assert (SAMPLES / name).read_bytes() == before


def test_the_older_action_name_is_a_level_mismatch() -> None:
    log, _ = read_log(SAMPLES / "20251025_144000_violations.json", LARGE)
    assert [violation.kind for violation in log.violations] == [Kind.LEVEL_MISMATCH]


def test_a_missing_side_a_float_and_a_text_id_are_understood() -> None:
    (_, missing) = read_log(SAMPLES / "20251025_143500_violations.json", LARGE)[0].violations
    assert (missing.license_level, missing.kind, missing.recommended_action) == (
        None,
        Kind.MISSING_LICENSE,
        Action.CREATE_LICENSE,
    )
    (odd,) = read_log(SAMPLES / "20251026_021000_violations.json", LARGE)[0].violations
    assert (odd.user_id, odd.progress_level) == ("u-101", 2)
    assert isinstance(odd.progress_level, int)


def test_a_huge_log_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "20251025_120000_violations.json"
    with path.open("wb") as file:
        file.truncate(5 * 2**30)  # sparse: costs nothing unless it is read
    with pytest.raises(LogBroken, match="larger than 64 MB"):
        read_log(path, LARGE)


def test_a_log_that_cannot_be_opened_is_broken(tmp_path: Path) -> None:
    with pytest.raises(LogBroken, match="cannot be opened: Is a directory"):
        read_log(tmp_path, LARGE)


def _report(**changes: object) -> bytes:
    content: dict[str, object] = {"timestamp": "2025-10-25T14:30:00", "total_checked": 10, "consistent": 9, "inconsistent": 1}
    content |= changes
    return json.dumps({key: value for key, value in content.items() if value != "left out"}).encode()


@pytest.mark.parametrize(
    ("changes", "total", "inconsistent"),
    [
        ({}, 10, 1),
        ({"total_checked": "left out"}, 10, 1),
        ({"consistent": "left out"}, 10, 1),
        ({"inconsistent": "left out"}, 10, 1),
        ({"total_checked": 10.0, "consistent": 9.0, "inconsistent": 1.0}, 10, 1),
        ({"total_checked": "10", "consistent": " 9 ", "inconsistent": "1.0"}, 10, 1),
        ({"consistent": None, "inconsistent": None, "violations": [{"user_id": 1}, {"user_id": 2}]}, 10, 2),
        ({"violations": None}, 10, 1),
        ({"violations": "none"}, 10, 1),
        ({"violations": []}, 10, 1),  # the figures are believed
        ({"total_checked": 0, "consistent": 0, "inconsistent": 0}, 0, 0),
    ],
)
def test_figures_that_are_missing_or_odd_follow_from_the_others(
    changes: dict[str, object], total: int, inconsistent: int
) -> None:
    totals = parse_log(_report(**changes)).totals
    assert (totals.total_checked, totals.inconsistent) == (total, inconsistent)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": "left out"}, "no report"),
        ({"timestamp": None}, "not a time"),
        ({"timestamp": "yesterday"}, "not a time"),
        ({"timestamp": 1761402600}, "not a time"),
        ({"timestamp": ["2025-10-25"]}, "not a time"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "not a time"),
        ({"total_checked": "left out", "consistent": "left out"}, "total_checked is missing"),
        ({"consistent": 10}, "contradict"),
        ({"inconsistent": 11, "consistent": "left out"}, "contradict"),
        ({"total_checked": -10}, "total_checked is -10"),
        ({"total_checked": 2**63}, "total_checked is"),
        ({"violations": [1]}, "not an object"),
    ],
)
def test_what_cannot_be_believed_is_refused_with_its_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(LogBroken, match=reason):
        parse_log(_report(**changes))


@pytest.mark.parametrize("depth", [*range(100, 1_000, 25), 5_000, 200_000])
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{{"timestamp": {}}}',
        '{{"timestamp": "2025-10-25", "total_checked": 1, "inconsistent": 1, "violations": [{{"user_id": {}}}]}}',
        '{{"timestamp": "2025-10-25", "total_checked": 1, "inconsistent": 1, "violations": [{{"specialization": {}}}]}}',
    ],
)
def test_a_nest_of_any_depth_is_read_or_refused(text: str, depth: int) -> None:
    for opening, closing in ("[]", ('{"a":', "}")):
        inner = opening * depth + ("1" if closing == "}" else "") + closing * depth
        reads_or_refuses(text.format(inner).encode())


def reads_or_refuses(data: bytes) -> None:
    try:
        log = parse_log(data)
    except LogBroken as broken:
        assert str(broken)
        str(broken).encode()  # it is kept in a database
    else:
        assert 0 <= log.totals.inconsistent <= log.totals.total_checked
        assert log.timestamp.utcoffset() == timedelta(0)
        if log.check_id is not None:
            assert "\0" not in log.check_id.encode().decode(), "it is looked for in a database"


@settings(max_examples=examples(300))
@given(st.binary(max_size=80))
@example(b"\xef\xbb\xbf{}")
@example(b"\xef\xbb\xbf")
@example(b"  \n")
@example(b"\x00" * 10)
@example(b'"' + b"9" * 5_000 + b'"')
@example(b"9" * 5_000)
@example(b'{"timestamp": ' + b"9" * 4_301 + b"}")
@example(b'{"timestamp": "\\ud800"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1e999}')
@example(b'{"timestamp": "2025-10-25", "total_checked": NaN}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1, "check_id": "\\ud800"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 1, "check_id": "\\u0000"}')
@example(b'{"timestamp": "2025-10-25", "total_checked": 0, "consistent": 1}')
@example(b'{"timestamp": "2025-10-25", "total_checked": "\\u0661"}')
@example('{"timestamp": "2025-10-25", "total_checked": "١.0", "violations": []}'.encode())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reads_or_refuses(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(["\ud800", "9" * 30, "1.0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["timestamp", "total_checked", "consistent", "inconsistent", "consistency_rate", "violations", "check_id"]
ENTRY_KEYS = ["user_id", "specialization", "progress_level", "license_level", "recommended_action", "kind"]
almost_reports = st.fixed_dictionaries(
    {"timestamp": st.sampled_from(["2025-10-25T14:30:00", "2025-10-25T14:30:00Z", "9999-12-31T23:59:59-01:00"]) | anything},
    optional={key: anything | st.integers(0, 9) for key in KEYS[1:]}
    | {
        "violations": anything
        | st.lists(
            st.fixed_dictionaries(
                {}, optional={key: anything | st.sampled_from([kind.value for kind in Kind]) for key in ENTRY_KEYS}
            ),
            max_size=3,
        )
    },
)


@settings(max_examples=examples(500))
@given(anything | almost_reports)
def test_any_json_is_read_or_refused(content: object) -> None:
    reads_or_refuses(json.dumps(content).encode())


@settings(max_examples=examples(100))
@given(st.sampled_from(sorted(READABLE)), st.data())
def test_any_damage_to_a_real_log_is_read_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray((SAMPLES / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    match data.draw(st.sampled_from(["cut", "flip", "insert", "drop"])):
        case "cut":
            del content[position:]
        case "flip":
            content[position] ^= data.draw(st.integers(1, 255))
        case "insert":
            content[position:position] = data.draw(st.binary(max_size=4))
        case "drop":
            del content[position : position + data.draw(st.integers(1, 20))]
    reads_or_refuses(bytes(content))


_odd = (
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(0, 3)
    | st.sampled_from(["7", "}", "{", "},", "]", "a\\", '"', "…"])
)
_entries = st.fixed_dictionaries(
    {"user_id": _odd, "specialization": _odd},
    optional={"progress_level": _odd, "license_level": _odd | st.just({"a": 1}) | st.just([1]), "violations": st.just([])},
)
_ORDER = (*shape.IN_HEAD, "user_id", "specialization", "progress_level", "license_level", "recommended_action", "kind")


def _usually(content: dict[str, object]) -> dict[str, object]:
    """In the usual order; Hypothesis shuffles."""
    return {**{name: content[name] for name in _ORDER if name in content}, **content}


_usual_entries = st.fixed_dictionaries(
    {
        "user_id": st.integers(0, 9),
        "specialization": st.sampled_from(["PLAYER", " coach ", "A-1", "a],b", "x},y", "ő"]),
        "progress_level": st.none() | st.integers(0, 3),
        "license_level": st.none() | st.integers(0, 3),
        "recommended_action": st.sampled_from(["sync_required", "create_license_from_progress", "sync_to_higher_level", "odd"]),
    },
    optional={"kind": st.sampled_from([*map(str, Kind), "odd"])},
).map(_usually)
_lists = st.lists(_usual_entries | _entries | _odd, max_size=4)
_tails = {
    "check_id": st.sampled_from(["c-1", 7, None]),
    "in_maintenance": st.booleans(),
    "after": st.just({"violations": [{}]}),
    "unidentified_progress_rows": st.integers(-1, 3),
}
_heads = {
    "timestamp": st.sampled_from(["2025-10-25T14:30:00", "2025-10-25T14:30:00.5Z", "2025-10-25 14:30:00+02:00"]),
    "total_checked": st.just(50),
    "consistent": st.just(48),
    "inconsistent": st.just(2),
    "consistency_rate": st.sampled_from([96.0, 96, None]),
}
_usual_contents = st.fixed_dictionaries({**_heads, "violations": st.lists(_usual_entries, max_size=4)}, optional=_tails).map(
    _usually
)
_unusual_contents = st.fixed_dictionaries(
    {name: usual | _odd for name, usual in _heads.items()} | {"timestamp": _heads["timestamp"]},
    optional={"note": _odd, "violations": _lists | _odd, **_tails},
)
_contents = st.sampled_from([_usual_contents, _usual_contents, _unusual_contents]).flatmap(lambda contents: contents)
_spacings = st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : "), (",\n", ":\t"), (",  ", ": ")])


@settings(max_examples=examples(400))
@given(
    _contents, _spacings, st.none() | st.tuples(st.integers(0, 400), st.sampled_from([b"", b"}", b"]", b",", b'"', b"{", b"x"]))
)
@example({"timestamp": "2025", "total_checked": 1, "violations": []}, (", ", ": "), None)
def test_a_list_that_is_cut_between_its_objects_says_the_same_as_the_whole(
    content: dict[str, object], spacing: tuple[str, str], mutation: tuple[int, bytes] | None
) -> None:
    """Also when it was cut before: what is known of other logs never makes a broken one whole."""
    data = json.dumps(content, separators=spacing, ensure_ascii=False).encode()
    reader = reader_of_violations()
    for text in (data, data) if mutation is None else (data, data[: mutation[0]] + mutation[1] + data[mutation[0] + 1 :]):
        with suppress(LogBroken):
            reader.parse(data)
        cut = reader.by_its_shape(text)
        if cut is not None:
            assert cut == reader.as_a_whole(text)
        event("cut" if cut else "not cut")


def test_the_usual_logs_are_cut() -> None:
    for name in READABLE:
        data = (SAMPLES / name).read_bytes()
        cut = reader_of_violations().by_its_shape(data)
        assert cut is not None, name
        assert cut == reader_of_violations().as_a_whole(data)


@pytest.mark.parametrize(
    ("inside", "tail"),
    [
        (b"\x0b", b"}"),
        (b'{"user_id": 1', b"}"),
        (b'{"user_id": 1},', b"}"),
        (b'{"user_id": 01}', b"}"),
        (b"", b', "note": 1}, {"a": 2}'),
        (b"", b", }"),
        (b"", b"} x"),
        (b"", b""),
    ],
)
def test_a_log_that_only_looks_like_the_usual_is_broken(inside: bytes, tail: bytes) -> None:
    head = b'{"timestamp": "2025-10-25T14:30:00", "total_checked": 9, "consistent": 8, "inconsistent": 1, "violations": ['
    with pytest.raises(LogBroken, match="not whole JSON"):
        parse_log(head + inside + b"]" + tail)


def test_what_is_equal_and_not_the_same_is_told_apart() -> None:
    for level, said in (("1", 1), ("1.0", 1), ("true", None), ("1.5", None), ('"1"', 1)):
        log = parse_log(_report(violations=[]).replace(b"[]", f'[{{"user_id": 1, "progress_level": {level}}}]'.encode()))
        assert log.violations[0].progress_level == said


@pytest.mark.parametrize("level", [2**63, -(2**63) - 1, 10**30])
def test_a_level_that_no_database_holds_is_refused(level: int) -> None:
    with pytest.raises(LogBroken, match="lists a progress_level"):
        parse_log(_report(violations=[{"user_id": 1, "progress_level": level}]))


def test_a_user_id_of_any_size_is_kept_as_text_and_one_without_end_is_refused() -> None:
    assert parse_log(_report(violations=[{"user_id": 10**30}])).violations[0].user_id == str(10**30)
    with pytest.raises(LogBroken, match="of 501 characters"):
        parse_log(_report(violations=[{"user_id": "x" * 501}]))
