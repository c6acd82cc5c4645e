"""What contacts are about and what customers write, in the language of the team that serves them."""

import random

from config.demo.cast import DemoTeam

CHINESE = (
    ("订单查询", "物流进度", "修改地址", "优惠券使用", "发票申请", "账号登录"),
    ("退款争议", "商品质量问题", "丢件理赔", "重复扣款"),
)
TECHNICAL = (
    ("Password reset", "Connection lost", "Set-up of a new device", "Update question"),
    ("Device does not start", "Data loss", "Repeated disconnections", "Fault after update"),
)
ENGLISH = (
    ("Order status", "Delivery date", "Change of address", "Invoice copy", "Voucher", "Opening an account"),
    ("Disputed refund", "Damaged goods", "Lost parcel", "Charged twice"),
)
PRAISE = {
    "zh-hans": ("很耐心，解决了问题", "服务很好，谢谢", "回复很快"),
    "en": ("Very helpful", "Quick and friendly", "Solved at once"),
}
BLAME = {
    "zh-hans": ("问题没有解决", "说法前后不一致", "态度冷淡"),
    "en": ("Not solved", "Two different answers", "Felt rushed"),
}
SLOW = {"zh-hans": ("等待时间太长",), "en": ("I waited far too long",)}
LONG_WAIT_SECONDS = 120


def topics_of(team: DemoTeam) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Topics of simple and of complex contacts."""
    if team.code == "kathmandu-tech":
        return TECHNICAL
    return CHINESE if team.locale == "zh-hans" else ENGLISH


def comment_on(team: DemoTeam, stars: int, wait_seconds: int, rng: random.Random) -> str:
    """What a customer writes beside the stars."""
    if stars >= 4:
        return rng.choice(PRAISE[team.locale])
    return rng.choice((SLOW if wait_seconds > LONG_WAIT_SECONDS else BLAME)[team.locale])
