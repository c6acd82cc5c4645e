"""Every sentence of ours has its Chinese, and the compiled catalogue says what the readable one says."""

import ast
import gettext
import io
import re
import tokenize
from pathlib import Path

from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

import config.urls  # noqa: F401  registers the administration
from performance.reports import record
from teams import personal
from teams.edges.admin import site

ROOT = Path(settings.BASE_DIR)
PO = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
APPS = ("approvals", "config", "incentives", "performance", "scheduling", "teams", "training")
CALLS = {
    "_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2,
    "pgettext": 2, "pgettext_lazy": 2, "npgettext": 3, "npgettext_lazy": 3,
}  # fmt: skip


def entries() -> dict[str, str]:
    """The catalogue as the compiled one keys it: context, singular and plural of each sentence, and its translation."""
    found: dict[str, str] = {}
    for block in PO.read_text(encoding="utf-8").split("\n\n"):
        parts: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                assert "fuzzy" not in line, block
                assert not line.startswith("#~"), block
                continue
            word, _space, rest = line.partition(" ")
            if not line.startswith('"'):
                key, text = word, rest
                parts[key] = ""
            else:
                text = line
            parts[key] += ast.literal_eval(text)
        if "msgid" in parts:
            name = parts["msgid"] + ("\0" + parts["msgid_plural"] if "msgid_plural" in parts else "")
            name = (parts["msgctxt"] + "\4" if "msgctxt" in parts else "") + name
            found[name] = parts.get("msgstr[0]", parts.get("msgstr", ""))
    return found


def said_in_python(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", None))
        if isinstance(node, ast.Call) and name in CALLS:
            words = [arg.value for arg in node.args[: CALLS[name]] if isinstance(arg, ast.Constant)]
            if len(words) == CALLS[name] and all(isinstance(word, str) for word in words):
                found.add(_key(name, words))
    return found


def said_in_template(source: str) -> set[str]:
    found = set()
    code = templatize(source)
    for match in re.finditer(r"\b(_|gettext|ngettext|pgettext|npgettext)\(", code):
        words: list[str] = []
        for token in tokenize.generate_tokens(io.StringIO(code[match.end() :]).readline):
            if token.type == tokenize.STRING:
                words.append(ast.literal_eval(token.string))
            elif token.string not in {",", "\n"} or len(words) == CALLS[match[1]]:
                break
            if len(words) == CALLS[match[1]]:
                break
        found.add(_key(match[1], words))
    return found


def _key(call: str, words: list[str]) -> str:
    if call.startswith(("pgettext", "npgettext")):
        return words[0] + "\4" + "\0".join(words[1:])
    return "\0".join(words)


def said() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            found |= dict.fromkeys(said_in_python(path.read_text(encoding="utf-8")), path)
    for path in (*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")):
        found |= dict.fromkeys(said_in_template(path.read_text(encoding="utf-8")), path)
    return found


def test_every_sentence_has_its_chinese():
    catalogue = entries()
    missing = {
        sentence: str(path.relative_to(ROOT)) for sentence, path in said().items() if not catalogue.get(sentence)
    }
    assert not missing, "run `manage.py make_words` with the Chinese of these"


def test_the_search_for_sentences_finds_them():
    """The check above would be worth nothing if it found no sentences."""
    found = said()
    assert len(found) > 400
    assert "%(done)s, %(count)d to go" in found
    assert "7 of 10\4of" in found
    assert "%(count)s contact\0%(count)s contacts" in found
    assert "Use letters, digits, dot, dash and underscore only." in found


def test_no_sentence_is_left_empty_or_doubtful():
    assert [sentence for sentence, chinese in entries().items() if not chinese] == []


def test_the_compiled_catalogue_is_not_stale():
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    have = {key: text for key, text in compiled._catalog.items() if key != ""}
    plurals = {key[0]: text for key, text in have.items() if isinstance(key, tuple)}
    singles = {key: text for key, text in have.items() if isinstance(key, str)}
    expected = {key: text for key, text in entries().items() if key}
    assert len(expected) == len(have)
    for key, text in expected.items():
        one = key.split("\0")[0]
        assert (plurals[one] if "\0" in key else singles[key]) == text, f"{key!r}: run `manage.py make_words`"


def test_placeholders_are_kept():
    kept = re.compile(r"%\(\w+\)\d*[ds]|%%|\{\w*\}|%[ds]")
    for sentence, chinese in entries().items():
        wanted = [sorted(kept.findall(form)) for form in sentence.split("\4")[-1].split("\0")]
        assert sorted(kept.findall(chinese)) in wanted, sentence


def test_pages_of_the_theme_speak_chinese_too():
    with translation.override("zh-hans"):
        assert translation.gettext("Select all rows") == "选择所有行"
        assert translation.gettext("Apply Filters") == "应用筛选"


NEVER_SHOWN = {
    "django_celery_beat.PeriodicTask.task",  # a column and a form of their own name it
    "performance.Source.token_digest",
    "teams.TeamGroupGrant.group", "teams.TeamGroupGrant.permission",
    "teams.TeamUserGrant.permission", "teams.TeamUserGrant.user",
}  # fmt: skip


def test_every_field_of_the_administration_has_a_chinese_name() -> None:
    """A field without a name of its own would be called by its column, in English, on the pages of its row."""
    with translation.override("zh-hans"):
        named = {
            f"{model._meta.label}.{field.name}": str(field.verbose_name)
            for model in site._registry
            for field in model._meta.concrete_fields
        }
    left = {
        place: name
        for place, name in named.items()
        if place not in NEVER_SHOWN and name.upper() != "ID" and not re.search(r"[一-鿿]", name)
    }
    assert not left, left


def test_every_kind_of_data_kept_about_a_person_is_said_in_chinese() -> None:
    """The own record names each table and each of its columns, those of packages too."""
    with translation.override("zh-hans"):
        kinds = [record.kept_of(each) for each in personal.classes()]
    assert len(kinds) > 20
    left = {kind.name: kind.particulars for kind in kinds if not re.search(r"[一-鿿]", kind.name)}
    assert not left, left
    for kind in kinds:
        assert not [words for words in kind.particulars if not re.search(r"[一-鿿]", words)], kind
