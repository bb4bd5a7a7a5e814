"""Suggestions for headers that no template knows, in every language of the exports."""

from __future__ import annotations

import unicodedata

import pytest

from datasync.fields import FIELDS, Domain, Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.formats import guess_number_format
from datasync.mapping.match import Outcome, match
from datasync.mapping.suggest import SURE, Suggestion, suggest
from datasync.mapping.template import Family, check_template
from datasync.mapping.template_file import dump_template, parse_templates

ORDERS = {
    "en": (
        "Order ID|Order Status|Return / Refund Status|Tracking Number*|Estimated Ship Out Date|"
        "Ship Time|Order Creation Date|Order Paid Time|Product Name|SKU Reference No.|"
        "Variation Name|Original Price|Deal Price|Quantity|Returned quantity|"
        "Buyer Paid Shipping Fee|Total Amount|Phone Number"
    ),
    "vi": (
        "Mã đơn hàng|Trạng Thái Đơn Hàng|Trạng thái Trả hàng/Hoàn tiền|Mã vận đơn|"
        "Ngày giao hàng dự kiến|Ngày gửi hàng|Ngày đặt hàng|Thời gian đơn hàng được thanh toán|"
        "Tên sản phẩm|SKU phân loại hàng|Tên phân loại hàng|Giá gốc|Giá ưu đãi|Số lượng|"
        "Số sản phẩm được hoàn trả|Phí vận chuyển mà người mua trả|Tổng giá trị đơn hàng (VND)|"
        "Số điện thoại"
    ),
    "th": (
        "หมายเลขคำสั่งซื้อ|สถานะการสั่งซื้อ|สถานะการคืนเงินหรือคืนสินค้า|*หมายเลขติดตามพัสดุ|"
        "วันที่คาดว่าจะทำการจัดส่งสินค้า|เวลาส่งสินค้า|วันที่ทำการสั่งซื้อ|เวลาการชำระสินค้า|"
        "ชื่อสินค้า|เลขอ้างอิง SKU (SKU Reference No.)|ชื่อตัวเลือก|ราคาตั้งต้น|ราคาขาย|จำนวน|"
        "จำนวนที่ส่งคืน|ค่าจัดส่งที่ชำระโดยผู้ซื้อ|จำนวนเงินทั้งหมด|หมายเลขโทรศัพท์"
    ),
    "id": (
        "No. Pesanan|Status Pesanan|Status Pembatalan/ Pengembalian|No. Resi|"
        "Pesanan Harus Dikirimkan Sebelum (Menghindari keterlambatan)|Waktu Pengiriman Diatur|"
        "Waktu Pesanan Dibuat|Waktu Pembayaran Dilakukan|Nama Produk|Nomor Referensi SKU|"
        "Nama Variasi|Harga Awal|Harga Setelah Diskon|Jumlah|Returned quantity|"
        "Ongkos Kirim Dibayar oleh Pembeli|Total Pembayaran|No. Telepon"
    ),
    "ms": (
        "No. Pesanan|Status Pesanan|Status Pemulangan / Bayaran Balik|Nombor Penjejakan|"
        "Anggaran Yuran Penghantaran|Masa Penghantaran|Masa Pesanan Dibuat|Masa Pembayaran Dibuat|"
        "Nama Produk|No. Rujukan SKU|Nama Variasi|Harga Asal|Harga Tawaran|Kuantiti|"
        "Kuantiti Dipulangkan|Yuran Penghantaran Dibayar oleh Pembeli|Jumlah Besar|No. Telefon"
    ),
    "pt": (
        "ID do pedido|Status do pedido|Status da Devolução / Reembolso|Número de rastreamento|"
        "Data prevista de envio|Tempo de Envio|Data de criação do pedido|"
        "Hora do pagamento do pedido|Nome do Produto|Número de referência SKU|Nome da variação|"
        "Preço original|Preço acordado|Quantidade|Quantidade devolvida|"
        "Taxa de envio pagas pelo comprador|Total global|Telefone"
    ),
    "es": (
        "ID del pedido|Estado del pedido|Estado de devolución / reembolso|Número de rastreo*|"
        "Fecha estimada de envío|Hora de envío|Fecha de creación del pedido|"
        "Hora de pago del pedido|Nombre del producto|Número de referencia SKU|Nombre de variación|"
        "Precio original|Precio de oferta|Cantidad|Cantidad devuelta|"
        "Costo de envío pagado por el comprador|Monto total|Teléfono"
    ),
    "zh-hans": (
        "订单号|订单状态|退货/退款状态|运单号|预计发货时间|发货时间|订单创建时间|付款时间|商品名称|"
        "SKU参考编号|规格名称|原价|折后价|数量|退货数量|买家支付运费|订单总金额|电话"
    ),
    "zh-hant": (
        "訂單編號|訂單狀態|退貨 / 退款狀態|包裹查詢號碼|預計出貨日|實際出貨時間|訂單成立日期|"
        "買家付款時間|商品名稱|商品選項貨號|商品選項名稱|商品原價|商品活動價格|數量|退貨數量|"
        "買家支付運費|訂單總金額|電話"
    ),
}
ORDER_FIELDS = [
    "order_id",
    "order_status",
    "after_sale_status",
    "tracking_number",
    "-",
    "shipped_at",
    "ordered_at",
    "paid_at",
    "product_name",
    "sku",
    "variation",
    "original_price",
    "unit_price",
    "quantity",
    "-",
    "buyer_shipping_fee",
    "order_amount",
    "-",
]

