"""What is said about each row of a customers' file; the codes are stored, so they never change."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Verdict"]


class Verdict(IntEnum):
    """One verdict a row; placed + left out = read.

    Attributes
    ----------
    slug : str
        Name in files, JSON and on the page.
    placed : bool
        Whether the row counts in a cell.
    reason, reason_zh : str
        Why, in a few words.
    cure : str
        What a person can do about it; empty where nothing needs doing.
    """

    slug: str
    placed: bool
    reason: str
    reason_zh: str
    cure: str

    def __new__(cls, code: int, slug: str, placed: bool, *texts: str) -> Verdict:
        """Make the member with its texts."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.slug, member.placed = slug, placed
        member.reason, member.reason_zh, member.cure = texts
        return member

    PLACED = 0, "placed", True, "placed by its coordinates", "按坐标入格", ""
    PLACED_BY_CODE = (
        1,
        "placed-by-code",
        True,
        "has no usable coordinates; placed by its cell or area code",
        "无可用坐标，按单元或区域编码入格",
        "add coordinates if the code names an area larger than one cell",
    )
    PLACED_BY_PREMISE = (
        2,
        "placed-by-premise",
        True,
        "has no usable coordinates; placed with the other rows of its premise",
        "无可用坐标，随同一处所的其他记录入格",
        "",
    )
    SUSPECT_LOCATION = (
        3,
        "suspect-location",
        True,
        "placed, but very many premises share this exact coordinate",
        "已入格，但过多处所共用同一坐标",
        "check whether the address was geocoded to the centre of a town",
    )
    OUTSIDE = (
        10,
        "outside",
        False,
        "lies outside every cell of the territory",
        "位于服务区域之外",
        "check the coordinate system (--crs) and the boundary",
    )
    BAD_COORDINATE = (
        11,
        "bad-coordinate",
        False,
        "has a coordinate which is not a longitude or latitude",
        "坐标不是有效的经纬度",
        "correct it to decimal degrees, or name the coordinate system with --crs",
    )
    MISSING_LOCATION = (
        12,
        "missing-location",
        False,
        "has neither coordinates nor a code",
        "既无坐标也无编码",
        "add coordinates, or a cell or area code (--code)",
    )
    SWAPPED_AXES = (
        13,
        "swapped-axes",
        False,
        "lies in the territory only when longitude and latitude are exchanged",
        "经纬度互换后才位于服务区域内",
        "exchange longitude and latitude",
    )
    UNKNOWN_CODE = (
        14,
        "unknown-code",
        False,
        "has no coordinates, and its code names no cell or area of the territory",
        "无坐标，且编码不对应任何单元或区域",
        "correct the code or add coordinates",
    )
    DUPLICATE_ID = (
        15,
        "duplicate-id",
        False,
        "repeats the id of an earlier row, which stands",
        "编号与前面的记录重复，以首条为准",
        "remove the row or give it an id of its own",
    )
    MISSING_ID = (16, "missing-id", False, "has no id", "缺少编号", "give the row an id")
    NOT_SELECTED = (17, "not-selected", False, "is left out by --where", "不符合筛选条件", "")
