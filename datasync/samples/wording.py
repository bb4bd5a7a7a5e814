"""Words that make rows look real: goods, people, statuses, and numbers as exports spell them."""

from __future__ import annotations

import random

GOODS = (
    ("USB充电小夜灯 卧室床头灯", "USB Rechargeable Night Light", 12.9),
    ("不锈钢保温杯 500ml 便携", "Stainless Steel Vacuum Flask 500ml", 18.5),
    ("硅胶折叠水杯【旅行必备】", "Foldable Silicone Cup (Travel)", 6.4),
    ("无线蓝牙耳机 降噪 Pro", "Wireless Earbuds Noise Cancelling Pro", 39.9),
    ("宠物自动饮水机, 2L 静音", "Pet Water Fountain, 2L Silent", 27.0),
    ('10" 自拍补光灯 直播支架', '10" Ring Light with Stand', 22.8),
    ("儿童益智积木 108片", "Kids Building Blocks 108 pcs", 15.0),
    ("瑜伽垫 加厚防滑 10mm", "Yoga Mat Non-slip 10mm", 19.9),
    ("手机壳 iPhone 15 透明", "Phone Case iPhone 15 Clear", 4.5),
    ("迷你手持风扇 三档风速", "Mini Handheld Fan 3 Speeds", 8.8),
    ("厨房收纳架 免打孔", "Kitchen Rack, No Drilling", 13.2),
    ("防晒冰袖 男女通用 一对", "UV Arm Sleeves (1 pair)", 3.9),
    ("LED灯带 5米 RGB 遥控", "LED Strip 5m RGB Remote", 9.9),
    ("电动牙刷头 替换装 4支", "Toothbrush Heads 4-pack", 7.5),
)
LOCAL_NAMES = {
    "VN": ("Bình giữ nhiệt inox 500ml", "Đèn ngủ sạc USB", "Quạt mini cầm tay", "Tai nghe không dây"),
    "BR": ("Garrafa térmica inox 500ml", "Luminária noturna USB", "Ventilador portátil", "Fone sem fio"),
    "MX": ("Termo de acero 500ml", "Lámpara de noche USB", "Ventilador portátil", "Audífonos inalámbricos"),
    "CO": ("Termo de acero 500ml", "Lámpara de noche USB", "Ventilador portátil", "Audífonos inalámbricos"),
    "TH": ("กระบอกน้ำสแตนเลส 500ml", "ไฟกลางคืน USB", "พัดลมพกพา", "หูฟังไร้สาย"),
}
VARIATIONS = ("白色", "黑色;L", "粉色 / M", "Blue,XL", "红色 S", "默认", "Green", "套装A+B", "透明 (新款)")
BUYERS = (
    "siti_nurhaliza88",
    "李小明",
    "Juan dela Cruz",
    "Nguyễn Thị Hương",
    "ana.souza",
    "José Hernández",
    "tan_wei_ling",
    "สมชาย ใจดี",
    "O'Brien, Mary",
    "muhd.faiz",
    "王芳 🌸",
    "dewi_lestari",
)
ORDER_STATUSES = ("已完成", "待发货", "已发货", "运输中", "已取消", "待付款")
AFTER_SALE = ("", "", "", "", "退款中", "已退款")
EMPTY = ("-", "--", "暂无数据", "—", "N/A", "")
_DIGITS_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def base36(number: int, width: int) -> str:
    """``number`` in base 36, padded to ``width``."""
    text = ""
    while number or len(text) < width:
        number, rest = divmod(number, 36)
        text = _DIGITS_36[rest] + text
    return text


def product_name(source: random.Random, region: str) -> str:
    """A product title in Chinese, English or the region's language."""
    chinese, english, _ = source.choice(GOODS)
    local = LOCAL_NAMES.get(region)
    pick = source.random()
    if local and pick < 0.5:
        return source.choice(local)
    return chinese if pick < 0.75 else english


def sku(number: int) -> str:
    """A SKU code: every fifth has leading zeros, as a spreadsheet likes to eat them."""
    return f"{number:06d}" if number % 5 == 0 else f"LM-{base36(number, 3)}-{VARIATIONS[number % len(VARIATIONS)][:2]}"


def full_width(text: str) -> str:
    """Digits as a Chinese input method may leave them."""
    return "".join(chr(ord(char) + 0xFEE0) if char.isdigit() else char for char in text)


def commas(number: float, *, decimals: int) -> str:
    """`1,203.60`: commas for thousands and a decimal dot."""
    return f"{number:,.{decimals}f}"


def dotted(number: float, *, decimals: int) -> str:
    """`1.203,60`: dots for thousands and a decimal comma."""
    return f"{number:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def percent(share: float) -> str:
    """`5.48%`."""
    return f"{share * 100:.2f}%"