PRODUCTS = {
    "en": ("Item ID|Product|Product Page Views|Product Visitors|Bounce Rate|Units (Paid Order)|Conversion Rate"),
    "vi": (
        "Mã sản phẩm|Sản phẩm|Lượt xem trang sản phẩm|Lượt truy cập sản phẩm|Tỷ lệ thoát trang|"
        "Sản phẩm (Đơn đã xác nhận)|Tỷ lệ chuyển đổi"
    ),
    "th": "รหัสสินค้า|สินค้า|การเข้าชมหน้าสินค้า|ผู้เข้าชมสินค้า|อัตราตีกลับ|-|อัตราการซื้อ",
    "id": (
        "Kode Produk|Produk|Halaman Produk Dilihat|Pengunjung Produk (Kunjungan)|"
        "Tingkat Pengunjung Melihat Tanpa Membeli|Produk (Pesanan Siap Dikirim)|Tingkat Konversi"
    ),
    "ms": ("Kod Produk|Produk|Paparan Halaman Produk|Pelawat Produk|Kadar Lantunan Produk|-|Kadar Penukaran"),
    "pt": (
        "ID do Item|Produto|Visualizações da Página|Visitantes do Produto (Visita)|"
        "Taxa de rejeição|Unidades (Pedido pago)|Taxa de conversão"
    ),
    "es": (
        "ID del producto|Producto|Vistas de página|Visitantes del producto|Tasa de rebote|"
        "Unidades (Pedido pagado)|Tasa de conversión"
    ),
    "zh-hans": "商品编号|商品|商品页面访问量|商品访客数量|商品跳出率|件数（已付款订单）|转化率",
    "zh-hant": "商品編號|商品名稱|商品頁面瀏覽數|商品訪客數|商品跳出率|件數（已付款訂單）|轉換率",
}
PRODUCT_FIELDS = [
    "product_id",
    "product_name",
    "page_views",
    "visitors",
    "bounce_rate",
    "units_paid",
    "conversion_rate",
]

INVENTORY = {
    "en": ("Seller SKU|Product Name|Warehouse|Total Stock|Available Stock|Reserved Stock|Sales Last 30 Days"),
    "vi": "Mã SKU|Tên sản phẩm|Kho hàng|Tổng tồn kho|Tồn kho khả dụng|Tồn kho đã đặt|Doanh số 30 ngày",
    "th": "รหัส SKU|ชื่อสินค้า|คลังสินค้า|สต็อกทั้งหมด|สต็อกพร้อมขาย|สต็อกที่จอง|ยอดขาย 30 วัน",
    "id": "Kode SKU|Nama Produk|Gudang|Total Stok|Stok Tersedia|Stok Dipesan|Penjualan 30 Hari",
    "ms": ("Kod SKU|Nama Produk|Gudang|Jumlah Stok Keseluruhan|Stok Sedia Ada|Stok Dikhaskan|Jualan 30 Hari"),
    "pt": ("Código SKU|Nome do produto|Depósito|Estoque total|Estoque disponível|Estoque reservado|Vendas 30 dias"),
    "es": ("Código SKU|Nombre del producto|Almacén|Stock total|Stock disponible|Stock reservado|Ventas 30 días"),
    "zh-hans": "*商品SKU|*商品名称|仓库|库存总量|可用库存|预占库存|近30天销量数据",
    "zh-hant": "商品貨號|商品名稱|倉庫|庫存總量|可用庫存|預留庫存|近30天銷量",
}
INVENTORY_FIELDS = [
    "sku",
    "product_name",
    "warehouse",
    "stock_total",
    "stock_available",
    "stock_reserved",
    "sales_30_days",
]

