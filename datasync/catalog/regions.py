"""Which country a shop's label names, and that country's currency and local time."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """A country in which the marketplaces sell. ``words`` name it in shop labels."""

    code: str
    currency: str
    timezone: str
    words: tuple[str, ...] = ()


REGIONS = {
    region.code: region
    for region in (
        Region("SG", "SGD", "Asia/Singapore", ("新加坡",)),
        Region("MY", "MYR", "Asia/Kuala_Lumpur", ("马来西亚", "馬來西亞")),
        Region("PH", "PHP", "Asia/Manila", ("菲律宾", "菲律賓")),
        Region("TH", "THB", "Asia/Bangkok", ("泰国", "泰國")),
        Region("VN", "VND", "Asia/Ho_Chi_Minh", ("越南",)),
        Region("ID", "IDR", "Asia/Jakarta", ("印尼", "印度尼西亚", "印度尼西亞")),
        Region("TW", "TWD", "Asia/Taipei", ("台湾", "台灣")),
        Region("CN", "CNY", "Asia/Shanghai", ("中国", "中國")),
        Region("HK", "HKD", "Asia/Hong_Kong", ("香港",)),
        Region("JP", "JPY", "Asia/Tokyo", ("日本",)),
        Region("KR", "KRW", "Asia/Seoul", ("韩国", "韓國")),
        Region("IN", "INR", "Asia/Kolkata", ("印度",)),
        Region("BR", "BRL", "America/Sao_Paulo", ("巴西",)),
        Region("MX", "MXN", "America/Mexico_City", ("墨西哥",)),
        Region("CO", "COP", "America/Bogota", ("哥伦比亚", "哥倫比亞")),
        Region("CL", "CLP", "America/Santiago", ("智利",)),
        Region("AR", "ARS", "America/Argentina/Buenos_Aires", ("阿根廷",)),
        Region("US", "USD", "America/New_York", ("美国", "美國")),
        Region("CA", "CAD", "America/Toronto", ("加拿大",)),
        Region("GB", "GBP", "Europe/London", ("英国", "英國")),
        Region("DE", "EUR", "Europe/Berlin", ("德国", "德國")),
        Region("FR", "EUR", "Europe/Paris", ("法国", "法國")),
        Region("ES", "EUR", "Europe/Madrid", ("西班牙",)),
        Region("IT", "EUR", "Europe/Rome", ("意大利",)),
        Region("PL", "PLN", "Europe/Warsaw", ("波兰", "波蘭")),
        Region("AU", "AUD", "Australia/Sydney", ("澳大利亚", "澳洲")),
        Region("AE", "AED", "Asia/Dubai", ("阿联酋",)),
        Region("SA", "SAR", "Asia/Riyadh", ("沙特",)),
    )
}
_CODES = {**{code: code for code in REGIONS}, "UK": "GB"}
_WORDS = sorted(
    ((word, region) for region in REGIONS.values() for word in region.words), key=lambda pair: -len(pair[0])
)
_SUFFIX = re.compile(r"[_.\s-]([A-Za-z]{2})$")


def region_of(label: str, *, code: str = "") -> Region | None:
    """The region that ``code`` states, or else that a label names by its last part (``_sg``) or by a word."""
    stated = _CODES.get(code.strip().upper())
    if stated is None and (found := _SUFFIX.search(label.strip())):
        stated = _CODES.get(found[1].upper())
    if stated:
        return REGIONS[stated]
    return next((region for word, region in _WORDS if word in label), None)
