"""Words of the exports' languages that stand in cells: for nothing, for totals, for months; and marks that say nothing.

All words are NFKC, case-folded and without white space around them; compare a cell in the same form.
"""

from __future__ import annotations

INVISIBLE = [chr(code) for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFEFF, 0xFEFF))
              for code in range(first, last + 1)]  # fmt: skip
"""Zero-width and direction marks: they change how a cell looks or compares, never what it says."""

NULL_WORDS = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "–",
        "/",
        "nan",
        "none",
        "null",
        "nil",
        "n/a",
        "#n/a",
        "na",
        "(null)",
        "(blank)",
        "(empty)",
        "undefined",
        "not available",
        "暂无数据",
        "暫無數據",
        "暂无",
        "暫無",
        "无",
        "無",
        "空",
        "无数据",
        "無數據",
        "无资料",
        "無資料",
        "không có",
        "không có dữ liệu",
        "chưa có dữ liệu",
        "trống",
        "ไม่มี",
        "ไม่มีข้อมูล",
        "ว่าง",
        "tidak ada",
        "tidak ada data",
        "tidak tersedia",
        "kosong",
        "tiada",
        "tiada data",
        "não há",
        "sem dados",
        "nenhum",
        "não disponível",
        "vazio",
        "sin datos",
        "ninguno",
        "no disponible",
        "vacío",
    }
)
"""Cells that hold nothing. "0" is a value and is not among them."""

TOTALS_WORDS = frozenset(
    {
        "合计",
        "合計",
        "总计",
        "總計",
        "小计",
        "小計",
        "汇总",
        "彙總",
        "总和",
        "總和",
        "共计",
        "共計",
        "数据汇总",
        "total",
        "totals",
        "grand total",
        "subtotal",
        "sub-total",
        "sub total",
        "sum",
        "summary",
        "tổng",
        "tổng cộng",
        "tổng số",
        "tổng kết",
        "cộng",
        "รวม",
        "รวมทั้งหมด",
        "ผลรวม",
        "ยอดรวม",
        "รวมทั้งสิ้น",
        "jumlah",
        "jumlah total",
        "total keseluruhan",
        "total akhir",
        "jumlah keseluruhan",
        "jumlah besar",
        "total geral",
        "total general",
        "soma",
        "suma",
        "suma total",
        "gran total",
    }
)
"""What a totals row is labelled with, in the column that otherwise holds its id or date."""

_MONTHS = (
    "jan january januari janeiro enero ene",
    "feb february februari fevereiro fev febrero februari",
    "mar march maret março marzo mac mart",
    "apr april abril abr april",
    "may mei maio mai mayo",
    "jun june juni junho junio jun",
    "jul july juli julho julio julai",
    "aug august agustus agu agosto ago ogos ogo",
    "sep sept september setembro set septiembre",
    "oct october oktober okt outubro out octubre",
    "nov november novembro noviembre",
    "dec december desember des dezembro dez diciembre dic disember dis",
)
_THAI_MONTHS = (
    "ม.ค. มกราคม",
    "ก.พ. กุมภาพันธ์",
    "มี.ค. มีนาคม",
    "เม.ย. เมษายน",
    "พ.ค. พฤษภาคม",
    "มิ.ย. มิถุนายน",
    "ก.ค. กรกฎาคม",
    "ส.ค. สิงหาคม",
    "ก.ย. กันยายน",
    "ต.ค. ตุลาคม",
    "พ.ย. พฤศจิกายน",
    "ธ.ค. ธันวาคม",
)
MONTHS = {
    **{word: number for number, words in enumerate(_MONTHS, 1) for word in words.split()},
    **{word: number for number, words in enumerate(_THAI_MONTHS, 1) for word in words.split()},
    **{f"tháng {number}": number for number in range(1, 13)},
    **{f"thg {number}": number for number in range(1, 13)},
    **{f"{number}月": number for number in range(1, 13)},
    **dict(
        zip(
            ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"],
            range(1, 13),
            strict=True,
        )
    ),
}
"""Month names and their short forms → 1…12."""