CASES = [
    *((Domain.ORDERS, language, header, ORDER_FIELDS) for language, header in ORDERS.items()),
    *((Domain.PRODUCTS, language, header, PRODUCT_FIELDS) for language, header in PRODUCTS.items()),
    *((Domain.INVENTORY, language, header, INVENTORY_FIELDS) for language, header in INVENTORY.items()),
]
SHOPIFY = (
    "Name|Email|Financial Status|Paid at|Fulfillment Status|Currency|Subtotal|Shipping|Taxes|Total|Created at|"
    "Lineitem quantity|Lineitem name|Lineitem price|Lineitem sku"
)
AMAZON = (
    "settlement-id|transaction-type|order-id|sku|amount-type|amount-description|amount|posted-date|quantity-purchased"
)

SETTLEMENT = (
    "settlement-id|settlement-start-date|settlement-end-date|deposit-date|total-amount|currency|transaction-type|order-id|"
    "merchant-order-id|amount-type|amount-description|amount|posted-date|posted-date-time|sku|quantity-purchased"
)


def fields(suggestion: Suggestion) -> dict[str, str]:
    return {column.header: column.field for column in suggestion.columns if column.field}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("domain", "language", "header", "expected"), CASES)
def test_each_language_is_understood(
    domain: Domain, language: str, header: str, expected: list[str], form: str
) -> None:
    texts = unicodedata.normalize(form, header).split("|")  # type: ignore[arg-type]
    found = suggest(texts)
    assert found.domain is domain
    assert found.sure
    got = [column.field or "-" for column in found.columns]
    assert got == [field if text != "-" else "-" for text, field in zip(texts, expected, strict=True)], language


@pytest.mark.parametrize("header", [SHOPIFY, SHOPIFY.lower(), SHOPIFY.replace(" ", "_")])
def test_shopify_orders(header: str) -> None:
    found = suggest(header.split("|"))
    assert (found.domain, found.sure, found.identity, found.ordinal) == (Domain.ORDERS, True, ("order_id", "sku"), True)
    assert found.fields["order_id"].position == 0
    assert found.fields["order_status"].header.lower().startswith("financial")
    assert found.fields["order_amount"].header.lower() == "total"


def test_name_is_an_order_only_where_shopify_speaks() -> None:
    plain = suggest(["Name", "Order Date", "SKU"], domain=Domain.ORDERS)
    assert "order_id" not in plain.fields
    assert not plain.sure
    assert suggest(["Name", "Created at", "SKU"], domain=Domain.ORDERS, platform="shopify").sure


@pytest.mark.parametrize(
    "header",
    [
        AMAZON,
        AMAZON.replace("-", " ").title(),
        AMAZON.replace("-", "_"),
        SETTLEMENT,
    ],
)
def test_amazon_settlements(header: str) -> None:
    found = suggest(header.split("|"))
    assert (found.domain, found.sure, found.ordinal) == (Domain.FINANCE, True, True)
    assert found.identity == (
        "settlement_id",
        "order_id",
        "entry_type",
        "amount_type",
        "amount_description",
        "sku",
    )
    assert alias_free(found.fields["amount"].header) == "amount"
    assert alias_free(found.fields["posted_at"].header) == "posteddate"


def alias_free(header: str) -> str:
    return "".join(char for char in header.lower() if char.isalnum())


