"""Suggesting canned replies while an agent types, over English and Chinese replies, all in the agent's scope.

    python -m benchmarks.suggest [--replies 20000] [--keep]

Each word is typed letter by letter, as agents do. Measured are the statements of a call together, and the call at the API
with all that stands before it; then the table grows tenfold, all of it in the agent's scope again, and is measured anew.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from benchmarks import figure_ground as ground  # sets Django up: first

# isort: split

from django.contrib.postgres.indexes import GinIndex
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from approvals.models import CannedReply, ReplyHeat, ReplySearch
from approvals.plain import heat, sounds
from approvals.plain.ranking import Match, Query
from approvals.services import replies, suggesting
from teams import acting
from teams.models import Agent, Team, User

DATABASE_MS, API_MS, GROWTH = 30, 50, 1.5
TIMES, BATCH = 3, 2000
PATH = "/api/v1/canned-replies/suggest/"
AS_SERVED = {"ALLOWED_HOSTS": ["*"], "SECURE_SSL_REDIRECT": False, "SECOND_FACTOR": False}
ENGLISH = """
order refund parcel delivery address payment invoice account password reset return exchange warranty repair voucher discount
size colour stock availability shipping courier customs delay missing damaged broken replacement receipt subscription cancel
upgrade membership points reward gift card balance charge currency bank transfer confirmation email phone number service hours
holiday weekend store pickup locker tracking label box manual battery charger cable screen software update error restart cache
browser application login code verification security
"""
SMALL = "the a to of for with your our we you is are has been will can please thank after before within today"
CHINESE = """
退款 换货 快递 物流 订单 发票 地址 支付 账户 密码 重置 保修 维修 优惠 折扣 尺码 颜色 库存 现货 发货 延误 丢失 破损 补发 收据
订阅 取消 升级 会员 积分 礼品卡 余额 扣款 货币 银行 转账 确认 邮箱 电话 服务 时间 节假日 门店 自提 快递柜 查询 标签 包装 说明书
电池 充电器 数据线 屏幕 软件 更新 错误 重启 缓存 浏览器 应用 登录 验证码 安全
"""
LINKS = "的 了 请 您 我们 已经 可以 需要 如果 在 是 会 为 您好 谢谢 工作日 之内 之后 马上"
TYPED = (
    "refund", "order late", "parcel", "the", "pass", "warranty repair", "voucher", "verification code", "invioce",
    "delivrey", "code 12", "r00012", "ship", "退款", "退款 时间", "快递查询", "发票", "您好", "验证码", "密码重置", "的",
    "tkgz", "kuaidi", "mimachongzhi", "fapiao", "zebra", "zzzz", "",
)  # fmt: skip


def made(number: int, dice: random.Random) -> dict[str, Any]:
    """The texts of a reply: two thirds English, one third Chinese."""
    if number % 3 == 2:
        words, links = CHINESE.split(), LINKS.split()
        body = "".join(dice.choice(links) + dice.choice(words) for _ in range(30)) + f"，编号{number}。"
        title = "".join(dice.sample(words, 3))
        return {"title": title, "body": body, "language": "zh-hans", "tags": dice.sample(words, 2)}
    words, links = ENGLISH.split(), SMALL.split()
    body = " ".join(f"{dice.choice(links)} {dice.choice(words)}" for _ in range(35)) + f" number {number}."
    title = " ".join(dice.sample(words, 3)).capitalize()
    return {"title": title, "body": body, "language": "en", "tags": dice.sample(words, 2)}


@contextmanager
def without_indexes() -> Iterator[None]:
    """The indexes of pieces are made when all rows are in: a tenth of the time."""
    indexes = [each for each in ReplySearch._meta.indexes if isinstance(each, GinIndex)]
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(ReplySearch, index)
    yield
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(ReplySearch, index)


@without_indexes()
def grow(first: int, last: int, places: tuple[Team | None, ...]) -> None:
    """Live replies with numbers from `first` up to `last`, everybody's and of the teams; every fiftieth was used."""
    now = timezone.now()
    for begins in range(first, last, BATCH):
        rows = []
        for number in range(begins, min(begins + BATCH, last)):
            dice = random.Random(number)
            team = places[number % len(places)]
            row = CannedReply(
                scope="team" if team else "all", team=team, version=1, short_code=f"r{number:06d}", **made(number, dice),
                updated_at=now - timedelta(minutes=number),
            )  # fmt: skip
            row.title_sounds = sounds.keys(row.title)
            rows.append(row)
        CannedReply.objects.bulk_create(rows)
        ReplySearch.objects.bulk_create([_keys(row, number) for number, row in enumerate(rows, begins)])


