"""The shops of the invented company whose exports are generated."""

from __future__ import annotations

from datasync.samples.truth import Shop

SHOPEE_SG = Shop(
    "shopee", "704158233", "shopee_1店_sg", "shopee_1店", "SG", "SGD", "Asia/Singapore", ("Shopee新加坡1店",)
)
SHOPEE_MY = Shop(
    "shopee", "811290457", "shopee_2店_my", "shopee_2店", "MY", "MYR", "Asia/Kuala_Lumpur", ("Shopee马来西亚2店",)
)
SHOPEE_PH = Shop("shopee", "930551178", "shopee_2店_ph", "shopee_2店", "PH", "PHP", "Asia/Manila", ("Shopee菲律宾2店",))
SHOPEE_BR = Shop(
    "shopee", "1002847719", "shopee_3店_br", "shopee_3店", "BR", "BRL", "America/Sao_Paulo", ("Shopee巴西3店",)
)
SHOPEE_CO = Shop(
    "shopee", "1147730025", "shopee_3店_co", "shopee_3店", "CO", "COP", "America/Bogota", ("Shopee哥伦比亚3店",)
)
SHOPEE_MX = Shop(
    "shopee", "1180092634", "shopee_3店_mx", "shopee_3店", "MX", "MXN", "America/Mexico_City", ("Shopee墨西哥3店",)
)
TIKTOK_MY = Shop(
    "tiktok", "7494821650023", "tiktok_1店_my", "tiktok_1店", "MY", "MYR", "Asia/Kuala_Lumpur", ("TikTok马来西亚1店",)
)
TIKTOK_SG = Shop(
    "tiktok", "7495110387741", "tiktok_2店_sg", "tiktok_2店", "SG", "SGD", "Asia/Singapore", ("TikTok新加坡2店",)
)
TIKTOK_VN = Shop(
    "tiktok", "7495577209318", "tiktok_1店_vn", "tiktok_1店", "VN", "VND", "Asia/Ho_Chi_Minh", ("TikTok越南1店",)
)
MIAOSHOU = Shop(
    "miaoshou", "ms-20418", "miaoshou_主账号", "miaoshou_主账号", "CN", "CNY", "Asia/Shanghai", ("妙手总仓",)
)
SHOPIFY_US = Shop("shopify", "lumen-goods", "lumen-goods", "lumen-goods", "US", "USD", "America/New_York")
AMAZON_US = Shop("amazon", "A2QF7KD9XN4LTE", "amazon_1店_us", "amazon_1店", "US", "USD", "America/Los_Angeles")

ALL_SHOPS = (
    SHOPEE_SG,
    SHOPEE_MY,
    SHOPEE_PH,
    SHOPEE_BR,
    SHOPEE_CO,
    SHOPEE_MX,
    TIKTOK_MY,
    TIKTOK_SG,
    TIKTOK_VN,
    MIAOSHOU,
    SHOPIFY_US,
    AMAZON_US,
)

CNY_PER_UNIT = {
    "SGD": 5.42,
    "MYR": 1.71,
    "PHP": 0.124,
    "BRL": 1.33,
    "COP": 0.0018,
    "MXN": 0.39,
    "VND": 0.00028,
    "USD": 7.12,
    "CNY": 1.0,
}
"""Round exchange rates; only their order of magnitude matters."""
