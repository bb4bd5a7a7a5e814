"""Currencies: the ISO 4217 codes in use, and the signs and names under which exports write them."""

from __future__ import annotations

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
    USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
ISO_CODES = frozenset(_CODES.split())
"""The codes in use. Metals, funds and testing codes are not among them."""

SIGNS = {
    "¥": "CNY", "￥": "CNY", "CN¥": "CNY", "元": "CNY", "RM": "MYR", "R$": "BRL", "S$": "SGD", "$": "USD", "US$": "USD",
    "A$": "AUD", "C$": "CAD", "HK$": "HKD", "NT$": "TWD", "MX$": "MXN", "CO$": "COP", "₱": "PHP", "฿": "THB",
    "RP": "IDR", "RP.": "IDR", "₫": "VND", "Đ": "VND", "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW",
}  # fmt: skip
"""Signs, in upper case, that stand beside an amount → code."""

NAMES = {**SIGNS, "RMB": "CNY", "人民币": "CNY", "人民幣": "CNY", "YUAN": "CNY", "บาท": "THB", "VNĐ": "VND"}
"""Signs and names, in upper case, that a cell or a header may give instead of a code → code."""


def currency_code(text: str) -> str | None:
    """The ISO 4217 code that a text names, or None. ``RMB`` is CNY and ``RM`` is MYR."""
    said = text.strip().upper()
    return NAMES.get(said) or (said if said in ISO_CODES else None)
