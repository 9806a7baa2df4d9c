"""Make names comparable: Unicode, case, punctuation, legal forms, token order, and letters of some scripts.

Latin with diacritics, Cyrillic and Greek are written in plain Latin letters, one letter at a time, as the usual
romanisations do; which of several romanisations a list took is not known, so that such names are alike, rarely
equal. Names in any other script are compared only with names in that script: `scripts` says which those are.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяіґўјљњћђџѕ"
CYRILLIC_AS = "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya i g u j lj nj c dj dz z"
GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
GREEK_AS = "a v g d e z i th i k l m n x o p r s s t y f ch ps o"
LATIN = "øłđðæœþıßħŋə"
LATIN_AS = "o l d d ae oe th i ss h n a"
LETTERS = {
    letter: "" if plain == "-" else plain
    for letters, words in ((CYRILLIC, CYRILLIC_AS), (GREEK, GREEK_AS), (LATIN, LATIN_AS))
    for letter, plain in zip(letters, words.split(), strict=True)
}
"""Letters in plain Latin ones, after their diacritics are taken off."""
ENDING = (
    "ltd limited llc llp lp inc incorporated corp corporation co company plc gmbh mbh ag kg kgaa ug ohg ev eg sa "
    "sas sarl srl spa sl slu bv nv cv oy oyj ab as asa aps doo dd kft zrt nyrt sro ead eood ood zoo spzoo sp pte "
    "pty pvt sdn bhd jsc ojsc cjsc pjsc ooo oao zao pao ao tov fze fzco fzc fzllc wll saoc kk gk tas anonim "
    "sirketi sanayi ticaret tbk"
)
BEGINNING = "ooo oao zao pao ao ojsc cjsc pjsc jsc llc tov pt cv ip"
LAST = frozenset(ENDING.split())
"""Legal forms that end a name."""
FIRST = frozenset(BEGINNING.split())
"""Legal forms that begin a name."""
LONG = (
    ("limited liability company", "llc"),
    ("public joint stock company", "pjsc"),
    ("open joint stock company", "ojsc"),
    ("closed joint stock company", "cjsc"),
    ("joint stock company", "jsc"),
    ("aktiengesellschaft", "ag"),
    ("gesellschaft mit beschrankter haftung", "gmbh"),
    ("societe anonyme", "sa"),
    ("obshchestvo s ogranichennoy otvetstvennostyu", "ooo"),
    ("aktsionernoe obshchestvo", "ao"),
)
FILLERS = frozenset({"and", "the", "of", "und", "et", "y", "for"})


@lru_cache(maxsize=500_000)
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name that tell it from others, in its order, in plain letters; none of `---`.

    >>> words("Müller & Söhne GmbH & Co. KG")
    ('muller', 'sohne')
    """
    tokens = _tokens(name)
    kept = _without_forms(tokens)
    return tuple([t for t in kept if t not in FILLERS] or kept or tokens)


def normal(name: str) -> str:
    """Return a name's words in alphabetical order: names are equal where these are.

    >>> normal("Société Générale S.A."), normal("GENERALE, Societe"), normal("Ромашка, Москва")
    ('generale societe', 'generale societe', 'moskva romashka')
    """
    return " ".join(sorted(words(name)))


def scripts(name: str) -> frozenset[str]:
    """Return the scripts of a name that are not written in Latin letters here, such as `CJK` or `ARABIC`."""
    folded = _folded(name)
    return frozenset(
        unicodedata.name(c, "UNKNOWN").split()[0] for c in folded if c.isalpha() and not "a" <= c <= "z"
    )


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    plain = (LETTERS.get(c, c) for c in decomposed if not unicodedata.combining(c))
    return unicodedata.normalize("NFKD", "".join(plain))


def _tokens(name: str) -> list[str]:
    """Return the tokens of a name; single letters with full stops between them are one (`S.p.A.`)."""
    text = _folded(name).replace("&", " and ").replace("'", "").replace("\u2019", "").replace("`", "")
    parts = "".join(c if c.isalnum() else " " for c in text).split()
    tokens: list[str] = []
    letters = ""
    for word in [*parts, ""]:
        if len(word) == 1 and word.isascii():
            letters += word
            continue
        if letters:
            tokens.append(letters)
            letters = ""
        if word:
            tokens.append(word)
    return tokens


def _without_forms(tokens: list[str]) -> list[str]:
    text = f" {' '.join(tokens)} "
    for long, short in LONG:
        text = text.replace(f" {long} ", f" {short} ")
    kept = text.split()
    while len(kept) > 1 and kept[-1] in LAST | FILLERS:
        kept.pop()
    while len(kept) > 1 and kept[0] in FIRST:
        kept.pop(0)
    return kept