def _keys(row: CannedReply, number: int) -> ReplySearch:
    keys = ReplySearch(reply_id=row.pk, **replies.search_keys(row))
    if number % 50 == 0:
        keys.uses, keys.level = 1, heat.half_lives(timezone.now(), 14) - number % 97 / 10
    return keys


def warm(agent: Agent) -> None:
    """One hundred replies are the agent's habit, three hundred the team's."""
    rows = list(ReplySearch.objects.filter(uses=1).order_by("pk").values_list("pk", "level")[:300])
    own = [ReplyHeat(reply_id=pk, team=agent.team, agent=agent, level=level, uses=1) for pk, level in rows[:100]]
    team = [ReplyHeat(reply_id=pk, team=agent.team, level=level, uses=1) for pk, level in rows]
    ReplyHeat.objects.bulk_create(own + team, ignore_conflicts=True)


def typing() -> Iterator[str]:
    for text in TYPED:
        yield from (text[:end] for end in range(1, len(text) + 1)) if text else ("",)


class Statements:
    """Adds up the time of all statements."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, execute: Any, *given: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*given)
        finally:
            self.seconds += time.perf_counter() - began


def in_database(by: User) -> dict[str, float]:
    """Milliseconds of all statements of a call, the best of `TIMES` for each text."""
    best: dict[str, float] = {}
    for _time in range(TIMES):
        for text in typing():
            with acting.acting_for(by), connection.execute_wrapper(statements := Statements()):
                suggesting.suggest(text, by=by)
            best[text] = min(best.get(text, 1e9), statements.seconds * 1000)
    return best


def at_the_api(by: User) -> dict[str, float]:
    client = Client()
    client.force_login(by)
    best: dict[str, float] = {}
    for _time in range(TIMES):
        for text in typing():
            began = time.perf_counter()
            answer = client.get(PATH, {"q": text})
            best[text] = min(best.get(text, 1e9), (time.perf_counter() - began) * 1000)
            assert answer.status_code == 200
    return best


def p95(figures: dict[str, float]) -> float:
    return statistics.quantiles(figures.values(), n=20)[18]


def plan(by: User) -> str:
    search = suggesting._Search(by, "", "", 10, timezone.now())
    condition = suggesting._asked(Query.of("voucher repair"), Match.TITLE, by_sound=False)
    rows = (
        search.usable.filter(condition).order_by("-level", "-updated_at", "-reply_id").values("pk")[: suggesting.MOST]
    )
    return str(rows.explain(analyze=True, timing=False))


def told(what: str, figure: float, limit: float, unit: str) -> bool:
    is_met = figure <= limit
    print(f"{what}: {figure:.2f}{unit} (limit {limit}{unit}) {'PASS' if is_met else 'NOT MET'}", flush=True)
    return is_met


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--replies", type=int, default=20_000)
    arguments.add_argument("--keep", action="store_true", help="keep the scratch database for the next run")
    wish = arguments.parse_args()
    with ground.scratch_database("bench_replies", keep=wish.keep) as is_new, override_settings(**AS_SERVED):
        if is_new:
            hub = Team.objects.create(code="hub", name="Hub", zone="UTC")
            team = Team.objects.create(code="team", name="Team", zone="UTC", parent=hub)
            user = User.objects.create(username="typist")
            Agent.objects.create(number="1", name="Typist", user=user, team=team, zone="UTC")
        by, places = User.objects.get(username="typist"), (None, *Team.objects.order_by("pk"))
        agent = Agent.objects.get(number="1")
        met = []
        figures = []
        for size in (wish.replies, wish.replies * 10):
            if ReplySearch.objects.count() < size:
                grow(ReplySearch.objects.count(), size, places)
                warm(agent)
            elif ReplySearch.objects.count() > size:
                continue
            ground.tidy()
            database, api = in_database(by), at_the_api(by)
            figures.append((p95(database), p95(api)))
            slowest = sorted(database, key=database.__getitem__)[-5:]
            print(f"{size} replies in scope, {len(database)} texts typed; slowest: "
                  + ", ".join(f"“{text}” {database[text]:.1f} ms" for text in reversed(slowest)))  # fmt: skip
            print(plan(by), flush=True)
            if len(figures) == 1:
                met.append(told(f"{size} replies, p95 in the database", figures[0][0], DATABASE_MS, " ms"))
                met.append(told(f"{size} replies, p95 at the API", figures[0][1], API_MS, " ms"))
        if len(figures) == 2:
            for what, before, after in zip(("in the database", "at the API"), *figures, strict=True):
                met.append(
                    told(
                        f"ten times the replies, {what}: {after:.1f} ms / {before:.1f} ms", after / before, GROWTH, "x"
                    )
                )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