@pytest.mark.parametrize(
    ("domain", "header", "granularity"),
    [
        (Domain.ORDERS, SHOPIFY, "monthly"),
        (Domain.ORDERS, ORDERS["vi"], "monthly"),
        (Domain.ORDERS, ORDERS["th"], "monthly"),
        (Domain.FINANCE, AMAZON, "monthly"),
        (Domain.PRODUCTS, PRODUCTS["pt"], "weekly"),
        (Domain.INVENTORY, INVENTORY["id"], "snapshot"),
        (Domain.ANALYTICS, "Date|Page Views|Visitors|Conversion Rate", "daily"),
        (Domain.ANALYTICS, "Hour|Page Views|Visitors|Conversion Rate", "hourly"),
    ],
)
def test_a_sure_suggestion_can_be_published_unchanged(domain: Domain, header: str, granularity: str) -> None:
    found = suggest(header.split("|"))
    assert found.domain is domain
    template = found.to_template(Family("shopee", "shopee", domain, granularity), header_row=2)
    check_template(template)
    assert match(header.split("|"), [template]).outcome is Outcome.EXACT
    assert parse_templates(dump_template(template)) == (template,)


def test_no_field_is_proposed_twice_and_the_better_name_has_it() -> None:
    found = suggest(["Total", "Order ID", "Grand Total", "SKU", "Seller SKU", "Order Date"], domain=Domain.ORDERS)
    assert found.fields["order_amount"].header == "Grand Total"
    assert found.fields["sku"].header == "Seller SKU"
    assert len(fields(found).values()) == len(set(fields(found).values()))
    assert found.columns[0].reason == "order_amount is 'Grand Total'"


def test_profit_in_rmb_has_a_field_of_its_own() -> None:
    found = suggest(["订单号", "商品SKU", "下单时间", "利润(RMB)", "利润"])
    assert fields(found)["利润(RMB)"] == "profit_cny"
    assert fields(found)["利润"] == "profit"


def test_values_that_say_otherwise_take_the_field_away() -> None:
    rows = [[f"A{number}", "soon", "X1"] for number in range(6)]
    found = suggest(["Order ID", "Order Date", "Seller SKU"], rows, domain=Domain.ORDERS)
    assert "ordered_at" not in found.fields
    assert not found.sure
    assert found.columns[1].confidence < SURE
    assert "values are no datetime" in found.columns[1].reason


def test_what_is_not_known_stays_unmapped_with_its_reason() -> None:
    rows = [["2026-03-01 10:00"]] * 4
    found = suggest(["Zeitpunkt"], rows, domain=Domain.ORDERS)
    assert (found.columns[0].field, found.columns[0].kind) == (None, Kind.TEXT)
    assert found.columns[0].reason == "no match; values look like dates"


@pytest.mark.parametrize("header", [["Foo", "Bar", "Order Status"], ["", ""], []])
def test_a_header_that_says_little_is_not_sure(header: list[str]) -> None:
    assert not suggest(header).sure


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-03-06 13:16", "2026-03-07 00:01"], "%Y-%m-%d %H:%M"),
        (["2026-03-06 13:16", "2026-03-07 00:01:59"], "%Y-%m-%d %H:%M|%Y-%m-%d %H:%M:%S"),
        (["23/09/2025 00:00", "01/10/2025 08:00"], "%d/%m/%Y %H:%M"),
        (["09/23/2025 00:00:00"], "%m/%d/%Y %H:%M:%S"),
        (["31/07/2026 20:29:25\t"], "%d/%m/%Y %H:%M:%S"),
        (["2026-03-06 13:16:50 -0500"], "%Y-%m-%d %H:%M:%S %z"),
        (["03/04/2026", "05/06/2026"], "auto"),
        (["03/04/2026", "-", ""], "auto"),
        ([], "auto"),
    ],
)
def test_a_date_format_is_stated_only_when_the_values_leave_no_doubt(values: list[str], expected: str) -> None:
    found = suggest(["Order ID", "Order Date"], [["A", value] for value in values], domain=Domain.ORDERS)
    assert found.fields["ordered_at"].format == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.203,60", "12"], NumberFormat.COMMA),
        (["36.776.556"], NumberFormat.COMMA),
        (["5,48"], NumberFormat.COMMA),
        (["1,203.60"], NumberFormat.DOT),
        (["16.500", "16.50"], NumberFormat.DOT),
        (["16.500"], NumberFormat.DOT),
        ([], NumberFormat.DOT),
    ],
)
def test_the_number_format_is_seen_in_the_values(values: list[str], expected: NumberFormat) -> None:
    found = suggest(["Order ID", "Total Amount"], [["A", value] for value in values], domain=Domain.ORDERS)
    assert found.number_format is expected


