"""Who there is: teams, agents, accounts and grants of the demo organisation. Plain values; days count from today.

An offset of -3 is the local day three days before the day of seeding. Nothing here is a real person's.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from teams.models import Agent
from teams.scoping import Grant

DAYS = 90  # complete days before today; today itself is filled up to the moment of seeding
SHANGHAI, KATHMANDU, LISBON, SAO_PAULO = "Asia/Shanghai", "Asia/Kathmandu", "Europe/Lisbon", "America/Sao_Paulo"
COMPANY, EAST, WEST = "harbour", "asia", "atlantic"


@dataclass(frozen=True)
class DemoTeam:
    """A team. `size` agents work in it; those above have none. `demand` is contacts per agent on duty and day."""

    code: str
    name: str
    parent: str | None
    zone: str
    locale: str = "en"
    size: int = 0
    demand: float = 0.0
    complex_share: float = 0.0
    line: str = ""  # the number of its telephone queue at the telephone system
    dial: str = ""  # its customers' telephone numbers begin with this


@dataclass(frozen=True)
class DemoQueue:
    code: str
    name: str
    team: str
    zone: str
    channel: str
    complexity: str
    answer_within_seconds: int
    source: str
    external: str


@dataclass(frozen=True)
class DemoSource:
    code: str
    name: str
    team: str
    zone: str
    channel: str


@dataclass(frozen=True)
class DemoAgent:
    """A person who serves. `team` and `zone` are those of today; spans are (since, until) in days from today."""

    number: str
    name: str
    username: str
    team: str
    locale: str
    role: str
    status: str
    skills: tuple[str, ...]
    extension: str
    since: int
    zones: tuple[tuple[str, int | None], ...]  # zone and the day it begins; None: from the first day
    homes: tuple[tuple[str, int, int | None], ...]  # team, since, until
    loan: tuple[str, int, int] | None
    left: int | None
    wages: tuple[tuple[Decimal, int, int | None], ...]
    wage_basis: str
    currency: str
    pace: float  # factor on handling time
    warmth: float  # added to the log odds of a good rating
    grip: float  # added to the log odds of a solved matter
    eagerness: int  # seconds by which routing prefers this agent
    story: str = ""

    @property
    def mail(self) -> str:
        """How the helpdesk calls this agent."""
        return f"{self.username}@harbour.example"

    def home_on(self, day: int) -> str | None:
        """The home team on a day."""
        return next((t for t, since, until in self.homes if since <= day and (until is None or day < until)), None)

    def works_for(self, day: int) -> str | None:
        """The team served on a day: the borrowing one during a loan."""
        if self.loan is not None and self.loan[1] <= day < self.loan[2]:
            return self.loan[0]
        return self.home_on(day)


@dataclass(frozen=True)
class DemoGrant:
    """A grant of an account on a team; `until` in days from today."""

    username: str
    team: str
    grant: Grant
    until: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class DemoAccount:
    """Somebody who uses the admin site without serving customers. `role` names the log-in shown at the start."""

    username: str
    name: str
    language: str
    zone: str
    role: str = ""
    is_superuser: bool = False


@dataclass(frozen=True)
class Cast:
    teams: tuple[DemoTeam, ...]
    agents: tuple[DemoAgent, ...]
    queues: tuple[DemoQueue, ...]
    sources: tuple[DemoSource, ...]
    accounts: tuple[DemoAccount, ...]
    grants: tuple[DemoGrant, ...]
    logins: dict[str, str] = field(default_factory=dict)  # role: username

    @cached_property
    def team(self) -> dict[str, DemoTeam]:
        return {team.code: team for team in self.teams}

    @property
    def floors(self) -> tuple[DemoTeam, ...]:
        """The teams in which customers are served."""
        return tuple(team for team in self.teams if team.size)

    def phone_source(self, team: str) -> str:
        """The telephone system that a team is on: one for each hub."""
        return f"phone-{self.team[team].parent}"


TEAMS = (
    DemoTeam(COMPANY, "Harbour Customer Service", None, LISBON),
    DemoTeam(EAST, "亚洲客服中心", COMPANY, SHANGHAI, "zh-hans"),
    DemoTeam(WEST, "Atlantic Hub", COMPANY, LISBON),
    DemoTeam("shanghai-orders", "上海订单组", EAST, SHANGHAI, "zh-hans", 14, 58, 0.06, "8001", "+86138"),
    DemoTeam("shanghai-aftersales", "上海售后组", EAST, SHANGHAI, "zh-hans", 12, 50, 0.09, "8002", "+86139"),
    DemoTeam("kathmandu-tech", "Kathmandu Technical Support", EAST, KATHMANDU, "en", 12, 46, 0.14, "8003", "+97798"),
    DemoTeam("lisbon-care", "Lisbon Customer Care", WEST, LISBON, "en", 12, 52, 0.08, "8101", "+35191"),
    DemoTeam("saopaulo-sales", "São Paulo Sales Support", WEST, SAO_PAULO, "en", 10, 50, 0.07, "8102", "+55119"),
)
SKILLS = {
    "phone": "Telephone",
    "chat": "Chat",
    "mail": "Mail",
    "mandarin": "普通话",
    "english": "English",
    "portuguese": "Português",
    "refunds": "Refunds",
    "technical": "Technical questions",
}
LANGUAGE_SKILLS = {
    SHANGHAI: ("mandarin",),
    KATHMANDU: ("english",),
    LISBON: ("english", "portuguese"),
    SAO_PAULO: ("portuguese",),
}
NAMES = {
    "shanghai-orders": (
        "陈静 chen.jing", "王磊 wang.lei", "李娜 li.na", "张伟 zhang.wei", "刘洋 liu.yang", "杨帆 yang.fan", "赵敏 zhao.min",
        "黄婷 huang.ting", "周杰 zhou.jie", "吴昊 wu.hao", "徐丽 xu.li", "孙悦 sun.yue", "马超 ma.chao", "朱琳 zhu.lin",
    ),
    "shanghai-aftersales": (
        "林峰 lin.feng", "何洁 he.jie", "高远 gao.yuan", "郭晓燕 guo.xiaoyan", "罗斌 luo.bin", "梁爽 liang.shuang",
        "宋佳 song.jia", "唐宇 tang.yu", "许晴 xu.qing", "韩梅 han.mei", "冯涛 feng.tao", "邓丽华 deng.lihua",
    ),
    "kathmandu-tech": (
        "Anjali Gurung anjali.gurung", "Bikash Thapa bikash.thapa", "Deepa Rai deepa.rai", "Kiran Shrestha kiran.shrestha",
        "Manisha Karki manisha.karki", "Nabin Tamang nabin.tamang", "Pooja Adhikari pooja.adhikari",
        "Rajesh Magar rajesh.magar", "Sabina Lama sabina.lama", "Suman Basnet suman.basnet", "Tara Limbu tara.limbu",
        "Umesh Bhandari umesh.bhandari",
    ),
    "lisbon-care": (
        "Helen Marsh helen.marsh", "Tiago Lopes tiago.lopes", "Grace Holloway grace.holloway", "Rui Teixeira rui.teixeira",
        "Emma Whitfield emma.whitfield", "Joana Faria joana.faria", "Oliver Grant oliver.grant", "Ines Cardoso ines.cardoso",
        "Daniel Brooks daniel.brooks", "Marta Nogueira marta.nogueira", "Peter Lang peter.lang", "Sofia Antunes sofia.antunes",
    ),
    "saopaulo-sales": (
        "Camila Rocha camila.rocha", "Bruno Azevedo bruno.azevedo", "Larissa Prado larissa.prado", "Felipe Moura felipe.moura",
        "Juliana Barros juliana.barros", "Rafael Pinto rafael.pinto", "Bianca Freitas bianca.freitas",
        "Gustavo Ramos gustavo.ramos", "Paula Siqueira paula.siqueira", "Thiago Correa thiago.correa",
    ),
}  # fmt: skip
# currency, basis, wage of an agent; other roles earn a multiple
WAGES = {
    SHANGHAI: ("CNY", "daily", Decimal("320.00")),
    KATHMANDU: ("NPR", "monthly", Decimal("62000.00")),
    LISBON: ("EUR", "daily", Decimal("68.50")),
    SAO_PAULO: ("BRL", "monthly", Decimal("3450.00")),
}
WAGE_FACTORS = {
    Agent.Role.TRAINEE: Decimal("0.85"),
    Agent.Role.AGENT: Decimal("1.00"),
    Agent.Role.SENIOR: Decimal("1.20"),
    Agent.Role.MENTOR: Decimal("1.25"),
    Agent.Role.LEAD: Decimal("1.50"),
}
GOOD_STORY, BAD_STORY = "flying", "sinking"  # yesterday and today stand out
# What happened to whom. Everybody else has been in one team and zone all the time.
LENT, MOVED_TEAM, MOVED_ZONE = "felipe.moura", "zhou.jie", "oliver.grant"
GONE, STARTING = "tang.yu", {"sofia.antunes": 6, "umesh.bhandari": 13}
NEWCOMERS = {"peter.lang": -55, "zhu.lin": -70, "tara.limbu": -40, "thiago.correa": -30}
ABROAD = {"deng.lihua": KATHMANDU}  # serves the Shanghai team from Kathmandu
STORIES = {"grace.holloway": GOOD_STORY, "rui.teixeira": BAD_STORY}
RAISED = "joana.faria"

ACCOUNTS = (
    DemoAccount("olga.stein", "Olga Stein", "en", LISBON, "operator", is_superuser=True),
    DemoAccount("martin.reeve", "Martin Reeve", "en", LISBON, "lead above"),
    DemoAccount("sun.mei", "孙梅", "zh-hans", SHANGHAI),
    DemoAccount("victoria.lane", "Victoria Lane", "en", LISBON, "HR"),
    DemoAccount("david.okoro", "David Okoro", "en", LISBON, "trainer"),
    DemoAccount("nora.vidal", "Nora Vidal", "en", LISBON, "payroll"),
    DemoAccount("ma.rui", "马睿", "zh-hans", SHANGHAI),
    DemoAccount("alice.fonseca", "Alice Fonseca", "en", LISBON),
)
TEAM_LEAD, AGENT = "helen.marsh", "emma.whitfield"  # the log-ins of these two roles
REVIEWER, PLANNER, HEAD_OF_EAST = "ma.rui", "alice.fonseca", "sun.mei"


def cast(seed: int) -> Cast:
    """Everybody, always the same for one seed."""
    agents = tuple(_agents(random.Random(f"{seed}/people")))
    logins = {account.role: account.username for account in ACCOUNTS if account.role}
    roles = ("operator", "lead above", "team lead", "HR", "trainer", "payroll", "agent")
    logins |= {"team lead": TEAM_LEAD, "agent": AGENT}
    return Cast(
        teams=TEAMS,
        agents=agents,
        queues=tuple(_queues()),
        sources=(
            DemoSource(f"phone-{EAST}", "电话系统（亚洲）", EAST, SHANGHAI, "phone"),
            DemoSource(f"phone-{WEST}", "Telephone system (Atlantic)", WEST, LISBON, "phone"),
            DemoSource("helpdesk", "Helpdesk", COMPANY, "UTC", "chat"),
            DemoSource("callbacks", "Call-back list (spreadsheet)", "lisbon-care", LISBON, "phone"),
        ),
        accounts=ACCOUNTS,
        grants=tuple(_grants()),
        logins={role: logins[role] for role in roles},
    )


def _queues() -> list[DemoQueue]:
    rows = []
    for team in TEAMS:
        if not team.size:
            continue
        chinese = team.locale == "zh-hans"
        kinds = (
            ("phone", "电话" if chinese else "telephone", 20, f"phone-{team.parent}", team.line),
            ("chat", "在线咨询" if chinese else "chat", 60, "helpdesk", f"{team.code} live chat"),
            ("mail", "邮件" if chinese else "mail", 86400, "helpdesk", f"{team.code}@harbour.example"),
        )
        for channel, word, seconds, source, external in kinds:
            name = f"{team.name}{word}" if chinese else f"{team.name}, {word}"
            complexity = "complex" if channel == "mail" else "simple"
            code = f"{team.code}-{channel}"
            rows.append(DemoQueue(code, name, team.code, team.zone, channel, complexity, seconds, source, external))
    return rows


def _agents(rng: random.Random) -> list[DemoAgent]:
    rows: list[DemoAgent] = []
    for team in TEAMS:
        for place, line in enumerate(NAMES.get(team.code, ())):
            name, _, username = line.rpartition(" ")
            rows.append(_agent(rng, team, place, name, username, number=1001 + len(rows)))
    return rows


def _employment(username: str) -> str:
    if username in STARTING:
        return Agent.Status.HIRED
    return Agent.Status.PROBATION if username in NEWCOMERS else Agent.Status.ACTIVE


def _agent(rng: random.Random, team: DemoTeam, place: int, name: str, username: str, number: int) -> DemoAgent:
    since = NEWCOMERS.get(username, STARTING.get(username, -DAYS - rng.randint(40, 1500)))
    role = _role(username, place)
    zone = ABROAD.get(username, team.zone)
    left = -21 if username == GONE else None
    status = Agent.Status.LEFT if left else _employment(username)
    homes: tuple[tuple[str, int, int | None], ...] = ((team.code, since, None if left is None else left + 1),)
    home = team.code
    if username == MOVED_TEAM:
        home = "shanghai-aftersales"
        homes = ((team.code, since, -35), (home, -35, None))
    zones: tuple[tuple[str, int | None], ...] = ((zone, None),)
    if username == MOVED_ZONE:
        zones = ((zone, None), (SAO_PAULO, -40))
    currency, basis, wage = WAGES[team.zone]  # by the contract of the team, wherever somebody lives
    wage = (wage * WAGE_FACTORS[role]).quantize(Decimal("0.01"))
    wages: tuple[tuple[Decimal, int, int | None], ...] = ((wage, since, None),)
    if username == RAISED:
        wages = ((wage, since, -30), ((wage * Decimal("1.06")).quantize(Decimal("0.01")), -30, None))
    skills = ["phone", "chat", "mail", *LANGUAGE_SKILLS[zone]]
    skills += ["refunds"] if role in {Agent.Role.SENIOR, Agent.Role.MENTOR} or rng.random() < 0.2 else []
    skills += ["technical"] if team.code == "kathmandu-tech" else []
    eagerness = {Agent.Role.LEAD: -1500, Agent.Role.TRAINEE: -150, Agent.Role.SENIOR: 60}.get(role, 0)
    return DemoAgent(
        number=f"H{number}",
        name=name,
        username=username,
        team=home,
        locale=team.locale,
        role=role,
        status=status,
        skills=tuple(skills),
        extension=str(number + 1000),
        since=since,
        zones=zones,
        homes=homes,
        loan=("lisbon-care", -9, 12) if username == LENT else None,
        left=left,
        wages=wages,
        wage_basis=basis,
        currency=currency,
        pace=min(1.35, max(0.78, rng.gauss(1.0 if role != Agent.Role.SENIOR else 0.93, 0.09))),
        warmth=rng.gauss(0.0, 0.28),
        grip=rng.gauss(0.0, 0.25),
        eagerness=eagerness,
        story=STORIES.get(username, ""),
    )


def _role(username: str, place: int) -> Agent.Role:
    if place == 0:
        return Agent.Role.LEAD
    if username in NEWCOMERS or username in STARTING:
        return Agent.Role.TRAINEE
    return {1: Agent.Role.MENTOR, 2: Agent.Role.SENIOR, 6: Agent.Role.SENIOR}.get(place, Agent.Role.AGENT)


def _grants() -> list[DemoGrant]:
    rows = [
        DemoGrant("martin.reeve", WEST, Grant.LEAD),
        DemoGrant(HEAD_OF_EAST, EAST, Grant.LEAD),
        DemoGrant("victoria.lane", COMPANY, Grant.ONBOARD),
        DemoGrant("victoria.lane", COMPANY, Grant.SETTLE),
        DemoGrant("david.okoro", COMPANY, Grant.ONBOARD),
        DemoGrant("nora.vidal", COMPANY, Grant.SETTLE),
        DemoGrant(REVIEWER, COMPANY, Grant.REVIEW),
        DemoGrant(PLANNER, COMPANY, Grant.OBSERVE),
        DemoGrant("tiago.lopes", "lisbon-care", Grant.LEAD, 14, "Deputy while the lead is at the spring workshop"),
        DemoGrant("wang.lei", "shanghai-orders", Grant.LEAD, 30, "主管休假期间代理"),
        DemoGrant("bruno.azevedo", "saopaulo-sales", Grant.LEAD, -10, "Deputy during the lead's holiday"),
    ]
    leads = {team.code: NAMES[team.code][0].rpartition(" ")[2] for team in TEAMS if team.size}
    return rows + [DemoGrant(username, team, Grant.LEAD) for team, username in leads.items()]
