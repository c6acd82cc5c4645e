"""How Chinese sounds: the syllables of pinyin, without tones. The dictionary is loaded with the first Chinese text only."""

from approvals.plain.pieces import folded, is_cjk, runs


def syllables(text: str) -> list[list[str]]:
    """For each run of Chinese characters its syllables, as in [["tui", "kuan"]]."""
    found = []
    for run in runs(folded(text)):
        if is_cjk(run):
            from pypinyin import lazy_pinyin  # 25 MB of words: of no use to whoever writes no Chinese

            found.append([each for each in lazy_pinyin(run, errors="ignore") if each.isascii() and each.isalpha()])
    return [each for each in found if each]


def keys(text: str) -> str:
    """What may be typed for the Chinese in `text`, spaces between: from each character on the initials, and the syllables in
    full. The first two are those of the first character on."""
    made = []
    for run in syllables(text):
        for start in range(len(run)):
            rest = run[start:]
            made += ["".join(each[0] for each in rest), "".join(rest)]
    return " ".join(dict.fromkeys(made))