@pytest.mark.parametrize(
    ("header", "domain", "identity", "sure"),
    [
        ("Order ID|Order Item ID|SKU Code|Order Date", Domain.ORDERS, ("order_id", "line_id"), True),
        ("Order ID|Order Date|Total", Domain.ORDERS, ("order_id",), True),
        ("Order ID|SKU Code|Total", Domain.ORDERS, ("order_id", "sku"), False),
        ("Product ID|Variation ID|Visitors", Domain.PRODUCTS, ("product_id", "variant_id", "period_start"), True),
        ("Product Name|Visitors", Domain.PRODUCTS, ("product_id", "period_start"), False),
        ("Product ID|Stock", Domain.INVENTORY, ("product_id", "snapshot_date"), True),
        ("客服ID|日期|好评", Domain.SERVICES, ("agent_id", "metric_date"), True),
        ("日期期间|访客数|询问率", Domain.SERVICES, ("period_start",), True),
        ("小时|访客数", Domain.ANALYTICS, ("metric_date", "metric_hour"), True),
        ("Transaction ID|Type|Amount", Domain.FINANCE, ("transaction_id", "entry_type"), True),
    ],
)
def test_the_identity_follows_from_what_is_there(
    header: str, domain: Domain, identity: tuple[str, ...], sure: bool
) -> None:
    found = suggest(header.split("|"), domain=domain)
    assert (found.identity, found.sure) == (identity, sure)


@pytest.mark.parametrize(
    ("values", "currencies", "expected"),
    [
        (["150.000", "16.500"], ["VND"], NumberFormat.COMMA),
        (["150,000"], ["IDR"], NumberFormat.DOT),
        (["Rp 16.500"], [], NumberFormat.COMMA),
        (["150.000 ₫"], [], NumberFormat.COMMA),
        (["150.000"], [], None),
        (["150.000"], ["SGD"], None),
        (["150.000", "1,250"], ["VND"], None),
        (["1,203.60", "150.000"], [], NumberFormat.DOT),
        (["1.203,60", "150.000"], [], NumberFormat.COMMA),
        (["150", "7"], [], NumberFormat.DOT),
    ],
)
def test_the_decimal_mark_is_told_or_left_open(
    values: list[str], currencies: list[str], expected: NumberFormat | None
) -> None:
    assert guess_number_format(values, currencies=currencies) is expected


def test_figures_that_can_be_read_in_two_ways_make_a_suggestion_unsure() -> None:
    header = ["Order ID", "Order Date", "Seller SKU", "Grand Total"]
    rows = [[f"A{at}", "2026-03-01 10:00", "S", "150.000"] for at in range(6)]
    found = suggest(header, rows, domain=Domain.ORDERS)
    assert not found.sure
    assert any(note.startswith("number format") for note in found.notes)
    assert suggest(header, rows, domain=Domain.ORDERS, currency="VND").sure


def test_where_an_orders_totals_stand_is_seen_in_orders_of_several_lines() -> None:
    header = ["Order ID", "Order Date", "Seller SKU", "Grand Total", "Seller Discount"]

    def seen(*lines: str) -> tuple[bool | None, set[str]]:
        found = suggest(header, [line.split(",") for line in lines], domain=Domain.ORDERS)
        return found.totals_on_every_line, set(found.fields)

    every = seen("A,2026-03-01,S1,30.00,2.00", "A,2026-03-01,S2,30.00,1.00", "B,2026-03-01,S1,9.00,1.00")
    assert every[0] is True
    assert "seller_discount" not in every[1]
    first = seen("A,2026-03-01,S1,30.00,2.00", ",,S2,,", "B,2026-03-01,S1,9.00,1.00")
    assert first[0] is False
    assert "seller_discount" in first[1]
    unseen = suggest(header, [["A", "2026-03-01", "S1", "30.00", "1"]], domain=Domain.ORDERS)
    assert unseen.totals_on_every_line is None
    assert "order totals: cannot be seen in the sample" in unseen.notes
    assert unseen.sure


def test_amounts_of_a_line_are_no_orders_amounts() -> None:
    header = (
        "Order ID|Created Time|Seller SKU|SKU Subtotal After Discount|SKU Seller Discount|SKU Platform Discount|Taxes"
    )
    found = suggest(header.split("|"), domain=Domain.ORDERS, platform="tiktok")
    assert {"line_seller_discount", "line_platform_discount", "line_tax"} <= set(found.fields)
    assert not any(FIELDS[Domain.ORDERS][name].order_level for name in found.fields)
