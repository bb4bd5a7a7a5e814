"""Header sets A, B and H: what Miaoshou writes, column by column (`⏎` in the design notes is a newline here)."""

from __future__ import annotations


def pairs(names: str) -> tuple[str, ...]:
    """Each name first in RMB, then in the shop's currency."""
    return tuple(header for name in names.split() for header in (f"{name}(RMB)", name))


_GOODS = (
    "订单编号",
    "订单状态",
    "售后状态",
    "产品ID",
    "平台SKU",
    "SKU ID",
    "平台产品标题",
    "规格",
    "商品名称",
    "商品SKU",
    "商品类型",
    "出库仓库",
    "出库数量",
    "采购单号",
    "采购平台",
    "采购时间",
    "采购账号",
    "销售数量",
    "店铺",
    "下单时间",
    "付款时间",
    "发货时间",
    "利润(RMB)",
    "利润",
    "成本利润率",
    "销售利润率",
    *pairs("预估回款金额 已结算金额"),
    "结算时间",
)
_COMMON_COSTS = "采购成本 广告成本 包材费 仓库操作费 运营成本 其他成本 预扣税 跨境税 增值税(VAT) 退款金额 包裹损失赔偿"

MIAOSHOU_SHOPEE = (
    *_GOODS,
    *pairs("买家支付 订单原始金额 产品原价"),
    "站点",
    "包裹号",
    *pairs(
        "产品折后价格 平台佣金 交易手续费 服务费 信用卡付款手续费 卖家产品折扣 Shopee产品折扣 卖家voucher Shopee币抵扣 "
        "买家支付运费 卖家支付运费 实际运费 虾皮运费补贴 3pl运费折扣 买家运费原价 运费回扣 退货运费"
    ),
    *pairs(_COMMON_COSTS),
)

MIAOSHOU_TIKTOK = (
    *_GOODS,
    *pairs("总收入 总费用 买家实付金额 订单原始金额 产品原价"),
    "站点",
    "包裹号",
    *pairs("产品折后价格"),
    "TikTok Shop平台佣金(RMB)",
    "TikTok Shop平台佣金",
    *pairs("联盟佣金 达人佣金 联盟商店广告佣金 GMV广告费用 交易手续费 服务费 信用卡付款手续费 商家产品折扣"),
    "TikTok Shop平台折扣(RMB)",
    "TikTok Shop平台折扣",
    *pairs("客户实付运费 商家运费 SFP服务费 FBT仓储服务费"),
    "Voucher xtra 计划服务费(RMB)",
    "Voucher xtra 计划服务费",
    *pairs(
        "实际运费 3pl运费折扣 买家运费原价 运费回扣 退货运费 退款管理费 马来西亚税费SST VAT GST 新加坡商品增值税（gst）"
    ),
    *pairs("关税 进口增值税 总调整金额 平台惩罚 平台补偿"),
    *pairs(_COMMON_COSTS),
)

LINE_MONEY = frozenset(pairs("产品原价 产品折后价格 采购成本"))
"""Money of an order line; all other money belongs to the order and stands on its first line only."""

MIAOSHOU_STOCK = (
    "商品图片",
    "*商品SKU",
    "*商品名称",
    "*规格",
    "商品分组",
    "仓库",
    "仓位1",
    "*单价\n（元）",
    "*总价\n（元）",
    "库存总量",
    "可用库存",
    "预占库存",
    "在途库存",
    "安全库存",
    "计划库存",
    "近7天销量数据",
    "近30天销量数据",
    "近60天销量数据",
    "近90天销量数据",
    "创建时间",
    "更新时间",
)
