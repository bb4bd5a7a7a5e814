"""Header set G: customer service reports, of a shop or of its agents."""

from __future__ import annotations

import random

from datasync.samples import wording
from datasync.samples.analytics import days
from datasync.samples.content import Row, SheetContent
from datasync.samples.truth import Period, Shop

_AGENTS = (("7301", "客服小美"), ("7302", "客服阿强"), ("7315", "Nurul (夜班)"), ("7320", "Hương"))
TIKTOK_AGENT_HEADER = (
    "日期",
    "客服ID",
    "客服昵称",
    "被分配会话数",
    "未响应会话数",
    "超时响应会话数",
    "12 小时人工客服响应率",
    "平均响应时长",
    "好评",
    "差评",
    "满意度",
)
AI_ASSISTANT_HEADER = ("日期", "服务的访客", "平均服务的访客人数", "已回答的问题", "回答问题率", "转交给卖家的问题")


def agent_header(currency: str) -> tuple[str, ...]:
    """Shopee's chat report."""
    return (
        "日期期间",
        "访客数",
        "聊天询问",
        "访客询问",
        "询问率",
        "已回复的聊天",
        "未回复的聊天",
        "首次回应速度",
        "平均回应速度",
        "转化率（询问至回复）",
        "转化率（回复至下单）",
        "买家数",
        "订单",
        "件数",
        f"销售 ({currency})",
        "用户满意度%",
    )


def shopee_agent(source: random.Random, *, shop: Shop, period: Period, dashes: bool = False) -> SheetContent:
    """One row for the whole period, named ``18/09/2025 - 24/09/2025`` or ``14-04-2026-18-04-2026``."""
    content = SheetContent(list(agent_header(shop.currency)))
    first, last = period
    label = f"{first:%d-%m-%Y}-{last:%d-%m-%Y}" if dashes else f"{first:%d/%m/%Y} - {last:%d/%m/%Y}"
    visitors = source.randrange(2_000, 9_000)
    chats = visitors // 30
    row: Row = [
        label,
        visitors,
        chats,
        chats - 4,
        wording.percent(chats / visitors),
        chats - 3,
        3,
        "00:01:25",
        "00:02:41",
        wording.percent(0.97),
        wording.percent(0.21),
        chats // 5,
        chats // 5 + 1,
        chats // 4,
        f"{chats * 11.35:,.2f}",
        wording.percent(0.93),
    ]
    content.add_good(row, (shop.shop_id, str(first)))
    return content


def shopee_ai_assistant(source: random.Random, *, shop: Shop, period: Period) -> SheetContent:
    """One row a day."""
    content = SheetContent(list(AI_ASSISTANT_HEADER))
    for day in days(period):
        served = source.randrange(20, 90)
        row: Row = [f"{day:%d/%m/%Y}", served, round(served / 24, 2), served + 11, wording.percent(0.86), served // 7]
        content.add_good(row, (shop.shop_id, str(day)))
    return content


def tiktok_agent(source: random.Random, *, shop: Shop, period: Period) -> SheetContent:
    """One row a day and agent, header row 2."""
    title: Row = [f"客服绩效 {period.first:%Y-%m-%d} ~ {period.last:%Y-%m-%d}"]
    content = SheetContent(list(TIKTOK_AGENT_HEADER), above=[title, []])
    for day in days(period):
        for agent_id, nickname in _AGENTS:
            sessions = source.randrange(0, 40)
            figures: Row = [sessions, sessions // 20, sessions // 10]
            figures += [wording.percent(0.95) if sessions else "-", "00:03:12" if sessions else "-"]
            figures += [sessions // 4, sessions // 30, wording.percent(0.9) if sessions > 4 else "暂无数据"]
            content.add_good([day.isoformat(), agent_id, nickname, *figures], (shop.shop_id, agent_id, str(day)))
    return content
